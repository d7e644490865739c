/* Who may have his message worked on now, who waits, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backlog.h"
#include "conn.h"

enum { LONG = 50000 };

static struct conn with_message(size_t len)
{
    return (struct conn){.message = {.len = len}};
}

static void test_order(void **state)
{
    struct backlog b = {0};
    struct conn payers[4], c[5];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(payers); i++) {
        payers[i] = with_message(LONG);
        assert_true(backlog_pass(&b, &payers[i]));
    }
    assert_true(b.spent >= BACKLOG_TURN);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i] = with_message(LONG);
        assert_false(backlog_pass(&b, &c[i]));
        assert_true(c[i].waits);
    }
    backlog_leave(&b, &c[2]); /* in the middle, at the end, at the beginning, twice */
    backlog_leave(&b, &c[4]);
    backlog_leave(&b, &c[0]);
    backlog_leave(&b, &c[0]);
    assert_false(c[0].waits || c[2].waits || c[4].waits);
    assert_null(backlog_next(&b)); /* this turn has nothing left */
    assert_false(backlog_pass(&b, &c[0]));
    backlog_begin(&b);
    assert_ptr_equal(backlog_next(&b), &c[1]);
    assert_false(c[1].waits);
    assert_ptr_equal(backlog_next(&b), &c[3]);
    assert_ptr_equal(backlog_next(&b), &c[0]);
    assert_null(backlog_next(&b));
    assert_null(b.last);
}

/* As much as a turn has, then the rest in the next one. */
static void test_turns(void **state)
{
    struct backlog b = {0};
    struct conn c[10];
    int turns = 0, left = ARRAY_LEN(c);
    (void)state;
    b.spent = BACKLOG_TURN;
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i] = with_message(LONG);
        assert_false(backlog_pass(&b, &c[i]));
    }
    for (; left > 0; turns++) {
        int n = 0;
        backlog_begin(&b);
        while (backlog_next(&b))
            n++;
        assert_true(n > 0 && n <= 4);
        left -= n;
    }
    assert_int_equal(turns, 3);
    /* Nobody waits any more, but new ones only have what is left. */
    struct conn late = with_message(LONG);
    assert_true(backlog_pass(&b, &late));
}

static void test_short_ones_pass(void **state)
{
    struct backlog b = {0};
    struct conn one = with_message(LONG), small = with_message(BACKLOG_SHORT);
    struct conn more = with_message(BACKLOG_SHORT + 1);
    size_t passed = 0;
    (void)state;
    b.spent = BACKLOG_TURN;
    assert_false(backlog_pass(&b, &one));
    backlog_begin(&b);
    assert_false(backlog_pass(&b, &more)); /* not before the one that waits */
    while (backlog_pass(&b, &small))
        passed++;
    assert_true(small.waits);
    assert_int_equal(passed, (2 * BACKLOG_TURN + BACKLOG_MESSAGE + BACKLOG_SHORT - 1) /
                                 (BACKLOG_MESSAGE + BACKLOG_SHORT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_short_ones_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
