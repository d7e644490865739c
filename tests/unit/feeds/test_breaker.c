#include "breaker.h"
#include "seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t T = 1767268800000;

static struct breaker closed(void)
{
    struct breaker b;
    breaker_init(&b, 3, 300);
    return b;
}

static struct breaker opened(int64_t at_ms)
{
    struct breaker b = closed();
    for (int i = 0; i < 3; i++)
        breaker_failure(&b, FAIL_TIMEOUT, at_ms);
    return b;
}

static void test_opens_at_threshold(void **state)
{
    struct breaker b = closed();
    (void)state;
    breaker_failure(&b, FAIL_TIMEOUT, T);
    breaker_failure(&b, FAIL_CONNECT, T + 1);
    assert_int_equal(breaker_shown(&b, T + 1), BREAKER_CLOSED);
    assert_int_equal(breaker_reason(&b, T + 1), FAIL_NONE);
    assert_true(breaker_admit(&b, T + 1));
    breaker_failure(&b, FAIL_AUTH, T + 2);
    assert_int_equal(breaker_shown(&b, T + 2), BREAKER_OPEN);
    assert_int_equal(breaker_reason(&b, T + 2), FAIL_AUTH);
    assert_true(breaker_retry_at_ms(&b, T + 2) == T + 2 + 300000);
    assert_false(breaker_admit(&b, T + 300001));
}

static void test_success_begins_anew(void **state)
{
    struct breaker b = closed();
    (void)state;
    breaker_failure(&b, FAIL_TIMEOUT, T);
    breaker_failure(&b, FAIL_TIMEOUT, T);
    breaker_success(&b, T);
    breaker_failure(&b, FAIL_TIMEOUT, T);
    breaker_failure(&b, FAIL_TIMEOUT, T);
    assert_int_equal(breaker_shown(&b, T), BREAKER_CLOSED);
}

/* What is the symbol's fault, or nobody's, never moves it. */
static void test_what_does_not_count(void **state)
{
    static const enum failure mild[] = {FAIL_NOT_FOUND,    FAIL_NO_DATA, FAIL_BUDGET,
                                        FAIL_BREAKER_OPEN, FAIL_OLDER,   FAIL_DISABLED};
    struct breaker b = closed();
    (void)state;
    for (int i = 0; i < 60; i++)
        breaker_failure(&b, mild[i % 6], T + i);
    assert_int_equal(breaker_shown(&b, T + 60), BREAKER_CLOSED);
    assert_int_equal(b.failures, 0);
}

static void test_one_probe(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    assert_false(breaker_admit(&b, T + 299999));
    assert_true(breaker_admit(&b, T + 300000));
    assert_int_equal(breaker_shown(&b, T + 300000), BREAKER_HALF_OPEN);
    for (int i = 0; i < 10; i++)
        assert_false(breaker_admit(&b, T + 300000 + i));
    breaker_success(&b, T + 300100);
    assert_int_equal(breaker_shown(&b, T + 300100), BREAKER_CLOSED);
    assert_int_equal(b.failures, 0);
    assert_true(breaker_admit(&b, T + 300100));
}

static void test_probe_fails(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    assert_true(breaker_admit(&b, T + 300000));
    breaker_failure(&b, FAIL_BLOCKED, T + 300500);
    assert_int_equal(breaker_shown(&b, T + 300500), BREAKER_OPEN);
    assert_int_equal(breaker_reason(&b, T + 300500), FAIL_BLOCKED);
    assert_true(breaker_retry_at_ms(&b, T + 300500) == T + 600500);
}

static void test_probe_lost_or_abandoned(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    assert_true(breaker_admit(&b, T + 300000));
    assert_false(breaker_admit(&b, T + 319999)); /* a request may take 15 s */
    assert_true(breaker_admit(&b, T + 320000));  /* whoever held it is gone */
    breaker_abandon(&b, T + 320001);
    assert_true(breaker_admit(&b, T + 320001));
}

/* Answers to requests from before it opened. */
static void test_late_answers(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    breaker_failure(&b, FAIL_TIMEOUT, T + 4000);
    assert_true(breaker_retry_at_ms(&b, T + 4000) == T + 300000);
    breaker_success(&b, T + 4500);
    assert_int_equal(breaker_shown(&b, T + 4500), BREAKER_OPEN);
}

static void test_cool_down(void **state)
{
    struct breaker b = closed();
    (void)state;
    breaker_cool(&b, FAIL_RATE_LIMITED, T + 70000, T);
    assert_int_equal(breaker_shown(&b, T), BREAKER_OPEN);
    assert_int_equal(breaker_reason(&b, T), FAIL_RATE_LIMITED);
    assert_true(breaker_retry_at_ms(&b, T) == T + 70000);
    assert_false(breaker_admit(&b, T + 69999));
    breaker_cool(&b, FAIL_RATE_LIMITED, T + 10000, T); /* shorter: no */
    assert_true(breaker_retry_at_ms(&b, T) == T + 70000);
    assert_int_equal(breaker_shown(&b, T + 70000), BREAKER_CLOSED);
    assert_true(breaker_admit(&b, T + 70000));
    breaker_cool(&b, FAIL_RATE_LIMITED, T + 90 * 86400000LL, T); /* nobody waits for a season */
    assert_true(breaker_retry_at_ms(&b, T) == T + 25 * 3600000); /* the longest day */
}

