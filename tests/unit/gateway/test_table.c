/* Columns that line up, lines that are cut, colours that take no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static const char *const heads[] = {"NAME", "PRICE", "SAYS"};

static void fill(struct table *t)
{
    table_init(t, heads, 3);
    table_add(t, TINT_NONE, "coffee");
    table_add(t, TINT_GOOD, "2.943");
    table_add(t, TINT_NONE, NULL);
    table_add(t, TINT_NONE, "caf\xc3\xa9");
    table_addf(t, TINT_BAD, "%d %s", 12, "\xe2\x82\xac");
    table_add(t, TINT_NONE, "held\x1b[2J");
}

static void expect(const struct table *t, size_t width, bool colour, const char *text)
{
    struct buf out = {0};
    table_render(t, &(struct table_style){width, colour}, &out);
    assert_string_equal(out.p ? out.p : "", text);
    buf_fini(&out);
}

static void test_columns(void **state)
{
    struct table t;
    (void)state;
    fill(&t);
    expect(&t, 0, false,
           "NAME    PRICE  SAYS\n"
           "coffee  2.943\n"
           "caf\xc3\xa9    12 \xe2\x82\xac   held?[2J\n");
    table_fini(&t);
}

static void test_cut(void **state)
{
    struct table t;
    (void)state;
    fill(&t);
    expect(&t, 12, false, "NAME    PRIC\ncoffee  2.94\ncaf\xc3\xa9    12 \xe2\x82\xac\n");
    expect(&t, 8, false, "NAME\ncoffee\ncaf\xc3\xa9\n"); /* not even a space behind it */
    expect(&t, 4, false, "NAME\ncoff\ncaf\xc3\xa9\n");
    expect(&t, 1, false, "N\nc\nc\n");
    table_fini(&t);
}

static void test_colours(void **state)
{
    struct table t;
    (void)state;
    fill(&t);
    expect(&t, 10, true,
           "\x1b[1mNAME\x1b[0m    \x1b[1mPR\x1b[0m\n"
           "coffee  \x1b[32m2.\x1b[0m\n"
           "caf\xc3\xa9    \x1b[1;31m12\x1b[0m\n");
    table_fini(&t);
}

static void test_nothing(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, heads, 3);
    expect(&t, 0, false, "");
    table_fini(&t);
}

static void test_many_rows(void **state)
{
    struct table t;
    struct buf out = {0};
    (void)state;
    table_init(&t, heads, 3);
    for (int i = 0; i < 3000; i++)
        table_addf(&t, TINT_NONE, "%d", i);
    table_render(&t, &(struct table_style){0}, &out);
    assert_non_null(strstr(out.p, "\n2997  2998   2999\n"));
    buf_fini(&out);
    table_fini(&t);
}

static void test_line(void **state)
{
    struct buf out = {0};
    (void)state;
    table_line(&out, &(struct table_style){5, true}, TINT_DIM, "h\xc3\xa9llo\n world");
    table_line(&out, &(struct table_style){0, false}, TINT_DIM, "all of it");
    assert_string_equal(out.p, "\x1b[2mh\xc3\xa9llo\x1b[0m\nall of it\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),   cmocka_unit_test(test_cut),
        cmocka_unit_test(test_colours),   cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_many_rows), cmocka_unit_test(test_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
