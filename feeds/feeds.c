/* One timer turns everything: each tick polls what is due, says the states that time has changed,
 * shares what must be shared, delivers what somebody waits for, and sets itself for whatever comes
 * next, at most a second away. Answers of providers come between the ticks and go the way of
 * poll.c; feeds_wake() then asks for a tick at once.
 *
 * The first poll, and a refresh that comes before it, waits for the shared documents (what of the
 * day's credits is spent, which breaker is open), or a restart would spend twice; but no longer
 * than a second, and not at all without the link to Redis. */
#include "desk.h"

#include <string.h>

#include "clock.h"
#include "jsonx.h"
#include "probe.h"

static const int64_t TICK_MS = 1000;
static const int64_t PAUSE_MS = 1; /* with 0 libuv would call us again before it looks at sockets */
static const int64_t SHARED_EVERY_MS = 1000;
static const int64_t SHARED_WAIT_MS = 1000;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- the tick --- */

static void on_tick(uv_timer_t *timer);

void feeds_wake(struct feeds *f)
{
    if (!f->stopped)
        uv_timer_start(&f->timer, on_tick, 0, 0);
}

bool feeds_may_ask(const struct feeds *f, int64_t mono_ms)
{
    return f->started && (f->shared_waiting == 0 || mono_ms >= f->shared_deadline_ms);
}

static bool may_poll(const struct feeds *f, int64_t mono_ms)
{
    return f->config->feeds_enabled && feeds_may_ask(f, mono_ms);
}

static void read_shared(struct feeds *f, int64_t mono_ms)
{
    f->shared_read_ms = mono_ms;
    for (size_t i = 0; i < f->config->providers_len; i++)
        f->shared_waiting += upstream_documents(&f->upstreams[i]);
    for (size_t i = 0; i < f->config->providers_len; i++)
        upstream_read(&f->upstreams[i], f->bus);
}

/* Lets everybody know what the calendars say. */
static void follow_markets(struct feeds *f, int64_t mono_ms, int64_t wall_ms)
{
    exchanges_turn(f->exchanges, wall_ms);
    for (size_t i = 0; i < f->config->instruments_len; i++) {
        struct feed *d = &f->feeds[i];
        if (!d->market.clock)
            continue;
        if (market_opens(&d->market))
            schedule_hasten(f->schedule, d->id, mono_ms);
        enum quote_market market = market_now(&d->market, d->watch.age.market, wall_ms);
        schedule_closed(f->schedule, d->id, market == MARKET_CLOSED);
        if (d->quality.held_price.given) /* a benchmark has no hours */
            watch_market(&d->watch, market, wall_ms);
    }
}

/* Of what other programs feed, too: they need not be there any more. */
static void say_states(struct feeds *f, int64_t wall_ms)
{
    for (size_t i = 0; i < f->config->instruments_len; i++) {
        struct feed *d = &f->feeds[i];
        if (watch_due(&d->watch, wall_ms, &f->message) && !f->message.failed)
            bus_publish_status(f->bus, d->id, f->message.p, f->message.len);
    }
}

static int64_t next_state_ms(const struct feeds *f, int64_t wall_ms)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < f->config->instruments_len; i++)
        next = least(next, watch_next_ms(&f->feeds[i].watch, wall_ms));
    return next == INT64_MAX ? TICK_MS : next - wall_ms;
}

