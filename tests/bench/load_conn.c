/* All connections read into one buffer; only what is left of an incomplete frame is copied into the
 * connection's own memory. The clock is read once per read: that is when those bytes arrived. */
#include "load_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "wsproto.h"

static const int SLOW_RCVBUF_BYTES = 4096;

/* --- bytes --- */

/* > 0 bytes, 0 would block, -1 broken or ended. */
static ssize_t verdict(const struct load_conn *c, ssize_t n)
{
    if (n > 0)
        return n;
    if (!c->ssl)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    int why = SSL_get_error(c->ssl, (int)n);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t receive(struct load_conn *c, unsigned char *out, size_t size)
{
    return verdict(c, c->ssl ? SSL_read(c->ssl, out, (int)size) : recv(c->fd, out, size, 0));
}

/* What a client says is short and its socket empty: a write that does not fit is a failure. */
static bool say(struct load_conn *c, const void *bytes, size_t len)
{
    ssize_t n = c->ssl ? SSL_write(c->ssl, bytes, (int)len) : send(c->fd, bytes, len, MSG_NOSIGNAL);
    return n == (ssize_t)len;
}

static bool say_frame(struct load_conn *c, int opcode, const void *payload, size_t len)
{
    unsigned char *frame = bench_alloc(WS_HEADER_MAX + len);
    size_t header = ws_header_client(frame, opcode, len);
    memcpy(frame + header, payload, len);
    bool said = say(c, frame, header + len);
    free(frame);
    return said;
}

static void watch(struct load *l, struct load_conn *c, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(l->epoll, how, c->fd, &e) != 0)
        bench_fail("epoll_ctl: %s", strerror(errno));
}

/* --- life --- */

uint64_t load_conn_missing(const struct load_conn *c)
{
    return c->items > 0 ? c->last_n - c->first_n + 1 - c->items : 0;
}

void load_conn_open(struct load *l, struct load_conn *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)l->o.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        bench_fail("socket: %s", strerror(errno));
    bench_set_option(c->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (c->slow)
        bench_set_option(c->fd, SOL_SOCKET, SO_RCVBUF, SLOW_RCVBUF_BYTES);
    if (connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS)
        bench_fail("connect: %s", strerror(errno));
    c->state = LOAD_CONNECTING;
    l->opening++;
    watch(l, c, EPOLL_CTL_ADD, EPOLLOUT);
}

void load_conn_close(struct load *l, struct load_conn *c)
{
    if (c->state == LOAD_CLOSED)
        return;
    if (c->ready)
        l->ready--;
    else
        l->opening--;
    l->missing += load_conn_missing(c);
    SSL_free(c->ssl);
    close(c->fd);
    free(c->rest);
    *c = (struct load_conn){.slow = c->slow, .leaver = c->leaver};
}

static void lose(struct load *l, struct load_conn *c)
{
    if (c->state == LOAD_OPEN)
        l->lost++;
    else
        l->refused++;
    load_conn_close(l, c);
}

static void be_ready(struct load *l, struct load_conn *c)
{
    if (c->ready)
        return;
    c->ready = true;
    l->opening--;
    l->ready++;
    if (c->slow)
        watch(l, c, EPOLL_CTL_MOD, 0);
}

/* --- subscribing --- */

/* The client's own `wanted` of the symbols; the same ones whenever it comes back. */
static size_t add_random_symbols(const struct load *l, const struct load_conn *c, char *out)
{
    int all[BENCH_SYMBOLS_MAX];
    size_t len = 0;
    uint64_t seed = (uint64_t)l->o.seed * UINT64_C(1000003) + (uint64_t)(c - l->conns);
    for (int i = 0; i < l->o.symbols; i++)
        all[i] = i;
    for (int i = 0; i < l->o.wanted; i++) {
        int other = i + (int)(bench_random(&seed) % (uint64_t)(l->o.symbols - i)),
            symbol = all[other];
        all[other] = all[i];
        all[i] = symbol;
        len += (size_t)sprintf(out + len, "%s\"S%04d\"", i > 0 ? "," : "", symbol);
    }
    return len;
}

static bool subscribe(struct load *l, struct load_conn *c)
{
    char *text = bench_alloc((size_t)l->o.wanted * 8 + 64);
    size_t len = (size_t)sprintf(text, "{\"action\":\"subscribe\",\"symbols\":[");
    if (l->o.wanted > 0)
        len += add_random_symbols(l, c, text + len);
    else
        len += (size_t)sprintf(text + len, "\"*\"");
    len += (size_t)sprintf(text + len, "]}");
    bool said = say_frame(c, WS_TEXT, text, len);
    free(text);
    return said;
}

/* --- counting --- */

static uint64_t read_number(const char **at, const char *end)
{
    uint64_t value = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        value = 10 * value + (uint64_t)(**at - '0');
    return value;
}

static void count_item(struct load *l, struct load_conn *c, const char *at, const char *end,
                       int64_t wall_ns)
{
    static const char number[] = ",\"n\":";
    int64_t pub_ns = (int64_t)read_number(&at, end);
    l->tally->items++;
    if (!c->leaver)
        latency_add(&l->tally->latency, wall_ns - pub_ns);
    if ((size_t)(end - at) < sizeof number || memcmp(at, number, sizeof number - 1) != 0)
        return;
    at += sizeof number - 1;
    uint64_t n = read_number(&at, end);
    if (c->items++ == 0)
        c->first_n = c->last_n = n;
    if (n < c->first_n)
        c->first_n = n;
    if (n > c->last_n)
        c->last_n = n;
}

