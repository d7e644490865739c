/* A Redis that is absent, killed, stopped, locked, full or read-only. Losing Redis is where
 * programs of this kind crash or hang, so this is where most of the tests are. */
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus_heard.h"
#include "bus_redis_impl.h"
#include "redis_proc.h"

#define BUS_IN_FLIGHT_MAX 1024 /* the default of limits.redis_in_flight */

enum { SYMBOLS = 3 };

static const char *const names[SYMBOLS] = {"coffee", "EUR/USD", "^GSPC"};

struct fixture {
    struct redis_proc proc;
    struct heard h;
    char url[160];
};

static void open_bus(struct fixture *f, const char *url)
{
    heard_open(&f->h, url, "", SYMBOLS);
    for (int i = 0; i < SYMBOLS; i++)
        assert_int_equal(bus_watch(f->h.bus, names[i], INSTRUMENT_QUOTE, i), 0);
}

/* A server by unix socket, not started yet, and no bus yet. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    redis_proc_init(&f->proc, false, NULL);
    snprintf(f->url, sizeof f->url, "unix://%s", f->proc.socket);
    *state = f;
    return 0;
}

static int setup_tcp(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    redis_proc_init(&f->proc, true, NULL);
    snprintf(f->url, sizeof f->url, "redis://127.0.0.1:%d", f->proc.port);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    heard_close(&f->h);
    redis_proc_fini(&f->proc);
    free(f);
    return 0;
}

static void start_up(struct fixture *f)
{
    redis_proc_start(&f->proc);
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_wait_up(&f->h);
    heard_forget(&f->h);
}

/* One command by a client of its own; the caller frees the reply. */
static redisReply *command(struct fixture *f, const char *fmt, ...)
{
    va_list ap;
    redisContext *c = redis_proc_client(&f->proc);
    assert_non_null(c);
    va_start(ap, fmt);
    redisReply *r = redisvCommand(c, fmt, ap);
    va_end(ap);
    redisFree(c);
    assert_non_null(r);
    return r;
}

static void expect_ok(redisReply *r)
{
    if (r->type == REDIS_REPLY_ERROR)
        fail_msg("%s", r->str);
    freeReplyObject(r);
}

struct key_wait {
    struct fixture *f;
    const char *key, *want;
};

static bool key_has_come(void *ctx)
{
    struct key_wait *w = ctx;
    redisReply *r = command(w->f, "GET %s", w->key);
    bool same = r->type == REDIS_REPLY_STRING && strcmp(r->str, w->want) == 0;
    freeReplyObject(r);
    return same;
}

static void wait_key(struct fixture *f, const char *key, const char *want)
{
    struct key_wait w = {f, key, want};
    if (!loop_wait(&f->h.loop, key_has_come, &w, LOOP_WAIT_MS))
        fail_msg("%s does not become %s", key, want);
}

/* Publishes without end, a few items every few ms. */
struct load {
    uv_timer_t timer;
    struct heard *h;
    unsigned n;
    char last[SYMBOLS][200];
};

static void on_load(uv_timer_t *timer)
{
    struct load *l = timer->data;
    for (int burst = 0; burst < 10; burst++) {
        unsigned i = l->n++;
        unsigned s = i % SYMBOLS;
        heard_item(l->last[s], sizeof l->last[s], names[s], i, clock_wall_ms());
        heard_publish(l->h, (int)s, l->last[s], 120);
    }
}

static void load_start(struct load *l, struct heard *h)
{
    *l = (struct load){.h = h};
    uv_timer_init(&h->loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, on_load, 0, 3);
}

static void load_stop(struct load *l)
{
    uv_timer_stop(&l->timer);
}

static void load_end(struct load *l)
{
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_run(&l->h->loop, UV_RUN_NOWAIT);
}

/* What was published last is what Redis has. */
static void check_synced(struct fixture *f, struct load *l)
{
    char key[80];
    for (int i = 0; i < SYMBOLS; i++) {
        snprintf(key, sizeof key, "%s:price:latest", names[i]);
        wait_key(f, key, l->last[i]);
    }
}

/* ---- absent ---- */

