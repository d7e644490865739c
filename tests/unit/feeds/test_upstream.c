/* What a request shows of a provider: which failures count, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "upstream.h"

static const int64_t T = 1767225600000;

static const struct provider row = {
    .rule = {.name = "yahoo", .enabled_by_default = true},
      .batch_max = 1
};
static const struct config_provider cfg = {.name = "yahoo", .enabled = true};

static struct upstream make(void)
{
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    struct upstream u;
    upstream_init(&u, &row, &cfg, &config, NULL);
    return u;
}

static void answer(struct upstream *u, enum failure f, int64_t asked_ms, int64_t wall_ms)
{
    const struct verdict v = {.failure = f, .credits_left = -1};
    upstream_answered(u, &v, "said so", asked_ms, wall_ms);
}

/* Ten symbols, one request each, all out when the line breaks: one failure, not ten. */
static void test_together_is_once(void **state)
{
    (void)state;
    static const enum failure of_the_line[] = {FAIL_TIMEOUT, FAIL_DNS, FAIL_TLS, FAIL_CONNECT};
    for (size_t k = 0; k < ARRAY_LEN(of_the_line); k++) {
        struct upstream u = make();
        for (int i = 0; i < 10; i++)
            answer(&u, of_the_line[k], T + i, T + 5000 + i);
        assert_int_equal(u.breaker.failures, 1);
        assert_true(upstream_askable(&u, T + 6000));
        char says[64];
        snprintf(says, sizeof says, "%s: said so", failure_name(of_the_line[k]));
        assert_string_equal(u.last_error.text, says);
    }
}

/* But ten answers of 500 are ten answers. */
static void test_each_answer_counts(void **state)
{
    (void)state;
    struct upstream u = make();
    for (int i = 0; i < 3; i++) {
        assert_true(upstream_askable(&u, T + 20));
        answer(&u, FAIL_UPSTREAM_ERROR, T, T + 10);
    }
    assert_false(upstream_askable(&u, T + 20));
}

static void test_one_after_another_opens(void **state)
{
    (void)state;
    struct upstream u = make();
    for (int i = 0; i < 3; i++) {
        assert_true(upstream_askable(&u, T + i * 1000));
        answer(&u, FAIL_TIMEOUT, T + i * 1000, T + i * 1000 + 10);
    }
    assert_false(upstream_askable(&u, T + 3000));
    assert_int_equal(u.breaker.failures, 3);
}

/* One good answer among them, and the count begins anew. */
static void test_success_ends_the_row(void **state)
{
    (void)state;
    struct upstream u = make();
    answer(&u, FAIL_CONNECT, T, T + 10);
    answer(&u, FAIL_CONNECT, T + 20, T + 30);
    answer(&u, FAIL_NONE, T + 40, T + 50);
    answer(&u, FAIL_CONNECT, T + 60, T + 70);
    assert_int_equal(u.breaker.failures, 1);
    assert_int_equal(u.last_success_ms, T + 50);
}

/* A clock set back by an hour must not make all failures old ones. */
static void test_clock_set_back(void **state)
{
    (void)state;
    struct upstream u = make();
    answer(&u, FAIL_TIMEOUT, T, T + 10);
    answer(&u, FAIL_TIMEOUT, T - 3600000, T - 3599990);
    assert_int_equal(u.breaker.failures, 2);
}

/* What is the symbol's fault does not move the breaker, whatever its number. */
static void test_symbols_fault(void **state)
{
    (void)state;
    struct upstream u = make();
    for (int i = 0; i < 10; i++)
        answer(&u, FAIL_NOT_FOUND, T + i * 1000, T + i * 1000 + 10);
    assert_true(upstream_askable(&u, T + 20000));
    assert_int_equal(u.breaker.failures, 0);
}

static double share_of(struct upstream *u, int64_t wall_ms)
{
    json_t *j = upstream_describe(u, wall_ms);
    assert_non_null(j);
    const json_t *share = json_object_get(j, "reliability");
    double x = json_is_null(share) ? -1 : json_real_value(share);
    assert_int_equal(json_integer_value(json_object_get(j, "fetches_30d")),
                     reliability_score(&u->reliability, wall_ms).all);
    json_decref(j);
    return x;
}

/* An unknown symbol is a good fetch: the provider did its part. */
static void test_reliability(void **state)
{
    (void)state;
    struct upstream u = make();
    assert_true(share_of(&u, T) == -1);
    answer(&u, FAIL_NONE, T, T);
    assert_true(share_of(&u, T) == 1);
    answer(&u, FAIL_UPSTREAM_ERROR, T, T);
    answer(&u, FAIL_NOT_FOUND, T, T);
    assert_true(share_of(&u, T) == 0.6667);
    assert_true(share_of(&u, T + 31 * 86400000LL) == -1);
}

