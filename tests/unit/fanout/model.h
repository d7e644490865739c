/* model.h - what each client may and must see, for the test of random operations.
 *
 * It knows no views, no bits, no paths: per client and symbol what was asked for, what was seen,
 * and when. Every frame that comes is held against it. */
#ifndef PRICEGATE_TEST_MODEL_H
#define PRICEGATE_TEST_MODEL_H

#include "rig.h"

enum { SYMBOLS = 70, GROUPS = 7, PEERS = 8, LIMIT = 45, ACKS_MAX = 64 };
enum { HASTY = PEERS / 2 }; /* clients below this never ask for an interval */

/* What a client may ask for beside symbols. */
struct wish {
    int64_t interval_ms;
    enum { ALL_FIELDS, PRICE_AND_STATE, PRICE_ONLY } fields;
};
static const char *const fields_text[] = {"", ",\"fields\":[\"state\",\"price\",\"value\"]",
                                          ",\"fields\":[\"value\",\"price\"]"};

struct ack {
    const char *type;
    bool active[SYMBOLS], named[SYMBOLS], added[SYMBOLS], fresh[SYMBOLS];
    bool has[SYMBOLS]; /* by its own word (since), hence not in the snapshot */
    uint64_t version[SYMBOLS];
    int said[SYMBOLS];
    uint64_t changes[SYMBOLS];
    struct wish wish;
    int64_t at_ns;
    size_t rejected;
    bool snapshot;
};

struct seen_by {
    struct peer peer;
    bool open;
    struct ack acks[ACKS_MAX]; /* commands that were not answered yet */
    size_t acks_len;
    bool want[SYMBOLS];  /* by the commands sent */
    bool acked[SYMBOLS]; /* by the answers received */
    uint64_t seen[SYMBOLS];
    bool snapshot_due[SYMBOLS];
    bool deaf[SYMBOLS];  /* subscribed without snapshot: knows no state before one is told */
    bool blind[SYMBOLS]; /* subscribed without snapshot, nothing published since */
    uint64_t unseen[SYMBOLS];
    int64_t unseen_ns[SYMBOLS];  /* when the first of them came */
    struct wish wishes[SYMBOLS]; /* by the commands sent */
    struct wish like[SYMBOLS];   /* by the answers received, and since when */
    int64_t from_ns[SYMBOLS];
    int64_t window[SYMBOLS]; /* of the last delivery; -1 = none yet */
    int known[SYMBOLS];      /* state, or -1 */
    uint64_t known_at[SYMBOLS];
    long snapshots_due;
    uint64_t merged, told_merged;
};

static bool shows_state(struct wish w)
{
    return w.fields != PRICE_ONLY;
}

static int64_t window_at(const struct seen_by *c, int s, int64_t ns)
{
    return (ns - c->from_ns[s]) / (c->like[s].interval_ms * MS);
}

struct world {
    struct rig r;
    char names[SYMBOLS][8];
    uint64_t version[SYMBOLS], changes[SYMBOLS], seq[SYMBOLS];
    int said[SYMBOLS];           /* the state in the newest item */
    uint64_t merged, merged_max; /* in all; max: had the clients that left got all */
    enum quote_state told[SYMBOLS];
    struct seen_by c[PEERS];
    uint64_t random;
    bool exact; /* every update is flushed by itself: what is merged can be counted */
    size_t quotes, observations, statuses, snapshots, flows, closed, paced, cut, spared;
};

static unsigned roll(struct world *w, unsigned n)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->random >> 33) % n;
}

static int id_of(const struct world *w, const char *symbol)
{
    int id = symtab_find(w->r.config.symbols, symbol, strlen(symbol));
    assert_true(id >= 0);
    return id;
}

/* --- checking what comes --- */

static void expect_set(const struct world *w, const json_t *array, const bool *want)
{
    size_t n = 0;
    for (int s = 0; s < SYMBOLS; s++)
        n += want[s];
    assert_int_equal(json_array_size(array), n);
    for (size_t i = 0; i < n; i++)
        assert_true(want[id_of(w, json_string_value(json_array_get(array, i)))]);
}

