/* When a job runs next: times of day in a zone, intervals of the calendar, both, and what was
 * missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "job_times.h"

static struct zone *zone_of(const char *name)
{
    struct err err;
    struct zone *z = zone_load(name, &err);
    assert_non_null(z);
    return z;
}

/* A local time of the zone as a moment. */
static int64_t at(const struct zone *z, int year, int month, int day, int hour, int minute)
{
    struct zone_time t = {.year = year, .month = month, .day = day};
    t.second = (hour * 60 + minute) * 60;
    return zone_moment_ms(z, t);
}

static const char *const twice[] = {"18:30", "06:00"};

static void test_times_of_day(void **state)
{
    (void)state;
    const struct config_job job = {.times = twice, .times_len = 2};
    static const struct {
        int day, hour, minute;         /* the last run, January 2026, UTC */
        int next_day, next_hour, next; /* what follows */
    } rows[] =
        {
            {5,  0,  0,  5,  6,  0 },
            {5,  5,  59, 5,  6,  0 },
            {5,  6,  0,  5,  18, 30}, /* it ran at its time: not again */
            {5,  18, 29, 5,  18, 30},
            {5,  18, 30, 6,  6,  0 },
            {5,  23, 59, 6,  6,  0 },
            {31, 20, 0,  32, 6,  0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t last = at(NULL, 2026, 1, rows[i].day, rows[i].hour, rows[i].minute);
        int64_t next = at(NULL, 2026, 1, rows[i].next_day, rows[i].next_hour, rows[i].next);
        assert_int_equal(job_times_next_ms(&job, NULL, last, 0), next);
        assert_int_equal(job_times_next_ms(&job, NULL, -1, last), next); /* a first start */
    }
}

static void test_a_missed_time_is_made_up_for_once(void **state)
{
    (void)state;
    const struct config_job job = {.times = twice, .times_len = 2};
    int64_t last = at(NULL, 2026, 1, 5, 6, 0), back = at(NULL, 2026, 1, 8, 12, 0);
    int64_t due = job_times_next_ms(&job, NULL, last, back);
    assert_true(due <= back); /* at once */
    assert_int_equal(job_times_next_ms(&job, NULL, back, back), at(NULL, 2026, 1, 8, 18, 30));
    /* Nobody knows of an earlier run: nothing is made up for. */
    assert_int_equal(job_times_next_ms(&job, NULL, -1, back), at(NULL, 2026, 1, 8, 18, 30));
}

static void test_the_zone_decides(void **state)
{
    (void)state;
    static const char *const six[] = {"06:00"};
    const struct config_job job = {.times = six, .times_len = 1};
    struct zone *lima = zone_of("America/Lima"); /* UTC-5, always */
    int64_t from = at(NULL, 2026, 1, 5, 10, 59);
    assert_int_equal(job_times_next_ms(&job, lima, from, 0), at(NULL, 2026, 1, 5, 11, 0));
    zone_free(lima);
    struct zone *kiribati = zone_of("Pacific/Kiritimati"); /* UTC+14: another day than UTC */
    from = at(NULL, 2026, 1, 5, 15, 59);
    assert_int_equal(job_times_next_ms(&job, kiribati, from, 0), at(NULL, 2026, 1, 5, 16, 0));
    zone_free(kiribati);
}

/* New York: 02:30 does not exist on 8 March 2026, 01:30 comes twice on 1 November. */
static void test_clocks_that_jump(void **state)
{
    (void)state;
    static const char *const skipped[] = {"02:30"}, *const doubled[] = {"01:30"};
    const struct config_job spring = {.times = skipped, .times_len = 1};
    const struct config_job autumn = {.times = doubled, .times_len = 1};
    struct zone *ny = zone_of("America/New_York");

    int64_t due = job_times_next_ms(&spring, ny, at(ny, 2026, 3, 7, 12, 0), 0);
    assert_int_equal(due, at(NULL, 2026, 3, 8, 7, 0)); /* 03:00 EDT, when the clocks jumped */
    assert_int_equal(job_times_next_ms(&spring, ny, due, 0), at(NULL, 2026, 3, 9, 6, 30));

    due = job_times_next_ms(&autumn, ny, at(ny, 2026, 10, 31, 12, 0), 0);
    assert_int_equal(due, at(NULL, 2026, 11, 1, 5, 30)); /* EDT, the first of the two */
    assert_int_equal(job_times_next_ms(&autumn, ny, due, 0), at(NULL, 2026, 11, 2, 6, 30));
    zone_free(ny);
}

static void test_intervals_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        enum config_every every;
        int year, month, day;
        int next_year, next_month, next_day;
    } rows[] = {
        {EVERY_DAY,     2026, 1,  31, 2026, 2, 1 },
        {EVERY_DAY,     2026, 12, 31, 2027, 1, 1 },
        {EVERY_WEEK,    2026, 2,  26, 2026, 3, 5 },
        {EVERY_MONTH,   2026, 1,  15, 2026, 2, 15},
        {EVERY_MONTH,   2026, 1,  31, 2026, 2, 28},
        {EVERY_MONTH,   2028, 1,  31, 2028, 2, 29},
        {EVERY_MONTH,   2100, 1,  30, 2100, 2, 28},
        {EVERY_MONTH,   2000, 1,  30, 2000, 2, 29},
        {EVERY_MONTH,   2026, 12, 31, 2027, 1, 31},
        {EVERY_QUARTER, 2026, 11, 30, 2027, 2, 28},
        {EVERY_QUARTER, 2026, 3,  31, 2026, 6, 30},
        {EVERY_YEAR,    2028, 2,  29, 2029, 2, 28},
        {EVERY_YEAR,    2026, 7,  4,  2027, 7, 4 },
    };
    struct zone *ny = zone_of("America/New_York"); /* the local time of day stays */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct config_job job = {.every = rows[i].every};
        int64_t last = at(ny, rows[i].year, rows[i].month, rows[i].day, 9, 41);
        int64_t next = at(ny, rows[i].next_year, rows[i].next_month, rows[i].next_day, 9, 41);
        assert_int_equal(job_times_next_ms(&job, ny, last, 0), next);
    }
    zone_free(ny);
}

