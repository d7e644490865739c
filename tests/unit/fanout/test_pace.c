/* At most one delivery per symbol and interval, counted from the snapshot; the last value always;
 * states at once. */
#include "rig.h"

#include "owed.h"

static void open_paced(struct peer *p, struct rig *r, const char *symbols, int interval_ms)
{
    char text[200];
    peer_open(p, r);
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":%s,\"interval_ms\":%d}",
             symbols, interval_ms);
    peer_say(p, text);
    peer_forget(p);
}

static double price_of(const json_t *frame, size_t i)
{
    return json_number_value(
        json_object_get(json_array_get(json_object_get(frame, "data"), i), "price"));
}

static void expect_price(struct peer *p, double price)
{
    json_t *j = peer_next(p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "quote");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    assert_true(price_of(j, 0) == price);
    json_decref(j);
    peer_expect_nothing(p);
}

/* Time passes as the loop would let it: a turn whenever the fan-out asked for one. */
static void pass_ms(struct rig *r, int64_t ms)
{
    int64_t end_ns = r->mono_ns + ms * MS;
    while (r->mono_ns < end_ns) {
        int64_t wait_ns = fanout_turn(r->f, r->mono_ns);
        int64_t step_ms = (end_ns - r->mono_ns) / MS;
        if (wait_ns >= 0 && wait_ns < step_ms * MS)
            step_ms = wait_ns > MS ? wait_ns / MS : 1;
        rig_pass_ms(r, step_ms);
    }
    fanout_turn(r->f, r->mono_ns);
}

static void test_windows(void **state)
{
    struct rig r;
    struct peer p;
    char price[16];
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    open_paced(&p, &r, "[\"coffee\"]", 1000);
    assert_int_equal(fanout_turn(r.f, r.mono_ns), 1000 * MS); /* the loop is told when */
    for (int i = 2; i < 50; i++) {                            /* every 20 ms, up to 960 ms */
        pass_ms(&r, 20);
        snprintf(price, sizeof price, "%d", i);
        rig_quote(&r, COFFEE, price);
    }
    pass_ms(&r, 39);
    peer_expect_nothing(&p);
    pass_ms(&r, 1);
    expect_price(&p, 49);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "interval", NULL), 47);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "slow", NULL), 0);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "flush", NULL), 0);

    rig_quote(&r, COFFEE, "50");
    pass_ms(&r, 999);
    peer_expect_nothing(&p);
    pass_ms(&r, 1);
    expect_price(&p, 50); /* the trailing edge */
    pass_ms(&r, 1500);
    peer_expect_nothing(&p); /* nothing new, nothing sent */
    rig_quote(&r, COFFEE, "51");
    pass_ms(&r, 499);
    peer_expect_nothing(&p);
    pass_ms(&r, 1);
    expect_price(&p, 51); /* at the end of its window, not an interval later */
    assert_int_equal(r.metrics.deliveries, 4);
    peer_free(&p);
    assert_int_equal(fanout_turn(r.f, r.mono_ns), -1);
    rig_fini(&r);
}

/* Each client's windows begin with its own snapshot; they share a view all the same. */
static void test_own_windows(void **state)
{
    struct rig r;
    struct peer a, b;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    open_paced(&a, &r, "[\"coffee\"]", 1000);
    pass_ms(&r, 300);
    rig_quote(&r, COFFEE, "2");
    open_paced(&b, &r, "[\"coffee\"]", 1000);
    assert_ptr_equal(a.client->seat.view, b.client->seat.view);
    pass_ms(&r, 699);
    peer_expect_nothing(&a);
    pass_ms(&r, 1);
    expect_price(&a, 2);
    pass_ms(&r, 300);
    peer_expect_nothing(&b); /* its snapshot had it */
    rig_quote(&r, COFFEE, "3");
    pass_ms(&r, 700);
    expect_price(&a, 3);
    peer_expect_nothing(&b);
    pass_ms(&r, 300);
    expect_price(&b, 3);
    peer_free(&a);
    peer_free(&b);
    rig_fini(&r);
}

/* Plain and paced symbols that go out in the same flush are one write, and one frame. */
static void test_one_write(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_paced(&p, &r, "[\"coffee\",\"AAPL\"]", 1000);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"EUR/USD\"]}");
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, AAPL, "2");
    pass_ms(&r, 999);
    peer_forget(&p);
    int writes = p.writes;
    rig_pass_ms(&r, 1);
    rig_quote(&r, EURUSD, "3");
    fanout_turn(r.f, r.mono_ns);
    assert_int_equal(p.writes, writes + 1);
    json_t *j = peer_until(&p, "quote");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 3);
    json_decref(j);
    peer_forget(&p);
    assert_int_equal(p.client->path, CLIENT_SHARED);
    rig_quote(&r, EURUSD, "4"); /* the plain one is not held up by the others */
    pass_ms(&r, 10);
    expect_price(&p, 4);
    peer_free(&p);
    rig_fini(&r);
}

