/* What others see of the redis bus, what it takes from them, and how it comes to agree again. */
#include <hiredis/hiredis.h>

#include "bus_heard.h"
#include "redis_proc.h"

enum { ID_COFFEE = 0, ID_EURUSD = 1, SYMBOLS = 2 };

struct fixture {
    struct redis_proc proc;
    struct heard h;
    redisContext *client;
    char url[160];
};

static void open_bus(struct fixture *f, struct heard *h)
{
    snprintf(f->url, sizeof f->url, "unix://%s?db=3", f->proc.socket);
    heard_open(h, f->url, "pg:", SYMBOLS);
    assert_int_equal(bus_watch(h->bus, "coffee", INSTRUMENT_QUOTE, ID_COFFEE), 0);
    assert_int_equal(bus_watch(h->bus, "EUR/USD", INSTRUMENT_QUOTE, ID_EURUSD), 0);
}

static void connect_client(struct fixture *f)
{
    f->client = redis_proc_client(&f->proc);
    assert_non_null(f->client);
    freeReplyObject(redisCommand(f->client, "SELECT 3"));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    redis_proc_init(&f->proc, false, NULL);
    redis_proc_start(&f->proc);
    connect_client(f);
    open_bus(f, &f->h);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    heard_close(&f->h);
    redisFree(f->client);
    redis_proc_fini(&f->proc);
    free(f);
    return 0;
}

static void start_up(struct fixture *f)
{
    heard_start(&f->h);
    heard_wait_up(&f->h);
    heard_forget(&f->h);
}

static redisReply *command(struct fixture *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    redisReply *r = redisvCommand(f->client, fmt, ap);
    va_end(ap);
    assert_non_null(r);
    if (r->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", fmt, r->str);
    return r;
}

static long long number(struct fixture *f, const char *fmt, const char *arg)
{
    redisReply *r = command(f, fmt, arg);
    long long n = r->integer;
    assert_int_equal(r->type, REDIS_REPLY_INTEGER);
    freeReplyObject(r);
    return n;
}

static bool key_is(struct fixture *f, const char *key, const char *want)
{
    redisReply *r = command(f, "GET %s", key);
    bool same = want ? r->type == REDIS_REPLY_STRING && strcmp(r->str, want) == 0
                     : r->type == REDIS_REPLY_NIL;
    freeReplyObject(r);
    return same;
}

struct key_wait {
    struct fixture *f;
    const char *key, *want;
};

static bool key_has_come(void *ctx)
{
    struct key_wait *w = ctx;
    return key_is(w->f, w->key, w->want);
}

static void wait_key(struct fixture *f, const char *key, const char *want)
{
    struct key_wait w = {f, key, want};
    if (!loop_wait(&f->h.loop, key_has_come, &w, LOOP_WAIT_MS))
        fail_msg("%s does not become %s", key, want ? want : "nil");
}

/* Ends the bus's subscriber connection, as Redis does with a slow one. */
static void drop_subscriber(struct fixture *f)
{
    assert_int_equal(number(f, "CLIENT KILL TYPE %s", "pubsub"), 1);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
}

/* ---- what others see ---- */

/* The next line of MONITOR that is a SET or a PUBLISH. */
static redisReply *next_write(struct fixture *f)
{
    for (;;) {
        redisReply *r = NULL;
        assert_int_equal(redisGetReply(f->client, (void **)&r), REDIS_OK);
        if (strstr(r->str, "\"SET\"") || strstr(r->str, "\"PUBLISH\""))
            return r;
        freeReplyObject(r);
    }
}

static void test_names_and_order(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    freeReplyObject(command(f, "MONITOR"));
    heard_publish(&f->h, ID_EURUSD, "{1}", 120);
    heard_publish(&f->h, ID_COFFEE, "{2}", 60);
    bus_publish_status(f->h.bus, ID_COFFEE, "{3}", 3);
    bus_shared_write(f->h.bus, "pricegate:breaker:yahoo", "{4}", 3, 30);
    static const char *const want[] = {
        "[3 unix:%] \"SET\" \"pg:EUR/USD:price:latest\" \"{1}\" \"EX\" \"120\"",
        "[3 unix:%] \"PUBLISH\" \"pg:EUR/USD:price:stream\" \"{1}\"",
        "[3 unix:%] \"SET\" \"pg:coffee:price:latest\" \"{2}\" \"EX\" \"60\"",
        "[3 unix:%] \"PUBLISH\" \"pg:coffee:price:stream\" \"{2}\"",
        "[3 unix:%] \"PUBLISH\" \"pg:coffee:price:status\" \"{3}\"",
        "[3 unix:%] \"SET\" \"pg:pricegate:breaker:yahoo\" \"{4}\" \"EX\" \"30\"",
    };
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, "{2}", 2); /* it all left in one write */
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        redisReply *r = next_write(f);
        const char *tail = strstr(r->str, "] ");
        assert_non_null(tail);
        assert_string_equal(tail, strstr(want[i], "] "));
        assert_non_null(strstr(r->str, "[3 unix:"));
        freeReplyObject(r);
    }
}

