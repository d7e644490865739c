#include "outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct outbox *o, int n)
{
    for (int i = 0; i < n; i++) {
        char subject[8];
        snprintf(subject, sizeof subject, "%d", i);
        assert_int_equal(outbox_add(o, subject, "text"), i >= OUTBOX_MAX);
    }
}

static void test_in_their_order(void **state)
{
    (void)state;
    struct outbox o = {.len = 0};
    assert_null(outbox_try(&o, 1));
    fill(&o, 2);
    assert_string_equal(outbox_try(&o, 1)->subject, "0");
    assert_null(outbox_try(&o, 1)); /* one at a time */
    outbox_delivered(&o);
    assert_string_equal(outbox_try(&o, 1)->subject, "1");
    outbox_delivered(&o);
    assert_null(outbox_try(&o, 1));
    outbox_fini(&o);
}

static void test_pauses_grow_and_tries_end(void **state)
{
    (void)state;
    static const int64_t pauses_s[OUTBOX_TRIES - 1] = {10, 30, 90, 270, 810, 1800, 1800};
    struct outbox o = {.len = 0};
    int64_t now_ms = 7;
    fill(&o, 2);
    for (int i = 0; i < OUTBOX_TRIES - 1; i++) {
        assert_string_equal(outbox_try(&o, now_ms)->subject, "0");
        assert_false(outbox_failed(&o, false, 0, now_ms));
        now_ms += pauses_s[i] * 1000;
        assert_null(outbox_try(&o, now_ms - 1));
    }
    assert_string_equal(outbox_try(&o, now_ms)->subject, "0");
    assert_true(outbox_failed(&o, false, 0, now_ms));
    assert_int_equal(o.list[0].number, 1);
    assert_string_equal(outbox_try(&o, now_ms)->subject, "1"); /* its own turn, from the start */
    assert_false(outbox_failed(&o, false, 0, now_ms));
    assert_non_null(outbox_try(&o, now_ms + 10000));
    outbox_fini(&o);
}

static void test_refused_for_good(void **state)
{
    (void)state;
    struct outbox o = {.len = 0};
    fill(&o, 1);
    assert_non_null(outbox_try(&o, 1));
    assert_true(outbox_failed(&o, true, 0, 1));
    assert_int_equal(o.len, 0);
}

static void test_asked_to_come_later(void **state)
{
    (void)state;
    struct outbox o = {.len = 0};
    fill(&o, 1);
    assert_non_null(outbox_try(&o, 1));
    assert_false(outbox_failed(&o, false, 60000, 1));
    assert_null(outbox_try(&o, 60000));
    assert_non_null(outbox_try(&o, 60001));
    assert_false(outbox_failed(&o, false, INT64_MAX / 2, 60001)); /* but not in a hundred years */
    assert_non_null(outbox_try(&o, 60001 + 1800000));
    assert_false(outbox_failed(&o, false, 0, 60001 + 1800000));
    outbox_hurry(&o);
    assert_non_null(outbox_try(&o, 60001 + 1800000));
    outbox_fini(&o);
}

/* A reload with the right password, while the wrong one is under way. */
static void test_hurried_while_on_its_way(void **state)
{
    (void)state;
    struct outbox o = {.len = 0};
    fill(&o, 2);
    assert_string_equal(outbox_try(&o, 1)->subject, "0");
    outbox_hurry(&o);
    assert_null(outbox_try(&o, 2));
    assert_false(outbox_failed(&o, true, 900000, 3));
    assert_string_equal(outbox_try(&o, 3)->subject, "0");
    assert_true(outbox_failed(&o, true, 0, 4)); /* the new one's answer holds */
    assert_string_equal(outbox_try(&o, 5)->subject, "1");
    outbox_hurry(&o);
    outbox_delivered(&o);
    assert_int_equal(outbox_add(&o, "2", "text"), 0);
    assert_non_null(outbox_try(&o, 6));
    assert_true(outbox_failed(&o, true, 0, 7)); /* that was for another one */
    outbox_fini(&o);
}

static void test_the_oldest_goes_but_not_on_its_way(void **state)
{
    (void)state;
    struct outbox o = {.len = 0};
    fill(&o, OUTBOX_MAX + 3);
    assert_int_equal(o.len, OUTBOX_MAX);
    assert_string_equal(outbox_try(&o, 1)->subject, "3");
    assert_int_equal(outbox_add(&o, "new", "text"), 1);
    assert_string_equal(o.list[0].subject, "3");
    assert_string_equal(o.list[1].subject, "5");
    assert_string_equal(o.list[OUTBOX_MAX - 1].subject, "new");
    for (size_t i = 1; i < o.len; i++)
        assert_true(o.list[i].number > o.list[i - 1].number);
    /* Where nobody takes anything a newcomer does not begin by asking again. */
    assert_false(outbox_failed(&o, false, 0, 1));
    assert_int_equal(outbox_add(&o, "newer", "text"), 1);
    assert_null(outbox_try(&o, 10000));
    assert_string_equal(outbox_try(&o, 10001)->subject, "5");
    outbox_fini(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_their_order),
        cmocka_unit_test(test_pauses_grow_and_tries_end),
        cmocka_unit_test(test_refused_for_good),
        cmocka_unit_test(test_asked_to_come_later),
        cmocka_unit_test(test_hurried_while_on_its_way),
        cmocka_unit_test(test_the_oldest_goes_but_not_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
