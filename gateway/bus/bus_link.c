/* bus_link.c - the life of one connection.
 *
 *   IDLE -> RESOLVING -> CONNECTING -> READY
 *              |   ^        |   ^        |
 *              v   |        v   |next    v
 *           WAITING <----- FAILED <------+
 *
 * Rules that hiredis 0.14 forces on us:
 * - It frees a context by itself after an error, running callbacks with NULL on the way. So l->ac
 *   is set to NULL the moment it tells us, and what a callback touches (the link) outlives the
 *   context.
 * - A context must not be freed from its connect callback. So nothing is ever freed where a failure
 *   is noticed: link_fail() writes down why, and a timer of 0 ms does the rest.
 * - redisAsyncConnect() on a name blocks for as long as the resolver likes. So names go to
 *   uv_getaddrinfo(), at every attempt anew, and hiredis only sees numeric addresses.
 * - It knows no time-outs. One timer serves all: what it means follows from the state.
 *
 * A lookup has no deadline of its own: giving one up does not stop its thread, and a dead name
 * server would collect one more stuck thread per attempt. */
#include "bus_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "bus_redis_adapter.h"
#include "clock.h"

enum {
    LATE_MS = 500,          /* a timer this late: it was us who slept, not Redis */
    BACKOFF_FIRST_MS = 200, /* at most; at least half of it */
};

struct request {
    link_reply *fn;
    void *arg;
};
static void on_timer(uv_timer_t *timer);

int64_t link_backoff_ms(unsigned attempts, int64_t max_ms, uint32_t random)
{
    int64_t full = BACKOFF_FIRST_MS;
    while (attempts-- > 0 && full < max_ms)
        full *= 2;
    if (full > max_ms)
        full = max_ms;
    return full / 2 + (int64_t)(random % (uint32_t)(full / 2 + 1));
}

/* xorshift32: it only has to keep several gateways from coming back in step. */
static uint32_t next_random(struct link *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 17;
    l->random ^= l->random << 5;
    return l->random;
}

static void set_timer(struct link *l, int64_t delay_ms)
{
    l->timer_due_ms = clock_mono_ms() + delay_ms;
    uv_update_time(l->loop);
    uv_timer_start(&l->timer, on_timer, (uint64_t)delay_ms, 0);
}

struct bus_limits link_limits(const struct bus_limits *l)
{
    return (struct bus_limits){
        .connect_ms = l->connect_ms ? l->connect_ms : 2000,
        .ping_ms = l->ping_ms ? l->ping_ms : 1000,
        /* with connecting and reading again still under 5 s */
        .backoff_ms = l->backoff_ms ? l->backoff_ms : 4000,
        .in_flight = l->in_flight ? l->in_flight : 1024,
    };
}

/* NOLINTNEXTLINE(readability-function-size): all is needed, and of different kinds */
void link_init(struct link *l, uv_loop_t *loop, const struct bus_url *url, struct bus_tls *tls,
               bool select_db, const struct bus_limits *limits, const struct link_events *events)
{
    *l = (struct link){.loop = loop,
                       .url = url,
                       .tls = tls,
                       .events = *events,
                       .select_db = select_db,
                       .limits = *limits};
    l->random = (uint32_t)((uint64_t)clock_mono_ns() ^ (uintptr_t)l) | 1;
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
}

bool link_is_ready(const struct link *l)
{
    return l->state == LINK_READY && l->ac;
}

void link_fail(struct link *l, const char *why)
{
    if (l->state == LINK_IDLE || l->state == LINK_FAILED || l->state == LINK_WAITING)
        return;
    snprintf(l->why, sizeof l->why, "%s", why);
    l->state = LINK_FAILED;
    set_timer(l, 0);
}

void link_heard(struct link *l)
{
    l->heard = true;
}

void link_praise(struct link *l, unsigned attempts)
{
    if (l->attempts > attempts)
        l->attempts = attempts;
}

void link_hurry(struct link *l)
{
    if (l->state == LINK_WAITING)
        set_timer(l, 0);
}

/* ---- commands ---- */

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct link *l = ac->data;
    struct request *r = privdata;
    l->in_flight--;
    if (reply)
        link_heard(l);
    r->fn(l->events.ctx, r->arg, reply);
    free(r);
}

static int send_command(struct link *l, link_reply *fn, void *arg, int argc,
                        const char *const *argv, const size_t *lens)
{
    const char *words[LINK_ARGS_MAX]; /* hiredis takes them without the second const */
    REQUIRE(argc <= LINK_ARGS_MAX);
    memcpy(words, argv, (size_t)argc * sizeof *words);
    struct request *r = malloc(sizeof *r);
    if (!r)
        return -1;
    *r = (struct request){fn, arg};
    l->in_flight++;
    if (redisAsyncCommandArgv(l->ac, on_reply, r, argc, words, lens) != REDIS_OK) {
        l->in_flight--;
        free(r);
        return -1;
    }
    return 0;
}

