/* pace.h - symbols that a client wants at most once per interval.
 *
 * One pace is what one subscribe command asked for: an interval, its symbols, and when it began.
 * From then on time is cut into windows of that length, and each symbol is delivered at most once
 * per window, the snapshot being the delivery of the first: whatever is new when a window ends goes
 * out then, newest value only. All paces of all clients wait in one heap, by their next due time.
 * Loop thread only. */
#ifndef PRICEGATE_PACE_H
#define PRICEGATE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "bits.h"

struct client;
struct fanout;

struct pace_mark {
    int id;
    uint64_t seen; /* book_entry.updates that were delivered, owed, or counted as merged */
};

struct pace {
    struct pace *next, **prev; /* in the client's list */
    struct client *client;
    size_t at; /* in the heap */
    int64_t interval_ms, start_ns;
    int64_t window_ends_ns; /* of the window that was looked at last */
    int64_t due_ns;         /* when to look again: then, or a flush later */
    size_t len;
    struct pace_mark marks[];
};

/* A zeroed one is ready. */
struct pace_heap {
    struct pace **list;
    size_t len, cap;
};
void pace_heap_fini(struct pace_heap *h); /* must be empty */

/* Prepared, not begun: it has no client yet, and is freed with free(). NULL: out of memory. */
struct pace *pace_new(struct fanout *f, const struct bits *ids, int64_t interval_ms) MUST_CHECK;
/* Begins now: everything up to now counts as delivered. */
void pace_begin(struct pace *p, struct client *c, int64_t mono_ns);
/* These symbols of the client are no longer paced. Those that had an update waiting are added to
 * `waiting`, and are owed from now on if the client is BEHIND. */
void pace_drop(struct client *c, const struct bits *ids, struct bits *waiting);
void pace_drop_all(struct client *c); /* it goes away */

/* All of them go over to the fan-out `to`, with the client; ids says where each instrument is there
 * (-1: nowhere). Windows, and what waits for them, stay as they are. There is room for `more` that
 * were prepared there, to begin behind it. -1: out of memory, nothing has changed. */
int pace_carry(struct client *c, struct fanout *to, const int *ids, size_t more) MUST_CHECK;

int64_t pace_interval_ms(const struct client *c, int id); /* 0: not paced */

/* The newest items of these symbols go out now, due or not; c is BEHIND. */
void pace_sent(struct client *c, const struct bits *ids);
/* What of this client is due, its windows having ended, comes to be owed. c is BEHIND. */
void pace_catch_up(struct client *c, int64_t mono_ns);

/* ns until the first pace is due (0: it is); -1: there is none. */
int64_t pace_wait_ns(const struct fanout *f, int64_t mono_ns);
/* Makes everything that is due owed, except to clients whose view rests: those get it when that
 * rest ends. views_wake() must have been called for this moment. pace_finish() then sends to those
 * clients whose view had nothing to flush meanwhile. */
void pace_collect(struct fanout *f, int64_t mono_ns);
void pace_finish(struct fanout *f, int64_t mono_ns);

#endif
