#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "zone.h"

#define AT(h, m) (((h)*60 + (m)) * 60)

static const int64_t MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000;

static struct zone *load(const char *name)
{
    struct err err;
    struct zone *z = zone_load(name, &err);
    assert_non_null(z);
    return z;
}

static struct zone_time on(int year, int month, int day, int second)
{
    return (struct zone_time){.year = year, .month = month, .day = day, .second = second};
}

static void assert_local(const struct zone *z, int64_t wall_ms, struct zone_time want)
{
    struct zone_time is = zone_local(z, wall_ms);
    assert_int_equal(is.year, want.year);
    assert_int_equal(is.month, want.month);
    assert_int_equal(is.day, want.day);
    assert_int_equal(is.second, want.second);
}

static bool same(struct zone_time a, struct zone_time b)
{
    return a.year == b.year && a.month == b.month && a.day == b.day && a.weekday == b.weekday &&
           a.second == b.second;
}

static void utc_is_the_zone_null(void **state)
{
    (void)state;
    struct zone *utc = load("UTC");
    const struct {
        int64_t wall_ms;
        struct zone_time local;
        int weekday;
    } rows[] = {
        {0,               {1970, 1, 1, 0, 0},               4},
        {-1,              {1969, 12, 31, 0, 86399},         3},
        {-1000,           {1969, 12, 31, 0, 86399},         3},
        {-1001,           {1969, 12, 31, 0, 86398},         3},
        {951782400000,    {2000, 2, 29, 0, 0},              2},
        {1767225599999,   {2025, 12, 31, 0, AT(24, 0) - 1}, 3},
        {-2203977600000,  {1900, 2, 28, 0, 0},              3},
        {-2203891200000,  {1900, 3, 1, 0, 0},               4}, /* 1900 was no leap year */
        {4107542400000,   {2100, 3, 1, 0, 0},               1}, /* nor will 2100 be one */
        {253402300799000, {9999, 12, 31, 0, 86399},         5},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_local(NULL, rows[i].wall_ms, rows[i].local);
        assert_local(utc, rows[i].wall_ms, rows[i].local);
        assert_int_equal(zone_local(NULL, rows[i].wall_ms).weekday, rows[i].weekday);
    }
    assert_int_equal(zone_moment_ms(NULL, on(1970, 1, 1, 0)), 0);
    assert_int_equal(zone_moment_ms(utc, on(1969, 12, 31, 86399)), -1000);
    assert_int_equal(zone_moment_ms(NULL, on(9999, 12, 31, 86399)), 253402300799000);
    zone_free(utc);
}

static void days_and_months_carry_over(void **state)
{
    (void)state;
    const struct {
        struct zone_time wild, tame;
    } rows[] = {
        {{2026, 1, 0, 0, 5},     {2025, 12, 31, 0, 5}  },
        {{2024, 2, 30, 0, 5},    {2024, 3, 1, 0, 5}    },
        {{2026, 2, 29, 0, 0},    {2026, 3, 1, 0, 0}    },
        {{2026, 12, 32, 0, 0},   {2027, 1, 1, 0, 0}    },
        {{2026, 13, 1, 0, 0},    {2027, 1, 1, 0, 0}    },
        {{2026, 0, 1, 0, 0},     {2025, 12, 1, 0, 0}   },
        {{2026, -11, 1, 0, 0},   {2025, 1, 1, 0, 0}    },
        {{2026, 1, -30, 0, 0},   {2025, 12, 1, 0, 0}   },
        {{2026, 3, 7, 0, 86400}, {2026, 3, 8, 0, 0}    },
        {{2026, 3, 7, 0, -1},    {2026, 3, 6, 0, 86399}},
    };
    struct zone *z = load("America/New_York");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(zone_moment_ms(NULL, rows[i].wild), zone_moment_ms(NULL, rows[i].tame));
        assert_int_equal(zone_moment_ms(z, rows[i].wild), zone_moment_ms(z, rows[i].tame));
    }
    /* By the clock, not by so many hours: the day of the change has 23 of them. */
    assert_int_equal(zone_moment_ms(z, on(2026, 3, 9, 0)) - zone_moment_ms(z, on(2026, 3, 8, 0)),
                     23 * HOUR_MS);
    zone_free(z);
}

