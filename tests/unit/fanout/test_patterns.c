#include "rig.h"

#include "patterns.h"

static void test_patterns(void **state)
{
    struct patterns p = {0};
    (void)state;
    assert_null(patterns_find(&p, "coffee"));
    assert_int_equal(patterns_add(&p, "EUR/*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "EUR/*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "EUR/U*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "A*", 0, NULL), 0);
    assert_int_equal(p.len, 3);
    assert_non_null(patterns_find(&p, "EUR/GBP"));
    assert_non_null(patterns_find(&p, "AAPL"));
    assert_null(patterns_find(&p, "EURO"));
    assert_null(patterns_find(&p, "coffee"));

    patterns_remove(&p, "EUR/U*"); /* the wider one stays */
    assert_true(patterns_has(&p, "EUR/*"));
    assert_false(patterns_has(&p, "EUR/U*"));
    assert_int_equal(patterns_add(&p, "EUR/U*", 0, NULL), 0);
    patterns_remove(&p, "E*"); /* covers both */
    assert_int_equal(p.len, 1);
    assert_non_null(patterns_find(&p, "AAPL"));
    assert_int_equal(patterns_add(&p, "*", 0, NULL), 0);
    assert_non_null(patterns_find(&p, "anything"));
    patterns_remove(&p, "A*");
    assert_non_null(patterns_find(&p, "AAPL"));
    patterns_remove(&p, "*");
    assert_int_equal(p.len, 0);
    patterns_fini(&p);
    patterns_fini(&p);
}

/* The one that came last counts; and one that comes again has its new options. */
static void test_options(void **state)
{
    struct patterns p = {0};
    struct field_sets here = {0}, there = {0};
    json_t *list = json_pack("[s]", "price");
    (void)state;
    struct fields *price = fields_get(&here, list);
    assert_int_equal(patterns_add(&p, "E*", 0, price), 0);
    assert_int_equal(patterns_add(&p, "*", 1000, NULL), 0);
    assert_int_equal(patterns_find(&p, "EUR")->interval_ms, 1000);
    assert_int_equal(patterns_add(&p, "E*", 500, price), 0);
    assert_int_equal(p.len, 2);
    assert_int_equal(patterns_find(&p, "EUR")->interval_ms, 500);
    assert_ptr_equal(patterns_find(&p, "EUR")->fields, price);
    assert_int_equal(patterns_find(&p, "tea")->interval_ms, 1000);
    fields_unref(price);
    assert_int_equal(patterns_carry(&p, &there), 0);
    assert_null(here.list);
    assert_ptr_equal(patterns_find(&p, "EUR")->fields, there.list);
    assert_int_equal(patterns_add(&p, "E*", 0, NULL), 0);
    assert_null(there.list);
    patterns_fini(&p);
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns),
                                       cmocka_unit_test(test_options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
