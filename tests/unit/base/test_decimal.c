/* Digits in, digits out: the digit rule, exact arithmetic, and the borders of what fits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "decimal.h"
#include "seed.h"

static const char *show(struct decimal d)
{
    static char text[DECIMAL_TEXT_MAX];
    decimal_format(d, text);
    return text;
}

static struct decimal of(const char *text)
{
    struct decimal d;
    seed_keep_text("decimal", text);
    if (decimal_parse(text, strlen(text), &d) != 0)
        fail_msg("not a decimal: %s", text);
    return d;
}

static void text_keeps_its_digits(void **state)
{
    static const char *const same[] = {
        "150.10",
        "0.00000001",
        "123456789.123456",
        "2.943",
        "0",
        "0.0",
        "0.000",
        "1",
        "-1.50",
        "0.000000059152179",
        "999999999999999999999999999999999999",
        "0.000000000000000000000000000000000001",
        "100000000000000000000000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "-1844674407370955161.7",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_string_equal(show(of(same[i])), same[i]);
}

static void other_forms_become_plain(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"5.9e-8", "0.000000059"                           },
        {"1E3",    "1000"                                  },
        {"1.50e1", "15.0"                                  },
        {"1.5e+2", "150"                                   },
        {"+7",     "7"                                     },
        {"007.10", "7.10"                                  },
        {"-0",     "0"                                     },
        {"0e100",  "0"                                     },
        {"12e-1",  "1.2"                                   },
        {"1e-36",  "0.000000000000000000000000000000000001"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(show(of(rows[i].from)), rows[i].to);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        ".",
        ".5",
        "5.",
        "1.e5",
        "e5",
        "1e",
        "1e+",
        "1.2.3",
        " 1",
        "1 ",
        "1,5",
        "0x10",
        "nan",
        "inf",
        "--1",
        "1e101",
        "1e5x",
        "N/D",
        "1e-37",
        "1e36",
        "1000000000000000000000000000000000000",
        "0.0000000000000000000000000000000000001",
        "1e99999999999999999999",
        "1e5.5",
    };
    struct decimal d;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        d.given = true;
        seed_keep_text("decimal", bad[i]);
        if (decimal_parse(bad[i], strlen(bad[i]), &d) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_false(d.given);
    }
    assert_int_equal(decimal_parse("12345", 3, &d), 0); /* no more than len bytes are read */
    assert_string_equal(show(d), "123");
}

static void doubles_are_written_as_short_as_can_be(void **state)
{
    static const struct {
        double x;
        const char *text;
    } rows[] = {
        {2.943,                 "2.943"                  },
        {0.1,                   "0.1"                    },
        {150.1,                 "150.1"                  },
        {1e-8,                  "0.00000001"             },
        {1e22,                  "10000000000000000000000"},
        {1.0 / 3,               "0.3333333333333333"     },
        {123456789.123456,      "123456789.123456"       },
        {-0.5,                  "-0.5"                   },
        {0.0,                   "0"                      },
        {1518.0999755859375,    "1518.1"                 }, /* float32 of 1518.1, widened */
        {294.29998779296875,    "294.3"                  }, /* 294.3 */
        {1.1684399843215942,    "1.16844"                }, /* 1.16844 */
        {0.5,                   "0.5"                    }, /* a float32, but short as it is */
        {16777216.0,            "16777216"               },
        {5.684341886080802e-14, "0.00000000000005684342" }, /* 2^-44 is a float32, too */
    };
    struct decimal d;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(decimal_from_double(rows[i].x, &d), 0);
        assert_string_equal(show(d), rows[i].text);
    }
}

/* Below a power of two numbers stand closer than above it: there rounding alone is not enough. */
static void shortest_at_powers_of_two(void **state)
{
    struct decimal d;
    (void)state;
    for (int k = -100; k < 119; k++) {
        double x = ldexp(1.0, k);
        if (decimal_from_double(x, &d) != 0)
            continue; /* more places than a decimal has */
        assert_true((float)decimal_to_double(d) == (float)x);
    }
    /* 1.5474250e+26 reads back to the float below, with nine digits it would be 1.54742505e+26. */
    assert_int_equal(decimal_from_double(ldexp(1.0, 87), &d), 0);
    assert_string_equal(show(d), "154742510000000000000000000");
    assert_int_equal(decimal_from_double(ldexp(-1.0, 90), &d), 0);
    assert_string_equal(show(d), "-1237940100000000000000000000");
}

