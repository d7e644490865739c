/* Times of day. The candidates are all times of the three local days around the moment that is
 * looked from, as moments (zone.h: a local time that is skipped counts when the clocks jump, one
 * that comes twice counts once); the first that lies behind it is the one. So a day of 23 or 25
 * hours needs no rule here.
 *
 * Intervals are of the calendar: a month after 31 January is the last day of February at the same
 * local time, an hour is an hour. They are counted from the last run, not from a fixed grid, so
 * that many gateways do not all begin at midnight. */
#include "job_times.h"

#include <stdlib.h>

static const int64_t HOUR_MS = 3600000;

static int second_of(const char *time)
{
    return (int)strtol(time, NULL, 10) * 3600 + (int)strtol(time + 3, NULL, 10) * 60;
}

static int64_t next_time_ms(const struct config_job *job, const struct zone *zone, int64_t after_ms)
{
    int64_t next = JOB_TIMES_NEVER;
    struct zone_time today = zone_local(zone, after_ms);
    for (size_t i = 0; i < job->times_len; i++)
        for (int day = -1; day <= 1; day++) {
            struct zone_time t = today;
            t.day += day;
            t.second = second_of(job->times[i]);
            int64_t moment = zone_moment_ms(zone, t);
            if (moment > after_ms && moment < next)
                next = moment;
        }
    return next;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static struct zone_time add_months(struct zone_time t, int months)
{
    int month = t.month - 1 + months;
    t.year += month / 12;
    t.month = month % 12 + 1;
    int last = days_in(t.year, t.month);
    t.day = t.day < last ? t.day : last;
    return t;
}

static int64_t next_interval_ms(enum config_every every, const struct zone *zone, int64_t last_ms)
{
    struct zone_time t = zone_local(zone, last_ms);
    switch (every) {
    case EVERY_NEVER:
        return JOB_TIMES_NEVER;
    case EVERY_HOUR:
        return last_ms + HOUR_MS;
    case EVERY_DAY:
        t.day += 1;
        break;
    case EVERY_WEEK:
        t.day += 7;
        break;
    case EVERY_MONTH:
        t = add_months(t, 1);
        break;
    case EVERY_QUARTER:
        t = add_months(t, 3);
        break;
    case EVERY_YEAR:
        t = add_months(t, 12);
        break;
    }
    return zone_moment_ms(zone, t);
}

int64_t job_times_next_ms(const struct config_job *job, const struct zone *zone, int64_t last_ms,
                          int64_t since_ms)
{
    bool known = last_ms >= 0;
    int64_t time = next_time_ms(job, zone, known ? last_ms : since_ms);
    if (job->every == EVERY_NEVER)
        return time;
    int64_t interval = known ? next_interval_ms(job->every, zone, last_ms) : since_ms;
    return time < interval ? time : interval;
}
