/* The market of the demo: the same for the same time, alive, bounded, and consistent in itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider.h"

static const int64_t DAY_MS = 86400 * 1000L;
/* 2025-03-11 00:00:00 UTC */
static const int64_t MIDNIGHT_MS = 1741651200000;

static const struct symbol_row {
    const char *symbol, *currency;
    double start;
    int digits;
    bool book;
} symbols[] = {
    {"coffee",   "USD", 2.943,   4, false},
    {"cocoa",    "USD", 8200,    2, false},
    {"sugar",    "USD", 0.21,    5, false},
    {"cotton",   "USD", 0.68,    5, false},
    {"AAPL",     "USD", 231.50,  2, false},
    {"MSFT",     "USD", 438.70,  2, false},
    {"NVDA",     "USD", 138.20,  2, false},
    {"AMZN",     "USD", 224.80,  2, false},
    {"GOOGL",    "USD", 181.60,  2, false},
    {"TSLA",     "USD", 267.40,  2, false},
    {"JPM",      "USD", 241.30,  2, false},
    {"EUR/USD",  "USD", 1.0845,  5, true },
    {"GBP/USD",  "USD", 1.273,   5, true },
    {"USD/JPY",  "JPY", 150.32,  3, true },
    {"USD/CHF",  "CHF", 0.8815,  5, true },
    {"AUD/USD",  "USD", 0.6542,  5, true },
    {"crude",    "USD", 72.35,   2, false},
    {"brent",    "USD", 76.40,   2, false},
    {"natgas",   "USD", 2.93,    4, false},
    {"gasoline", "USD", 2.142,   4, false},
    {"BTC/USD",  "USD", 94250.0, 2, true },
    {"ETH/USD",  "USD", 3415.0,  2, true },
};

static struct answer answer_at(const char *symbol, int64_t now_ms)
{
    struct answer a = {0};
    provider_find("sim")->generate(symbol, now_ms, &a);
    return a;
}

static struct record at(const char *symbol, int64_t now_ms)
{
    struct answer a = answer_at(symbol, now_ms);
    assert_int_equal(a.failure, FAIL_NONE);
    return a.record;
}

/* Members only: padding says nothing. */
static bool same_decimal(struct decimal a, struct decimal b)
{
    return a.given == b.given && (!a.given || (a.scale == b.scale && a.coef == b.coef));
}

static bool same(const struct record *a, const struct record *b)
{
    return same_decimal(a->price, b->price) && same_decimal(a->bid, b->bid) &&
           same_decimal(a->ask, b->ask) && same_decimal(a->open, b->open) &&
           same_decimal(a->high, b->high) && same_decimal(a->low, b->low) &&
           same_decimal(a->prev_close, b->prev_close) && same_decimal(a->volume, b->volume) &&
           strcmp(a->currency, b->currency) == 0 && a->ts_ms == b->ts_ms &&
           a->delayed_s == b->delayed_s && a->market == b->market && a->derived == b->derived;
}

static void test_pure(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        int64_t now = MIDNIGHT_MS + 12345678 + (int64_t)i * 999;
        struct record a = at(symbols[i].symbol, now), b;
        at(symbols[i].symbol, now - 3 * DAY_MS); /* what was asked between does not matter */
        at(symbols[(i + 1) % ARRAY_LEN(symbols)].symbol, now);
        b = at(symbols[i].symbol, now);
        assert_true(same(&a, &b));
        assert_true(a.ts_ms <= now && a.ts_ms > now - 250);
        b = at(symbols[i].symbol, a.ts_ms); /* all of a step is one quote */
        assert_true(same(&a, &b));
        b = at(symbols[i].symbol, a.ts_ms + 249);
        assert_true(same(&a, &b));
        b = at(symbols[i].symbol, a.ts_ms + 250);
        assert_int_equal(b.ts_ms, a.ts_ms + 250);
    }
}

/* The very digits, so that a change of the formula does not go unnoticed. */
static void test_known_prices(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *price;
    } rows[] = {
        {"coffee",   "3.0297" },
        {"AAPL",     "231.04" },
        {"USD/JPY",  "148.936"},
        {"whatever", "965.508"}
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[DECIMAL_TEXT_MAX];
        decimal_format(at(rows[i].symbol, MIDNIGHT_MS + 3600000).price, text);
        assert_string_equal(text, rows[i].price);
    }
}

static void check_record(const struct symbol_row *s, const struct record *r)
{
    assert_string_equal(r->currency, s->currency);
    assert_int_equal(r->market, MARKET_OPEN);
    assert_int_equal(r->price.scale, s->digits);
    assert_true(decimal_positive(r->low));
    assert_true(decimal_cmp(r->low, r->price) <= 0 && decimal_cmp(r->price, r->high) <= 0);
    assert_true(decimal_cmp(r->low, r->open) <= 0 && decimal_cmp(r->open, r->high) <= 0);
    assert_true(r->prev_close.given && decimal_positive(r->prev_close));
    assert_true(decimal_positive(r->volume));
    assert_int_equal(r->bid.given, s->book);
    assert_int_equal(r->ask.given, s->book);
    if (s->book) {
        assert_true(decimal_cmp(r->bid, r->price) < 0);
        assert_true(decimal_cmp(r->price, r->ask) < 0);
    }
    double price = decimal_to_double(r->price);
    assert_true(price > s->start * 0.85 && price < s->start * 1.15);
}