static void absent_then_started(struct fixture *f)
{
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_publish(&f->h, 0, "{\"symbol\":\"coffee\",\"price\":1,\"ts\":1000}", 100);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_false(bus_is_up(f->h.bus));
    const char *why = heard_last(&f->h, HEARD_DOWN)->text;
    assert_non_null(strstr(why, f->proc.port ? "127.0.0.1" : f->proc.socket));
    /* The reason itself, and not a deadline that ran out because nobody reported it. */
    assert_non_null(strstr(why, f->proc.port ? "Connection refused" : "No such file"));
    loop_run_ms(&f->h.loop, 700); /* some more attempts: no news */
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 1);
    redis_proc_start(&f->proc);
    heard_wait_up(&f->h);
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 1);
    wait_key(f, "coffee:price:latest", "{\"symbol\":\"coffee\",\"price\":1,\"ts\":1000}");
    assert_int_equal(bus_stats(f->h.bus).reconnects, 0);
}

static void test_absent_at_start(void **state)
{
    absent_then_started(*state);
}

/* ---- killed ---- */

static void kill_20_times(struct fixture *f)
{
    enum { ROUNDS = 20 };
    struct load load;
    start_up(f);
    load_start(&load, &f->h);
    for (int round = 0; round < ROUNDS; round++) {
        loop_run_ms(&f->h.loop, 20 + round * 3);
        redis_proc_kill(&f->proc);
        heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
        if (round % 2)
            loop_run_ms(&f->h.loop, 150); /* so that an attempt fails in between */
        redis_proc_start(&f->proc);
        int64_t back_ms = clock_mono_ms();
        heard_wait(&f->h, HEARD_UP, -1, NULL, 1);
        if (clock_mono_ms() - back_ms > 5000)
            fail_msg("round %d: up only after %lld ms", round,
                     (long long)(clock_mono_ms() - back_ms));
        load_stop(&load);
        check_synced(f, &load);
        heard_forget(&f->h);
        uv_timer_start(&load.timer, on_load, 0, 3);
    }
    assert_int_equal(bus_stats(f->h.bus).reconnects, ROUNDS);
    load_end(&load);
}

static void test_killed_under_load(void **state)
{
    kill_20_times(*state);
}

/* ---- stopped ---- */

/* A Redis that hangs without closing: noticed by PING, not waited for, nothing piles up. */
static void stop_and_continue(struct fixture *f)
{
    struct load load;
    start_up(f);
    struct bus_redis *r = (struct bus_redis *)f->h.bus;
    load_start(&load, &f->h);
    loop_run_ms(&f->h.loop, 50);
    redis_proc_signal(&f->proc, SIGSTOP);
    int64_t stopped_ms = clock_mono_ms();
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    int64_t took_ms = clock_mono_ms() - stopped_ms;
    assert_in_range(took_ms, 900, 6000); /* 2 s, and a slow machine */
    print_message("stopped Redis noticed after %lld ms\n", (long long)took_ms);
    loop_run_ms(&f->h.loop, 2500);
    assert_true(r->command.in_flight <= BUS_IN_FLIGHT_MAX);
    assert_int_equal(heard_count(&f->h, HEARD_UP, -1, NULL), 0);
    load_stop(&load);
    redis_proc_signal(&f->proc, SIGCONT);
    heard_wait(&f->h, HEARD_UP, -1, NULL, 1);
    check_synced(f, &load);
    /* Nor may what was still on its way make Redis older again: what it has stays. */
    loop_run_ms(&f->h.loop, 2500);
    check_synced(f, &load);
    load_end(&load);
}

static void test_stopped_unix(void **state)
{
    stop_and_continue(*state);
}

static void test_stopped_tcp(void **state)
{
    stop_and_continue(*state);
}

/* With Redis stopped at most so many commands wait, however many are published. */
/* It takes the connection and says nothing. */
static void test_stopped_at_start(void **state)
{
    struct fixture *f = *state;
    redis_proc_start(&f->proc);
    redis_proc_signal(&f->proc, SIGSTOP);
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_non_null(strstr(heard_last(&f->h, HEARD_DOWN)->text, "no answer for 2 s"));
    redis_proc_signal(&f->proc, SIGCONT);
    heard_wait_up(&f->h);
}