static void test_ttl_is_at_most_what_was_given(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    heard_publish(&f->h, ID_COFFEE, "{}", 120);
    wait_key(f, "pg:coffee:price:latest", "{}");
    long long ttl = number(f, "TTL %s", "pg:coffee:price:latest");
    assert_in_range(ttl, 1, 120);
}

/* ---- what it takes from others ---- */

static void test_foreign_messages_are_untouched(void **state)
{
    static const char odd[] = "{ \"x\" : [1,\t2] }\r\n\0\xff not even JSON";
    struct fixture *f = *state;
    start_up(f);
    freeReplyObject(command(f, "PUBLISH pg:EUR/USD:price:stream %b", odd, sizeof odd));
    heard_wait(&f->h, HEARD_ITEM, ID_EURUSD, NULL, 1);
    assert_int_equal(f->h.events[0].len, sizeof odd);
    assert_memory_equal(f->h.events[0].text, odd, sizeof odd);

    freeReplyObject(command(f, "PUBLISH pg:coffee:price:status %s", "{s}"));
    heard_wait(&f->h, HEARD_STATUS, ID_COFFEE, "{s}", 1);
    /* Not ours: no prefix, not watched, not a channel of a symbol. */
    assert_int_equal(number(f, "PUBLISH coffee:price:stream %s", "no"), 0);
    assert_int_equal(number(f, "PUBLISH pg:tea:price:stream %s", "no"), 0);
    assert_int_equal(number(f, "PUBLISH pg:coffee:price:latest %s", "no"), 0);
    /* Nobody writes the key for another program. */
    assert_true(key_is(f, "pg:EUR/USD:price:latest", NULL));
}

static void test_latest_is_read_before_up(void **state)
{
    struct fixture *f = *state;
    freeReplyObject(command(f, "SET pg:EUR/USD:price:latest %s EX 100", "{old}"));
    heard_start(&f->h);
    heard_wait_up(&f->h);
    assert_int_equal(f->h.len, 2);
    assert_int_equal(f->h.events[0].kind, HEARD_ITEM);
    assert_int_equal(f->h.events[0].id, ID_EURUSD);
    assert_string_equal(f->h.events[0].text, "{old}");
    assert_int_equal(f->h.events[1].kind, HEARD_UP);
}

static void test_two_gateways(void **state)
{
    struct fixture *f = *state;
    struct heard other;
    start_up(f);
    open_bus(f, &other);
    heard_start(&other);
    heard_wait_up(&other);
    bus_publish_status(f->h.bus, ID_COFFEE, "{a}", 3);
    heard_publish(&f->h, ID_COFFEE, "{b}", 10);
    bus_shared_write(f->h.bus, "pricegate:x", "open", 4, 100);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, "{b}", 2);
    heard_wait(&other, HEARD_ITEM, ID_COFFEE, "{b}", 1);
    assert_int_equal(heard_count(&other, HEARD_STATUS, ID_COFFEE, "{a}"), 1);
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_COFFEE, "{a}"), 1);
    bus_shared_read(other.bus, "pricegate:x");
    heard_wait(&other, HEARD_SHARED, -1, "open", 1);
    heard_close(&other);
}

