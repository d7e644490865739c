#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "attrs.h"
#include "hours.h"
#include "seed.h"

#define AT(h, m) (((h)*60 + (m)) * 60)

enum { SUN = 1, MON = 2, TUE = 4, WED = 8, THU = 16, FRI = 32, SAT = 64 };

static void right_ones(void **state)
{
    (void)state;
    const struct {
        const char *text;
        struct hours hours;
    } rows[] = {
        {"Mon-Fri 09:30-16:00", {MON | TUE | WED | THU | FRI, AT(9, 30), AT(16, 0)}},
        {"Wed 00:00-24:00",     {WED, 0, AT(24, 0)}                                },
        {"Wed 00:00-00:00",     {WED, 0, AT(24, 0)}                                },
        {"Sun-Thu 18:00-17:00", {SUN | MON | TUE | WED | THU, AT(18, 0), AT(41, 0)}},
        {"Sat-Mon 23:59-00:00", {SAT | SUN | MON, AT(23, 59), AT(24, 0)}           },
        {"Sun-Sat 17:00-17:00", {127, AT(17, 0), AT(41, 0)}                        },
        {"Mon-Sun 23:59-23:58", {127, AT(23, 59), AT(47, 58)}                      },
        {"Fri-Fri 01:02-01:03", {FRI, AT(1, 2), AT(1, 3)}                          },
        {"Fri-Tue 20:00-24:00", {FRI | SAT | SUN | MON | TUE, AT(20, 0), AT(24, 0)}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hours h = {0};
        seed_keep_text("calendar", rows[i].text);
        assert_null(hours_parse(rows[i].text, &h));
        assert_int_equal(h.days, rows[i].hours.days);
        assert_int_equal(h.from_s, rows[i].hours.from_s);
        assert_int_equal(h.to_s, rows[i].hours.to_s);
    }
}

static void wrong_ones(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "Mon",
        "Mon-Fri",
        "Mon-Fri ",
        "Mon-Fri 9:30-16:00",
        "Mon-Fri 09:30",
        "Mon-Fri 09:30-",
        "Mon-Fri 09:30-16",
        "Mon-Fri 09:30-16:0",
        "Mon-Fri 09:30-16:00 ",
        " Mon-Fri 09:30-16:00",
        "Mon-Fri  09:30-16:00",
        "mon-fri 09:30-16:00",
        "Monday 09:30-16:00",
        "Mon,Tue 09:30-16:00",
        "Mon- 09:30-16:00",
        "Mon-Fri 24:00-01:00",
        "Mon-Fri 09:60-16:00",
        "Mon-Fri 09:30-24:01",
        "Mon-Fri 09:30-25:00",
        "Mon-Fri 99:99-16:00",
        "Mon-Fri 09.30-16.00",
        "Mon-Fri 09:30-16:00,17:00-18:00",
        "9-5",
    };
    struct hours h = {.days = 77};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        seed_keep_text("calendar", rows[i]);
        if (!hours_parse(rows[i], &h))
            fail_msg("taken: %s", rows[i]);
    }
    assert_int_equal(h.days, 77);
    assert_string_equal(hours_parse("9-5", &h),
                        "must be days and times like \"Mon-Fri 09:30-16:00\" or \"Sat "
                        "00:00-24:00\" (an end not behind the start is on the next day)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones),
        cmocka_unit_test(wrong_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
