/* The share of good fetches, and who is left alone until somebody says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "reliability.h"
#include "seed.h"

static const int64_t DAY = 86400000;
static const int64_t T = 1767225600000; /* 2026-01-01, midnight */

static void expect_score(const struct reliability *r, int64_t wall_ms, int64_t good, int64_t all)
{
    struct reliability_score s = reliability_score(r, wall_ms);
    assert_int_equal(s.good, good);
    assert_int_equal(s.all, all);
}

static void test_share_of_thirty_days(void **state)
{
    (void)state;
    struct reliability r = {0};
    expect_score(&r, T, 0, 0);
    reliability_fetch(&r, true, T);
    reliability_fetch(&r, false, T + DAY - 1);
    reliability_fetch(&r, true, T + 29 * DAY);
    expect_score(&r, T, 1, 2); /* a clock that was set back does not see tomorrow */
    expect_score(&r, T + 29 * DAY, 2, 3);
    expect_score(&r, T + 30 * DAY, 1, 1); /* the first day is gone, though its bucket is not */
    reliability_fetch(&r, false, T + 30 * DAY);
    expect_score(&r, T + 30 * DAY, 1, 2);
    expect_score(&r, T + 31 * DAY, 1, 2);
    expect_score(&r, T + 59 * DAY, 0, 1);
    expect_score(&r, T + 60 * DAY, 0, 0);
}

static void test_five_runs_in_a_row(void **state)
{
    (void)state;
    struct reliability r = {0};
    for (int i = 0; i < 4; i++)
        assert_false(reliability_run(&r, true, T + i));
    assert_false(reliability_run(&r, false, T + 4)); /* that ends the row */
    assert_int_equal(r.failed_runs, 0);
    for (int i = 0; i < 4; i++)
        assert_false(reliability_run(&r, true, T + 5 + i));
    assert_false(r.suspended);
    assert_true(reliability_run(&r, true, T + 9));
    assert_true(r.suspended);
    assert_false(reliability_run(&r, true, T + 10)); /* said once */
    assert_true(r.suspended);
    reliability_reset(&r, T + 11);
    assert_false(r.suspended);
    assert_int_equal(r.failed_runs, 0);
    assert_false(reliability_run(&r, true, T + 12));
}

static void test_a_good_run_of_a_good_one_is_no_news(void **state)
{
    (void)state;
    struct reliability r = {0};
    assert_false(reliability_run(&r, false, T));
    assert_int_equal(r.changes, 0);
    reliability_fetch(&r, true, T);
    assert_int_equal(r.changes, 1);
    reliability_run(&r, true, T);
    assert_int_equal(r.changes, 2);
}

static void merge(struct reliability *to, const struct reliability *from, int64_t wall_ms)
{
    json_t *doc = reliability_save(from, wall_ms);
    assert_non_null(doc);
    reliability_merge(to, doc, wall_ms);
    json_decref(doc);
}

static void test_survives_a_restart(void **state)
{
    (void)state;
    struct reliability old = {0}, new = {0};
    for (int i = 0; i < 10; i++)
        reliability_fetch(&old, i > 0, T - 3 * DAY);
    for (int i = 0; i < 5; i++)
        reliability_run(&old, true, T + i);
    reliability_fetch(&new, true, T + 50);
    merge(&new, &old, T + 100);
    expect_score(&new, T + 100, 10, 11);
    assert_true(new.changes > 1); /* it is to be written on */
    assert_true(new.suspended);
    assert_int_equal(new.failed_runs, 5);

    reliability_reset(&new, T + 200);
    merge(&new, &old, T + 300); /* the older word */
    assert_false(new.suspended);
    merge(&old, &new, T + 300); /* the newer one reaches the other process */
    assert_false(old.suspended);
    expect_score(&old, T + 300, 10, 11);
    uint64_t changes = old.changes;
    merge(&old, &new, T + 300); /* again: nothing is counted twice */
    assert_int_equal(old.changes, changes);
    expect_score(&old, T + 300, 10, 11);
}

static void test_a_day_is_not_cut_by_an_older_copy(void **state)
{
    (void)state;
    struct reliability a = {0}, b = {0};
    reliability_fetch(&a, true, T);
    merge(&b, &a, T);
    reliability_fetch(&a, false, T);
    merge(&a, &b, T);
    expect_score(&a, T, 1, 2);
}

static void test_old_days_are_not_written(void **state)
{
    (void)state;
    struct reliability r = {0};
    reliability_fetch(&r, true, T);
    reliability_fetch(&r, true, T + 20 * DAY);
    json_t *doc = reliability_save(&r, T + 30 * DAY);
    assert_int_equal(json_array_size(json_object_get(doc, "days")), 1);
    json_decref(doc);
}

static void test_nonsense_changes_nothing(void **state)
{
    (void)state;
    static const char *const docs[] = {
        "[]",
        "{}",
        "{\"days\":5,\"failed_runs\":5,\"suspended\":true}",
        "{\"failed_runs\":-1,\"suspended\":true,\"updated\":1767225600000}",
        "{\"failed_runs\":5,\"suspended\":1,\"updated\":1767225600000}",
        "{\"failed_runs\":9223372036854775807,\"suspended\":true,\"updated\":1767225600000}",
        "{\"days\":[[20454,1,9223372036854775807]]}",
        "{\"failed_runs\":5.5,\"suspended\":true,\"updated\":1767225600000}",
        "{\"failed_runs\":5,\"suspended\":true,\"updated\":1767225660002}", /* the future */
        "{\"failed_runs\":5,\"suspended\":true,\"updated\":0}",
        ("{\"days\":[[20454,5,4],[20454,-1,4],[20454,1],[20454,1,2,3],[\"x\",1,2],7,[-3,1,2],"
         "[20455,1,2],[20424,1,2]]}"), /* tomorrow, 30 days ago */
    };
    struct reliability r = {0};
    for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
        seed_keep_text("documents", docs[i]);
        json_t *doc = json_loads(docs[i], 0, NULL);
        assert_non_null(doc);
        reliability_merge(&r, doc, T + 1);
        json_decref(doc);
        assert_false(r.suspended);
        assert_int_equal(r.failed_runs, 0);
        expect_score(&r, T, 0, 0);
        expect_score(&r, T + DAY, 0, 0);
        expect_score(&r, T - DAY, 0, 0);
    }
    json_t *good = json_loads("{\"days\":[[20425,1,2],[20454,3,4]],\"failed_runs\":5,"
                              "\"suspended\":true,\"updated\":1767225660001}",
                              0, NULL);
    reliability_merge(&r, good, T + 1);
    json_decref(good);
    assert_true(r.suspended);
    expect_score(&r, T, 4, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_of_thirty_days),
        cmocka_unit_test(test_five_runs_in_a_row),
        cmocka_unit_test(test_a_good_run_of_a_good_one_is_no_news),
        cmocka_unit_test(test_survives_a_restart),
        cmocka_unit_test(test_a_day_is_not_cut_by_an_older_copy),
        cmocka_unit_test(test_old_days_are_not_written),
        cmocka_unit_test(test_nonsense_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
