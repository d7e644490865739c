/* A run goes like this:
 *
 *   begin ──► attempt: a walk ──► all instruments ended ──► worth asking again? ──► pause, attempt
 *                                                      └──► no: finish (record, log, callbacks)
 *
 * An instrument that a walk is under way for, a poll's for instance, is not walked a second time:
 * the run waits for that walk's end like for its own. In a first attempt one that was refreshed
 * less than limits.refresh_ms ago has its answer already. Who joins a run is answered at the end of
 * the attempt it is in: 25 s are too short to sit out pauses.
 *
 * Due times come from when the job last ran by the clock, which is kept on the bus with the last
 * runs (job_store.h). So nothing runs by the clock before the bus has said what it knows. It is
 * kept when a run ends: one that was cut off by the end of the program is made up for.
 *
 * When a run is over each provider that was asked in it is judged by its fetches of that time, each
 * fetch once, though two runs may have waited for it. If all providers failed, and only because of
 * the line, it was our own line: that is held against nobody. */
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "desk.h"
#include "job_run.h"
#include "job_store.h"
#include "job_times.h"
#include "job_waits.h"
#include "jsonx.h"

enum { STALEST = 10 };

static const int64_t SKEW_MS = 60000;

struct active {
    struct job_run *run;           /* NULL: the job does not run */
    int64_t started_ms;            /* monotonic */
    int64_t retry_at_ms;           /* monotonic; 0 = an attempt is under way */
    int64_t last_ms;               /* wall; when it ran by the clock before this; -1 = never */
    bool held;                     /* the first attempt waits until something may be asked */
    struct upstream_tally *before; /* by provider number, when it began */
    struct job_wait *waits;
};

/* The last run of a job that is over, as far as somebody may have to be told of it. */
struct ended {
    uint64_t runs; /* of this process */
    struct trouble_job how;
    char why[TROUBLE_WHY_MAX];
};

struct jobs {
    struct zone *zone; /* NULL = UTC */
    struct job_store store;
    struct active active[JOBS_LEN];
    struct ended ended[JOBS_LEN];
    int64_t since_ms[JOBS_LEN]; /* wall */
    int *ids;                   /* room for all instruments */
    int64_t *ages_ms;           /* the same */
};

struct jobs *jobs_new(const struct config *config, struct bus *bus, int64_t wall_ms,
                      struct err *err)
{
    struct jobs *j = calloc(1, sizeof *j);
    const char *zone = config->jobs.timezone;
    err_set(err, "out of memory");
    if (!j)
        return NULL;
    for (int i = 0; i < JOBS_LEN; i++)
        j->since_ms[i] = wall_ms;
    j->ids = calloc(config->instruments_len + 1, sizeof *j->ids);
    j->ages_ms = calloc(config->instruments_len + 1, sizeof *j->ages_ms);
    if (job_store_init(&j->store, bus) != 0 || !j->ids || !j->ages_ms)
        goto failed;
    j->zone = zone ? zone_load(zone, err) : NULL;
    if (!zone || j->zone)
        return j;
failed:
    jobs_free(j);
    return NULL;
}

static void free_active(struct active *a)
{
    job_waits_fini(&a->waits);
    job_run_free(a->run);
    free(a->before);
    *a = (struct active){0};
}

void jobs_free(struct jobs *j)
{
    if (!j)
        return;
    for (int i = 0; i < JOBS_LEN; i++)
        free_active(&j->active[i]);
    job_store_fini(&j->store);
    zone_free(j->zone);
    free(j->ids);
    free(j->ages_ms);
    free(j);
}

/* --- which instruments --- */

static size_t choose_stalest(const struct feeds *f, int64_t wall_ms)
{
    struct jobs *j = f->jobs;
    size_t n = f->config->instruments_len;
    for (size_t i = 0; i < n; i++) {
        const struct feed *d = &f->feeds[i];
        int64_t age_ms = d->watch.age.known ? wall_ms - d->watch.age.recv_ms : INT64_MAX;
        j->ages_ms[i] = age_ms > 0 ? age_ms : 0;
        if (d->in->sources_len == 0)
            j->ages_ms[i] = -1;
    }
    return job_run_stalest(j->ages_ms, n, j->ids, STALEST);
}

