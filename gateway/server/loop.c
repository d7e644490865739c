/* How the library and the fan-out share one loop.
 *
 *     timers ─► prepare ─► (wait for sockets) ─► library callbacks ─► check
 *                  │                                                    │
 *                  └──────────────── fanout_turn() ─────────────────────┘
 *
 * fanout_turn() must run after all input of a turn. Input comes from sockets (before `check`) and
 * from timers and posted work (before `prepare`), so it hangs on both; where nothing is marked it
 * costs a comparison. Neither handle wakes the loop: what wakes it for the next flush is one timer,
 * armed only when the fan-out asked for it, so an idle process sleeps.
 *
 * The library is told little: no listener (listener.c), no extension but our own shell of one
 * (ws_extension.c), no check of UTF-8 (it would look at compressed bytes; ws.c does it), no limit
 * of files of its own (with a limit below the process's it searches its table linearly for each
 * event; our listener keeps the count instead), TLS by our list, HTTP/1.1 only (frames are written
 * ready-made, which HTTP/2 does not allow). */
#include "loop.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"
#include "netlink.h"
#include "server_private.h"
#include "session.h"
#include "sse.h"
#include "tls.h"
#include "unheard.h"
#include "ws.h"
#include "ws_extension.h"

static const uint64_t TICK_MS = 100;
enum { TLS_RECORD_BYTES = 16384 };

/* --- the library --- */

/* per_session_data_size: not used, but without it the library leaves out the callback that says
 * that a close has begun; what is ours travels as opaque user data. tx_packet_size: or it cuts our
 * frames.
 *
 * rx_buffer_size is held by each WebSocket. Longer messages come in pieces, so a small one would
 * do; but over TLS a whole record (16 KiB) must fit. Of a record that is read in parts the library
 * (4.1.6) goes on taking the next part whatever the connection's state, and where that state takes
 * no more input (it has closed the connection for broken framing, and waits for what is unsent to
 * leave first) it does so for ever: any client could hold up the whole process. */
#define PROTOCOLS(name_, rx_bytes)                                                                 \
    static const struct lws_protocols name_[] = {                                                  \
        {                                                                                          \
         .name = "pricegate.v1",                                                                \
         .callback = session_callback,                                                          \
         .per_session_data_size = sizeof(void *),                                               \
         .rx_buffer_size = (rx_bytes),                                                          \
         .tx_packet_size = 1048576,                                                             \
         },                                                                                         \
        {.name = NULL},                                                                            \
    }
PROTOCOLS(plain_protocols, 256);
PROTOCOLS(tls_protocols, TLS_RECORD_BYTES);
#undef PROTOCOLS

/* The dead-peer rule is the fan-out's; the library's own pings would only add to it. Zeros mean "no
 * such timer"; without a policy the library would take its own (ping after 300 s, end after 310).
 * A time far away is no way either: the library keeps its timers in one sorted list, and each
 * connection's would be walked past by whatever is put in later (19,000 idle connections: half a
 * core for nothing else). */
static const lws_retry_bo_t no_pings = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

/* The library's memory. Of a buffer for records of TLS hardly more than the beginning is ever used
 * (data goes by in another one), but malloc() likes to make it of memory that TLS has just used:
 * the pages within are given back, which halves what an idle client costs. */
static void give_back(void *p, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)p;
    size_t before = (size_t)(-begin & (page - 1));
    size_t whole = size > before ? (size - before) & ~(page - 1) : 0;
    if (whole > 0)
        (void)madvise((char *)p + before, whole, MADV_DONTNEED);
}

static void *allocate(void *ptr, size_t size, const char *reason)
{
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    void *p = realloc(ptr, size);
    if (p && !ptr && size >= TLS_RECORD_BYTES && strcmp(reason, "rx_ubuf") == 0)
        give_back(p, size);
    return p;
}

static void log_library(int level, const char *line)
{
    char text[256];
    (void)level;
    snprintf(text, sizeof text, "%s", line);
    text[strcspn(text, "\n")] = '\0';
    log_event(LOG_DEBUG, "lws", "text=%s", text);
}

/* The library's own clocks run in whole seconds and count nothing: conn.c has the limits, these are
 * the net below them. */
static unsigned library_timeout_s(const struct server *s)
{
    int64_t headers_ms = s->config->limits.headers_ms, body_ms = s->config->limits.body_ms;
    return (unsigned)((headers_ms > body_ms ? headers_ms : body_ms) / 1000) + 5;
}

/* The library answers by itself what its parser refuses; those answers carry our headers, too. The
 * list is the vhost's for its life. */
static const struct lws_protocol_vhost_options *
constant_headers(struct lws_protocol_vhost_options out[static RESPONSE_CONSTANTS], bool tls)
{
    const struct lws_protocol_vhost_options *list = NULL;
    for (size_t i = RESPONSE_CONSTANTS; i-- > 0;) {
        if (response_constants[i].tls && !tls)
            continue;
        out[i] = (struct lws_protocol_vhost_options){
            .next = list, .name = response_constants[i].name, .value = response_constants[i].value};
        list = &out[i];
    }
    return list;
}

/* The library goes over to another virtual host when the beginning of its name is what the Host
 * header or the TLS handshake asks for, be it on another port: a WebSocket over TLS would be given
 * the small buffers of the plain port. No host begins with the slash that these names begin with.
 */