/* ---- agreeing again ---- */

static void test_newer_value_in_redis_wins(void **state)
{
    struct fixture *f = *state;
    char ours[200], theirs[200];
    int64_t now_ms = clock_wall_ms();
    start_up(f);
    heard_item(ours, sizeof ours, "coffee", 5, now_ms - 1000);
    heard_item(theirs, sizeof theirs, "coffee", 4, now_ms);
    heard_publish(&f->h, ID_COFFEE, ours, 120);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 2);
    freeReplyObject(command(f, "SET pg:coffee:price:latest %s EX 100", theirs));
    heard_forget(&f->h);
    drop_subscriber(f);
    heard_wait_up(&f->h);
    assert_int_equal(heard_count(&f->h, HEARD_ITEM, ID_COFFEE, theirs), 1);
    assert_true(key_is(f, "pg:coffee:price:latest", theirs));
}

/* old in Redis, and what the bus does to it: by ts, by seq at the same ts, garbage, nothing. */
static void test_older_value_in_redis_is_replaced(void **state)
{
    struct fixture *f = *state;
    char ours[200], by_ts[200], by_seq[200];
    int64_t now_ms = clock_wall_ms();
    start_up(f);
    heard_item(ours, sizeof ours, "coffee", 5, now_ms - 1000);
    heard_item(by_ts, sizeof by_ts, "coffee", 9, now_ms - 2000);
    heard_item(by_seq, sizeof by_seq, "coffee", 4, now_ms - 1000);
    const char *const olds[] = {by_ts, by_seq, "garbage", ""};
    heard_publish(&f->h, ID_COFFEE, ours, 100);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 2);
    for (size_t i = 0; i < sizeof olds / sizeof olds[0]; i++) {
        if (olds[i][0])
            freeReplyObject(command(f, "SET pg:coffee:price:latest %s EX 900", olds[i]));
        else
            freeReplyObject(command(f, "DEL pg:coffee:price:latest"));
        heard_forget(&f->h);
        drop_subscriber(f);
        heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 1); /* published again */
        wait_key(f, "pg:coffee:price:latest", ours);
        assert_in_range(number(f, "TTL %s", "pg:coffee:price:latest"), 1, 100);
        heard_wait_up(&f->h);
    }
}

/* A later seq in Redis at the same ts stays. */
static void test_same_ts_higher_seq_stays(void **state)
{
    struct fixture *f = *state;
    char ours[200], theirs[200];
    int64_t ts_ms = clock_wall_ms() - 1000;
    start_up(f);
    heard_item(ours, sizeof ours, "coffee", 5, ts_ms);
    heard_item(theirs, sizeof theirs, "coffee", 10, ts_ms);
    heard_publish(&f->h, ID_COFFEE, ours, 100);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 2);
    freeReplyObject(command(f, "SET pg:coffee:price:latest %s EX 900", theirs));
    heard_forget(&f->h);
    drop_subscriber(f);
    heard_wait_up(&f->h);
    assert_true(key_is(f, "pg:coffee:price:latest", theirs));
}

/* An old SET that was still in a socket arrives after the bus has compared: the second look. */
static void test_late_old_value_is_replaced(void **state)
{
    struct fixture *f = *state;
    char ours[200], late[200];
    int64_t now_ms = clock_wall_ms();
    start_up(f);
    heard_item(ours, sizeof ours, "coffee", 5, now_ms);
    heard_item(late, sizeof late, "coffee", 4, now_ms - 10);
    heard_publish(&f->h, ID_COFFEE, ours, 100);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 2);
    drop_subscriber(f);
    heard_wait_up(&f->h);
    heard_forget(&f->h);
    freeReplyObject(command(f, "SET pg:coffee:price:latest %s EX 900", late));
    wait_key(f, "pg:coffee:price:latest", ours);
    assert_int_equal(heard_count(&f->h, HEARD_ITEM, ID_COFFEE, late), 0); /* not delivered */
}

