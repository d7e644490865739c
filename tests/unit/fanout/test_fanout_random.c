/* Ten thousand random operations against a model that is too naive to be wrong in the same way.
 *
 * The model knows no views, no bits and no paths. It keeps, per client, what it asked for and what
 * it has seen, and checks each frame as it comes:
 *   - acks come in the order of the commands, with exactly the expected sets
 *   - a quote is of a subscribed symbol, is the newest there is, and was not seen before
 *   - a snapshot holds only what was newly subscribed, and comes before its updates
 *   - a symbol is at most once in a frame; a status tells a change
 *   - quotes come in frames of quotes, observations in theirs, and no frame is empty but a
 *     snapshot
 *   - an item has the fields that were asked for; one with an interval comes once in each, counted
 *     from its snapshot, and nothing waits longer than that
 *   - what a client says it has is not in its snapshot
 * and, whenever all sockets have drained: every client has the newest of everything it wants, knows
 * its state, and was told exactly how many updates it missed. */
#include "model.h"

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

/* For every symbol a version that the client says it has, some of them right. */
static void random_since(struct world *w, char *text, size_t size, bool *has)
{
    size_t len = (size_t)snprintf(text, size, ",\"since\":{\"nothing\":\"1:1\"");
    for (int s = 0; s < SYMBOLS; s++) {
        unsigned kind = roll(w, 4);
        uint64_t counter = w->seq[s] - (kind == 1 && w->seq[s] > 0) + (kind == 2);
        len += (size_t)snprintf(text + len, size - len, ",\"%s\":\"%d:%llu\"", w->names[s],
                                kind == 3 ? 2 : 1, (unsigned long long)counter);
        has[s] = w->seq[s] > 0 && (kind == 0 || kind == 2);
    }
    snprintf(text + len, size - len, "}");
}

static struct wish random_wish(struct world *w, const struct seen_by *c)
{
    static const int64_t intervals[] = {0, 1, 7, 40, 40, 150, 700, 1500};
    bool hasty = c < &w->c[HASTY];
    return (struct wish){
        .interval_ms = hasty ? 0 : intervals[roll(w, ARRAY_LEN(intervals))],
        .fields = roll(w, 2) ? ALL_FIELDS : roll(w, 3),
    };
}

/* A symbol that was taken, and is new or wanted in another way. */
static void take_fresh(struct world *w, struct seen_by *c, struct ack *a, int s, bool has)
{
    a->fresh[s] = true;
    a->added[s] = !c->want[s];
    c->want[s] = a->active[s] = true;
    c->wishes[s] = a->wish;
    if (a->added[s])
        c->unseen[s] = 0;
    if (a->added[s] || a->snapshot)
        c->blind[s] = !a->snapshot;
    a->has[s] = has && a->snapshot;
    if (!a->has[s])
        return;
    see(w, c, s); /* what it has it does not miss */
    w->spared++;
}

static void op_subscribe(struct world *w, struct seen_by *c)
{
    char list[200], since[2048] = "", text[2600];
    bool has[SYMBOLS] = {false};
    int order[SYMBOLS];
    size_t n, unknown, have = 0;
    bool snapshot = roll(w, 5) > 0;
    random_list(w, list, sizeof list, order, &n, &unknown);
    for (int s = 0; s < SYMBOLS; s++)
        have += c->want[s];
    struct ack *a = expect_ack(c, "subscribed");
    a->rejected = unknown;
    a->snapshot = snapshot;
    a->wish = random_wish(w, c);
    a->at_ns = w->r.mono_ns;
    memcpy(a->version, w->version, sizeof a->version);
    memcpy(a->said, w->said, sizeof a->said);
    for (int s = 0; s < SYMBOLS; s++) /* whose item lies has missed a change already */
        a->changes[s] = w->changes[s] - (w->said[s] != (int)w->told[s]);
    if (roll(w, 3) == 0)
        random_since(w, since, sizeof since, has);
    for (size_t i = 0; i < n; i++) {
        int s = order[i];
        if (!c->want[s] && have >= LIMIT) {
            a->rejected++;
            continue;
        }
        a->named[s] = true;
        have += !c->want[s];
        if (!c->want[s] || c->wishes[s].interval_ms != a->wish.interval_ms ||
            c->wishes[s].fields != a->wish.fields)
            take_fresh(w, c, a, s, has[s]);
    }
    snprintf(text, sizeof text,
             "{\"action\":\"subscribe\",\"symbols\":%s%s%s%s,\"interval_ms\":%d}", list,
             snapshot ? "" : ",\"snapshot\":false", fields_text[a->wish.fields], since,
             (int)a->wish.interval_ms);
    peer_say(&c->peer, text);
}