static void test_commands_in_flight_are_bounded(void **state)
{
    struct fixture *f = *state;
    char text[200];
    start_up(f);
    struct bus_redis *r = (struct bus_redis *)f->h.bus;
    redis_proc_signal(&f->proc, SIGSTOP);
    int64_t ts_ms = clock_wall_ms();
    for (unsigned i = 0; i < 20000; i++) {
        heard_item(text, sizeof text, names[0], i, ts_ms);
        heard_publish(&f->h, 0, text, 120);
        bus_publish_status(f->h.bus, 1, "{}", 2);
        bus_shared_write(f->h.bus, "pricegate:x", text, strlen(text), 60);
    }
    assert_int_equal(r->command.in_flight, BUS_IN_FLIGHT_MAX);
    assert_int_equal(bus_stats(f->h.bus).published, 20000);
    assert_true(bus_stats(f->h.bus).dropped > 50000);
    redis_proc_signal(&f->proc, SIGCONT);
    wait_key(f, "coffee:price:latest", text);
}

/* ---- names ---- */

static void test_unknown_host_does_not_block(void **state)
{
    struct fixture *f = *state;
    struct loop_stall stall;
    open_bus(f, "redis://no-such-host.invalid:6379");
    loop_stall_start(&stall, &f->h.loop);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_non_null(
        strstr(heard_last(&f->h, HEARD_DOWN)->text, "Redis at no-such-host.invalid:6379: "));
    loop_run_ms(&f->h.loop, 500);
    assert_in_range(loop_stall_end(&stall), 0, 4000); /* a name server is given 5 s */
}

static void test_close_during_lookup(void **state)
{
    struct fixture *f = *state;
    open_bus(f, "redis://no-such-host.invalid:6379");
    heard_start(&f->h);
    /* teardown closes, with the lookups just begun */
}

/* A name with several addresses, of which perhaps only one is listened to. */
static void test_name_is_resolved(void **state)
{
    struct fixture *f = *state;
    char url[64];
    redis_proc_start(&f->proc);
    snprintf(url, sizeof url, "redis://localhost:%d", f->proc.port);
    open_bus(f, url);
    heard_start(&f->h);
    heard_wait_up(&f->h);
}

/* ---- refused ---- */

static long long connections_received(struct fixture *f)
{
    redisReply *r = command(f, "INFO stats");
    const char *line = strstr(r->str, "total_connections_received:");
    assert_non_null(line);
    long long n = strtoll(strchr(line, ':') + 1, NULL, 10);
    freeReplyObject(r);
    return n;
}

static void test_wrong_password(void **state)
{
    struct fixture *f = *state;
    char url[200];
    redis_proc_start(&f->proc);
    expect_ok(command(f, "ACL SETUSER pg on >right ~* &* +@all"));
    snprintf(url, sizeof url, "unix://pg:hush-hush@%s", f->proc.socket);
    open_bus(f, url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    const char *why = heard_last(&f->h, HEARD_DOWN)->text;
    assert_non_null(strstr(why, "WRONGPASS"));
    assert_null(strstr(why, "hush-hush"));
    long long before = connections_received(f);
    loop_run_ms(&f->h.loop, 1500);
    assert_true(connections_received(f) - before < 30); /* back-off, no tight loop */
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 1);
    /* Set right on the server's side: it comes by itself. */
    expect_ok(command(f, "ACL SETUSER pg >hush-hush"));
    heard_wait_up(&f->h);
}

static void test_password_missing_and_right(void **state)
{
    static const char *const locked[] = {"--requirepass", "s3cret/@", NULL};
    struct fixture *f = *state;
    struct heard second = {0};
    char url[200];
    redis_proc_fini(&f->proc);
    redis_proc_init(&f->proc, false, locked);
    redis_proc_start(&f->proc);
    snprintf(url, sizeof url, "unix://%s", f->proc.socket);
    open_bus(f, url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_non_null(strstr(heard_last(&f->h, HEARD_DOWN)->text, "NOAUTH"));

    snprintf(url, sizeof url, "unix://:s3cret%%2F%%40@%s", f->proc.socket);
    heard_open(&second, url, "", 1);
    assert_int_equal(bus_watch(second.bus, "coffee", INSTRUMENT_QUOTE, 0), 0);
    heard_start(&second);
    heard_wait_up(&second);
    heard_close(&second);
}

/* The rights that are enough: latest keys, shared keys, price channels, six commands. */
static void test_smallest_rights(void **state)
{
    struct fixture *f = *state;
    char url[200];
    redis_proc_start(&f->proc);
    expect_ok(command(f, "ACL SETUSER pg on >pw resetkeys ~*:price:latest ~pricegate:* "
                         "resetchannels &*:price:* -@all +get +set +mget +publish +subscribe "
                         "+ping"));
    snprintf(url, sizeof url, "unix://pg:pw@%s", f->proc.socket);
    open_bus(f, url);
    heard_start(&f->h);
    heard_wait_up(&f->h);
    heard_publish(&f->h, 0, "{}", 100);
    heard_wait(&f->h, HEARD_ITEM, 0, "{}", 2);
    wait_key(f, "coffee:price:latest", "{}");
    bus_shared_write(f->h.bus, "pricegate:breaker:x", "open", 4, 60);
    wait_key(f, "pricegate:breaker:x", "open");
    loop_run_ms(&f->h.loop, 2500); /* some PINGs, the second look */
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 0);
    redisReply *r = command(f, "ACL LOG"); /* nothing was denied */
    assert_int_equal(r->elements, 0);
    freeReplyObject(r);
}