/* The instruments of a job, to f->jobs->ids. */
static size_t choose(const struct feeds *f, enum job job, int64_t wall_ms)
{
    int *ids = f->jobs->ids;
    size_t n = 0;
    if (job == JOB_ENRICH)
        return choose_stalest(f, wall_ms);
    for (size_t i = 0; i < f->config->instruments_len; i++) {
        const struct instrument *in = &f->config->instruments[i];
        bool wanted = in->kind == INSTRUMENT_QUOTE ? job != JOB_INTELLIGENCE : job != JOB_MARKET;
        if (wanted && in->sources_len > 0)
            ids[n++] = (int)i;
    }
    return n;
}

/* --- attempts --- */

static void note_end(struct job_run *r, const struct feed *d, const struct chain_end *end)
{
    const struct job_outcome o = {
        .id = d->id,
        .reason = d->last.failure,
        .provider = d->last.provider,
        .message = d->last.detail,
        .unchanged = d->publication.unchanged,
        .end = end,
    };
    job_run_ended(r, &o);
}

void jobs_ended(struct feeds *f, const struct feed *d, const struct chain_end *end)
{
    for (int i = 0; i < JOBS_LEN; i++)
        if (f->jobs->active[i].run)
            note_end(f->jobs->active[i].run, d, end);
}

static void walk_failed(struct feeds *f, struct job_run *r, const int *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct job_outcome o = {
            .id = ids[i], .reason = FAIL_UPSTREAM_ERROR, .message = "out of memory"};
        f->feeds[ids[i]].walking--;
        job_run_ended(r, &o);
    }
}

/* Walks what the run waits for and is not on its way already. */
static void attempt(struct feeds *f, struct job_run *r, int64_t mono_ms)
{
    int *ids = f->jobs->ids;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct feed *d = &f->feeds[r->slots[i].id];
        bool fresh =
            d->refreshed_ms > 0 && mono_ms - d->refreshed_ms < f->config->limits.refresh_ms;
        if (!r->slots[i].waiting || d->walking > 0)
            continue;
        if (fresh && r->retries == 0) {
            note_end(r, d, NULL);
            continue;
        }
        ids[n++] = d->id;
        d->walking++;
    }
    const struct walk_options options = {.kind = WALK_REFRESH, .only_provider = -1};
    if (n > 0 && chain_start(&f->host, ids, n, &options) != 0)
        walk_failed(f, r, ids, n);
}

static bool begin(struct feeds *f, enum job job, bool requested, int64_t mono_ms, int64_t wall_ms)
{
    struct jobs *j = f->jobs;
    struct active *a = &j->active[job];
    size_t n = choose(f, job, wall_ms);
    a->run = job_run_new(f->config, job, j->ids, n, wall_ms);
    a->before = calloc(f->config->providers_len + 1, sizeof *a->before);
    if (!a->run || !a->before) {
        free_active(a);
        return false;
    }
    for (size_t i = 0; i < f->config->providers_len; i++)
        a->before[i] = f->upstreams[i].tally;
    a->started_ms = mono_ms;
    a->run->requested = requested;
    a->held = !feeds_may_ask(f, mono_ms);
    if (!a->held)
        attempt(f, a->run, mono_ms);
    return true;
}

/* --- the end of a run --- */

