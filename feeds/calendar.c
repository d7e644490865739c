/* A span on a day becomes two moments, its begin and its end, by the clocks of the zone: so the
 * hours of a night in which the clocks change are an hour longer or shorter, as they are in the
 * market. What a moment is in is found among the spans that began on its local day or the day
 * before, as none is longer than a day.
 *
 * The next change is looked for a week ahead. Behind that (a long row of holidays) nothing is
 * known, and the week's end is the answer: then one has to ask again. */
#include "calendar.h"

#include <stdlib.h>
#include <string.h>

static const int DAY_S = 86400;
static const int64_t DAY_MS = 86400000;
enum { AHEAD_DAYS = 7 };

struct calendar {
    struct zone *zone;
    struct holidays *holidays;
    struct calendar_span *spans;
    size_t len;
};

/* From begin until just before end; empty when end <= begin. */
struct moments {
    int64_t begin_ms, end_ms;
};

struct calendar *calendar_new(struct zone *zone, struct holidays *holidays,
                              const struct calendar_span *spans, size_t n)
{
    struct calendar *c = calloc(1, sizeof *c);
    struct calendar_span *copy = calloc(n + 1, sizeof *copy);
    if (!c || !copy) {
        free(c);
        free(copy);
        zone_free(zone);
        holidays_free(holidays);
        return NULL;
    }
    if (n > 0)
        memcpy(copy, spans, n * sizeof *copy);
    *c = (struct calendar){.zone = zone, .holidays = holidays, .spans = copy, .len = n};
    return c;
}

void calendar_free(struct calendar *c)
{
    if (!c)
        return;
    zone_free(c->zone);
    holidays_free(c->holidays);
    free(c->spans);
    free(c);
}

/* The local date `days` after the one of a moment. */
static struct zone_time date_after(const struct zone *z, int64_t wall_ms, int days)
{
    struct zone_time t = zone_local(z, wall_ms);
    t.day += days;
    t.second = 0;
    return zone_local(NULL, zone_moment_ms(NULL, t)); /* carried over, with its weekday */
}

/* A span as it begins on that date. */
static struct moments moments_of(const struct calendar *c, const struct hours *h,
                                 struct zone_time date)
{
    struct zone_time begin = date, end = date, last = date;
    if (!(h->days >> date.weekday & 1))
        return (struct moments){0, 0};
    bool next_day = h->to_s > DAY_S;
    last.day += next_day;
    last = zone_local(NULL, zone_moment_ms(NULL, last));
    int close_s = holidays_close_s(c->holidays, last.year, last.month, last.day);
    if (close_s == 0)
        return (struct moments){0, 0};
    int limit_s = close_s < DAY_S ? close_s + next_day * DAY_S : h->to_s;
    begin.second = h->from_s;
    end.second = h->to_s < limit_s ? h->to_s : limit_s;
    return (struct moments){zone_moment_ms(c->zone, begin), zone_moment_ms(c->zone, end)};
}

enum quote_market calendar_at(const struct calendar *c, int64_t wall_ms)
{
    /* From the least to the one that wins. */
    static const enum quote_market order[] = {MARKET_CLOSED, MARKET_POST, MARKET_PRE, MARKET_OPEN};
    size_t found = 0;
    for (int days = -1; days <= 0; days++) {
        struct zone_time date = date_after(c->zone, wall_ms, days);
        for (size_t i = 0; i < c->len; i++) {
            struct moments m = moments_of(c, &c->spans[i].hours, date);
            size_t rank = 0;
            while (rank + 1 < ARRAY_LEN(order) && order[rank] != c->spans[i].market)
                rank++;
            if (m.begin_ms <= wall_ms && wall_ms < m.end_ms && rank > found)
                found = rank;
        }
    }
    return order[found];
}

int64_t calendar_next_change_ms(const struct calendar *c, int64_t wall_ms)
{
    int64_t next = wall_ms + AHEAD_DAYS * DAY_MS;
    for (int days = -1; days <= AHEAD_DAYS + 1; days++) {
        struct zone_time date = date_after(c->zone, wall_ms, days);
        for (size_t i = 0; i < c->len; i++) {
            struct moments m = moments_of(c, &c->spans[i].hours, date);
            if (m.begin_ms >= m.end_ms)
                continue;
            if (m.begin_ms > wall_ms && m.begin_ms < next)
                next = m.begin_ms;
            if (m.end_ms > wall_ms && m.end_ms < next)
                next = m.end_ms;
        }
    }
    return c->len > 0 ? next : INT64_MAX;
}
