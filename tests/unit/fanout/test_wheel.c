/* Entries come back in the first tick at or after their time, never before, never in the tick in
 * which they were put. */
#include "rig.h"

#include "wheel.h"

#define TICK WHEEL_TICK_NS

static void test_due(void **state)
{
    static const struct {
        int64_t due_ns, at_ns;
    } rows[] = {
        {0,           TICK      }, /* past: the next tick */
        {1,           TICK      },
        {TICK,        TICK      },
        {TICK + 1,    2 * TICK  },
        {7 * TICK,    7 * TICK  },
        {500 * TICK,  500 * TICK},
        {511 * TICK,  511 * TICK},
        {9999 * TICK, 511 * TICK}, /* beyond the ring: the owner looks again */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wheel w = {0};
        struct wheel_entry e = {.owner = &w};
        const int64_t base = 1000 * TICK;
        wheel_put(&w, &e, base, base + rows[i].due_ns);
        assert_null(wheel_next(&w, base + rows[i].at_ns - 1));
        assert_ptr_equal(wheel_next(&w, base + rows[i].at_ns), &e);
        assert_null(wheel_next(&w, base + rows[i].at_ns));
        assert_int_equal(w.used, 0);
    }
}

static void test_move_and_remove(void **state)
{
    struct wheel w = {0};
    struct wheel_entry a = {0}, b = {0}, c = {0};
    (void)state;
    wheel_put(&w, &a, 0, 5 * TICK);
    wheel_put(&w, &b, 0, 5 * TICK);
    wheel_put(&w, &c, 0, 5 * TICK);
    wheel_put(&w, &b, 0, 9 * TICK);
    wheel_remove(&w, &c);
    wheel_remove(&w, &c);
    assert_ptr_equal(wheel_next(&w, 5 * TICK), &a);
    assert_null(wheel_next(&w, 8 * TICK));
    assert_ptr_equal(wheel_next(&w, 20 * TICK), &b);
    assert_int_equal(w.used, 0);
}

/* After a long sleep of the machine an entry that is put back is not handed out again and again. */
static void test_jump(void **state)
{
    struct wheel w = {0};
    struct wheel_entry e = {0};
    const int64_t now = 1000000 * TICK;
    int seen = 0;
    (void)state;
    wheel_put(&w, &e, 0, 3 * TICK);
    while (wheel_next(&w, now) && seen++ < 10)
        wheel_put(&w, &e, now, now + TICK);
    assert_int_equal(seen, 1);
    assert_ptr_equal(wheel_next(&w, now + TICK), &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_move_and_remove),
        cmocka_unit_test(test_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
