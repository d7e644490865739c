/* Budgets by injected time. T is 2026-01-01T12:00:00Z. */
#include "budget.h"
#include "seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t T = 1767268800000;
static const int64_t HOUR = 3600000;

static void init(struct budget *b, int64_t per_minute, int64_t per_day)
{
    const int64_t limits[BUDGET_WINDOWS] = {[BUDGET_MINUTE] = per_minute, [BUDGET_DAY] = per_day};
    budget_init(b, limits, NULL);
}

static int64_t day_left(struct budget *b, int64_t wall_ms)
{
    return budget_window_left(b, BUDGET_DAY, false, wall_ms);
}

static void test_no_limit(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 0);
    assert_true(budget_available(&b, false, T) == BUDGET_UNLIMITED);
    assert_int_equal(budget_take(&b, 1000, false, T), 1000);
    assert_int_equal(budget_left(&b, T), -1);
    assert_true(day_left(&b, T) == BUDGET_UNLIMITED);
}

static void test_minute_rolls(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 8, 0);
    assert_int_equal(budget_take(&b, 5, false, T), 5);
    assert_int_equal(budget_take(&b, 5, false, T + 30000), 3);
    assert_int_equal(budget_take(&b, 1, false, T + 30000), 0);
    assert_int_equal(budget_available(&b, false, T + 59999), 0);
    assert_int_equal(budget_available(&b, false, T + 60999), 0); /* never less than 60 s */
    assert_int_equal(budget_available(&b, false, T + 61000), 5);
    assert_int_equal(budget_available(&b, false, T + 92000), 8);
    assert_int_equal(budget_take(&b, 0, false, T + 92000), 0);
}

static void test_day_and_reserve(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 100);
    assert_int_equal(budget_take(&b, 200, false, T), 90);
    assert_int_equal(budget_available(&b, false, T), 0);
    assert_int_equal(day_left(&b, T), 0);
    assert_int_equal(budget_left(&b, T), 10);
    assert_int_equal(budget_take(&b, 4, true, T), 4); /* a refresh may */
    assert_int_equal(budget_left(&b, T), 6);
    assert_int_equal(budget_take(&b, 9, true, T), 6);
    assert_int_equal(budget_take(&b, 1, true, T), 0);
    assert_int_equal(day_left(&b, T + 12 * HOUR), 90); /* midnight */
    assert_int_equal(budget_left(&b, T + 12 * HOUR), 100);
}

/* Else a day's credits would be there twice. */
static void test_clock_leaves_the_day_and_returns(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 100);
    assert_int_equal(budget_take(&b, 90, false, T), 90);
    assert_int_equal(budget_take(&b, 1, false, T + 240 * HOUR), 1); /* ten days ahead: wrong */
    assert_int_equal(day_left(&b, T + 1), 0);
    assert_int_equal(budget_left(&b, T + 1), 10);
    assert_int_equal(budget_take(&b, 90, false, T + 12 * HOUR), 90); /* midnight has come ... */
    assert_int_equal(day_left(&b, T + 12 * HOUR - 1), 0);            /* ... and comes again */
    assert_int_equal(day_left(&b, T + 12 * HOUR), 0);
    assert_int_equal(day_left(&b, T + 36 * HOUR), 90);
}

/* A day of the provider: midnight in New York is 05:00 UTC in winter, 04:00 in summer. */
static void test_day_in_its_zone(void **state)
{
    static const struct {
        const char *what;
        int64_t at_ms, resets_ms;
    } cases[] = {
        {"winter",                           T,             1767330000000}, /* 2026-01-02 05:00 */
        {"the last ms of a day",             1767329999999, 1767330000000},
        {"the first of the next",            1767330000000, 1767416400000},
        {"the day on which clocks go ahead", 1772960400000, 1773028800000}, /* 2026-03-08, 23 h */
        {"summer",                           1782907200000, 1782964800000}, /* 2026-07-01 12:00 */
        {"the day on which they go back",    1793505600000, 1793595600000}, /* 2026-11-01, 25 h */
    };
    struct err err;
    struct zone *zone = zone_load("America/New_York", &err);
    (void)state;
    assert_non_null(zone);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t limits[BUDGET_WINDOWS] = {[BUDGET_DAY] = 10};
        struct budget b;
        budget_init(&b, limits, zone);
        if (budget_day_reset_ms(&b, cases[i].at_ms) != cases[i].resets_ms)
            print_error("%s\n", cases[i].what);
        assert_int_equal(budget_day_reset_ms(&b, cases[i].at_ms), cases[i].resets_ms);
        assert_int_equal(budget_take(&b, 10, true, cases[i].at_ms), 10);
        assert_int_equal(budget_wait_ms(&b, true, cases[i].at_ms),
                         cases[i].resets_ms - cases[i].at_ms);
        assert_int_equal(budget_left(&b, cases[i].resets_ms - 1), 0);
        assert_int_equal(budget_left(&b, cases[i].resets_ms), 10);
        assert_int_equal(budget_take(&b, 3, true, cases[i].resets_ms), 3);
        assert_int_equal(budget_left(&b, cases[i].resets_ms - 1), 0); /* the clock set back */
    }
    zone_free(zone);
}

