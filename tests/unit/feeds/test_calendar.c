/* Times are written as the exchange's clocks show them, and turned into moments by zone.h, which
 * has its own tests against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "calendar.h"

static const int64_t MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000;

enum { SPANS_MAX = 8 };

struct made {
    struct calendar *calendar;
    struct zone *zone; /* one of our own, to make moments */
};

static struct zone *load(const char *name)
{
    struct err err;
    struct zone *z = zone_load(name, &err);
    assert_non_null(z);
    return z;
}

/* hours: regular, pre, post; NULL ends each. */
static struct made make(const char *zone, const char *const hours[3][SPANS_MAX], const char *days)
{
    static const enum quote_market markets[] = {MARKET_OPEN, MARKET_PRE, MARKET_POST};
    struct calendar_span spans[3 * SPANS_MAX];
    struct holidays *holidays = NULL;
    struct err err;
    size_t n = 0;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; hours[k][i]; i++) {
            spans[n].market = markets[k];
            assert_null(hours_parse(hours[k][i], &spans[n++].hours));
        }
    if (days) {
        holidays = holidays_parse(days, strlen(days), &err);
        assert_non_null(holidays);
    }
    struct made m = {calendar_new(load(zone), holidays, spans, n), load(zone)};
    assert_non_null(m.calendar);
    return m;
}

static void unmake(struct made m)
{
    calendar_free(m.calendar);
    zone_free(m.zone);
}

/* "2026-11-20 09:30" or "... 09:30:15" by the clocks of the zone. */
static int64_t at(const struct made *m, const char *text)
{
    struct zone_time t = {0};
    int hour, minute, second = 0;
    assert_true(
        sscanf(text, "%d-%d-%d %d:%d:%d", &t.year, &t.month, &t.day, &hour, &minute, &second) >= 5);
    t.second = (hour * 60 + minute) * 60 + second;
    return zone_moment_ms(m->zone, t);
}

struct row {
    const char *at;
    enum quote_market market;
    const char *next; /* the next change */
};

static void check(const struct made *m, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ms = at(m, rows[i].at);
        enum quote_market is = calendar_at(m->calendar, ms);
        if (is != rows[i].market)
            fail_msg("%s is %s", rows[i].at, quote_market_name(is));
        int64_t next = calendar_next_change_ms(m->calendar, ms);
        if (rows[i].next && next != at(m, rows[i].next))
            fail_msg("%s: next in %ld s", rows[i].at, (long)((next - ms) / 1000));
    }
}

static const char *const stocks[3][SPANS_MAX] = {
    {"Mon-Fri 09:30-16:00"}, {"Mon-Fri 04:00-09:30"}, {"Mon-Fri 16:00-20:00"}};
static const char *const globex[3][SPANS_MAX] = {{"Sun-Thu 18:00-17:00"}};
static const char *const fx[3][SPANS_MAX] = {{"Sun-Thu 17:00-17:00"}};
static const char *const always[3][SPANS_MAX] = {{"Mon-Sun 00:00-24:00"}};
static const char *const tokyo[3][SPANS_MAX] = {
    {"Mon-Fri 09:00-11:30", "Mon-Fri 12:30-15:30"}
};
static const char *const never[3][SPANS_MAX] = {{NULL}};