static void doubles_that_do_not_fit_are_refused(void **state)
{
    struct decimal d;
    (void)state;
    assert_int_equal(decimal_from_double(strtod("nan", NULL), &d), -1);
    assert_int_equal(decimal_from_double(HUGE_VAL, &d), -1);
    assert_int_equal(decimal_from_double(-HUGE_VAL, &d), -1);
    assert_int_equal(decimal_from_double(1e36, &d), -1);
    assert_int_equal(decimal_from_double(1e308, &d), -1);
    assert_int_equal(decimal_from_double(1e-40, &d), -1);
    assert_false(d.given);
}

static void differences_are_exact(void **state)
{
    struct decimal d;
    (void)state;
    assert_int_equal(decimal_sub(of("2.943"), of("2.91"), &d), 0);
    assert_string_equal(show(d), "0.033");
    assert_int_equal(decimal_sub(of("1"), of("1.00"), &d), 0);
    assert_string_equal(show(d), "0.00");
    assert_int_equal(decimal_sub(of("0.1"), of("0.3"), &d), 0);
    assert_string_equal(show(d), "-0.2");
    assert_int_equal(decimal_sub(of("1e35"), of("0.1"), &d), -1);
    assert_int_equal(decimal_sub(of("9e35"), of("-9e35"), &d), -1);
    assert_int_equal(decimal_sub(of("1"), (struct decimal){0}, &d), -1);
    assert_int_equal(decimal_sub((struct decimal){0}, of("1"), &d), -1);
    assert_false(d.given);
}

static void minor_units_are_shifted_exactly(void **state)
{
    struct decimal d;
    (void)state;
    assert_int_equal(decimal_shift_down(of("294.30"), 2, &d), 0);
    assert_string_equal(show(d), "2.9430");
    assert_int_equal(decimal_shift_down(of("5"), 2, &d), 0);
    assert_string_equal(show(d), "0.05");
    assert_int_equal(decimal_shift_down(of("1e-35"), 2, &d), -1);
    assert_int_equal(decimal_shift_down(of("290"), 2, &d), 0);
    assert_string_equal(show(d), "2.90");
}

/* A JSON number is the shortest decimal of its double after the shift, too. */
static void shifted_numbers_gain_no_zeros(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {290,   "2.9"  },
        {300,   "3"    },
        {12300, "123"  },
        {294.3, "2.943"},
        {305,   "3.05" },
        {-40,   "-0.4" },
        {0,     "0"    },
    };
    struct decimal d;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(decimal_from_double(rows[i].number, &d), 0);
        assert_int_equal(decimal_shift_down(d, 2, &d), 0);
        assert_string_equal(show(d), rows[i].text);
    }
    assert_int_equal(decimal_shift_down(decimal_from_int(290), 2, &d), 0);
    assert_string_equal(show(d), "2.9");
}

static void percent_is_rounded_half_away_from_zero(void **state)
{
    static const struct {
        const char *part, *whole, *text;
    } rows[] = {
        {"0.033",  "2.91",   "1.134" },
        {"-0.033", "2.91",   "-1.134"},
        {"0.033",  "-2.91",  "-1.134"},
        {"1",      "3",      "33.333"},
        {"2",      "3",      "66.667"},
        {"1",      "80000",  "0.001" },
        {"1",      "200000", "0.001" }, /* 0.0005 exactly: away from zero */
        {"-1",     "200000", "-0.001"},
        {"1",      "200001", "0"     },
        {"5",      "10",     "50"    },
        {"0",      "7",      "0"     },
    };
    struct decimal d;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(decimal_percent(of(rows[i].part), of(rows[i].whole), &d), 0);
        assert_string_equal(show(d), rows[i].text);
    }
    assert_int_equal(decimal_percent(of("1"), of("0.00"), &d), -1);
    assert_int_equal(decimal_percent((struct decimal){0}, of("1"), &d), -1);
    assert_int_equal(decimal_percent(of("1"), (struct decimal){0}, &d), -1);
    assert_int_equal(decimal_percent(of("9e35"), of("0.1"), &d), -1);
    assert_int_equal(decimal_shift_down((struct decimal){0}, 2, &d), -1);
    assert_int_equal(decimal_percent(of("1e35"), of("1"), &d), -1);
}

static void comparison_is_by_value(void **state)
{
    /* In rising order; the last ones cannot be brought to one scale. */
    static const char *const rising[] = {"-1e35", "-1",   "-0.5", "0", "1e-36",
                                         "0.5",   "0.51", "1.00", "2", "3e35"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rising); i++)
        for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
            int c = decimal_cmp(of(rising[i]), of(rising[k]));
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
    assert_int_equal(decimal_cmp(of("1.0"), of("1.00")), 0);
    assert_int_equal(decimal_cmp(of("-0"), of("0.00")), 0);
    assert_true(decimal_cmp(of("12345678901234567890"), of("0.00000000000000000001")) > 0);
    assert_true(decimal_cmp(of("0.00000000000000000001"), of("12345678901234567890")) < 0);
}

