/* bus_redis_send.c - the commands of the redis bus, and what their answers say.
 *
 * Everything here is queued by hiredis and leaves in one write at the end of this turn of the loop,
 * in the order it was queued: that is what keeps SET before PUBLISH. At most limits.in_flight
 * commands wait for their answers. What finds no room is not queued anywhere: of an item the latest
 * of its symbol is sent when there is room again, a status is lost to the other processes (their
 * own clock tells them), a shared value goes out with the next reconnect. Answers that are errors:
 * bus_redis_refused.c. */
#include <stdlib.h>
#include <string.h>

#include "bus_advice.h"
#include "bus_redis_impl.h"
#include "clock.h"

enum { LOG_EVERY_MS = 10000 };

/* ---- commands ---- */

/* What follows from any answer. */
static void go_on(struct bus_redis *r, const redisReply *reply)
{
    if (r->base.closing)
        redis_close_when_answered(r);
    else if (reply && r->any_unsent && r->command.in_flight < (size_t)r->limits.in_flight / 2)
        redis_send_unsent(r);
}

void redis_on_answer(void *ctx, void *arg, const redisReply *reply)
{
    struct bus_redis *r = ctx;
    redis_is_refused(r, arg, reply);
    go_on(r, reply);
}

static void on_set(void *ctx, void *arg, const redisReply *reply)
{
    redis_note_answer(ctx, ASKED_SET, arg, reply);
    go_on(ctx, reply);
}

static void on_publish(void *ctx, void *arg, const redisReply *reply)
{
    redis_note_answer(ctx, ASKED_PUBLISH, arg, reply);
    go_on(ctx, reply);
}

static void on_set_shared(void *ctx, void *arg, const redisReply *reply)
{
    redis_note_answer(ctx, ASKED_SHARED, arg, reply);
    go_on(ctx, reply);
}

bool redis_has_room(const struct bus_redis *r, size_t commands)
{
    return link_is_ready(&r->command) &&
           r->command.in_flight + commands <= (size_t)r->limits.in_flight;
}

static bool send_publish(struct bus_redis *r, link_reply *fn, void *arg, const char *channel,
                         const char *bytes, size_t len)
{
    const char *words[] = {"PUBLISH", channel, bytes};
    size_t lens[] = {strlen("PUBLISH"), strlen(channel), len};
    return link_send(&r->command, fn, arg, 3, words, lens) == 0;
}

struct redis_value {
    const char *key, *bytes;
    size_t len;
    int64_t ttl_ms;
    bool only_new;
};

static bool send_set(struct bus_redis *r, link_reply *fn, void *arg, const struct redis_value *v)
{
    char ttl[24];
    snprintf(ttl, sizeof ttl, "%lld", v->ttl_ms < 1000 ? 1LL : (long long)(v->ttl_ms / 1000));
    const char *words[] = {"SET", v->key, v->bytes, "EX", ttl, "NX"};
    size_t lens[] = {strlen("SET"), strlen(v->key), v->len, 2, strlen(ttl), 2};
    return link_send(&r->command, fn, arg, v->only_new ? 6 : 5, words, lens) == 0;
}

bool redis_send_set(struct bus_redis *r, struct redis_symbol *s, int64_t now_ms)
{
    const struct redis_value v = {.key = s->latest,
                                  .bytes = s->own.p,
                                  .len = s->own.len,
                                  .ttl_ms = s->own_expires_ms - now_ms};
    s->sent_since_get = true;
    return redis_has_room(r, 1) && send_set(r, on_set, s, &v);
}

bool redis_send_publish(struct bus_redis *r, struct redis_symbol *s)
{
    return redis_has_room(r, 1) && send_publish(r, on_publish, s, s->stream, s->own.p, s->own.len);
}

bool redis_send_own(struct bus_redis *r, struct redis_symbol *s, int64_t now_ms)
{
    if (!redis_has_room(r, 2)) {
        s->unsent = r->any_unsent = true;
        return false;
    }
    s->unsent = false;
    return redis_send_set(r, s, now_ms) && redis_send_publish(r, s);
}

