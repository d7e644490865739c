#include "rig.h"

#include "patterns.h"

static void test_patterns(void **state)
{
    struct patterns p = {0};
    (void)state;
    assert_false(patterns_match(&p, "coffee"));
    assert_int_equal(patterns_add(&p, "EUR/*"), 0);
    assert_int_equal(patterns_add(&p, "EUR/*"), 0);
    assert_int_equal(patterns_add(&p, "EUR/U*"), 0);
    assert_int_equal(patterns_add(&p, "A*"), 0);
    assert_int_equal(p.len, 3);
    assert_true(patterns_match(&p, "EUR/GBP"));
    assert_true(patterns_match(&p, "AAPL"));
    assert_false(patterns_match(&p, "EURO"));
    assert_false(patterns_match(&p, "coffee"));

    patterns_remove(&p, "EUR/U*"); /* the wider one stays */
    assert_true(patterns_has(&p, "EUR/*"));
    assert_false(patterns_has(&p, "EUR/U*"));
    assert_int_equal(patterns_add(&p, "EUR/U*"), 0);
    patterns_remove(&p, "E*"); /* covers both */
    assert_int_equal(p.len, 1);
    assert_true(patterns_match(&p, "AAPL"));
    assert_int_equal(patterns_add(&p, "*"), 0);
    assert_true(patterns_match(&p, "anything"));
    patterns_remove(&p, "A*");
    assert_true(patterns_match(&p, "AAPL"));
    patterns_remove(&p, "*");
    assert_int_equal(p.len, 0);
    patterns_fini(&p);
    patterns_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
