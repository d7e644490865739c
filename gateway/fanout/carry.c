/* Everything in a fan-out is kept by the instrument's number, and a number means another instrument
 * in another configuration. So each set of a client (what it wants, in which form and how often,
 * what it is still owed) is written anew with the numbers of the other side:
 *
 *     view ──► symbols, options ──► the view of these there
 *     paces ──► the same windows, the same marks (the book's counters go along)
 *     patterns ──► what has joined by them, with the options that they came with
 *     owed ──► a new one, with the lane of the old
 *
 * carry_flush() comes first: a mark in a view is not any client's, and could not be carried. All
 * that may fail for want of memory is done before anything is changed. */
#include "carry.h"

#include "age.h"
#include "client.h"
#include "flush.h"
#include "fragment.h"
#include "owed.h"
#include "pace.h"
#include "protocol.h"
#include "state.h"
#include "upkeep.h"

void carry_flush(struct fanout *from, int64_t mono_ns)
{
    views_wake(&from->views, INT64_MAX);
    flush_due(from, mono_ns);
}

void carry_market(struct fanout *to, struct fanout *from, const struct instrument_map *map,
                  int64_t wall_ms)
{
    for (size_t i = 0; i < from->book.len; i++) {
        if (map->there[i] < 0)
            continue;
        struct book_entry *old = &from->book.entries[i], *e = &to->book.entries[map->there[i]];
        fragment_forget(old); /* cuts are by the field sets of this fan-out */
        *e = *old;
        if (e->item)
            item_ref(e->item);
    }
    for (size_t i = 0; i < to->book.len; i++) /* what has joined has no price from now on */
        if (map->joined[i])
            (void)book_settle(&to->book, (int)i, wall_ms);
    to->book.revision = from->book.revision;
    to->events.start_ms = from->events.start_ms;
}

/* --- one client --- */

struct carried {
    struct bits active, joined; /* by the numbers of the other side; joined is a part of active */
    struct bits gone;           /* by those of this side */
    struct view_options *options;
    struct view *view;
    struct owed *owed;
    struct pace *paces; /* of what has joined; not begun */
    size_t paces_len;
};

static void carried_fini(struct carried *x)
{
    bits_fini(&x->active);
    bits_fini(&x->joined);
    bits_fini(&x->gone);
    view_options_free(x->options);
    owed_free(x->owed);
    while (x->paces) {
        struct pace *p = x->paces;
        x->paces = p->next;
        free(p);
    }
}

static void translate(const struct bits *from, const int *there, struct bits *to)
{
    for (int id = bits_next(from, 0); id >= 0; id = bits_next(from, id + 1))
        if (there[id] >= 0)
            bits_set(to, there[id]);
}

static void find_gone(const struct client *c, const struct instrument_map *map, struct carried *x)
{
    const struct bits *symbols = &c->seat.view->symbols;
    for (int id = bits_next(symbols, 0); id >= 0; id = bits_next(symbols, id + 1))
        if (map->there[id] < 0)
            bits_set(&x->gone, id);
}

/* Nothing joins for one whose grant has ended: nobody says any more what it may see. */
static void find_joined(const struct client *c, const struct instrument_map *map, struct carried *x)
{
    size_t have = bits_count(&x->active);
    size_t limit = (size_t)map->to->limits.symbols_per_connection;
    if (c->grant.role == ROLE_NONE)
        return;
    for (size_t i = 0; i < map->to->instruments_len && c->patterns.len > 0 && have < limit; i++) {
        const char *symbol = map->to->instruments[i].symbol;
        if (!map->joined[i] || !patterns_find(&c->patterns, symbol) ||
            !grant_allows(&c->grant, symbol))
            continue;
        bits_set(&x->active, (int)i);
        bits_set(&x->joined, (int)i);
        have++;
    }
}