/* Each change: its moment, the two offsets, in minutes. */
static void clocks_change(void **state)
{
    (void)state;
    const struct {
        const char *zone;
        int64_t at_s;
        int before, after;
    } rows[] = {
        {"Europe/London",       1774746000, 0,    60  }, /* 2026-03-29 01:00 UTC */
        {"Europe/London",       1792890000, 60,   0   }, /* 2026-10-25 01:00 UTC */
        {"Europe/Berlin",       1774746000, 60,   120 },
        {"America/New_York",    1772953200, -300, -240}, /* 2026-03-08 07:00 UTC */
        {"America/New_York",    1793512800, -240, -300}, /* 2026-11-01 06:00 UTC */
        {"Australia/Lord_Howe", 1775314800, 660,  630 }, /* 2026-04-04 15:00 UTC, half an hour */
        {"Australia/Lord_Howe", 1791041400, 630,  660 }, /* 2026-10-03 15:30 UTC */
        {"Australia/Sydney",    1775318400, 660,  600 }, /* the south: back in April */
        {"Pacific/Auckland",    1790431200, 720,  780 }, /* 2026-09-26 14:00 UTC */
        {"Pacific/Apia",        1325239200, -600, 840 }, /* 2011: a whole day left out */
        {"Europe/London",       3118611600, 60,   0   }, /* 2068: by the rule, no table goes so far */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct zone *z = load(rows[i].zone);
        int64_t at_ms = rows[i].at_s * 1000;
        int64_t before_ms = rows[i].before * MINUTE_MS, after_ms = rows[i].after * MINUTE_MS;
        assert_true(same(zone_local(z, at_ms - 1), zone_local(NULL, at_ms - 1 + before_ms)));
        assert_true(same(zone_local(z, at_ms), zone_local(NULL, at_ms + after_ms)));
        /* The moments beside the change are found again, by what the clocks showed. */
        assert_int_equal(zone_moment_ms(z, zone_local(z, at_ms - DAY_MS)), at_ms - DAY_MS);
        assert_int_equal(zone_moment_ms(z, zone_local(z, at_ms - 1000)), at_ms - 1000);
        if (after_ms > before_ms)
            assert_int_equal(zone_moment_ms(z, zone_local(z, at_ms)), at_ms);
        assert_int_equal(zone_moment_ms(z, zone_local(z, at_ms + DAY_MS)), at_ms + DAY_MS);
        zone_free(z);
    }
}

static void skipped_times_are_the_jump(void **state)
{
    (void)state;
    struct zone *london = load("Europe/London"), *howe = load("Australia/Lord_Howe"),
                *apia = load("Pacific/Apia"), *santiago = load("America/Santiago");
    for (int minute = 0; minute < 60; minute += 7)
        assert_int_equal(zone_moment_ms(london, on(2026, 3, 29, AT(1, minute))), 1774746000000);
    assert_int_equal(zone_moment_ms(london, on(2026, 3, 29, AT(2, 0))), 1774746000000);
    assert_int_equal(zone_moment_ms(london, on(2026, 3, 29, AT(0, 59))), 1774745940000);
    assert_int_equal(zone_moment_ms(howe, on(2026, 10, 4, AT(2, 15))), 1791041400000);
    assert_int_equal(zone_moment_ms(howe, on(2026, 10, 4, AT(2, 30))), 1791041400000);
    assert_int_equal(zone_moment_ms(apia, on(2011, 12, 30, AT(12, 0))), 1325239200000);
    assert_int_equal(zone_moment_ms(apia, on(2011, 12, 29, AT(23, 59))), 1325239140000);
    /* Where midnight itself is skipped, the day begins an hour later. */
    int64_t day_ms = zone_moment_ms(santiago, on(2026, 9, 6, 0));
    assert_local(santiago, day_ms, on(2026, 9, 6, AT(1, 0)));
    zone_free(london);
    zone_free(howe);
    zone_free(apia);
    zone_free(santiago);
}

