/* calendar.h - when an exchange trades: its weekly hours by the clocks of its zone, less its
 * holidays. Pure.
 *
 * Each span of hours belongs to the day on which it ends (midnight ends the day before): the night
 * that leads to a holiday falls away with it, the evening of a holiday belongs to the next day. On
 * a day that closes early everything ends then, what is traded after hours, too. */
#ifndef PRICEGATE_CALENDAR_H
#define PRICEGATE_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "holidays.h"
#include "hours.h"
#include "quote.h"
#include "zone.h"

/* What the market is during these hours. Where spans overlap, open wins over pre, pre over post. */
struct calendar_span {
    enum quote_market market; /* MARKET_OPEN, MARKET_PRE or MARKET_POST */
    struct hours hours;
};

struct calendar;

/* Takes zone (NULL: UTC) and holidays (NULL: none) over, in any case; copies the spans. No span:
 * never open. NULL: out of memory. */
struct calendar *calendar_new(struct zone *zone, struct holidays *holidays,
                              const struct calendar_span *spans, size_t n) MUST_CHECK;
void calendar_free(struct calendar *c); /* NULL is fine */

/* MARKET_OPEN, MARKET_PRE, MARKET_POST or MARKET_CLOSED. */
enum quote_market calendar_at(const struct calendar *c, int64_t wall_ms);
/* Until when that is so: a moment behind wall_ms, before which calendar_at() says nothing else.
 * What it says then may still be the same; ask again. INT64_MAX: never open. */
int64_t calendar_next_change_ms(const struct calendar *c, int64_t wall_ms);

#endif
