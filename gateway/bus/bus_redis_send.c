/* bus_redis_send.c - the commands of the redis bus, and what their answers say.
 *
 * Everything here is queued by hiredis and leaves in one write at the end of this turn of the loop,
 * in the order it was queued: that is what keeps SET before PUBLISH. At most limits.in_flight
 * commands wait for their answers. What finds no room is not queued anywhere: of an item the latest
 * of its symbol is sent when there is room again, a status is lost to the other processes (their
 * own clock tells them), a shared value goes out with the next reconnect.
 *
 * Errors in answers: those that make the whole connection useless (NOAUTH, LOADING) end it and it
 * comes back with back-off; those of one command (READONLY, OOM, NOPERM) are logged, at most every
 * 10 s, and publishing goes on. */
#include <stdlib.h>
#include <string.h>

#include "bus_redis_impl.h"
#include "clock.h"

enum { LOG_EVERY_MS = 10000 };

/* Does this error say that the whole connection is of no use? */
static bool is_fatal(const char *error)
{
    static const char *const fatal[] = {"NOAUTH", "WRONGPASS", "LOADING", "MASTERDOWN",
                                        "ERR max number of clients"};
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
        if (strncmp(error, fatal[i], strlen(fatal[i])) == 0)
            return true;
    return false;
}

void redis_check_error(struct bus_redis *r, const char *command, const redisReply *reply)
{
    unsigned suppressed;
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        return;
    if (is_fatal(reply->str)) {
        link_fail(&r->command, reply->str);
        return;
    }
    if (log_limit_pass(&r->refused_limit, clock_mono_ms(), LOG_EVERY_MS, &suppressed))
        log_event(LOG_WARN, "bus_refused", "command=%s why=%s suppressed=%u", command, reply->str,
                  suppressed);
}

/* ---- commands ---- */

void redis_on_answer(void *ctx, void *arg, const redisReply *reply)
{
    struct bus_redis *r = ctx;
    redis_check_error(r, arg, reply);
    if (r->base.closing)
        redis_close_when_answered(r);
    else if (reply && r->any_unsent && r->command.in_flight < (size_t)r->limits.in_flight / 2)
        redis_send_unsent(r);
}

static bool has_room(const struct bus_redis *r, size_t commands)
{
    return link_is_ready(&r->command) &&
           r->command.in_flight + commands <= (size_t)r->limits.in_flight;
}

static bool send_publish(struct bus_redis *r, const char *channel, const char *bytes, size_t len)
{
    static char name[] = "PUBLISH";
    const char *words[] = {name, channel, bytes};
    size_t lens[] = {strlen(name), strlen(channel), len};
    return link_send(&r->command, redis_on_answer, name, 3, words, lens) == 0;
}

static bool send_set(struct bus_redis *r, const char *key, const char *bytes, size_t len,
                     int64_t ttl_ms, bool only_new)
{
    static char name[] = "SET";
    char ttl[24];
    snprintf(ttl, sizeof ttl, "%lld", ttl_ms < 1000 ? 1LL : (long long)(ttl_ms / 1000));
    const char *words[] = {name, key, bytes, "EX", ttl, "NX"};
    size_t lens[] = {strlen(name), strlen(key), len, 2, strlen(ttl), 2};
    return link_send(&r->command, redis_on_answer, name, only_new ? 6 : 5, words, lens) == 0;
}

bool redis_send_own(struct bus_redis *r, struct redis_symbol *s, int64_t now_ms)
{
    if (!has_room(r, 2)) {
        s->unsent = r->any_unsent = true;
        return false;
    }
    s->unsent = false;
    s->sent_since_get = true;
    return send_set(r, s->latest, s->own.p, s->own.len, s->own_expires_ms - now_ms, false) &&
           send_publish(r, s->stream, s->own.p, s->own.len);
}

static void count_dropped(struct bus_redis *r)
{
    unsigned suppressed;
    r->base.stats.dropped++;
    if (r->metrics)
        r->metrics->bus_dropped++;
    if (link_is_ready(&r->command) &&
        log_limit_pass(&r->full_limit, clock_mono_ms(), LOG_EVERY_MS, &suppressed))
        log_event(LOG_WARN, "bus_full", "unanswered=%zu suppressed=%u", r->command.in_flight,
                  suppressed);
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
    if (!has_room(r, 1) || !send_publish(r, r->symbols[symbol].status, bytes, len)) {
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
    char *name = has_room(r, 1) ? shared_name(r, v->key) : NULL;
    bool ok = name && send_set(r, name, v->bytes, v->len, v->expires_ms - now_ms, only_new);
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
    redis_check_error(r, "GET", reply);
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
    char *name = has_room(r, 1) ? shared_name(r, key) : NULL;
    char *copy = name ? strdup(key) : NULL;
    const char *words[] = {"GET", name};
    size_t lens[] = {strlen("GET"), name ? strlen(name) : 0};
    if (!copy || link_send(&r->command, on_shared, copy, 2, words, lens) != 0) {
        free(copy);
        answer_from_memory(r, key);
    }
    free(name);
}
