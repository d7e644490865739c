/* One suite of behaviours, run against every implementation and every way to reach Redis. */
#include "bus_heard.h"
#include "log.h"
#include "redis_proc.h"

struct factory {
    const char *name;
    bool redis, tcp;
    const char *prefix;
    int db;
};

static const struct factory factories[] = {
    {"memory",                          false, false, "",   0},
    {"redis, unix socket",              true,  false, "",   0},
    {"redis, TCP, prefix and database", true,  true,  "t:", 3},
};

static const struct factory *current;

struct fixture {
    struct redis_proc proc;
    struct heard h;
    char url[160];
};

enum { ID_EURUSD = 7, ID_GSPC = 2, ID_COFFEE = 11, ID_RAIN = 5 };

static void open_bus(struct fixture *f)
{
    heard_open(&f->h, f->url, current->prefix, 4);
    assert_int_equal(bus_watch(f->h.bus, "EUR/USD", INSTRUMENT_QUOTE, ID_EURUSD), 0);
    assert_int_equal(bus_watch(f->h.bus, "^GSPC", INSTRUMENT_QUOTE, ID_GSPC), 0);
    assert_int_equal(bus_watch(f->h.bus, "coffee", INSTRUMENT_QUOTE, ID_COFFEE), 0);
    assert_int_equal(bus_watch(f->h.bus, "rain/minas", INSTRUMENT_OBSERVATION, ID_RAIN), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    if (current->redis) {
        redis_proc_init(&f->proc, current->tcp, NULL);
        redis_proc_start(&f->proc);
        if (current->tcp)
            snprintf(f->url, sizeof f->url, "redis://127.0.0.1:%d/%d", f->proc.port, current->db);
        else
            snprintf(f->url, sizeof f->url, "unix://%s?db=%d", f->proc.socket, current->db);
    }
    open_bus(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    heard_close(&f->h);
    if (current->redis)
        redis_proc_fini(&f->proc);
    free(f);
    return 0;
}

/* How often a published item is heard: at once, and again as it comes back. */
static size_t times_heard(void)
{
    return current->redis ? 2 : 1;
}

static void test_comes_up_after_start(void **state)
{
    struct fixture *f = *state;
    heard_start(&f->h); /* which checks that nothing is called from within */
    assert_int_equal(f->h.len, 0);
    heard_wait(&f->h, HEARD_UP, -1, NULL, 1);
    assert_true(bus_is_up(f->h.bus));
    assert_string_equal(bus_kind(f->h.bus), current->redis ? "redis" : "memory");
    loop_run_ms(&f->h.loop, 50);
    assert_int_equal(heard_count(&f->h, HEARD_UP, -1, NULL), 1);
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 0);
}

static void test_watch_refuses(void **state)
{
    struct fixture *f = *state;
    struct heard h;
    assert_int_equal(bus_watch(f->h.bus, "fifth", INSTRUMENT_QUOTE, 4), -1); /* symbols_max is 4 */
    heard_open(&h, f->url, "", 3);
    assert_int_equal(bus_watch(h.bus, "A", INSTRUMENT_QUOTE, 1), 0);
    assert_int_equal(bus_watch(h.bus, "A", INSTRUMENT_QUOTE, 2), -1); /* symbol twice */
    assert_int_equal(bus_watch(h.bus, "A", INSTRUMENT_OBSERVATION, 2), -1);
    assert_int_equal(bus_watch(h.bus, "B", INSTRUMENT_QUOTE, 1), -1); /* number twice */
    assert_int_equal(bus_watch(h.bus, "B", INSTRUMENT_QUOTE, -1), -1);
    assert_int_equal(bus_watch(h.bus, "B", INSTRUMENT_QUOTE, 2), 0);
    heard_close(&h); /* never started */
}

static void test_publish_is_heard_at_once(void **state)
{
    static const char item[] = "{\"symbol\":\"EUR/USD\",\"price\":1.10,\"more\":[1,2 ]}";
    struct fixture *f = *state;
    heard_start(&f->h);
    heard_publish(&f->h, ID_EURUSD, item, 120); /* not up yet: heard all the same */
    assert_int_equal(f->h.len, 1);
    assert_int_equal(f->h.events[0].kind, HEARD_ITEM);
    assert_int_equal(f->h.events[0].id, ID_EURUSD);
    assert_string_equal(f->h.events[0].text, item);

    heard_wait_up(&f->h);
    heard_forget(&f->h);
    heard_publish(&f->h, ID_GSPC, "{\"symbol\":\"^GSPC\"}", 120);
    assert_int_equal(f->h.len, 1);
    heard_wait(&f->h, HEARD_ITEM, ID_GSPC, "{\"symbol\":\"^GSPC\"}", times_heard());
    assert_int_equal(bus_stats(f->h.bus).published, 2);

    heard_forget(&f->h);
    heard_publish(&f->h, ID_RAIN, "{\"symbol\":\"rain/minas\"}", 120);
    bus_publish_status(f->h.bus, ID_RAIN, "{}", 2);
    assert_int_equal(f->h.len, 2);
    heard_wait(&f->h, HEARD_ITEM, ID_RAIN, "{\"symbol\":\"rain/minas\"}", times_heard());
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_RAIN, "{}"), 1);
}

