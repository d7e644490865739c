/* The matters, by number:
 *
 *   0 Redis   1 the certificate   2.. jobs   then all providers, then all instruments
 *
 * An instrument is in trouble when its price is stale or gone though its market is not closed, or
 * when its whole chain has failed in walks that lie after_s apart or more: where it is polled every
 * six minutes a single bad poll is not much, and where it is polled each second sixty are not. */
#include "notice_watch.h"

enum {
    MATTER_BUS,
    MATTER_CERTIFICATE,
    MATTER_JOBS,
    MATTER_PROVIDERS = MATTER_JOBS + JOBS_LEN,
};

static const int64_t CERTIFICATE_MS = 14 * INT64_C(86400000); /* so long before its end */

size_t notice_watch_matters(const struct config *config)
{
    return MATTER_PROVIDERS + config->providers_len + config->instruments_len;
}

struct matter_place notice_watch_place(const struct config *c, size_t matter)
{
    if (matter == MATTER_BUS || matter == MATTER_CERTIFICATE)
        return (struct matter_place){matter == MATTER_BUS ? ABOUT_BUS : ABOUT_CERTIFICATE, 0};
    if (matter < MATTER_PROVIDERS)
        return (struct matter_place){ABOUT_JOB, matter - MATTER_JOBS};
    if (matter < MATTER_PROVIDERS + c->providers_len)
        return (struct matter_place){ABOUT_PROVIDER, matter - MATTER_PROVIDERS};
    return (struct matter_place){ABOUT_INSTRUMENT, matter - MATTER_PROVIDERS - c->providers_len};
}

static bool is_asked(const struct config *c, size_t provider)
{
    return c->feeds_enabled && c->providers[provider].enabled && config_uses(c, provider);
}

int notice_watch_there(const void *ctx, size_t matter)
{
    const struct instrument_map *map = ctx;
    struct matter_place p = notice_watch_place(map->from, matter);
    switch (p.about) {
    case ABOUT_BUS:
    case ABOUT_CERTIFICATE:
    case ABOUT_JOB:
        break;
    case ABOUT_PROVIDER:
        return is_asked(map->to, p.number) ? (int)matter : -1;
    case ABOUT_INSTRUMENT:
        if (map->there[p.number] < 0)
            return -1;
        return (int)(MATTER_PROVIDERS + map->to->providers_len) + map->there[p.number];
    }
    return (int)matter;
}

/* --- looking --- */

static void look_at_bus(struct notices *n, const struct notice_scene *s)
{
    enum notice_level level = !bus_is_up(s->bus)      ? NOTICE_BAD
                              : !bus_is_whole(s->bus) ? NOTICE_WORSE
                                                      : NOTICE_WELL;
    notices_see(n, MATTER_BUS, level, false, 0, &s->now);
}

static void look_at_certificate(struct notices *n, const struct notice_scene *s)
{
    int64_t ends_ms = s->certificate_ends_ms;
    int64_t left_ms = ends_ms - s->now.wall_ms;
    enum notice_level level = ends_ms == 0 || left_ms >= CERTIFICATE_MS ? NOTICE_WELL
                              : left_ms > 0                             ? NOTICE_WORSE
                                                                        : NOTICE_BAD;
    notices_see(n, MATTER_CERTIFICATE, level, true, 0, &s->now);
}

/* Who asked for a run by hand was told how it ended. That things are well again is news for all. */
static void look_at_job(struct notice_watch *w, struct notices *n, enum job job,
                        const struct notice_scene *s)
{
    static const enum notice_level levels[] = {
        [JOB_SUCCESS] = NOTICE_WELL, [JOB_PARTIAL] = NOTICE_WORSE, [JOB_FAILED] = NOTICE_BAD};
    struct notice_watch_job *j = &w->jobs[job];
    struct trouble_job t = feeds_trouble_job(s->feeds, job);
    if (t.runs != j->runs) {
        j->runs = t.runs;
        if (!t.requested || t.status == JOB_SUCCESS)
            j->level = levels[t.status];
        if (t.status == JOB_SUCCESS) {
            j->good_ms = t.started_ms;
            if (!t.requested)
                notices_succeeded(n, MATTER_JOBS + job);
        }
    }
    bool late = t.late && j->level == NOTICE_WELL;
    notices_see(n, MATTER_JOBS + job, late ? NOTICE_WORSE : j->level, true,
                late ? t.late_since_ms : t.started_ms, &s->now);
}

static void look_at_provider(struct notices *n, size_t i, const struct notice_scene *s)
{
    struct trouble_provider t = feeds_trouble_provider(s->feeds, i, s->now.wall_ms);
    notices_see(n, MATTER_PROVIDERS + i, t.shut ? NOTICE_WORSE : NOTICE_WELL, false, t.since_ms,
                &s->now);
}

static void look_at_instrument(struct notices *n, size_t i, const struct notice_scene *s)
{
    const struct instrument *in = &s->config->instruments[i];
    struct standing st = fanout_standing(tiers_live(s->tiers), (int)i, s->now.wall_ms);
    struct trouble_chain t = feeds_trouble_chain(s->feeds, (int)i, s->now.mono_ms, s->now.wall_ms);
    bool old = st.state == STATE_STALE || st.state == STATE_UNAVAILABLE;
    bool awaited = !st.item && in->sources_len > 0 && !t.failing; /* it has just been started */
    bool fails = t.failing && t.for_ms >= s->config->notifications.after_s * 1000 &&
                 st.state != STATE_CLOSED;
    bool bad = fails || (old && !awaited);
    int64_t since_ms = old ? st.since_ms : t.since_ms;
    if (fails && t.since_ms < since_ms)
        since_ms = t.since_ms;
    notices_see(n, MATTER_PROVIDERS + s->config->providers_len + i, bad ? NOTICE_BAD : NOTICE_WELL,
                false, since_ms, &s->now);
}

void notice_watch_look(struct notice_watch *w, struct notices *n, const struct notice_scene *s)
{
    look_at_bus(n, s);
    look_at_certificate(n, s);
    for (enum job job = 0; job < JOBS_LEN; job++)
        look_at_job(w, n, job, s);
    for (size_t i = 0; i < s->config->providers_len; i++)
        look_at_provider(n, i, s);
    for (size_t i = 0; i < s->config->instruments_len; i++)
        look_at_instrument(n, i, s);
}
