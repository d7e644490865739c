/* Heartbeats, pings and the ways to run out of time; the clock is moved by hand. */
#include "rig.h"

#include "upkeep.h"

/* Ticks until the fan-out closes p, at most ms; returns how long it took. */
static int64_t until_closed(struct rig *r, const struct peer *p, int64_t ms)
{
    int64_t took = 0;
    for (; !p->closed && took < ms; took += 100)
        rig_tick_ms(r, 100);
    return took;
}

static void test_heartbeat(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    rig_tick_ms(&r, 19900);
    peer_expect_nothing(&p);
    assert_int_equal(p.pings, 0);
    int64_t took = 19900;
    while (peer_waiting(&p) == 0 && took < 30000) {
        rig_tick_ms(&r, 100);
        took += 100;
    }
    assert_in_range(took, 20000, 22700); /* one eighth of spread, one tick */
    assert_int_equal(p.pings, 1);
    assert_int_equal(p.writes, 2); /* welcome, then ping and heartbeat at once */
    assert_int_equal(r.metrics.frames, 2);
    json_t *j = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "heartbeat");
    assert_int_equal(json_integer_value(json_object_get(j, "ts")), r.wall_ms);
    json_decref(j);
    peer_free(&p);
    rig_fini(&r);
}

/* While quotes go out there is no heartbeat, but pings: somebody who only listens must be able to
 * show that he lives. */
static void test_busy_market(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    for (int s = 0, pings = 0; s < 300; s++) {
        rig_quote(&r, COFFEE, "1");
        rig_tick_ms(&r, 1000);
        if (p.pings != pings)
            fanout_client_alive(p.client, r.mono_ns); /* its pong */
        pings = p.pings;
    }
    assert_false(p.closed);
    assert_in_range(p.pings, 300 / 23, 300 / 20);
    json_t *j;
    while ((j = peer_next(&p))) {
        assert_string_not_equal(json_string_value(json_object_get(j, "type")), "heartbeat");
        json_decref(j);
    }
    peer_free(&p);
    rig_fini(&r);
}

/* A thousand clients opened at once do not get their heartbeats at once. */
static void test_spread(void **state)
{
    enum { N = 1000 };
    static struct peer p[N];
    struct rig r;
    int most = 0, all = 0;
    (void)state;
    rig_init(&r);
    for (int i = 0; i < N; i++)
        peer_open(&p[i], &r);
    for (int tick = 0; tick < 240; tick++) {
        int before = all;
        rig_tick_ms(&r, 100);
        all = 0;
        for (int i = 0; i < N; i++)
            all += p[i].pings;
        most = all - before > most ? all - before : most;
    }
    assert_int_equal(all, N);
    assert_true(most < N / 8); /* 25 ticks: 40 each if perfectly even */
    for (int i = 0; i < N; i++)
        peer_free(&p[i]);
    rig_fini(&r);
}

static void test_idle(void **state)
{
    static const struct {
        int64_t heartbeat_ms, after_ms;
    } rows[] = {
        {20000, 45000 },
        {1000,  45000 },
        {60000, 135000}
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        struct peer p;
        rig_init(&r);
        r.config.fanout.heartbeat_ms = rows[i].heartbeat_ms;
        peer_open(&p, &r);
        rig_tick_ms(&r, 40000);
        peer_say(&p, "{\"action\":\"ping\"}");
        int64_t took = until_closed(&r, &p, 300000);
        assert_in_range(took, rows[i].after_ms, rows[i].after_ms + 200);
        assert_int_equal(p.reason, CLOSE_IDLE);
        peer_free(&p);
        rig_fini(&r);
    }
}

static void test_no_auth_in_time(void **state)
{
    struct rig r;
    struct peer late, good;
    (void)state;
    rig_init(&r);
    peer_open_as(&late, &r, ROLE_NONE);
    peer_open_as(&good, &r, ROLE_NONE);
    rig_tick_ms(&r, 9900);
    peer_say(&late, "{\"action\":\"auth\",\"token\":\"wrong\"}");
    peer_say(&good, "{\"action\":\"auth\",\"token\":\"viewer\"}");
    assert_false(late.closed);
    rig_tick_ms(&r, 200);
    assert_true(late.closed);
    assert_int_equal(late.reason, CLOSE_AUTH);
    assert_int_equal(close_reason_code(late.reason), 4001);
    rig_tick_ms(&r, 20000);
    assert_false(good.closed);
    peer_free(&late);
    peer_free(&good);
    rig_fini(&r);
}

/* Slow, but does it move? Judged by the bytes that the kernel still holds. */
static void test_stuck(void **state)
{
    static const struct {
        int64_t step;   /* how many of them the peer takes each second */
        int64_t refill; /* and how many come again */
        bool closed;
    } rows[] = {
        {0,  0, true },
        {1,  0, false},
        {-1, 0, true },
        {0,  7, true }
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        struct peer p;
        int s = 0;
        rig_init(&r);
        peer_open(&p, &r);
        peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
        p.room = 1;
        p.unsent = 100000;
        rig_quote(&r, COFFEE, "1");
        fanout_turn(r.f, r.mono_ns);
        assert_true(p.wants);
        for (; s < 60 && !p.closed; s++) {
            fanout_client_alive(p.client, r.mono_ns); /* its pongs do not prove that it reads */
            rig_tick_ms(&r, 1000);
            p.unsent += rows[i].refill - rows[i].step;
        }
        assert_int_equal(p.closed, rows[i].closed);
        if (p.closed) {
            assert_int_equal(p.reason, CLOSE_SLOW);
            assert_in_range(s, 30, 33);
        }
        peer_free(&p);
        rig_fini(&r);
    }
}

/* A client that is behind gets its ping in turn, not pushed at a full socket; and taking bytes
 * counts as life. */
static void test_ping_while_behind(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    p.room = 1;
    p.unsent = 1000;
    rig_quote(&r, COFFEE, "1");
    fanout_turn(r.f, r.mono_ns);
    for (int s = 0; s < 100; s++) {
        rig_tick_ms(&r, 1000);
        p.unsent--;
    }
    assert_false(p.closed);
    assert_int_equal(p.pings, 0);
    peer_forget(&p);
    peer_drain(&p, PEER_ROOMY);
    assert_int_equal(p.pings, 1);
    peer_free(&p);
    rig_fini(&r);
}

/* A ping by itself is nothing that went out: the heartbeat still comes when it is due. And a socket
 * that filled up unseen gets its ping once there is room. */
static void test_ping_alone(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    rig_tick_ms(&r, 10000);
    rig_quote(&r, COFFEE, "1");
    rig_tick_ms(&r, 100);
    peer_forget(&p);
    int64_t took = 10100;
    for (; p.pings == 0 && took < 40000; took += 100)
        rig_tick_ms(&r, 100);
    assert_in_range(took, 20000, 22700);
    peer_expect_nothing(&p);
    for (; peer_waiting(&p) == 0 && took < 40000; took += 100)
        rig_tick_ms(&r, 100);
    assert_in_range(took, 30000, 32800);
    assert_int_equal(p.pings, 2);

    p.room = 0;
    fanout_client_alive(p.client, r.mono_ns);
    for (int i = 0; i < 240 && !p.wants; i++)
        rig_tick_ms(&r, 100);
    assert_true(p.wants);
    assert_int_equal(p.pings, 2);
    peer_drain(&p, PEER_ROOMY);
    assert_int_equal(p.pings, 3);
    assert_int_equal(p.client->path, CLIENT_SHARED);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_busy_market),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_no_auth_in_time),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_ping_while_behind),
        cmocka_unit_test(test_ping_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