static void test_an_hour_is_an_hour(void **state)
{
    (void)state;
    const struct config_job job = {.every = EVERY_HOUR};
    struct zone *ny = zone_of("America/New_York");
    int64_t last = at(NULL, 2026, 11, 1, 5, 30); /* 01:30, and an hour later 01:30 again */
    assert_int_equal(job_times_next_ms(&job, ny, last, 0), last + 3600000);
    zone_free(ny);
}

static void test_an_interval_that_never_ran_is_due(void **state)
{
    (void)state;
    const struct config_job job = {.every = EVERY_YEAR};
    assert_int_equal(job_times_next_ms(&job, NULL, -1, 12345), 12345);
    assert_int_equal(job_times_next_ms(&job, NULL, 0, 12345), at(NULL, 1971, 1, 1, 0, 0));
}

static void test_both_whichever_comes_first(void **state)
{
    (void)state;
    const struct config_job job = {.times = twice, .times_len = 2, .every = EVERY_HOUR};
    int64_t last = at(NULL, 2026, 1, 5, 5, 20);
    assert_int_equal(job_times_next_ms(&job, NULL, last, 0), at(NULL, 2026, 1, 5, 6, 0));
    last = at(NULL, 2026, 1, 5, 6, 0);
    assert_int_equal(job_times_next_ms(&job, NULL, last, 0), at(NULL, 2026, 1, 5, 7, 0));
}

static void test_neither(void **state)
{
    (void)state;
    const struct config_job job = {0};
    assert_true(job_times_next_ms(&job, NULL, -1, 5) == JOB_TIMES_NEVER);
    assert_true(job_times_next_ms(&job, NULL, 5, 5) == JOB_TIMES_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_day),
        cmocka_unit_test(test_a_missed_time_is_made_up_for_once),
        cmocka_unit_test(test_the_zone_decides),
        cmocka_unit_test(test_clocks_that_jump),
        cmocka_unit_test(test_intervals_of_the_calendar),
        cmocka_unit_test(test_an_hour_is_an_hour),
        cmocka_unit_test(test_an_interval_that_never_ran_is_due),
        cmocka_unit_test(test_both_whichever_comes_first),
        cmocka_unit_test(test_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
