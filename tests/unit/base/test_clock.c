#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"

static void known_times(void **state)
{
    char text[CLOCK_RFC3339_MAX];
    (void)state;
    assert_string_equal(clock_rfc3339(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_rfc3339(1767225599007, text), "2025-12-31T23:59:59.007Z");
    assert_string_equal(clock_rfc3339(1709164800120, text), "2024-02-29T00:00:00.120Z");
    assert_string_equal(clock_rfc3339(253402300799999, text), "9999-12-31T23:59:59.999Z");
}

static void clocks_run(void **state)
{
    (void)state;
    int64_t ns = clock_mono_ns(), ms = clock_mono_ms();
    assert_true(ms >= ns / 1000000);
    assert_true(clock_mono_ns() >= ns);
    assert_true(clock_mono_ms() >= ms);
    assert_true(clock_wall_ms() > 1700000000000); /* ms, and of this century */
    assert_true(clock_wall_ms() < 10000000000000);
}

/* Nobody sets the machine's clock here (the tests of the whole program do, by libfaketime): ours
 * goes with it. The last test, for there is no way back. */
static void ours_goes_with_the_systems(void **state)
{
    (void)state;
    int64_t before = clock_wall_ms();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(clock_follow(), 0);
        int64_t now = clock_wall_ms();
        assert_true(now >= before - 2); /* two clocks are read one after the other */
        before = now;
    }
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t system_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    assert_in_range(clock_wall_ms() - system_ms + 100, 0, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(clocks_run),
        cmocka_unit_test(ours_goes_with_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
