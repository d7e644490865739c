/* Budgets by injected time. T is 2026-01-01T12:00:00Z. */
#include "budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t T = 1767268800000;
static const int64_t HOUR = 3600000;

static void test_no_limit(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 0, 0, 0);
    assert_true(budget_available(&b, false, T) == BUDGET_UNLIMITED);
    assert_int_equal(budget_take(&b, 1000, false, T), 1000);
    assert_int_equal(budget_left(&b, T), -1);
    assert_true(budget_day_left(&b, T) == BUDGET_UNLIMITED);
}

static void test_minute_rolls(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 8, 0, 0);
    assert_int_equal(budget_take(&b, 5, false, T), 5);
    assert_int_equal(budget_take(&b, 5, false, T + 30000), 3);
    assert_int_equal(budget_take(&b, 1, false, T + 30000), 0);
    assert_int_equal(budget_available(&b, false, T + 59999), 0);
    assert_int_equal(budget_available(&b, false, T + 60999), 0); /* never less than 60 s */
    assert_int_equal(budget_available(&b, false, T + 61000), 5);
    assert_int_equal(budget_available(&b, false, T + 92000), 8);
    assert_int_equal(budget_take(&b, 0, false, T + 92000), 0);
}

/* In no window of 60 s are more than 8 taken, however they are asked for. */
static void test_minute_never_over(void **state)
{
    struct budget b;
    int64_t taken[4000], ms[4000];
    size_t n = 0;
    (void)state;
    budget_init(&b, 8, 0, 0);
    for (int64_t t = 0; t < 400000; t += 137) {
        int64_t got = budget_take(&b, 1 + t % 3, false, T + t);
        if (got > 0) {
            ms[n] = t;
            taken[n++] = got;
        }
    }
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        int64_t sum = 0;
        for (size_t k = i; k < n && ms[k] < ms[i] + 60000; k++)
            sum += taken[k];
        assert_true(sum <= 8);
    }
}

static void test_day_and_reserve(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 0, 100, 0);
    assert_int_equal(budget_take(&b, 200, false, T), 90);
    assert_int_equal(budget_available(&b, false, T), 0);
    assert_int_equal(budget_day_left(&b, T), 0);
    assert_int_equal(budget_left(&b, T), 10);
    assert_int_equal(budget_take(&b, 4, true, T), 4); /* a refresh may */
    assert_int_equal(budget_left(&b, T), 6);
    assert_int_equal(budget_take(&b, 9, true, T), 6);
    assert_int_equal(budget_take(&b, 1, true, T), 0);
    assert_int_equal(budget_day_left(&b, T + 12 * HOUR), 90); /* midnight */
    assert_int_equal(budget_left(&b, T + 12 * HOUR), 100);
}

static void test_day_reset_second(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 0, 10, 13 * 3600); /* 13:00 UTC, in an hour */
    assert_true(budget_day_reset_ms(&b, T) == T + HOUR);
    assert_true(budget_day_reset_ms(&b, T + HOUR) == T + 25 * HOUR);
    assert_int_equal(budget_take(&b, 10, true, T), 10);
    assert_int_equal(budget_left(&b, T + HOUR - 1), 0);
    assert_int_equal(budget_left(&b, T + HOUR), 10);
}

static void test_providers_counter(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 8, 0, 0);
    budget_take(&b, 1, false, T);
    budget_said(&b, 2, T); /* somebody else uses the key, too */
    assert_int_equal(budget_take(&b, 8, false, T), 2);
    assert_int_equal(budget_available(&b, false, T + 1), 0);
    budget_said(&b, 100, T + 2); /* a higher number does not raise our own */
    assert_int_equal(budget_available(&b, false, T + 2), 5);
    budget_said(&b, 0, T + 3);
    assert_int_equal(budget_available(&b, false, T + 60002), 0);
    assert_int_equal(budget_available(&b, false, T + 62000), 8); /* its window is over */

    budget_init(&b, 0, 0, 0); /* no limit of ours: the provider's own holds */
    budget_said(&b, 3, T);
    assert_int_equal(budget_take(&b, 5, false, T), 3);
    assert_int_equal(budget_left(&b, T), 0);
}

static void test_restart(void **state)
{
    struct budget a, b;
    (void)state;
    budget_init(&a, 8, 100, 0);
    budget_take(&a, 3, false, T);
    budget_take(&a, 2, false, T + 5000);
    json_t *doc = budget_save(&a, T + 5000);
    assert_non_null(doc);
    budget_init(&b, 8, 100, 0);
    budget_merge(&b, doc, T + 6000);
    assert_int_equal(budget_available(&b, false, T + 6000), 3);
    assert_int_equal(budget_left(&b, T + 70000), 8);
    assert_int_equal(budget_day_left(&b, T + 70000), 85);
    budget_merge(&b, doc, T + 6000); /* the same again changes nothing */
    assert_int_equal(budget_available(&b, false, T + 6000), 3);
    budget_init(&b, 8, 100, 0);
    budget_merge(&b, doc, T + 12 * HOUR); /* yesterday's */
    assert_int_equal(budget_day_left(&b, T + 12 * HOUR), 90);
    json_decref(doc);
}

static void test_odd_documents(void **state)
{
    static const char *const docs[] = {
        "{}",
        "[]",
        "null",
        "{\"day\":\"x\",\"spent\":-5,\"minute\":7}",
        "{\"day\":20454,\"spent\":-1,\"minute\":[1,[2],[1767268800,-3],[1e300,1],[9e18,9]]}",
        "{\"minute\":[[1767268800,99999999999],[1,1],[-61,4],[4102444800,5]]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
        struct budget b;
        json_t *doc = json_loads(docs[i], JSON_DECODE_ANY, NULL);
        assert_non_null(doc);
        budget_init(&b, 8, 100, 0);
        budget_merge(&b, doc, T);
        assert_int_equal(budget_available(&b, false, T), 8);
        assert_int_equal(budget_left(&b, T), 8);
        json_decref(doc);
    }
}

/* A clock set back may not lock the minute for as long as it was ahead. */
static void test_clock_set_back(void **state)
{
    struct budget b;
    (void)state;
    budget_init(&b, 8, 0, 0);
    budget_take(&b, 8, false, T);
    budget_said(&b, 0, T);
    assert_int_equal(budget_available(&b, false, T - HOUR), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limit),          cmocka_unit_test(test_minute_rolls),
        cmocka_unit_test(test_minute_never_over), cmocka_unit_test(test_day_and_reserve),
        cmocka_unit_test(test_day_reset_second),  cmocka_unit_test(test_providers_counter),
        cmocka_unit_test(test_restart),           cmocka_unit_test(test_odd_documents),
        cmocka_unit_test(test_clock_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
