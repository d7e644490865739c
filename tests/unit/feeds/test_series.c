/* Figures by date: the newest as a price and as an observation, whatever their order; ended series
 * are none. */
#include "reply_case.h"
#include "series.h"

enum { DAY = 86400000 };
/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

static void test_day(void **state)
{
    (void)state;
    int64_t day = 1773619200000, at = SERIES_NOON_MS;
    assert_int_equal(series_day_ms("2026-03-13", at, NOW_MS), day - 3 * INT64_C(1) * DAY + at);
    assert_int_equal(series_day_ms("2026-03-16", at, NOW_MS), day); /* noon is yet to come */
    assert_int_equal(series_day_ms("2026-03-16", at, day), day);
    assert_int_equal(series_day_ms("2026-03-16", at, day + at - 1), day);
    assert_int_equal(series_day_ms("2026-03-16", at, day + at), day + at);
    assert_int_equal(series_day_ms("2026-03-17", at, NOW_MS), day + DAY + at);
    assert_int_equal(series_day_ms("2026-02-29", at, NOW_MS), 0);
    assert_int_equal(series_day_ms("2026-03-13 10:00:00", at, NOW_MS), 0);
    assert_int_equal(series_day_ms("1970-01-01", at, NOW_MS), 0);
    assert_int_equal(series_day_ms(NULL, at, NOW_MS), 0);
}

/* Days before now, 0 ends the list; the figure's value is its place in the list, from 1. */
struct figures {
    const char *what;
    int days[4];
    const char *answer;
};

static void test_answer(void **state)
{
    (void)state;
    static const struct figures rows[] = {
        {"none",                            {0},        "X no_data\n"                                                     },
        {"newest first",
         {3, 4, 5},
         "X 1 USD @1773396000000 unknown prev=2 | series=ID period=p1 value=1 t\n"                                        },
        {"oldest first",
         {5, 4, 3},
         "X 3 USD @1773396000000 unknown prev=2 | series=ID period=p3 value=3 t\n"                                        },
        {"in no order",
         {4, 3, 5},
         "X 2 USD @1773396000000 unknown prev=1 | series=ID period=p2 value=2 t\n"                                        },
        {"the older one last",
         {5, 3, 4},
         "X 2 USD @1773396000000 unknown prev=3 | series=ID period=p2 value=2 t\n"                                        },
        {"a day twice: the first",
         {3, 3, 4, 4},
         "X 1 USD @1773396000000 unknown prev=3 | series=ID period=p1 value=1 t\n"                                        },
        {"forecasts",
         {-1, 3, 4},
         "X 2 USD @1773396000000 unknown prev=3 | series=ID period=p2 value=2 t\n"                                        },
        {"forecasts only",                  {-1, -400}, "X no_data\n"                                                     },
        {"alone",                           {3},        "X 1 USD @1773396000000 unknown | series=ID period=p1 value=1 t\n"},
        {"six days apart",
         {3, 9},
         "X 1 USD @1773396000000 unknown prev=2 | series=ID period=p1 value=1 t\n"                                        },
        {"weeks: no close of a day before",
         {3, 10},
         "X 1 USD @1773396000000 unknown | series=ID period=p1 value=1 t\n"                                               },
        {"daily, a month late",
         {33, 34},
         "X 1 USD @1770804000000 unknown prev=2 | series=ID period=p1 value=1 t\n"                                        },
        {"daily, ended",                    {34, 35},   "X no_data\n"                                                     },
        {"monthly, late",
         {120, 150},
         "X 1 USD @1763287200000 unknown | series=ID period=p1 value=1 t\n"                                               },
        {"monthly, ended",                  {121, 151}, "X no_data\n"                                                     },
        {"alone, years ago",
         {1128},
         "X 1 USD @1676196000000 unknown | series=ID period=p1 value=1 t\n"                                               },
        {"alone, ended",                    {1129},     "X no_data\n"                                                     },
    };
    static const char *const periods[] = {"p1", "p2", "p3", "p4"};
    size_t bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct series s = {.now_ms = NOW_MS};
        struct answer a;
        struct buf text = {0};
        memset(&a, 0xa5, sizeof a);
        a.record.observation = NULL;
        for (int k = 0; k < 4 && rows[i].days[k]; k++)
            series_add(&s, NOW_MS - (int64_t)rows[i].days[k] * DAY, decimal_from_int(k + 1),
                       periods[k]);
        series_answer(&s, &(const struct series_about){"ID", "t", "USD"}, &a);
        reply_check_detail(&a);
        reply_describe("X", &a, &text);
        if (strcmp(text.p, rows[i].answer) != 0) {
            print_error("%s: got %s want %s", rows[i].what, text.p, rows[i].answer);
            bad++;
        }
        buf_fini(&text);
        answers_fini(&a, 1);
    }
    assert_int_equal(bad, 0);
}

/* What was zero or below is no close to compare with; the price is for others to judge. As an
 * observation any figure is as good as another. */
static void test_not_positive(void **state)
{
    (void)state;
    struct series s = {.now_ms = NOW_MS};
    struct answer a = {0};
    struct buf text = {0};
    series_add(&s, NOW_MS - DAY, decimal_from_int(-5), "2026-03-15");
    series_add(&s, NOW_MS - 2 * DAY, decimal_from_int(-37), "2026-03-14");
    series_answer(&s, &(const struct series_about){"T10Y2Y", "", ""}, &a);
    reply_describe("X", &a, &text);
    assert_string_equal(text.p, "X -5 - @1773568800000 unknown | series=T10Y2Y period=2026-03-15 "
                                "value=-5\n");
    buf_fini(&text);
    answers_fini(&a, 1);
}

/* A cut period or unit would be another one; of a name the beginning is better than none. */
static void test_too_long(void **state)
{
    (void)state;
    struct series s = {.now_ms = NOW_MS};
    struct answer a = {0};
    struct buf text = {0};
    const struct series_about about = {
        "0123456789012345678901234567890123456789012345678901234567890123456789",
        "thousands of sixty-kilogram bags", ""};
    series_add(&s, NOW_MS - DAY, decimal_from_int(1), "2026-03-15T03:00Z");
    series_answer(&s, &about, &a);
    reply_describe("X", &a, &text);
    assert_string_equal(
        text.p, "X 1 - @1773568800000 unknown | series="
                "012345678901234567890123456789012345678901234567890123456789012 value=1\n");
    buf_fini(&text);
    answers_fini(&a, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_not_positive),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
