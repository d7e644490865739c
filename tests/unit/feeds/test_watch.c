#include "watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t T = 1767268800000;

static const struct instrument coffee = {
    .symbol = "coffee", .poll_ms = 15000, .ttl_s = 120, .delayed_after_ms = 60000};

static struct item *item_of(const char *members, int64_t now_ms)
{
    char text[400];
    struct err err = {""};
    int n = snprintf(text, sizeof text, "{\"symbol\":\"coffee\",\"price\":2.9,%s}", members);
    struct item *it = item_parse(text, (size_t)n, INSTRUMENT_QUOTE, "coffee", now_ms, &err);
    assert_string_equal(err.text, "");
    return it;
}

static bool hear(struct watch *w, const char *members, int64_t now_ms)
{
    struct item *it = item_of(members, now_ms);
    bool news = watch_item(w, it, now_ms);
    item_unref(it);
    return news;
}

static void expect(struct watch *w, int64_t now_ms, const char *want)
{
    struct buf out = {0};
    bool due = watch_due(w, now_ms, &out);
    assert_string_equal(due ? out.p : "nothing", want);
    buf_fini(&out);
}

static void test_stale_then_unavailable(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    assert_true(
        hear(&w,
             "\"ts\":1767268799000,\"recv\":1767268800000,\"seq\":\"1:1\",\"state\":\"live\","
             "\"market\":\"open\",\"source\":\"yahoo\"",
             T));
    watch_walked(&w, FAIL_TIMEOUT, "yahoo");
    assert_true(watch_next_ms(&w, T) == T + 120001);
    expect(&w, T + 120000, "nothing");
    expect(
        &w, T + 120050,
        "{\"symbol\":\"coffee\",\"state\":\"stale\",\"since\":1767268920001,\"reason\":\"timeout\","
        "\"source\":\"yahoo\",\"market\":\"open\"}");
    expect(&w, T + 130000, "nothing");
    assert_true(watch_next_ms(&w, T + 130000) == T + 240001);
    expect(&w, T + 240001,
           "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"since\":1767269040001,\"reason\":"
           "\"timeout\",\"source\":\"yahoo\",\"market\":\"open\"}");
    expect(&w, T + 999999, "nothing");
    assert_true(watch_next_ms(&w, T + 999999) == INT64_MAX);
}

/* The item says its own state; what it says is not said again. */
static void test_item_carries_the_state(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    hear(&w, "\"ts\":1767268000000,\"recv\":1767268800000,\"state\":\"delayed\"", T);
    expect(&w, T, "nothing");
    hear(&w,
         "\"ts\":1767268000000,\"recv\":1767268800000,\"market\":\"closed\",\"state\":\"closed\"",
         T);
    expect(&w, T, "nothing");
    assert_true(watch_next_ms(&w, T) == INT64_MAX);
    expect(&w, T + 999999999, "nothing"); /* closed does not age */
}

/* Read from Redis at the start: long dead, but it says live. */
static void test_old_item(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    hear(&w, "\"ts\":1767260000000,\"recv\":1767260000000,\"state\":\"live\",\"source\":\"x\"", T);
    expect(
        &w, T,
        "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"since\":1767260240001,\"source\":\"x\","
        "\"market\":\"unknown\"}");
    expect(&w, T, "nothing");
}

static void test_limit_in_the_item(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    hear(&w, "\"ts\":1767268800000,\"recv\":1767268800000,\"stale_after_ms\":600000", T);
    assert_true(watch_next_ms(&w, T) == T + 600001);
}

static void test_never_a_price(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    expect(&w, T + 5, "nothing");
    watch_walked(&w, FAIL_DNS, "yahoo");
    expect(&w, T + 9,
           "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"since\":1767268800000,\"reason\":"
           "\"dns\",\"source\":\"yahoo\",\"market\":\"unknown\"}");
    watch_walked(&w, FAIL_BREAKER_OPEN, "yahoo");
    expect(&w, T + 99, "nothing");
}

static void test_copies_and_older(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    assert_true(hear(&w, "\"ts\":1767268799000,\"seq\":\"a:5\"", T));
    assert_false(hear(&w, "\"ts\":1767268799000,\"seq\":\"a:5\"", T));
    assert_false(hear(&w, "\"ts\":1767268799000,\"seq\":\"a:4\"", T));
    assert_true(hear(&w, "\"ts\":1767268799000,\"seq\":\"a:6\"", T));
    assert_true(hear(&w, "\"ts\":1767268799000,\"seq\":\"9:1\"", T)); /* another owner's */
    assert_false(hear(&w, "\"ts\":1767268798999", T));
    assert_true(hear(&w, "\"ts\":1767268799000", T));
    assert_true(hear(&w, "\"ts\":1767268799001,\"seq\":\"a:6\"", T));
    assert_true(hear(&w, "\"ts\":1767268799002,\"seq\":\"a:6\"", T)); /* newer all the same */
}