static void test_channels_denied(void **state)
{
    struct fixture *f = *state;
    char url[200];
    redis_proc_start(&f->proc);
    expect_ok(command(f, "ACL SETUSER pg on >pw ~* resetchannels +@all"));
    snprintf(url, sizeof url, "unix://pg:pw@%s", f->proc.socket);
    open_bus(f, url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_non_null(strstr(heard_last(&f->h, HEARD_DOWN)->text, "NOPERM"));
    heard_publish(&f->h, 0, "{}", 100); /* the command connection works on */
    wait_key(f, "coffee:price:latest", "{}");
    long long before = connections_received(f);
    loop_run_ms(&f->h.loop, 1500);
    /* wait_key() above and this count connect as well, but not while the loop ran. */
    assert_true(connections_received(f) - before < 30);
}

static void test_too_many_clients(void **state)
{
    static const char *const few[] = {"--maxclients", "1", NULL};
    struct fixture *f = *state;
    redis_proc_fini(&f->proc);
    redis_proc_init(&f->proc, false, few);
    snprintf(f->url, sizeof f->url, "unix://%s", f->proc.socket);
    redis_proc_start(&f->proc);
    redisContext *taken = redis_proc_client(&f->proc); /* the only place */
    redisReply *r = redisCommand(taken, "PING");
    assert_int_equal(r->type, REDIS_REPLY_STATUS);
    freeReplyObject(r);
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    loop_run_ms(&f->h.loop, 500);
    assert_false(bus_is_up(f->h.bus));
    freeReplyObject(redisCommand(taken, "CONFIG SET maxclients 100"));
    redisFree(taken);
    heard_wait_up(&f->h);
}

/* Something that is no Redis: a child that says `text` to everybody and hangs up. */
static pid_t start_stranger(const char *path, const char *text)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 16), 0);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int conn; getppid() == parent && (conn = accept(fd, NULL, NULL)) >= 0; close(conn)) {
            char in[64];
            if (read(conn, in, sizeof in) < 0 || write(conn, text, strlen(text)) < 0)
                continue;
        }
        _exit(0);
    }
    close(fd);
    return pid;
}

