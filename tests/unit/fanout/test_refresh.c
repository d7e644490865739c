/* The `refresh` command with a polling half made of a notebook. */
#include "rig.h"

#include "refresh.h"

struct asked {
    int ids[8];
    size_t n;
    int calls;
    refresh_done *done;
    void *done_ctx;
    bool at_once;
};

static const struct refresh_result good_and_bad[] = {
    {.id = COFFEE,            .source = "yahoo"               },
    { .id = AAPL, .error = "budget", .source = "twelvedata", .message = "no credits are left"},
};

static void ask(void *ctx, const int *ids, size_t n, refresh_done *done, void *done_ctx)
{
    struct asked *a = ctx;
    memcpy(a->ids, ids, n * sizeof *ids);
    a->n = n;
    a->calls++;
    a->done = done;
    a->done_ctx = done_ctx;
    if (a->at_once)
        done(done_ctx, good_and_bad, n);
}

struct scene {
    struct rig r;
    struct peer p;
    struct asked asked;
    struct feed_port port;
};

static void scene_init(struct scene *s, enum role role)
{
    static const char *const symbols[] = {"coffee", "EUR/USD", "EUR/GBP", "AAPL"};
    memset(s, 0, sizeof *s);
    rig_prepare(&s->r, symbols, ARRAY_LEN(symbols));
    s->port = (struct feed_port){.ctx = &s->asked, .refresh = ask};
    s->r.ports.feed = &s->port;
    rig_start(&s->r);
    peer_open_as(&s->p, &s->r, role);
    peer_forget(&s->p);
}

static void scene_fini(struct scene *s)
{
    peer_free(&s->p);
    rig_fini(&s->r);
}

#define REFRESH "{\"action\":\"refresh\",\"symbols\":[\"coffee\",\"FOO\",\"AAPL\"],\"id\":6}"
#define ANSWER                                                                                     \
    "{\"type\":\"refreshed\",\"id\":6,\"symbols\":[\"coffee\"],\"rejected\":[{\"symbol\":\"FOO\"," \
    "\"error\":\"unknown_symbol\",\"message\":\"...\"},{\"symbol\":\"AAPL\",\"error\":\"budget\"," \
    "\"message\":\"no credits are left\"}]}"

static void test_answered(void **state)
{
    (void)state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct scene s;
        scene_init(&s, ROLE_ANALYST);
        s.asked.at_once = at_once;
        peer_say(&s.p, REFRESH);
        assert_int_equal(s.asked.calls, 1);
        assert_int_equal(s.asked.n, 2);
        assert_int_equal(s.asked.ids[0], COFFEE);
        assert_int_equal(s.asked.ids[1], AAPL);
        if (!at_once) {
            peer_expect_nothing(&s.p);
            peer_say(&s.p, "{\"action\":\"ping\"}"); /* it does not wait for that */
            json_decref(peer_until(&s.p, "pong"));
            s.asked.done(s.asked.done_ctx, good_and_bad, 2);
        }
        peer_expect(&s.p, ANSWER);
        assert_null(s.p.client->tickets);
        scene_fini(&s);
    }
}

static void test_client_gone(void **state)
{
    struct scene s;
    (void)state;
    scene_init(&s, ROLE_ADMIN);
    peer_say(&s.p, REFRESH);
    struct asked first = s.asked;
    peer_say(&s.p, REFRESH);
    peer_free(&s.p);
    s.asked.done(s.asked.done_ctx, good_and_bad, 2);
    rig_fini(&s.r); /* even the fan-out may be gone */
    first.done(first.done_ctx, good_and_bad, 2);
}

static void test_closing_client(void **state)
{
    struct scene s;
    (void)state;
    scene_init(&s, ROLE_ANALYST);
    peer_say(&s.p, REFRESH);
    fanout_client_closing(s.p.client);
    s.asked.done(s.asked.done_ctx, good_and_bad, 2);
    peer_expect_nothing(&s.p);
    scene_fini(&s);
}

static void test_refused(void **state)
{
    static const struct {
        const char *say;
        int code;
    } rows[] = {
        {"{\"action\":\"refresh\",\"symbols\":[\"FOO\",\"BAR\"]}", 404},
        {"{\"action\":\"refresh\",\"symbols\":[]}",                404},
        {"{\"action\":\"refresh\",\"symbols\":[1]}",               400},
        {"{\"action\":\"refresh\"}",                               400},
    };
    struct scene s;
    (void)state;
    scene_init(&s, ROLE_ANALYST);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        peer_say(&s.p, rows[i].say);
        json_t *j = peer_until(&s.p, "error");
        assert_int_equal(json_integer_value(json_object_get(j, "code")), rows[i].code);
        json_decref(j);
        peer_expect_nothing(&s.p);
    }
    assert_int_equal(s.asked.calls, 0);
    scene_fini(&s);
}

static void test_nobody_polls(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open_as(&p, &r, ROLE_ADMIN);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"refresh\",\"symbols\":[\"coffee\"]}");
    peer_expect(&p, "{\"type\":\"refreshed\",\"symbols\":[],\"rejected\":[{\"symbol\":\"coffee\","
                    "\"error\":\"disabled\",\"message\":\"...\"}]}");
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),       cmocka_unit_test(test_client_gone),
        cmocka_unit_test(test_closing_client), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nobody_polls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
