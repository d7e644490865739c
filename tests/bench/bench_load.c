/* bench_load - a crowd of WebSocket clients in one process, and what it sees of the server.
 *
 *   opening ─► (all ready: "ready" on stderr) ─► warming ─► counting ─► [storm] ─► one line of JSON
 *
 * Counting means: what is received within --seconds, and what the server (--pid) used meanwhile.
 * Latency runs from the publisher's clock in the item to our reading of it.
 *
 *   --want K       each client subscribes to K of --symbols, drawn by --seed; 0: to everything
 *   --slow N       N more clients subscribe and never read
 *   --churn P      each second P percent of the clients close and come back
 *   --storm N      after counting, the last N clients close at once and come back at once; measured
 *                  is the time until all have their snapshot, and the others' latency meanwhile
 *   --deflate      offers permessage-deflate and inflates what comes compressed
 *   --no-subscribe --ready-open   for servers that send everything to everybody */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "bench.h"
#include "load_conn.h"
#include "load_report.h"
#include "options.h"

static const char usage[] =
    "--port N [--path /ws] [--host 127.0.0.1:PORT] [--tls] [--pid SERVER]\n"
    "         [--clients 1000] [--symbols 100] [--want 0] [--seed 1] [--slow 0] [--churn 0]\n"
    "         [--storm 0] [--warm 1] [--seconds 5] [--opening 256] [--no-subscribe] "
    "[--ready-open] [--deflate]\n";

#define EVENTS_MAX 1024
static const int64_t OPENING_LIMIT_NS = 60 * BENCH_NS_PER_S;
static const int64_t CHURN_STEP_NS = 50 * BENCH_NS_PER_MS;
static const int64_t STORM_MIN_NS = BENCH_NS_PER_S; /* the survivors are watched at least so long */

enum phase { OPENING, WARMING, COUNTING, STORM, DONE };

struct course {
    struct load load;
    struct load_report report;
    struct load_tally count, storm;
    enum phase phase;
    int64_t since_ns; /* when this phase began */
    int *todo;        /* clients still to be opened, a ring */
    size_t todo_head, todo_len;
    int64_t churn_ns;
    double churn_due;
    int churn_next;
};

/* --- opening --- */

static void plan(struct course *s, int client)
{
    size_t size = (size_t)s->load.o.clients;
    s->todo[(s->todo_head + s->todo_len++) % size] = client;
}

static void open_some(struct course *s)
{
    while (s->todo_len > 0 && s->load.opening < s->load.o.opening_max) {
        int client = s->todo[s->todo_head];
        s->todo_head = (s->todo_head + 1) % (size_t)s->load.o.clients;
        s->todo_len--;
        load_conn_open(&s->load, &s->load.conns[client]);
    }
}

static bool all_ready(const struct course *s)
{
    return s->todo_len == 0 && s->load.opening == 0;
}

static void give_up_when_late(const struct course *s, int64_t now_ns)
{
    if (now_ns - s->since_ns > OPENING_LIMIT_NS)
        bench_fail("%d of %d clients ready after %lld s, %d opening, %llu refused, %llu lost",
                   s->load.ready, s->load.o.clients, (long long)(OPENING_LIMIT_NS / BENCH_NS_PER_S),
                   s->load.opening, (unsigned long long)s->load.refused,
                   (unsigned long long)s->load.lost);
}

/* --- churn and storm --- */

static void send_away(struct course *s, int client)
{
    if (s->load.conns[client].state != LOAD_OPEN)
        return;
    load_conn_close(&s->load, &s->load.conns[client]);
    plan(s, client);
}

static void churn(struct course *s, int64_t now_ns)
{
    if (!(s->load.o.churn > 0) || now_ns < s->churn_ns)
        return;
    s->churn_ns = now_ns + CHURN_STEP_NS;
    s->churn_due += s->load.o.churn / 100 * s->load.o.clients * (double)CHURN_STEP_NS / 1e9;
    for (; s->churn_due >= 1; s->churn_due--) {
        if (!s->load.conns[s->churn_next].slow)
            send_away(s, s->churn_next);
        s->churn_next = (s->churn_next + 1) % s->load.o.clients;
    }
}

static void begin_storm(struct course *s)
{
    s->load.tally = &s->storm;
    for (int i = 0; i < s->load.o.clients; i++)
        if (s->load.conns[i].leaver)
            send_away(s, i);
}

/* --- the course --- */

static double cpu_used_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void begin_count(struct course *s)
{
    struct load *l = &s->load;
    l->missing = 0;
    for (int i = 0; i < l->o.clients; i++)
        l->conns[i].items = 0;
    l->tally = &s->count;
    s->report.load_cpu_s = -cpu_used_s();
    process_read(&s->report.start, l->o.pid);
}

static void end_count(struct course *s, int64_t now_ns)
{
    struct load *l = &s->load;
    process_read(&s->report.end, l->o.pid);
    s->report.load_cpu_s += cpu_used_s();
    s->report.seconds = (double)(now_ns - s->since_ns) / 1e9;
    s->report.missing = (int64_t)l->missing;
    l->tally = NULL;
    for (int i = 0; i < l->o.clients; i++) {
        s->report.missing += (int64_t)load_conn_missing(&l->conns[i]);
        s->report.silent += !l->conns[i].slow && l->conns[i].items == 0;
    }
    if (l->o.wanted > 0)
        s->report.missing = -1;
}

static void enter(struct course *s, enum phase phase, int64_t now_ns)
{
    s->phase = phase;
    s->since_ns = now_ns;
}