static struct lws_vhost *make_vhost(struct server *s, const char *name, bool tls)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .vhost_name = name,
        .protocols = tls ? tls_protocols : plain_protocols,
        .retry_and_idle_policy = &no_pings,
        .timeout_secs = library_timeout_s(s),
        .timeout_secs_ah_idle = library_timeout_s(s),
        .keepalive_timeout = CONN_KEEPALIVE_MS / 1000,
        .alpn = "http/1.1",
        .extensions = s->config->fanout.compression ? ws_extensions : NULL,
        .headers = constant_headers(s->loop_hooks.headers[tls], tls),
        .user = s,
    };
    if (tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = s->config->listen.tls_cert;
        info.ssl_private_key_filepath = s->config->listen.tls_key;
        info.ssl_cipher_list = TLS_CIPHERS;
    }
    return lws_create_vhost(s->lws, &info);
}

int loop_open_library(struct server *s, struct err *err)
{
    bool tls = s->config->listen.tls_cert != NULL;
    void *loops[] = {s->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .alpn = "http/1.1",
        .max_http_header_data = 16384,
        .pt_serv_buf_size = 65536,
        .timeout_secs = library_timeout_s(s),
        .user = s,
    };
    if (tls)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
    lws_set_allocator(allocate);
    s->lws = lws_create_context(&info);
    if (!s->lws)
        return err_set(err, "cannot start libwebsockets (is libwebsockets-evlib-uv installed?)");
    (void)netlink_mute(s->loop);
    s->vhost = make_vhost(s, "/main", tls);
    if (!s->vhost)
        return err_set(err, "cannot serve %s%s%s", s->url, tls ? " with the certificate " : "",
                       tls ? s->config->listen.tls_cert : "");
    if (s->config->listen.metrics_port >= 0) {
        s->plain_vhost = make_vhost(s, "/plain", false);
        if (!s->plain_vhost)
            return err_set(err, "cannot serve listen.metrics_port");
    }
    return 0;
}

/* With a loop that is not its own the library closes in two calls: the first ends all connections
 * and its handles, whose callbacks need turns of the loop; the second frees. Its handles carry the
 * context as their data, which is how we see them go. */
void loop_close_library(struct server *s)
{
    if (s->lws)
        lws_context_destroy(s->lws);
}

struct search {
    const void *data;
    bool found;
};

static void look_at(uv_handle_t *h, void *ctx)
{
    struct search *search = ctx;
    search->found = search->found || h->data == search->data;
}

bool loop_has_handles_of(uv_loop_t *loop, const struct lws_context *lws)
{
    struct search search = {lws, false};
    uv_walk(loop, look_at, &search);
    return search.found;
}

bool loop_library_gone(const struct server *s)
{
    return !s->lws || !loop_has_handles_of(s->loop, s->lws);
}

void loop_free_library(struct server *s)
{
    if (s->lws)
        lws_context_destroy(s->lws);
    s->lws = NULL;
}

/* --- the beat --- */

static void on_flush(uv_timer_t *t)
{
    (void)t; /* waking the loop was all: `prepare` follows */
}

static void take_turn(struct loop *l)
{
    int64_t wait_ns = tiers_turn(l->server->tiers, clock_wall_ms(), clock_mono_ns());
    if (wait_ns < 0) {
        uv_timer_stop(&l->flush);
        return;
    }
    uint64_t wait_ms = ((uint64_t)wait_ns + 999999) / 1000000;
    uv_timer_start(&l->flush, on_flush, wait_ms > 0 ? wait_ms : 1, 0);
}

static void on_prepare(uv_prepare_t *h)
{
    struct loop *l = h->data;
    bool more = ws_turn(l->server);
    take_turn(l);
    if (more)
        uv_timer_start(&l->flush, on_flush, 0, 0);
}

static void on_check(uv_check_t *h)
{
    struct loop *l = h->data;
    http_turn(l->server);
    take_turn(l);
}

static void on_tick(uv_timer_t *t)
{
    struct loop *l = t->data;
    struct server *s = l->server;
    int64_t mono_ns = clock_mono_ns(), mono_ms = mono_ns / 1000000;
    tiers_tick(s->tiers, clock_wall_ms(), mono_ns);
    conn_tick(s, mono_ms);
    ws_tick(s);
    unheard_tick(s, mono_ms);
    sse_tick(s, mono_ms);
    listener_tick(&s->listener, mono_ms);
    if (slack_due(&s->slack, s->conns_len[CONN_HTTP] + s->conns_len[CONN_STREAM], mono_ms))
        malloc_trim(0);
    listener_tick(&s->plain_listener, mono_ms);
}

void loop_start(struct loop *l, struct server *s)
{
    l->server = s;
    uv_prepare_init(s->loop, &l->prepare);
    uv_check_init(s->loop, &l->check);
    uv_timer_init(s->loop, &l->flush);
    uv_timer_init(s->loop, &l->tick);
    l->prepare.data = l->check.data = l->flush.data = l->tick.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
}

void loop_stop(struct loop *l, uv_close_cb on_closed)
{
    l->prepare.data = l->check.data = l->flush.data = l->tick.data = l->server;
    uv_close((uv_handle_t *)&l->prepare, on_closed);
    uv_close((uv_handle_t *)&l->check, on_closed);
    uv_close((uv_handle_t *)&l->flush, on_closed);
    uv_close((uv_handle_t *)&l->tick, on_closed);
}
