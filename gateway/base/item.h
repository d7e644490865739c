/* item.h - a published quote or observation: the bytes as they travel, and what readers need to
 * know of them.
 *
 * The same bytes are the Redis value, the Redis message, an element on the WebSocket and (but for
 * the current state) the REST body; they are never printed a second time. Immutable after
 * item_parse(), shared by reference count, loop thread only. */
#ifndef PRICEGATE_ITEM_H
#define PRICEGATE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "jsonx.h"
#include "quote.h"
#include "symbol.h"

#define ITEM_BYTES_MAX    4096
#define ITEM_MEMBERS_MAX  700 /* more do not fit into 4 KiB */
#define ITEM_SOURCE_MAX   32
#define ITEM_AHEAD_MAX_MS 5000 /* how far a ts may lie in the future: clocks differ */

struct item {
    unsigned refs;
    char symbol[SYMBOL_MAX + 1];
    int64_t ts_ms, recv_ms;  /* as sent, or the arrival time where absent */
    bool says_ts, says_recv; /* as sent */
    bool has_seq;
    uint64_t epoch_ms, counter;       /* valid with has_seq */
    struct decimal price;             /* > 0; of an observation not given */
    int state;                        /* enum quote_state as published, or -1 */
    enum quote_market market;         /* of an observation always unknown */
    int64_t delayed_s;                /* 0 = none */
    int64_t stale_after_ms;           /* 0 = none given: the instrument's */
    char source[ITEM_SOURCE_MAX + 1]; /* "" = not said */
    size_t len;
    const char *bytes; /* not NUL-terminated text of len bytes, owned */
    int members_len;
    struct jsonx_member members[]; /* pointing into bytes */
};

/* Validates by PROTOCOL 4 (object, UTF-8, <= 4 KiB, depth <= 16, no duplicate names, symbol equal
 * to `symbol`, price a finite number > 0, ts absent or <= now + 5 s) and copies the bytes. An
 * observation has, in place of the price, a `value` that is a finite number, or `values`, an object
 * of finite numbers, or a `text`.
 * Returns an item with one reference, or NULL with the reason. */
struct item *item_parse(const char *bytes, size_t len, enum instrument_kind kind,
                        const char *symbol, int64_t now_ms, struct err *err) MUST_CHECK;
struct item *item_ref(struct item *it); /* returns it */
void item_unref(struct item *it);       /* NULL is fine */

/* Reads a seq, "<hex>:<decimal>"; false when it is none (NULL too). */
bool item_seq_parse(const char *s, uint64_t *epoch_ms, uint64_t *counter);
/* Same publication: both have a seq and it is equal. */
bool item_same_seq(const struct item *a, const struct item *b);
/* Compares epoch first, then counter: <0, 0, >0. Both must have a seq. */
int item_seq_cmp(const struct item *a, const struct item *b);
/* May `next` replace `held` (NULL = nothing held)? An older ts never does, an equal one does. */
bool item_replaces(const struct item *next, const struct item *held);

/* The item as those may see it who get prices delay_s late: `delayed_s` grows by that, a `live`
 * state becomes `delayed`, all else is as it was. A new item with one reference; NULL with the
 * reason. */
struct item *item_delayed(const struct item *it, enum instrument_kind kind, int64_t delay_s,
                          int64_t now_ms, struct err *err) MUST_CHECK;

/* Appends the item with its `state` member set to the current one (REST). */
void item_render(const struct item *it, enum quote_state state, struct buf *out);

#endif