/* What a run is judged by: fetches since it began, none twice, and "come later" is no verdict. */
static void test_tally(void **state)
{
    (void)state;
    struct upstream u = make();
    answer(&u, FAIL_NONE, T, T);
    struct upstream_tally before = u.tally;
    answer(&u, FAIL_RATE_LIMITED, T, T);
    answer(&u, FAIL_TIMEOUT, T, T);
    answer(&u, FAIL_UPSTREAM_ERROR, T, T);
    answer(&u, FAIL_NOT_FOUND, T, T);
    struct upstream_tally t = upstream_tally_since(&u, &before);
    assert_int_equal(t.good, 1);
    assert_int_equal(t.failed, 2);
    assert_int_equal(t.of_line, 1);
    upstream_ran(&u, false, T);
    t = upstream_tally_since(&u, &before);
    assert_int_equal(t.good + t.failed + t.of_line, 0);
}

static void expect_member(struct upstream *u, const char *member, const char *value)
{
    json_t *j = upstream_describe(u, T);
    assert_non_null(j);
    const json_t *v = json_object_get(j, member);
    assert_non_null(v);
    if (value)
        assert_string_equal(json_string_value(v), value);
    else
        assert_true(json_is_null(v) || json_is_false(v));
    json_decref(j);
}

/* Whatever the breaker says: nothing is asked until somebody lifts it. */
static void test_suspended_until_reset(void **state)
{
    (void)state;
    struct upstream u = make();
    struct err why = {""};
    enum failure f = FAIL_NONE;
    for (int i = 0; i < RELIABILITY_RUNS; i++) {
        assert_true(upstream_askable(&u, T));
        assert_true(upstream_schedule(&u, T).usable);
        upstream_ran(&u, true, T + i);
    }
    answer(&u, FAIL_NONE, T + 10, T + 10); /* one that was under way */
    assert_false(upstream_askable(&u, T + 400000000));
    assert_false(upstream_schedule(&u, T + 400000000).usable);
    assert_int_equal(upstream_admit(&u, 1, true, T + 400000000, &f, &why), 0);
    assert_int_equal(f, FAIL_BREAKER_OPEN);
    assert_non_null(strstr(why.text, "suspended"));
    assert_non_null(strstr(why.text, "/data-health/reset-circuit/yahoo"));
    expect_member(&u, "state", "open");
    expect_member(&u, "reason", "suspended");
    expect_member(&u, "retry_at", NULL);

    upstream_reset(&u, T + 20);
    assert_true(upstream_askable(&u, T + 20));
    assert_int_equal(upstream_admit(&u, 1, true, T + 20, &f, &why), 1);
    expect_member(&u, "state", "closed");
    expect_member(&u, "reason", NULL);
    expect_member(&u, "suspended", NULL);
}

/* Over the bus, as another process or the next start hears of it. */
static void test_suspension_is_shared(void **state)
{
    (void)state;
    struct upstream a = make(), b = make();
    for (int i = 0; i < RELIABILITY_RUNS; i++)
        upstream_ran(&a, true, T + i);
    json_t *doc = reliability_save(&a.reliability, T);
    char *text = json_dumps(doc, JSON_COMPACT);
    assert_true(upstream_shared(&b, "pricegate:reliability:yahoo", text, strlen(text), T + 100));
    assert_false(upstream_shared(&b, "pricegate:reliability:ecb", text, strlen(text), T + 100));
    assert_false(upstream_askable(&b, T + 100));
    assert_true(upstream_shared(&b, "pricegate:reliability:yahoo", "", 0, T + 100));
    assert_true(upstream_shared(&b, "pricegate:reliability:yahoo", "{]", 2, T + 100));
    assert_false(upstream_askable(&b, T + 100));
    free(text);
    json_decref(doc);
}

