#include "event.h"

#include <inttypes.h>
#include <string.h>

#include "payload.h"
#include "protocol.h"

/* id, event and data lines around an object, at most. */
#define ENVELOPE_MAX 80

const char *event_retry(int64_t wait_ms, char out[static EVENT_RETRY_MAX])
{
    snprintf(out, EVENT_RETRY_MAX, "retry: %" PRId64 "\n\n", wait_ms);
    return out;
}

int events_init(struct events *e, size_t instruments)
{
    e->order = calloc(instruments + 1, sizeof *e->order);
    return e->order ? 0 : -1;
}

void events_fini(struct events *e)
{
    free(e->order);
    e->order = NULL;
}

static int by_revision(const void *a, const void *b)
{
    const struct event_order *x = a, *y = b;
    return (x->revision > y->revision) - (x->revision < y->revision);
}

static void begin(const struct events *e, struct buf *out, uint64_t revision,
                  enum protocol_type type)
{
    buf_addf(out, "id: %" PRIx64 ":%" PRIu64 "\nevent: %s\ndata: ", (uint64_t)e->start_ms, revision,
             protocol_type_name(type));
}

/* An item of another program may have line breaks between its members; each line is a data line
 * then, and the reader puts them together again. A carriage return ends a line here, too. */
static void add_lines(struct buf *out, const char *p, size_t len)
{
    while (len > 0) {
        size_t n = 0;
        while (n < len && p[n] != '\n' && p[n] != '\r')
            n++;
        buf_add(out, p, n);
        if (n == len)
            return;
        n += p[n] == '\r' && n + 1 < len && p[n + 1] == '\n' ? 2 : 1;
        buf_adds(out, "\ndata: ");
        p += n;
        len -= n;
    }
}

/* The held items of ids, oldest first, into e->order. Those without an item leave ids. */
static size_t put_in_order(struct events *e, const struct book *book, struct bits *ids)
{
    size_t n = 0;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        if (book->entries[id].item)
            e->order[n++] = (struct event_order){book->entries[id].revision, id};
        else
            bits_unset(ids, id);
    if (n > 1)
        qsort(e->order, n, sizeof *e->order, by_revision);
    return n;
}

size_t event_add_quotes(struct events *e, struct buf *out, const struct book *book,
                        struct bits *ids, size_t room)
{
    size_t first = out->len, len = put_in_order(e, book, ids), n = 0;
    for (; n < len; n++) {
        const struct item *it = book->entries[e->order[n].id].item;
        if (n > 0 && out->len - first + it->len + ENVELOPE_MAX > room)
            break;
        bool quote = book->config->instruments[e->order[n].id].kind == INSTRUMENT_QUOTE;
        begin(e, out, e->order[n].revision, quote ? TYPE_QUOTE : TYPE_OBSERVATION);
        add_lines(out, it->bytes, it->len);
        buf_adds(out, "\n\n");
        bits_unset(ids, e->order[n].id);
    }
    return n;
}

size_t event_add_statuses(const struct events *e, struct buf *out, struct book *book,
                          struct bits *ids, size_t room)
{
    size_t first = out->len, n = 0;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        if (n > 0 && out->len - first + PAYLOAD_STATUS_MAX + ENVELOPE_MAX > room)
            break;
        begin(e, out, ++book->revision, TYPE_STATUS);
        payload_add_status(out, book, id);
        buf_adds(out, "\n\n");
        bits_unset(ids, id);
        n++;
    }
    return n;
}

bool event_id_parse(const struct events *e, const struct book *book, const char *text,
                    uint64_t *revision)
{
    uint64_t start_ms;
    return item_seq_parse(text, &start_ms, revision) && start_ms == (uint64_t)e->start_ms &&
           *revision <= book->revision;
}

void event_split(const struct book *book, uint64_t revision, struct bits *fresh, struct bits *known)
{
    for (int id = bits_next(fresh, 0); id >= 0; id = bits_next(fresh, id + 1))
        if (book->entries[id].revision <= revision) {
            bits_unset(fresh, id);
            bits_set(known, id);
        }
}
