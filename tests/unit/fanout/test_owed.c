/* A slow client: conflated to the newest, told so, bounded, and back on the shared path. */
#include "rig.h"

#include "owed.h"

static void open_on(struct peer *p, struct rig *r, const char *symbols)
{
    char text[200];
    peer_open(p, r);
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":%s}", symbols);
    peer_say(p, text);
    peer_forget(p);
}

/* One update and its flush. */
static void quote(struct rig *r, int id, const char *price)
{
    rig_quote(r, id, price);
    rig_pass_ms(r, 10);
    fanout_turn(r->f, r->mono_ns);
}

static double price_at(const json_t *frame, size_t i)
{
    return json_number_value(
        json_object_get(json_array_get(json_object_get(frame, "data"), i), "price"));
}

static void test_conflation(void **state)
{
    struct rig r;
    struct peer slow, fast;
    (void)state;
    rig_init(&r);
    open_on(&slow, &r, "[\"coffee\",\"AAPL\"]");
    open_on(&fast, &r, "[\"coffee\",\"AAPL\"]");
    slow.room = 1; /* takes the next write, and is full then */
    quote(&r, COFFEE, "1");
    assert_true(slow.wants);
    assert_int_equal(peer_waiting(&slow), 1);
    peer_forget(&slow);
    quote(&r, COFFEE, "2");
    quote(&r, AAPL, "10");
    quote(&r, COFFEE, "3");
    quote(&r, COFFEE, "4");
    assert_int_equal(peer_waiting(&slow), 0);
    assert_int_equal(peer_waiting(&fast), 5); /* untouched by its neighbour */

    rig_pass_ms(&r, 1000);
    peer_drain(&slow, PEER_ROOMY);
    json_t *j = peer_until(&slow, "quote");
    assert_null(json_object_get(j, "snapshot"));
    assert_int_equal(json_array_size(json_object_get(j, "data")), 2);
    assert_true(price_at(j, 0) == 4 && price_at(j, 1) == 10);
    json_decref(j);
    peer_expect(&slow, "{\"type\":\"flow\",\"merged\":2,\"ms\":1040}");
    peer_expect_nothing(&slow);
    assert_int_equal(slow.client->path, CLIENT_SHARED);
    assert_null(slow.client->owed);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "slow", NULL), 2);

    quote(&r, COFFEE, "5");
    j = peer_until(&slow, "quote");
    assert_true(price_at(j, 0) == 5);
    json_decref(j);
    peer_expect_nothing(&slow); /* flow is told once */
    peer_free(&slow);
    peer_free(&fast);
    rig_fini(&r);
}

/* Drained with nothing merged away: no word about it. */
static void test_no_flow_without_loss(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on(&p, &r, "[\"coffee\"]");
    p.room = 1;
    quote(&r, COFFEE, "1");
    quote(&r, COFFEE, "2");
    peer_drain(&p, PEER_ROOMY);
    assert_int_equal(peer_waiting(&p), 2);
    json_t *last = json_array_get(p.frames, 1);
    assert_true(price_at(last, 0) == 2);
    peer_free(&p);
    rig_fini(&r);
}

/* What the view has pending is the view's to send: the newest value comes once. */
static void test_writable_before_flush(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on(&p, &r, "[\"coffee\"]");
    p.room = 1;
    quote(&r, COFFEE, "1");
    quote(&r, COFFEE, "2"); /* owed */
    peer_forget(&p);
    rig_quote(&r, COFFEE, "3"); /* pending in the view */
    peer_drain(&p, PEER_ROOMY);
    peer_expect_nothing(&p);
    peer_say(&p, "{\"action\":\"ping\"}"); /* the socket is free: an answer does not wait */
    json_decref(peer_until(&p, "pong"));
    peer_expect_nothing(&p);
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    json_t *j = peer_until(&p, "quote");
    assert_true(price_at(j, 0) == 3);
    json_decref(j);
    peer_expect(&p, "{\"type\":\"flow\",\"merged\":1,\"ms\":20}");
    peer_expect_nothing(&p);
    assert_int_equal(p.client->path, CLIENT_SHARED);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "slow", NULL), 1);
    peer_free(&p);
    rig_fini(&r);
}

