/* bus_redis_sync.c - making Redis and this process agree after they were apart.
 *
 * Runs when both connections are there and every channel is subscribed, so that nothing falls
 * between the latest value and the first message. Each watched symbol is read with GET, a window of
 * them at a time (MGET would be one reply of megabytes at 500 symbols and more):
 *
 *     Redis has            this process published       then
 *     anything             nothing, or it has expired   nothing
 *     nothing, or garbage  something                    SET with the rest of its TTL, PUBLISH
 *     the same bytes       the same bytes               nothing
 *     something older      something newer              SET, PUBLISH
 *     something newer      something older              nothing
 *
 * Newer is by ts, then by seq. What other programs sent is never written back: only they know
 * whether it still holds. Shared values go back with NX: where another process has written one
 * meanwhile, that one is newer, unless ours was written while Redis could not be reached.
 *
 * A second round follows a moment later, without delivering. A Redis that had only been stopped
 * still finds up to 1,024 old commands in the socket of the connection we gave up, and may execute
 * them after the first round has looked. */
#include <string.h>

#include "bus_redis_impl.h"
#include "clock.h"
#include "item.h"

enum { WINDOW = 128 }; /* GETs under way */

static const char *text_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? reply->str : "";
}

/* Is our own item newer than what Redis has? What is no valid item counts as nothing. */
static bool own_is_newer(const struct bus_symbol *symbol, const struct buf *own,
                         const redisReply *reply)
{
    int64_t now_ms = clock_wall_ms();
    struct item *ours = NULL, *theirs = NULL;
    bool newer = false;

    ours = item_parse(own->p, own->len, symbol->kind, symbol->name, now_ms, NULL);
    if (!ours)
        goto out;
    theirs = item_parse(text_of(reply), reply->len, symbol->kind, symbol->name, now_ms, NULL);
    if (!theirs || ours->ts_ms != theirs->ts_ms)
        newer = !theirs || ours->ts_ms > theirs->ts_ms;
    else
        newer = ours->has_seq && theirs->has_seq && item_seq_cmp(ours, theirs) > 0;
out:
    item_unref(ours);
    item_unref(theirs);
    return newer;
}

static void write_back(struct bus_redis *r, struct redis_symbol *s, const redisReply *reply)
{
    int64_t now_ms = clock_mono_ms();
    const struct bus_symbol *symbol = &r->base.symbols[s - r->symbols];
    bool there = reply->type == REDIS_REPLY_STRING;

    s->unsent = false;
    if (s->own.len == 0 || s->own_expires_ms <= now_ms || s->sent_since_get)
        return;
    if (there && reply->len == s->own.len && memcmp(reply->str, s->own.p, s->own.len) == 0)
        return;
    if (there && !own_is_newer(symbol, &s->own, reply))
        return;
    redis_send_own(r, s, now_ms);
}

void redis_write_back_shared(struct bus_redis *r)
{
    int64_t now_ms = clock_mono_ms();
    for (struct bus_shared_value *v = r->shared.first; v; v = v->next)
        if (v->expires_ms > now_ms && redis_send_shared(r, v, !v->unsent, now_ms))
            v->unsent = false;
}

static void ask(struct bus_redis *r);

static void on_get(void *ctx, void *arg, const redisReply *reply)
{
    struct bus_redis *r = ctx;
    struct redis_symbol *s = arg;
    if (r->sync.stale > 0) {
        r->sync.stale--;
        return;
    }
    r->sync.pending--;
    if (!reply || !r->sync.running)
        return;
    r->sync.refused |= redis_is_refused(r, "GET", reply);
    if (reply->type == REDIS_REPLY_STRING && r->sync.deliver)
        bus_hear_latest(&r->base, (size_t)(s - r->symbols), reply->str, reply->len);
    if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL)
        write_back(r, s, reply);
    ask(r);
}

static void ask(struct bus_redis *r)
{
    struct redis_sync *y = &r->sync;
    while (y->next < r->base.symbols_len && y->pending < WINDOW) {
        struct redis_symbol *s = &r->symbols[y->next];
        const char *words[] = {"GET", s->latest};
        size_t lens[] = {strlen("GET"), strlen(s->latest)};
        if (link_send(&r->command, on_get, s, 2, words, lens) != 0)
            return; /* the connection is going; its loss ends this round */
        s->sent_since_get = false;
        y->next++;
        y->pending++;
    }
    if (y->next < r->base.symbols_len || y->pending > 0)
        return;
    y->running = false;
    r->refused[ASKED_GET] = y->refused ? r : NULL;
    if (y->deliver)
        redis_write_back_shared(r);
    redis_synced(r);
}

void redis_sync_start(struct bus_redis *r, bool deliver)
{
    redis_sync_stop(r);
    r->sync.running = true;
    r->sync.deliver = deliver;
    r->sync.refused = false;
    r->sync.next = 0;
    ask(r);
}

/* Answers come in the order of the questions, so those of a round given up are the next ones. */
void redis_sync_stop(struct bus_redis *r)
{
    r->sync.running = false;
    r->sync.stale += r->sync.pending;
    r->sync.pending = 0;
}

void redis_send_unsent(struct bus_redis *r)
{
    int64_t now_ms = clock_mono_ms();
    bool left = false;
    for (size_t i = 0; r->any_unsent && i < r->base.symbols_len; i++) {
        struct redis_symbol *s = &r->symbols[i];
        if (!s->unsent)
            continue;
        if (s->own_expires_ms <= now_ms || redis_send_own(r, s, now_ms))
            s->unsent = false;
        left |= s->unsent;
    }
    r->any_unsent = left;
}
