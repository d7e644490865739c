/* The host of the walks: each question of chain.h is handed to the part that knows.
 *
 *   skip   -> feed (suspension)        admit -> upstream (budget, breaker)
 *   ask    -> ask (fetch, parse)       offer -> quality, then publish
 *   ended  -> feed (log, outcome), refresh     done -> metrics
 *
 * An instrument that a walk is under way for is not polled a second time: a slow provider would
 * collect requests otherwise. Its turn comes again with its next interval. */
#include "desk.h"

#include "clock.h"
#include "probe.h"

static const int64_t LATELY_MS = 7200000;

static int64_t host_now_ms(void *ctx)
{
    (void)ctx;
    return clock_mono_ms();
}

static size_t host_batch_max(void *ctx, int provider)
{
    const struct feeds *f = ctx;
    const struct provider *row = f->upstreams[provider].row;
    return row->batch_max > 0 ? row->batch_max : PROVIDER_BATCH_MAX; /* 0: sim knows no requests */
}

/* Is this source, for this instrument, only the help for one that should have answered? */
static bool is_help(const struct feeds *f, struct chain_want want, int64_t mono_ms)
{
    const struct feed *d = &f->feeds[want.id];
    uint64_t left_alone = feed_left_alone(d, mono_ms);
    for (size_t i = 0; i < want.pos; i++)
        if (f->plan[d->chain[i]].usable && (i >= 64 || !(left_alone >> i & 1)))
            return true;
    return false;
}

/* How many instruments have asked the provider lately. */
static int64_t users_of(const struct feeds *f, int provider, int64_t mono_ms)
{
    int64_t n = 0;
    for (size_t i = 0; i < f->config->instruments_len; i++) {
        const struct feed *d = &f->feeds[i];
        for (size_t k = 0; k < d->in->sources_len; k++)
            n += d->chain[k] == provider && d->sources[k].asked_ms > 0 &&
                 mono_ms - d->sources[k].asked_ms < LATELY_MS;
    }
    return n;
}

/* The schedule goes by the pace of the first usable provider. One that has to help out again and
 * again (the first does not know the symbol, or its price stays older) has a pace of its own: its
 * day must last, too. A person's refresh does not wait for it. */
static enum failure spare(const struct feeds *f, struct chain_want want, int64_t mono_ms,
                          struct err *why)
{
    const struct feed *d = &f->feeds[want.id];
    int provider = d->chain[want.pos];
    const struct schedule_provider *p = &f->plan[provider];
    int64_t asked_ms = d->sources[want.pos].asked_ms;
    if (p->day_left < 0 || asked_ms == 0 || !is_help(f, want, mono_ms))
        return FAIL_NONE;
    int64_t gap_ms = p->day_ends_in_ms / (p->day_left > 0 ? p->day_left : 1);
    if (!p->together)
        gap_ms *= users_of(f, provider, mono_ms);
    if (mono_ms - asked_ms >= gap_ms)
        return FAIL_NONE;
    err_set(why, "asked %ld s ago; the day's credits allow one request in %ld s",
            (long)((mono_ms - asked_ms) / 1000), (long)(gap_ms / 1000));
    return FAIL_BUDGET;
}

static bool is_benchmark(const struct feeds *f, struct chain_want want)
{
    const struct feed *d = &f->feeds[want.id];
    return f->upstreams[d->chain[want.pos]].row->data == DATA_BENCHMARK;
}

/* A benchmark is for when there is no price. Its own would be older than any; that it is says
 * nothing of why there is no newer one. */
static enum failure not_needed(const struct feeds *f, struct chain_want want, struct err *why)
{
    const struct feed *d = &f->feeds[want.id];
    if (!is_benchmark(f, want) || !d->quality.held_price.given)
        return FAIL_NONE;
    err_set(why, "a benchmark; a price is held");
    return FAIL_OLDER;
}

static enum failure host_skip(void *ctx, const struct walk *w, struct chain_want want,
                              struct err *why)
{
    const struct feeds *f = ctx;
    int64_t mono_ms = clock_mono_ms();
    enum failure failure = feed_suspended(&f->feeds[want.id], want.pos, mono_ms, why);
    if (failure == FAIL_NONE && walk_kind(w) != WALK_ONCE)
        failure = not_needed(f, want, why);
    if (failure == FAIL_NONE && walk_kind(w) == WALK_POLL)
        failure = spare(f, want, mono_ms, why);
    return failure;
}

