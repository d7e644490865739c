/* owed.h - a client that can't take the shared bytes now: what it must still get, and getting it.
 *
 * Not a queue: a set of symbols, so a slow client costs a few hundred bytes however long it is
 * slow, and gets the newest value of each symbol when its socket drains. Control messages have a
 * lane of their own, bounded, that goes first. The same way serves a snapshot, which is nothing but
 * owed symbols. Loop thread only. */
#ifndef PRICEGATE_OWED_H
#define PRICEGATE_OWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "buf.h"
#include "client.h"

struct owed {
    struct bits quotes, statuses;
    struct bits snapshot; /* to be sent in a frame with snapshot:true */
    unsigned snapshots;   /* such frames that must come, even if empty */
    bool held;            /* the rest can only go after the view's next flush */
    bool ping;            /* send one before anything else */
    uint64_t merged;      /* updates it will never get */
    struct buf lane;      /* frames */
    size_t lane_frames;
    int64_t since_ns;     /* fell behind */
    int64_t progress_ns;  /* the peer last took something */
    int64_t unsent_bytes; /* at the last look */
    uint64_t words[];     /* of the three sets */
};

struct owed *owed_new(size_t symbols_len, int64_t mono_ns); /* NULL: out of memory */
void owed_free(struct owed *o);                             /* NULL is fine */

/* All need c BEHIND. */
void owed_add_control(struct client *c, const char *frame, size_t len,
                      int64_t mono_ns); /* may close c, or pump it */
/* A flush of its view that it did not get; statuses NULL: none. */
void owed_add_flush(struct client *c, const struct bits *quotes, const struct bits *statuses);
/* The item of this symbol is replaced by a newer one on its way: one update less, if it was owed.
 */
void owed_replaced(struct client *c, int id);
/* A snapshot of these symbols: one frame at least. Of `known` the client has the newest already,
 * and needs no more than the states that their items do not say. */
void owed_add_snapshot(struct client *c, const struct bits *ids, const struct bits *known);
/* It no longer wants anything but these; NULL = nothing. */
void owed_keep_only(struct client *c, const struct bits *ids);

/* Writes what is owed while the socket takes it, up to a fair share; then the client is SHARED
 * again, or waits, or is closing. */
void owed_pump(struct client *c, int64_t mono_ns);

#endif
