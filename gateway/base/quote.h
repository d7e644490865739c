/* quote.h - the quote as the feed side makes it, and the rules of state (PROTOCOL 3).
 *
 * struct quote is a plain value; it owns nothing, strings are borrowed for the call that takes it.
 * What travels afterwards is its encoded form, struct item (item.h). Pure. */
#ifndef PRICEGATE_QUOTE_H
#define PRICEGATE_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "decimal.h"

enum quote_state { STATE_LIVE, STATE_DELAYED, STATE_STALE, STATE_CLOSED, STATE_UNAVAILABLE };
enum quote_market { MARKET_UNKNOWN, MARKET_OPEN, MARKET_CLOSED, MARKET_PRE, MARKET_POST };

const char *quote_state_name(enum quote_state s);   /* "live" ... */
const char *quote_market_name(enum quote_market m); /* "unknown" ... */
/* The value of that name; -1 for another name. */
int quote_state_parse(const char *name, size_t len);
int quote_market_parse(const char *name, size_t len);

struct quote {
    const char *symbol, *currency, *unit; /* currency and unit: NULL = absent */
    struct decimal price, bid, ask, open, high, low, prev_close, volume;
    int64_t ts_ms, recv_ms;
    uint64_t epoch_ms, counter; /* seq */
    const char *source, *source_symbol;
    bool fallback;
    bool derived;           /* computed by inversion or through a common base */
    int64_t delayed_s;      /* 0 = the provider declares none */
    int64_t stale_after_ms; /* 0 = absent. An extra member: the limit this quote was published
                               under when the poller's stretched interval moved it, so that every
                               reader calls it stale at the same moment */
    enum quote_state state;
    enum quote_market market;
};

/* Appends the item's JSON. change and change_pct are computed here, from price and prev_close. */
void quote_encode(const struct quote *q, struct buf *out);

/* What the state of a price follows from. */
struct quote_age {
    bool known; /* false: there never was a price */
    int64_t ts_ms, recv_ms, delayed_s;
    enum quote_market market;
    int64_t stale_after_ms, delayed_after_ms, ttl_ms; /* the instrument's limits */
};

/* First that holds: unavailable (never a price), closed, unavailable (age > stale_after + ttl),
 * stale, delayed, live. */
enum quote_state quote_state_at(const struct quote_age *a, int64_t now_ms);

/* When the state may next change by time alone; INT64_MAX: never. */
int64_t quote_next_change_ms(const struct quote_age *a, int64_t now_ms);

#endif