static void test_status_is_heard_once(void **state)
{
    static const char one[] = "{\"symbol\":\"coffee\",\"state\":\"stale\"}";
    static const char two[] = "{\"symbol\":\"coffee\",\"state\":\"live\"}";
    struct fixture *f = *state;
    heard_start(&f->h);
    heard_wait_up(&f->h);
    bus_publish_status(f->h.bus, ID_COFFEE, one, strlen(one));
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_COFFEE, one), 1);
    bus_publish_status(f->h.bus, ID_COFFEE, two, strlen(two));
    bus_publish_status(f->h.bus, ID_COFFEE, one, strlen(one));
    /* A status of another symbol with the same bytes is another status. */
    bus_publish_status(f->h.bus, ID_GSPC, one, strlen(one));
    /* This item leaves last: when it is back, the statuses' echoes have come and gone. */
    heard_publish(&f->h, ID_COFFEE, "{}", 120);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, "{}", times_heard());
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_COFFEE, one), 2);
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_COFFEE, two), 1);
    assert_int_equal(heard_count(&f->h, HEARD_STATUS, ID_GSPC, one), 1);
}

static void test_order_is_kept(void **state)
{
    enum { N = 200 };
    struct fixture *f = *state;
    char text[32];
    unsigned next = 0;
    heard_start(&f->h);
    heard_wait_up(&f->h);
    heard_forget(&f->h);
    for (unsigned i = 0; i < N; i++) {
        snprintf(text, sizeof text, "%u", i);
        heard_publish(&f->h, i % 2 ? ID_EURUSD : ID_GSPC, text, 120);
    }
    heard_wait(&f->h, HEARD_ITEM, -1, NULL, N * times_heard());
    for (size_t i = 0; i < f->h.len; i++, next++) {
        snprintf(text, sizeof text, "%u", next % N);
        assert_string_equal(f->h.events[i].text, text);
        assert_int_equal(f->h.events[i].id, next % 2 ? ID_EURUSD : ID_GSPC);
    }
}

static void read_shared(struct heard *h, const char *key)
{
    heard_forget(h);
    bus_shared_read(h->bus, key);
    heard_wait(h, HEARD_SHARED, -1, NULL, 1);
}

static void test_shared_values(void **state)
{
    static const char key[] = "pricegate:breaker:yahoo";
    struct fixture *f = *state;
    heard_start(&f->h);
    heard_wait_up(&f->h);
    read_shared(&f->h, key);
    assert_int_equal(heard_last(&f->h, HEARD_SHARED)->len, 0);

    bus_shared_write(f->h.bus, key, "a\0b", 3, 100);
    read_shared(&f->h, key);
    assert_int_equal(heard_last(&f->h, HEARD_SHARED)->len, 3);
    assert_memory_equal(heard_last(&f->h, HEARD_SHARED)->text, "a\0b", 3);

    bus_shared_write(f->h.bus, key, "later", 5, 100);
    bus_shared_write(f->h.bus, "pricegate:budget:yahoo", "7", 1, 100);
    read_shared(&f->h, key);
    assert_string_equal(heard_last(&f->h, HEARD_SHARED)->text, "later");
    read_shared(&f->h, "pricegate:budget:yahoo");
    assert_string_equal(heard_last(&f->h, HEARD_SHARED)->text, "7");
}

static void test_shared_value_expires(void **state)
{
    struct fixture *f = *state;
    heard_start(&f->h);
    heard_wait_up(&f->h);
    int64_t written_ms = clock_mono_ms();
    bus_shared_write(f->h.bus, "pricegate:breaker:x", "open", 4, 1);
    read_shared(&f->h, "pricegate:breaker:x");
    assert_string_equal(heard_last(&f->h, HEARD_SHARED)->text, "open");
    do {
        loop_run_ms(&f->h.loop, 50);
        read_shared(&f->h, "pricegate:breaker:x");
        assert_true(clock_mono_ms() - written_ms < LOOP_WAIT_MS);
    } while (heard_last(&f->h, HEARD_SHARED)->len > 0);
    assert_true(clock_mono_ms() - written_ms >= 950);
}

/* An owner that answers each item by publishing another. */
struct chain {
    struct heard *h;
    int left;
};

static void on_item_publish(void *ctx, int id, const char *bytes, size_t len)
{
    struct chain *c = ctx;
    heard_on_item(c->h, id, bytes, len);
    if (c->left-- > 0)
        heard_publish(c->h, ID_COFFEE, "next", 10);
}

