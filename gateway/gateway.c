/* gateway.c - where the halves meet.
 *
 *     feeds ──publish──► bus ──► hear_item() ──► fanout ──► server      (all of them) ──► notifier
 *       ▲                           │              │
 *       ├───────────────────────────┘              │  what others published, so that the poller
 *       │                                          │  never goes back in time
 *       └──────────────────────────────────────────┘  once a second: how many watch each symbol
 *
 * Life: bus, fan-out, feeds and server are built (a port that is taken or a certificate that is
 * missing ends it here), then the bus connects. Once it has read the latest values, or after
 * BUS_WAIT_MS without it, polling starts and /readyz turns 200: a gateway must start without Redis.
 * SIGTERM: stop polling, drain the clients, close everything in reverse; a second one exits at
 * once. Signals arrive through the loop, never in a handler. */
#include "gateway.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "gateway_private.h"
#include "listen_host.h"
#include "named_files.h"
#include "ports.h"
#include "reload.h"
#include "supervisor.h"
#include "symtab.h"

static const uint64_t BUS_WAIT_MS = 2000;
static const uint64_t WATCHERS_EVERY_MS = 1000;
static const uint64_t CLOCK_EVERY_MS = 1000;

/* --- from the bus --- */

static void drop_invalid(struct gateway *g, int id, const char *what, const char *why)
{
    unsigned suppressed;
    g->metrics.bus_invalid++;
    if (log_limit_pass(&g->invalid_limit, clock_mono_ms(), 1000, &suppressed))
        log_event(LOG_WARN, "bus_message_invalid", "symbol=%s kind=%s why=%s suppressed=%u",
                  g->now.config->instruments[id].symbol, what, why, suppressed);
}

/* "Arrival counts" where an item does not say its time. A value read from its key has not arrived
 * now: it must not pass for a newer or a fresher one than what is held. */
static bool is_news(const struct item *it, const struct item *held, bool heard)
{
    if (heard || !held)
        return true;
    return it->says_ts && (it->says_recv || it->ts_ms > held->ts_ms);
}

static void take_item(struct gateway *g, int id, const char *bytes, size_t len, bool heard)
{
    int64_t wall_ms = clock_wall_ms();
    struct err err;

    /* Our own publication comes back from Redis: known by its bytes, without parsing it again. */
    const struct item *held = fanout_standing(tiers_live(g->now.tiers), id, wall_ms).item;
    if (held && held->has_seq && held->len == len && memcmp(held->bytes, bytes, len) == 0)
        return;

    const struct instrument *in = &g->now.config->instruments[id];
    struct item *it = item_parse(bytes, len, in->kind, in->symbol, wall_ms, &err);
    if (!it) {
        drop_invalid(g, id, "item", err.text);
        return;
    }
    if (!is_news(it, held, heard)) {
        item_unref(it);
        return;
    }
    metrics_add(&g->metrics, METRIC_QUOTES_RECEIVED, it->source[0] ? it->source : "unknown", NULL,
                1);
    if (tiers_item(g->now.tiers, id, it, heard, (struct moment){wall_ms, clock_mono_ns()}) ==
        FANOUT_TAKEN)
        feeds_item(g->now.feeds, id, it);
    item_unref(it);
}

static void hear_item(void *ctx, int id, const char *bytes, size_t len)
{
    take_item(ctx, id, bytes, len, true);
}

static void hear_latest(void *ctx, int id, const char *bytes, size_t len)
{
    take_item(ctx, id, bytes, len, false);
}

static void hear_status(void *ctx, int id, const char *bytes, size_t len)
{
    struct gateway *g = ctx;
    struct err err;
    if (tiers_status(g->now.tiers, id, bytes, len, clock_wall_ms(), clock_mono_ns(), &err) != 0)
        drop_invalid(g, id, "status", err.text);
}

static void hear_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct gateway *g = ctx;
    if (g->now.feeds)
        feeds_shared(g->now.feeds, key, bytes, len);
}