/* A stretch of steps: small moves, in most of the steps, both ways; the day's figures hold. */
static void walk(const struct symbol_row *s, int64_t from_ms, int steps)
{
    struct record before = at(s->symbol, from_ms);
    int up = 0, down = 0;
    for (int i = 1; i <= steps; i++) {
        struct record r = at(s->symbol, from_ms + i * 250);
        check_record(s, &r);
        assert_int_equal(r.ts_ms, before.ts_ms + 250);
        double a = decimal_to_double(before.price), b = decimal_to_double(r.price);
        assert_true(b < a * 1.02 && b > a * 0.98);
        up += b > a;
        down += b < a;
        if (r.ts_ms / DAY_MS == before.ts_ms / DAY_MS) {
            assert_true(decimal_cmp(r.high, before.high) >= 0);
            assert_true(decimal_cmp(r.low, before.low) <= 0);
            assert_true(decimal_cmp(r.volume, before.volume) > 0);
            assert_int_equal(decimal_cmp(r.open, before.open), 0);
            assert_int_equal(decimal_cmp(r.prev_close, before.prev_close), 0);
        }
        before = r;
    }
    if (up + down <= steps / 2 || up < steps / 5 || down < steps / 5)
        fail_msg("%s: %d up, %d down in %d steps", s->symbol, up, down, steps);
}

static void test_all_are_alive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        walk(&symbols[i], MIDNIGHT_MS + 9 * 3600 * 1000, 400);
}

static void test_midnight(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        walk(&symbols[i], MIDNIGHT_MS - 5000, 40);
        struct record last, first;
        int64_t ts = at(symbols[i].symbol, MIDNIGHT_MS - 1).ts_ms;
        last = at(symbols[i].symbol, ts);
        first = at(symbols[i].symbol, ts + 250);
        assert_true(first.ts_ms >= MIDNIGHT_MS);
        assert_int_equal(decimal_cmp(first.open, first.price), 0);
        assert_int_equal(decimal_cmp(first.prev_close, last.price), 0);
    }
}

static void test_a_day_of_steps(void **state)
{
    (void)state;
    for (int64_t hour = 0; hour < 24; hour++)
        walk(&symbols[0], MIDNIGHT_MS + hour * 3600 * 1000, 14400);
}

/* A year of hours: never out of bounds, and not just noise around the start either. */
static void test_bounds_over_a_year(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        double min = 1e9, max = 0;
        for (int64_t day = 0; day < 365; day++) {
            struct record r = at(symbols[i].symbol, MIDNIGHT_MS + day * DAY_MS + 5 * 3600000);
            check_record(&symbols[i], &r);
            double price = decimal_to_double(r.price);
            min = price < min ? price : min;
            max = price > max ? price : max;
        }
        assert_true(max > min * 1.03);
    }
}

static void test_other_symbols(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *currency;
    } rows[] = {
        {"whatever", "USD"},
        {"EUR/GBP",  "GBP"},
        {"a/b/CHF",  "CHF"},
        {"X/usd",    "USD"},
        {"X/LONG",   "USD"},
        {"X/EURo",   "USD"},
        {"^GSPC",    "USD"}
    };
    static const char *const unknown[] = {"", "a b", "/a", "a//b", "a/", "\xc3\xa9", "a*"};
    struct record r;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        r = at(rows[i].symbol, MIDNIGHT_MS);
        assert_string_equal(r.currency, rows[i].currency);
        double price = decimal_to_double(r.price);
        assert_true(price > 8 && price < 1200);
    }
    struct record a = at("one", MIDNIGHT_MS), b = at("two", MIDNIGHT_MS);
    assert_int_not_equal(decimal_cmp(a.price, b.price), 0);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        assert_int_equal(answer_at(unknown[i], MIDNIGHT_MS).failure, FAIL_NOT_FOUND);
        assert_non_null(provider_find("sim")->rule.symbol_problem(unknown[i]));
    }
    assert_int_equal(answer_at("AAPL", 0).failure, FAIL_NOT_FOUND);
    assert_null(provider_find("sim")->rule.symbol_problem("EUR/USD"));
}

/* No price, but figures that a day may have; the same for a minute. */
static void weather_is_an_observation(void **state)
{
    static const struct {
        const char *name, *unit;
        double min, max;
    } figures[] = {
        {"temperature_2m",       "\u00b0C", 8,  34 },
        {"relative_humidity_2m", "%",       30, 100},
        {"wind_speed_10m",       "km/h",    0,  28 },
    };
    double first = 0;
    int changes = 0;
    (void)state;
    for (int64_t minute = 0; minute < 1440; minute++) {
        struct answer a = answer_at("weather/dak-lak", MIDNIGHT_MS + minute * 60000 + 59999);
        struct answer same_minute = answer_at("weather/dak-lak", MIDNIGHT_MS + minute * 60000);
        assert_int_equal(a.failure, FAIL_NONE);
        assert_false(a.record.price.given);
        assert_int_equal(a.record.ts_ms, MIDNIGHT_MS + minute * 60000);
        assert_int_equal(a.record.observation->values_len, ARRAY_LEN(figures));
        for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
            const struct observed *v = &a.record.observation->values[i];
            assert_string_equal(v->name, figures[i].name);
            assert_string_equal(v->unit, figures[i].unit);
            double x = decimal_to_double(v->value);
            if (x < figures[i].min || x > figures[i].max)
                fail_msg("%s is %g", v->name, x);
            assert_true(same_decimal(v->value, same_minute.record.observation->values[i].value));
        }
        double t = decimal_to_double(a.record.observation->values[0].value);
        changes += minute > 0 && (t < first || t > first);
        first = t;
        answers_fini(&a, 1);
        answers_fini(&same_minute, 1);
    }
    assert_true(changes > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weather_is_an_observation),
        cmocka_unit_test(test_pure),
        cmocka_unit_test(test_known_prices),
        cmocka_unit_test(test_all_are_alive),
        cmocka_unit_test(test_midnight),
        cmocka_unit_test(test_a_day_of_steps),
        cmocka_unit_test(test_bounds_over_a_year),
        cmocka_unit_test(test_other_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