static void log_complete(const struct job_run *r, enum instrument_kind kind, int64_t took_ms)
{
    static const char *const events[] = {
        [INSTRUMENT_QUOTE] = "market_pipeline_complete",
        [INSTRUMENT_OBSERVATION] = "intelligence_pipeline_complete",
    };
    static const enum job whole[] = {
        [INSTRUMENT_QUOTE] = JOB_MARKET,
        [INSTRUMENT_OBSERVATION] = JOB_INTELLIGENCE,
    };
    struct job_counts c = job_run_counts(r, kind);
    size_t n = c.updated + c.unchanged + c.failed;
    if (n == 0 && r->job != whole[kind] && r->job != JOB_FULL)
        return;
    log_event(LOG_INFO, events[kind],
              "job=%s trigger=%s status=%s instruments=%zu updated=%zu unchanged=%zu failed=%zu "
              "retries=%lld overran?=%d duration_ms=%lld",
              job_name(r->job), r->requested ? "request" : "schedule",
              job_status_name(job_status(n, c.failed, c.budget)), n, c.updated, c.unchanged,
              c.failed, (long long)r->retries, r->overran, (long long)took_ms);
}

static void count_run(struct metrics *metrics, const struct job_run *r, int64_t took_ms)
{
    const char *job = job_name(r->job);
    metrics_add(metrics, METRIC_JOB_RUNS, job, job_status_name(job_run_status(r)), 1);
    metrics_set(metrics, METRIC_JOB_DURATION, job, NULL, (double)took_ms / 1000);
}

/* Fetches since the run began, of a provider that was asked in it; else none. */
static struct upstream_tally fetches(const struct feeds *f, const struct active *a, size_t i)
{
    const struct job_counts *c = &a->run->sources[i];
    struct upstream_tally none = {0};
    bool asked = c->updated + c->unchanged + c->failed > 0;
    return asked ? upstream_tally_since(&f->upstreams[i], &a->before[i]) : none;
}

static void judge(struct feeds *f, const struct active *a, int64_t wall_ms)
{
    bool line = true; /* nobody answered, and all for want of a line */
    for (size_t i = 0; i < f->config->providers_len; i++) {
        struct upstream_tally t = fetches(f, a, i);
        line = line && t.good == 0 && t.failed == t.of_line;
    }
    for (size_t i = 0; i < f->config->providers_len; i++) {
        struct upstream_tally t = fetches(f, a, i);
        if (!line && t.good + t.failed > 0)
            upstream_ran(&f->upstreams[i], t.good == 0, wall_ms);
    }
}

/* What the first of its failed instruments said. */
static void first_error(const struct job_run *r, char out[static TROUBLE_WHY_MAX])
{
    out[0] = '\0';
    for (size_t i = 0; i < r->n; i++) {
        const struct job_slot *s = &r->slots[i];
        if (s->failure == FAIL_NONE)
            continue;
        snprintf(out, TROUBLE_WHY_MAX, "%s: %s%s%s%s%s", r->config->instruments[s->id].symbol,
                 s->provider ? s->provider : "", s->provider ? ": " : "", failure_name(s->failure),
                 s->message[0] ? ", " : "", s->message);
        return;
    }
}

static void note_ended(struct jobs *j, const struct job_run *r, int64_t took_ms)
{
    struct ended *e = &j->ended[r->job];
    e->runs++;
    e->how = (struct trouble_job){
        .requested = r->requested,
        .overran = r->overran,
        .status = job_run_status(r),
        .started_ms = r->started_ms,
        .took_ms = took_ms,
        .instruments = r->n,
    };
    for (size_t i = 0; i < r->n; i++)
        e->how.failed += r->slots[i].failure != FAIL_NONE;
    first_error(r, e->why);
}

static void finish(struct feeds *f, struct active *a, int64_t mono_ms, int64_t wall_ms)
{
    struct active over = *a;
    int64_t took_ms = mono_ms - over.started_ms;
    *a = (struct active){0};
    judge(f, &over, wall_ms);
    f->jobs->store.dirty = true;
    job_history_add(&f->jobs->store.history, job_run_record(over.run, took_ms));
    log_complete(over.run, INSTRUMENT_QUOTE, took_ms);
    log_complete(over.run, INSTRUMENT_OBSERVATION, took_ms);
    count_run(f->metrics, over.run, took_ms);
    if (over.run->n > 0) /* a run over nothing is one, but nobody has to be told */
        note_ended(f->jobs, over.run, took_ms);
    job_waits_tell(&over.waits, over.run);
    free_active(&over);
}