static void tell_watchers(uv_timer_t *t)
{
    struct gateway *g = t->data;
    feeds_watched(g->now.feeds, tiers_watchers(g->now.tiers));
}

void gateway_start_feeds(struct gateway *g)
{
    if (g->now.config->feeds_enabled) {
        feeds_start(g->now.feeds);
        uv_timer_start(&g->watchers, tell_watchers, 0, WATCHERS_EVERY_MS);
    } else {
        uv_timer_stop(&g->watchers);
        log_event(LOG_WARN, "feeds_off", "why=%s",
                  *g->now.config->redis.url
                      ? "REALTIME_PRICE_FEED_ENABLED is off: nothing is polled"
                      : "REALTIME_PRICE_FEED_ENABLED is off: nothing is polled, and without "
                        "redis.url nobody else's prices come");
    }
}

/* The system's clock may be set. Ours is only here, where all who keep a time of it are told. */
static void follow_clock(uv_timer_t *t)
{
    struct gateway *g = t->data;
    int64_t by_ms = clock_follow();
    if (by_ms == 0)
        return;
    g->metrics.clock_set++;
    log_event(LOG_WARN, "clock_set", "by_ms=%lld", (long long)by_ms);
    notices_clock_set(g->now.notices, by_ms);
    tiers_clock_set(g->now.tiers, by_ms, clock_wall_ms());
    feeds_clock_set(g->now.feeds, by_ms, clock_wall_ms());
}

static void begin_running(struct gateway *g)
{
    if (g->phase != PHASE_STARTING)
        return;
    g->phase = PHASE_RUNNING;
    uv_timer_stop(&g->bus_wait);
    gateway_start_feeds(g);
    server_ready(g->server);
    notifier_start(g->notifier);
    supervisor_tell("READY=1");
    if (g->reload_wanted)
        reload_logged(g);
}

/* Said from the loop: a loop that hangs says nothing, and the service manager starts another one.
 */
static void tell_watchdog(uv_timer_t *t)
{
    (void)t;
    supervisor_tell("WATCHDOG=1");
}

static void hear_link(void *ctx, bool up, const char *why)
{
    struct gateway *g = ctx;
    if (!up && why) /* the bus has logged it */
        err_set(&g->bus_why, "%s", why);
    g->metrics.bus_up = up;
    begin_running(g); /* up with all values read, or known to be away: nothing to wait for */
}

static void bus_waited(uv_timer_t *t)
{
    begin_running(t->data);
}

/* --- end of life --- */

/* A service manager kills whoever has not gone after a time of its own, which knows nothing of
 * drain_s. */
static void tell_stopping(int64_t drain_s)
{
    static const int64_t MORE_S = 10;
    char state[80];
    snprintf(state, sizeof state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64,
             (drain_s + MORE_S) * 1000000);
    supervisor_tell(state);
}

/* The loop need not be empty then: a name lookup under way can't be stopped. */
static void own_handle_closed(uv_handle_t *h)
{
    struct gateway *g = h->data;
    if (--g->handles_open == 0)
        uv_stop(&g->loop);
}

/* Nobody listens to them any more, and what is left takes no time: one that comes now must not turn
 * a good end into a bad one. */
static void hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void gateway_part_closed(void *ctx)
{
    struct gateway *g = ctx;
    if (--g->parts_open > 0)
        return;
    uv_handle_t *const own[] = {(uv_handle_t *)&g->on_term,  (uv_handle_t *)&g->on_int,
                                (uv_handle_t *)&g->on_hup,   (uv_handle_t *)&g->bus_wait,
                                (uv_handle_t *)&g->watchdog, (uv_handle_t *)&g->watchers,
                                (uv_handle_t *)&g->clock};
    hold_signals();
    g->handles_open = ARRAY_LEN(own) + 1;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        uv_close(own[i], own_handle_closed);
    loop_busy_stop(&g->loop_busy, g, own_handle_closed);
}

