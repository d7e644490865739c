/* Each provider is looked at in the first millisecond of a day of its own, so that a whole day lies
 * before its credits.
 *
 * Requests: instruments that are due together go into one request, up to the provider's batch or,
 * where its second, minute or hour has fewer credits than that, up to these: the others wait for
 * the next ones and stay apart from then on. A table costs a credit a request, everything else a
 * credit a symbol. */
#include "plan.h"

#include <string.h>

#include "provider.h"
#include "schedule.h"
#include "upstream.h"

static const int64_t DAY_MS = 86400000;
static const int64_t SOME_DAY = 20000; /* since the epoch; any would do that is 24 h long */

/* What schedule_new() needs, and room to sort the intervals of one provider. */
struct work {
    struct schedule *schedule;
    struct schedule_provider *providers;
    int *chains;
    int64_t *every_ms;
};

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t share(const struct provider *row, const int64_t limits[static BUDGET_WINDOWS])
{
    size_t n = row->batch_max > 0 ? row->batch_max : 1;
    for (int w = 0; w < BUDGET_DAY && !row->table; w++)
        if (limits[w] > 0 && (size_t)limits[w] < n)
            n = (size_t)limits[w];
    return n;
}

/* What it costs to ask for n instruments, one every every_ms[i] (sorted here). */
static struct plan_load load_of(const struct provider *row,
                                const int64_t limits[static BUDGET_WINDOWS], int64_t *every_ms,
                                size_t n)
{
    struct plan_load load = {0};
    size_t batch = share(row, limits);
    if (row->generate)
        return load;
    qsort(every_ms, n, sizeof *every_ms, by_size);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && every_ms[end] == every_ms[i];)
            end++;
        double times = (double)DAY_MS / (double)every_ms[i];
        size_t batches = (end - i + batch - 1) / batch;
        double requests = times * (double)batches;
        load.requests_per_day += requests;
        load.credits_per_day += row->table ? requests : times * (double)(end - i);
    }
    return load;
}

/* Widens min..max to hold ms; a max of 0 = nothing yet. */
static void widen(int64_t *min, int64_t *max, int64_t ms)
{
    if (*max == 0 || ms < *min)
        *min = ms;
    if (ms > *max)
        *max = ms;
}

static void count_instrument(struct plan_provider *p, const struct plan_instrument *in)
{
    p->instruments++;
    widen(&p->poll_min_ms, &p->poll_max_ms, in->poll_ms);
    widen(&p->interval_min_ms, &p->interval_max_ms, in->interval_ms);
    if (in->interval_ms > in->poll_ms) {
        p->stretched++;
        widen(&p->stretched_min_ms, &p->stretched_max_ms, in->interval_ms);
    }
}

/* The state of the provider at the start of its day: for the schedule, and its limits in the row.
 */
static struct schedule_provider begin_day(struct plan_provider *p, const struct config *c, int id)
{
    struct upstream u;
    upstream_init(&u, providers[id], &c->providers[id], c, NULL);
    int64_t wall_ms = budget_day_reset_ms(&u.budget, SOME_DAY * DAY_MS);
    struct schedule_provider now = upstream_schedule(&u, wall_ms);
    p->off = u.off;
    if (!u.off && !now.usable)
        p->off = "all of its credits are kept for refreshes";
    if (!providers[id]->generate) {
        memcpy(p->limits, u.budget.limits, sizeof p->limits);
        p->reserve = now.day_left < 0 ? 0 : p->limits[BUDGET_DAY] - now.day_left;
    }
    upstream_fini(&u);
    return now;
}

static void add_instruments(struct plan *p, struct work *w)
{
    const struct config *c = p->config;
    int *chain = w->chains;
    for (size_t i = 0; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        for (size_t k = 0; k < in->sources_len; k++) {
            chain[k] = in->sources[k].provider_id;
            p->providers[chain[k]].in_use = true;
        }
        const struct schedule_instrument add = {.chain = chain,
                                                .chain_len = in->sources_len,
                                                .poll_ms = in->poll_ms,
                                                .ttl_ms = in->ttl_s * 1000,
                                                .stale_after_ms = in->stale_after_ms};
        schedule_add(w->schedule, (int)i, &add);
        chain += in->sources_len;
    }
}

static void read_schedule(struct plan *p, const struct schedule *s)
{
    for (size_t i = 0; i < p->config->instruments_len; i++) {
        struct plan_instrument *in = &p->instruments[i];
        in->poll_ms = p->config->instruments[i].poll_ms;
        in->provider = schedule_leans_on(s, (int)i);
        if (in->provider < 0)
            continue;
        in->interval_ms = schedule_interval_ms(s, (int)i);
        count_instrument(&p->providers[in->provider], in);
    }
}

static void count_load(struct plan *p, int id, int64_t *every_ms)
{
    struct plan_provider *row = &p->providers[id];
    size_t n = 0;
    for (size_t i = 0; i < p->config->instruments_len; i++)
        if (p->instruments[i].provider == id)
            every_ms[n++] = p->instruments[i].poll_ms;
    row->wanted = load_of(providers[id], row->limits, every_ms, n);
    n = 0;
    for (size_t i = 0; i < p->config->instruments_len; i++)
        if (p->instruments[i].provider == id)
            every_ms[n++] = p->instruments[i].interval_ms;
    row->planned = load_of(providers[id], row->limits, every_ms, n);
}

static int fill(struct plan *p, struct work *w)
{
    const struct config *c = p->config;
    size_t sources = 0;
    for (size_t i = 0; i < c->instruments_len; i++)
        sources += c->instruments[i].sources_len;
    w->schedule = schedule_new(c->instruments_len, c->providers_len, 1);
    w->providers = calloc(c->providers_len + 1, sizeof *w->providers);
    w->chains = calloc(sources + 1, sizeof *w->chains);
    w->every_ms = calloc(c->instruments_len + 1, sizeof *w->every_ms);
    if (!w->schedule || !w->providers || !w->chains || !w->every_ms)
        return -1;
    add_instruments(p, w);
    for (size_t i = 0; i < c->providers_len; i++)
        w->providers[i] = begin_day(&p->providers[i], c, (int)i);
    schedule_plan(w->schedule, w->providers);
    read_schedule(p, w->schedule);
    for (size_t i = 0; i < c->providers_len; i++)
        count_load(p, (int)i, w->every_ms);
    return 0;
}

struct plan *plan_new(const struct config *config)
{
    REQUIRE(config->providers_len == providers_len);
    struct work w = {0};
    struct plan *p = calloc(1, sizeof *p);
    int rc = -1;
    if (!p)
        return NULL;
    p->config = config;
    p->providers = calloc(config->providers_len + 1, sizeof *p->providers);
    p->instruments = calloc(config->instruments_len + 1, sizeof *p->instruments);
    if (p->providers && p->instruments)
        rc = fill(p, &w);
    schedule_free(w.schedule);
    free(w.providers);
    free(w.chains);
    free(w.every_ms);
    if (rc == 0)
        return p;
    plan_free(p);
    return NULL;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    free(p->providers);
    free(p->instruments);
    free(p);
}
