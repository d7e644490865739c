/* GET /api/v1/stream: an answer that goes on until one side ends the connection.
 *
 * The request is checked like every other one; then the head is written, without a length, and the
 * connection becomes the socket of a client of the fan-out. For the library it stays a request that
 * is being answered. Its headers are given back at once; the library would keep 16 KiB of them for
 * each stream. It does not take what comes any more, not even the end (and with its flow control on
 * there would be no "writable" event either), so that a readable socket turns the loop without end.
 * So we look ourselves, once a second, and at the next tick when the loop has turned suspiciously
 * often; a stream whose peer says anything ends.
 *
 * There is no pong that would show that a silent peer is alive. So the kernel watches: what we
 * send, a comment every heartbeat at least, must be acknowledged in time. */
#include "sse.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "event.h"
#include "handlers.h"
#include "http.h"
#include "prefixes.h"
#include "server_private.h"
#include "stream.h"
#include "symbol.h"
#include "symtab.h"

static const unsigned UNACKNOWLEDGED_MS = 45000;
static const int64_t LOOK_MS = 1000;
static const int64_t RETRY_MS = 2000; /* and up to as much more */
static const unsigned TURNS_PER_TICK_MAX = 1000;

/* --- the request --- */

static bool refuse(struct exchange *x, const char *why)
{
    response_problem(&x->response, 400, why, NULL);
    metrics_add(x->server->metrics, METRIC_REJECTED, "bad_request", NULL, 1);
    return false;
}

static bool check_form(struct exchange *x, const char *list)
{
    const struct request *r = x->request;
    const char *item;
    size_t len;
    if (x->conn->phase != HTTP_PENDING)
        return refuse(x, "the stream cannot be combined with an Upgrade");
    if (r->content_length)
        return refuse(x, "the stream takes no body: leave out Content-Length");
    if (!list || !*list)
        return refuse(x, "symbols is missing or empty: name them (?symbols=coffee,EUR/USD), or * "
                         "for all");
    for (const char *rest = list; request_next(&rest, &item, &len);)
        if (memchr(item, '*', len) && !symbol_is_pattern(item, len))
            return refuse(x, "a pattern is the beginning of a symbol and one * at its end");
    return symbols_known(x, SYMBOLS_OF_ANY, list, true) && !symbols_forbidden(x, list);
}

/* The symbols of the list, each once; wanted: one flag each. Its patterns are added. How many. */
static size_t resolve_names(const struct config *c, const struct grant *grant, const char *list,
                            bool *wanted, struct prefixes *patterns)
{
    const char *item;
    size_t len, n = 0;
    while (request_next(&list, &item, &len)) {
        int id = symtab_find(c->symbols, item, len);
        if (symbol_is_pattern(item, len))
            prefixes_add(patterns, item, len, 0);
        else if (id >= 0 && !wanted[id] && grant_allows(grant, c->instruments[id].symbol)) {
            wanted[id] = true;
            n++;
        }
    }
    return n;
}

/* The instruments that the list names, or that its patterns match and the grant allows. Returns how
 * many; -1: out of memory. */
static int resolve(const struct config *c, const struct grant *grant, const char *list,
                   bool *wanted)
{
    struct prefixes patterns;
    if (prefixes_init(&patterns, strlen(list)) != 0)
        return -1;
    size_t n = resolve_names(c, grant, list, wanted, &patterns);
    prefixes_sort(&patterns);
    for (size_t i = 0; patterns.len > 0 && i < c->instruments_len; i++)
        if (!wanted[i] && prefixes_match(&patterns, c->instruments[i].symbol) >= 0 &&
            grant_allows(grant, c->instruments[i].symbol)) {
            wanted[i] = true;
            n++;
        }
    prefixes_fini(&patterns);
    return (int)n;
}

static bool within_limit(struct exchange *x, int n)
{
    char why[100];
    int64_t most = x->server->config->limits.symbols_per_connection;
    if (n <= most)
        return true;
    snprintf(why, sizeof why, "these are %d symbols; a stream may have %lld", n, (long long)most);
    return refuse(x, why);
}

/* --- the client --- */