static void test_not_a_redis(void **state)
{
    struct fixture *f = *state;
    pid_t pid = start_stranger(f->proc.socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    assert_non_null(strstr(heard_last(&f->h, HEARD_DOWN)->text, "Protocol error"));
    loop_run_ms(&f->h.loop, 500);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(f->proc.socket);
    redis_proc_start(&f->proc); /* now there is one */
    heard_wait_up(&f->h);
}

/* ---- writing refused, everything else fine ---- */

static bool is_not_whole(void *ctx)
{
    return !bus_is_whole(ctx);
}

static bool is_whole(void *ctx)
{
    return bus_is_whole(ctx);
}

/* Noticed at the first command, tried again, and made good without anything new to publish. */
static void writing_refused(struct fixture *f, const char *off, const char *on)
{
    heard_forget(&f->h);
    assert_true(bus_is_whole(f->h.bus));
    expect_ok(command(f, off));
    heard_publish(&f->h, 0, "{\"n\":1}", 100);
    bus_shared_write(f->h.bus, "pricegate:breaker:x", "open", 4, 60);
    heard_wait(&f->h, HEARD_ITEM, 0, "{\"n\":1}", 2); /* PUBLISH goes through */
    assert_true(loop_wait(&f->h.loop, is_not_whole, f->h.bus, LOOP_WAIT_MS));
    loop_run_ms(&f->h.loop, 1600);
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 0);
    /* Once more at most by the second look after the start, not again and again. */
    assert_in_range(heard_count(&f->h, HEARD_ITEM, 0, NULL), 2, 3);
    assert_true(bus_is_up(f->h.bus));
    assert_false(bus_is_whole(f->h.bus));
    assert_in_range(bus_stats(f->h.bus).refused, 2, 20);
    expect_ok(command(f, on));
    wait_key(f, "coffee:price:latest", "{\"n\":1}");
    wait_key(f, "pricegate:breaker:x", "open");
    assert_true(loop_wait(&f->h.loop, is_whole, f->h.bus, LOOP_WAIT_MS));
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    writing_refused(f, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0");
}

static void test_read_only_replica(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    writing_refused(f, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE");
}

/* A user who may not PUBLISH, then not GET: each by itself leaves the rest working. */
static void test_rights_taken_and_given(void **state)
{
    static const char *const rights[] = {"publish", "get"};
    struct fixture *f = *state;
    start_up(f);
    for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
        char off[64], on[64], item[32];
        snprintf(off, sizeof off, "ACL SETUSER default -%s", rights[i]);
        snprintf(on, sizeof on, "ACL SETUSER default +%s", rights[i]);
        snprintf(item, sizeof item, "{\"n\":%zu}", i);
        expect_ok(command(f, off));
        heard_publish(&f->h, 0, item, 100);
        if (strcmp(rights[i], "get") == 0) /* is asked for after a loss */
            freeReplyObject(command(f, "CLIENT KILL TYPE pubsub"));
        assert_true(loop_wait(&f->h.loop, is_not_whole, f->h.bus, LOOP_WAIT_MS));
        heard_wait_up(&f->h);
        assert_false(bus_is_whole(f->h.bus));
        expect_ok(command(f, on));
        assert_true(loop_wait(&f->h.loop, is_whole, f->h.bus, LOOP_WAIT_MS));
        wait_key(f, "coffee:price:latest", item);
    }
}

/* ---- closing while something is wrong ---- */

static void test_close_in_backoff(void **state)
{
    struct fixture *f = *state;
    open_bus(f, f->url);
    heard_start(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
}

static void test_close_while_stopped(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    redis_proc_signal(&f->proc, SIGSTOP);
    heard_publish(&f->h, 0, "{}", 100);
    bus_shared_read(f->h.bus, "pricegate:x");
    uv_run(&f->h.loop, UV_RUN_NOWAIT);
    /* teardown: the pending answers never come, closing takes its 100 ms */
}

static void test_close_flushes(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    struct heard h;
    heard_open(&h, f->url, "", 1);
    assert_int_equal(bus_watch(h.bus, "coffee", INSTRUMENT_QUOTE, 0), 0);
    heard_start(&h);
    heard_wait_up(&h);
    heard_publish(&h, 0, "{\"last\":1}", 100);
    heard_close(&h);
    wait_key(f, "coffee:price:latest", "{\"last\":1}");
}

int main(void)
{
#define UNIX(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define TCP(t)  cmocka_unit_test_setup_teardown(t, setup_tcp, teardown)
    const struct CMUnitTest tests[] = {
        UNIX(test_absent_at_start),
        TCP(test_absent_at_start),
        UNIX(test_killed_under_load),
        TCP(test_killed_under_load),
        UNIX(test_stopped_unix),
        TCP(test_stopped_tcp),
        UNIX(test_stopped_at_start),
        UNIX(test_commands_in_flight_are_bounded),
        UNIX(test_unknown_host_does_not_block),
        UNIX(test_close_during_lookup),
        TCP(test_name_is_resolved),
        UNIX(test_wrong_password),
        UNIX(test_password_missing_and_right),
        UNIX(test_smallest_rights),
        UNIX(test_channels_denied),
        UNIX(test_too_many_clients),
        UNIX(test_not_a_redis),
        UNIX(test_out_of_memory),
        UNIX(test_read_only_replica),
        UNIX(test_rights_taken_and_given),
        UNIX(test_close_in_backoff),
        UNIX(test_close_while_stopped),
        UNIX(test_close_flushes),
    };
#undef UNIX
#undef TCP
    return cmocka_run_group_tests(tests, NULL, NULL);
}