static size_t host_admit(void *ctx, int provider, size_t n, bool reserve, enum failure *failure,
                         struct err *why)
{
    struct feeds *f = ctx;
    struct upstream *u = &f->upstreams[provider];
    int64_t wall_ms = clock_wall_ms();
    size_t granted = upstream_admit(u, n, reserve, wall_ms, failure, why);
    f->asker.news |= !u->row->generate; /* credits went */
    upstream_sync(u, f->bus, f->metrics, wall_ms);
    return granted;
}

static void host_ask(void *ctx, struct chain_request *r)
{
    struct feeds *f = ctx;
    int64_t mono_ms = clock_mono_ms();
    for (size_t i = 0; i < r->n; i++)
        f->feeds[r->wants[i].id].sources[r->wants[i].pos].asked_ms = mono_ms;
    ask_send(&f->asker, &f->upstreams[r->provider], r);
}

static enum failure publish(struct feeds *f, struct feed *d, size_t pos, const struct record *rec)
{
    int64_t mono_ms = clock_mono_ms();
    schedule_closed(f->schedule, d->id, rec->market == MARKET_CLOSED);
    if (f->asker.news) /* not for each record of a batch */
        poll_plan(f);
    int64_t interval_ms = schedule_promise_ms(f->schedule, d->id);
    struct publish_input x = {
        .id = d->id,
        .in = d->in,
        .record = rec,
        .source_index = pos,
        .epoch_ms = f->epoch_ms,
        .interval_ms = interval_ms,
        .until_next_ms = schedule_until_ms(f->schedule, d->id, mono_ms),
        .wall_ms = clock_wall_ms(),
        .mono_ms = mono_ms,
    };
    if (publish_record(f->bus, &d->publication, &x) == PUBLISH_FAILED)
        return FAIL_UPSTREAM_ERROR;
    if (f->upstreams[d->chain[pos]].row->data == DATA_BENCHMARK) {
        quality_accept_benchmark(&d->quality, rec->ts_ms);
        return FAIL_NONE;
    }
    quality_accept(&d->quality, rec->price, rec->ts_ms);
    quality_confirm(&d->quality);
    return FAIL_NONE;
}

static void count_checks(struct feeds *f, const struct quality_result *q)
{
    for (size_t i = 0; i < quality_rules(); i++) {
        if (q->passed >> i & 1)
            metrics_add(f->metrics, METRIC_QUALITY, quality_rule_at(i).name, "pass", 1);
        if (q->failed >> i & 1)
            metrics_add(f->metrics, METRIC_QUALITY, quality_rule_at(i).name, "fail", 1);
    }
}

static void keep_letter(struct feeds *f, const struct feed *d, size_t pos, const struct record *rec,
                        const struct quality_result *q)
{
    if (q->failure == FAIL_OLDER) /* late, not wrong */
        return;
    const struct dead_letter letter = {
        .wall_ms = clock_wall_ms(),
        .in = d->in,
        .source_index = pos,
        .record = rec,
        .result = q,
        .memory = &d->quality,
    };
    dead_letters_put(f->dead_letters, &letter, clock_mono_ms());
}

static enum failure host_offer(void *ctx, struct chain_want want, const struct record *record,
                               struct err *why)
{
    struct feeds *f = ctx;
    struct feed *d = &f->feeds[want.id];
    struct record rec = *record;
    int64_t wall_ms = clock_wall_ms();
    exchanges_turn(f->exchanges, wall_ms);
    if (!is_benchmark(f, want)) /* nobody trades at it: no market closed at that */
        rec.market = market_word(&d->market, record->market);
    struct quality_result q = quality_check(d->in, &d->quality, (int)want.pos, &rec, wall_ms);
    count_checks(f, &q);
    feed_note_quality(d, want.pos, &rec, &q, wall_ms);
    if (q.failure != FAIL_NONE) {
        *why = q.why;
        feed_log_rejected(d, want.pos, &rec, &q, clock_mono_ms());
        keep_letter(f, d, want.pos, &rec, &q);
        return q.failure;
    }
    market_take(&d->market, record->market, wall_ms);
    enum failure failure = publish(f, d, want.pos, &rec);
    if (failure != FAIL_NONE)
        err_set(why, "no item could be made of it");
    return failure;
}

