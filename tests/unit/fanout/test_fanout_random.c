/* Ten thousand random operations against a model that is too naive to be wrong in the same way.
 *
 * The model knows no views, no bits and no paths. It keeps, per client, what it asked for and what
 * it has seen, and checks each frame as it comes:
 *   - acks come in the order of the commands, with exactly the expected sets
 *   - a quote is of a subscribed symbol, is the newest there is, and was not seen before
 *   - a snapshot holds only what was newly subscribed, and comes before its updates
 *   - a symbol is at most once in a frame; a status tells a change
 * and, whenever all sockets have drained: every client has the newest of everything it wants, knows
 * its state, and was told exactly how many updates it missed. */
#include "rig.h"

enum { SYMBOLS = 70, GROUPS = 7, PEERS = 8, LIMIT = 45, ACKS_MAX = 64 };

struct ack {
    const char *type;
    bool active[SYMBOLS], named[SYMBOLS], fresh[SYMBOLS];
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
    bool blind[SYMBOLS]; /* subscribed without snapshot, nothing published since */
    uint64_t unseen[SYMBOLS];
    int known[SYMBOLS]; /* state, or -1 */
    uint64_t known_at[SYMBOLS];
    long snapshots_due;
    uint64_t merged, told_merged;
};

struct world {
    struct rig r;
    char names[SYMBOLS][8];
    uint64_t version[SYMBOLS], changes[SYMBOLS];
    enum quote_state told[SYMBOLS];
    struct seen_by c[PEERS];
    uint64_t random;
    bool exact; /* every update is flushed by itself: what is merged can be counted */
    size_t quotes, statuses, snapshots, flows, closed;
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
        if (!a->fresh[s])
            continue;
        c->seen[s] = 0;
        c->known[s] = -1;
        c->snapshot_due[s] = a->snapshot;
    }
    c->snapshots_due += a->snapshot;
    memmove(&c->acks[0], &c->acks[1], --c->acks_len * sizeof c->acks[0]);
}

static void see(struct seen_by *c, int s)
{
    c->merged += c->unseen[s] > 1 ? c->unseen[s] - 1 : 0;
    c->unseen[s] = 0;
}

static void check_quote(struct world *w, struct seen_by *c, const json_t *item, bool snapshot)
{
    int s = id_of(w, json_string_value(json_object_get(item, "symbol")));
    const char *state = json_string_value(json_object_get(item, "state"));
    uint64_t v = (uint64_t)json_integer_value(json_object_get(item, "price"));
    assert_true(c->acked[s]);
    assert_int_equal(v, w->version[s]);
    assert_true(v > c->seen[s]);
    assert_int_equal(snapshot, c->snapshot_due[s]);
    c->snapshot_due[s] = false;
    c->seen[s] = v;
    see(c, s);
    c->known[s] = quote_state_parse(state, strlen(state));
    c->known_at[s] = w->changes[s];
    w->quotes++;
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
        if (strcmp(type, "status") == 0)
            check_status(w, c, e);
        else
            check_quote(w, c, e, snapshot);
    }
    c->snapshots_due -= snapshot;
    w->snapshots += snapshot;
}

static void check_frame(struct world *w, struct seen_by *c, const json_t *j)
{
    const char *type = json_string_value(json_object_get(j, "type"));
    if (strcmp(type, "quote") == 0 || strcmp(type, "status") == 0) {
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
        if (c->peer.closed) {
            assert_int_equal(c->peer.reason, CLOSE_WRITE);
            peer_free(&c->peer);
            open_peer(w, c);
            w->closed++;
        }
    }
}

/* --- operations --- */

static struct ack *expect_ack(struct seen_by *c, const char *type)
{
    assert_true(c->acks_len < ACKS_MAX);
    struct ack *a = &c->acks[c->acks_len++];
    *a = (struct ack){.type = type};
    memcpy(a->active, c->want, sizeof a->active);
    return a;
}