static void close_parts(void *ctx)
{
    struct gateway *g = ctx;
    if (g->phase == PHASE_CLOSING)
        return;
    g->phase = PHASE_CLOSING;
    uv_timer_stop(&g->watchers);
    uv_timer_stop(&g->clock);
    g->parts_open = 1 + (int)g->retiring; /* one is held until all were told */
    if (g->notifier) {
        g->parts_open++;
        notifier_close(g->notifier, gateway_part_closed, g);
    }
    if (g->server) {
        g->parts_open++;
        server_close(g->server, gateway_part_closed, g);
    }
    g->parts_open++;
    generation_end(&g->now, gateway_part_closed, g);
    if (g->bus) {
        g->parts_open++;
        bus_close(g->bus, gateway_part_closed, g);
    }
    gateway_part_closed(g);
}

static void asked_to_stop(uv_signal_t *s, int signum)
{
    struct gateway *g = s->data;
    if (g->phase >= PHASE_DRAINING) {
        log_event(LOG_WARN, "exit_at_once", "signal=%d", signum);
        _exit(0);
    }
    log_event(LOG_INFO, "draining", "signal=%d clients=%zu drain_s=%" PRId64, signum,
              tiers_clients(g->now.tiers), g->now.config->drain_s);
    g->phase = PHASE_DRAINING;
    tell_stopping(g->now.config->drain_s);
    uv_timer_stop(&g->bus_wait);
    notifier_drain(g->notifier);
    feeds_stop(g->now.feeds);
    server_drain(g->server, close_parts, g);
}

/* Also what the kernel says when the window is closed in which it was started: then it ends, or it
 * would hold its port, and ask providers, where nobody sees it any more. */
static void asked_to_reload(uv_signal_t *s, int signum)
{
    struct gateway *g = s->data;
    if (g->has_terminal && !isatty(STDOUT_FILENO)) {
        if (g->phase < PHASE_DRAINING)
            asked_to_stop(s, signum);
        return;
    }
    if (g->phase == PHASE_STARTING)
        g->reload_wanted = true;
    else
        reload_logged(g);
}

/* --- start --- */

static void log_start(const struct gateway *g)
{
    log_event(LOG_INFO, "starting", "version=%s config=%s bus=%s instruments=%zu pid=%d",
              PRICEGATE_VERSION, g->source.origin, bus_kind(g->bus), g->now.config->instruments_len,
              (int)getpid());
    reload_log_disabled(g->now.config);
    named_files_log(g->now.config, g->epoch_ms);
}

struct bus_options gateway_bus_options(const struct config *c)
{
    return (struct bus_options){
        .url = c->redis.url,
        .prefix = c->redis.prefix,
        .tls_ca = c->redis.tls_ca,
        .tls_cert = c->redis.tls_cert,
        .tls_key = c->redis.tls_key,
        .symbols_max = c->instruments_len,
        .limits = {.connect_ms = c->limits.redis_connect_ms,
                   .ping_ms = c->limits.redis_ping_ms,
                   .backoff_ms = c->limits.redis_backoff_ms,
                   .in_flight = c->limits.redis_in_flight},
    };
}

static int open_bus(struct gateway *g, const struct config *c, struct err *err)
{
    struct bus_options options = gateway_bus_options(c);
    options.metrics = &g->metrics;
    const struct bus_handler handler = {
        .ctx = g,
        .item = hear_item,
        .status = hear_status,
        .shared = hear_shared,
        .link = hear_link,
        .latest = hear_latest,
    };
    g->bus = bus_new(&g->loop, &options, &handler, err);
    if (!g->bus)
        return -1;
    for (size_t i = 0; i < c->instruments_len; i++)
        if (bus_watch(g->bus, c->instruments[i].symbol, c->instruments[i].kind, (int)i) != 0)
            return err_set(err, "out of memory");
    return 0;
}

struct server_parts gateway_server_parts(struct gateway *g, const struct generation *n)
{
    return (struct server_parts){n->config,     n->auth,     n->tiers,
                                 &g->feed_port, &g->metrics, &g->process_port};
}