static void a_day_of_stocks(void **state)
{
    (void)state;
    struct made m = make("America/New_York", stocks, NULL);
    const struct row rows[] = {
        {"2026-11-20 03:59:59", MARKET_CLOSED, "2026-11-20 04:00"}, /* a Friday */
        {"2026-11-20 04:00",    MARKET_PRE,    "2026-11-20 09:30"},
        {"2026-11-20 09:29:59", MARKET_PRE,    "2026-11-20 09:30"},
        {"2026-11-20 09:30",    MARKET_OPEN,   "2026-11-20 16:00"},
        {"2026-11-20 15:59:59", MARKET_OPEN,   "2026-11-20 16:00"},
        {"2026-11-20 16:00",    MARKET_POST,   "2026-11-20 20:00"},
        {"2026-11-20 20:00",    MARKET_CLOSED, "2026-11-23 04:00"},
        {"2026-11-21 12:00",    MARKET_CLOSED, "2026-11-23 04:00"},
        {"2026-11-22 23:59",    MARKET_CLOSED, "2026-11-23 04:00"},
        {"2026-11-23 12:00",    MARKET_OPEN,   "2026-11-23 16:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    /* Up to the millisecond, and by the zone's clocks: 14:30 UTC. */
    assert_int_equal(calendar_at(m.calendar, 1763994600000 - 1), MARKET_PRE); /* 2025-11-24 */
    assert_int_equal(calendar_at(m.calendar, 1763994600000), MARKET_OPEN);
    unmake(m);
}

static void hours_through_the_night(void **state)
{
    (void)state;
    struct made m = make("America/New_York", globex, NULL);
    const struct row rows[] = {
        {"2026-11-20 16:59", MARKET_OPEN,   "2026-11-20 17:00"}, /* Friday: the week's end */
        {"2026-11-20 17:00", MARKET_CLOSED, "2026-11-22 18:00"},
        {"2026-11-20 18:00", MARKET_CLOSED, "2026-11-22 18:00"},
        {"2026-11-21 12:00", MARKET_CLOSED, "2026-11-22 18:00"},
        {"2026-11-22 17:59", MARKET_CLOSED, "2026-11-22 18:00"},
        {"2026-11-22 18:00", MARKET_OPEN,   "2026-11-23 17:00"}, /* Sunday */
        {"2026-11-23 00:00", MARKET_OPEN,   "2026-11-23 17:00"},
        {"2026-11-23 17:00", MARKET_CLOSED, "2026-11-23 18:00"}, /* the pause */
        {"2026-11-23 18:00", MARKET_OPEN,   "2026-11-24 17:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

static void spans_that_touch_leave_no_gap(void **state)
{
    (void)state;
    struct made m = make("America/New_York", fx, NULL);
    const struct row rows[] = {
        {"2026-11-20 16:59", MARKET_OPEN,   "2026-11-20 17:00"},
        {"2026-11-20 17:00", MARKET_CLOSED, "2026-11-22 17:00"},
        {"2026-11-22 16:59", MARKET_CLOSED, "2026-11-22 17:00"},
        {"2026-11-22 17:00", MARKET_OPEN,   NULL              },
        {"2026-11-23 16:59", MARKET_OPEN,   NULL              },
        {"2026-11-23 17:00", MARKET_OPEN,   NULL              },
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

static void always_and_never(void **state)
{
    (void)state;
    struct made on = make("UTC", always, NULL), off = make("UTC", never, NULL);
    for (int64_t ms = -3 * DAY_MS; ms < 20 * DAY_MS; ms += 37 * MINUTE_MS) {
        assert_int_equal(calendar_at(on.calendar, ms), MARKET_OPEN);
        assert_true(calendar_next_change_ms(on.calendar, ms) > ms);
        assert_int_equal(calendar_at(off.calendar, ms), MARKET_CLOSED);
        assert_true(calendar_next_change_ms(off.calendar, ms) == INT64_MAX);
    }
    unmake(on);
    unmake(off);
    calendar_free(NULL);
}

static void a_pause_at_noon(void **state)
{
    (void)state;
    struct made m = make("Asia/Tokyo", tokyo, NULL);
    const struct row rows[] = {
        {"2026-11-20 08:59", MARKET_CLOSED, "2026-11-20 09:00"},
        {"2026-11-20 11:29", MARKET_OPEN,   "2026-11-20 11:30"},
        {"2026-11-20 11:30", MARKET_CLOSED, "2026-11-20 12:30"},
        {"2026-11-20 12:30", MARKET_OPEN,   "2026-11-20 15:30"},
        {"2026-11-20 15:30", MARKET_CLOSED, "2026-11-23 09:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

static void holidays_of_stocks(void **state)
{
    (void)state;
    struct made m = make("America/New_York", stocks,
                         "2026-11-26\n2026-11-27 13:00\n2026-12-24 09:00\n2026-12-25\n");
    const struct row rows[] = {
        {"2026-11-25 20:00",    MARKET_CLOSED, "2026-11-27 04:00"}, /* over Thanksgiving */
        {"2026-11-26 12:00",    MARKET_CLOSED, "2026-11-27 04:00"},
        {"2026-11-27 12:59:59", MARKET_OPEN,   "2026-11-27 13:00"},
        {"2026-11-27 13:00",    MARKET_CLOSED, "2026-11-30 04:00"}, /* nothing after hours */
        {"2026-11-27 17:00",    MARKET_CLOSED, "2026-11-30 04:00"},
        {"2026-12-24 08:59",    MARKET_PRE,    "2026-12-24 09:00"}, /* cut in the hours before */
        {"2026-12-24 09:30",    MARKET_CLOSED, "2026-12-28 04:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

/* The night before belongs to the holiday, its evening to the day after. */
static void holidays_of_nights(void **state)
{
    (void)state;
    struct made m = make("America/New_York", globex, "2026-12-24 13:45\n2026-12-25\n2026-12-30\n");
    const struct row rows[] = {
        {"2026-12-23 20:00", MARKET_OPEN,   "2026-12-24 13:45"},
        {"2026-12-24 13:44", MARKET_OPEN,   "2026-12-24 13:45"},
        {"2026-12-24 13:45", MARKET_CLOSED, "2026-12-27 18:00"},
        {"2026-12-24 18:00", MARKET_CLOSED, "2026-12-27 18:00"},
        {"2026-12-29 17:00", MARKET_CLOSED, "2026-12-30 18:00"}, /* one day in midweek */
        {"2026-12-30 18:00", MARKET_OPEN,   "2026-12-31 17:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

/* A row of holidays longer than it looks ahead: then it says when to ask again. */
static void a_long_row_of_holidays(void **state)
{
    (void)state;
    char days[1024] = "";
    for (int day = 1; day <= 28; day++)
        snprintf(days + strlen(days), sizeof days - strlen(days), "2026-02-%02d\n", day);
    struct made m = make("Asia/Tokyo", tokyo, days);
    int64_t ms = at(&m, "2026-02-02 12:00");
    for (int asked = 0; calendar_at(m.calendar, ms) == MARKET_CLOSED; asked++) {
        assert_true(asked < 10);
        int64_t next = calendar_next_change_ms(m.calendar, ms);
        assert_in_range(next - ms, 1, 7 * DAY_MS);
        ms = next;
    }
    assert_int_equal(ms, at(&m, "2026-03-02 09:00"));
    unmake(m);
}

static void clocks_change_at_night(void **state)
{
    (void)state;
    struct made m = make("America/New_York", globex, NULL),
                s = make("America/New_York", stocks, NULL);
    /* Sunday 18:00 is an hour earlier in UTC from 2026-03-08 on. */
    assert_int_equal(at(&m, "2026-03-08 18:00") - at(&m, "2026-03-01 18:00"), 7 * DAY_MS - HOUR_MS);
    const struct row rows[] = {
        {"2026-03-08 17:59", MARKET_CLOSED, "2026-03-08 18:00"},
        {"2026-03-08 18:00", MARKET_OPEN,   "2026-03-09 17:00"},
        {"2026-11-01 17:59", MARKET_CLOSED, "2026-11-01 18:00"},
        {"2026-11-01 18:00", MARKET_OPEN,   "2026-11-02 17:00"},
    };
    check(&m, rows, ARRAY_LEN(rows));
    const struct row day[] = {
        {"2026-03-06 20:00", MARKET_CLOSED, "2026-03-09 04:00"},
        {"2026-03-09 09:30", MARKET_OPEN,   "2026-03-09 16:00"},
        {"2026-10-30 20:00", MARKET_CLOSED, "2026-11-02 04:00"},
        {"2026-11-02 09:29", MARKET_PRE,    "2026-11-02 09:30"},
    };
    check(&s, day, ARRAY_LEN(day));
    unmake(m);
    unmake(s);

    /* A night in which the clocks do change: 23 hours, and 25. */
    static const char *const nights[3][SPANS_MAX] = {{"Mon-Sun 17:00-17:00"}};
    static const char *const saturday[3][SPANS_MAX] = {{"Sat 17:00-17:00"}};
    struct made n = make("Europe/London", nights, NULL), o = make("Europe/London", saturday, NULL);
    int64_t spring = at(&n, "2026-03-28 17:00"), autumn = at(&n, "2026-10-24 17:00");
    assert_int_equal(calendar_next_change_ms(n.calendar, spring) - spring, 23 * HOUR_MS);
    assert_int_equal(calendar_next_change_ms(n.calendar, autumn) - autumn, 25 * HOUR_MS);
    assert_int_equal(calendar_at(o.calendar, autumn + 25 * HOUR_MS - 1), MARKET_OPEN);
    assert_int_equal(calendar_at(o.calendar, autumn + 25 * HOUR_MS), MARKET_CLOSED);
    unmake(n);
    unmake(o);
}

/* Overlapping spans: the better one wins. */
static void spans_overlap(void **state)
{
    (void)state;
    static const char *const hours[3][SPANS_MAX] = {
        {"Mon 10:00-11:00"}, {"Mon 09:00-12:00"}, {"Mon 08:00-13:00"}};
    struct made m = make("UTC", hours, NULL);
    const struct row rows[] = {
        {"2026-11-23 07:59", MARKET_CLOSED, "2026-11-23 08:00"},
        {"2026-11-23 08:00", MARKET_POST,   "2026-11-23 09:00"},
        {"2026-11-23 09:00", MARKET_PRE,    "2026-11-23 10:00"},
        {"2026-11-23 10:00", MARKET_OPEN,   "2026-11-23 11:00"},
        {"2026-11-23 11:00", MARKET_PRE,    "2026-11-23 12:00"},
        {"2026-11-23 12:00", MARKET_POST,   "2026-11-23 13:00"},
        {"2026-11-23 13:00", MARKET_CLOSED, NULL              },
    };
    check(&m, rows, ARRAY_LEN(rows));
    unmake(m);
}

/* Over a year, every calendar: nothing changes before the moment it said, and it always gets on. */
static void nothing_changes_in_between(void **state)
{
    (void)state;
    const char *const(*const all[])[SPANS_MAX] = {stocks, globex, fx, always, tokyo};
    static const char *const zones[] = {"America/New_York", "Australia/Lord_Howe", "Europe/London"};
    for (size_t k = 0; k < ARRAY_LEN(all); k++)
        for (size_t z = 0; z < ARRAY_LEN(zones); z++) {
            struct made m = make(zones[z], all[k], "2026-04-03\n2026-05-01 13:00\n2026-12-25\n");
            int64_t ms = at(&m, "2026-01-01 00:07"), end = ms + 366 * DAY_MS, next = ms;
            enum quote_market is = MARKET_UNKNOWN;
            for (; ms < end; ms += 23 * MINUTE_MS) {
                if (ms >= next) {
                    is = calendar_at(m.calendar, ms);
                    next = calendar_next_change_ms(m.calendar, ms);
                    assert_true(next > ms);
                }
                if (calendar_at(m.calendar, ms) != is)
                    fail_msg("%s %zu at %ld", zones[z], k, (long)(ms / 1000));
            }
            unmake(m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_of_stocks),
        cmocka_unit_test(hours_through_the_night),
        cmocka_unit_test(spans_that_touch_leave_no_gap),
        cmocka_unit_test(always_and_never),
        cmocka_unit_test(a_pause_at_noon),
        cmocka_unit_test(holidays_of_stocks),
        cmocka_unit_test(holidays_of_nights),
        cmocka_unit_test(a_long_row_of_holidays),
        cmocka_unit_test(clocks_change_at_night),
        cmocka_unit_test(spans_overlap),
        cmocka_unit_test(nothing_changes_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
