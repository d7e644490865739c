/* Minor units by table; nothing is guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quality.h"

static void test_codes(void **state)
{
    (void)state;
    static const struct {
        const char *code, *major; /* NULL: refused */
        int places;
    } rows[] = {
        {"USX",  "USD", 2},
        {"GBp",  "GBP", 2},
        {"GBX",  "GBP", 2},
        {"ZAc",  "ZAR", 2},
        {"ZAC",  "ZAR", 2},
        {"ILA",  "ILS", 2},
        {"USD",  "USD", 0},
        {"JPY",  "JPY", 0},
        {"XAU",  "XAU", 0},
        {"USd",  NULL,  0},
        {"usd",  NULL,  0},
        {"EUc",  NULL,  0},
        {"gbp",  NULL,  0},
        {"GBPX", NULL,  0},
        {"US",   NULL,  0},
        {"",     NULL,  0},
        {"U$D",  NULL,  0},
        {"USX ", NULL,  0},
        {"US1",  NULL,  0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char major[8];
        int places;
        int rc = units_major(rows[i].code, major, &places);
        assert_int_equal(rc, rows[i].major ? 0 : -1);
        assert_int_equal(places, rows[i].places);
        assert_string_equal(major, rows[i].major ? rows[i].major : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
