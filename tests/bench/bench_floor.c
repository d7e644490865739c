/* bench_floor - the least that this fan-out can cost on this machine.
 *
 * It hears the same Redis channels as pricegate and sends the same bytes to the same clients: one
 * WebSocket text frame {"type":"quote","data":[item,...]} around the items, one send() for each
 * client. No library but libc (OpenSSL with --cert), no protocol beyond the 101 answer and a look
 * for symbols in the subscribe message, no checks, no states, no metrics, no care for slow clients
 * but that they miss what is too much for them. What a real server costs more than this is its own
 * work; what it costs as much as this is the kernel's.
 *
 *   --flush-ms 0    one send per client per message (or per what one read of Redis's socket held)
 *   --flush-ms 10   at once after a pause, then one send per client per 10 ms; a symbol at most
 *                   once per frame, with its newest value
 * A client that names its symbols gets a frame of its own per item, always. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "floor_client.h"
#include "floor_sockets.h"
#include "options.h"
#include "resp.h"
#include "wsproto.h"

static const char usage[] = "--redis SOCKET [--port 0] [--symbols 100] [--flush-ms 10]\n"
                            "         [--sndbuf 131072] [--cert PEM --key PEM]\n";

#define ITEM_MAX   4096
#define EVENTS_MAX 256

struct list {
    struct floor_client **clients;
    size_t len, cap;
};

struct latest {
    char *bytes;
    size_t len;
    bool pending;
};

struct options {
    const char *redis, *cert, *key;
    int port, symbols, flush_ms, sndbuf;
};

struct floor {
    struct options o;
    int epoll, listener, redis;
    SSL_CTX *tls;
    struct resp *resp;
    struct latest *latest; /* by symbol */
    struct list *wanting;  /* by symbol: clients that named it */
    struct list everything;
    int *pending; /* symbols to be sent with the next flush, in order of arrival */
    size_t pending_len;
    int64_t last_flush_ns;
    unsigned char *frame;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- who wants what --- */

static void list_add(struct list *l, struct floor_client *c)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->clients = realloc(l->clients, l->cap * sizeof *l->clients);
        if (!l->clients)
            bench_fail("out of memory");
    }
    l->clients[l->len++] = c;
}

static void forget(struct floor *f, struct floor_client *c)
{
    if (c->all) {
        struct list *l = &f->everything;
        l->clients[c->place] = l->clients[--l->len];
        l->clients[c->place]->place = c->place;
    }
    for (size_t i = 0; i < c->symbols_len; i++) {
        struct list *l = &f->wanting[c->symbols[i]];
        for (size_t at = 0; at < l->len; at++)
            if (l->clients[at] == c) {
                l->clients[at] = l->clients[--l->len];
                break;
            }
    }
    floor_client_free(c);
}

static void watch(struct floor *f, struct floor_client *c, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(f->epoll, how, c->fd, &e) != 0)
        bench_fail("epoll_ctl: %s", strerror(errno));
}

/* Clients whose connection broke in the middle of a walk over a list are shut, not freed: their
 * socket becomes readable and ends them in the next turn. */