static void count_dropped(struct bus_redis *r)
{
    unsigned suppressed;
    r->base.stats.dropped++;
    if (r->metrics)
        r->metrics->bus_dropped++;
    if (link_is_ready(&r->command) &&
        log_limit_pass(&r->full_limit, clock_mono_ms(), LOG_EVERY_MS, &suppressed))
        log_event(LOG_WARN, "bus_full", "unanswered=%zu advice=%s suppressed=%u",
                  r->command.in_flight, bus_advice("slow"), suppressed);
}

void redis_publish(struct bus *b, size_t symbol, const char *bytes, size_t len, int64_t ttl_s)
{
    struct bus_redis *r = (struct bus_redis *)b;
    struct redis_symbol *s = &r->symbols[symbol];
    int64_t now_ms = clock_mono_ms();

    buf_clear(&s->own);
    buf_add(&s->own, bytes, len);
    s->own_expires_ms = now_ms + ttl_s * 1000;
    if (s->own.failed) { /* out of memory: nothing to resync from */
        buf_fini(&s->own);
        count_dropped(r);
        return;
    }
    if (!redis_send_own(r, s, now_ms))
        count_dropped(r);
}

void redis_publish_status(struct bus *b, size_t symbol, const char *bytes, size_t len)
{
    struct bus_redis *r = (struct bus_redis *)b;
    static char name[] = "PUBLISH";
    const char *channel = r->symbols[symbol].status;
    if (!redis_has_room(r, 1) || !send_publish(r, redis_on_answer, name, channel, bytes, len)) {
        count_dropped(r);
        return;
    }
    if (link_is_ready(&r->subscriber))
        bus_echo_expect(&r->echo, (int)symbol, bytes, len);
}

/* ---- shared values ---- */

static char *shared_name(const struct bus_redis *r, const char *key)
{
    char *name;
    return asprintf(&name, "%s%s", r->prefix, key) < 0 ? NULL : name;
}

bool redis_send_shared(struct bus_redis *r, const struct bus_shared_value *v, bool only_new,
                       int64_t now_ms)
{
    char *name = redis_has_room(r, 1) ? shared_name(r, v->key) : NULL;
    const struct redis_value value = {name, v->bytes, v->len, v->expires_ms - now_ms, only_new};
    bool ok = name && send_set(r, on_set_shared, &r->shared, &value);
    free(name);
    return ok;
}

void redis_shared_write(struct bus *b, const char *key, const char *bytes, size_t len,
                        int64_t ttl_s)
{
    struct bus_redis *r = (struct bus_redis *)b;
    int64_t now_ms = clock_mono_ms();
    struct bus_shared_value *v =
        bus_shared_put(&r->shared, key, bytes, len, now_ms + ttl_s * 1000, now_ms);
    if (v)
        v->unsent = !redis_send_shared(r, v, false, now_ms);
    if (!v || v->unsent)
        count_dropped(r);
}

/* Without Redis's word: what this process wrote itself, as a copy, because the owner may write the
 * same key while it is being told. */
static void answer_from_memory(struct bus_redis *r, const char *key)
{
    const struct bus_shared_value *v = bus_shared_find(&r->shared, key, clock_mono_ms());
    char *copy = v ? malloc(v->len + 1) : NULL;
    size_t len = copy ? v->len : 0;
    if (copy)
        memcpy(copy, v->bytes, len + 1);
    bus_hear_shared(&r->base, key, copy ? copy : "", len);
    free(copy);
}

static void on_shared(void *ctx, void *arg, const redisReply *reply)
{
    struct bus_redis *r = ctx;
    redis_is_refused(r, "GET", reply);
    if (reply && reply->type == REDIS_REPLY_STRING)
        bus_hear_shared(&r->base, arg, reply->str, reply->len);
    else
        answer_from_memory(r, arg);
    free(arg);
    if (r->base.closing)
        redis_close_when_answered(r);
}

void redis_shared_read(struct bus *b, const char *key)
{
    struct bus_redis *r = (struct bus_redis *)b;
    char *name = redis_has_room(r, 1) ? shared_name(r, key) : NULL;
    char *copy = name ? strdup(key) : NULL;
    const char *words[] = {"GET", name};
    size_t lens[] = {strlen("GET"), name ? strlen(name) : 0};
    if (!copy || link_send(&r->command, on_shared, copy, 2, words, lens) != 0) {
        free(copy);
        answer_from_memory(r, key);
    }
    free(name);
}
