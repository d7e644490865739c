#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "symtab.h"

static void finds_what_was_added(void **state)
{
    enum { N = 1000 };
    static char names[N][16];
    struct symtab *t = symtab_new(N);
    (void)state;
    assert_non_null(t);
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "SYM/%d", i);
        assert_int_equal(symtab_find(t, names[i], strlen(names[i])), -1);
        assert_int_equal(symtab_add(t, names[i], i), 0);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(symtab_find(t, names[i], strlen(names[i])), i);
    symtab_free(t);
}

static void length_and_case_count(void **state)
{
    struct symtab *t = symtab_new(2);
    (void)state;
    assert_non_null(t);
    assert_int_equal(symtab_add(t, "coffee", 7), 0);
    assert_int_equal(symtab_add(t, "coffee", 8), -1);
    assert_int_equal(symtab_add(t, "Coffee", 9), 0);
    assert_int_equal(symtab_find(t, "coffee", 6), 7);
    assert_int_equal(symtab_find(t, "coffeeX", 6), 7); /* not NUL-terminated */
    assert_int_equal(symtab_find(t, "coffe", 5), -1);
    assert_int_equal(symtab_find(t, "Coffee", 6), 9);
    symtab_free(t);
}

static void empty_table(void **state)
{
    struct symtab *t = symtab_new(0);
    (void)state;
    assert_non_null(t);
    assert_int_equal(symtab_find(t, "a", 1), -1);
    assert_int_equal(symtab_find(t, "", 0), -1);
    symtab_free(t);
    symtab_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(length_and_case_count),
        cmocka_unit_test(empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