static void set_timer(struct feeds *f)
{
    int64_t mono_ms = clock_mono_ms(), wait_ms = TICK_MS;
    if (may_poll(f, mono_ms))
        wait_ms = least(wait_ms, schedule_next_ms(f->schedule, mono_ms) - mono_ms);
    if (f->started)
        wait_ms = least(wait_ms, next_state_ms(f, clock_wall_ms()));
    if (f->paused)
        wait_ms = least(wait_ms, PAUSE_MS);
    if (refresh_pending(f))
        wait_ms = 0;
    uv_update_time(f->loop);
    uv_timer_start(&f->timer, on_tick, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct feeds *f = timer->data;
    int64_t mono_ms = clock_mono_ms();
    chain_continue_all(&f->paused);
    if (f->started) {
        if (mono_ms - f->shared_read_ms >= SHARED_EVERY_MS)
            read_shared(f, mono_ms);
        follow_markets(f, mono_ms, clock_wall_ms());
        if (may_poll(f, mono_ms)) {
            poll_due(f, mono_ms);
            probe_due(f, mono_ms);
        }
        int64_t wall_ms = clock_wall_ms();
        for (size_t i = 0; i < f->config->providers_len; i++)
            upstream_sync(&f->upstreams[i], f->bus, f->metrics, wall_ms);
        say_states(f, wall_ms);
    }
    if (feeds_may_ask(f, mono_ms))
        refresh_start_held(f);
    jobs_turn(f, may_poll(f, mono_ms), mono_ms, clock_wall_ms());
    refresh_deliver(f);
    if (!f->stopped)
        set_timer(f);
}

/* --- from the serving half --- */

/* The tick makes a new plan; only one who came to an idle instrument should not wait for it. */
void feeds_watched(struct feeds *f, const size_t *watchers)
{
    int64_t mono_ms = clock_mono_ms();
    bool wake = false;
    for (size_t i = 0; i < f->config->instruments_len; i++)
        wake |= schedule_watched(f->schedule, (int)i, watchers[i], mono_ms);
    if (wake && f->started)
        feeds_wake(f);
}

void feeds_clock_set(struct feeds *f, int64_t by_ms, int64_t wall_ms)
{
    for (size_t i = 0; i < f->config->providers_len; i++)
        upstream_clock_set(&f->upstreams[i], by_ms, wall_ms);
    for (size_t i = 0; i < f->config->instruments_len; i++)
        feed_clock_set(&f->feeds[i], by_ms, wall_ms);
    if (f->started)
        feeds_wake(f);
}

/* --- from the bus --- */

/* What is asked for once a day, or costs money each time, is not asked for again because of a
 * restart. A price is: it may have moved. */
static void take_over(struct feeds *f, const struct feed *d, const struct item *it, int64_t wall_ms)
{
    if (d->in->kind == INSTRUMENT_OBSERVATION && it->says_recv)
        schedule_seen(f->schedule, d->id, clock_mono_ms() - (wall_ms - it->recv_ms));
}

void feeds_item(struct feeds *f, int id, const struct item *it)
{
    struct feed *d = &f->feeds[id];
    int64_t wall_ms = clock_wall_ms();
    if (!watch_item(&d->watch, it, wall_ms))
        return;
    const struct provider *row = provider_find(it->source);
    if (row && row->data == DATA_BENCHMARK)
        quality_accept_benchmark(&d->quality, it->ts_ms);
    else
        quality_accept(&d->quality, it->price, it->ts_ms);
    /* Of our own the provider's word is known; in another's item it may be the calendar's. */
    if (!it->has_seq || it->epoch_ms != f->epoch_ms)
        market_take(&d->market, it->market, it->recv_ms < wall_ms ? it->recv_ms : wall_ms);
    take_over(f, d, it, wall_ms);
}

void feeds_shared(struct feeds *f, const char *key, const char *bytes, size_t len)
{
    if (jobs_shared(f, key, bytes, len))
        return;
    for (size_t i = 0; i < f->config->providers_len; i++) {
        if (!upstream_shared(&f->upstreams[i], key, bytes, len, clock_wall_ms()))
            continue;
        if (f->shared_waiting > 0 && --f->shared_waiting == 0 && f->started)
            feeds_wake(f);
        return;
    }
}

/* --- the port --- */

void feeds_run_job(struct feeds *f, enum job job, refresh_done *done, void *ctx)
{
    jobs_request(f, job, done, ctx);
}

json_t *feeds_jobs(struct feeds *f)
{
    return jobs_describe(f);
}

int64_t feeds_next_poll_ms(const struct feeds *f, int id)
{
    if (!f->started || f->stopped || f->feeds[id].in->sources_len == 0)
        return 0;
    return clock_wall_ms() + schedule_until_ms(f->schedule, id, clock_mono_ms());
}

json_t *feeds_sources(struct feeds *f)
{
    json_t *all = json_object();
    int64_t wall_ms = clock_wall_ms();
    for (size_t i = 0; i < f->config->providers_len; i++)
        jsonx_set(&all, f->config->providers[i].name, upstream_describe(&f->upstreams[i], wall_ms));
    return all;
}

json_t *feeds_provenance(const struct feeds *f, int id)
{
    const struct feed *d = &f->feeds[id];
    int64_t wall_ms = clock_wall_ms();
    json_t *all = provenance_describe(&d->provenance, d->in, clock_mono_ms(), wall_ms);
    json_t *list = json_object_get(all, "sources");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *source = json_incref(json_array_get(list, i));
        upstream_describe_briefly(&f->upstreams[d->chain[i]], &source, wall_ms);
        if (!source) {
            json_decref(all);
            return NULL;
        }
        json_decref(source);
    }
    return all;
}

json_t *feeds_suspect(struct feeds *f, int id)
{
    return feed_describe_suspect(&f->feeds[id]);
}

