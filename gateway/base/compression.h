/* compression.h - messages as permessage-deflate carries them (RFC 7692): raw deflate, flushed at
 * the end, without the four bytes that every flush ends with. The only files that know zlib.
 *
 * One compressor and one decompressor serve any number of connections, since neither remembers
 * anything from one message to the next. Outbound that is our choice: a frame that refers to no
 * earlier one can be shared, and can always be decoded, whatever was agreed upon. Inbound the peer
 * decides; where it refers to what it has said before, its connection keeps that text (the
 * `window`), which is a few hundred bytes for most, instead of a zlib state of 44 KB. */
#ifndef PRICEGATE_COMPRESSION_H
#define PRICEGATE_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* The compressor looks back 2^12 bytes: as far as ten quotes, of which each resembles the one
 * before. A peer that allows at least as much can decode what we send. */
#define COMPRESSION_WINDOW_BITS 12

struct compressor;
struct compressor *compressor_new(void) MUST_CHECK; /* NULL: out of memory */
void compressor_free(struct compressor *c);         /* NULL is fine */

/* Replaces the bytes of b from `from` on by the message that they make, when that is shorter.
 * False: it is not, or there is no memory for it, and the bytes are as they were. */
bool compressor_replace(struct compressor *c, struct buf *b, size_t from) MUST_CHECK;

enum decompress_verdict {
    DECOMPRESS_OK,
    DECOMPRESS_BAD,     /* not what a compressor makes */
    DECOMPRESS_TOO_BIG, /* more than `most` bytes; it is not looked at how many */
    DECOMPRESS_MEMORY,
};

struct decompressor;
struct decompressor *decompressor_new(void) MUST_CHECK; /* NULL: out of memory */
void decompressor_free(struct decompressor *d);         /* NULL is fine */

/* What a peer has said before, as far back as it may refer to: 32 KB at most, no byte more than
 * that is held. A zeroed one is ready. */
struct decompress_window {
    unsigned char *text;
    size_t len;
};
void decompress_window_fini(struct decompress_window *w);

/* Appends the text of one message to `out`, which is not complete unless OK. The window is brought
 * up to date; NULL: this peer has promised not to refer to anything. */
enum decompress_verdict decompressor_message(struct decompressor *d,
                                             struct decompress_window *window, const void *message,
                                             size_t len, size_t most, struct buf *out) MUST_CHECK;

#endif