static void send_to(struct floor *f, struct floor_client *c, const unsigned char *bytes, size_t len)
{
    bool had_rest = c->rest;
    if (floor_client_send(c, bytes, len) < 0)
        shutdown(c->fd, SHUT_RDWR);
    else if (c->rest && !had_rest)
        watch(f, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

/* --- frames --- */

/* Builds the frame around the latest items of symbols[]; returns its first byte. */
static unsigned char *build(struct floor *f, const char *head, const int *symbols, size_t n,
                            size_t *len)
{
    unsigned char *begin = f->frame + WS_HEADER_MAX, *p = begin, header[WS_HEADER_MAX];
    size_t added = 0, head_len = strlen(head);
    memcpy(p, head, head_len);
    p += head_len;
    for (size_t i = 0; i < n; i++) {
        const struct latest *l = &f->latest[symbols[i]];
        if (!l->bytes)
            continue;
        if (added++ > 0)
            *p++ = ',';
        memcpy(p, l->bytes, l->len);
        p += l->len;
    }
    *p++ = ']';
    *p++ = '}';
    size_t header_len = ws_header_server(header, WS_TEXT, (size_t)(p - begin));
    memcpy(begin - header_len, header, header_len);
    *len = (size_t)(p - begin) + header_len;
    return begin - header_len;
}

static const char QUOTE[] = "{\"type\":\"quote\",\"data\":[";
static const char SNAPSHOT[] = "{\"type\":\"quote\",\"snapshot\":true,\"data\":[";

static void flush(struct floor *f, int64_t now_ns)
{
    size_t len;
    if (f->everything.len > 0) {
        const unsigned char *frame = build(f, QUOTE, f->pending, f->pending_len, &len);
        for (size_t i = 0; i < f->everything.len; i++)
            send_to(f, f->everything.clients[i], frame, len);
    }
    for (size_t i = 0; i < f->pending_len; i++) {
        const struct list *l = &f->wanting[f->pending[i]];
        f->latest[f->pending[i]].pending = false;
        if (l->len == 0)
            continue;
        const unsigned char *frame = build(f, QUOTE, &f->pending[i], 1, &len);
        for (size_t at = 0; at < l->len; at++)
            send_to(f, l->clients[at], frame, len);
    }
    f->pending_len = 0;
    f->last_flush_ns = now_ns;
}

/* Flushes when that is due; otherwise says in how many ms it will be, -1: nothing is waiting. */
static int flush_or_wait(struct floor *f)
{
    if (f->pending_len == 0)
        return -1;
    int64_t now_ns = bench_mono_ns();
    int64_t wait_ns = f->last_flush_ns + f->o.flush_ms * BENCH_NS_PER_MS - now_ns;
    if (wait_ns > 0)
        return (int)((wait_ns + BENCH_NS_PER_MS - 1) / BENCH_NS_PER_MS);
    flush(f, now_ns);
    return -1;
}

/* --- what comes in --- */

/* "S0042..." is symbol 42; -1: not one of ours. */
static int symbol_at(const struct floor *f, const char *text, size_t len)
{
    int id = 0;
    if (len < 5 || text[0] != 'S')
        return -1;
    for (size_t i = 1; i < 5; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        id = 10 * id + (text[i] - '0');
    }
    return id < f->o.symbols ? id : -1;
}

static void on_message(void *ctx, const char *channel, size_t channel_len, const char *bytes,
                       size_t len)
{
    struct floor *f = ctx;
    int id = symbol_at(f, channel, channel_len);
    if (id < 0 || len > ITEM_MAX)
        return;
    struct latest *l = &f->latest[id];
    if (!l->bytes)
        l->bytes = bench_alloc(ITEM_MAX);
    memcpy(l->bytes, bytes, len);
    l->len = len;
    if (!l->pending)
        f->pending[f->pending_len++] = id;
    l->pending = true;
}

static void subscribe(struct floor *f, struct floor_client *c, const char *text, size_t len)
{
    int all[BENCH_SYMBOLS_MAX];
    size_t frame_len, n = 0;
    if (memmem(text, len, "\"*\"", 3)) {
        c->all = true;
        c->place = f->everything.len;
        list_add(&f->everything, c);
        for (int i = 0; i < f->o.symbols; i++)
            all[n++] = i;
    }
    for (size_t at = 0; at < len && !c->all && n < BENCH_SYMBOLS_MAX; at++) {
        int id = text[at] == '"' ? symbol_at(f, text + at + 1, len - at - 1) : -1;
        if (id < 0)
            continue;
        list_add(&f->wanting[id], c);
        all[n++] = id;
    }
    if (!c->all && n > 0) {
        c->symbols = bench_alloc(n * sizeof *c->symbols);
        c->symbols_len = n;
        memcpy(c->symbols, all, n * sizeof *all);
    }
    const unsigned char *frame = build(f, SNAPSHOT, all, n, &frame_len);
    send_to(f, c, frame, frame_len);
}

/* -1: the client has closed. */
static int take_frames(struct floor *f, struct floor_client *c)
{
    struct ws_frame frame;
    while (c->in && ws_frame_read(&frame, c->in, c->in_len)) {
        unsigned char *text = c->in + (frame.payload - c->in);
        for (size_t i = 0; i < frame.len; i++)
            text[i] ^= frame.mask[i % 4];
        if (frame.opcode == WS_CLOSE)
            return -1;
        if (frame.opcode == WS_TEXT && !c->all && c->symbols_len == 0)
            subscribe(f, c, (char *)text, frame.len);
        floor_client_consume(c, frame.total);
    }
    return 0;
}

static void serve(struct floor *f, struct floor_client *c, uint32_t events)
{
    int rc = 0;
    if (events & EPOLLOUT) {
        rc = floor_client_drain(c);
        if (rc == 0 && !c->rest)
            watch(f, c, EPOLL_CTL_MOD, EPOLLIN);
    }
    if (rc == 0 && events & ~(uint32_t)EPOLLOUT)
        rc = floor_client_receive(c);
    if (rc == 0 && !c->upgraded)
        rc = floor_client_upgrade(c) < 0 ? -1 : 0;
    if (rc == 0 && c->upgraded)
        rc = take_frames(f, c);
    if (rc < 0)
        forget(f, c);
}

static void accept_clients(struct floor *f)
{
    for (int i = 0; i < 64; i++) {
        int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                bench_fail("accept: %s", strerror(errno));
            return;
        }
        watch(f, floor_client_new(fd, f->tls), EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* --- life --- */

static void open_floor(struct floor *f)
{
    size_t n = (size_t)f->o.symbols;
    bench_raise_files();
    f->resp = bench_alloc(sizeof *f->resp);
    f->latest = bench_alloc(n * sizeof *f->latest);
    f->wanting = bench_alloc(n * sizeof *f->wanting);
    f->pending = bench_alloc(n * sizeof *f->pending);
    f->frame = bench_alloc(n * (ITEM_MAX + 1) + 256);
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (f->o.cert)
        f->tls = floor_tls(f->o.cert, f->o.key);
    f->listener = floor_listen(&f->o.port, f->o.sndbuf);
    f->redis = floor_subscribe(f->o.redis, f->o.symbols);
    struct epoll_event listener = {EPOLLIN, {.ptr = &f->listener}};
    struct epoll_event redis = {EPOLLIN, {.ptr = &f->redis}};
    if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->listener, &listener) != 0 ||
        epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->redis, &redis) != 0)
        bench_fail("epoll: %s", strerror(errno));
}

static void run(struct floor *f)
{
    struct epoll_event events[EVENTS_MAX];
    while (!stopped) {
        int n = epoll_wait(f->epoll, events, EVENTS_MAX, flush_or_wait(f));
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &f->listener)
                accept_clients(f);
            else if (events[i].data.ptr == &f->redis)
                resp_read(f->resp, f->redis, on_message, f);
            else
                serve(f, events[i].data.ptr, events[i].events);
        }
    }
}

