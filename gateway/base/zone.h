/* zone.h - time zones by their names ("America/New_York"): local time and back.
 *
 * The rules are the system's own (/usr/share/zoneinfo, package tzdata), read by GLib; a zone once
 * loaded opens nothing any more. Immutable. zone.c is the only file that knows GLib. */
#ifndef PRICEGATE_ZONE_H
#define PRICEGATE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"

struct zone;

/* A moment on the wall clock of a zone. */
struct zone_time {
    int year, month, day; /* 2026 (-9999..9999), 1..12, 1..31 */
    int weekday;          /* 0 = Sunday .. 6 */
    int second;           /* of the day, 0..86399 */
};

/* Is there a zone of that name on this machine? Names are those of the IANA database, in its
 * capitals, and "UTC"; no offsets, paths or rules. Without tzdata there are none. */
bool zone_known(const char *name);
/* NULL with a sentence: there is none. */
struct zone *zone_load(const char *name, struct err *err) MUST_CHECK;
void zone_free(struct zone *z); /* NULL is fine */

/* The local time at a moment (ms since the epoch). z NULL: UTC. */
struct zone_time zone_local(const struct zone *z, int64_t wall_ms);
/* The moment, in ms, at which the clocks of the zone show that day and second; weekday is not
 * looked at. `day`, `month` and `second` may lie outside of their month, year or day (day 0, day
 * 32, month 13) and are carried over; second 86400 is the next midnight, by the clock. A local time
 * that does not exist (clocks go forward) counts as the moment they did; of one that comes twice
 * the first is meant. z NULL: UTC. */
int64_t zone_moment_ms(const struct zone *z, struct zone_time local);

#endif