int link_send(struct link *l, link_reply *fn, void *arg, int argc, const char *const *argv,
              const size_t *lens)
{
    return link_is_ready(l) ? send_command(l, fn, arg, argc, argv, lens) : -1;
}

int link_subscribe(struct link *l, redisCallbackFn *fn, int argc, const char *const *argv,
                   const size_t *lens)
{
    const char *words[LINK_ARGS_MAX];
    REQUIRE(argc <= LINK_ARGS_MAX);
    if (!link_is_ready(l))
        return -1;
    memcpy(words, argv, (size_t)argc * sizeof *words);
    return redisAsyncCommandArgv(l->ac, fn, NULL, argc, words, lens) == REDIS_OK ? 0 : -1;
}

/* ---- from a socket to READY ---- */

/* From one question to the next. A little less than the period, so that question and answer take no
 * more than two of them though timers come late: by then a dead Redis should have been noticed. */
static int64_t probe_ms(const struct link *l)
{
    return l->limits.ping_ms - l->limits.ping_ms / 50;
}

/* AUTH, SELECT and PING leave together; the first error decides, PING's answer ends it. */
static void on_login_reply(struct link *l, const redisReply *reply, bool last)
{
    if (!reply || l->state != LINK_CONNECTING)
        return;
    /* A user who may not PING is still logged in. */
    bool denied_ping = last && reply->type == REDIS_REPLY_ERROR &&
                       strncmp(reply->str, "NOPERM", strlen("NOPERM")) == 0;
    if (reply->type == REDIS_REPLY_ERROR && !denied_ping) {
        link_fail(l, reply->str);
        return;
    }
    if (!last)
        return;
    l->state = LINK_READY;
    l->asked = false;
    set_timer(l, probe_ms(l));
    l->events.ready(l->events.ctx, l);
}

static void on_login_step(void *ctx, void *arg, const redisReply *reply)
{
    (void)ctx;
    on_login_reply(arg, reply, false);
}

static void on_login_ping(void *ctx, void *arg, const redisReply *reply)
{
    (void)ctx;
    on_login_reply(arg, reply, true);
}

static int send_words(struct link *l, link_reply *fn, int argc, const char *const *argv)
{
    size_t lens[LINK_ARGS_MAX];
    for (int i = 0; i < argc; i++)
        lens[i] = strlen(argv[i]);
    return send_command(l, fn, l, argc, argv, lens);
}

static void send_login(struct link *l)
{
    const struct bus_url *u = l->url;
    char db[16];
    const char *with_user[] = {"AUTH", u->user, u->password};
    const char *without[] = {"AUTH", u->password};
    const char *select[] = {"SELECT", db}, *ping[] = {"PING"};
    int rc = 0;

    snprintf(db, sizeof db, "%d", u->db);
    if (u->password[0] && u->user[0])
        rc |= send_words(l, on_login_step, 3, with_user);
    else if (u->password[0])
        rc |= send_words(l, on_login_step, 2, without);
    if (u->db != 0 && l->select_db)
        rc |= send_words(l, on_login_step, 2, select);
    rc |= send_words(l, on_login_ping, 1, ping);
    if (rc != 0)
        link_fail(l, "out of memory");
}

/* Over TLS, a Redis that misses our certificate, or refuses it, hangs up, and the reason that it
 * gave may be lost by that. */
