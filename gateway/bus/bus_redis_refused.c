/* bus_redis_refused.c - Redis answers, but with an error.
 *
 * Some errors make the whole connection useless (NOAUTH, LOADING): it is ended and comes back with
 * back-off. The others are about a command: a replica takes no SET (READONLY), nor does a Redis at
 * its maxmemory (OOM) or one that cannot save (MISCONF), a user may lack a right (NOPERM). Then
 * everything else goes on: clients are served, PUBLISH leaves, latest values are read.
 *
 * What is refused is remembered, one example of each kind: the last one. As long as there is one
 * the bus is not whole, and readiness lists it as degraded. Once a second the example is tried
 * again, and nothing but the example: a Redis in trouble gets one more command a second, not all
 * that it has refused. When it is taken, a round of bus_redis_sync.c writes what is missing. A
 * status that was refused is gone, as always; the other processes tell it by their own clocks. */
#include <string.h>

#include "bus_advice.h"
#include "bus_redis_impl.h"
#include "clock.h"

enum { LOG_EVERY_MS = 10000 };

static const char *const names[ASKED_KINDS] = {
    [ASKED_SET] = "SET",
    [ASKED_PUBLISH] = "PUBLISH",
    [ASKED_SHARED] = "SET",
    [ASKED_GET] = "GET",
};

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

bool redis_is_refused(struct bus_redis *r, const char *command, const redisReply *reply)
{
    unsigned suppressed;
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        return false;
    if (is_fatal(reply->str)) {
        link_fail(&r->command, reply->str);
        return true;
    }
    r->base.stats.refused++;
    if (r->metrics)
        r->metrics->bus_refused++;
    if (log_limit_pass(&r->refused_limit, clock_mono_ms(), LOG_EVERY_MS, &suppressed))
        log_event(LOG_WARN, "bus_refused", "command=%s why=%s advice=%s suppressed=%u", command,
                  reply->str, bus_advice(reply->str), suppressed);
    return true;
}

static void take_back(struct bus_redis *r, enum redis_asked kind)
{
    r->refused[kind] = NULL;
    if (kind == ASKED_SHARED)
        redis_write_back_shared(r);
    else
        r->next_look_ms = clock_mono_ms();
}

void redis_note_answer(struct bus_redis *r, enum redis_asked kind, const void *what,
                       const redisReply *reply)
{
    if (!redis_is_refused(r, names[kind], reply)) {
        if (reply && r->refused[kind] == what)
            take_back(r, kind);
        return;
    }
    r->refused[kind] = what;
    if (kind != ASKED_SHARED)
        return;
    for (struct bus_shared_value *v = r->shared.first; v; v = v->next)
        v->unsent = true;
}

static const struct bus_shared_value *first_unsent(const struct bus_redis *r, int64_t now_ms)
{
    const struct bus_shared_value *v = r->shared.first;
    while (v && !(v->unsent && v->expires_ms > now_ms))
        v = v->next;
    return v;
}

/* The symbol's own item, while it is worth sending. */
static struct redis_symbol *still_wanted(struct bus_redis *r, enum redis_asked kind, int64_t now_ms)
{
    for (size_t i = 0; r->refused[kind] && i < r->base.symbols_len; i++) {
        struct redis_symbol *s = &r->symbols[i];
        if (r->refused[kind] == s && s->own.len > 0 && s->own_expires_ms > now_ms)
            return s;
    }
    r->refused[kind] = NULL;
    return NULL;
}

/* What finds no room now is tried a second later. */
void redis_retry_refused(struct bus_redis *r)
{
    int64_t now_ms = clock_mono_ms();
    struct redis_symbol *s = still_wanted(r, ASKED_SET, now_ms);
    if (s)
        (void)redis_send_set(r, s, now_ms);
    s = still_wanted(r, ASKED_PUBLISH, now_ms);
    if (s)
        (void)redis_send_publish(r, s);
    if (!r->refused[ASKED_SHARED])
        return;
    const struct bus_shared_value *v = first_unsent(r, now_ms);
    if (v)
        (void)redis_send_shared(r, v, false, now_ms);
    else
        r->refused[ASKED_SHARED] = NULL;
}

bool redis_is_whole(const struct bus *b)
{
    const struct bus_redis *r = (const struct bus_redis *)b;
    bool whole = r->up;
    for (int kind = 0; kind < ASKED_KINDS; kind++)
        whole = whole && !r->refused[kind];
    return whole;
}