static void of_two_the_first(void **state)
{
    (void)state;
    struct zone *london = load("Europe/London"), *howe = load("Australia/Lord_Howe"),
                *york = load("America/New_York");
    /* 2026-10-25 01:30 comes at 00:30 UTC and again at 01:30 UTC. */
    assert_int_equal(zone_moment_ms(london, on(2026, 10, 25, AT(1, 30))),
                     zone_moment_ms(NULL, on(2026, 10, 25, AT(0, 30))));
    assert_int_equal(zone_moment_ms(london, on(2026, 10, 25, AT(2, 0))),
                     zone_moment_ms(NULL, on(2026, 10, 25, AT(2, 0))));
    assert_int_equal(zone_moment_ms(york, on(2026, 11, 1, AT(1, 0))),
                     zone_moment_ms(NULL, on(2026, 11, 1, AT(5, 0))));
    assert_int_equal(zone_moment_ms(howe, on(2026, 4, 5, AT(1, 45))),
                     zone_moment_ms(NULL, on(2026, 4, 4, AT(14, 45))));
    zone_free(london);
    zone_free(howe);
    zone_free(york);
}

static void halves_of_hours(void **state)
{
    (void)state;
    struct zone *kolkata = load("Asia/Kolkata"), *nepal = load("Asia/Kathmandu");
    assert_local(kolkata, 0, on(1970, 1, 1, AT(5, 30)));
    assert_int_equal(zone_moment_ms(kolkata, on(2026, 7, 1, 0)),
                     zone_moment_ms(NULL, on(2026, 6, 30, AT(18, 30))));
    assert_int_equal(zone_moment_ms(nepal, on(2026, 7, 1, 0)),
                     zone_moment_ms(NULL, on(2026, 6, 30, AT(18, 15))));
    zone_free(kolkata);
    zone_free(nepal);
}

/* The C library reads the same files by other code. From before 1970 to where only the rule at the
 * end of a zone's file knows. */
static void assert_agrees(const char *name, int64_t until_s)
{
    struct zone *z = load(name);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t s = -200000000; s < until_s; s += 60071 /* prime: all times of the day */) {
        struct tm tm;
        time_t t = (time_t)s;
        localtime_r(&t, &tm);
        struct zone_time is = zone_local(z, s * 1000);
        struct zone_time want = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_wday,
                                 (tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec};
        if (!same(is, want))
            fail_msg("%s at %ld", name, (long)s);
        /* There and back; of a time that comes twice to the first. */
        int64_t back_ms = zone_moment_ms(z, is);
        if (back_ms > s * 1000 || s * 1000 - back_ms > 3 * HOUR_MS ||
            !same(zone_local(z, back_ms), is))
            fail_msg("%s: %ld comes back as %ld", name, (long)s, (long)(back_ms / 1000));
    }
    zone_free(z);
    unsetenv("TZ");
    tzset();
}

static void agrees_with_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "UTC",
        "Europe/London",
        "Europe/Lisbon",
        "America/New_York",
        "Asia/Kolkata",
        "America/Chicago",
        "America/Lima",
        "Australia/Lord_Howe",
        "Asia/Tokyo",
        "Australia/Sydney",
        "Pacific/Apia",
        "America/St_Johns",
        "Africa/Cairo",
        "Asia/Tehran",
        "Africa/Casablanca",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Pacific/Chatham",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_agrees(names[i], 3000000000);
    assert_agrees("Europe/Dublin", 2145916800); /* 2038: see the essay of zone.c */
}

static void other_names_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Europe",
        "Europe/Nowhere",
        "europe/london",
        "Europe/London ",
        "+05:00",
        "-5",
        "12",
        "EST5",
        "Utopia5",
        "EST5EDT",
        "/etc/passwd",
        "../etc/passwd",
        "tzdata.zi",
        "leapseconds",
        "posixrules",
        "right/UTC",
        "Europe//../London",
        "A",
        "/usr/share/zoneinfo/Europe/London",
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        err.text[0] = '\0';
        if (zone_load(names[i], &err))
            fail_msg("taken: %s", names[i]);
        assert_non_null(strstr(err.text, "there is no time zone"));
    }
    assert_null(zone_load("Europe/Nowhere", &err));
    assert_string_equal(err.text, "there is no time zone \"Europe/Nowhere\" on this machine (names "
                                  "are like America/Lima; they come with the package tzdata)");
    zone_free(load("Etc/GMT+5"));
    zone_free(load("America/Port-au-Prince"));
    zone_free(load("America/Argentina/Buenos_Aires"));
    zone_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_is_the_zone_null),
        cmocka_unit_test(days_and_months_carry_over),
        cmocka_unit_test(clocks_change),
        cmocka_unit_test(skipped_times_are_the_jump),
        cmocka_unit_test(of_two_the_first),
        cmocka_unit_test(halves_of_hours),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(other_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