/* From this answer on, s comes as it was asked for. */
static void begin(struct seen_by *c, const struct ack *a, int s)
{
    c->like[s] = a->wish;
    c->from_ns[s] = a->at_ns;
    c->window[s] = -1;
    if (!a->added[s] && !a->snapshot)
        c->known_at[s] -= 2; /* a status that an item was to need may come without that need */
    if (a->added[s] || a->snapshot) {
        c->deaf[s] = !a->snapshot;
        c->seen[s] = a->has[s] ? a->version[s] : 0;
        c->known[s] = a->has[s] && shows_state(a->wish) ? a->said[s] : -1;
        c->known_at[s] = a->changes[s];
        c->snapshot_due[s] = a->snapshot && !a->has[s];
    }
}

static void check_ack(struct world *w, struct seen_by *c, const char *type, const json_t *j)
{
    assert_true(c->acks_len > 0);
    const struct ack *a = &c->acks[0];
    assert_string_equal(type, a->type);
    expect_set(w, json_object_get(j, "active"), a->active);
    if (strcmp(type, "subscriptions") != 0)
        expect_set(w, json_object_get(j, "symbols"), a->named);
    if (strcmp(type, "subscribed") == 0)
        assert_int_equal(json_array_size(json_object_get(j, "rejected")), a->rejected);
    for (int s = 0; s < SYMBOLS; s++) {
        c->acked[s] = a->active[s];
        if (!a->active[s])
            c->snapshot_due[s] = false;
        if (a->fresh[s])
            begin(c, a, s);
    }
    c->snapshots_due += a->snapshot;
    memmove(&c->acks[0], &c->acks[1], --c->acks_len * sizeof c->acks[0]);
}

static void see(struct world *w, struct seen_by *c, int s)
{
    uint64_t merged = c->unseen[s] > 1 ? c->unseen[s] - 1 : 0;
    w->merged += merged;
    w->merged_max += merged;
    c->merged += c->unseen[s] > 1 ? c->unseen[s] - 1 : 0;
    c->unseen[s] = 0;
}

static void check_wish(struct world *w, struct seen_by *c, int s, const json_t *item)
{
    static const size_t members[] = {7, 4, 3};
    assert_int_equal(json_object_size(item), members[c->like[s].fields]);
    assert_non_null(json_object_get(item, "seq"));
    w->cut += c->like[s].fields != ALL_FIELDS;
    if (c->like[s].interval_ms == 0)
        return;
    int64_t window = window_at(c, s, w->r.mono_ns);
    assert_true(window > c->window[s]);
    c->window[s] = window;
    w->paced++;
}

static void check_item(struct world *w, struct seen_by *c, const json_t *item, bool snapshot)
{
    int s = id_of(w, json_string_value(json_object_get(item, "symbol")));
    const char *state = json_string_value(json_object_get(item, "state"));
    bool quote = w->r.instruments[s].kind == INSTRUMENT_QUOTE;
    uint64_t v = (uint64_t)json_integer_value(json_object_get(item, quote ? "price" : "value"));
    assert_true(c->acked[s]);
    assert_int_equal(v, w->version[s]);
    assert_true(v > c->seen[s]);
    assert_int_equal(snapshot, c->snapshot_due[s]);
    c->snapshot_due[s] = false;
    c->seen[s] = v;
    see(w, c, s);
    check_wish(w, c, s, item);
    if (quote)
        w->quotes++;
    else
        w->observations++;
    if (!shows_state(c->like[s])) {
        assert_null(state);
        return;
    }
    c->known[s] = quote_state_parse(state, strlen(state));
    c->known_at[s] = w->changes[s];
}