/* Writes a random list; calls take(s) in its order, as the protocol would resolve it. */
static void random_list(struct world *w, char *text, size_t size, int *order, size_t *n,
                        size_t *unknown)
{
    bool taken[SYMBOLS] = {false};
    *n = *unknown = 0;
    snprintf(text, size, "[");
    for (unsigned k = 1 + roll(w, 4); k > 0; k--) {
        unsigned kind = roll(w, 20), group = roll(w, GROUPS), one = roll(w, SYMBOLS);
        char name[16];
        if (kind == 0)
            snprintf(name, sizeof name, "*");
        else if (kind < 4)
            snprintf(name, sizeof name, "%c*", (char)('A' + group));
        else if (kind == 4)
            snprintf(name, sizeof name, "nothing");
        else
            snprintf(name, sizeof name, "%s", w->names[one]);
        snprintf(text + strlen(text), size - strlen(text), "%s\"%s\"", strlen(text) > 1 ? "," : "",
                 name);
        *unknown += kind == 4;
        for (int s = 0; s < SYMBOLS; s++) {
            bool hit =
                kind == 0 || (kind < 4 && w->names[s][0] == name[0]) || (kind > 4 && s == (int)one);
            if (hit && !taken[s]) {
                taken[s] = true;
                order[(*n)++] = s;
            }
        }
    }
    snprintf(text + strlen(text), size - strlen(text), "]");
}

static void op_subscribe(struct world *w, struct seen_by *c)
{
    char list[200], text[300];
    int order[SYMBOLS];
    size_t n, unknown, have = 0;
    bool snapshot = roll(w, 5) > 0;
    random_list(w, list, sizeof list, order, &n, &unknown);
    for (int s = 0; s < SYMBOLS; s++)
        have += c->want[s];
    struct ack *a = expect_ack(c, "subscribed");
    a->rejected = unknown;
    a->snapshot = snapshot;
    for (size_t i = 0; i < n; i++) {
        int s = order[i];
        if (!c->want[s] && have >= LIMIT) {
            a->rejected++;
            continue;
        }
        a->named[s] = true;
        if (c->want[s])
            continue;
        c->want[s] = a->active[s] = a->fresh[s] = true;
        c->unseen[s] = 0;
        c->blind[s] = !snapshot;
        have++;
    }
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":%s%s}", list,
             snapshot ? "" : ",\"snapshot\":false");
    peer_say(&c->peer, text);
}

static void give_up(struct seen_by *c, struct ack *a, int s)
{
    if (!c->want[s])
        return;
    a->named[s] = true;
    a->active[s] = c->want[s] = false;
    see(c, s); /* what is lost now was not replaced by a newer one */
}

static void op_unsubscribe(struct world *w, struct seen_by *c)
{
    char list[200], text[300];
    int order[SYMBOLS];
    size_t n, unknown;
    random_list(w, list, sizeof list, order, &n, &unknown);
    struct ack *a = expect_ack(c, "unsubscribed");
    for (size_t i = 0; i < n; i++)
        give_up(c, a, order[i]);
    snprintf(text, sizeof text, "{\"action\":\"unsubscribe\",\"symbols\":%s}", list);
    peer_say(&c->peer, text);
}

static void op_reset(struct world *w, struct seen_by *c)
{
    (void)w;
    struct ack *a = expect_ack(c, "unsubscribed");
    for (int s = 0; s < SYMBOLS; s++)
        give_up(c, a, s);
    peer_say(&c->peer, "{\"action\":\"reset\"}");
}

static void op_quote(struct world *w)
{
    static const char *const says[] = {"live", "live", "live", "live", "delayed"};
    char price[24], more[80];
    int s = (int)roll(w, SYMBOLS);
    if (roll(w, 2)) /* some are busier than others */
        s %= 7;
    snprintf(price, sizeof price, "%llu", (unsigned long long)++w->version[s]);
    snprintf(more, sizeof more, ",\"state\":\"%s\",\"market\":\"open\"",
             says[roll(w, ARRAY_LEN(says))]);
    for (int i = 0; i < PEERS; i++)
        if (w->c[i].want[s]) {
            w->c[i].unseen[s]++;
            w->c[i].blind[s] = false;
        }
    assert_int_equal(rig_item(&w->r, s, price, more), FANOUT_TAKEN);
}

static void op_status(struct world *w)
{
    char text[128];
    int s = (int)roll(w, SYMBOLS);
    if (w->version[s] == 0)
        return;
    snprintf(text, sizeof text, "{\"symbol\":\"%s\",\"state\":\"%s\",\"market\":\"%s\"}",
             w->names[s], roll(w, 2) ? "closed" : "live", roll(w, 2) ? "closed" : "open");
    rig_status(&w->r, s, text);
}

static void op_time(struct world *w)
{
    int64_t ms = roll(w, 40) == 0 ? 20000 : roll(w, 30);
    rig_pass_ms(&w->r, ms);
    for (int i = 0; i < PEERS; i++) {
        fanout_client_alive(w->c[i].peer.client, w->r.mono_ns);
        w->c[i].peer.unsent = ms > 1000 ? 0 : 1; /* what is slow here still moves */
    }
    fanout_tick(w->r.f, w->r.wall_ms, w->r.mono_ns);
}