static int open_parts(struct gateway *g, struct config *config, struct err *err)
{
    ports_wire(g);
    g->now.config = config;
    if (open_bus(g, config, err) != 0)
        return -1;
    g->ground = (struct generation_ground){&g->loop, g->bus, &g->metrics, &g->feed_port};
    if (generation_begin(&g->now, config, &g->ground, g->epoch_ms, err) != 0)
        return -1;
    const struct server_parts parts = gateway_server_parts(g, &g->now);
    g->server = server_new(&g->loop, &parts, err);
    if (!g->server)
        return -1;
    g->notifier = notifier_new(g);
    if (!g->notifier)
        return err_set(err, "out of memory");
    return bus_start(g->bus, err);
}

static void start_signals(struct gateway *g)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* the log file is as large as it may be: a lost line, no end */
    const struct {
        uv_signal_t *handle;
        int signum;
        uv_signal_cb cb;
    } rows[] = {
        {&g->on_term, SIGTERM, asked_to_stop  },
        {&g->on_int,  SIGINT,  asked_to_stop  },
        {&g->on_hup,  SIGHUP,  asked_to_reload},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uv_signal_init(&g->loop, rows[i].handle);
        rows[i].handle->data = g;
        uv_signal_start(rows[i].handle, rows[i].cb, rows[i].signum);
    }
}

/* A person is looking; a machine reads event=listening. Of all addresses, one that a browser opens.
 */
static void greet(const struct gateway *g)
{
    const char *host = g->now.config->listen.host, *url = server_url(g->server);
    if (listen_host_path(host))
        printf("pricegate %s: listening at %s\n", PRICEGATE_VERSION, url);
    else if (listen_host_is_any(host))
        printf("pricegate %s: dashboard at %.*s://localhost%s/\n", PRICEGATE_VERSION,
               (int)strcspn(url, ":"), url, strrchr(url, ':'));
    else
        printf("pricegate %s: dashboard at %s/\n", PRICEGATE_VERSION, url);
}

int gateway_run(struct config *config, const struct gateway_source *source)
{
    struct gateway g = {
        .source = *source, .epoch_ms = clock_wall_ms(), .has_terminal = isatty(STDOUT_FILENO) == 1};
    struct err err;
    int exit_code = 0;

    log_setup(config->log.level, config->log.json);
    metrics_init(&g.metrics);
    int rc = uv_loop_init(&g.loop);
    if (rc != 0) {
        fprintf(stderr, "pricegate: event loop: %s\n", uv_strerror(rc));
        config_free(config);
        return 1;
    }
    start_signals(&g);
    loop_busy_start(&g.loop_busy, &g.loop, &g.metrics.loop_busy);
    uv_timer_init(&g.loop, &g.bus_wait);
    uv_timer_init(&g.loop, &g.watchdog);
    uv_timer_init(&g.loop, &g.watchers);
    uv_timer_init(&g.loop, &g.clock);
    g.bus_wait.data = g.watchdog.data = g.watchers.data = g.clock.data = &g;
    (void)clock_follow();

    if (open_parts(&g, config, &err) != 0) {
        fprintf(stderr, "pricegate: %s\n", err.text);
        exit_code = 1;
        close_parts(&g);
    } else {
        log_start(&g);
        uv_timer_start(&g.bus_wait, bus_waited, BUS_WAIT_MS, 0);
        uv_timer_start(&g.clock, follow_clock, CLOCK_EVERY_MS, CLOCK_EVERY_MS);
        uint64_t watchdog_ms = (uint64_t)supervisor_watchdog_ms();
        if (watchdog_ms > 0)
            uv_timer_start(&g.watchdog, tell_watchdog, watchdog_ms, watchdog_ms);
        if (g.has_terminal)
            greet(&g);
    }
    uv_run(&g.loop, UV_RUN_DEFAULT);

    generation_free(&g.now);
    metrics_fini(&g.metrics);
    if (exit_code == 0)
        log_event(LOG_INFO, "stopped", "exit=%d", exit_code);
    /* A lookup still under way: a normal exit would wait for its thread, however long that takes.
     */
    if (uv_loop_close(&g.loop) == UV_EBUSY)
        _exit(exit_code);
    return exit_code;
}
