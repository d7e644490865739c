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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_answer_counts),      cmocka_unit_test(test_together_is_once),
        cmocka_unit_test(test_one_after_another_opens), cmocka_unit_test(test_success_ends_the_row),
        cmocka_unit_test(test_clock_set_back),          cmocka_unit_test(test_symbols_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