static void watch_sla(const struct feeds *f, struct active *a, int64_t mono_ms)
{
    int64_t sla_s = f->config->jobs.sla_s;
    if (a->run->overran || sla_s == 0 || mono_ms - a->started_ms <= sla_s * 1000)
        return;
    a->run->overran = true;
    log_event(LOG_WARN, "job_overrun", "job=%s sla_s=%lld waiting=%zu retries=%lld",
              job_name(a->run->job), (long long)sla_s, a->run->waiting, (long long)a->run->retries);
}

static void advance(struct feeds *f, struct active *a, int64_t mono_ms, int64_t wall_ms)
{
    struct job_run *r = a->run;
    watch_sla(f, a, mono_ms);
    if (a->held && feeds_may_ask(f, mono_ms)) {
        a->held = false;
        attempt(f, r, mono_ms);
    }
    if (r->waiting > 0)
        return;
    if (a->retry_at_ms > 0) {
        if (mono_ms < a->retry_at_ms)
            return;
        a->retry_at_ms = 0;
        job_run_retry(r);
        attempt(f, r, mono_ms);
    } else if (!r->requested && r->retries < f->config->jobs.max_retries &&
               job_run_again(r, f->jobs->ids) > 0) {
        a->retry_at_ms = mono_ms + (f->config->jobs.retry_s * 1000 << r->retries);
        job_waits_tell(&a->waits, a->run);
    } else {
        finish(f, a, mono_ms, wall_ms);
    }
}

/* --- by the clock --- */

static int64_t next_ms(const struct feeds *f, enum job job)
{
    const struct config_job *const configured[JOBS_LEN] = {
        [JOB_ENRICH] = &f->config->jobs.enrich,
        [JOB_FULL] = &f->config->jobs.full,
        [JOB_INTELLIGENCE] = &f->config->jobs.intelligence,
        [JOB_MARKET] = &f->config->jobs.market,
    };
    return job_times_next_ms(configured[job], f->jobs->zone, f->jobs->store.history.last_ms[job],
                             f->jobs->since_ms[job]);
}

/* A clock that was ahead, and is right now: what it said would keep jobs waiting till then. */
static void forget_future(struct jobs *j, int64_t wall_ms)
{
    for (int i = 0; i < JOBS_LEN; i++) {
        if (j->store.history.last_ms[i] > wall_ms + SKEW_MS)
            j->store.history.last_ms[i] = wall_ms;
        if (j->since_ms[i] > wall_ms + SKEW_MS)
            j->since_ms[i] = wall_ms;
    }
}

static void begin_due(struct feeds *f, int64_t mono_ms, int64_t wall_ms)
{
    forget_future(f->jobs, wall_ms);
    for (int i = 0; i < JOBS_LEN; i++) {
        struct active *a = &f->jobs->active[i];
        enum job job = (enum job)i;
        if (a->run || next_ms(f, job) > wall_ms)
            continue;
        int64_t last_ms = f->jobs->store.history.last_ms[i];
        job_history_ran(&f->jobs->store.history, job, wall_ms);
        if (!begin(f, job, false, mono_ms, wall_ms)) {
            log_event(LOG_ERROR, "out_of_memory", "what=%s", "a job was left out");
            continue;
        }
        a->last_ms = last_ms;
        if (a->run->n == 0)
            log_event(LOG_WARN, "job_empty", "job=%s why=%s", job_name(job),
                      "no instrument of this kind has a source");
    }
}

/* --- turns --- */

void jobs_start(struct feeds *f)
{
    job_store_read(&f->jobs->store, clock_mono_ms());
}

bool jobs_shared(struct feeds *f, const char *key, const char *bytes, size_t len)
{
    return job_store_shared(&f->jobs->store, key, bytes, len, clock_wall_ms());
}