static void step(struct course *s, int64_t now_ns)
{
    const struct load_options *o = &s->load.o;
    double passed_s = (double)(now_ns - s->since_ns) / 1e9;
    switch (s->phase) {
    case OPENING:
        give_up_when_late(s, now_ns);
        if (!all_ready(s))
            break;
        s->report.open_s = passed_s;
        process_read(&s->report.opened, o->pid);
        process_forget_peak(o->pid);
        fprintf(stderr, "ready\n");
        enter(s, WARMING, now_ns);
        break;
    case WARMING:
        churn(s, now_ns);
        if (passed_s < o->warm_s)
            break;
        begin_count(s);
        enter(s, COUNTING, bench_mono_ns());
        break;
    case COUNTING:
        churn(s, now_ns);
        if (passed_s < o->seconds)
            break;
        end_count(s, now_ns);
        enter(s, o->storm > 0 ? STORM : DONE, bench_mono_ns());
        if (o->storm > 0)
            begin_storm(s);
        break;
    case STORM:
        give_up_when_late(s, now_ns);
        if (s->report.storm_s < 0 && all_ready(s)) {
            s->report.storm_s = passed_s;
            process_read(&s->report.storm_end, o->pid);
        }
        if (s->report.storm_s >= 0 && now_ns - s->since_ns >= STORM_MIN_NS)
            enter(s, DONE, now_ns);
        break;
    case DONE:
        break;
    }
}

static void run(struct course *s)
{
    struct epoll_event events[EVENTS_MAX];
    enter(s, OPENING, bench_mono_ns());
    while (s->phase != DONE) {
        open_some(s);
        int n = epoll_wait(s->load.epoll, events, EVENTS_MAX, s->phase == OPENING ? 1 : 5);
        if (n < 0 && errno != EINTR)
            bench_fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            load_conn_event(&s->load, events[i].data.ptr, events[i].events);
        step(s, bench_mono_ns());
    }
}

/* --- options --- */

static void parse(struct load_options *o, char **argv)
{
    const struct option_row rows[] = {
        {"churn",           OPTION_REAL, &o->churn, 0, 100},
        {"clients",        OPTION_INT, &o->clients, 1, 60000},
        {"deflate",              OPTION_FLAG, &o->deflate, 0, 0},
        {"host",         OPTION_TEXT, &o->host, 0, 0},
        {"no-subscribe",      OPTION_FLAG, &o->no_subscribe, 0, 0},
        {"opening",            OPTION_INT, &o->opening_max, 1, 4096},
        {"path",         OPTION_TEXT, &o->path, 0, 0},
        {"pid",      OPTION_INT, &o->pid, 1, 1 << 30},
        {"port",                OPTION_INT, &o->port, 1, 65535},
        {"ready-open",            OPTION_FLAG, &o->ready_open, 0, 0},
        {"seconds",         OPTION_REAL, &o->seconds, 0.1, 600},
        {"seed",                OPTION_INT, &o->seed, 0, 1e9},
        {"slow",    OPTION_INT, &o->slow, 0, 60000},
        {"storm", OPTION_INT, &o->storm, 0, 60000},
        {"symbols",                OPTION_INT, &o->symbols, 1, BENCH_SYMBOLS_MAX},
        {"tls",         OPTION_FLAG, &o->tls, 0, 0},
        {"want",  OPTION_INT, &o->wanted, 0, BENCH_SYMBOLS_MAX},
        {"warm",             OPTION_REAL, &o->warm_s, 0, 600},
        {0           },
    };
    *o = (struct load_options){.path = "/ws",
                               .host = "127.0.0.1",
                               .clients = 1000,
                               .symbols = 100,
                               .warm_s = 1,
                               .seconds = 5,
                               .opening_max = 256,
                               .seed = 1};
    options_read(rows, argv, usage);
    if (o->port == 0 || o->wanted > o->symbols || o->storm > o->clients)
        options_usage(usage);
    o->clients += o->slow;
}

static void prepare(struct course *s)
{
    static const char deflate_offer[] =
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    struct load *l = &s->load;
    if (bench_raise_files() < l->o.clients + 64)
        bench_fail("%d clients need more open files than `ulimit -Hn` allows", l->o.clients);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->buffer = bench_alloc(LOAD_BUFFER_BYTES);
    l->conns = bench_alloc((size_t)l->o.clients * sizeof *l->conns);
    s->todo = bench_alloc((size_t)l->o.clients * sizeof *s->todo);
    for (int i = 0; i < l->o.clients; i++) {
        l->conns[i].slow = i < l->o.slow;
        l->conns[i].leaver = i >= l->o.clients - l->o.storm;
        plan(s, i);
    }
    l->request_len = (size_t)snprintf(
        l->request, sizeof l->request,
        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
        l->o.path, l->o.host, l->o.deflate ? deflate_offer : "");
    if (l->o.deflate)
        l->inflater = inflater_new();
    if (l->request_len >= sizeof l->request)
        options_usage(usage);
    /* The certificate is the benchmark's own, made a moment ago, and the server on loopback. */
    if (l->o.tls && !(l->tls = SSL_CTX_new(TLS_client_method())))
        bench_fail("OpenSSL: no context");
    process_read(&s->report.before, l->o.pid);
    s->report.storm_s = -1;
}

static void finish(struct course *s)
{
    struct load *l = &s->load;
    for (int i = 0; i < l->o.clients; i++)
        load_conn_close(l, &l->conns[i]);
    SSL_CTX_free(l->tls);
    inflater_free(l->inflater);
    free(l->buffer);
    free(l->conns);
    free(s->todo);
    free(s);
}

int main(int argc, char **argv)
{
    (void)argc;
    bench_bound_life();
    struct course *s = bench_alloc(sizeof *s);
    parse(&s->load.o, argv);
    signal(SIGPIPE, SIG_IGN);
    prepare(s);
    run(s);
    load_report_print(&s->load, &s->report, &s->count, &s->storm);
    finish(s);
    return 0;
}