static void host_ended(void *ctx, const struct walk *w, const struct chain_end *end)
{
    struct feeds *f = ctx;
    struct feed *d = &f->feeds[end->id];
    int64_t mono_ms = clock_mono_ms();
    if (walk_kind(w) == WALK_PROBE) {
        probe_ended(f, d, end);
        feeds_wake(f);
        return;
    }
    d->walking--;
    feed_walked(d, end, schedule_interval_ms(f->schedule, d->id), mono_ms);
    if (!end->accepted)
        market_failed(&d->market, clock_wall_ms());
    if (walk_kind(w) == WALK_REFRESH)
        d->refreshed_ms = mono_ms;
    if (walk_kind(w) == WALK_ONCE)
        once_ended(f, walk_tag(w), end); /* who asked for it tells of it */
    else
        feed_log_walk(d, end, mono_ms);
    refresh_ended(f, d);
    jobs_ended(f, d, end);
    feeds_wake(f); /* a state may have to be said */
}

static void host_done(void *ctx, struct walk *w)
{
    struct feeds *f = ctx;
    int64_t took_ms = clock_mono_ms() - walk_started_ms(w);
    histogram_observe(&f->metrics->ingestion, (double)took_ms / 1000.0);
    if (walk_kind(w) != WALK_POLL) /* who asked for it tells of it */
        return;
    log_event(LOG_DEBUG, "market_pipeline_complete",
              "kind=%s instruments=%zu accepted=%zu failed=%zu duration_ms=%ld", "poll",
              walk_size(w), walk_accepted(w), walk_size(w) - walk_accepted(w), (long)took_ms);
}

static void host_later(void *ctx)
{
    struct feeds *f = ctx;
    feeds_wake(f);
}

void poll_init(struct feeds *f)
{
    for (size_t i = 0; i < quality_rules(); i++) { /* to be seen while still 0 */
        metrics_add(f->metrics, METRIC_QUALITY, quality_rule_at(i).name, "pass", 0);
        metrics_add(f->metrics, METRIC_QUALITY, quality_rule_at(i).name, "fail", 0);
    }
    f->host = (struct chain_host){
        .ctx = f,
        .config = f->config,
        .now_ms = host_now_ms,
        .batch_max = host_batch_max,
        .skip = host_skip,
        .admit = host_admit,
        .ask = host_ask,
        .offer = host_offer,
        .ended = host_ended,
        .done = host_done,
        .later = host_later,
        .paused = &f->paused,
    };
}

void poll_plan(struct feeds *f)
{
    int64_t wall_ms = clock_wall_ms(), mono_ms = clock_mono_ms();
    for (size_t i = 0; i < f->config->providers_len; i++)
        f->plan[i] = upstream_schedule(&f->upstreams[i], wall_ms);
    for (size_t i = 0; i < f->config->instruments_len; i++)
        schedule_leave_alone(f->schedule, (int)i, feed_left_alone(&f->feeds[i], mono_ms));
    schedule_plan(f->schedule, f->plan);
    f->asker.news = false;
}

void poll_due(struct feeds *f, int64_t mono_ms)
{
    poll_plan(f);
    size_t due = schedule_take(f->schedule, mono_ms, f->ids), n = 0;
    for (size_t i = 0; i < due; i++)
        if (f->feeds[f->ids[i]].walking == 0)
            f->ids[n++] = f->ids[i];
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        f->feeds[f->ids[i]].walking++;
    const struct walk_options options = {.kind = WALK_POLL, .only_provider = -1};
    if (chain_start(&f->host, f->ids, n, &options) == 0)
        return;
    for (size_t i = 0; i < n; i++)
        f->feeds[f->ids[i]].walking--;
    log_event(LOG_ERROR, "out_of_memory", "what=%s", "a poll was left out");
}