static void check_status(struct world *w, struct seen_by *c, const json_t *status)
{
    int s = id_of(w, json_string_value(json_object_get(status, "symbol")));
    const char *name = json_string_value(json_object_get(status, "state"));
    int state = quote_state_parse(name, strlen(name));
    assert_true(c->acked[s]);
    assert_int_equal(state, w->told[s]);
    /* the same again only where it changed there and back meanwhile */
    if (state == c->known[s])
        assert_true(w->changes[s] - c->known_at[s] >= 2);
    c->known[s] = state;
    c->known_at[s] = w->changes[s];
    /* no item was there for the snapshot: what comes now is a plain update */
    if (w->version[s] == 0)
        c->snapshot_due[s] = false;
    w->statuses++;
}

static void check_data(struct world *w, struct seen_by *c, const char *type, const json_t *j)
{
    bool once[SYMBOLS] = {false};
    const json_t *data = json_object_get(j, "data");
    bool snapshot = json_is_true(json_object_get(j, "snapshot"));
    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *e = json_array_get(data, i);
        int s = id_of(w, json_string_value(json_object_get(e, "symbol")));
        assert_false(once[s]);
        once[s] = true;
        if (strcmp(type, "status") == 0) {
            check_status(w, c, e);
            continue;
        }
        bool quote = w->r.instruments[s].kind == INSTRUMENT_QUOTE;
        assert_string_equal(type, quote ? "quote" : "observation");
        check_item(w, c, e, snapshot);
    }
    assert_true(json_array_size(data) > 0 || snapshot);
    c->snapshots_due -= snapshot;
    w->snapshots += snapshot;
}

static void check_frame(struct world *w, struct seen_by *c, const json_t *j)
{
    const char *type = json_string_value(json_object_get(j, "type"));
    if (strcmp(type, "quote") == 0 || strcmp(type, "observation") == 0 ||
        strcmp(type, "status") == 0) {
        check_data(w, c, type, j);
    } else if (strcmp(type, "flow") == 0) {
        c->told_merged += (uint64_t)json_integer_value(json_object_get(j, "merged"));
        w->flows++;
    } else if (strcmp(type, "heartbeat") != 0) {
        check_ack(w, c, type, j);
    }
}

static void open_peer(struct world *w, struct seen_by *c)
{
    memset(c, 0, sizeof *c);
    for (int s = 0; s < SYMBOLS; s++)
        c->known[s] = -1;
    peer_open(&c->peer, &w->r);
    c->open = true;
}

/* Nothing waits at a client that reads, but for the end of the window in which it came. */
static void check_nothing_late(const struct world *w, const struct seen_by *c)
{
    if (c->acks_len > 0 || c->peer.client->path != CLIENT_SHARED)
        return;
    for (int s = 0; s < SYMBOLS; s++) {
        if (!c->acked[s] || c->unseen[s] == 0)
            continue;
        assert_true(c->like[s].interval_ms > 0);
        assert_int_equal(window_at(c, s, c->unseen_ns[s]), window_at(c, s, w->r.mono_ns));
    }
}

/* What was merged for it until now is in the metric only in part. */
static void leave(struct world *w, const struct seen_by *c)
{
    for (int s = 0; s < SYMBOLS; s++)
        w->merged_max += c->unseen[s] > 1 ? c->unseen[s] - 1 : 0;
}

/* After each operation: states, frames, and clients that are gone. */
static void check_all(struct world *w)
{
    for (int s = 0; s < SYMBOLS; s++)
        if (w->r.f->book.entries[s].told != w->told[s]) {
            w->told[s] = w->r.f->book.entries[s].told;
            w->changes[s]++;
        }
    for (int i = 0; i < PEERS; i++) {
        struct seen_by *c = &w->c[i];
        json_t *j;
        while ((j = peer_next(&c->peer))) {
            check_frame(w, c, j);
            json_decref(j);
        }
        if (w->exact)
            check_nothing_late(w, c);
        if (c->peer.closed) {
            leave(w, c);
            assert_int_equal(c->peer.reason, CLOSE_WRITE);
            peer_free(&c->peer);
            open_peer(w, c);
            w->closed++;
        }
    }
}

#endif