static void test_restarted_empty(void **state)
{
    struct fixture *f = *state;
    char ours[200], foreign[200], expired[200];
    int64_t now_ms = clock_wall_ms();
    start_up(f);
    heard_item(foreign, sizeof foreign, "EUR/USD", 1, now_ms);
    freeReplyObject(command(f, "PUBLISH pg:EUR/USD:price:stream %s", foreign));
    heard_wait(&f->h, HEARD_ITEM, ID_EURUSD, foreign, 1);
    heard_item(ours, sizeof ours, "coffee", 1, now_ms);
    heard_publish(&f->h, ID_COFFEE, ours, 100);
    bus_shared_write(f->h.bus, "pricegate:breaker:x", "open", 4, 100);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, ours, 2);

    redisFree(f->client);
    redis_proc_kill(&f->proc);
    heard_forget(&f->h);
    heard_wait(&f->h, HEARD_DOWN, -1, NULL, 1);
    /* While it is away: heard locally, kept, readable. */
    heard_item(ours, sizeof ours, "coffee", 2, now_ms + 1);
    heard_publish(&f->h, ID_COFFEE, ours, 100);
    assert_int_equal(heard_count(&f->h, HEARD_ITEM, ID_COFFEE, ours), 1);
    bus_shared_write(f->h.bus, "pricegate:budget:x", "7", 1, 100);
    bus_shared_read(f->h.bus, "pricegate:breaker:x");
    heard_wait(&f->h, HEARD_SHARED, -1, "open", 1);
    heard_item(expired, sizeof expired, "EUR/USD", 3, now_ms);
    heard_publish(&f->h, ID_EURUSD, expired, 0);

    redis_proc_start(&f->proc);
    connect_client(f);
    heard_wait_up(&f->h);
    wait_key(f, "pg:coffee:price:latest", ours);
    wait_key(f, "pg:pricegate:breaker:x", "open");
    wait_key(f, "pg:pricegate:budget:x", "7");
    assert_in_range(number(f, "TTL %s", "pg:pricegate:breaker:x"), 1, 100);
    /* What another program sent, and what has expired, is not put back. */
    assert_true(key_is(f, "pg:EUR/USD:price:latest", NULL));
    assert_int_equal(bus_stats(f->h.bus).reconnects, 1);
}

/* ---- many symbols ---- */

/* 600 items are 1,200 commands: some find no room, and still all of them arrive. */
static void test_many_symbols(void **state)
{
    enum { N = 600 };
    struct fixture *f = *state;
    struct heard h;
    char name[40], text[200], key[80];
    heard_open(&h, f->url, "pg:", N);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "S%d", i);
        assert_int_equal(bus_watch(h.bus, name, INSTRUMENT_QUOTE, i), 0);
    }
    heard_start(&h);
    heard_wait_up(&h);
    redisReply *r = command(f, "PUBSUB CHANNELS");
    assert_int_equal(r->elements, 2 * N);
    freeReplyObject(r);
    int64_t now_ms = clock_wall_ms();
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "S%u", i);
        heard_publish(&h, (int)i, heard_item(text, sizeof text, name, i, now_ms), 100);
    }
    assert_true(bus_stats(h.bus).dropped > 0);
    heard_wait(&h, HEARD_ITEM, -1, NULL, 2 * N);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "S%u", i);
        snprintf(key, sizeof key, "pg:S%u:price:latest", i);
        assert_true(key_is(f, key, heard_item(text, sizeof text, name, i, now_ms)));
    }
    heard_close(&h);
    heard_start(&f->h);
}

/* ---- observations ---- */

/* Names that look like those of the other kind, and like parts of channels. */
enum { COLD, COLD_OBSERVED, RAIN, RAIN_PRICED, STREAM, MIXED };
static const struct {
    const char *name;
    enum instrument_kind kind;
} mixed[MIXED] = {
    [COLD] = {"cold",                 INSTRUMENT_OBSERVATION},
    [COLD_OBSERVED] = {"cold:observation",     INSTRUMENT_QUOTE      },
    [RAIN] = {"rain",                 INSTRUMENT_QUOTE      },
    [RAIN_PRICED] = {"rain:price",           INSTRUMENT_OBSERVATION},
    [STREAM] = {"a:observation:stream", INSTRUMENT_OBSERVATION},
};

