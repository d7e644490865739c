#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "role.h"

static void names_and_order(void **state)
{
    (void)state;
    for (int r = ROLE_VIEWER; r <= ROLE_ADMIN; r++)
        assert_int_equal(role_parse(role_name((enum role)r)), r);
    assert_true(ROLE_NONE < ROLE_VIEWER && ROLE_VIEWER < ROLE_ANALYST && ROLE_ANALYST < ROLE_ADMIN);
    assert_string_equal(role_name(ROLE_NONE), "none");
    assert_int_equal(role_parse("none"), -1); /* nobody is given that role */
    assert_int_equal(role_parse("Admin"), -1);
    assert_int_equal(role_parse(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
