/* Sockets are accepted here and handed to the library one by one. Per turn of the loop at most
 * ACCEPTS_PER_TURN: a thousand TLS handshakes in one turn would hold back every quote of that turn.
 * Options that each connection needs are set on the listening socket once; the kernel copies them
 * to accepted ones.
 *
 * Accepting pauses, and the rest waits in the kernel's backlog, when
 *   - files have run out (EMFILE and its like) or nearly so (limits.sockets): 100 ms, then again;
 *   - limits.accept_per_s is used up: until the next one is due.
 * While paused the socket is not polled; a level-triggered poll on a socket that we don't accept
 * from would turn the loop without end. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "server_private.h"

static const int ACCEPTS_PER_TURN = 32;
static const int64_t PAUSE_MS = 100;
/* Half-open peers: 30 s, and a little more, so that of one that takes nothing (a full socket is
 * nothing acknowledged, too) the fan-out notices first and says "slow". */
static const int USER_TIMEOUT_MS = 32000;
static const int BACKLOG = 4096;
/* The kernel takes no more while so much waits to be sent. What it holds for a client that does not
 * keep up are old prices, of which nothing can be taken back: 20 KB with this, 190 KB with the send
 * buffer of 128 KiB alone, where "writable" also comes only after 67-129 KB have been read instead
 * of 7. It costs nothing: in the benchmark's workloads "slow" (a tenth of 1,111 clients never
 * reads) and "burst" (115 KB at once to 1,000) the CPU per delivery with it was 0.81-0.92 and
 * 0.48-0.88 of that without it, in two pairs of runs on a noisy machine; "busy" showed nothing
 * but noise. */
static const int NOTSENT_BYTES = 16384;

static int resolve(const struct listener_options *o, struct addrinfo **out, struct err *err)
{
    char port[8];
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    char host[256];
    size_t len = strlen(o->host);
    snprintf(port, sizeof port, "%d", o->port);
    if (len > 2 && o->host[0] == '[' && o->host[len - 1] == ']')
        snprintf(host, sizeof host, "%.*s", (int)(len - 2), o->host + 1);
    else
        snprintf(host, sizeof host, "%s", o->host);
    int rc = getaddrinfo(host, port, &hints, out);
    if (rc != 0)
        return err_set(err, "%s:%d: cannot resolve: %s", o->host, o->port, gai_strerror(rc));
    return 0;
}

/* IPv4 first where a name has both, as localhost does: tools print and try that. */
static const struct addrinfo *choose(const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        if (a->ai_family == AF_INET)
            return a;
    return list;
}

static void set_int(int fd, int level, int name, int value)
{
    /* All of these are improvements, none is a condition. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static int bind_and_listen(int fd, const struct listener_options *o, const struct addrinfo *a)
{
    int on = 1;
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (o->share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return -1;
    if (a->ai_addr->sa_family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf_bytes);
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
    return bind(fd, a->ai_addr, a->ai_addrlen) == 0 ? listen(fd, BACKLOG) : -1;
}

static int bound_port(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    struct sockaddr_in6 in6;
    struct sockaddr_in in;
    if (ss.ss_family == AF_INET6) {
        memcpy(&in6, &ss, sizeof in6);
        return ntohs(in6.sin6_port);
    }
    memcpy(&in, &ss, sizeof in);
    return ntohs(in.sin_port);
}

int listener_open(struct listener *l, const struct listener_options *o, struct err *err)
{
    struct addrinfo *list = NULL;
    *l = (struct listener){.fd = -1, .plain = o->plain};
    if (resolve(o, &list, err) != 0)
        return -1;
    const struct addrinfo *a = choose(list);
    REQUIRE(a); /* getaddrinfo() has succeeded */
    int failure = 0;
    l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || bind_and_listen(l->fd, o, a) != 0)
        failure = errno;
    freeaddrinfo(list);
    if (failure != 0) {
        listener_abandon(l);
        return err_set(err, "%s:%d: %s", o->host, o->port,
                       failure == EADDRINUSE ? "address in use" : strerror(failure));
    }
    l->port = bound_port(l->fd);
    return 0;
}

void listener_abandon(struct listener *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* --- accepting --- */

static void pause_for(struct listener *l, int64_t ms, const char *reason, const char *why)
{
    unsigned suppressed;
    metrics_add(l->server->metrics, METRIC_ACCEPT_PAUSES, reason, NULL, 1);
    if (log_limit_pass(&l->limit, clock_mono_ms(), 10000, &suppressed))
        log_event(LOG_WARN, "accept_paused", "why=%s connections=%zu suppressed=%u", why,
                  l->server->conns_len[CONN_HTTP] + l->server->conns_len[CONN_STREAM], suppressed);
    l->paused = true;
    l->resume_ms = clock_mono_ms() + ms;
    uv_poll_stop(&l->poll);
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

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < ACCEPTS_PER_TURN && may_accept(l); i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            adopt(l, fd, (const struct sockaddr *)&peer);
            continue;
        }
        l->tokens += 1000; /* not used */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_for(l, PAUSE_MS, "files", strerror(errno));
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

int listener_start(struct listener *l, struct server *s)
{
    l->server = s;
    l->tokens_ms = clock_mono_ms();
    l->tokens = 1000 * s->config->limits.accept_per_s;
    if (uv_poll_init(s->loop, &l->poll, l->fd) != 0)
        return -1;
    l->poll.data = l;
    l->open = true;
    return uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void listener_stop(struct listener *l, uv_close_cb on_closed)
{
    uv_poll_stop(&l->poll);
    l->open = false;
    l->paused = false;
    l->poll.data = l->server;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    listener_abandon(l);
}

void listener_tick(struct listener *l, int64_t mono_ms)
{
    if (!l->open || !l->paused || mono_ms < l->resume_ms)
        return;
    l->paused = false;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}