static void watch_mixed(struct fixture *f, struct heard *h)
{
    snprintf(f->url, sizeof f->url, "unix://%s?db=3", f->proc.socket);
    heard_open(h, f->url, "pg:", MIXED);
    for (int i = 0; i < MIXED; i++)
        assert_int_equal(bus_watch(h->bus, mixed[i].name, mixed[i].kind, i), 0);
}

static const char *own_channel(char out[static 80], int id, const char *tail)
{
    snprintf(out, 80, "pg:%s:%s:%s", mixed[id].name,
             mixed[id].kind == INSTRUMENT_QUOTE ? "price" : "observation", tail);
    return out;
}

/* Each hears its own channels and reads its own key, and nothing of the other kind's. */
static void test_names_of_both_kinds(void **state)
{
    static const char *const nobodys[] = {
        "pg:rain:observation:stream", "pg:cold:price:stream",   "pg:rain:price:price:stream",
        "pg:a:observation:stream",    "pg::observation:stream", "pg:rain:observation:status"};
    struct fixture *f = *state;
    struct heard h;
    char name[80], text[16];
    watch_mixed(f, &h);
    for (int i = 0; i < MIXED; i++) {
        snprintf(text, sizeof text, "{latest %d}", i);
        freeReplyObject(command(f, "SET %s %s EX 100", own_channel(name, i, "latest"), text));
    }
    freeReplyObject(command(f, "SET pg:cold:price:latest {no} EX 100"));
    heard_start(&h);
    heard_wait_up(&h);
    for (int i = 0; i < MIXED; i++) {
        snprintf(text, sizeof text, "{latest %d}", i);
        assert_int_equal(heard_count(&h, HEARD_ITEM, i, text), 1);
    }
    heard_forget(&h);
    for (size_t i = 0; i < ARRAY_LEN(nobodys); i++)
        assert_int_equal(number(f, "PUBLISH %s no", nobodys[i]), 0);
    for (int i = 0; i < MIXED; i++) {
        snprintf(text, sizeof text, "{%d}", i);
        freeReplyObject(command(f, "PUBLISH %s %s", own_channel(name, i, "stream"), text));
        freeReplyObject(command(f, "PUBLISH %s %s", own_channel(name, i, "status"), text));
    }
    heard_wait(&h, HEARD_STATUS, MIXED - 1, NULL, 1);
    assert_int_equal(h.len, 2 * MIXED);
    for (int i = 0; i < MIXED; i++) {
        snprintf(text, sizeof text, "{%d}", i);
        assert_int_equal(heard_count(&h, HEARD_ITEM, i, text), 1);
        assert_int_equal(heard_count(&h, HEARD_STATUS, i, text), 1);
    }
    heard_publish(&h, RAIN_PRICED, "{mine}", 60);
    heard_wait(&h, HEARD_ITEM, RAIN_PRICED, "{mine}", 2);
    assert_true(key_is(f, "pg:rain:price:observation:latest", "{mine}"));
    assert_true(key_is(f, "pg:rain:price:latest", "{latest 2}"));
    heard_close(&h);
    heard_start(&f->h);
}

/* Which is newer is read out of an observation as out of a price. */
static void test_observations_agree_again(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    char ours[160], theirs[160];
    int64_t now_ms = clock_wall_ms();
    watch_mixed(f, &h);
    heard_start(&h);
    heard_wait_up(&h);
    snprintf(ours, sizeof ours, "{\"symbol\":\"cold\",\"value\":-4,\"ts\":%lld,\"seq\":\"1:5\"}",
             (long long)now_ms - 1000);
    heard_publish(&h, COLD, ours, 100);
    heard_wait(&h, HEARD_ITEM, COLD, ours, 2);
    for (int newer = 0; newer < 2; newer++) {
        snprintf(theirs, sizeof theirs,
                 "{\"symbol\":\"cold\",\"value\":-9,\"ts\":%lld,\"seq\":\"1:4\"}",
                 (long long)now_ms - (newer ? 0 : 2000));
        freeReplyObject(command(f, "SET pg:cold:observation:latest %s EX 900", theirs));
        heard_forget(&h);
        assert_int_equal(number(f, "CLIENT KILL TYPE %s", "pubsub"), 1);
        heard_wait(&h, HEARD_DOWN, -1, NULL, 1);
        if (newer)
            heard_wait(&h, HEARD_ITEM, COLD, theirs, 1);
        else
            heard_wait(&h, HEARD_ITEM, COLD, ours, 1);
        heard_wait_up(&h);
        wait_key(f, "pg:cold:observation:latest", newer ? theirs : ours);
    }
    heard_close(&h);
    heard_start(&f->h);
}

