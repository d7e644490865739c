/* book.h - the latest item of every instrument, and in which state it stands.
 *
 * The book holds items, what the status channel said since, and the state that subscribers were
 * last told of. It decides what is news; it does not know who wants to hear it. Time comes in as
 * wall_ms. Loop thread only. */
#ifndef PRICEGATE_BOOK_H
#define PRICEGATE_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "fanout.h"
#include "item.h"

#define BOOK_REASON_MAX 63 /* bytes; what is longer is cut */

struct cut;

struct book_entry {
    struct item *item;     /* owned reference; NULL = never a price */
    uint64_t updates;      /* items taken so far */
    uint64_t revision;     /* of the item, see struct book */
    struct cut *cuts;      /* of the item; see fragment.h */
    enum quote_state told; /* what subscribers know, from an item or from a status */
    int64_t since_ms;      /* wall, when that state began; 0 = before anyone looked */
    int64_t set_ms;        /* the item's times lie so much earlier than our clock has them now */
    bool ahead;            /* the item's ts lies in the future: it keeps no other from its place */
    int said_market;       /* by a status since the item, or -1 */
    char said_source[ITEM_SOURCE_MAX + 1];
    char reason[BOOK_REASON_MAX + 1]; /* "" = none known */
};

struct book {
    const struct config *config;
    size_t len;
    struct book_entry *entries;
    /* Counts what happens in this process: each item taken gets the next number, and so does each
     * status that is told under a number (event.h). */
    uint64_t revision;
    int64_t lag_ms; /* how far the book's clock is behind: see tiers.h */
};

int book_init(struct book *b, const struct config *config) MUST_CHECK; /* -1: out of memory */
void book_fini(struct book *b);

/* Throughout, `owed` means: subscribers must hear a status of this symbol.
 *
 * Takes a reference when the verdict is FANOUT_TAKEN; only then *owed is set. */
enum fanout_verdict book_item(struct book *b, int id, struct item *it, int64_t wall_ms, bool *owed);

/* A message of the status channel: 1 owed, 0 not, -1 with a sentence when it is not one. */
int book_said(struct book *b, int id, const char *bytes, size_t len, int64_t wall_ms,
              struct err *err) MUST_CHECK;

/* The clock was set by by_ms, to wall_ms: no item is older or younger for that. */
void book_clock_set(struct book *b, int64_t by_ms, int64_t wall_ms);

/* The state by the clock; true = owed. book_settle() tells at once; book_tick() gives the poller's
 * own message, which knows the reason, BOOK_GRACE_MS to come first. */
#define BOOK_GRACE_MS 500
bool book_settle(struct book *b, int id, int64_t wall_ms);
bool book_tick(struct book *b, int id, int64_t wall_ms);

/* Does the held item itself say the state that subscribers are to know? */
bool book_item_says_state(const struct book *b, int id);

struct standing book_standing(const struct book *b, int id, int64_t wall_ms);

/* What a status message tells: the state as told, with source and market. */
struct book_status_view {
    const char *symbol, *source; /* source NULL = not known */
    const char *reason;          /* NULL = not known */
    enum quote_state state;
    enum quote_market market;
    int64_t since_ms;
};
struct book_status_view book_status_of(const struct book *b, int id);

#endif
