/* series.h - figures by date, and the newest of them as a price.
 *
 * Statistical offices and data shops publish series: a figure a day, a week or a month, some of
 * them missing, in an order that one had better not rely on. What follows from them for a price is
 * the same for all: the newest figure that is one, and the one before. Pure values. */
#ifndef PRICEGATE_SERIES_H
#define PRICEGATE_SERIES_H

#include "provider.h"

#define SERIES_NOON_MS INT64_C(43200000) /* of the UTC day: for a day whose hour nobody says */

struct figure {
    int64_t ts_ms; /* 0 = there is none */
    struct decimal value;
};

struct series {
    int64_t now_ms;
    struct figure latest, before;
};

/* The time of a day's figure ("2026-01-31") that is made at_ms after its UTC midnight. When that
 * hour has not come, the day's beginning: a price is not of the future. 0: no such date. */
int64_t series_day_ms(const char *date, int64_t at_ms, int64_t now_ms);

/* One more figure, in whatever order. Those ahead of now are forecasts, and are passed over. */
void series_add(struct series *s, int64_t ts_ms, struct decimal value);

/* The newest figure as the price; the one before is its prev_close where both are closes of days.
 * no_data when there is none, or when the series has ended: see series.c. `currency` may be "". */
void series_answer(const struct series *s, const char *currency, struct answer *a);

#endif