static const char live[] =
    "\"ts\":1767268799000,\"recv\":1767268800000,\"state\":\"live\",\"market\":\"open\","
    "\"source\":\"coinbase\"";

static void test_the_market_closes_and_opens(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    watch_market(&w, MARKET_CLOSED, T); /* no price: nothing to say */
    expect(&w, T, "nothing");
    assert_true(hear(&w, live, T));
    watch_market(&w, MARKET_OPEN, T + 1);
    watch_market(&w, MARKET_UNKNOWN, T + 1);
    expect(&w, T + 1, "nothing");
    watch_market(&w, MARKET_POST, T + 2); /* another market, the same state */
    expect(&w, T + 2, "nothing");
    watch_market(&w, MARKET_CLOSED, T + 60000);
    expect(&w, T + 60000,
           "{\"symbol\":\"coffee\",\"state\":\"closed\",\"since\":1767268860000,\"source\":"
           "\"coinbase\",\"market\":\"closed\"}");
    expect(&w, T + 60001, "nothing");
    watch_market(&w, MARKET_UNKNOWN, T + 500000); /* it stays what it was */
    expect(&w, T + 500000, "nothing");
    assert_true(watch_next_ms(&w, T + 500000) == INT64_MAX); /* closed prices don't age */
    watch_market(&w, MARKET_OPEN, T + 200000);
    expect(&w, T + 200000,
           "{\"symbol\":\"coffee\",\"state\":\"stale\",\"since\":1767268920001,\"source\":"
           "\"coinbase\",\"market\":\"open\"}");
}

/* Nobody has confirmed it up to the close: that is not hidden. */
static void test_a_stale_price_is_not_closed(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    assert_true(hear(&w, live, T));
    watch_walked(&w, FAIL_TIMEOUT, "coinbase");
    struct buf out = {0};
    assert_true(watch_due(&w, T + 120001, &out));
    buf_fini(&out);
    watch_market(&w, MARKET_CLOSED, T + 130000);
    expect(&w, T + 130000, "nothing");
    watch_market(&w, MARKET_CLOSED, T + 240001);
    expect(&w, T + 240001,
           "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"since\":1767269040001,\"reason\":"
           "\"timeout\",\"source\":\"coinbase\",\"market\":\"open\"}");
}

static void test_clock_set(void **state)
{
    static const int64_t steps[] = {86400000, -86400000, 5000, -5000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct watch w;
        int64_t by = steps[i];
        watch_init(&w, &coffee, T);
        assert_true(hear(&w, live, T));
        watch_clock_set(&w, by, T + by);
        expect(&w, T + by + 120000, "nothing");
        assert_true(watch_next_ms(&w, T + by) == T + by + 120001);
        struct buf out = {0};
        assert_true(watch_due(&w, T + by + 120001, &out));
        buf_fini(&out);
    }
}

/* Who was ahead took its times from a wrong clock; the next one may be older by them. */
static void test_clock_set_back_under_a_time_of_ours(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    assert_true(hear(&w, "\"ts\":1767268800000,\"recv\":1767268800000", T));
    assert_false(hear(&w, "\"ts\":1767268795000", T));
    watch_clock_set(&w, -5000, T - 5000); /* as far as clocks differ */
    assert_false(hear(&w, "\"ts\":1767268795000", T - 5000));
    watch_clock_set(&w, -1000, T - 6000);
    assert_true(hear(&w, "\"ts\":1767268794000", T - 6000));
    assert_false(hear(&w, "\"ts\":1767268793999", T - 6000));
}

/* A sender's clock is ahead of ours: its price is new, no younger. */
static void test_a_sender_ahead(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w, &coffee, T);
    assert_true(hear(&w, "\"ts\":1767268800000,\"recv\":1767278800000", T));
    assert_true(watch_next_ms(&w, T) == T + 120001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale_then_unavailable),
        cmocka_unit_test(test_item_carries_the_state),
        cmocka_unit_test(test_old_item),
        cmocka_unit_test(test_limit_in_the_item),
        cmocka_unit_test(test_never_a_price),
        cmocka_unit_test(test_copies_and_older),
        cmocka_unit_test(test_the_market_closes_and_opens),
        cmocka_unit_test(test_a_stale_price_is_not_closed),
        cmocka_unit_test(test_clock_set),
        cmocka_unit_test(test_clock_set_back_under_a_time_of_ours),
        cmocka_unit_test(test_a_sender_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