static void test_handler_may_publish(void **state)
{
    struct fixture *f = *state;
    struct heard h = {0};
    struct chain chain = {&h, 20};
    struct bus_options options = {.url = f->url, .prefix = current->prefix, .symbols_max = 1};
    struct bus_handler handler = {.ctx = &chain, .item = on_item_publish};
    uv_loop_init(&h.loop);
    h.bus = bus_new(&h.loop, &options, &handler, NULL);
    assert_non_null(h.bus);
    assert_int_equal(bus_watch(h.bus, "coffee", INSTRUMENT_QUOTE, ID_COFFEE), 0);
    heard_start(&h);
    heard_wait_up(&h);
    heard_publish(&h, ID_COFFEE, "first", 10);
    heard_wait(&h, HEARD_ITEM, -1, "next", 20 * times_heard());
    heard_close(&h);
}

/* Other symbols while it runs: the kept one goes on under another number, the new one is heard, the
 * one that is gone is not; what is shared stays. */
static void test_other_symbols(void **state)
{
    struct fixture *f = *state;
    const struct bus_wanted wanted[] = {
        {"cocoa",  INSTRUMENT_QUOTE,       0},
        {"coffee", INSTRUMENT_QUOTE,       3},
        {"^GSPC",  INSTRUMENT_OBSERVATION, 1}, /* the name alone is not the same */
    };
    const struct bus_wanted twice[] = {
        {"cocoa", INSTRUMENT_QUOTE, 0},
        {"cocoa", INSTRUMENT_QUOTE, 1},
    };
    heard_start(&f->h);
    heard_wait_up(&f->h);
    bus_shared_write(f->h.bus, "pricegate:x", "kept", 4, 60);
    assert_int_equal(bus_watch_instead(f->h.bus, twice, ARRAY_LEN(twice)), -1);
    heard_publish(&f->h, ID_COFFEE, "before", 10);
    heard_wait(&f->h, HEARD_ITEM, ID_COFFEE, "before", times_heard());
    assert_int_equal(bus_watch_instead(f->h.bus, wanted, ARRAY_LEN(wanted)), 0);
    assert_true(bus_is_up(f->h.bus));
    heard_forget(&f->h);
    heard_publish(&f->h, 3, "coffee", 10);
    heard_publish(&f->h, 0, "cocoa", 10);
    heard_publish(&f->h, 1, "rain", 10);
    heard_wait(&f->h, HEARD_ITEM, 3, "coffee", times_heard());
    heard_wait(&f->h, HEARD_ITEM, 0, "cocoa", times_heard());
    heard_wait(&f->h, HEARD_ITEM, 1, "rain", times_heard());
    bus_shared_read(f->h.bus, "pricegate:x");
    heard_wait(&f->h, HEARD_SHARED, -1, "kept", 1);
    assert_int_equal(heard_count(&f->h, HEARD_DOWN, -1, NULL), 0);
    /* Again and again, in every stage of what the last change has set going. */
    for (int i = 0; i < 30; i++) {
        assert_int_equal(bus_watch_instead(f->h.bus, wanted + i % 3, (size_t)(3 - i % 3)), 0);
        for (int turns = 0; turns < i % 4; turns++)
            uv_run(&f->h.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(bus_watch_instead(f->h.bus, wanted, ARRAY_LEN(wanted)), 0);
    heard_publish(&f->h, 0, "last", 10);
    heard_wait(&f->h, HEARD_ITEM, 0, "last", times_heard());
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Close after 0, 1, 2 ... turns of the loop: every stage of coming up is hit. */
static void test_close_at_any_time(void **state)
{
    struct fixture *f = *state;
    for (int turns = 0; turns < 40; turns++) {
        struct heard h;
        heard_open(&h, f->url, current->prefix, 1);
        assert_int_equal(bus_watch(h.bus, "coffee", INSTRUMENT_QUOTE, 0), 0);
        heard_start(&h);
        uv_timer_t tick; /* or a turn would last until the next PING */
        uv_timer_init(&h.loop, &tick);
        uv_timer_start(&tick, on_tick, 1, 1);
        for (int i = 0; i < turns; i++)
            uv_run(&h.loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&tick, NULL);
        heard_publish(&h, 0, "{}", 10);
        bus_shared_write(h.bus, "pricegate:x", "1", 1, 10);
        bus_shared_read(h.bus, "pricegate:x");
        heard_close(&h);
    }
    heard_start(&f->h);
}

static int run(const struct factory *factory)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_comes_up_after_start),
        ROW(test_watch_refuses),
        ROW(test_publish_is_heard_at_once),
        ROW(test_status_is_heard_once),
        ROW(test_order_is_kept),
        ROW(test_shared_values),
        ROW(test_shared_value_expires),
        ROW(test_handler_may_publish),
        ROW(test_other_symbols),
        ROW(test_close_at_any_time),
    };
#undef ROW
    current = factory;
    print_message("# %s\n", factory->name);
    return cmocka_run_group_tests_name(factory->name, tests, NULL, NULL);
}

int main(void)
{
    int failed = 0;
    log_setup(LOG_ERROR, true); /* hundreds of buses come up */
    for (size_t i = 0; i < sizeof factories / sizeof factories[0]; i++)
        failed += run(&factories[i]);
    return failed;
}