static int carry_options(const struct client *c, struct fanout *to,
                         const struct instrument_map *map, struct carried *x)
{
    const struct view_options *old = client_options(c);
    if (!old)
        return 0;
    x->options = view_options_new(map->to->instruments_len);
    int rc = x->options ? 0 : -1;
    for (size_t i = 0; i < old->len && rc == 0; i++) {
        struct fields *set = view_options_fields(old, (int)i), *its = NULL;
        bool paced = view_options_paced(old, (int)i);
        if (map->there[i] < 0 || (!set && !paced))
            continue;
        if (set && !(its = fields_copy(&to->field_sets, set)))
            return -1;
        rc = view_options_set(x->options, map->there[i], paced, its);
        fields_unref(its);
    }
    if (rc == 0 && !view_options_any(x->options)) {
        view_options_free(x->options);
        x->options = NULL;
    }
    return rc;
}

/* The pattern by which it has joined. */
static const struct pattern *pattern_of(const struct client *c, const struct instrument_map *map,
                                        int id)
{
    const struct pattern *p = patterns_find(&c->patterns, map->to->instruments[id].symbol);
    REQUIRE(p);
    return p;
}

static int join_options(const struct client *c, struct fanout *to, const struct instrument_map *map,
                        struct carried *x)
{
    for (int id = bits_next(&x->joined, 0); id >= 0; id = bits_next(&x->joined, id + 1)) {
        const struct pattern *p = pattern_of(c, map, id);
        struct fields *its = NULL;
        if (p->interval_ms == 0 && !p->fields)
            continue;
        if (!x->options && !(x->options = view_options_new(map->to->instruments_len)))
            return -1;
        if (p->fields && !(its = fields_copy(&to->field_sets, p->fields)))
            return -1;
        int rc = view_options_set(x->options, id, p->interval_ms > 0, its);
        fields_unref(its);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int add_pace(struct fanout *to, struct carried *x, struct bits *ids, int64_t interval_ms)
{
    if (interval_ms == 0 || !bits_any(ids))
        return 0;
    struct pace *p = pace_new(to, ids, interval_ms);
    if (!p)
        return -1;
    p->next = x->paces;
    x->paces = p;
    x->paces_len++;
    bits_clear(ids);
    return 0;
}

/* One for each row of those that have the same interval, which as a rule are all. */
static int join_paces(const struct client *c, struct fanout *to, const struct instrument_map *map,
                      struct carried *x)
{
    struct bits row;
    int64_t interval_ms = 0;
    int rc = bits_init(&row, map->to->instruments_len);
    for (int id = bits_next(&x->joined, 0); id >= 0 && rc == 0;
         id = bits_next(&x->joined, id + 1)) {
        const struct pattern *p = pattern_of(c, map, id);
        if (p->interval_ms != interval_ms)
            rc = add_pace(to, x, &row, interval_ms);
        interval_ms = p->interval_ms;
        if (interval_ms > 0)
            bits_set(&row, id);
    }
    if (rc == 0)
        rc = add_pace(to, x, &row, interval_ms);
    bits_fini(&row);
    return rc;
}

static int carry_owed(const struct client *c, const struct instrument_map *map, struct carried *x,
                      int64_t mono_ns)
{
    const struct owed *old = c->owed;
    if (!old)
        return 0;
    struct owed *o = owed_new(map->to->instruments_len, mono_ns);
    if (!o)
        return -1;
    translate(&old->quotes, map->there, &o->quotes);
    translate(&old->statuses, map->there, &o->statuses);
    translate(&old->snapshot, map->there, &o->snapshot);
    o->snapshots = old->snapshots;
    o->held = old->held;
    o->ping = old->ping;
    o->merged = old->merged;
    o->lane_frames = old->lane_frames;
    o->since_ns = old->since_ns;
    o->progress_ns = old->progress_ns;
    o->unsent_bytes = old->unsent_bytes;
    x->owed = o;
    return 0;
}

static int make(const struct client *c, struct fanout *to, const struct instrument_map *map,
                struct carried *x, int64_t mono_ns)
{
    if (bits_init(&x->active, map->to->instruments_len) != 0 ||
        bits_init(&x->joined, map->to->instruments_len) != 0 ||
        bits_init(&x->gone, map->from->instruments_len) != 0)
        return -1;
    if (c->seat.view) {
        translate(&c->seat.view->symbols, map->there, &x->active);
        find_gone(c, map, x);
    }
    find_joined(c, map, x);
    if (carry_options(c, to, map, x) != 0 || join_options(c, to, map, x) != 0 ||
        join_paces(c, to, map, x) != 0 || carry_owed(c, map, x, mono_ns) != 0)
        return -1;
    if (!bits_any(&x->active))
        return 0;
    x->view = views_get(&to->views, &x->active, x->options, c->encoding);
    return x->view ? 0 : -1;
}

static void take_seat(struct client *c, struct fanout *to, struct carried *x, int64_t mono_ns)
{
    if (c->owed) {
        x->owed->lane = c->owed->lane;
        c->owed->lane = (struct buf){0};
        owed_free(c->owed);
        c->owed = x->owed;
        x->owed = NULL;
    }
    const int64_t age_s = c->f->config->limits.connection_age_s;
    client_sit(c, NULL);
    client_relink(c, to);
    client_sit(c, x->view);
    if (x->view)
        view_unref(&to->views, x->view);
    x->view = NULL;
    while (x->paces) {
        struct pace *p = x->paces;
        x->paces = p->next;
        pace_begin(p, c, mono_ns);
    }
    if (to->config->limits.connection_age_s != age_s)
        age_begin(c, mono_ns);
    upkeep_schedule(c, mono_ns);
}

/* --- what it is told --- */

static void tell_gone(struct client *c, const struct instrument_map *map, const struct carried *x,
                      int64_t mono_ns)
{
    struct buf *text = &c->f->text;
    buf_clear(text);
    protocol_begin(text, TYPE_UNSUBSCRIBED, "");
    protocol_add_symbols(text, "symbols", map->from, &x->gone);
    protocol_add_symbols(text, "active", map->to, &x->active);
    protocol_end(text);
    client_send(c, text, mono_ns);
}

static void tell_joined(struct client *c, const struct instrument_map *map, const struct carried *x,
                        int64_t mono_ns)
{
    static const struct buf none = {0};
    struct buf *text = &c->f->text;
    buf_clear(text);
    protocol_begin(text, TYPE_SUBSCRIBED, "");
    protocol_add_symbols(text, "symbols", map->to, &x->joined);
    protocol_add_array(text, "rejected", &none);
    protocol_add_symbols(text, "active", map->to, &x->active);
    protocol_end(text);
    client_send(c, text, mono_ns);
}

/* Nothing is pending in a new view, so what is owed may go at once. */
static void send_owed(struct client *c, struct carried *x, int64_t mono_ns)
{
    bool joined = bits_any(&x->joined), behind = c->path == CLIENT_BEHIND;
    if (c->path == CLIENT_CLOSING || (joined && !behind && client_fall_behind(c, mono_ns) != 0))
        return;
    if (joined) {
        bits_clear(&x->active); /* nothing of it is known */
        owed_add_snapshot(c, &x->joined, &x->active);
    }
    if (c->path == CLIENT_BEHIND && (!behind || c->owed->held))
        owed_pump(c, mono_ns);
}

void carry_client(struct client *c, struct fanout *to, const struct instrument_map *map,
                  struct moment now)
{
    struct carried x = {0};
    to->mono_ns = now.mono_ns;
    REQUIRE(!c->due_listed);
    if (c->path != CLIENT_CLOSING && (make(c, to, map, &x, now.mono_ns) != 0 ||
                                      patterns_carry(&c->patterns, &to->field_sets) != 0 ||
                                      pace_carry(c, to, map->there, x.paces_len) != 0)) {
        if (x.view)
            view_unref(&to->views, x.view);
        client_close(c, CLOSE_MEMORY);
    }
    if (c->path == CLIENT_CLOSING) {
        client_relink(c, to);
        goto out;
    }
    take_seat(c, to, &x, now.mono_ns);
    if (bits_any(&x.gone))
        tell_gone(c, map, &x, now.mono_ns);
    if (bits_any(&x.joined))
        tell_joined(c, map, &x, now.mono_ns);
    send_owed(c, &x, now.mono_ns);
out:
    carried_fini(&x);
}
