/* limits.connection_age_s: each has its moment, is told before, and loses nothing by it. */
#include "carry.h"
#include "rig.h"

enum { AGE_S = 20, CROWD = 60 };

static int64_t goaway_ms(struct peer *p)
{
    int64_t ms = -1;
    for (json_t *j; (j = peer_next(p));) {
        if (strcmp(json_string_value(json_object_get(j, "type")), "goaway") == 0) {
            assert_int_equal(ms, -1); /* once */
            assert_string_equal(json_string_value(json_object_get(j, "reason")), "age");
            ms = json_integer_value(json_object_get(j, "reconnect_ms"));
        }
        json_decref(j);
    }
    return ms;
}

/* What happened to a crowd that came together, by the time since then. */
struct fate {
    int64_t told_ms, closed_ms; /* 0 = not yet */
};

static void live_ms(struct rig *r, struct peer *p, struct fate *fate, int64_t ms)
{
    const int64_t begun_ns = p[0].client->since_ns;
    for (int64_t t = 0; t < ms; t += 100) {
        rig_tick_ms(r, 100);
        for (size_t i = 0; i < CROWD; i++) {
            int64_t reconnect_ms = goaway_ms(&p[i]);
            int64_t now_ms = (r->mono_ns - begun_ns) / MS;
            if (reconnect_ms >= 0) {
                assert_in_range(reconnect_ms, 0, AGE_S * 1000 / 16);
                fate[i].told_ms = now_ms;
            }
            if (p[i].closed && fate[i].closed_ms == 0)
                fate[i].closed_ms = now_ms;
        }
    }
}

static void a_crowd_goes_one_after_the_other(void **state)
{
    static struct peer p[CROWD];
    struct fate fate[CROWD] = {{0}};
    struct rig r;
    int64_t first = INT64_MAX, last = 0;
    size_t most = 0;
    (void)state;
    rig_init(&r);
    r.config.limits.connection_age_s = AGE_S;
    for (size_t i = 0; i < CROWD; i++)
        peer_open(&p[i], &r);
    live_ms(&r, p, fate, AGE_S * 1000 + 200);
    for (size_t i = 0; i < CROWD; i++) {
        assert_true(p[i].closed);
        assert_int_equal(p[i].reason, CLOSE_AGE);
        assert_in_range(fate[i].closed_ms, AGE_S * 500, AGE_S * 1000 + 200);
        assert_in_range(fate[i].closed_ms - fate[i].told_ms, 4900, 5200);
        first = fate[i].closed_ms < first ? fate[i].closed_ms : first;
        last = fate[i].closed_ms > last ? fate[i].closed_ms : last;
        size_t together = 0;
        for (size_t k = 0; k < CROWD; k++)
            together += fate[k].closed_ms == fate[i].closed_ms;
        most = together > most ? together : most;
    }
    assert_true(last - first > AGE_S * 300); /* of 10 s */
    assert_true(most < CROWD / 4);
    for (size_t i = 0; i < CROWD; i++)
        peer_free(&p[i]);
    assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "age", NULL), CROWD);
    rig_fini(&r);
}

/* The next connection may be there before this one is given up. */
static void between_the_word_and_the_end_all_goes_on(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.config.limits.connection_age_s = AGE_S;
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    while (goaway_ms(&p) < 0)
        rig_tick_ms(&r, 100);
    rig_tick_ms(&r, 4000);
    assert_false(p.closed);
    rig_quote(&r, COFFEE, "7");
    rig_tick_ms(&r, 100);
    json_t *j = peer_next(&p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "quote");
    json_decref(j);
    rig_tick_ms(&r, 1200);
    assert_true(p.closed);
    peer_free(&p);
    rig_fini(&r);
}

static void one_that_does_not_read_goes_too(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.config.limits.connection_age_s = AGE_S;
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    peer_forget(&p);
    p.room = 0;
    rig_quote(&r, COFFEE, "1");
    rig_tick_ms(&r, 100);
    assert_int_equal(p.client->path, CLIENT_BEHIND);
    rig_tick_ms(&r, AGE_S * 1000);
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_AGE);
    peer_free(&p);
    rig_fini(&r);
}

