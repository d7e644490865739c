/* Ended series. They stay where they are for ever and are served as if nothing had happened, so it
 * is their age that tells. A figure a day is late after a month, one a year is not: what is due is
 * judged by the distance of the last two. Releases are late at times (holidays, closed offices),
 * hence three distances, and a month on top. */
#include "series.h"

#include <string.h>

static const int64_t DAY_MS = 86400000;
static const int64_t GRACE_DAYS = 30;
static const int64_t DISTANCES = 3;
static const int64_t DISTANCE_UNKNOWN_DAYS = 366; /* one figure alone may be a year's */
static const int64_t DAILY_MAX_DAYS = 7;          /* so far apart are weeks, not days */

int64_t series_day_ms(const char *date, int64_t at_ms, int64_t now_ms)
{
    int64_t day_ms = parse_utc_text(date);
    if (day_ms == 0 || day_ms % DAY_MS != 0)
        return 0;
    return day_ms <= now_ms && now_ms < day_ms + at_ms ? day_ms : day_ms + at_ms;
}

void series_add(struct series *s, int64_t ts_ms, struct decimal value, const char *period)
{
    struct figure f = {.ts_ms = ts_ms, .value = value};
    if (strlen(period) < sizeof f.period)
        snprintf(f.period, sizeof f.period, "%s", period);
    if (ts_ms > s->now_ms)
        return;
    if (ts_ms > s->latest.ts_ms) {
        s->before = s->latest;
        s->latest = f;
    } else if (ts_ms < s->latest.ts_ms && ts_ms > s->before.ts_ms) {
        s->before = f;
    }
}

static int64_t distance_ms(const struct series *s)
{
    return s->before.ts_ms ? s->latest.ts_ms - s->before.ts_ms : DISTANCE_UNKNOWN_DAYS * DAY_MS;
}

static void observe(const struct series *s, const struct series_about *about, struct answer *a)
{
    struct observation *o = answer_observe(a);
    if (!o)
        return;
    snprintf(o->series, sizeof o->series, "%s", about->id);
    snprintf(o->period, sizeof o->period, "%s", s->latest.period);
    snprintf(o->values[0].name, sizeof o->values[0].name, "value");
    if (strlen(about->unit) < sizeof o->values[0].unit) /* half a unit is another one */
        snprintf(o->values[0].unit, sizeof o->values[0].unit, "%s", about->unit);
    o->values[0].value = s->latest.value;
    o->values_len = 1;
}

void series_answer(const struct series *s, const struct series_about *about, struct answer *a)
{
    int64_t age_ms = s->now_ms - s->latest.ts_ms;
    *a = (struct answer){0};
    if (s->latest.ts_ms == 0) {
        parse_fail(a, FAIL_NO_DATA, "no figure in the series");
        return;
    }
    if (age_ms > GRACE_DAYS * DAY_MS + DISTANCES * distance_ms(s)) {
        parse_fail(a, FAIL_NO_DATA, "the series has ended: its newest figure is %lld days old",
                   (long long)(age_ms / DAY_MS));
        return;
    }
    struct record *r = &a->record;
    r->price = s->latest.value;
    r->ts_ms = s->latest.ts_ms;
    snprintf(r->currency, sizeof r->currency, "%s", about->currency);
    if (distance_ms(s) < DAILY_MAX_DAYS * DAY_MS && decimal_positive(s->before.value))
        r->prev_close = s->before.value;
    observe(s, about, a);
}
