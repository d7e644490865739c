#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"

static void sentences_are_cut_to_fit(void **state)
{
    struct err err;
    char longer[400];
    (void)state;
    assert_int_equal(err_set(&err, "%s: %d", "port", 7), -1);
    assert_string_equal(err.text, "port: 7");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(err_set(&err, "%s", longer), -1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err_set(NULL, "nobody %s", "listens"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sentences_are_cut_to_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