/* Commands of a slow client: acks first, in order, then data; what was given up never comes. */
static void test_control_lane(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, EURUSD, "9");
    open_on(&p, &r, "[\"coffee\",\"AAPL\"]");
    p.room = 1;
    quote(&r, COFFEE, "1");
    quote(&r, COFFEE, "2");
    quote(&r, AAPL, "3");
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"ping\",\"id\":1}");
    peer_say(&p, "{\"action\":\"unsubscribe\",\"symbols\":[\"coffee\"],\"id\":2}");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"EUR/USD\"],\"id\":3}");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"EUR/GBP\"],\"id\":4}");
    peer_expect_nothing(&p);
    peer_drain(&p, PEER_ROOMY);
    json_decref(peer_until(&p, "pong"));
    peer_expect(&p, "{\"type\":\"unsubscribed\",\"id\":2,\"symbols\":[\"coffee\"],"
                    "\"active\":[\"AAPL\"]}");
    peer_expect(&p, "{\"type\":\"subscribed\",\"id\":3,\"symbols\":[\"EUR/USD\"],\"rejected\":[],"
                    "\"active\":[\"EUR/USD\",\"AAPL\"]}");
    json_decref(peer_until(&p, "subscribed"));
    json_t *j = peer_next(&p); /* one snapshot for both... */
    assert_true(json_is_true(json_object_get(j, "snapshot")));
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    assert_true(price_at(j, 0) == 9);
    json_decref(j);
    /* ...and still one frame for each */
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}");
    j = peer_next(&p);
    assert_true(price_at(j, 0) == 3);
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    json_decref(j);
    j = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "status");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    json_decref(j);
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

/* A snapshot whose symbol has an update pending in the view waits for that flush. */
static void test_held_snapshot(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, AAPL, "7");
    peer_open(&p, &r);
    p.room = 1;
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"AAPL\"]}");
    json_decref(peer_until(&p, "subscribed"));
    rig_quote(&r, COFFEE, "2");
    peer_drain(&p, PEER_ROOMY);
    json_t *j = peer_next(&p);
    assert_true(json_is_true(json_object_get(j, "snapshot")));
    assert_true(price_at(j, 0) == 7);
    json_decref(j);
    peer_expect_nothing(&p);
    assert_false(p.wants); /* no spinning on a free socket */
    fanout_client_writable(p.client, r.mono_ns);
    peer_expect_nothing(&p);
    fanout_turn(r.f, r.mono_ns);
    j = peer_next(&p);
    assert_true(json_is_true(json_object_get(j, "snapshot")));
    assert_true(price_at(j, 0) == 2);
    json_decref(j);
    peer_expect_nothing(&p);
    assert_int_equal(p.client->path, CLIENT_SHARED);
    peer_free(&p);
    rig_fini(&r);
}

static void test_lane_is_bounded(void **state)
{
    struct rig r;
    struct peer p;
    int n = 0;
    (void)state;
    rig_init(&r);
    r.config.limits.commands_per_minute = 100000;
    open_on(&p, &r, "[\"coffee\"]");
    p.room = 1;
    quote(&r, COFFEE, "1");
    while (!p.closed && n++ < 10000) {
        assert_true(p.client->owed->lane.len <= (size_t)r.config.limits.acks_bytes);
        peer_say(&p, "{\"action\":\"ping\"}");
    }
    assert_int_equal(p.reason, CLOSE_SLOW);
    assert_true(n > 1000);
    peer_free(&p);
    assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "slow", NULL), 1);
    rig_fini(&r);
}

/* Statuses of a slow client: the last one counts, and none when the quote says it itself. */
static void test_statuses(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on(&p, &r, "[\"coffee\"]");
    p.room = 1;
    quote(&r, COFFEE, "1");
    peer_forget(&p);
    rig_tick_ms(&r, 40000);
    p.unsent = 5;
    rig_tick_ms(&r, 20500); /* stale */
    p.unsent = 4;
    rig_tick_ms(&r, 1000);
    peer_expect_nothing(&p);
    quote(&r, COFFEE, "2"); /* live again, and says so */
    peer_drain(&p, 1);
    json_t *j = peer_until(&p, "quote");
    assert_true(price_at(j, 0) == 2);
    json_decref(j);
    peer_expect_nothing(&p);
    rig_status(&r, COFFEE, "{\"symbol\":\"coffee\",\"state\":\"closed\",\"reason\":\"holiday\"}");
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    peer_expect_nothing(&p);
    peer_drain(&p, PEER_ROOMY);
    peer_expect(&p, "{\"type\":\"status\",\"data\":[{\"symbol\":\"coffee\",\"state\":\"closed\","
                    "\"since\":1767225661520,\"reason\":\"holiday\",\"market\":\"closed\"}]}");
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conflation),
        cmocka_unit_test(test_no_flow_without_loss),
        cmocka_unit_test(test_writable_before_flush),
        cmocka_unit_test(test_control_lane),
        cmocka_unit_test(test_held_snapshot),
        cmocka_unit_test(test_lane_is_bounded),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
