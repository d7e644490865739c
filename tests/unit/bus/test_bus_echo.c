#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "bus_echo.h"

static void expect_n(struct bus_echo *e, int n)
{
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    bus_echo_expect(e, 0, text, strlen(text));
}

static bool take_n(struct bus_echo *e, int n)
{
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    return bus_echo_take(e, 0, text, strlen(text));
}

static void test_taken_as_often_as_expected(void **state)
{
    (void)state;
    static struct bus_echo e;
    assert_false(bus_echo_take(&e, 1, "x", 1));
    bus_echo_expect(&e, 1, "x", 1);
    bus_echo_expect(&e, 1, "x", 1);
    assert_false(bus_echo_take(&e, 2, "x", 1)); /* another symbol */
    assert_false(bus_echo_take(&e, 1, "y", 1));
    assert_true(bus_echo_take(&e, 1, "x", 1));
    assert_true(bus_echo_take(&e, 1, "x", 1));
    assert_false(bus_echo_take(&e, 1, "x", 1));
    assert_int_equal(e.len, 0);
    bus_echo_expect(&e, 1, "", 0);
    assert_true(bus_echo_take(&e, 1, "", 0));
}

static void test_clear(void **state)
{
    (void)state;
    static struct bus_echo e;
    expect_n(&e, 1);
    bus_echo_clear(&e);
    assert_false(take_n(&e, 1));
}

static void test_full_forgets_the_oldest(void **state)
{
    (void)state;
    static struct bus_echo e;
    for (int i = 0; i < BUS_ECHO_MAX + 10; i++)
        expect_n(&e, i);
    assert_int_equal(e.len, BUS_ECHO_MAX);
    assert_false(take_n(&e, 9));
    assert_true(take_n(&e, 10));
    assert_true(take_n(&e, BUS_ECHO_MAX + 9));
}

/* Out of order, with holes, many times around the ring. */
static void test_ring_goes_round(void **state)
{
    (void)state;
    static struct bus_echo e;
    for (int i = 0; i < 5 * BUS_ECHO_MAX; i += 4) {
        for (int k = 0; k < 4; k++)
            expect_n(&e, i + k);
        assert_true(take_n(&e, i + 2));
        assert_true(take_n(&e, i + 0));
        assert_true(take_n(&e, i + 3));
        assert_int_equal(e.len, 3); /* the hole at the end is not trimmed yet */
        assert_true(take_n(&e, i + 1));
        assert_int_equal(e.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_as_often_as_expected),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_full_forgets_the_oldest),
        cmocka_unit_test(test_ring_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
