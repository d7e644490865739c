/* The life of a connection: opened, closed by whom, counted once; memory and sockets that fail. */
#include "rig.h"

#include "client.h"
#include "owed.h"

static void test_counted(void **state)
{
    struct rig r;
    struct peer a, b;
    (void)state;
    rig_init(&r);
    peer_open(&a, &r);
    peer_open(&b, &r);
    assert_string_not_equal(a.client->session, b.client->session);
    assert_int_equal(fanout_clients(r.f), 2);
    assert_int_equal(r.metrics.connections, 2);
    peer_say(&a, "{\"action\":\"subscribe\",\"symbols\":[\"E*\"]}");
    peer_say(&b, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    assert_int_equal(r.metrics.subscriptions, 6);
    assert_int_equal(r.f->views.used, 2);
    fanout_client_closing(a.client);
    fanout_client_closing(a.client);
    assert_int_equal(r.metrics.subscriptions, 4);
    assert_int_equal(r.f->views.used, 1);
    assert_int_equal(fanout_clients(r.f), 2);
    assert_false(a.closed); /* somebody else began it */
    peer_free(&a);
    assert_int_equal(r.metrics.connections, 1);
    assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "peer", NULL), 1);
    fanout_client_reason(b.client, CLOSE_TOO_BIG);
    fanout_client_reason(b.client, CLOSE_SHUTDOWN); /* the first one counts */
    peer_free(&b);
    assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "too_big", NULL), 1);
    assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "shutdown", NULL), 0);
    assert_int_equal(r.f->views.used, 0);
    assert_int_equal(r.f->wheel.used, 0);
    rig_fini(&r);
}

/* Nothing is written once a close has begun, whoever began it and whatever is called. */
static void test_silent_when_closing(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    peer_forget(&p);
    fanout_client_closing(p.client);
    p.closed = true; /* the sink now fails the test at any call */
    rig_quote(&r, COFFEE, "1");
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    peer_say(&p, "{\"action\":\"ping\"}");
    peer_say(&p, "nonsense");
    fanout_client_alive(p.client, r.mono_ns);
    fanout_client_writable(p.client, r.mono_ns);
    fanout_goaway(r.f, "shutdown", 100);
    rig_tick_ms(&r, 60000);
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

static void test_broken_socket(void **state)
{
    static const char *const says[] = {"{\"action\":\"ping\"}",
                                       "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"]}",
                                       "{\"action\":\"reset\"}", "nonsense"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        struct rig r;
        struct peer p;
        rig_init(&r);
        peer_open(&p, &r);
        peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
        rig_quote(&r, COFFEE, "1"); /* pending: the change of view flushes it first */
        p.broken = true;
        peer_say(&p, says[i]);
        assert_true(p.closed);
        assert_int_equal(p.reason, CLOSE_WRITE);
        assert_int_equal(r.f->views.used, 0);
        peer_free(&p);
        assert_int_equal(metrics_get(&r.metrics, METRIC_DISCONNECTS, "write", NULL), 1);
        rig_fini(&r);
    }
}

static void test_goaway(void **state)
{
    struct rig r;
    struct peer p[20];
    int64_t least = INT64_MAX, most = 0;
    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        peer_open(&p[i], &r);
    p[3].broken = true;
    p[4].room = 0; /* full: in its lane */
    fanout_goaway(r.f, "shutdown", 4000);
    assert_int_equal(p[3].reason, CLOSE_WRITE);
    peer_expect_nothing(&p[4]);
    peer_drain(&p[4], PEER_ROOMY);
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        if (i == 3)
            continue;
        json_t *j = peer_next(&p[i]);
        int64_t ms = json_integer_value(json_object_get(j, "reconnect_ms"));
        assert_string_equal(json_string_value(json_object_get(j, "type")), "goaway");
        assert_string_equal(json_string_value(json_object_get(j, "reason")), "shutdown");
        assert_in_range(ms, 500, 4500);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
        json_decref(j);
    }
    assert_true(most - least > 400); /* 19 of 4000 ms: spread, not all the same */
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        peer_free(&p[i]);
    rig_fini(&r);
}

/* A subscribe whose ack refuses a thousand names: some 100 kB. */
static void say_much(struct peer *p, int id)
{
    struct buf b = {0};
    buf_addf(&b, "{\"action\":\"subscribe\",\"id\":%d,\"symbols\":[\"coffee\"", id);
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, ",\"none-%03d\"", i);
    buf_adds(&b, "]}");
    assert_false(b.failed);
    peer_say(p, b.p);
    buf_fini(&b);
}

/* One answer may be longer than the lane of control messages: it was asked for, and is waited for.
 * A second one may not. */
static void test_ack_longer_than_the_lane(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    p.room = 0;
    say_much(&p, 1);
    assert_false(p.closed);
    peer_expect_nothing(&p);
    assert_true(p.client->owed->lane.len > (size_t)r.config.limits.acks_bytes);
    peer_drain(&p, PEER_ROOMY);
    json_t *j = peer_next(&p);
    assert_int_equal(json_integer_value(json_object_get(j, "id")), 1);
    assert_int_equal(json_array_size(json_object_get(j, "rejected")), 1000);
    json_decref(j);
    peer_drain(&p, PEER_ROOMY); /* that was its share of one go; the snapshot follows */
    json_decref(peer_until(&p, "quote"));
    assert_int_equal(p.client->path, CLIENT_SHARED);

    p.room = 0;
    say_much(&p, 2);
    assert_false(p.closed);
    peer_say(&p, "{\"action\":\"ping\"}");
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_SLOW);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_silent_when_closing),
        cmocka_unit_test(test_broken_socket),
        cmocka_unit_test(test_goaway),
        cmocka_unit_test(test_ack_longer_than_the_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
