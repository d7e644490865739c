/* The parts in the order they are opened: limits, certificates and sockets first, as these are what
 * fails in practice, each with its own sentence and with nothing to take back; then the library and
 * the loop handles.
 *
 * Draining: the main listener closes, so that a balancer goes elsewhere; goaway tells every client
 * when to come back; then they are closed, WebSockets with 1001, spread over the time there is, so
 * that they do not all reconnect in one instant. Requests under way, and those of connections that
 * have only just come, are waited for during the first fifth of that time. listen.metrics_port
 * stays open and /readyz there says 503.
 *
 * Closing ends what is left. The library needs turns of the loop for it; a timer looks when it is
 * through. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "compression.h"
#include "http.h"
#include "http_refresh.h"
#include "server_private.h"
#include "stream.h"
#include "tls.h"

static const uint64_t DRAIN_STEP_MS = 20;
static const uint64_t CLOSE_STEP_MS = 2;
static const size_t DRAIN_AT_ONCE = 4; /* closed per step at least: a few need not all the time */

/* The port for metrics is never shared: who asks it asks this process. */
const char *server_metrics_host(const struct config *c)
{
    if (c->listen.metrics_host)
        return c->listen.metrics_host;
    return listen_host_path(c->listen.host) ? "127.0.0.1" : c->listen.host;
}

static int open_endpoints(struct server *s, struct err *err)
{
    const struct config *c = s->config;
    struct endpoint_options o = {.host = c->listen.host,
                                 .port = c->listen.port,
                                 .port_setting = "listen.port",
                                 .share = c->listen.share,
                                 .sndbuf_bytes = (int)c->fanout.sndbuf_bytes};
    if (endpoint_open(&s->listener.endpoint, &o, err) != 0)
        return -1;
    if (c->listen.metrics_port < 0)
        return 0;
    o.host = server_metrics_host(c);
    o.port = c->listen.metrics_port;
    o.port_setting = "listen.metrics_port";
    o.share = false;
    s->plain_listener.plain = true;
    return endpoint_open(&s->plain_listener.endpoint, &o, err);
}

static int write_url(struct server *s)
{
    struct buf url = {0};
    listen_host_add_url(&url, s->config->listen.host, s->config->listen.tls_cert != NULL,
                        s->listener.endpoint.port);
    s->url = buf_take(&url, NULL);
    return s->url ? 0 : -1;
}

static void log_listening(const struct server *s)
{
    struct buf addresses = {0}; /* what a name stands for */
    endpoint_add_addresses(&s->listener.endpoint, &addresses);
    if (s->plain_listener.open)
        log_event(LOG_INFO, "listening", "url=%s addresses=%s metrics_port=%d connections=%zu",
                  s->url, addresses.p, s->plain_listener.endpoint.port, s->capacity.streams);
    else
        log_event(LOG_INFO, "listening", "url=%s addresses=%s connections=%zu", s->url, addresses.p,
                  s->capacity.streams);
    buf_fini(&addresses);
}

