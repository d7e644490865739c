#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "slack.h"

static void a_crowd_that_went(void **state)
{
    struct slack s = {0};
    (void)state;
    slack_grow(&s, 5000);
    slack_grow(&s, 4999); /* one had gone and another came */
    assert_false(slack_due(&s, 5000, 1000));
    assert_false(slack_due(&s, 2501, 1100)); /* not yet half */
    assert_false(slack_due(&s, 2500, 1200));
    assert_false(slack_due(&s, 0, 3199));
    assert_true(slack_due(&s, 10, 3200));
    assert_false(slack_due(&s, 10, 9000)); /* once */
    assert_false(slack_due(&s, 0, 19000));
}

static void a_crowd_that_nobody_saw(void **state)
{
    struct slack s = {0};
    (void)state;
    assert_false(slack_due(&s, 0, 1000));
    slack_grow(&s, 600); /* came and went between two calls */
    assert_false(slack_due(&s, 0, 1100));
    assert_true(slack_due(&s, 0, 3100));
}

static void who_comes_back_finds_it(void **state)
{
    struct slack s = {0};
    (void)state;
    slack_grow(&s, 5000);
    assert_false(slack_due(&s, 5000, 1000));
    assert_false(slack_due(&s, 0, 1100));
    assert_false(slack_due(&s, 4000, 2000));
    assert_false(slack_due(&s, 0, 3100)); /* counted from here */
    assert_false(slack_due(&s, 0, 5099));
    assert_true(slack_due(&s, 0, 5100));
}

static void a_few_are_not_worth_it(void **state)
{
    struct slack s = {0};
    (void)state;
    slack_grow(&s, 499);
    assert_false(slack_due(&s, 499, 1000));
    assert_false(slack_due(&s, 0, 1100));
    assert_false(slack_due(&s, 0, 99000));
    slack_grow(&s, 500); /* since then the most */
    assert_false(slack_due(&s, 0, 99200));
    assert_true(slack_due(&s, 0, 101200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_that_went),
        cmocka_unit_test(a_crowd_that_nobody_saw),
        cmocka_unit_test(who_comes_back_finds_it),
        cmocka_unit_test(a_few_are_not_worth_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