static void small_questions(void **state)
{
    (void)state;
    assert_true(decimal_positive(of("0.1")));
    assert_false(decimal_positive(of("0.0")));
    assert_false(decimal_positive(of("-1")));
    assert_false(decimal_positive((struct decimal){.coef = 5}));
    assert_string_equal(show(decimal_from_int(INT64_MIN)), "-9223372036854775808");
    assert_true(decimal_to_double(of("2.943")) == 2.943);
    assert_true(decimal_to_double(of("-0.00000001")) == -1e-8);
}

static void quotients_have_the_digits_asked_for(void **state)
{
    static const struct {
        const char *a, *b;
        int digits;
        const char *q;
    } rows[] = {
        {"1",                                    "1.0689",                               6,  "0.935541"                              },
        {"1",                                    "4",                                    6,  "0.250000"                              },
        {"2",                                    "3",                                    1,  "0.7"                                   },
        {"1",                                    "8",                                    2,  "0.13"                                  }, /* a half: up */
        {"-1",                                   "8",                                    2,  "-0.13"                                 },
        {"1",                                    "-8",                                   2,  "-0.13"                                 },
        {"9.996",                                "1",                                    3,  "10.0"                                  },
        {"99999",                                "100000",                               3,  "1.00"                                  },
        {"1518.1",                               "0.00000001",                           5,  "151810000000"                          },
        {"1",                                    "15181000",                             4,  "0.00000006587"                         },
        {"123456",                               "1",                                    3,  "123456"                                },
        {"123456.7",                             "1",                                    3,  "123457"                                },
        {"0.8589",                               "1.1672",                               6,  "0.735864"                              },
        {"0",                                    "7",                                    6,  "0"                                     },
        {"0.00",                                 "7",                                    6,  "0"                                     },
        {"999999999999999999999999999999999999", "999999999999999999999999999999999999", 18,
         "1.00000000000000000"                                                                                                       },
        {"1",                                    "999999999999999999999999999999999999", 3,  "0.000000000000000000000000000000000001"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal q;
        assert_int_equal(decimal_div(of(rows[i].a), of(rows[i].b), rows[i].digits, &q), 0);
        assert_string_equal(show(q), rows[i].q);
    }
    struct decimal q;
    assert_int_equal(decimal_div(of("1"), of("0"), 6, &q), -1);
    assert_false(q.given);
    assert_int_equal(decimal_div((struct decimal){0}, of("1"), 6, &q), -1);
    assert_int_equal(decimal_div(of("1"), (struct decimal){0}, 6, &q), -1);
    assert_int_equal(decimal_div(of("999999999999999999999999999999999999"), of("0.001"), 6, &q),
                     -1);
    /* Any two: as near as that many digits can be. */
    unsigned x = 7;
    for (int i = 0; i < 20000; i++) {
        x = x * 1664525U + 1013904223U;
        struct decimal a = {.coef = 1 + x % 1000000, .scale = (int)(x >> 8) % 7, .given = true};
        x = x * 1664525U + 1013904223U;
        struct decimal b = {.coef = 1 + x % 1000000, .scale = (int)(x >> 8) % 7, .given = true};
        assert_int_equal(decimal_div(a, b, 8, &q), 0);
        double want = decimal_to_double(a) / decimal_to_double(b);
        assert_true(fabs(decimal_to_double(q) - want) <= want * 5.1e-8);
    }
}

static void digits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(decimal_digits(of("0")), 1);
    assert_int_equal(decimal_digits(of("0.0150")), 3);
    assert_int_equal(decimal_digits(of("-150.10")), 5);
    assert_int_equal(decimal_digits(of("9")), 1);
    assert_int_equal(decimal_digits(of("10")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_keeps_its_digits),
        cmocka_unit_test(other_forms_become_plain),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(doubles_are_written_as_short_as_can_be),
        cmocka_unit_test(shortest_at_powers_of_two),
        cmocka_unit_test(doubles_that_do_not_fit_are_refused),
        cmocka_unit_test(differences_are_exact),
        cmocka_unit_test(minor_units_are_shifted_exactly),
        cmocka_unit_test(shifted_numbers_gain_no_zeros),
        cmocka_unit_test(percent_is_rounded_half_away_from_zero),
        cmocka_unit_test(comparison_is_by_value),
        cmocka_unit_test(quotients_have_the_digits_asked_for),
        cmocka_unit_test(digits_are_counted),
        cmocka_unit_test(small_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
