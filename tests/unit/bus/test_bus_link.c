#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_link.h"

static const uint32_t randoms[] = {0, 1, 99, 100, 12345, 2000, 0x7fffffff, UINT32_MAX};

/* From 0.1 s on, doubling, never near 5 s: coming back must not take longer than that. */
static void test_backoff_grows_within_bounds(void **state)
{
    (void)state;
    static const int64_t least[] = {100, 200, 400, 800, 1600, 2000, 2000};
    for (unsigned attempts = 0; attempts < 7; attempts++)
        for (size_t i = 0; i < ARRAY_LEN(randoms); i++) {
            int64_t ms = link_backoff_ms(attempts, 4000, randoms[i]);
            assert_in_range(ms, least[attempts], 2 * least[attempts]);
        }
    for (size_t i = 0; i < ARRAY_LEN(randoms); i++)
        assert_in_range(link_backoff_ms(UINT32_MAX, 4000, randoms[i]), 2000, 4000);
}

static void test_backoff_is_spread(void **state)
{
    (void)state;
    assert_int_equal(link_backoff_ms(0, 4000, 0), 100);
    assert_int_equal(link_backoff_ms(0, 4000, 100), 200);
    assert_int_equal(link_backoff_ms(9, 4000, 0), 2000);
    assert_int_equal(link_backoff_ms(9, 4000, 2000), 4000);
    assert_int_equal(link_backoff_ms(9, 1000, 500), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff_grows_within_bounds),
        cmocka_unit_test(test_backoff_is_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