/* The subscriber's question does not disturb its subscriptions, nor cost memory. */
static void test_still_there_after_some_probes(void **state)
{
    struct fixture *f = *state;
    start_up(f);
    loop_run_ms(&f->h.loop, 3200);
    assert_int_equal(f->h.len, 0); /* above all not down */
    freeReplyObject(command(f, "PUBLISH pg:coffee:price:stream %s", "{x}"));
    freeReplyObject(command(f, "PUBLISH pg:EUR/USD:price:stream %s", "{y}"));
    heard_wait(&f->h, HEARD_ITEM, ID_EURUSD, "{y}", 1);
    assert_int_equal(heard_count(&f->h, HEARD_ITEM, ID_COFFEE, "{x}"), 1);
}

/* Symbols that come while it is up are read, heard from others, and written back after a restart.
 */
static void test_symbols_that_come_later(void **state)
{
    struct fixture *f = *state;
    const struct bus_wanted wanted[] = {
        {"tea",    INSTRUMENT_QUOTE, 0},
        {"coffee", INSTRUMENT_QUOTE, 1},
    };
    char tea[200], coffee[200];
    int64_t now_ms = clock_wall_ms();
    start_up(f);
    heard_publish(&f->h, ID_COFFEE, heard_item(coffee, sizeof coffee, "coffee", 1, now_ms), 100);
    wait_key(f, "pg:coffee:price:latest", coffee);
    freeReplyObject(
        command(f, "SET pg:tea:price:latest %s", heard_item(tea, sizeof tea, "tea", 2, now_ms)));
    heard_forget(&f->h);
    assert_int_equal(bus_watch_instead(f->h.bus, wanted, ARRAY_LEN(wanted)), 0);
    heard_wait(&f->h, HEARD_ITEM, 0, tea, 1);
    freeReplyObject(command(f, "PUBLISH pg:tea:price:stream %s", "from others"));
    freeReplyObject(command(f, "PUBLISH pg:EUR/USD:price:stream %s", "not any more"));
    freeReplyObject(command(f, "PUBLISH pg:coffee:price:stream %s", "as ever"));
    heard_wait(&f->h, HEARD_ITEM, 0, "from others", 1);
    heard_wait(&f->h, HEARD_ITEM, 1, "as ever", 1);
    assert_int_equal(heard_count(&f->h, HEARD_ITEM, -1, "not any more"), 0);
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 0);

    /* What this process had published itself is remembered for the next reconnect. */
    freeReplyObject(command(f, "DEL pg:coffee:price:latest"));
    drop_subscriber(f);
    heard_wait_up(&f->h);
    wait_key(f, "pg:coffee:price:latest", coffee);
    freeReplyObject(command(f, "PUBLISH pg:tea:price:stream %s", "and again"));
    heard_wait(&f->h, HEARD_ITEM, 0, "and again", 1);
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_names_and_order),
        ROW(test_ttl_is_at_most_what_was_given),
        ROW(test_foreign_messages_are_untouched),
        ROW(test_latest_is_read_before_up),
        ROW(test_two_gateways),
        ROW(test_newer_value_in_redis_wins),
        ROW(test_older_value_in_redis_is_replaced),
        ROW(test_same_ts_higher_seq_stays),
        ROW(test_late_old_value_is_replaced),
        ROW(test_restarted_empty),
        ROW(test_many_symbols),
        ROW(test_names_of_both_kinds),
        ROW(test_observations_agree_again),
        ROW(test_symbols_that_come_later),
        ROW(test_still_there_after_some_probes),
    };
#undef ROW
    return cmocka_run_group_tests(tests, NULL, NULL);
}
