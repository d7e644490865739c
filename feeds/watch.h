/* watch.h - the state of one instrument as time passes, and when it has to be said. Pure.
 *
 * A published item says its own state. When the state changes without a new item (the price grows
 * stale, then unavailable) somebody must say so, once: the poller does, on the status channel. */
#ifndef PRICEGATE_WATCH_H
#define PRICEGATE_WATCH_H

#include "buf.h"
#include "config.h"
#include "failure.h"
#include "item.h"
#include "quote.h"

/* Per instrument. */
struct watch {
    const struct instrument *in;
    struct quote_age age; /* of the held item, by our clock; age.known: there is one */
    int64_t ts_ms;        /* of the held item, as it says; 0 = keeps no other from its place */
    bool has_seq;
    uint64_t epoch_ms, counter;
    char source[ITEM_SOURCE_MAX + 1];
    enum quote_state said; /* what readers were last told */
    bool told_missing;     /* that there never was a price */
    int64_t started_ms;    /* wall time; since when there is no price */
    enum failure reason;   /* why the last walk brought nothing; FAIL_NONE: it did */
    const char *tried;     /* the provider that gave that reason; may be NULL */
};

void watch_init(struct watch *w, const struct instrument *in, int64_t wall_ms);

/* An item from the bus. False: it is a copy of one heard before, or older than the held one. */
bool watch_item(struct watch *w, const struct item *it, int64_t wall_ms);
/* The outcome of a walk. */
void watch_walked(struct watch *w, enum failure reason, const char *provider);

/* What counts of the market now (market.h). MARKET_UNKNOWN leaves what the item says. */
void watch_market(struct watch *w, enum quote_market market, int64_t wall_ms);

/* The wall's clock was set by by_ms, to wall_ms: nothing is older or younger for that. */
void watch_clock_set(struct watch *w, int64_t by_ms, int64_t wall_ms);

/* Is there something to say now? Then it counts as said, and out (cleared first) gets the message
 * for the status channel. */
bool watch_due(struct watch *w, int64_t wall_ms, struct buf *out);
/* Wall time at which the state may next change; INT64_MAX: never. */
int64_t watch_next_ms(const struct watch *w, int64_t wall_ms);

#endif