/* A change of state is told at once, though the quote that brought it has to wait; and the quote
 * that comes later does not have the last word about it. */
/* A window that ends just behind a flush of the client's view waits for its next one. */
static void test_one_write_per_flush(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "0.5");
    rig_quote(&r, AAPL, "0.5");
    open_paced(&p, &r, "[\"coffee\"]", 1000);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"]}");
    peer_forget(&p);
    rig_quote(&r, COFFEE, "1");
    pass_ms(&r, 995);
    rig_quote(&r, AAPL, "2");
    pass_ms(&r, 0);
    expect_price(&p, 2);
    pass_ms(&r, 7);
    rig_quote(&r, AAPL, "3");
    int writes = p.writes;
    pass_ms(&r, 2);
    peer_expect_nothing(&p); /* 1004 ms: the window is over, but the view rests until 1005 */
    pass_ms(&r, 1);
    assert_int_equal(p.writes, writes + 1);
    json_t *j = peer_next(&p);
    assert_int_equal(json_array_size(json_object_get(j, "data")), 2);
    json_decref(j);
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

static void test_status_at_once(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    open_paced(&p, &r, "[\"coffee\"]", 60000);
    pass_ms(&r, 1000);
    rig_item(&r, COFFEE, "2", ",\"state\":\"closed\",\"market\":\"closed\"");
    pass_ms(&r, 10);
    json_t *j = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "status");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(j, "data"), 0), "state")),
        "closed");
    json_decref(j);
    peer_expect_nothing(&p);
    pass_ms(&r, 1000);
    rig_quote(&r, COFFEE, "3"); /* says live */
    pass_ms(&r, 10);
    json_decref(peer_until(&p, "status"));
    rig_status(&r, COFFEE, "{\"symbol\":\"coffee\",\"state\":\"closed\",\"market\":\"closed\"}");
    pass_ms(&r, 10);
    json_decref(peer_until(&p, "status"));
    pass_ms(&r, 58000);
    j = peer_next(&p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "quote");
    assert_true(price_of(j, 0) == 3);
    json_decref(j);
    j = peer_next(&p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "status");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(j, "data"), 0), "state")),
        "closed");
    json_decref(j);
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

/* A later subscribe replaces the options of the symbols it names, and only of these. */
static void test_replaced(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, AAPL, "1");
    open_paced(&p, &r, "[\"coffee\",\"AAPL\"]", 1000);
    pass_ms(&r, 500);
    /* the same again: nothing changes, the window neither */
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"interval_ms\":1000}");
    json_decref(peer_until(&p, "subscribed"));
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}");
    rig_quote(&r, COFFEE, "2");
    pass_ms(&r, 500);
    expect_price(&p, 2);
    /* another interval: a new snapshot, and windows from there */
    rig_quote(&r, AAPL, "2");
    rig_quote(&r, COFFEE, "3");
    pass_ms(&r, 500);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"interval_ms\":700}");
    json_decref(peer_until(&p, "subscribed"));
    expect_price(&p, 3);
    rig_quote(&r, COFFEE, "4");
    pass_ms(&r, 500);
    expect_price(&p, 2); /* AAPL, as before */
    pass_ms(&r, 200);
    expect_price(&p, 4);
    /* none: plain from now on; without a snapshot, what waited is not lost */
    rig_quote(&r, COFFEE, "5");
    pass_ms(&r, 100);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"snapshot\":false}");
    json_decref(peer_until(&p, "subscribed"));
    expect_price(&p, 5);
    pass_ms(&r, 100);
    rig_quote(&r, COFFEE, "6");
    pass_ms(&r, 10);
    expect_price(&p, 6);
    peer_say(&p, "{\"action\":\"unsubscribe\",\"symbols\":[\"AAPL\"]}");
    assert_int_equal(r.f->paces.len, 0);
    assert_null(p.client->seat.view->options);
    peer_free(&p);
    rig_fini(&r);
}

