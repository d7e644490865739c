/* payload.h - the two lists of market data, as JSON text: items and statuses.
 *
 * Text only, whatever carries it: frame.h puts a WebSocket frame around it; event.h carries the
 * same objects one by one. Items go in as the bytes they came in, or cut to a client's field set.
 * Loop thread only; the buffer's `failed` tells about memory. */
#ifndef PRICEGATE_PAYLOAD_H
#define PRICEGATE_PAYLOAD_H

#include <stddef.h>

#include "bits.h"
#include "book.h"
#include "buf.h"
#include "view_options.h"

/* What the first held item of `ids` is; that of their first where nothing is held. */
enum instrument_kind payload_kind(const struct book *book, const struct bits *ids);

/* Appends an array of the held items of `ids`, in order, as many as fit into `room` bytes and up to
 * the first of another kind, and takes them out of `ids` (those without an item too). options NULL:
 * none. Returns how many. */
size_t payload_add_items(struct buf *out, struct book *book, const struct view_options *options,
                         enum instrument_kind kind, struct bits *ids, size_t room);

/* The same for statuses. */
size_t payload_add_statuses(struct buf *out, const struct book *book, struct bits *ids,
                            size_t room);

/* One status object. None is longer than PAYLOAD_STATUS_MAX, whatever its reason and source look
 * like escaped. */
#define PAYLOAD_STATUS_MAX (6 * (BOOK_REASON_MAX + ITEM_SOURCE_MAX) + 300)
void payload_add_status(struct buf *out, const struct book *book, int id);

#endif