static void parse(struct options *o, char **argv)
{
    const struct option_row rows[] = {
        {"cert",        OPTION_TEXT, &o->cert, 0, 0},
        {"flush-ms",     OPTION_INT, &o->flush_ms, 0, 1000},
        {"key",            OPTION_TEXT, &o->key, 0, 0},
        {"port",    OPTION_INT, &o->port, 0, 65535},
        {"redis", OPTION_TEXT, &o->redis, 0, 0},
        {"sndbuf",         OPTION_INT, &o->sndbuf, 4096, 1 << 26},
        {"symbols",         OPTION_INT, &o->symbols, 1, BENCH_SYMBOLS_MAX},
        {0     },
    };
    *o = (struct options){.symbols = 100, .flush_ms = 10, .sndbuf = 131072};
    options_read(rows, argv, usage);
    if (!o->redis || !o->cert != !o->key)
        options_usage(usage);
}

/* Ends by SIGTERM, with its parent, or with its time. */
int main(int argc, char **argv)
{
    (void)argc;
    bench_bound_life();
    struct floor *f = bench_alloc(sizeof *f);
    parse(&f->o, argv);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    open_floor(f);
    printf("{\"port\":%d}\n", f->o.port);
    fflush(stdout);
    run(f);
    _exit(0); /* what it holds the kernel takes back, without a walk over thousands of clients */
}