/* A slow client: its interval merges what its interval would have merged, the rest is its own. */
static void test_slow(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    open_paced(&p, &r, "[\"coffee\"]", 1000);
    p.room = 0;
    rig_quote(&r, COFFEE, "2");
    rig_quote(&r, COFFEE, "3"); /* replaces 2: interval */
    pass_ms(&r, 1000);
    assert_true(p.wants);
    rig_quote(&r, COFFEE, "4");
    pass_ms(&r, 1000); /* replaces 3: slow */
    rig_quote(&r, COFFEE, "5");
    rig_quote(&r, COFFEE, "6"); /* replaces 5: interval; and goes instead of 4: slow */
    pass_ms(&r, 500);
    peer_drain(&p, PEER_ROOMY);
    json_t *j = peer_until(&p, "quote");
    assert_true(price_of(j, 0) == 6);
    json_decref(j);
    peer_expect(&p, "{\"type\":\"flow\",\"merged\":2,\"ms\":1500}");
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "interval", NULL), 2);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "slow", NULL), 2);
    rig_quote(&r, COFFEE, "7");
    pass_ms(&r, 499);
    peer_expect_nothing(&p);
    pass_ms(&r, 1);
    expect_price(&p, 7);
    /* It drains after a window has ended, but before the loop came to its turn. */
    p.room = 0;
    rig_quote(&r, COFFEE, "8");
    pass_ms(&r, 1000);
    rig_pass_ms(&r, 1000);
    rig_quote(&r, COFFEE, "9");
    peer_drain(&p, PEER_ROOMY);
    j = peer_until(&p, "quote");
    assert_true(price_of(j, 0) == 9);
    json_decref(j);
    peer_forget(&p);
    rig_quote(&r, COFFEE, "10");
    pass_ms(&r, 999);
    peer_expect_nothing(&p);
    pass_ms(&r, 1);
    expect_price(&p, 10);
    peer_free(&p);
    rig_fini(&r);
}

/* A window that ends with nothing to say delays nobody, and an interval below the flush is one
 * delivery per flush. */
static void test_short(void **state)
{
    struct rig r;
    struct peer paced, plain;
    char price[16];
    (void)state;
    rig_init(&r);
    open_paced(&paced, &r, "[\"coffee\"]", 1);
    peer_open(&plain, &r);
    peer_say(&plain, "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"]}");
    pass_ms(&r, 1005);
    peer_forget(&paced);
    peer_forget(&plain);
    rig_quote(&r, AAPL, "1");
    fanout_turn(r.f, r.mono_ns);
    expect_price(&plain, 1);
    for (int i = 1; i <= 100; i++) {
        snprintf(price, sizeof price, "%d", i);
        rig_quote(&r, COFFEE, price);
        pass_ms(&r, 1);
    }
    pass_ms(&r, 20);
    assert_in_range(peer_waiting(&paced), 5, 12);
    assert_int_equal(fanout_turn(r.f, r.mono_ns + 100 * MS), 10 * MS); /* not each ms */
    peer_free(&paced);
    peer_free(&plain);
    rig_fini(&r);
}

/* Many clients with many intervals: everybody gets his own at his own time. */
static void test_heap(void **state)
{
    enum { N = 200 };
    static struct peer p[N];
    static int64_t due_ms[N];
    struct rig r;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    for (int i = 0; i < N; i++) {
        int ms = 1000 + i * 7919 % 5000;
        open_paced(&p[i], &r, "[\"coffee\"]", ms);
        due_ms[i] = ms;
    }
    rig_quote(&r, COFFEE, "2");
    for (int i = 0; i < N; i += 3)
        fanout_client_closing(p[i].client);
    for (int64_t t = 0; t < 6100; t += 10) {
        for (int i = 0; i < N; i++)
            if (peer_waiting(&p[i]) > 0)
                assert_true(due_ms[i] <= t);
            else if (i % 3)
                assert_true(due_ms[i] > t - 20);
        pass_ms(&r, 10);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(peer_waiting(&p[i]), i % 3 ? 1 : 0);
        peer_free(&p[i]);
    }
    assert_int_equal(r.f->paces.len, 0);
    rig_fini(&r);
}

static void test_absurd(void **state)
{
    static const struct {
        const char *options;
        bool good;
    } rows[] = {
        {"\"interval_ms\":0",       true },
        {"\"interval_ms\":3600000", true },
        {"\"interval_ms\":3600001", false},
        {"\"interval_ms\":-1",      false},
        {"\"interval_ms\":1.5",     false},
        {"\"interval_ms\":\"1\"",   false},
        {"\"interval_ms\":null",    false},
        {"\"interval_ms\":1e3",     false},
        {"\"fields\":[]",           true },
        {"\"fields\":[1]",          false},
        {"\"fields\":\"price\"",    false},
        {"\"fields\":{}",           false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        struct peer p;
        char text[200];
        rig_init(&r);
        peer_open(&p, &r);
        snprintf(text, sizeof text,
                 "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":7,%s}",
                 rows[i].options);
        peer_say(&p, text);
        if (rows[i].good)
            json_decref(peer_until(&p, "subscribed"));
        else
            peer_expect(&p, "{\"type\":\"error\",\"id\":7,\"code\":400,\"error\":\"bad_message\","
                            "\"message\":\"...\"}");
        assert_int_equal(p.client->seat.view != NULL, rows[i].good);
        peer_free(&p);
        rig_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),        cmocka_unit_test(test_own_windows),
        cmocka_unit_test(test_one_write),      cmocka_unit_test(test_one_write_per_flush),
        cmocka_unit_test(test_status_at_once), cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_slow),           cmocka_unit_test(test_short),
        cmocka_unit_test(test_heap),           cmocka_unit_test(test_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