/* Rows that an operator may want to watch are there from the start. */
static void count_from_zero(struct metrics *m)
{
    static const char *const reasons[] = {
        "auth_failed",  "auth_required",   "bad_handshake", "bad_host",           "bad_length",
        "bad_message",  "bad_method",      "bad_origin",    "bad_request",        "bad_token",
        "bad_version",  "body_timeout",    "connections",   "connections_per_ip", "forbidden",
        "internal",     "headers_timeout", "not_found",     "rate_limited",       "slow",
        "symbol_limit", "unknown_symbol",
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        metrics_add(m, METRIC_REJECTED, reasons[i], NULL, 0);
    for (int r = 0; r < CLOSE_REASONS_LEN; r++) {
        const char *name = close_reason_name((enum close_reason)r);
        metrics_add(m, METRIC_DISCONNECTS, name, NULL, 0);
        if (close_reason_code((enum close_reason)r) != 0)
            metrics_add(m, METRIC_REJECTED, name, NULL, 0);
    }
    metrics_add(m, METRIC_ACCEPT_PAUSES, "files", NULL, 0);
    metrics_add(m, METRIC_ACCEPT_PAUSES, "rate", NULL, 0);
}

/* What needs no loop. On failure nothing is left. */
static int prepare(struct server *s, struct err *err)
{
    const struct config *c = s->config;
    int64_t files = capacity_raise_files(err);
    if (files < 0)
        return -1;
    capacity_init(&s->capacity, c, files);
    if (c->fanout.compression && !(s->decompressor = decompressor_new()))
        return err_set(err, "out of memory");
    if (proxies_init(&s->proxies, c->listen.trusted_proxies, c->listen.trusted_proxies_len) != 0)
        return err_set(err, "out of memory");
    if (c->listen.tls_cert &&
        !(s->identity = tls_identity_load(c->listen.tls_cert, c->listen.tls_key, err)))
        return -1;
    if (open_endpoints(s, err) != 0)
        return -1;
    return write_url(s) == 0 ? 0 : err_set(err, "out of memory");
}

static void free_server(struct server *s)
{
    endpoint_close(&s->listener.endpoint);
    endpoint_close(&s->plain_listener.endpoint);
    free(s->url);
    proxies_fini(&s->proxies);
    capacity_fini(&s->capacity);
    decompressor_free(s->decompressor);
    tls_identity_free(s->identity);
    free(s);
}

struct server *server_new(uv_loop_t *loop, const struct server_parts *parts, struct err *err)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, "out of memory");
        return NULL;
    }
    s->loop = loop;
    s->config = parts->config;
    s->auth = parts->auth;
    s->tiers = parts->tiers;
    s->feed = parts->feed;
    s->metrics = parts->metrics;
    s->process = parts->process;
    count_from_zero(s->metrics);
    tiers_started(s->tiers, clock_wall_ms());
    if (prepare(s, err) != 0) {
        free_server(s);
        return NULL;
    }
    uv_timer_init(loop, &s->drain.timer);
    uv_timer_init(loop, &s->close.timer);
    s->drain.timer.data = s->close.timer.data = s;
    loop_start(&s->loop_hooks, s);
    if (loop_open_library(s, err) == 0 && listener_start(&s->listener, s) == 0 &&
        (s->plain_listener.endpoint.len == 0 || listener_start(&s->plain_listener, s) == 0)) {
        log_listening(s);
        return s;
    }
    server_close(s, NULL, NULL); /* ends by itself as the loop runs */
    return NULL;
}

/* --- another configuration --- */

static int prepare_identity(const struct server *s, const struct config *c,
                            struct server_change *change, struct err *err)
{
    if (!s->identity)
        return 0;
    change->identity = tls_identity_load(c->listen.tls_cert, c->listen.tls_key, err);
    return change->identity ? 0 : -1;
}

int server_prepare_change(const struct server *s, const struct config *c,
                          struct server_change *change, struct err *err)
{
    *change = (struct server_change){0};
    if (prepare_identity(s, c, change, err) != 0)
        return -1;
    change->proxies = calloc(1, sizeof *change->proxies);
    if (change->proxies && proxies_init(change->proxies, c->listen.trusted_proxies,
                                        c->listen.trusted_proxies_len) == 0)
        return 0;
    server_drop_change(change);
    return err_set(err, "out of memory");
}

void server_drop_change(struct server_change *change)
{
    tls_identity_free(change->identity);
    if (change->proxies)
        proxies_fini(change->proxies);
    free(change->proxies);
    *change = (struct server_change){0};
}

static void swap_identity(struct server *s, struct server_change *change)
{
    char serial[TLS_SERIAL_MAX], until[CLOCK_RFC3339_MAX];
    struct err err;
    struct tls_identity *old = s->identity;
    s->identity = change->identity;
    change->identity = NULL;
    if (tls_check_served(s->tls_context, s->identity, &err) != 0) {
        log_event(LOG_ERROR, "certificate_not_served", "file=%s why=%s", s->config->listen.tls_cert,
                  err.text);
        change->identity = s->identity;
        s->identity = old;
        return;
    }
    log_event(LOG_INFO, "certificate", "file=%s serial=%s until=%s", s->config->listen.tls_cert,
              tls_identity_serial(s->identity, serial),
              clock_rfc3339(tls_identity_ends_ms(s->identity), until));
    tls_identity_free(old);
}

void server_change(struct server *s, const struct server_parts *parts, struct server_change *change)
{
    struct proxies *proxies = change->proxies;
    const struct proxies old = s->proxies;
    s->config = parts->config;
    s->auth = parts->auth;
    s->tiers = parts->tiers;
    s->proxies = *proxies;
    *proxies = old;
    capacity_change(&s->capacity, s->config);
    if (change->identity)
        swap_identity(s, change);
    server_drop_change(change);
}

