/* How long a frame will be is known only when it is done, and its header has 2, 4 or 10 bytes
 * accordingly. frame_begin() leaves room for the longest and frame_end() moves the payload down to
 * where it belongs. That move is made once per view and flush, not per client, and spares either
 * a second walk to measure or a second buffer. */
#include "frame.h"

#include <inttypes.h>
#include <string.h>

static const unsigned char FIN_TEXT = 0x81;

size_t frame_begin(struct buf *out)
{
    static const char room[FRAME_HEADER_MAX] = {0};
    size_t begin = out->len;
    buf_add(out, room, sizeof room);
    return begin;
}

void frame_end(struct buf *out, size_t begin)
{
    if (out->failed)
        return;
    size_t len = out->len - begin - FRAME_HEADER_MAX;
    unsigned char h[FRAME_HEADER_MAX] = {FIN_TEXT};
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
    memmove(out->p + begin + h_len, out->p + begin + FRAME_HEADER_MAX, len);
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
    frame_end(out, begin);
}

/* Is there room for `more` bytes, a comma and the closing brackets? */
static bool fits(const struct buf *out, size_t begin, size_t more)
{
    return out->len - begin - FRAME_HEADER_MAX + more + 3 <= FRAME_PAYLOAD_MAX;
}

size_t frame_add_quotes(struct buf *out, const struct book *book, struct bits *ids, bool snapshot)
{
    size_t n = 0, begin = frame_begin(out);
    buf_adds(out, snapshot ? "{\"type\":\"quote\",\"snapshot\":true,\"data\":["
                           : "{\"type\":\"quote\",\"data\":[");
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        const struct item *it = book->entries[id].item;
        if (it && !fits(out, begin, it->len))
            break;
        bits_unset(ids, id);
        if (!it)
            continue;
        if (n++ > 0)
            buf_addc(out, ',');
        buf_add(out, it->bytes, it->len);
    }
    buf_adds(out, "]}");
    frame_end(out, begin);
    return n;
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, value);
}

static void add_status(struct buf *out, const struct book *book, int id)
{
    struct book_status_view s = book_status_of(book, id);
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, s.symbol);
    buf_addf(out, ",\"state\":\"%s\",\"since\":%" PRId64, quote_state_name(s.state), s.since_ms);
    add_member(out, "reason", s.reason);
    add_member(out, "source", s.source);
    buf_addf(out, ",\"market\":\"%s\"}", quote_market_name(s.market));
}

/* No status is longer than this, whatever its reason and source look like escaped. */
#define STATUS_BYTES_MAX (6 * (BOOK_REASON_MAX + ITEM_SOURCE_MAX) + 300)

size_t frame_add_statuses(struct buf *out, const struct book *book, struct bits *ids)
{
    size_t n = 0, begin = frame_begin(out);
    buf_adds(out, "{\"type\":\"status\",\"data\":[");
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        if (!fits(out, begin, STATUS_BYTES_MAX))
            break;
        bits_unset(ids, id);
        if (n++ > 0)
            buf_addc(out, ',');
        add_status(out, book, id);
    }
    buf_adds(out, "]}");
    frame_end(out, begin);
    return n;
}