static void fail_by(struct link *l, const char *errstr)
{
    static const char closed[] = "Server closed the connection"; /* hiredis's */
    bool hung_up = strcmp(errstr, strerror(ECONNRESET)) == 0 ||
                   strcmp(errstr, strerror(EPIPE)) == 0 || strcmp(errstr, closed) == 0;
    struct err why;
    err_set(&why, "%s%s", errstr[0] ? errstr : "the connection was closed",
            hung_up && l->tls && l->state == LINK_CONNECTING ? " before it answered over TLS" : "");
    link_fail(l, why.text);
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct link *l = ac->data;
    if (l->ac != ac)
        return;
    if (status != REDIS_OK) {
        l->ac = NULL; /* hiredis frees it when this returns */
        fail_by(l, ac->c.errstr);
        return;
    }
    int one = 1;
    if (!l->url->is_unix) /* hiredis does it too, but not in every version on every path */
        setsockopt(ac->c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    l->connected = true;
    send_login(l);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    struct link *l = ac->data;
    struct err why;
    (void)status;
    if (l->ac != ac)
        return;
    l->ac = NULL;
    if (l->tls && bus_tls_failed(l->tls, ac, &why))
        link_fail(l, why.text);
    else
        fail_by(l, ac->c.errstr);
}

static int prepare(const struct link *l, redisAsyncContext *ac, struct err *err)
{
    if (ac->err)
        return err_set(err, "%s", ac->errstr);
    if (l->tls && bus_tls_begin(l->tls, &ac->c, err) != 0)
        return -1;
    return bus_redis_attach(ac, l->loop) == 0 ? 0 : err_set(err, "cannot watch the socket");
}

static void adopt(struct link *l, redisAsyncContext *ac)
{
    struct err err;
    if (!ac) {
        link_fail(l, "out of memory");
        return;
    }
    if (prepare(l, ac, &err) != 0) {
        link_fail(l, err.text);
        redisAsyncFree(ac);
        return;
    }
    fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
    ac->data = l;
    l->ac = ac;
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
    redisAsyncSetConnectCallback(ac, on_connect);
}

static void connect_next(struct link *l)
{
    l->state = LINK_CONNECTING;
    l->connected = false;
    set_timer(l, l->limits.connect_ms);
    if (l->url->is_unix) {
        adopt(l, redisAsyncConnectUnix(l->url->path));
        return;
    }
    const char *address = l->addresses[l->addresses_next++];
    adopt(l, redisAsyncConnect(address, l->url->port));
}

/* ---- names ---- */

static void on_lookup(void *ctx, char (*addresses)[INET6_ADDRSTRLEN], size_t n, const char *why)
{
    struct link *l = ctx;
    l->lookup = NULL;
    if (n == 0) {
        link_fail(l, why);
        return;
    }
    memcpy(l->addresses, addresses, n * sizeof *addresses);
    l->addresses_len = n;
    connect_next(l);
}

static void resolve(struct link *l)
{
    l->state = LINK_RESOLVING;
    set_timer(l, l->limits.connect_ms);
    l->lookup = lookup_start(l->loop, l->url->host, on_lookup, l);
    if (!l->lookup)
        link_fail(l, "the name lookup cannot be started");
}

static bool keep_numeric(struct link *l, int family, const char *host)
{
    unsigned char binary[sizeof(struct in6_addr)];
    char *to = l->addresses[0];
    return uv_inet_pton(family, host, binary) == 0 &&
           uv_inet_ntop(family, binary, to, sizeof l->addresses[0]) == 0;
}

void link_start(struct link *l)
{
    const char *host = l->url->host;
    l->addresses_len = l->addresses_next = 0;
    if (!l->url->is_unix && !keep_numeric(l, AF_INET, host) && !keep_numeric(l, AF_INET6, host)) {
        resolve(l);
        return;
    }
    l->addresses_len = !l->url->is_unix;
    connect_next(l);
}

/* ---- the timer ---- */

static void drop_context(struct link *l)
{
    redisAsyncContext *ac = l->ac;
    l->ac = NULL; /* before the callbacks run that freeing sets off */
    if (ac)
        redisAsyncFree(ac);
}

static void clean_up_failure(struct link *l)
{
    bool other_address = !l->connected && l->addresses_next < l->addresses_len;
    drop_context(l);
    if (other_address) {
        connect_next(l);
        return;
    }
    l->state = LINK_WAITING;
    set_timer(l, link_backoff_ms(l->attempts++, l->limits.backoff_ms, next_random(l)));
    l->events.lost(l->events.ctx, l, l->why);
}

static void fail_after(struct link *l, const char *what, int64_t ms)
{
    struct err why;
    err_set(&why, "%s %g s", what, (double)ms / 1000);
    link_fail(l, why.text);
}

/* Anything that arrived since the question counts as an answer: behind a burst of messages the
 * answer itself may well be late. */
static void check_life(struct link *l)
{
    bool slept = clock_mono_ms() - l->timer_due_ms > LATE_MS;
    if (l->asked && !l->heard && !slept) {
        fail_after(l, "no answer for", l->limits.ping_ms);
        return;
    }
    l->asked = true;
    l->heard = false;
    set_timer(l, probe_ms(l));
    l->events.probe(l->events.ctx, l);
}

static void on_timer(uv_timer_t *timer)
{
    struct link *l = timer->data;
    switch (l->state) {
    case LINK_IDLE:
        break;
    case LINK_WAITING:
        link_start(l);
        break;
    case LINK_RESOLVING: /* goes on; but the owner should know what it is waiting for */
        l->events.lost(l->events.ctx, l, "the name lookup does not answer");
        break;
    case LINK_CONNECTING:
        fail_after(l, l->connected ? "connected, but no answer for" : "no connection in",
                   l->limits.connect_ms);
        break;
    case LINK_READY:
        check_life(l);
        break;
    case LINK_FAILED:
        clean_up_failure(l);
        break;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;
    l->closed(l->events.ctx);
}

void link_close(struct link *l, void (*closed)(void *ctx))
{
    l->state = LINK_IDLE;
    l->closed = closed;
    lookup_orphan(l->lookup);
    l->lookup = NULL;
    drop_context(l);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}
