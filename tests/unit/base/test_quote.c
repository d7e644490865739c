/* The item as it leaves us, and the rules of state. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "item.h"
#include "quote.h"

static struct decimal of(const char *text)
{
    struct decimal d;
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static void encodes(const struct quote *q, const char *should)
{
    struct buf b = {0};
    struct err err;
    quote_encode(q, &b);
    assert_string_equal(b.p, should);
    /* What we write, every reader takes. */
    struct item *it = item_parse(b.p, b.len, INSTRUMENT_QUOTE, q->symbol, q->recv_ms, &err);
    assert_non_null(it);
    item_unref(it);
    buf_fini(&b);
}

static void full_item(void **state)
{
    const struct quote q = {
        .symbol = "coffee",
        .currency = "USD",
        .unit = "USD/lb",
        .price = of("2.943"),
        .bid = of("2.9"),
        .ask = of("3.00"),
        .open = of("2.9"),
        .high = of("2.97"),
        .low = of("2.88"),
        .prev_close = of("2.91"),
        .volume = of("12345"),
        .ts_ms = 1767225599000,
        .recv_ms = 1767225599412,
        .epoch_ms = 0x19b2f0c6a00,
        .counter = 1842,
        .source = "yahoo",
        .source_symbol = "KC=F",
        .fallback = true,
        .derived = true,
        .delayed_s = 600,
        .stale_after_ms = 45000,
        .state = STATE_LIVE,
        .market = MARKET_OPEN,
    };
    (void)state;
    encodes(&q,
            "{\"symbol\":\"coffee\",\"price\":2.943,\"currency\":\"USD\",\"unit\":\"USD/lb\","
            "\"bid\":2.9,\"ask\":3.00,\"open\":2.9,\"high\":2.97,\"low\":2.88,\"prev_close\":2.91,"
            "\"change\":0.033,\"change_pct\":1.134,\"volume\":12345,\"ts\":1767225599000,"
            "\"recv\":1767225599412,\"seq\":\"19b2f0c6a00:1842\",\"source\":\"yahoo\","
            "\"source_symbol\":\"KC=F\",\"fallback\":true,\"derived\":true,\"delayed_s\":600,"
            "\"stale_after_ms\":45000,\"state\":\"live\",\"market\":\"open\"}");
}

static void least_item(void **state)
{
    const struct quote q = {.symbol = "EUR/USD",
                            .price = of("0.00000001"),
                            .ts_ms = 1,
                            .recv_ms = 2,
                            .source = "s\"x",
                            .source_symbol = "EUR/USD",
                            .state = STATE_CLOSED,
                            .market = MARKET_CLOSED};
    (void)state;
    encodes(&q, "{\"symbol\":\"EUR/USD\",\"price\":0.00000001,\"ts\":1,\"recv\":2,\"seq\":\"0:0\","
                "\"source\":\"s\\\"x\",\"source_symbol\":\"EUR/USD\",\"fallback\":false,"
                "\"state\":\"closed\",\"market\":\"closed\"}");
}

static void no_percent_of_zero(void **state)
{
    struct quote q = {.symbol = "a",
                      .price = of("1.5"),
                      .prev_close = of("0"),
                      .source = "s",
                      .source_symbol = "a",
                      .recv_ms = 1};
    struct buf b = {0};
    (void)state;
    quote_encode(&q, &b);
    assert_non_null(strstr(b.p, "\"change\":1.5"));
    assert_null(strstr(b.p, "change_pct"));
    buf_fini(&b);
}

static void names_and_values(void **state)
{
    (void)state;
    for (int s = STATE_LIVE; s <= STATE_UNAVAILABLE; s++) {
        const char *name = quote_state_name((enum quote_state)s);
        assert_int_equal(quote_state_parse(name, strlen(name)), s);
    }
    for (int m = MARKET_UNKNOWN; m <= MARKET_POST; m++) {
        const char *name = quote_market_name((enum quote_market)m);
        assert_int_equal(quote_market_parse(name, strlen(name)), m);
    }
    assert_string_equal(quote_state_name(STATE_UNAVAILABLE), "unavailable");
    assert_string_equal(quote_market_name(MARKET_PRE), "pre");
    assert_int_equal(quote_state_parse("liv", 3), -1);
    assert_int_equal(quote_state_parse("livex", 5), -1);
    assert_int_equal(quote_state_parse("livex", 4), STATE_LIVE);
    assert_int_equal(quote_market_parse("Open", 4), -1);
}

static const struct quote_age fresh = {.known = true,
                                       .ts_ms = 1000,
                                       .recv_ms = 1500,
                                       .market = MARKET_OPEN,
                                       .stale_after_ms = 10000,
                                       .delayed_after_ms = 600,
                                       .ttl_ms = 5000};

static void states_in_their_order(void **state)
{
    struct quote_age a = fresh;
    (void)state;
    assert_int_equal(quote_state_at(&a, 1500), STATE_LIVE);
    assert_int_equal(quote_state_at(&a, 1500 + 10000), STATE_LIVE);
    assert_int_equal(quote_state_at(&a, 1500 + 10001), STATE_STALE);
    assert_int_equal(quote_state_at(&a, 1500 + 15000), STATE_STALE);
    assert_int_equal(quote_state_at(&a, 1500 + 15001), STATE_UNAVAILABLE);
    assert_int_equal(quote_state_at(&a, 0), STATE_LIVE); /* the clock went back */

    a.ts_ms = 900;
    assert_int_equal(quote_state_at(&a, 1500), STATE_LIVE); /* 600 late: not more than the limit */
    a.ts_ms = 899;
    assert_int_equal(quote_state_at(&a, 1500), STATE_DELAYED);
    assert_int_equal(quote_state_at(&a, 1500 + 10001), STATE_STALE); /* stale goes first */
    a = fresh;
    a.delayed_s = 1;
    assert_int_equal(quote_state_at(&a, 1500), STATE_DELAYED);

    a.market = MARKET_CLOSED; /* closed goes before age */
    assert_int_equal(quote_state_at(&a, 1500), STATE_CLOSED);
    assert_int_equal(quote_state_at(&a, 1500 + 1000000), STATE_CLOSED);
    a.known = false; /* never a price goes before all */
    assert_int_equal(quote_state_at(&a, 1500), STATE_UNAVAILABLE);
}

static void next_change_is_when_the_state_changes(void **state)
{
    struct quote_age a = fresh;
    (void)state;
    int64_t at = 1500;
    for (int changes = 0; changes < 2; changes++) {
        int64_t next = quote_next_change_ms(&a, at);
        assert_true(quote_state_at(&a, next - 1) == quote_state_at(&a, at));
        assert_true(quote_state_at(&a, next) != quote_state_at(&a, at));
        at = next;
    }
    assert_int_equal(at, 1500 + 15001);
    assert_true(quote_next_change_ms(&a, at) == INT64_MAX);
    a.market = MARKET_CLOSED;
    assert_true(quote_next_change_ms(&a, 1500) == INT64_MAX);
    a = fresh;
    a.known = false;
    assert_true(quote_next_change_ms(&a, 1500) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_item),
        cmocka_unit_test(full_item),
        cmocka_unit_test(no_percent_of_zero),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(states_in_their_order),
        cmocka_unit_test(next_change_is_when_the_state_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