/* Named by its window, and for the schedule: what it is and when it ends. */
static void test_windows(void **state)
{
    static const struct {
        struct config_provider cfg;
        const char *says;
        int64_t take, in_ms;
    } cases[] = {
        {{.name = "yahoo", .enabled = true, .credits_per_second = 2},
         "no credits left for this second", 2,
         1100    },
        {{.name = "yahoo", .enabled = true, .credits_per_minute = 3},
         "no credits left for this minute", 3,
         61000   },
        {{.name = "yahoo", .enabled = true, .credits_per_hour = 4},
         "no credits left for this hour",   4,
         3660000 },
        {{.name = "yahoo", .enabled = true, .credits_per_day = 10},
         "no credits left for this day",    9,
         86400000},
    };
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct upstream u;
        struct err why = {""};
        enum failure f = FAIL_NONE;
        upstream_init(&u, &row, &cases[i].cfg, &config, NULL);
        assert_int_equal(upstream_admit(&u, 100, false, T, &f, &why), cases[i].take);
        struct schedule_provider p = upstream_schedule(&u, T);
        assert_int_equal(p.available, 0);
        assert_int_equal(p.available_in_ms, cases[i].in_ms);
        assert_int_equal(p.usable, cases[i].cfg.credits_per_day == 0);
        assert_int_equal(p.per_second, cases[i].cfg.credits_per_second);
        assert_int_equal(p.per_hour, cases[i].cfg.credits_per_hour);
        assert_int_equal(upstream_admit(&u, 1, false, T, &f, &why), 0);
        assert_int_equal(f, FAIL_BUDGET);
        assert_string_equal(why.text, cases[i].says);
        assert_int_equal(upstream_schedule(&u, T + cases[i].in_ms).available_in_ms, 0);
        upstream_fini(&u);
    }
}

static const struct provider zoned = {
    .rule = {.name = "alphavantage"}, .batch_max = 1, .day_zone = "America/New_York"};
static const struct config_provider day_of_ten = {
    .name = "alphavantage", .enabled = true, .credits_per_day = 10};

static void cool_until_day_ends(struct upstream *u)
{
    const struct verdict v = {.failure = FAIL_RATE_LIMITED, .cooldown_ms = -1, .credits_left = -1};
    upstream_answered(u, &v, "the day's limit", T, T);
}

/* A 429 that names the day: until midnight of the provider, 2026-01-01 05:00 UTC. */
static void test_the_day_ends_in_its_zone(void **state)
{
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    struct upstream u;
    (void)state;
    upstream_init(&u, &zoned, &day_of_ten, &config, NULL);
    assert_string_equal(u.day_zone_problem.text, "");
    cool_until_day_ends(&u);
    assert_false(upstream_askable(&u, T + 5 * 3600000 - 1));
    assert_true(upstream_askable(&u, T + 5 * 3600000));
    upstream_fini(&u);
}

/* No such zone on this machine: UTC, and a sentence for the log. */
static void test_an_unknown_zone(void **state)
{
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    struct provider nowhere = zoned;
    struct upstream u;
    (void)state;
    nowhere.day_zone = "Nowhere/Land";
    upstream_init(&u, &nowhere, &day_of_ten, &config, NULL);
    assert_non_null(strstr(u.day_zone_problem.text, "Nowhere/Land"));
    cool_until_day_ends(&u);
    assert_false(upstream_askable(&u, T + 86400000 - 1));
    assert_true(upstream_askable(&u, T + 86400000));
    upstream_fini(&u);
}

/* Only when it is shut, its time is over and there are credits; and not while one is out. */
static void test_when_a_probe_is_due(void **state)
{
    static const struct config_provider minute = {
        .name = "yahoo", .enabled = true, .credits_per_minute = 4};
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    struct upstream u;
    struct err why;
    enum failure f;
    (void)state;
    upstream_init(&u, &row, &minute, &config, NULL);
    u.in_use = true;
    assert_false(upstream_probe_due(&u, T));
    for (int i = 0; i < 3; i++)
        answer(&u, FAIL_UPSTREAM_ERROR, T, T);
    assert_false(upstream_probe_due(&u, T + 299999));
    assert_true(upstream_probe_due(&u, T + 300000));
    u.in_use = false; /* nobody has it in his chain */
    assert_false(upstream_probe_due(&u, T + 300000));
    u.in_use = true;
    assert_int_equal(upstream_admit(&u, 1, false, T + 300000, &f, &why), 1);
    assert_false(upstream_probe_due(&u, T + 300001));
    answer(&u, FAIL_UPSTREAM_ERROR, T + 300000, T + 300010);
    assert_false(upstream_probe_due(&u, T + 600009));
    assert_true(upstream_probe_due(&u, T + 600010));
    budget_said(&u.budget, 0, T + 600010);
    assert_false(upstream_probe_due(&u, T + 600010));
    upstream_fini(&u);
}

static void generate_nothing(const char *symbol, int64_t now_ms, struct answer *out)
{
    (void)symbol;
    (void)now_ms;
    out->failure = FAIL_NO_DATA;
}

static const struct provider unshared = {/* without a bus */
                                         .rule = {.name = "yahoo"},
                                         .batch_max = 1,
                                         .generate = generate_nothing};

static void sync_at(struct upstream *u, int64_t wall_ms)
{
    struct metrics m;
    metrics_init(&m);
    upstream_sync(u, NULL, &m, wall_ms);
    metrics_fini(&m);
}