static void count_frame(struct load *l, struct load_conn *c, const struct ws_frame *f,
                        int64_t wall_ns)
{
    static const char stamp[] = "\"pub_ns\":", snapshot[] = "\"snapshot\":true";
    size_t len = f->len;
    const unsigned char *text = f->payload;
    if (f->compressed) {
        if (!l->inflater)
            bench_fail("a compressed frame, but compression was not offered");
        text = inflate_message(l->inflater, f->payload, f->len, &len);
    }
    const char *at = (const char *)text, *end = at + len;
    bool is_snapshot = memmem(at, len < 64 ? len : 64, snapshot, sizeof snapshot - 1);
    if (is_snapshot)
        be_ready(l, c);
    if (!l->tally)
        return;
    l->tally->frames++;
    l->tally->bytes += f->total;
    l->tally->compressed += f->compressed != 0;
    while ((at = memmem(at, (size_t)(end - at), stamp, sizeof stamp - 1))) {
        at += sizeof stamp - 1;
        if (is_snapshot)
            l->tally->snapshot_items++;
        else
            count_item(l, c, at, end, wall_ns);
    }
}

/* Uses up the complete frames; returns how many bytes they had, -1: the server closes. */
static ssize_t take_frames(struct load *l, struct load_conn *c, const unsigned char *p, size_t len)
{
    struct ws_frame f;
    size_t used = 0;
    int64_t wall_ns = bench_wall_ns();
    while (ws_frame_read(&f, p + used, len - used)) {
        used += f.total;
        if (f.opcode == WS_CLOSE)
            return -1;
        if (f.opcode == WS_PING && !say_frame(c, WS_PONG, f.payload, f.len))
            return -1;
        if (f.opcode == WS_TEXT || f.opcode == WS_CONTINUATION)
            count_frame(l, c, &f, wall_ns);
    }
    return (ssize_t)used;
}

/* The answer to the upgrade; returns how many bytes it had, 0: not all there, -1: refused. */
static ssize_t take_answer(struct load *l, struct load_conn *c, const unsigned char *p, size_t len)
{
    const unsigned char *end = memmem(p, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (len < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "refused: %.*s\n", (int)(len < 60 ? len : 60), (const char *)p);
        return -1;
    }
    c->state = LOAD_OPEN;
    if (!l->o.no_subscribe && !subscribe(l, c))
        return -1;
    if (l->o.ready_open || c->slow)
        be_ready(l, c);
    return end + 4 - p;
}

/* --- events --- */

static void keep_rest(struct load_conn *c, const unsigned char *p, size_t len)
{
    if (len == LOAD_BUFFER_BYTES)
        bench_fail("a frame is longer than %d bytes", LOAD_BUFFER_BYTES);
    unsigned char *old = c->rest;
    c->rest = NULL;
    c->rest_len = len;
    if (len > 0) {
        c->rest = realloc(old, len);
        if (!c->rest)
            bench_fail("out of memory");
        memcpy(c->rest, p, len);
    } else {
        free(old);
    }
}

static int take_bytes(struct load *l, struct load_conn *c, size_t len)
{
    const unsigned char *p = l->buffer;
    ssize_t used = 0;
    if (c->state == LOAD_UPGRADING && (used = take_answer(l, c, p, len)) < 0)
        return -1;
    p += used;
    len -= (size_t)used;
    if (c->state == LOAD_OPEN && (used = take_frames(l, c, p, len)) < 0)
        return -1;
    else if (c->state == LOAD_OPEN) {
        p += used;
        len -= (size_t)used;
    }
    keep_rest(c, p, len);
    return 0;
}

static int read_all(struct load *l, struct load_conn *c)
{
    for (;;) {
        size_t len = c->rest_len, room = 0;
        ssize_t n = 0;
        if (len > 0)
            memcpy(l->buffer, c->rest, len);
        while (len < LOAD_BUFFER_BYTES) {
            room = LOAD_BUFFER_BYTES - len;
            n = receive(c, l->buffer + len, room);
            if (n <= 0)
                break;
            len += (size_t)n;
            if (!c->ssl)
                break;
        }
        if (n < 0)
            return -1;
        if (len > c->rest_len && take_bytes(l, c, len) != 0)
            return -1;
        if ((size_t)n < room || (c->slow && c->ready))
            return 0;
    }
}

static int handshake(struct load *l, struct load_conn *c)
{
    int done = SSL_do_handshake(c->ssl);
    if (done != 1) {
        int why = SSL_get_error(c->ssl, done);
        ERR_clear_error();
        watch(l, c, EPOLL_CTL_MOD, why == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    c->state = LOAD_UPGRADING;
    watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
    return say(c, l->request, l->request_len) ? 0 : -1;
}

static int connected(struct load *l, struct load_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        return -1;
    if (l->tls) {
        c->ssl = SSL_new(l->tls);
        if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
            bench_fail("OpenSSL: no connection object");
        SSL_set_connect_state(c->ssl);
        c->state = LOAD_HANDSHAKING;
        return handshake(l, c);
    }
    c->state = LOAD_UPGRADING;
    watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
    return say(c, l->request, l->request_len) ? 0 : -1;
}

void load_conn_event(struct load *l, struct load_conn *c, uint32_t events)
{
    int rc = 0;
    switch (c->state) {
    case LOAD_CLOSED:
        return;
    case LOAD_CONNECTING:
        rc = connected(l, c);
        break;
    case LOAD_HANDSHAKING:
        rc = handshake(l, c);
        break;
    case LOAD_UPGRADING:
    case LOAD_OPEN:
        if (c->slow && c->ready)
            rc = events & (EPOLLHUP | EPOLLERR) ? -1 : 0;
        else
            rc = read_all(l, c);
        break;
    }
    if (rc != 0)
        lose(l, c);
}