int feeds_reset(struct feeds *f, const char *provider)
{
    int64_t wall_ms = clock_wall_ms();
    for (size_t i = 0; i < f->config->providers_len; i++) {
        if (strcmp(f->config->providers[i].name, provider) != 0)
            continue;
        upstream_reset(&f->upstreams[i], wall_ms);
        upstream_sync(&f->upstreams[i], f->bus, f->metrics, wall_ms);
        for (size_t k = 0; k < f->config->instruments_len; k++)
            feed_unsuspend(&f->feeds[k], (int)i);
        return 0;
    }
    return -1;
}

bool feeds_any_provider(struct feeds *f)
{
    int64_t wall_ms = clock_wall_ms();
    bool needed = false;
    for (size_t i = 0; f->config->feeds_enabled && i < f->config->providers_len; i++) {
        if (!f->upstreams[i].in_use)
            continue;
        needed = true;
        if (upstream_askable(&f->upstreams[i], wall_ms))
            return true;
    }
    return !needed; /* fed by others only: nothing is missing */
}

/* --- life --- */

static void free_parts(struct feeds *f)
{
    for (size_t i = 0; f->feeds && i < f->config->instruments_len; i++)
        feed_fini(&f->feeds[i]);
    for (size_t i = 0; f->upstreams && i < f->config->providers_len; i++)
        upstream_fini(&f->upstreams[i]);
    schedule_free(f->schedule);
    exchanges_free(f->exchanges);
    jobs_free(f->jobs);
    buf_fini(&f->message);
    if (f->dead_letters)
        dead_letters_close(f->dead_letters, NULL, NULL);
    free(f->feeds);
    free(f->upstreams);
    free(f->plan);
    free(f->ids);
    free(f);
}

static int make_exchanges(struct feeds *f, int64_t wall_ms, struct err *err)
{
    struct buf problems = {0};
    f->exchanges = exchanges_new(f->config, &problems);
    const char *name;
    for (size_t at = 0; f->exchanges && (name = exchanges_run_out(f->exchanges, wall_ms, &at));)
        log_event(LOG_WARN, "holidays_run_out", "exchange=%s why=%s", name,
                  "its list of holidays has no day that is still to come");
    if (f->exchanges)
        exchanges_turn(f->exchanges, wall_ms);
    else if (problems.len > 0)
        err_set(err, "%.*s", (int)strcspn(problems.p, "\n"), problems.p);
    else
        err_set(err, "out of memory");
    buf_fini(&problems);
    return f->exchanges ? 0 : -1;
}

static int make_feeds(struct feeds *f, int64_t wall_ms)
{
    const struct config *c = f->config;
    for (size_t i = 0; i < c->instruments_len; i++) {
        struct feed *d = &f->feeds[i];
        const struct instrument *in = &c->instruments[i];
        if (feed_init(d, (int)i, in, wall_ms) != 0)
            return -1;
        if (in->kind == INSTRUMENT_QUOTE)
            d->market.clock = exchanges_clock(f->exchanges, in->exchange);
        const struct schedule_instrument add = {.chain = d->chain,
                                                .chain_len = in->sources_len,
                                                .poll_ms = in->poll_ms,
                                                .ttl_ms = in->ttl_s * 1000,
                                                .stale_after_ms = in->stale_after_ms};
        schedule_add(f->schedule, (int)i, &add);
        for (size_t k = 0; k < in->sources_len; k++)
            f->upstreams[d->chain[k]].in_use = true;
    }
    return 0;
}

static void make_upstream(struct feeds *f, size_t i, const char *off)
{
    struct upstream *u = &f->upstreams[i];
    upstream_init(u, providers[i], &f->config->providers[i], f->config, off);
    if (u->day_zone_problem.text[0])
        log_event(LOG_WARN, "provider_day_in_utc", "provider=%s zone=%s why=%s", u->row->rule.name,
                  u->row->day_zone, u->day_zone_problem.text);
}

static int make_parts(struct feeds *f, int64_t wall_ms)
{
    const struct config *c = f->config;
    const char *off = c->feeds_enabled ? NULL : "polling is switched off";
    f->upstreams = calloc(c->providers_len + 1, sizeof *f->upstreams);
    f->plan = calloc(c->providers_len + 1, sizeof *f->plan);
    f->feeds = calloc(c->instruments_len + 1, sizeof *f->feeds);
    f->ids = calloc(c->instruments_len + 1, sizeof *f->ids);
    if (c->quality.dead_letter_dir) {
        f->dead_letters = dead_letters_new(f->loop, c->quality.dead_letter_dir, f->epoch_ms,
                                           &dead_letters_default);
        if (!f->dead_letters)
            return -1;
    }
    f->schedule = schedule_new(c->instruments_len, c->providers_len, (uint32_t)wall_ms);
    if (!f->upstreams || !f->plan || !f->feeds || !f->ids || !f->schedule)
        return -1;
    for (size_t i = 0; i < c->providers_len; i++)
        make_upstream(f, i, off);
    return make_feeds(f, wall_ms);
}

