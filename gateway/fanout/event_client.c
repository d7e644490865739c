/* A client of events takes its seat once and keeps it. The steps are those of a subscribe: states
 * are settled, the view is flushed before the client joins it (so that nothing that its snapshot is
 * going to hold comes again), then the snapshot goes the way of everything that is owed.
 *
 * What it knows already, by the id it brought, is left out; but the states that its items do not
 * tell come again, as after a snapshot: when it left, one of them may have been on its way. */
#include "client.h"
#include "flush.h"
#include "owed.h"
#include "state.h"

struct joining {
    struct bits fresh, known;
    struct view *view; /* referenced */
};

static int joining_init(struct joining *j, struct fanout *f, const struct fanout_wish *wish)
{
    size_t n = f->config->instruments_len;
    uint64_t revision;
    if (bits_init(&j->fresh, n) != 0 || bits_init(&j->known, n) != 0)
        return -1;
    for (size_t i = 0; i < wish->ids_len; i++)
        bits_set(&j->fresh, wish->ids[i]);
    j->view = views_get(&f->views, &j->fresh, NULL, ENCODING_EVENTS);
    if (!j->view)
        return -1;
    if (wish->last_event_id && event_id_parse(&f->events, &f->book, wish->last_event_id, &revision))
        event_split(&f->book, revision, &j->fresh, &j->known);
    return 0;
}

static void joining_fini(struct joining *j, struct fanout *f)
{
    if (j->view)
        view_unref(&f->views, j->view);
    bits_fini(&j->fresh);
    bits_fini(&j->known);
}

static void settle(struct fanout *f, const struct fanout_wish *wish, int64_t wall_ms)
{
    for (size_t i = 0; i < wish->ids_len; i++)
        if (book_settle(&f->book, wish->ids[i], wall_ms))
            views_mark_status(&f->views, wish->ids[i]);
}

struct client *fanout_event_client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                                       const struct fanout_wish *wish, int64_t wall_ms,
                                       int64_t mono_ns)
{
    struct joining j = {0};
    struct client *c = NULL;
    if (joining_init(&j, f, wish) == 0)
        c = client_new(f, sink, sock, wish->grant, wall_ms, mono_ns);
    if (!c)
        goto out;
    c->encoding = ENCODING_EVENTS;
    settle(f, wish, wall_ms);
    flush_view(f, j.view, mono_ns);
    client_sit(c, j.view);
    if (client_fall_behind(c, mono_ns) == 0) {
        owed_add_snapshot(c, &j.fresh, &j.known);
        owed_pump(c, mono_ns);
    }
out:
    joining_fini(&j, f);
    return c;
}