static void sse_sink_close(void *sock, enum close_reason reason)
{
    struct conn *c = sock;
    if (c->closing)
        return;
    c->closing = true;
    c->reason = reason;
    if (reason == CLOSE_SLOW)
        conn_reset(c);
    else
        conn_kill(c);
}

static const struct client_sink sink = {
    .write = stream_write,
    .busy = stream_busy,
    .want_writable = stream_want_writable,
    .unsent_bytes = stream_unsent_bytes,
    .close = sse_sink_close,
};

void sse_writable(struct conn *c)
{
    if (c->client && !c->closing)
        fanout_client_writable(c->client, clock_mono_ns());
}

void sse_close(struct conn *c, enum close_reason reason)
{
    if (c->client && !c->closing) {
        fanout_client_reason(c->client, reason);
        fanout_client_closing(c->client);
    }
    sse_sink_close(c, reason);
}

static bool is_silent(const struct conn *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

void sse_tick(struct server *s, int64_t mono_ms)
{
    bool spins = s->turns > TURNS_PER_TICK_MAX;
    s->turns = 0;
    if (s->event_streams == 0 || (!spins && mono_ms - s->event_look_ms < LOOK_MS))
        return;
    s->event_look_ms = mono_ms;
    for (struct conn *c = s->conns[CONN_STREAM]; c; c = c->next)
        if (c->phase == HTTP_EVENTS && !c->closing && !is_silent(c))
            sse_close(c, CLOSE_PEER);
}

/* --- becoming one --- */

/* With how long to wait when it ends without a word. A goaway says something else, and browsers
 * would keep to that for the streams to come. */
static int write_head(struct exchange *x)
{
    struct conn *c = x->conn;
    char retry[EVENT_RETRY_MAX];
    struct response head = {.status = 200, .type = "text/event-stream", .endless = true};
    response_header(&head, "Cache-Control", "no-store");
    response_header(&head, "X-Accel-Buffering", "no"); /* nginx would keep events back */
    buf_adds(&head.body, event_retry(RETRY_MS + clock_mono_ns() / 1000 % RETRY_MS, retry));
    buf_add(&head.headers, c->headers.p, c->headers.len);
    int rc = http_write(c, c->wsi, x->request, &head, true);
    response_fini(&head);
    return rc;
}

/* From here on there is no answer any more but the stream. */
static void begin(struct exchange *x, const struct fanout_wish *wish)
{
    struct conn *c = x->conn;
    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &UNACKNOWLEDGED_MS, sizeof UNACKNOWLEDGED_MS);
    x->pending = true;
    c->phase = HTTP_EVENTS;
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    conn_move(c, CONN_STREAM);
    c->server->event_streams++;
    if (write_head(x) == 0)
        c->client = fanout_event_client_new(tiers_of(c->server->tiers, c->grant.delay_s), &sink, c,
                                            wish, clock_wall_ms(), clock_mono_ns());
    if (!c->client) {
        log_event(LOG_ERROR, "client_refused", "why=%s", "broken, or out of memory");
        conn_kill(c);
    }
    lws_http_headers_detach(c->wsi);
}

static const char *last_event_id(const struct request *r)
{
    return r->last_event_id ? r->last_event_id : request_arg(r, "last_event_id");
}

void serve_stream(struct exchange *x)
{
    const struct config *config = x->server->config;
    const char *list = request_arg(x->request, "symbols");
    if (!check_form(x, list))
        return;
    int *ids = calloc(config->instruments_len + 1, sizeof *ids);
    bool *wanted = calloc(config->instruments_len + 1, sizeof *wanted);
    int n = ids && wanted ? resolve(config, &x->conn->grant, list, wanted) : -1;
    if (n < 0) {
        response_problem(&x->response, 500, "out of memory", NULL);
    } else if (within_limit(x, n) && stream_admit(x)) {
        struct fanout_wish wish = {
            .ids = ids, .last_event_id = last_event_id(x->request), .grant = &x->conn->grant};
        for (size_t i = 0; i < config->instruments_len; i++)
            if (wanted[i])
                ids[wish.ids_len++] = (int)i;
        begin(x, &wish);
    }
    free(ids);
    free(wanted);
}