const char *server_certificate(const struct server *s, char out[static TLS_SERIAL_MAX])
{
    return s->identity ? tls_identity_serial(s->identity, out) : NULL;
}

int64_t server_certificate_ends_ms(const struct server *s)
{
    int64_t ends_ms = s->identity ? tls_identity_ends_ms(s->identity) : 0;
    return ends_ms > 0 ? ends_ms : 0;
}

const char *server_url(const struct server *s)
{
    return s->url;
}

void server_ready(struct server *s)
{
    if (s->phase == SERVER_STARTING)
        s->phase = SERVER_READY;
}

/* --- handles --- */

/* libuv calls back in no order that can be relied on: counted. */
static void handle_closed(uv_handle_t *h)
{
    struct server *s = h->data;
    if (--s->close.handles > 0 || !s->close.last)
        return;
    void (*done)(void *) = s->close.done;
    void *ctx = s->close.ctx;
    free_server(s);
    if (done)
        done(ctx);
}

static void stop_listener(struct server *s, struct listener *l, bool politely)
{
    s->close.handles += listener_stop(l, politely, handle_closed);
}

/* --- draining --- */

static void drain_end(struct server *s)
{
    uv_timer_stop(&s->drain.timer);
    void (*done)(void *) = s->drain.done;
    s->drain.done = NULL;
    if (done)
        done(s->drain.ctx);
}

static size_t close_some(struct server *s, size_t most)
{
    size_t n = 0;
    for (struct conn *c = s->conns[CONN_STREAM]; c && n < most; c = c->next)
        if (c->client && !c->closing) {
            stream_close(c, CLOSE_SHUTDOWN);
            n++;
        }
    if (n > 0)
        lws_cancel_service(s->lws);
    return n;
}

static bool is_drained(const struct server *s, int64_t left_ms)
{
    if (left_ms <= 0)
        return true;
    bool waits = s->config->drain_s * 1000 - left_ms < s->config->drain_s * 200;
    return s->conns_len[CONN_STREAM] == 0 && !(waits && http_any_under_way(s));
}

static void drain_step(uv_timer_t *t)
{
    struct server *s = t->data;
    int64_t left_ms = s->drain.deadline_ms - clock_mono_ms();
    if (is_drained(s, left_ms)) {
        drain_end(s);
        return;
    }
    /* All begun when a fifth of the time is left, for the close frames to be answered. */
    int64_t spread_ms = left_ms - s->config->drain_s * 200;
    size_t steps = spread_ms > (int64_t)DRAIN_STEP_MS ? (size_t)spread_ms / DRAIN_STEP_MS : 1;
    size_t share = s->conns_len[CONN_STREAM] / steps + 1;
    close_some(s, share > DRAIN_AT_ONCE ? share : DRAIN_AT_ONCE);
}

void server_drain(struct server *s, void (*done)(void *ctx), void *ctx)
{
    int64_t drain_ms = s->config->drain_s * 1000;
    s->phase = SERVER_DRAINING;
    s->drain.done = done;
    s->drain.ctx = ctx;
    s->drain.deadline_ms = clock_mono_ms() + drain_ms;
    stop_listener(s, &s->listener, true);
    tiers_goaway(s->tiers, "shutdown", drain_ms > 0 ? drain_ms : 1000);
    uv_timer_start(&s->drain.timer, drain_step, DRAIN_STEP_MS, DRAIN_STEP_MS);
}

/* --- closing --- */

static void close_step(uv_timer_t *t)
{
    struct server *s = t->data;
    if (!loop_library_gone(s))
        return;
    uv_timer_stop(t);
    loop_free_library(s);
    s->close.last = true;
    stop_listener(s, &s->listener, false);
    stop_listener(s, &s->plain_listener, false);
    s->close.handles += 2 + LOOP_HANDLES;
    uv_close((uv_handle_t *)&s->drain.timer, handle_closed);
    uv_close((uv_handle_t *)&s->close.timer, handle_closed);
    loop_stop(&s->loop_hooks, handle_closed);
}

void server_close(struct server *s, void (*done)(void *ctx), void *ctx)
{
    s->phase = SERVER_CLOSING;
    s->drain.done = NULL;
    s->close.done = done;
    s->close.ctx = ctx;
    uv_timer_stop(&s->drain.timer);
    http_refresh_abandon(s);
    loop_close_library(s);
    uv_timer_start(&s->close.timer, close_step, 1, CLOSE_STEP_MS);
}