/* When it was shut (to the ms above the failure's: each change has a time of its own), not when
 * that was noticed; opened by nobody but the clock: when it was noticed. */
static void test_since_when(void **state)
{
    (void)state;
    struct upstream u = make();
    u.row = &unshared;
    sync_at(&u, T);
    expect_member(&u, "state_since", NULL);
    expect_member(&u, "last_error_at", NULL);
    for (int i = 0; i < 3; i++)
        answer(&u, FAIL_UPSTREAM_ERROR, T + i * 1000, T + i * 1000 + 10);
    sync_at(&u, T + 5000);
    expect_member(&u, "state", "open");
    expect_member(&u, "state_since", "2026-01-01T00:00:02.011Z");
    expect_member(&u, "last_error_at", "2026-01-01T00:00:02.010Z");
    sync_at(&u, T + 6000);
    expect_member(&u, "state_since", "2026-01-01T00:00:02.011Z");
    upstream_clock_set(&u, 60000, T + 66000);
    expect_member(&u, "state_since", "2026-01-01T00:01:02.011Z");
    expect_member(&u, "last_error_at", "2026-01-01T00:01:02.010Z");
    upstream_reset(&u, T + 70000);
    sync_at(&u, T + 70020);
    expect_member(&u, "state", "closed");
    expect_member(&u, "state_since", "2026-01-01T00:01:10.020Z");
    json_t *brief = json_object();
    upstream_describe_briefly(&u, &brief, T + 70020);
    assert_string_equal(json_string_value(json_object_get(brief, "state")), "closed");
    assert_true(json_is_null(json_object_get(brief, "retry_at")));
    json_decref(brief);
    upstream_fini(&u);
}

/* A certificate names whom it likes, and the sentence is cut where it is full. */
static void test_an_error_may_have_any_bytes(void **state)
{
    const struct verdict v = {.failure = FAIL_TLS, .credits_left = -1};
    (void)state;
    struct upstream u = make();
    upstream_answered(&u, &v, "not for caf\xe9", T, T + 10);
    expect_member(&u, "last_error", "tls: not for caf\xef\xbf\xbd");
    upstream_fini(&u);
}

/* What is left of each limit, and the limit; a second is only a pace. */
static void test_windows_are_shown(void **state)
{
    static const struct config_provider limited = {.name = "yahoo",
                                                   .enabled = true,
                                                   .credits_per_second = 5,
                                                   .credits_per_minute = 8,
                                                   .credits_per_day = 800};
    struct config config = {
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
    (void)state;
    for (int off = 0; off < 2; off++) {
        struct upstream u;
        struct metrics m;
        metrics_init(&m);
        upstream_init(&u, &unshared, &limited, &config, off ? "switched off" : NULL);
        u.in_use = true;
        assert_int_equal(budget_take(&u.budget, 3, false, T), 3);
        upstream_sync(&u, NULL, &m, T);
        assert_int_equal(m.families[METRIC_WINDOW_LEFT].len, off ? 0 : 2);
        assert_int_equal(m.families[METRIC_WINDOW_LIMIT].len, off ? 0 : 2);
        if (!off) {
            assert_true(metrics_get(&m, METRIC_WINDOW_LEFT, "yahoo", "minute") == 5);
            assert_true(metrics_get(&m, METRIC_WINDOW_LIMIT, "yahoo", "minute") == 8);
            assert_true(metrics_get(&m, METRIC_WINDOW_LEFT, "yahoo", "day") == 797);
            assert_true(metrics_get(&m, METRIC_WINDOW_LIMIT, "yahoo", "day") == 800);
        }
        assert_true(metrics_get(&m, METRIC_PROVIDER_IN_USE, "yahoo", NULL) == 1);
        assert_true(metrics_get(&m, METRIC_BREAKER, "yahoo", NULL) == (off ? 3 : 0));
        metrics_fini(&m);
        upstream_fini(&u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_answer_counts),
        cmocka_unit_test(test_together_is_once),
        cmocka_unit_test(test_one_after_another_opens),
        cmocka_unit_test(test_success_ends_the_row),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_symbols_fault),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_reliability),
        cmocka_unit_test(test_suspended_until_reset),
        cmocka_unit_test(test_suspension_is_shared),
        cmocka_unit_test(test_since_when),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_an_error_may_have_any_bytes),
        cmocka_unit_test(test_windows_are_shown),
        cmocka_unit_test(test_the_day_ends_in_its_zone),
        cmocka_unit_test(test_an_unknown_zone),
        cmocka_unit_test(test_when_a_probe_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