static void give_up(struct world *w, struct seen_by *c, struct ack *a, int s)
{
    if (!c->want[s])
        return;
    a->named[s] = true;
    a->active[s] = c->want[s] = false;
    see(w, c, s); /* what is lost now was not replaced by a newer one */
}

static void op_unsubscribe(struct world *w, struct seen_by *c)
{
    char list[200], text[300];
    int order[SYMBOLS];
    size_t n, unknown;
    random_list(w, list, sizeof list, order, &n, &unknown);
    struct ack *a = expect_ack(c, "unsubscribed");
    for (size_t i = 0; i < n; i++)
        give_up(w, c, a, order[i]);
    snprintf(text, sizeof text, "{\"action\":\"unsubscribe\",\"symbols\":%s}", list);
    peer_say(&c->peer, text);
}

static void op_reset(struct world *w, struct seen_by *c)
{
    struct ack *a = expect_ack(c, "unsubscribed");
    for (int s = 0; s < SYMBOLS; s++)
        give_up(w, c, a, s);
    peer_say(&c->peer, "{\"action\":\"reset\"}");
}

static void op_quote(struct world *w)
{
    static const enum quote_state says[] = {STATE_LIVE, STATE_LIVE, STATE_LIVE, STATE_LIVE,
                                            STATE_DELAYED};
    char price[24], more[80];
    int s = (int)roll(w, SYMBOLS);
    if (roll(w, 2)) /* some are busier than others */
        s %= 7;
    w->said[s] = (int)says[roll(w, ARRAY_LEN(says))];
    snprintf(price, sizeof price, "%llu", (unsigned long long)++w->version[s]);
    snprintf(more, sizeof more, ",\"state\":\"%s\",\"market\":\"open\"",
             quote_state_name((enum quote_state)w->said[s]));
    w->seq[s] = w->r.counter + 1;
    for (int i = 0; i < PEERS; i++)
        if (w->c[i].want[s]) {
            if (w->c[i].unseen[s]++ == 0)
                w->c[i].unseen_ns[s] = w->r.mono_ns;
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
        leave(w, c);
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
        if (w->exact && i < HASTY)
            assert_int_equal(c->told_merged, c->merged);
        for (int s = 0; s < SYMBOLS; s++) {
            assert_int_equal(c->want[s], c->acked[s]);
            if (!c->want[s] || c->blind[s])
                continue;
            assert_int_equal(c->seen[s], w->version[s]);
            if (!c->deaf[s] || c->known[s] >= 0)
                assert_int_equal(c->known[s], w->told[s]);
        }
    }
    if (w->exact) {
        const struct metrics *m = &w->r.metrics;
        assert_in_range(metrics_get(m, METRIC_CONFLATED, "slow", NULL) +
                            metrics_get(m, METRIC_CONFLATED, "interval", NULL),
                        w->merged, w->merged_max);
    }
    for (int s = 0; s < SYMBOLS; s++)
        assert_int_equal(fanout_standing(w->r.f, s, w->r.wall_ms).state, w->told[s]);
}

/* Of which kind is s? In life the observations come last; the fan-out does not rely on it. */
enum mixture { OBSERVATIONS_LAST, OBSERVATIONS_BETWEEN };
static enum instrument_kind kind_of(int s, enum mixture mixture)
{
    bool observation = mixture == OBSERVATIONS_LAST ? s >= SYMBOLS - 25 : s % 3 == 1;
    return observation ? INSTRUMENT_OBSERVATION : INSTRUMENT_QUOTE;
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
    for (int s = 0; s < SYMBOLS; s++)
        w.r.instruments[s].kind = kind_of(s, seed % 2 ? OBSERVATIONS_LAST : OBSERVATIONS_BETWEEN);
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
    assert_true(w.quotes > 4000 && w.observations > 1000);
    assert_true(w.statuses > 500 && w.snapshots > 200);
    assert_true(w.flows > 20 && w.closed > 5);
    assert_true(w.paced > 500 && w.cut > 500 && w.spared > 50);
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
