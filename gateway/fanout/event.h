/* event.h - market data as Server-Sent Events, one event per item or status.
 *
 *     id: 19b2f0c6a00:1842          the revision: when this process started, and a number
 *     event: quote                  or `status`
 *     data: {"symbol":"coffee",...}     the object itself, as it travels everywhere
 *
 * A client that comes back names the last id that it saw, and is owed what is newer. Only the
 * newest item of each symbol is kept, with its revision; no history is needed for that. It works
 * because of one rule: when a client sees an id, it has seen everything of its symbols up to that
 * number. Hence items go in the order of their revisions and not in that of the configuration; and
 * a status, which gets a new number when it is written, only goes where no item is left to be
 * written before it. Items keep their number, whoever gets them when: a run is built once for all
 * of a view.
 *
 * Loop thread only; the buffer's `failed` tells about memory. */
#ifndef PRICEGATE_EVENT_H
#define PRICEGATE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "book.h"
#include "buf.h"

#define EVENT_COMMENT ":\n\n" /* says nothing, shows that somebody is there */

/* Not an event, either: how long to wait before coming back, when this stream has ended. Returns
 * out. */
#define EVENT_RETRY_MAX 32
const char *event_retry(int64_t wait_ms, char out[static EVENT_RETRY_MAX]);

struct event_order {
    uint64_t revision;
    int id;
};

struct events {
    int64_t start_ms;          /* wall, of this process; each tier has its own */
    struct event_order *order; /* scratch, one per instrument */
};

int events_init(struct events *e, size_t instruments) MUST_CHECK; /* -1: out of memory */
void events_fini(struct events *e);

/* Appends the held items of `ids` as events, oldest first, as many as fit into `room` bytes (one at
 * least), and takes them out of `ids` (those without an item too). Returns how many. */
size_t event_add_quotes(struct events *e, struct buf *out, const struct book *book,
                        struct bits *ids, size_t room);
/* The same for statuses; each gets the book's next revision. No item that is still to be written to
 * these clients may be left. */
size_t event_add_statuses(const struct events *e, struct buf *out, struct book *book,
                          struct bits *ids, size_t room);

/* Reads an id. False: it is not one of this process. */
bool event_id_parse(const struct events *e, const struct book *book, const char *text,
                    uint64_t *revision);
/* Moves from `fresh` to `known` what is not newer than that revision. */
void event_split(const struct book *book, uint64_t revision, struct bits *fresh,
                 struct bits *known);

#endif