struct feeds *feeds_new(uv_loop_t *loop, const struct config *config, struct bus *bus,
                        struct metrics *metrics, int64_t start_wall_ms, struct err *err)
{
    REQUIRE(config->providers_len == providers_len);
    struct feeds *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, "out of memory");
        return NULL;
    }
    f->loop = loop;
    f->config = config;
    f->bus = bus;
    f->metrics = metrics;
    f->epoch_ms = (uint64_t)start_wall_ms;
    f->timer.data = f;
    f->asker = (struct asker){
        .bus = bus,
        .metrics = metrics,
        .limits = {.timeout_ms = config->limits.upstream_ms,
                   .body_max = (size_t)config->limits.upstream_bytes,
                   .header_max = (size_t)config->limits.upstream_header_bytes,
                   .public_only = config->limits.upstream_public},
        .news = true
    };
    poll_init(f);
    if (make_exchanges(f, start_wall_ms, err) != 0) {
        free_parts(f);
        return NULL;
    }
    if (make_parts(f, start_wall_ms) != 0) {
        err_set(err, "out of memory");
        free_parts(f);
        return NULL;
    }
    f->jobs = jobs_new(config, bus, start_wall_ms, err);
    f->asker.fetch = f->jobs ? fetch_new(loop, err) : NULL;
    if (!f->asker.fetch) {
        free_parts(f);
        return NULL;
    }
    uv_timer_init(loop, &f->timer);
    return f;
}

void feeds_take_over(struct feeds *f, struct feeds *from, const struct instrument_map *map)
{
    REQUIRE(!f->started && from->stopped);
    /* With its connections, and the authorities that it has read: nothing of it is configured. */
    struct fetch *unused = f->asker.fetch;
    f->asker.fetch = from->asker.fetch;
    from->asker.fetch = unused;
    for (size_t i = 0; i < f->config->providers_len; i++)
        upstream_take_over(&f->upstreams[i], &from->upstreams[i], clock_wall_ms());
    for (size_t i = 0; i < from->config->instruments_len; i++) {
        int id = map->there[i];
        if (id < 0)
            continue;
        bool same = instrument_map_same_sources(map, i);
        feed_take_over(&f->feeds[id], &from->feeds[i], same);
        if (same)
            schedule_go_on(f->schedule, id, from->schedule, (int)i);
        if (same && from->feeds[i].walking > 0)
            schedule_again(f->schedule, id);
    }
    jobs_take_over(f, from);
}

void feeds_start(struct feeds *f)
{
    int64_t mono_ms = clock_mono_ms();
    f->started = true;
    f->shared_deadline_ms = mono_ms + (bus_is_up(f->bus) ? SHARED_WAIT_MS : 0);
    read_shared(f, mono_ms);
    jobs_start(f);
    feeds_wake(f);
}

void feeds_stop(struct feeds *f)
{
    if (f->stopped)
        return;
    f->stopped = true;
    uv_timer_stop(&f->timer);
    ask_drop_all(&f->asker);
    chain_drop_paused(&f->paused);
    for (size_t i = 0; i < f->config->providers_len; i++)
        upstream_leave(&f->upstreams[i], f->bus, clock_wall_ms());
    jobs_stop(f);
    refresh_stop(f);
}

static void part_closed(void *ctx)
{
    struct feeds *f = ctx;
    if (--f->handles > 0)
        return;
    void (*closed)(void *ctx) = f->closed;
    void *closed_ctx = f->closed_ctx;
    free_parts(f);
    if (closed)
        closed(closed_ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    part_closed(h->data);
}

void feeds_close(struct feeds *f, void (*done)(void *ctx), void *ctx)
{
    feeds_stop(f);
    f->closed = done;
    f->closed_ctx = ctx;
    struct dead_letters *dead_letters = f->dead_letters;
    f->dead_letters = NULL; /* it frees itself */
    f->handles = dead_letters ? 3 : 2;
    if (dead_letters)
        dead_letters_close(dead_letters, part_closed, f);
    fetch_close(f->asker.fetch, part_closed, f);
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}
