#include "payload.h"

#include <inttypes.h>

#include "fragment.h"

/* Is there room for `more` bytes, a comma and the closing bracket? */
static bool fits(const struct buf *out, size_t begin, size_t more, size_t room)
{
    return out->len - begin + more + 2 <= room;
}

enum instrument_kind payload_kind(const struct book *book, const struct bits *ids)
{
    int first = bits_next(ids, 0), id = first;
    while (id >= 0 && !book->entries[id].item)
        id = bits_next(ids, id + 1);
    if (id < 0)
        id = first;
    return id < 0 ? INSTRUMENT_QUOTE : book->config->instruments[id].kind;
}

size_t payload_add_items(struct buf *out, struct book *book, const struct view_options *options,
                         enum instrument_kind kind, struct bits *ids, size_t room)
{
    size_t n = 0, begin = out->len;
    buf_addc(out, '[');
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        if (!book->entries[id].item) {
            bits_unset(ids, id);
            continue;
        }
        if (book->config->instruments[id].kind != kind)
            break;
        const struct fragment part =
            fragment_of(&book->entries[id], view_options_fields(options, id));
        if (part.failed)
            out->failed = true;
        if (!fits(out, begin, part.len, room))
            break;
        bits_unset(ids, id);
        if (n++ > 0)
            buf_addc(out, ',');
        buf_add(out, part.p, part.len);
    }
    buf_addc(out, ']');
    return n;
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, value);
}

void payload_add_status(struct buf *out, const struct book *book, int id)
{
    struct book_status_view s = book_status_of(book, id);
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, s.symbol);
    buf_addf(out, ",\"state\":\"%s\",\"since\":%" PRId64, quote_state_name(s.state), s.since_ms);
    add_member(out, "reason", s.reason);
    add_member(out, "source", s.source);
    buf_addf(out, ",\"market\":\"%s\"}", quote_market_name(s.market));
}

size_t payload_add_statuses(struct buf *out, const struct book *book, struct bits *ids, size_t room)
{
    size_t n = 0, begin = out->len;
    buf_addc(out, '[');
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        if (!fits(out, begin, PAYLOAD_STATUS_MAX, room))
            break;
        bits_unset(ids, id);
        if (n++ > 0)
            buf_addc(out, ',');
        payload_add_status(out, book, id);
    }
    buf_addc(out, ']');
    return n;
}
