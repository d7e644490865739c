/* market.h - is the market of an instrument open? The provider's word, the calendar's, and which of
 * the two counts. Pure; wall time comes in. */
#ifndef PRICEGATE_MARKET_H
#define PRICEGATE_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "calendar.h"
#include "quote.h"

/* What the calendar of one exchange says as time passes; shared by its instruments. */
struct market_clock {
    const struct calendar *calendar; /* borrowed */
    enum quote_market now;
    int64_t since_ms; /* when that began, as far as it was watched */
    int64_t until_ms; /* until when nothing has to be looked up; 0 = never turned */
};

/* Brings the clock to wall_ms; it may go back. Costs nothing between two changes. */
void market_clock_turn(struct market_clock *c, int64_t wall_ms);

/* What is known of one instrument's market. Zeroed but for the clock. */
struct market {
    const struct market_clock *clock; /* NULL: no calendar is known; the provider's word is all */
    enum quote_market said;           /* the provider's last word; MARKET_UNKNOWN: none */
    int64_t said_ms;                  /* when a price was last accepted; 0 = never */
    int64_t failed_ms;                /* when a walk last brought none; 0 = never */
    enum quote_market seen;           /* the clock's word when market_opens() last looked */
};

/* What a price is published with whose provider says that: its word, else the calendar's. */
enum quote_market market_word(const struct market *m, enum quote_market said);
/* A price was accepted, and its provider said that. */
void market_take(struct market *m, enum quote_market said, int64_t wall_ms);
/* A walk brought no price. */
void market_failed(struct market *m, int64_t wall_ms);

/* The wall's clock was set by by_ms; the calendar's follows by market_clock_turn(). */
void market_clock_set(struct market *m, int64_t by_ms);

/* True once when the calendar's market has opened (in whatever way) since the last call. */
bool market_opens(struct market *m);

#define MARKET_OPENING_MS 30000
/* What counts now, for an instrument whose readers were last told `shown`. An opening that the
 * calendar alone knows counts when a price was asked for behind it, with or without success, or
 * after MARKET_OPENING_MS. MARKET_UNKNOWN: nobody knows. */
enum quote_market market_now(const struct market *m, enum quote_market shown, int64_t wall_ms);

#endif
