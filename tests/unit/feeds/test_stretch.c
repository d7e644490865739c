/* Shares worked out by hand, and a promise for all: never more than there is, never more slowly
 * than needed. */
#include "stretch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "attrs.h"

#define A_MINUTE(n) ((n) / 60000.0)

static void test_by_hand(void **state)
{
    static const struct {
        const char *what;
        struct stretch all[4];
        size_t n;
        double credits_per_ms;
        int64_t want_ms;
    } cases[] = {
        {"nobody",                        {{0}},                    0, A_MINUTE(1), 0    },
        {"one that fits",                 {{15000, 1}},             1, A_MINUTE(4), 0    },
        {"one that does not",             {{15000, 1}},             1, A_MINUTE(2), 30000},
        {"two share",                     {{15000, 1}, {15000, 1}}, 2, A_MINUTE(2), 60000},
        {"the slow one leaves its share",
         {{10000, 1}, {10000, 1}, {60000, 1}},
         3,                                                            A_MINUTE(6),
         24000                                                                           },
        {"all at a quarter is all alike", {{15000, 4}, {15000, 4}}, 2, A_MINUTE(2), 15000},
 /* 1 + 1/4 shares of 2 a minute: 37.5 s, and 150 s for the other */
        {"one watched, one not",          {{15000, 1}, {15000, 4}}, 2, A_MINUTE(2), 37500},
 /* the one at a quarter is slow by itself (300 s): 6 - 0.2 are left for one */
        {"slow and unwatched",            {{5000, 1}, {300000, 4}}, 2, A_MINUTE(6), 10345},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t s = stretch_ms(cases[i].all, cases[i].n, cases[i].credits_per_ms);
        if (s != cases[i].want_ms)
            print_error("%s\n", cases[i].what);
        assert_int_equal(s, cases[i].want_ms);
    }
}

static double cost(const struct stretch *all, size_t n, int64_t s)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t stretched = all[i].weight * s;
        sum += 1.0 / (double)(stretched > all[i].own_ms ? stretched : all[i].own_ms);
    }
    return sum;
}

static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void test_at_random(void **state)
{
    enum { N = 40 };
    struct stretch all[N];
    uint32_t x = 7;
    int slower = 0;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + next(&x) % N;
        double r = A_MINUTE(1 + next(&x) % 20);
        for (size_t i = 0; i < n; i++)
            all[i] = (struct stretch){500 + next(&x) % 300000, next(&x) % 2 ? 1 : 4};
        int64_t s = stretch_ms(all, n, r);
        assert_true(cost(all, n, s) <= r * (1 + 1e-9));
        slower += s > 0;
        if (s > 4) /* a little less would be too much */
            assert_true(cost(all, n, s - 4) > r * (1 - 1e-3));
    }
    assert_true(slower > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
