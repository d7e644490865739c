#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus_shared.h"

static void test_put_find_replace(void **state)
{
    (void)state;
    struct bus_shared s = {0};
    assert_null(bus_shared_find(&s, "a", 0));
    assert_non_null(bus_shared_put(&s, "a", "one", 3, 100, 0));
    assert_non_null(bus_shared_put(&s, "b", "", 0, 100, 0));
    assert_non_null(bus_shared_put(&s, "a", "zwei", 4, 100, 0));
    assert_int_equal(s.len, 2);
    assert_int_equal(bus_shared_find(&s, "a", 99)->len, 4);
    assert_string_equal(bus_shared_find(&s, "a", 99)->bytes, "zwei");
    assert_int_equal(bus_shared_find(&s, "b", 99)->len, 0);
    bus_shared_fini(&s);
    assert_int_equal(s.len, 0);
}

static void test_expiry(void **state)
{
    (void)state;
    struct bus_shared s = {0};
    assert_non_null(bus_shared_put(&s, "a", "1", 1, 100, 0));
    assert_non_null(bus_shared_put(&s, "b", "2", 1, 200, 0));
    assert_non_null(bus_shared_find(&s, "a", 99));
    assert_null(bus_shared_find(&s, "a", 100)); /* at its moment it is over */
    assert_int_equal(s.len, 1);                 /* and its memory given back */
    assert_non_null(bus_shared_find(&s, "b", 199));
    assert_non_null(bus_shared_put(&s, "c", "3", 1, 300, 200));
    assert_int_equal(s.len, 1);
    bus_shared_fini(&s);
}

static void test_full(void **state)
{
    (void)state;
    struct bus_shared s = {0};
    char key[32];
    for (int i = 0; i < BUS_SHARED_MAX; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_non_null(bus_shared_put(&s, key, "x", 1, 100, 0));
    }
    assert_null(bus_shared_put(&s, "more", "x", 1, 100, 0));
    assert_non_null(bus_shared_put(&s, "0", "y", 1, 100, 0)); /* replacing needs no room */
    assert_non_null(bus_shared_put(&s, "more", "x", 1, 200, 100));
    assert_int_equal(s.len, 1);
    bus_shared_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_find_replace),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
