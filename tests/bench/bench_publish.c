/* bench_publish - feeds quotes at a set pace.
 *
 * Each quote leaves as SET key item EX ttl and PUBLISH, in one write, the way any program feeds
 * pricegate through Redis; or as POST to an HTTP publisher (Nchan). The item is a valid one and
 * carries two members of ours: pub_ns, this machine's clock when it was made, and n, its number.
 *
 * The schedule is absolute: quote number i is due at start + i / rate, whatever happened before.
 * A late publisher catches up instead of drifting, and how late it was is reported (late_ms_max),
 * because its lateness is part of nobody's latency: pub_ns is taken when the quote is made.
 *
 * Three schedules:
 *   --rate R                 R quotes per second, evenly, over the symbols in turn
 *   --burst K --every-ms T   K quotes at once, every T ms
 *   --interval-ms T          each symbol once per T ms, at a phase of its own (by --seed): the
 *                            irregular arrivals of independent instruments */
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

static const char usage[] = "--redis SOCKET | --http PORT --path PATH\n"
                            "         [--symbols 100] [--seconds 10] [--count N] [--seed 1]\n"
                            "         [--rate 1000 | --burst K --every-ms T | --interval-ms T]\n";

#define TTL_S     3600
#define ITEM_MAX  512
#define QUOTE_MAX (3 * ITEM_MAX)
#define BATCH_MAX 1000 /* quotes per write */

struct options {
    const char *redis, *path;
    int port, symbols, seed;
    double seconds, count, rate, burst, every_ms, interval_ms;
};

