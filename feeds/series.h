/* series.h - figures by date, and the newest of them as a price and as an observation.
 *
 * Statistical offices and data shops publish series: a figure a day, a week or a month, some of
 * them missing, in an order that one had better not rely on. What follows from them is the same for
 * all: the newest figure that is one, and the one before. Whoever asks for a price takes it as the
 * price, where it is one; whoever follows the series takes it as it is, of any sign, with its unit
 * and the period that it is for. Pure values. */
#ifndef PRICEGATE_SERIES_H
#define PRICEGATE_SERIES_H

#include "provider.h"

#define SERIES_NOON_MS INT64_C(43200000) /* of the UTC day: for a day whose hour nobody says */

struct figure {
    int64_t ts_ms; /* 0 = there is none */
    struct decimal value;
    char period[16]; /* "2026-03-13", "2025Q1": as the source writes it; "" = too long to be one */
};

/* What the source says beside the figures; "" = it does not. */
struct series_about {
    const char *id;       /* as it was asked for */
    const char *unit;     /* "$/BBL" */
    const char *currency; /* of the figure as a price */
};

struct series {
    int64_t now_ms;
    struct figure latest, before;
};

/* The time of a day's figure ("2026-01-31") that is made at_ms after its UTC midnight. When that
 * hour has not come, the day's beginning: a price is not of the future. 0: no such date. */
int64_t series_day_ms(const char *date, int64_t at_ms, int64_t now_ms);

/* One more figure, in whatever order. Those ahead of now are forecasts, and are passed over. */
void series_add(struct series *s, int64_t ts_ms, struct decimal value, const char *period);

/* The newest figure as the price and as an observation; the one before is the price's prev_close
 * where both are closes of days. no_data when there is none, or when the series has ended: see
 * series.c. The answer must hold nothing yet. */
void series_answer(const struct series *s, const struct series_about *about, struct answer *a);

#endif