static void without_an_age_nobody_goes(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    for (int h = 0; h < 48; h++) {
        fanout_client_alive(p.client, r.mono_ns);
        rig_pass_ms(&r, 3600000 - 100);
        fanout_client_alive(p.client, r.mono_ns);
        rig_tick_ms(&r, 100);
        assert_int_equal(goaway_ms(&p), -1);
    }
    assert_false(p.closed);
    peer_free(&p);
    rig_fini(&r);
}

/* All who are older than the new age would go at once, if it counted from their beginning. */
static void a_reload_counts_anew(void **state)
{
    static struct peer p[CROWD];
    static const char *const symbols[] = {"coffee"};
    struct fate fate[CROWD] = {{0}};
    struct instrument_map map;
    struct rig a, b;
    (void)state;
    rig_prepare(&a, symbols, 1);
    rig_prepare(&b, symbols, 1);
    b.config.limits.connection_age_s = AGE_S;
    rig_start(&a);
    rig_start(&b);
    assert_int_equal(instrument_map_init(&map, &a.config, &b.config), 0);
    for (size_t i = 0; i < CROWD; i++)
        peer_open(&p[i], &a);
    rig_tick_ms(&a, 40000);
    b.wall_ms = a.wall_ms;
    b.mono_ns = a.mono_ns;
    carry_flush(a.f, a.mono_ns);
    while (a.f->clients)
        carry_client(a.f->clients, b.f, &map, (struct moment){a.wall_ms, a.mono_ns});
    for (size_t i = 0; i < CROWD; i++) {
        p[i].rig = &b;
        fanout_client_alive(p[i].client, b.mono_ns);
    }
    live_ms(&b, p, fate, AGE_S * 500 - 5000 - 100);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(fate[i].told_ms, 0);
    live_ms(&b, p, fate, AGE_S * 500 + 5000 + 300);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(p[i].reason, CLOSE_AGE);
    for (size_t i = 0; i < CROWD; i++)
        peer_free(&p[i]);
    instrument_map_fini(&map);
    rig_fini(&a);
    rig_fini(&b);
}

/* Who was told to go goes, though the age is gone meanwhile; the others stay. */
static void a_reload_may_end_it(void **state)
{
    static const char *const symbols[] = {"coffee"};
    struct instrument_map map;
    struct peer told, young;
    struct rig a, b;
    (void)state;
    rig_prepare(&a, symbols, 1);
    rig_prepare(&b, symbols, 1);
    a.config.limits.connection_age_s = AGE_S;
    rig_start(&a);
    rig_start(&b);
    assert_int_equal(instrument_map_init(&map, &a.config, &b.config), 0);
    peer_open(&told, &a);
    while (goaway_ms(&told) < 0)
        rig_tick_ms(&a, 100);
    peer_open(&young, &a);
    b.wall_ms = a.wall_ms;
    b.mono_ns = a.mono_ns;
    while (a.f->clients)
        carry_client(a.f->clients, b.f, &map, (struct moment){a.wall_ms, a.mono_ns});
    told.rig = young.rig = &b;
    rig_tick_ms(&b, AGE_S * 1000 + 1000);
    assert_int_equal(told.reason, CLOSE_AGE);
    assert_true(told.closed);
    assert_false(young.closed);
    peer_free(&told);
    peer_free(&young);
    instrument_map_fini(&map);
    rig_fini(&a);
    rig_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_goes_one_after_the_other),
        cmocka_unit_test(between_the_word_and_the_end_all_goes_on),
        cmocka_unit_test(one_that_does_not_read_goes_too),
        cmocka_unit_test(without_an_age_nobody_goes),
        cmocka_unit_test(a_reload_counts_anew),
        cmocka_unit_test(a_reload_may_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
