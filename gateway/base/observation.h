/* observation.h - what is measured, counted or reported, and is no price: the weather of a region,
 * a statistical series, what is written about a harvest.
 *
 * Like the quote a plain value of the feed side; what travels is its encoded form, a struct item.
 * It has values where a quote has a price: each with a name and a unit, of any sign. Pure. */
#ifndef PRICEGATE_OBSERVATION_H
#define PRICEGATE_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "decimal.h"
#include "quote.h"

#define OBSERVATION_VALUES_MAX    16
#define OBSERVATION_CITATIONS_MAX 5

/* One figure. The name is [a-z0-9_]+; "value" where there is only one. */
struct observed {
    char name[32];
    char unit[24]; /* as the provider writes it ("°C", "mm"); "" = it does not say */
    struct decimal value;
};

struct observation {
    struct observed values[OBSERVATION_VALUES_MAX];
    size_t values_len;
    char region[64]; /* of what: "Sul de Minas"; "" = not said */
    char series[64]; /* "DGS10", "NY.GDP.MKTP.CD"; "" = not of a series */
    char period[16]; /* that the figures are for, as the source writes it: "2025", "2026-03"; or ""
                      */
    char text[1200]; /* in words, valid UTF-8; "" = none */
    char citations[OBSERVATION_CITATIONS_MAX][200]; /* URLs that the text rests on */
    size_t citations_len;
};

/* The one figure, whatever its name; NULL where there are several, or none. */
const struct observed *observation_only(const struct observation *o);

/* What is known of it beside itself. Strings are borrowed for the call. */
struct observation_envelope {
    const char *name, *category;
    const char *unit;   /* of the one figure, where it comes without; NULL = none. Not for one of
                           several: it would be a guess which */
    const char *region; /* the configured one; NULL = the observation's own */
    int64_t ts_ms, recv_ms;
    uint64_t epoch_ms, counter; /* seq */
    const char *source, *source_symbol;
    bool fallback;
    int64_t delayed_s, stale_after_ms; /* 0 = absent, as in a quote */
    enum quote_state state;
};

/* Appends the item's JSON. At most ITEM_BYTES_MAX bytes: citations that do not fit are left out,
 * then the end of the text. What is too long even without them (units of nothing but control
 * characters) is no item: out->failed. */
void observation_encode(const struct observation *o, const struct observation_envelope *e,
                        struct buf *out);

#endif
