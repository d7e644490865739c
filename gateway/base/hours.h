/* hours.h - hours that come back every week: "Mon-Fri 09:30-16:00".
 *
 * One text is one span of time on each of its days, from the first time until just before the
 * second. An end that is not behind the start is on the next day ("Sun-Thu 18:00-17:00": from
 * Sunday evening, with an hour's pause each day); 24:00 is midnight at the end of the day. No zone
 * and no dates in it: they are the calendar's. Pure. */
#ifndef PRICEGATE_HOURS_H
#define PRICEGATE_HOURS_H

#include <stdbool.h>

struct hours {
    unsigned char days; /* bit 0 = Sunday .. bit 6: the days on which it begins */
    int from_s, to_s;   /* seconds of that day: 0..86399, and behind it by at most 86400 */
};

/* NULL when text is such hours, else what it must be ("must be ..."); *out is then not touched. */
const char *hours_parse(const char *text, struct hours *out);

#endif