static void test_day_of_utc(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 10);
    assert_true(budget_day_reset_ms(&b, T) == T + 12 * HOUR);
    assert_true(budget_day_reset_ms(&b, T + 12 * HOUR) == T + 36 * HOUR);
    assert_int_equal(b.day, 20455); /* counted as older documents count it */
}

struct rolling_case {
    enum budget_window window;
    int64_t ms, step_ms;
};

/* In no stretch of a window's length is more taken than its limit, however it is asked for; and it
 * is not starved: over a long time at least nine tenths come. */
static void test_windows_never_over(void **state)
{
    static const struct rolling_case cases[] = {
        {BUDGET_SECOND, 1000,    17   },
        {BUDGET_MINUTE, 60000,   137  },
        {BUDGET_HOUR,   3600000, 17003},
    };
    static int64_t taken[20000], ms[20000];
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const struct rolling_case *x = &cases[c];
        int64_t limits[BUDGET_WINDOWS] = {0};
        struct budget b;
        size_t n = 0;
        int64_t all = 0;
        limits[x->window] = 7;
        budget_init(&b, limits, NULL);
        for (int64_t t = 0; t < 20 * x->ms; t += x->step_ms) {
            int64_t got = budget_take(&b, 1 + t % 3, false, T + t);
            assert_true(budget_window_left(&b, x->window, false, T + t) >= 0);
            if (got > 0) {
                ms[n] = t;
                taken[n++] = got;
                all += got;
            }
        }
        for (size_t i = 0; i < n; i++) {
            int64_t sum = 0;
            for (size_t k = i; k < n && ms[k] < ms[i] + x->ms; k++)
                sum += taken[k];
            assert_true(sum <= 7);
        }
        assert_true(all >= 20 * 7 * 9 / 10);
    }
}

/* How long there is nothing, to the ms; the longest exhausted window is the one to wait for. */
static void test_wait(void **state)
{
    const int64_t limits[BUDGET_WINDOWS] = {2, 5, 6, 0};
    struct budget b;
    (void)state;
    budget_init(&b, limits, NULL);
    assert_int_equal(budget_wait_ms(&b, false, T), 0);
    assert_int_equal(budget_exhausted(&b, false, T), BUDGET_WINDOWS);
    assert_int_equal(budget_take(&b, 9, false, T + 50), 2);
    assert_int_equal(budget_exhausted(&b, false, T + 50), BUDGET_SECOND);
    assert_int_equal(budget_wait_ms(&b, false, T + 50), 1050);
    assert_int_equal(budget_available(&b, false, T + 1099), 0);
    assert_int_equal(budget_take(&b, 9, false, T + 1100), 2);
    assert_int_equal(budget_take(&b, 9, false, T + 2200), 1); /* the minute's fifth */
    assert_int_equal(budget_exhausted(&b, false, T + 2200), BUDGET_MINUTE);
    assert_int_equal(budget_wait_ms(&b, false, T + 2200), 58800);
    assert_int_equal(budget_take(&b, 9, false, T + 61000), 1); /* the hour's sixth */
    assert_int_equal(budget_exhausted(&b, false, T + 61000), BUDGET_HOUR);
    assert_int_equal(budget_wait_ms(&b, false, T + 61000), 3599000);
    assert_int_equal(budget_available(&b, false, T + 3659999), 0);
    assert_true(budget_available(&b, false, T + 3660000) > 0);
    assert_string_equal(budget_window_name(BUDGET_HOUR), "hour");
}

/* For people: the second is no store of credits. */
static void test_left_for_people(void **state)
{
    const int64_t limits[BUDGET_WINDOWS] = {1, 0, 100, 0}, second[BUDGET_WINDOWS] = {1, 0, 0, 0};
    struct budget b;
    (void)state;
    budget_init(&b, limits, NULL);
    assert_int_equal(budget_take(&b, 1, false, T), 1);
    assert_int_equal(budget_left(&b, T), 99);
    budget_init(&b, second, NULL);
    assert_int_equal(budget_left(&b, T), -1);
}