static void op_client(struct world *w, struct seen_by *c)
{
    switch (roll(w, 12)) {
    case 0:
        c->peer.broken = true; /* at the next write */
        break;
    case 1:
        fanout_client_closing(c->peer.client);
        peer_free(&c->peer);
        open_peer(w, c);
        break;
    case 2:
    case 3:
    case 4:
        c->peer.room = roll(w, 1500);
        break;
    default:
        peer_drain(&c->peer, roll(w, 3) ? PEER_ROOMY : roll(w, 4000));
        break;
    }
}

static void op(struct world *w)
{
    struct seen_by *c = &w->c[roll(w, PEERS)];
    unsigned n = roll(w, 100);
    bool room_for_acks = c->acks_len < ACKS_MAX;
    if (n < 50)
        op_quote(w);
    else if (n < 58 && room_for_acks)
        op_subscribe(w, c);
    else if (n < 63 && room_for_acks)
        op_unsubscribe(w, c);
    else if (n < 64 && room_for_acks)
        op_reset(w, c);
    else if (n < 66 && room_for_acks) {
        expect_ack(c, "subscriptions");
        peer_say(&c->peer, "{\"action\":\"list\"}");
    } else if (n < 70)
        op_status(w);
    else if (n < 80)
        op_time(w);
    else
        op_client(w, c);
    if (w->exact || roll(w, 3) == 0)
        fanout_turn(w->r.f, w->r.mono_ns);
    check_all(w);
}

/* --- when all is quiet --- */

static void settle(struct world *w)
{
    for (int round = 0; round < 20; round++) {
        rig_pass_ms(&w->r, 100);
        fanout_tick(w->r.f, w->r.wall_ms, w->r.mono_ns);
        fanout_turn(w->r.f, w->r.mono_ns);
        check_all(w);
        for (int i = 0; i < PEERS; i++)
            peer_drain(&w->c[i].peer, PEER_ROOMY);
        check_all(w);
    }
}

static void check_quiet(struct world *w)
{
    settle(w);
    for (int i = 0; i < PEERS; i++) {
        struct seen_by *c = &w->c[i];
        assert_int_equal(c->acks_len, 0);
        assert_int_equal(c->peer.client->path, CLIENT_SHARED);
        assert_true(c->snapshots_due <= 0);
        if (w->exact)
            assert_int_equal(c->told_merged, c->merged);
        for (int s = 0; s < SYMBOLS; s++) {
            assert_int_equal(c->want[s], c->acked[s]);
            if (!c->want[s] || c->blind[s])
                continue;
            assert_int_equal(c->seen[s], w->version[s]);
            assert_int_equal(c->known[s], w->told[s]);
        }
    }
    for (int s = 0; s < SYMBOLS; s++)
        assert_int_equal(fanout_standing(w->r.f, s, w->r.wall_ms).state, w->told[s]);
}

static void run(uint64_t seed, bool exact)
{
    static struct world w;
    const char *symbols[SYMBOLS];
    memset(&w, 0, sizeof w);
    w.random = seed;
    w.exact = exact;
    for (int s = 0; s < SYMBOLS; s++) {
        snprintf(w.names[s], sizeof w.names[s], "%c%d", (char)('A' + s % GROUPS), s);
        symbols[s] = w.names[s];
        w.told[s] = STATE_UNAVAILABLE;
    }
    rig_prepare(&w.r, symbols, SYMBOLS);
    w.r.config.limits.symbols_per_connection = LIMIT;
    w.r.config.limits.commands_per_minute = 1000000000;
    w.r.config.fanout.flush_ms = exact ? 0 : 10;
    rig_start(&w.r);
    for (int i = 0; i < PEERS; i++)
        open_peer(&w, &w.c[i]);
    for (int i = 0; i < 10000; i++) {
        op(&w);
        if (i % 500 == 499)
            check_quiet(&w);
    }
    /* a run in which little happened proves little */
    assert_true(w.quotes > 5000 && w.statuses > 500 && w.snapshots > 200);
    assert_true(w.flows > 20 && w.closed > 5);
    for (int i = 0; i < PEERS; i++)
        peer_free(&w.c[i].peer);
    assert_int_equal(w.r.f->views.used, 0);
    assert_int_equal(w.r.metrics.subscriptions, 0);
    assert_int_equal(w.r.metrics.connections, 0);
    rig_fini(&w.r);
}

static void test_every_update_flushed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        run(seed, true);
}

static void test_updates_merged(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 105; seed++)
        run(seed, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_update_flushed),
        cmocka_unit_test(test_updates_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
