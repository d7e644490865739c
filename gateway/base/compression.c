/* A message ends with a flush, and every flush ends with 00 00 FF FF, which is not sent. Here it is
 * put back before inflating, and must bring the inflater to the border between two blocks: a
 * message that was cut off does not pass for a shorter one.
 *
 * A peer may also end its last block for good. Then a lone zero byte follows, which with the four
 * bytes is one more, empty, stream; RFC 7692, 7.2.3.4. That may happen once per message: thousands
 * of ended streams would each cost a copy of the window. */
#include "compression.h"

#include <string.h>
#include <zlib.h>

#include "attrs.h"

enum { WINDOW_BYTES_MAX = 32768, CHUNK_BYTES = 4096 };
static const unsigned char TAIL[] = {0x00, 0x00, 0xFF, 0xFF};

/* --- out --- */

struct compressor {
    z_stream z;
};

struct compressor *compressor_new(void)
{
    struct compressor *c = calloc(1, sizeof *c);
    if (c && deflateInit2(&c->z, Z_BEST_SPEED, Z_DEFLATED, -COMPRESSION_WINDOW_BITS, 6,
                          Z_DEFAULT_STRATEGY) != Z_OK) {
        free(c);
        return NULL;
    }
    return c;
}

void compressor_free(struct compressor *c)
{
    if (c)
        deflateEnd(&c->z);
    free(c);
}

bool compressor_replace(struct compressor *c, struct buf *b, size_t from)
{
    size_t len = b->len - from;
    size_t room = deflateBound(&c->z, len) + sizeof TAIL;
    unsigned char *to = (unsigned char *)buf_reserve(b, room);
    if (!to) {
        b->failed = false; /* nothing of it is missing */
        return false;
    }
    deflateReset(&c->z);
    c->z.next_in = (unsigned char *)b->p + from;
    c->z.avail_in = (unsigned)len;
    c->z.next_out = to;
    c->z.avail_out = (unsigned)room;
    int rc = deflate(&c->z, Z_SYNC_FLUSH);
    size_t made = room - c->z.avail_out;
    REQUIRE(rc == Z_OK && c->z.avail_in == 0 && c->z.avail_out > 0 && made > sizeof TAIL);
    made -= sizeof TAIL;
    if (made >= len)
        return false;
    memmove(b->p + from, to, made);
    b->len = from + made;
    b->p[b->len] = '\0';
    return true;
}

/* --- in --- */

struct decompressor {
    z_stream z;
    unsigned char window[WINDOW_BYTES_MAX];
    unsigned window_len;
};

struct decompressor *decompressor_new(void)
{
    struct decompressor *d = calloc(1, sizeof *d);
    if (d && inflateInit2(&d->z, -15) != Z_OK) {
        free(d);
        return NULL;
    }
    return d;
}

void decompressor_free(struct decompressor *d)
{
    if (d)
        inflateEnd(&d->z);
    free(d);
}

/* Begins a stream that may refer to d->window. */
static bool begin(struct decompressor *d)
{
    return inflateReset(&d->z) == Z_OK &&
           (d->window_len == 0 || inflateSetDictionary(&d->z, d->window, d->window_len) == Z_OK);
}

/* One step: as much as fits into a chunk. Output never waits behind the input's end: the tail is
 * taken up last of all. */
static enum decompress_verdict feed(struct decompressor *d, size_t most, struct buf *out, int *rc)
{
    size_t room = CHUNK_BYTES;
    if (most - out->len < room)
        room = most - out->len + 1;
    d->z.next_out = (unsigned char *)buf_reserve(out, room);
    if (!d->z.next_out)
        return DECOMPRESS_MEMORY;
    d->z.avail_out = (unsigned)room;
    *rc = inflate(&d->z, Z_SYNC_FLUSH);
    out->len += room - d->z.avail_out;
    out->p[out->len] = '\0';
    if (*rc == Z_MEM_ERROR)
        return DECOMPRESS_MEMORY;
    if (*rc != Z_OK && *rc != Z_STREAM_END)
        return DECOMPRESS_BAD;
    return out->len > most ? DECOMPRESS_TOO_BIG : DECOMPRESS_OK;
}

static bool between_blocks(const z_stream *z)
{
    return z->data_type & 128;
}

static enum decompress_verdict inflate_all(struct decompressor *d, const void *message, size_t len,
                                           size_t most, struct buf *out)
{
    union {
        const void *in;
        unsigned char *out;
    } parts[] = {{message}, {TAIL}}; /* zlib only reads it */
    const size_t lens[] = {len, sizeof TAIL};
    bool ended = false;
    int rc = Z_OK;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        d->z.next_in = parts[i].out;
        d->z.avail_in = (unsigned)lens[i];
        while (d->z.avail_in > 0) {
            enum decompress_verdict v = feed(d, most, out, &rc);
            if (v != DECOMPRESS_OK)
                return v;
            if (rc != Z_STREAM_END)
                continue;
            if (ended)
                return DECOMPRESS_BAD;
            ended = true;
            if (inflateGetDictionary(&d->z, d->window, &d->window_len) != Z_OK || !begin(d))
                return DECOMPRESS_BAD;
        }
    }
    return between_blocks(&d->z) ? DECOMPRESS_OK : DECOMPRESS_BAD;
}

void decompress_window_fini(struct decompress_window *w)
{
    free(w->text);
    *w = (struct decompress_window){0};
}

/* Of what it held and what is new the last WINDOW_BYTES_MAX. */
static bool remember(struct decompress_window *w, const char *text, size_t len)
{
    size_t new_len = len < WINDOW_BYTES_MAX ? len : WINDOW_BYTES_MAX;
    size_t kept = WINDOW_BYTES_MAX - new_len;
    if (kept > w->len)
        kept = w->len;
    if (new_len == 0)
        return true;
    unsigned char *both = malloc(kept + new_len);
    if (!both)
        return false;
    if (kept > 0)
        memcpy(both, w->text + w->len - kept, kept);
    memcpy(both + kept, text + len - new_len, new_len);
    free(w->text);
    w->text = both;
    w->len = kept + new_len;
    return true;
}

enum decompress_verdict decompressor_message(struct decompressor *d,
                                             struct decompress_window *window, const void *message,
                                             size_t len, size_t most, struct buf *out)
{
    size_t begins = out->len;
    d->window_len = window ? (unsigned)window->len : 0;
    if (d->window_len > 0)
        memcpy(d->window, window->text, d->window_len);
    if (!begin(d))
        return DECOMPRESS_MEMORY;
    enum decompress_verdict v = inflate_all(d, message, len, begins + most, out);
    if (v != DECOMPRESS_OK || !window)
        return v;
    return remember(window, out->p + begins, out->len - begins) ? v : DECOMPRESS_MEMORY;
}