static void test_providers_counter(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 8, 0);
    budget_take(&b, 1, false, T);
    budget_said(&b, 2, T); /* somebody else uses the key, too */
    assert_int_equal(budget_take(&b, 8, false, T), 2);
    assert_int_equal(budget_available(&b, false, T + 1), 0);
    budget_said(&b, 100, T + 2); /* a higher number does not raise our own */
    assert_int_equal(budget_available(&b, false, T + 2), 5);
    budget_said(&b, 0, T + 3);
    assert_int_equal(budget_available(&b, false, T + 60002), 0);
    assert_int_equal(budget_available(&b, false, T + 62000), 8); /* its window is over */

    init(&b, 0, 0); /* no limit of ours: the provider's own holds */
    budget_said(&b, 3, T);
    assert_int_equal(budget_take(&b, 5, false, T), 3);
    assert_int_equal(budget_left(&b, T), 0);
}

static void test_restart(void **state)
{
    struct budget a, b;
    (void)state;
    init(&a, 8, 100);
    budget_take(&a, 3, false, T);
    budget_take(&a, 2, false, T + 5000);
    json_t *doc = budget_save(&a, T + 5000);
    assert_non_null(doc);
    init(&b, 8, 100);
    budget_merge(&b, doc, T + 6000);
    assert_int_equal(budget_available(&b, false, T + 6000), 3);
    assert_int_equal(budget_left(&b, T + 70000), 8);
    assert_int_equal(day_left(&b, T + 70000), 85);
    budget_merge(&b, doc, T + 6000); /* the same again changes nothing */
    assert_int_equal(budget_available(&b, false, T + 6000), 3);
    init(&b, 8, 100);
    budget_merge(&b, doc, T + 12 * HOUR); /* yesterday's */
    assert_int_equal(day_left(&b, T + 12 * HOUR), 90);
    json_decref(doc);
}

/* The hour, too, and the second where the restart is that quick. */
static void test_restart_keeps_the_hour(void **state)
{
    const int64_t limits[BUDGET_WINDOWS] = {3, 0, 10, 0};
    struct budget a, b;
    (void)state;
    budget_init(&a, limits, NULL);
    assert_int_equal(budget_take(&a, 3, false, T), 3);
    assert_int_equal(budget_take(&a, 2, false, T + 30 * 60000), 2);
    json_t *doc = budget_save(&a, T + 30 * 60000 + 100);
    budget_init(&b, limits, NULL);
    budget_merge(&b, doc, T + 30 * 60000 + 200);
    assert_int_equal(budget_available(&b, false, T + 30 * 60000 + 200), 1);
    assert_int_equal(budget_available(&b, false, T + 31 * 60000), 3);
    assert_int_equal(budget_left(&b, T + 31 * 60000), 5);
    assert_int_equal(budget_left(&b, T + 62 * 60000), 8);
    assert_int_equal(budget_take(&b, 3, false, T + 31 * 60000), 3);
    budget_merge(&b, doc, T + 31 * 60000); /* an older one takes nothing back */
    assert_int_equal(budget_left(&b, T + 31 * 60000), 2);
    json_decref(doc);
}

/* Written by a version that knew minute and day only. */
static void test_an_older_document(void **state)
{
    const int64_t limits[BUDGET_WINDOWS] = {0, 8, 20, 100};
    struct budget b;
    (void)state;
    json_t *doc = json_loads("{\"day\":20454,\"spent\":40,\"minute\":[[1767268795,3]],"
                             "\"updated\":1767268795000}",
                             0, NULL);
    assert_non_null(doc);
    budget_init(&b, limits, NULL);
    budget_merge(&b, doc, T);
    assert_int_equal(budget_window_left(&b, BUDGET_MINUTE, false, T), 5);
    assert_int_equal(budget_window_left(&b, BUDGET_HOUR, false, T), 20);
    assert_int_equal(day_left(&b, T), 50);
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
        "{\"hour\":[[29454480,99999999999],[29454419,7],[-1,4],[29454541,5]],\"second\":{}}",
    };
    const int64_t limits[BUDGET_WINDOWS] = {9, 8, 8, 100};
    (void)state;
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
        struct budget b;
        seed_keep_text("documents", docs[i]);
        json_t *doc = json_loads(docs[i], JSON_DECODE_ANY, NULL);
        assert_non_null(doc);
        budget_init(&b, limits, NULL);
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
    init(&b, 8, 0);
    budget_take(&b, 8, false, T);
    budget_said(&b, 0, T);
    assert_int_equal(budget_available(&b, false, T - HOUR), 8);
}