static void test_reset(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    breaker_cool(&b, FAIL_RATE_LIMITED, T + 70000, T);
    breaker_reset(&b, T + 1);
    assert_int_equal(breaker_shown(&b, T + 1), BREAKER_CLOSED);
    assert_true(breaker_retry_at_ms(&b, T + 1) == 0);
    assert_true(breaker_admit(&b, T + 1));
}

static void test_shared(void **state)
{
    struct breaker a = opened(T), b = closed();
    (void)state;
    breaker_cool(&a, FAIL_RATE_LIMITED, T + 400000, T + 5);
    json_t *doc = breaker_save(&a);
    assert_true(breaker_merge(&b, doc, T + 1000));
    assert_int_equal(breaker_shown(&b, T + 1000), BREAKER_OPEN);
    assert_true(breaker_retry_at_ms(&b, T + 1000) == T + 400000);
    assert_int_equal(breaker_reason(&b, T + 399000), FAIL_RATE_LIMITED);
    assert_int_equal(b.reason, FAIL_TIMEOUT);
    assert_int_equal(b.failures, 3);
    assert_false(breaker_merge(&b, doc, T + 1000)); /* no newer */

    breaker_reset(&b, T + 2000); /* an admin there; the old document may not undo it */
    assert_false(breaker_merge(&b, doc, T + 3000));
    json_decref(doc);
    doc = breaker_save(&b);
    assert_true(breaker_merge(&a, doc, T + 3000));
    assert_int_equal(breaker_shown(&a, T + 3000), BREAKER_CLOSED);
    json_decref(doc);
}

static void test_odd_documents(void **state)
{
    static const char *const docs[] = {
        "{}",
        "[1]",
        "{\"state\":\"ajar\",\"failures\":1,\"retry_at\":1,\"cool_until\":0,\"updated\":"
        "1767268800001,"
        "\"reason\":\"ok\",\"cool_reason\":\"ok\"}",
        "{\"state\":\"open\",\"failures\":-1,\"retry_at\":1,\"cool_until\":0,\"updated\":"
        "1767268800001,\"reason\":\"ok\",\"cool_reason\":\"ok\"}",
        "{\"state\":\"open\",\"failures\":1,\"retry_at\":1,\"cool_until\":0,\"updated\":"
        "1767268800001,"
        "\"reason\":\"weather\",\"cool_reason\":\"ok\"}",
        "{\"state\":\"open\",\"failures\":1,\"retry_at\":1,\"cool_until\":0,\"updated\":"
        "1767269800001,\"reason\":\"ok\",\"cool_reason\":\"ok\"}", /* from the future */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
        struct breaker b = closed();
        seed_keep_text("documents", docs[i]);
        json_t *doc = json_loads(docs[i], JSON_DECODE_ANY, NULL);
        assert_non_null(doc);
        assert_false(breaker_merge(&b, doc, T));
        assert_int_equal(breaker_shown(&b, T), BREAKER_CLOSED);
        json_decref(doc);
    }
}

static void test_clock_set_back(void **state)
{
    struct breaker b = opened(T);
    (void)state;
    breaker_cool(&b, FAIL_RATE_LIMITED, T + 70000, T);
    assert_true(breaker_admit(&b, T - 2 * 86400000LL)); /* as a probe */
    assert_int_equal(b.state, BREAKER_HALF_OPEN);
}

/* While we look: what is waited for is no nearer, and no further. */
static void test_clock_set(void **state)
{
    static const int64_t steps[] = {86400000, -86400000, 3000, -3000, 31536000000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct breaker b = opened(T), other = closed();
        int64_t to = T + 1000 + steps[i];
        breaker_clock_set(&b, steps[i]);
        assert_false(breaker_admit(&b, to));
        assert_false(breaker_admit(&b, to + 298999));
        assert_true(breaker_retry_at_ms(&b, to) == to + 299000);
        json_t *doc = breaker_save(&b); /* nor is it news of the future */
        assert_true(breaker_merge(&other, doc, to));
        json_decref(doc);
        assert_true(breaker_admit(&b, to + 299000));

        other = closed();
        breaker_cool(&other, FAIL_RATE_LIMITED, T + 70000, T);
        breaker_clock_set(&other, steps[i]);
        assert_false(breaker_admit(&other, to + 68999));
        assert_true(breaker_admit(&other, to + 69000));
    }
    struct breaker b = closed();
    breaker_clock_set(&b, -5000);
    assert_true(b.updated_ms == 0 && b.cool_until_ms == 0);
    b.retry_at_ms = b.cool_until_ms = INT64_MAX; /* from a document */
    breaker_clock_set(&b, 5000);
    assert_true(breaker_admit(&b, T));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_at_threshold),
        cmocka_unit_test(test_success_begins_anew),
        cmocka_unit_test(test_what_does_not_count),
        cmocka_unit_test(test_one_probe),
        cmocka_unit_test(test_probe_fails),
        cmocka_unit_test(test_probe_lost_or_abandoned),
        cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_cool_down),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_odd_documents),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_clock_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
