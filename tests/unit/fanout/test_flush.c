/* One run of bytes for everybody: shared, counted, safe when clients go away in the middle. */
#include "rig.h"

#include "flush.h"
#include "frame.h"

enum { PEERS = 5 };

static void open_all(struct peer *p, struct rig *r, const char *symbols)
{
    char text[200];
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":%s}", symbols);
    for (int i = 0; i < PEERS; i++) {
        peer_open(&p[i], r);
        peer_say(&p[i], text);
        peer_forget(&p[i]);
        p[i].writes = 0;
    }
}

static void free_all(struct peer *p)
{
    for (int i = 0; i < PEERS; i++)
        peer_free(&p[i]);
}

static void test_one_write_each(void **state)
{
    struct rig r;
    struct peer p[PEERS];
    (void)state;
    rig_init(&r);
    open_all(p, &r, "[\"*\"]");
    uint64_t deliveries = r.metrics.deliveries, frames = r.metrics.frames;
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, AAPL, "2");
    rig_quote(&r, COFFEE, "3");
    assert_int_equal(rig_item(&r, EURUSD, "4", ",\"state\":\"stale\""), FANOUT_TAKEN);
    r.mono_ns += 2 * MS;
    flush_due(r.f, r.mono_ns);
    for (int i = 0; i < PEERS; i++) {
        assert_int_equal(p[i].writes, 1); /* quote and status leave together */
        json_t *j = peer_next(&p[i]);
        assert_int_equal(json_array_size(json_object_get(j, "data")), 3);
        json_decref(j);
        peer_expect(&p[i], "{\"type\":\"status\",\"data\":[{\"symbol\":\"EUR/USD\",\"state\":"
                           "\"live\",\"since\":1767225600000,\"market\":\"unknown\"}]}");
        peer_expect_nothing(&p[i]);
    }
    assert_int_equal(r.metrics.deliveries - deliveries, 3 * PEERS);
    assert_int_equal(r.metrics.frames - frames, 2 * PEERS);
    assert_int_equal(metrics_get(&r.metrics, METRIC_CONFLATED, "flush", NULL), 1 * PEERS);
    assert_int_equal(r.metrics.arrival_to_write.count, 1);
    assert_true(r.metrics.arrival_to_write.sum_s > 0.0019 &&
                r.metrics.arrival_to_write.sum_s < 0.0021);
    flush_due(r.f, r.mono_ns); /* nothing is pending any more */
    peer_expect_nothing(&p[0]);
    free_all(p);
    rig_fini(&r);
}

/* Any of them may break at the write, also all of them. */
static void test_closed_in_the_walk(void **state)
{
    (void)state;
    for (unsigned broken = 0; broken < 1u << PEERS; broken++) {
        struct rig r;
        struct peer p[PEERS];
        rig_init(&r);
        open_all(p, &r, "[\"coffee\"]");
        for (int i = 0; i < PEERS; i++)
            p[i].broken = broken >> i & 1;
        rig_quote(&r, COFFEE, "1");
        flush_due(r.f, r.mono_ns);
        for (int i = 0; i < PEERS; i++) {
            assert_int_equal(p[i].closed, p[i].broken);
            assert_int_equal(peer_waiting(&p[i]), p[i].broken ? 0 : 1);
        }
        assert_int_equal(r.f->views.used, broken == (1u << PEERS) - 1 ? 0 : 1);
        free_all(p);
        rig_fini(&r);
    }
}

/* Busy before the write: it owes all. Busy after it: nothing, or the runs that are still to come.
 */
static void test_busy(void **state)
{
    static struct rig r;
    static char names[700][8];
    const char *symbols[700];
    char more[4000];
    struct peer p[PEERS];
    (void)state;
    for (int i = 0; i < 700; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        symbols[i] = names[i];
    }
    rig_prepare(&r, symbols, 700);
    r.config.limits.symbols_per_connection = 700;
    rig_start(&r);
    open_all(p, &r, "[\"*\"]");
    snprintf(more, sizeof more, ",\"state\":\"live\",\"pad\":\"%0*d\"", 3600, 0);
    p[0].room = 0;       /* full before */
    p[1].room = 1;       /* after the first run */
    p[2].room = 1500000; /* after the second */
    for (int i = 0; i < 700; i++)
        assert_int_equal(rig_item(&r, i, "1", more), FANOUT_TAKEN);
    flush_due(r.f, r.mono_ns);
    assert_int_equal(p[3].writes, 3); /* 2.6 MB in runs of 1 MiB */
    assert_int_equal(p[0].writes, 0);
    assert_int_equal(p[1].writes, 1);
    assert_int_equal(p[2].writes, 2);
    for (int i = 0; i < PEERS; i++) {
        bool seen[700] = {false};
        size_t k;
        json_t *j, *item;
        for (int go = 0; go < 100 && p[i].wants; go++)
            peer_drain(&p[i], PEER_ROOMY);
        while ((j = peer_next(&p[i]))) {
            json_array_foreach(json_object_get(j, "data"), k, item)
            {
                long id = strtol(json_string_value(json_object_get(item, "symbol")) + 1, NULL, 10);
                assert_false(seen[id]);
                seen[id] = true;
            }
            json_decref(j);
        }
        for (int id = 0; id < 700; id++)
            assert_true(seen[id]);
        assert_true(p[i].largest <= (i == 0 ? FRAME_PAYLOAD_MAX : FRAME_FLUSH_MAX));
    }
    free_all(p);
    rig_fini(&r);
}

/* A batch of all instruments comes to everybody as one message. */
static void test_a_burst_is_one_frame(void **state)
{
    static struct rig r;
    static char names[500][8];
    const char *symbols[500];
    char more[200];
    struct peer p[PEERS];
    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        symbols[i] = names[i];
    }
    rig_prepare(&r, symbols, 500);
    rig_start(&r);
    open_all(p, &r, "[\"*\"]");
    snprintf(more, sizeof more, ",\"state\":\"live\",\"pad\":\"%0*d\"", 100, 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(rig_item(&r, i, "1", more), FANOUT_TAKEN);
    fanout_turn(r.f, r.mono_ns);
    for (int i = 0; i < PEERS; i++) {
        assert_int_equal(p[i].writes, 1);
        assert_true(p[i].largest > FRAME_PAYLOAD_MAX);
        json_t *j = peer_next(&p[i]);
        assert_int_equal(json_array_size(json_object_get(j, "data")), 500);
        json_decref(j);
        peer_expect_nothing(&p[i]);
    }
    free_all(p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_write_each),
        cmocka_unit_test(test_closed_in_the_walk),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_a_burst_is_one_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
