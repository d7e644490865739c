/* Sockets are accepted here and handed to the library one by one. Per turn of the loop at most
 * ACCEPTS_PER_TURN: a thousand TLS handshakes in one turn would hold back every quote of that turn.
 *
 * Accepting pauses, and the rest waits in the kernel's backlog, when
 *   - files have run out (EMFILE and its like) or nearly so (limits.sockets): 100 ms, then again;
 *   - limits.accept_per_s is used up: until the next one is due.
 * While paused the sockets are not polled; a level-triggered poll on a socket that we don't accept
 * from would turn the loop without end.
 *
 * Who waits in the queue of a socket that is closed is reset, though to him he is connected; where
 * several processes share a port, each has such a queue. So a listener that stops takes them in
 * before: they get an answer. */
#include "listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "server_private.h"

static const int ACCEPTS_PER_TURN = 32;
static const int64_t PAUSE_MS = 100;

static void pause_for(struct listener *l, int64_t ms, const char *reason, const char *why)
{
    unsigned suppressed;
    metrics_add(l->server->metrics, METRIC_ACCEPT_PAUSES, reason, NULL, 1);
    if (log_limit_pass(&l->limit, clock_mono_ms(), 10000, &suppressed))
        log_event(LOG_WARN, "accept_paused", "why=%s connections=%zu suppressed=%u", why,
                  l->server->conns_len[CONN_HTTP] + l->server->conns_len[CONN_STREAM], suppressed);
    l->paused = true;
    l->resume_ms = clock_mono_ms() + ms;
    for (size_t i = 0; i < l->endpoint.len; i++)
        uv_poll_stop(&l->polls[i]);
}

/* False, with a pause begun, when none may be accepted now. */
static bool may_accept(struct listener *l)
{
    const struct server *s = l->server;
    if (s->conns_len[CONN_HTTP] + s->conns_len[CONN_STREAM] >= s->capacity.sockets) {
        pause_for(l, PAUSE_MS, "files", "connections are at the limit of open files");
        return false;
    }
    int64_t per_s = s->config->limits.accept_per_s;
    if (per_s <= 0)
        return true;
    int64_t now_ms = clock_mono_ms();
    l->tokens += (now_ms - l->tokens_ms) * per_s;
    l->tokens_ms = now_ms;
    if (l->tokens > 1000 * per_s)
        l->tokens = 1000 * per_s;
    if (l->tokens < 1000) {
        pause_for(l, (1000 - l->tokens + per_s - 1) / per_s, "rate",
                  "limits.accept_per_s is used up");
        return false;
    }
    l->tokens -= 1000;
    return true;
}

static void adopt(struct listener *l, int fd, const struct sockaddr *peer)
{
    struct server *s = l->server;
    struct conn *c = conn_new(s, fd);
    if (!c) {
        close(fd);
        return;
    }
    if (peer->sa_family == AF_UNIX) {
        int bytes = (int)s->config->fanout.sndbuf_bytes;
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    c->peer = address_of_socket(peer);
    c->plain_port = l->plain;
    c->tls = !l->plain && s->config->listen.tls_cert;
    conn_deadline(c, s->config->limits.headers_ms);

    unsigned created = s->wsi_created;
    const lws_adopt_desc_t how = {
        .vh = l->plain ? s->plain_vhost : s->vhost,
        .type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
        .fd = {.sockfd = fd},
        .opaque = c,
    };
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&how);
    if (wsi)
        c->wsi = wsi;
    else if (s->wsi_created == created)
        conn_free(c); /* the library did not get far enough to tell us of the end by itself */
}

/* False: no more are to be had from this socket now. */
static bool accept_one(struct listener *l, int from)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    int fd = accept4(from, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        adopt(l, fd, (const struct sockaddr *)&peer);
        return true;
    }
    l->tokens += 1000; /* not used */
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_for(l, PAUSE_MS, "files", strerror(errno));
    return errno == EINTR || errno == ECONNABORTED;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    int fd = l->endpoint.fds[poll - l->polls];
    (void)events;
    for (int i = 0; status == 0 && i < ACCEPTS_PER_TURN && may_accept(l); i++)
        if (!accept_one(l, fd))
            return;
}

static int poll_all(struct listener *l)
{
    int rc = 0;
    for (size_t i = 0; i < l->endpoint.len && rc == 0; i++)
        rc = uv_poll_start(&l->polls[i], UV_READABLE, on_readable);
    return rc;
}

int listener_start(struct listener *l, struct server *s)
{
    l->server = s;
    l->tokens_ms = clock_mono_ms();
    l->tokens = 1000 * s->config->limits.accept_per_s;
    for (size_t i = 0; i < l->endpoint.len; i++) {
        REQUIRE(uv_poll_init(s->loop, &l->polls[i], l->endpoint.fds[i]) == 0);
        l->polls[i].data = l;
    }
    l->open = true;
    return poll_all(l);
}

/* Those who wait; not for ever, as others may keep coming. */
static void take_in(struct listener *l)
{
    for (size_t i = 0; i < l->endpoint.len; i++)
        for (int n = 0; n < ENDPOINT_BACKLOG && may_accept(l); n++)
            if (!accept_one(l, l->endpoint.fds[i]))
                break;
}

unsigned listener_stop(struct listener *l, bool politely, uv_close_cb on_closed)
{
    if (!l->open)
        return 0;
    if (politely)
        take_in(l);
    unsigned n = (unsigned)l->endpoint.len;
    l->open = l->paused = false;
    for (size_t i = 0; i < n; i++) {
        uv_poll_stop(&l->polls[i]);
        l->polls[i].data = l->server;
        uv_close((uv_handle_t *)&l->polls[i], on_closed);
    }
    endpoint_close(&l->endpoint);
    return n;
}

void listener_tick(struct listener *l, int64_t mono_ms)
{
    if (!l->open || !l->paused || mono_ms < l->resume_ms)
        return;
    l->paused = false;
    (void)poll_all(l);
}