void jobs_turn(struct feeds *f, bool by_clock, int64_t mono_ms, int64_t wall_ms)
{
    struct jobs *j = f->jobs;
    if (by_clock && (j->store.known || mono_ms >= f->shared_deadline_ms))
        begin_due(f, mono_ms, wall_ms);
    for (int i = 0; i < JOBS_LEN && !f->stopped; i++)
        if (j->active[i].run)
            advance(f, &j->active[i], mono_ms, wall_ms);
    if (f->started && !f->stopped)
        job_store_keep(&j->store, mono_ms);
}

void jobs_stop(struct feeds *f)
{
    for (int i = 0; i < JOBS_LEN; i++) {
        struct active *a = &f->jobs->active[i];
        if (a->run && !a->run->requested)
            f->jobs->store.history.last_ms[i] = a->last_ms;
        for (size_t k = 0; a->run && k < a->run->n; k++) {
            const struct job_outcome o = {.id = a->run->slots[k].id,
                                          .reason = FAIL_DISABLED,
                                          .message = "the poller has stopped"};
            job_run_ended(a->run, &o);
        }
        if (a->run)
            job_waits_tell(&a->waits, a->run);
    }
    job_store_leave(&f->jobs->store);
}

void jobs_take_over(struct feeds *f, struct feeds *from)
{
    const struct job_store unused = f->jobs->store;
    for (int i = 0; i < JOBS_LEN; i++)
        if (next_ms(from, (enum job)i) <= clock_wall_ms()) /* and it did not come to that */
            f->jobs->since_ms[i] = from->jobs->since_ms[i];
    f->jobs->store = from->jobs->store;
    from->jobs->store = unused;
    memcpy(f->jobs->ended, from->jobs->ended, sizeof f->jobs->ended);
}

/* --- the port --- */

/* Nothing can be asked: each instrument is told why. */
static void refuse(struct feeds *f, enum job job, const char *why, struct job_wait **waits)
{
    size_t n = choose(f, job, clock_wall_ms());
    struct job_run *r = job_run_new(f->config, job, f->jobs->ids, n, 0);
    for (size_t i = 0; r && i < n; i++) {
        const struct job_outcome o = {
            .id = r->slots[i].id, .reason = FAIL_DISABLED, .message = why};
        job_run_ended(r, &o);
    }
    job_waits_tell(waits, r);
    job_run_free(r);
}

void jobs_request(struct feeds *f, enum job job, refresh_done *done, void *ctx)
{
    struct active *a = &f->jobs->active[job];
    struct job_wait *alone = NULL;
    const char *off = f->stopped                  ? "the poller has stopped"
                      : !f->config->feeds_enabled ? "polling is switched off"
                                                  : NULL;
    bool runs = off || a->run || begin(f, job, true, clock_mono_ms(), clock_wall_ms());
    if (!runs || job_waits_add(off ? &alone : &a->waits, done, ctx) != 0)
        done(ctx, NULL, 0);
    else if (off)
        refuse(f, job, off, &alone);
    else
        feeds_wake(f);
}

struct trouble_job jobs_last(const struct feeds *f, enum job job)
{
    const struct ended *e = &f->jobs->ended[job];
    const struct job_run *r = f->jobs->active[job].run;
    struct trouble_job how = e->how;
    how.runs = e->runs;
    how.why = e->why;
    how.late = r && r->overran && !r->requested;
    if (how.late) {
        how.late_since_ms = r->started_ms;
        how.waiting = r->waiting;
    }
    return how;
}

json_t *jobs_describe(struct feeds *f)
{
    json_t *next = json_object(), *running = json_array();
    char when[CLOCK_RFC3339_MAX];
    for (int i = 0; i < JOBS_LEN; i++) {
        enum job job = (enum job)i;
        int64_t ms = f->config->feeds_enabled ? next_ms(f, job) : JOB_TIMES_NEVER;
        jsonx_set(&next, job_name(job),
                  ms == JOB_TIMES_NEVER ? json_null() : json_string(clock_rfc3339(ms, when)));
        if (f->jobs->active[i].run)
            jsonx_append(&running, json_string(job_name(job)));
    }
    return json_pack("{s:o,s:o,s:o}", "jobs", json_copy(f->jobs->store.history.runs), "next", next,
                     "running", running);
}
