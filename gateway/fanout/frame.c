/* How long a frame will be is known only when it is done, and its header has 2, 4 or 10 bytes
 * accordingly. frame_begin() leaves room for the longest and frame_end() moves the payload down to
 * where it belongs. That move is made once per view and flush, not per client, and spares either
 * a second walk to measure or a second buffer. */
#include "frame.h"

#include <string.h>

#include "payload.h"
#include "protocol.h"

static const unsigned char FIN_TEXT = 0x81, COMPRESSED = 0x40;
static const size_t COMPRESS_BYTES_MIN = 200; /* below, hardly anything is gained */

size_t frame_begin(struct buf *out)
{
    static const char room[FRAME_HEADER_MAX] = {0};
    size_t begin = out->len;
    buf_add(out, room, sizeof room);
    return begin;
}

void frame_end(struct buf *out, size_t begin, struct compressor *compressor)
{
    if (out->failed)
        return;
    size_t payload = begin + FRAME_HEADER_MAX;
    unsigned char h[FRAME_HEADER_MAX] = {FIN_TEXT};
    if (compressor && out->len - payload >= COMPRESS_BYTES_MIN &&
        compressor_replace(compressor, out, payload))
        h[0] |= COMPRESSED;
    if (out->failed)
        return;
    size_t len = out->len - payload;
    size_t h_len = 2;
    if (len < 126) {
        h[1] = (unsigned char)len;
    } else {
        size_t n = len <= 0xFFFF ? 2 : 8;
        h[1] = n == 2 ? 126 : 127;
        for (size_t i = 0; i < n; i++)
            h[2 + i] = (unsigned char)(len >> (8 * (n - 1 - i)));
        h_len += n;
    }
    memcpy(out->p + begin, h, h_len);
    memmove(out->p + begin + h_len, out->p + payload, len);
    out->len = begin + h_len + len;
}

void frame_add_ping(struct buf *out)
{
    /* The payload is for our own ears: libwebsockets reports no pong that is empty, and a client
     * that only answers pings would look dead. */
    static const unsigned char ping[] = {0x89, 0x02, 'p', 'g'};
    buf_add(out, ping, sizeof ping);
}

void frame_add_text(struct buf *out, const char *text, size_t len)
{
    size_t begin = frame_begin(out);
    buf_add(out, text, len);
    frame_end(out, begin, NULL);
}

/* What the frame's text may still hold, its closing brace left out. */
static size_t room(const struct buf *out, size_t begin, size_t payload_max)
{
    return payload_max - (out->len - begin - FRAME_HEADER_MAX) - 1;
}

size_t frame_add_quotes(struct buf *out, struct book *book, const struct view_options *options,
                        struct bits *ids, enum frame_kind kind, struct compressor *compressor)
{
    size_t begin = frame_begin(out);
    enum instrument_kind of = payload_kind(book, ids);
    enum protocol_type type = of == INSTRUMENT_QUOTE ? TYPE_QUOTE : TYPE_OBSERVATION;
    buf_addf(out, "{\"type\":\"%s\",%s\"data\":", protocol_type_name(type),
             kind == FRAME_SNAPSHOT ? "\"snapshot\":true," : "");
    size_t max = kind == FRAME_FLUSH ? FRAME_FLUSH_MAX : FRAME_PAYLOAD_MAX;
    size_t n = payload_add_items(out, book, options, of, ids, room(out, begin, max));
    buf_addc(out, '}');
    frame_end(out, begin, compressor);
    return n;
}

size_t frame_add_statuses(struct buf *out, const struct book *book, struct bits *ids,
                          struct compressor *compressor)
{
    size_t begin = frame_begin(out);
    buf_addf(out, "{\"type\":\"%s\",\"data\":", protocol_type_name(TYPE_STATUS));
    size_t n = payload_add_statuses(out, book, ids, room(out, begin, FRAME_PAYLOAD_MAX));
    buf_addc(out, '}');
    frame_end(out, begin, compressor);
    return n;
}
