/* The hot path. One run of bytes is built per view: a quote frame, and behind it the status frame
 * of the same flush (or, where the view's clients read events, the events of both); each client in
 * the view's ready list costs one write() of it and one look whether its socket is full.
 *
 * A burst is one message, so that whoever looks at many symbols sees them change together. A flush
 * of more than FRAME_FLUSH_MAX, or of very many statuses, goes in several runs: a client whose
 * socket fills in the middle owes only the rest, and the transport never keeps more than one run
 * for it.
 *
 * Clients may be closed during the walk (a broken socket, no memory). They only ever take
 * themselves out of the list, so knowing the next one is enough; the view is held meanwhile. */
#include "flush.h"

#include "client.h"
#include "frame.h"
#include "owed.h"
#include "state.h"

struct run {
    size_t frames, items;
};

static struct run build(struct fanout *f, const struct view *v)
{
    struct run r = {0};
    bits_copy(&f->rest, &f->quotes);
    bits_copy(&f->rest_statuses, &f->statuses);
    buf_clear(&f->frames);
    if (v->encoding == ENCODING_EVENTS) {
        r.items = event_add_quotes(&f->events, &f->frames, &f->book, &f->rest, FRAME_FLUSH_MAX);
        r.frames = r.items;
        if (!bits_any(&f->rest))
            r.frames += event_add_statuses(&f->events, &f->frames, &f->book, &f->rest_statuses,
                                           FRAME_PAYLOAD_MAX);
        return r;
    }
    struct compressor *compressor = fanout_compressor(f, v->encoding);
    if (bits_any(&f->rest)) {
        r.items =
            frame_add_quotes(&f->frames, &f->book, v->options, &f->rest, FRAME_FLUSH, compressor);
        r.frames++;
    }
    if (!bits_any(&f->rest) && bits_any(&f->rest_statuses)) {
        frame_add_statuses(&f->frames, &f->book, &f->rest_statuses, compressor);
        r.frames++;
    }
    return r;
}

static void owe(struct client *c, const struct bits *quotes, const struct bits *statuses,
                int64_t mono_ns)
{
    if (client_fall_behind(c, mono_ns) != 0)
        return;
    owed_add_flush(c, quotes, statuses);
    client_wait(c, mono_ns);
}

static void share(struct fanout *f, struct client *c, const struct run *r, int64_t mono_ns)
{
    if (f->frames.failed || client_busy(c)) {
        owe(c, &f->quotes, &f->statuses, mono_ns);
        return;
    }
    if (client_write(c, f->frames.p, f->frames.len, r->frames, mono_ns) != 0)
        return;
    f->metrics->deliveries += r->items;
    if (client_busy(c))
        owe(c, &f->rest, &f->rest_statuses, mono_ns);
}

static void observe(struct fanout *f, const struct view *v, const struct view_pending *p,
                    int64_t mono_ns)
{
    /* cause="flush": updates that another one replaced before this flush, once for each client
     * that would have got them. */
    if (p->merged > 0)
        metrics_add(f->metrics, METRIC_CONFLATED, "flush", NULL,
                    (double)p->merged * (double)v->seats);
    /* One observation per view and flush: its oldest item. */
    if (p->oldest_ns != INT64_MAX)
        histogram_observe(&f->metrics->arrival_to_write, (double)(mono_ns - p->oldest_ns) / 1e9);
}

/* A quote that says its symbol's state itself makes the status void, whatever happened between. */
static void drop_void_statuses(struct fanout *f, const struct view *v)
{
    for (int id = bits_next(&f->quotes, 0); id >= 0; id = bits_next(&f->quotes, id + 1))
        if (view_options_show_state(v->options, id) && book_item_says_state(&f->book, id))
            bits_unset(&f->statuses, id);
}

void flush_view(struct fanout *f, struct view *v, int64_t mono_ns)
{
    if (!v->dirty)
        return;
    struct view_pending p = view_take_pending(&f->views, v, &f->quotes, &f->statuses);
    struct seat *next;
    view_ref(v);
    drop_void_statuses(f, v);
    observe(f, v, &p, mono_ns);
    for (struct seat *s = v->behind; s; s = next) {
        next = s->next;
        owed_add_flush(s->client, &f->quotes, &f->statuses);
    }
    while (v->ready && (bits_any(&f->quotes) || bits_any(&f->statuses))) {
        struct run r = build(f, v);
        for (struct seat *s = v->ready; s; s = next) {
            next = s->next;
            share(f, s->client, &r, mono_ns);
        }
        bits_copy(&f->quotes, &f->rest);
        bits_copy(&f->statuses, &f->rest_statuses);
    }
    /* Those whose sockets are free and who only waited for this flush. */
    for (struct seat *s = v->behind; s; s = next) {
        next = s->next;
        if (s->client->owed->held)
            owed_pump(s->client, mono_ns);
    }
    if (f->config->fanout.flush_ms > 0)
        view_rest(&f->views, v, mono_ns + f->config->fanout.flush_ms * NS_PER_MS);
    view_unref(&f->views, v);
}

void flush_due(struct fanout *f, int64_t mono_ns)
{
    while (f->views.due.first)
        flush_view(f, f->views.due.first, mono_ns);
}
