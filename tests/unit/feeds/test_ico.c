/* The benchmark: one symbol, one value, one date; and through the rules it is never live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider.h"
#include "quality.h"

/* 2025-02-28 12:00 UTC */
static const int64_t MONTH_END_MS = 1740744000000;
static const int64_t YEAR_MS = 365 * 86400 * 1000LL;

static enum failure at(const char *symbol, int64_t now_ms, struct record *out)
{
    struct answer a = {0};
    provider_find("ico")->generate(symbol, now_ms, &a);
    *out = a.record;
    return a.failure;
}

static void test_the_value(void **state)
{
    const int64_t times[] = {MONTH_END_MS, MONTH_END_MS + 1, MONTH_END_MS + 30 * YEAR_MS};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct record r;
        char text[DECIMAL_TEXT_MAX];
        assert_int_equal(at("I-CIP", times[i], &r), FAIL_NONE);
        decimal_format(r.price, text);
        assert_string_equal(text, "354.32");
        assert_string_equal(r.currency, "USX");
        assert_int_equal(r.ts_ms, MONTH_END_MS);
        assert_int_equal(r.market, MARKET_UNKNOWN);
        assert_int_equal(r.delayed_s, 0);
        assert_false(r.derived);
        assert_false(r.bid.given || r.ask.given || r.open.given || r.high.given || r.low.given ||
                     r.prev_close.given || r.volume.given);
    }
}

static void test_nothing_else(void **state)
{
    struct record r;
    (void)state;
    assert_int_equal(at("i-cip", MONTH_END_MS, &r), FAIL_NOT_FOUND);
    assert_int_equal(at("I-CIP2", MONTH_END_MS, &r), FAIL_NOT_FOUND);
    assert_int_equal(at("", MONTH_END_MS, &r), FAIL_NOT_FOUND);
    assert_int_equal(at("I-CIP", MONTH_END_MS - 1, &r), FAIL_NOT_FOUND); /* not known yet */
    assert_int_equal(at("I-CIP", 0, &r), FAIL_NOT_FOUND);
}

static void test_cents_become_dollars(void **state)
{
    char major[8];
    int places;
    struct record r;
    char text[DECIMAL_TEXT_MAX];
    (void)state;
    assert_int_equal(at("I-CIP", MONTH_END_MS, &r), FAIL_NONE);
    assert_int_equal(units_major(r.currency, major, &places), 0);
    assert_int_equal(decimal_shift_down(r.price, places, &r.price), 0);
    decimal_format(r.price, text);
    assert_string_equal(text, "3.5432");
    assert_string_equal(major, "USD");
}

static void test_rule(void **state)
{
    const struct provider *p = provider_find("ico");
    (void)state;
    assert_true(p->rule.enabled_by_default);
    assert_false(p->rule.needs_key);
    assert_null(p->rule.symbol_problem("I-CIP"));
    assert_non_null(p->rule.symbol_problem("KC=F"));
    assert_non_null(p->rule.symbol_problem(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_value),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_cents_become_dollars),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