/* The clock is set while we look: nothing is to be had for that. */
static void test_clock_set_moves_all_windows(void **state)
{
    static const int64_t steps[] = {24 * HOUR, -24 * HOUR,      30000,           -30000,
                                    1001,      -1001,           12 * HOUR,       -13 * HOUR,
                                    -2001,     400 * 24 * HOUR, -400 * 24 * HOUR};
    const int64_t limits[BUDGET_WINDOWS] = {3, 8, 20, 100};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct budget b;
        int64_t to = T + 20000 + steps[i];
        budget_init(&b, limits, NULL);
        assert_int_equal(budget_take(&b, 3, false, T), 3);
        assert_int_equal(budget_take(&b, 2, false, T + 19950), 2);
        budget_clock_set(&b, steps[i], to);
        assert_int_equal(budget_window_left(&b, BUDGET_SECOND, false, to), 1);
        assert_int_equal(budget_window_left(&b, BUDGET_MINUTE, false, to), 3);
        assert_int_equal(budget_window_left(&b, BUDGET_HOUR, false, to), 15);
        assert_int_equal(day_left(&b, to), 85);
        assert_int_equal(budget_window_left(&b, BUDGET_SECOND, false, to + 1200), 3);
        assert_int_equal(budget_window_left(&b, BUDGET_MINUTE, false, to + 39999), 3);
        assert_in_range(budget_window_left(&b, BUDGET_MINUTE, false, to + 43000), 6, 8);
        assert_int_equal(budget_window_left(&b, BUDGET_HOUR, false, to + 62 * 60000), 20);
        budget_clock_set(&b, -steps[i], to - steps[i]); /* and back */
        assert_int_equal(day_left(&b, to - steps[i]), 85);
        assert_int_equal(budget_window_left(&b, BUDGET_MINUTE, false, to - steps[i]), 3);
    }
}

static void test_clock_set_over_midnight_and_back(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 100);
    assert_int_equal(budget_take(&b, 50, false, T), 50);
    budget_clock_set(&b, 24 * HOUR, T + 24 * HOUR);
    assert_int_equal(budget_take(&b, 30, false, T + 24 * HOUR), 30);
    budget_clock_set(&b, -24 * HOUR, T);
    assert_int_equal(day_left(&b, T), 10); /* and not 40 */
    assert_int_equal(day_left(&b, T + 12 * HOUR), 90);

    /* Midnight came by itself, by a clock that was ahead: the days are one. */
    init(&b, 0, 100);
    assert_int_equal(budget_take(&b, 50, false, T + 12 * HOUR - 1), 50);
    assert_int_equal(budget_take(&b, 30, false, T + 12 * HOUR), 30);
    budget_clock_set(&b, -3600000, T + 11 * HOUR);
    assert_int_equal(day_left(&b, T + 11 * HOUR), 10);

    /* What the counter said holds as long as it would have. */
    init(&b, 8, 0);
    budget_said(&b, 2, T);
    budget_clock_set(&b, -HOUR, T - HOUR + 1000);
    assert_int_equal(budget_available(&b, false, T - HOUR + 1000), 2);
    assert_int_equal(budget_available(&b, false, T - HOUR + 60001), 8);
}

/* The clock was set back while nobody looked: between a process and its successor. */
static void test_a_document_of_tomorrow(void **state)
{
    struct budget b;
    (void)state;
    init(&b, 0, 100);
    assert_int_equal(budget_take(&b, 50, false, T + 24 * HOUR), 50);
    json_t *doc = budget_save(&b, T + 24 * HOUR);
    init(&b, 0, 100);
    budget_merge(&b, doc, T);
    assert_int_equal(day_left(&b, T), 40);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_minute_rolls),
        cmocka_unit_test(test_windows_never_over),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_left_for_people),
        cmocka_unit_test(test_day_and_reserve),
        cmocka_unit_test(test_clock_leaves_the_day_and_returns),
        cmocka_unit_test(test_day_of_utc),
        cmocka_unit_test(test_day_in_its_zone),
        cmocka_unit_test(test_providers_counter),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_keeps_the_hour),
        cmocka_unit_test(test_an_older_document),
        cmocka_unit_test(test_odd_documents),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_clock_set_moves_all_windows),
        cmocka_unit_test(test_clock_set_over_midnight_and_back),
        cmocka_unit_test(test_a_document_of_tomorrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
