/* frame.h - WebSocket text frames as bytes, and the two kinds that carry market data.
 *
 * Frames are appended to a buffer one behind the other, header included, ready for the socket
 * (server to client: not masked, never fragmented). Items go in as the bytes they came in. With a
 * compressor (NULL: none) a frame that gains by it is compressed, on its own: it can be shared.
 * Loop thread only; the buffer's `failed` tells about memory. */
#ifndef PRICEGATE_FRAME_H
#define PRICEGATE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "book.h"
#include "buf.h"
#include "compression.h"
#include "view_options.h"

#define FRAME_HEADER_MAX 10
/* Of frames with data, those of a flush excepted. What a full socket does not take of a frame is
 * kept for this one client, so what one client gets by itself (snapshots, what it missed) comes in
 * small ones. */
#define FRAME_PAYLOAD_MAX 16384
#define FRAME_FLUSH_MAX   1048576

/* Between the two the payload is appended to out. */
size_t frame_begin(struct buf *out); /* returns what frame_end() wants back */
void frame_end(struct buf *out, size_t begin, struct compressor *compressor);

/* A protocol ping, with two bytes of payload. */
void frame_add_ping(struct buf *out);
void frame_add_text(struct buf *out, const char *text, size_t len);

enum frame_kind {
    FRAME_SNAPSHOT, /* "snapshot":true */
    FRAME_CATCH_UP, /* what one client missed: cut, so that little of it waits in the transport */
    FRAME_FLUSH,    /* what just happened, for everybody in a view: a burst is one message */
};

/* Appends one {"type":"quote"} frame with the held items of `ids`, in order, as many as fit, and
 * takes them out of `ids` (those without an item too). Where the first of them is an observation,
 * it is a {"type":"observation"}: one frame never holds both, the other kind waits for the next.
 * options says which members they show; NULL: all. Returns how many items are in it. */
size_t frame_add_quotes(struct buf *out, struct book *book, const struct view_options *options,
                        struct bits *ids, enum frame_kind kind, struct compressor *compressor);

/* The same for {"type":"status"}; `ids` must not be empty. */
size_t frame_add_statuses(struct buf *out, const struct book *book, struct bits *ids,
                          struct compressor *compressor);

#endif