struct publisher {
    struct options o;
    int fd;
    int64_t start_ns, late_ns_max;
    uint64_t made, errors;
    double *phase; /* --interval-ms: 0..1, ascending; symbol order[i] is due at phase[i] */
    int *order;
    char *batch;
    size_t batch_len;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- the schedule --- */

struct phase {
    double at;
    int symbol;
};

static int by_time(const void *a, const void *b)
{
    const struct phase *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void draw_phases(struct publisher *p)
{
    size_t n = (size_t)p->o.symbols;
    uint64_t seed = (uint64_t)p->o.seed;
    struct phase *drawn = bench_alloc(n * sizeof *drawn);
    p->phase = bench_alloc(n * sizeof *p->phase);
    p->order = bench_alloc(n * sizeof *p->order);
    for (size_t i = 0; i < n; i++)
        drawn[i] = (struct phase){(double)(bench_random(&seed) >> 11) * 0x1p-53, (int)i};
    qsort(drawn, n, sizeof *drawn, by_time);
    for (size_t i = 0; i < n; i++) {
        p->phase[i] = drawn[i].at;
        p->order[i] = drawn[i].symbol;
    }
    free(drawn);
}

static int symbol_of(const struct publisher *p, uint64_t number)
{
    int i = (int)(number % (uint64_t)p->o.symbols);
    return p->order ? p->order[i] : i;
}

static int64_t due_ns(const struct publisher *p, uint64_t number)
{
    double s;
    if (p->o.interval_ms > 0) {
        uint64_t n = (uint64_t)p->o.symbols;
        s = ((double)(number / n) + p->phase[number % n]) * p->o.interval_ms / 1000;
    } else if (p->o.burst > 0) {
        s = (double)(number / (uint64_t)p->o.burst) * p->o.every_ms / 1000;
    } else {
        s = (double)number / p->o.rate;
    }
    return p->start_ns + (int64_t)(s * 1e9);
}

/* --- the bytes --- */

static int print_item(const struct publisher *p, char *out, int symbol, uint64_t number)
{
    int64_t wall_ns = bench_wall_ns(), ms = wall_ns / BENCH_NS_PER_MS;
    double change = (double)(number % 997) / 100;
    return snprintf(out, ITEM_MAX,
                    "{\"symbol\":\"S%04d\",\"price\":%.2f,\"currency\":\"USD\",\"prev_close\":200,"
                    "\"change\":%.2f,\"change_pct\":%.3f,\"ts\":%lld,\"recv\":%lld,"
                    "\"seq\":\"%llx:%llu\",\"source\":\"bench\",\"state\":\"live\","
                    "\"pub_ns\":%lld,\"n\":%llu}",
                    symbol, 200 + change, change, change / 2, (long long)ms, (long long)ms,
                    (unsigned long long)p->start_ns / 1000000,
                    (unsigned long long)(number / (uint64_t)p->o.symbols), (long long)wall_ns,
                    (unsigned long long)number);
}

static void add_quote(struct publisher *p)
{
    char item[ITEM_MAX], *out = p->batch + p->batch_len;
    int symbol = symbol_of(p, p->made), n, len = print_item(p, item, symbol, p->made);
    if (p->o.redis)
        n = snprintf(
            out, QUOTE_MAX,
            "*5\r\n$3\r\nSET\r\n$18\r\nS%04d:price:latest\r\n$%d\r\n%s\r\n$2\r\nEX\r\n"
            "$4\r\n%d\r\n*3\r\n$7\r\nPUBLISH\r\n$18\r\nS%04d:price:stream\r\n$%d\r\n%s\r\n",
            symbol, len, item, TTL_S, symbol, len, item);
    else
        n = snprintf(out, QUOTE_MAX,
                     "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     p->o.path, len, item);
    p->batch_len += (size_t)n;
    p->made++;
}

/* --- the connection --- */

/* Answers are of no interest but for Redis's errors, which begin a line with '-'. */
static void read_answers(struct publisher *p)
{
    char text[65536];
    ssize_t n;
    while ((n = recv(p->fd, text, sizeof text, MSG_DONTWAIT)) > 0)
        for (ssize_t i = 0; p->o.redis && i < n; i++)
            p->errors += text[i] == '-';
    if (n == 0)
        bench_fail("the other side has closed the connection");
    if (errno != EAGAIN && errno != EINTR)
        bench_fail("recv: %s", strerror(errno));
}

static void send_batch(struct publisher *p)
{
    for (size_t sent = 0; sent < p->batch_len;) {
        ssize_t n = send(p->fd, p->batch + sent, p->batch_len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            bench_fail("send: %s", strerror(errno));
        struct pollfd f = {p->fd, POLLIN | POLLOUT, 0};
        poll(&f, 1, 100);
        read_answers(p);
    }
    p->batch_len = 0;
    read_answers(p);
}

static bool finished(const struct publisher *p, int64_t next_ns)
{
    return stopped || (double)(next_ns - p->start_ns) >= p->o.seconds * 1e9 ||
           (p->o.count > 0 && (double)p->made >= p->o.count);
}

static void run(struct publisher *p)
{
    p->start_ns = bench_mono_ns();
    for (;;) {
        int64_t due = due_ns(p, p->made), now = bench_mono_ns();
        if (finished(p, due))
            break;
        if (due > now) {
            struct timespec t = {due / BENCH_NS_PER_S, due % BENCH_NS_PER_S};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
            continue;
        }
        if (now - due > p->late_ns_max)
            p->late_ns_max = now - due;
        for (int i = 0; i < BATCH_MAX && due <= now && !finished(p, due); i++) {
            add_quote(p);
            due = due_ns(p, p->made);
        }
        send_batch(p);
    }
}

/* --- options --- */

static void parse(struct options *o, char **argv)
{
    const struct option_row rows[] = {
        {"burst",       OPTION_REAL, &o->burst, 1, 100000},
        {"count",    OPTION_REAL, &o->count, 1, 1e9},
        {"every-ms",       OPTION_REAL, &o->every_ms, 1, 60000},
        {"http",       OPTION_INT, &o->port, 1, 65535},
        {"interval-ms",    OPTION_REAL, &o->interval_ms, 1, 600000},
        {"path",          OPTION_TEXT, &o->path, 0, 0},
        {"rate",    OPTION_REAL, &o->rate, 0.1, 1e6},
        {"redis", OPTION_TEXT, &o->redis, 0, 0},
        {"seconds",        OPTION_REAL, &o->seconds, 0.001, 600},
        {"seed",        OPTION_INT, &o->seed, 0, 1e9},
        {"symbols",     OPTION_INT, &o->symbols, 1, BENCH_SYMBOLS_MAX},
        {0       },
    };
    *o = (struct options){
        .path = "/", .symbols = 100, .seconds = 10, .rate = 1000, .every_ms = 1000, .seed = 1};
    options_read(rows, argv, usage);
    if (!o->redis == !o->port || strlen(o->path) > 256)
        options_usage(usage);
}

int main(int argc, char **argv)
{
    (void)argc;
    bench_bound_life();
    struct publisher p = {0};
    parse(&p.o, argv);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    if (p.o.interval_ms > 0)
        draw_phases(&p);
    p.batch = bench_alloc((size_t)BATCH_MAX * QUOTE_MAX);
    p.fd = p.o.redis ? bench_connect_unix(p.o.redis) : bench_connect_local(p.o.port);
    run(&p);
    double s = (double)(bench_mono_ns() - p.start_ns) / 1e9;
    printf("{\"published\":%llu,\"seconds\":%.3f,\"late_ms_max\":%.3f,\"errors\":%llu}\n",
           (unsigned long long)p.made, s, (double)p.late_ns_max / 1e6,
           (unsigned long long)p.errors);
    close(p.fd);
    free(p.batch);
    free(p.phase);
    free(p.order);
    return p.errors > 0;
}
