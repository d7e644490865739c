/* bus_redis_listen.c - the subscriber: the names of channels, what it asks for, what it hears.
 *
 * Is Redis alive? A subscriber may PING, but hiredis 0.14 cannot match the answer ("pong" comes as
 * an array, looks like a message, and the waiting callback stays in a list until the connection
 * ends: a leak of one per second). So it subscribes again to a channel it already has: Redis
 * answers that and changes nothing, hiredis understands it, and an ACL for subscribers allows it.
 * Confirmations are counted by what was asked for; these are among them. */
#include <stdlib.h>
#include <string.h>

#include "bus_redis_impl.h"

enum { SUBSCRIBE_CHUNK = 64 }; /* symbols in one SUBSCRIBE, two channels each */

/* What follows the symbol in the names of its key and its channels. */
static const struct {
    const char *latest, *stream, *status; /* the last two of one length */
} tails[] = {
    [INSTRUMENT_QUOTE] = {":price:latest",       ":price:stream",       ":price:status"},
    [INSTRUMENT_OBSERVATION] = {":observation:latest", ":observation:stream",
                          ":observation:status"                                        },
};

static char *make_name(const struct bus_redis *r, const char *symbol, const char *tail)
{
    char *name;
    int n = asprintf(&name, "%s%s%s", r->prefix, symbol, tail);
    return n < 0 ? NULL : name;
}

int redis_make_names(const struct bus_redis *r, const struct bus_symbol *symbol,
                     struct redis_symbol *s)
{
    s->latest = make_name(r, symbol->name, tails[symbol->kind].latest);
    s->stream = make_name(r, symbol->name, tails[symbol->kind].stream);
    s->status = make_name(r, symbol->name, tails[symbol->kind].status);
    return s->latest && s->stream && s->status ? 0 : -1;
}

static int find_channel_of(const struct bus_redis *r, const redisReply *name,
                           enum instrument_kind kind, bool *is_status)
{
    size_t prefix = strlen(r->prefix), tail = strlen(tails[kind].stream);
    if (name->len < prefix + tail || memcmp(name->str, r->prefix, prefix) != 0)
        return -1;
    const char *symbol = name->str + prefix, *end = name->str + name->len - tail;
    *is_status = memcmp(end, tails[kind].status, tail) == 0;
    if (!*is_status && memcmp(end, tails[kind].stream, tail) != 0)
        return -1;
    int found = symtab_find(r->base.by_name, symbol, (size_t)(end - symbol));
    return found >= 0 && r->base.symbols[found].kind == kind ? found : -1;
}

/* Which symbol's channel is this, and which of its two? -1: none of ours. */
static int find_channel(const struct bus_redis *r, const redisReply *name, bool *is_status)
{
    int found = find_channel_of(r, name, INSTRUMENT_QUOTE, is_status);
    return found >= 0 ? found : find_channel_of(r, name, INSTRUMENT_OBSERVATION, is_status);
}

static void on_message(struct bus_redis *r, const redisReply *channel, const redisReply *message)
{
    bool is_status = false;
    int symbol = find_channel(r, channel, &is_status);
    if (symbol < 0)
        return;
    if (!is_status)
        bus_hear_item(&r->base, (size_t)symbol, message->str, message->len);
    else if (!bus_echo_take(&r->echo, symbol, message->str, message->len))
        bus_hear_status(&r->base, (size_t)symbol, message->str, message->len);
}

/* Confirmations and messages alike: ["subscribe", channel, how many now] and ["message", channel,
 * bytes]. */
static void on_push(redisAsyncContext *ac, void *answer, void *privdata)
{
    struct link *l = ac->data;
    struct bus_redis *r = l->events.ctx;
    const redisReply *reply = answer;
    (void)privdata;
    if (!reply || l->ac != ac)
        return;
    link_heard(l);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return;
    const redisReply *kind = reply->element[0], *channel = reply->element[1],
                     *last = reply->element[2];
    if (kind->type != REDIS_REPLY_STRING || channel->type != REDIS_REPLY_STRING)
        return;
    if (strcmp(kind->str, "message") == 0 && last->type == REDIS_REPLY_STRING) {
        on_message(r, channel, last);
    } else if (strcmp(kind->str, "subscribe") == 0 && last->type == REDIS_REPLY_INTEGER) {
        r->confirmed++;
        redis_sync_when_ready(r);
    }
}

/* At most SUBSCRIBE_CHUNK of those that were not yet, from symbol *at on. */
static int subscribe_chunk(struct bus_redis *r, size_t *at)
{
    const char *words[1 + 2 * SUBSCRIBE_CHUNK] = {"SUBSCRIBE"};
    size_t lens[1 + 2 * SUBSCRIBE_CHUNK] = {strlen("SUBSCRIBE")};
    int n = 1;
    for (; *at < r->base.symbols_len && n < 1 + 2 * SUBSCRIBE_CHUNK; ++*at) {
        struct redis_symbol *s = &r->symbols[*at];
        if (s->subscribed)
            continue;
        s->subscribed = true;
        words[n++] = s->stream;
        words[n++] = s->status;
    }
    for (int i = 1; i < n; i++)
        lens[i] = strlen(words[i]);
    r->asked += (size_t)n - 1;
    return n > 1 ? link_subscribe(&r->subscriber, on_push, n, words, lens) : 0;
}

void redis_subscribe_missing(struct bus_redis *r)
{
    for (size_t at = 0; at < r->base.symbols_len;)
        if (subscribe_chunk(r, &at) != 0) {
            link_fail(&r->subscriber, "SUBSCRIBE cannot be sent");
            return;
        }
}

void redis_forget_subscriptions(struct bus_redis *r)
{
    r->asked = r->confirmed = 0;
    for (size_t i = 0; i < r->base.symbols_len; i++)
        r->symbols[i].subscribed = false;
}

void redis_subscribe_again(struct bus_redis *r)
{
    const char *words[] = {"SUBSCRIBE", r->symbols[0].stream};
    size_t lens[] = {strlen(words[0]), strlen(words[1])};
    r->asked++;
    if (link_subscribe(&r->subscriber, on_push, 2, words, lens) != 0)
        link_fail(&r->subscriber, "SUBSCRIBE cannot be sent");
}
