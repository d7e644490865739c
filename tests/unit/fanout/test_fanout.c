/* The facade: when it flushes, and how changes of state reach a subscriber. */
#include "rig.h"

static void open_on_coffee(struct peer *p, struct rig *r)
{
    peer_open(p, r);
    peer_say(p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    peer_forget(p);
}

static size_t frames_after_turn(struct rig *r, struct peer *p, int64_t turn)
{
    assert_int_equal(fanout_turn(r->f, r->mono_ns), turn);
    size_t n = peer_waiting(p);
    peer_forget(p);
    return n;
}

static void test_flush_policy(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on_coffee(&p, &r);
    assert_int_equal(frames_after_turn(&r, &p, -1), 0);
    rig_quote(&r, COFFEE, "1"); /* quiet before: at once */
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_pass_ms(&r, 3);
    rig_quote(&r, COFFEE, "2"); /* busy: when 10 ms are over */
    assert_int_equal(frames_after_turn(&r, &p, 7 * MS), 0);
    rig_pass_ms(&r, 6);
    rig_quote(&r, COFFEE, "3");
    assert_int_equal(frames_after_turn(&r, &p, 1 * MS), 0);
    rig_pass_ms(&r, 1);
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_pass_ms(&r, 10);
    rig_quote(&r, COFFEE, "4");
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);

    rig_pass_ms(&r, 10);
    r.config.fanout.flush_ms = 0; /* every turn */
    rig_quote(&r, COFFEE, "5");
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_quote(&r, COFFEE, "6");
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_quote(&r, AAPL, "1"); /* nobody wants it: nothing to be called for */
    assert_int_equal(frames_after_turn(&r, &p, -1), 0);
    peer_free(&p);
    rig_fini(&r);
}

/* A subscription that was quiet does not wait because another one is busy. */
static void test_each_view_has_its_rhythm(void **state)
{
    struct rig r;
    struct peer p, q;
    (void)state;
    rig_init(&r);
    open_on_coffee(&p, &r);
    peer_open(&q, &r);
    peer_say(&q, "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"]}");
    peer_forget(&q);
    rig_quote(&r, COFFEE, "1");
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_pass_ms(&r, 3);
    rig_quote(&r, COFFEE, "2");
    rig_quote(&r, AAPL, "1");
    assert_int_equal(frames_after_turn(&r, &p, 7 * MS), 0);
    assert_int_equal(peer_waiting(&q), 1);
    peer_forget(&q);
    rig_quote(&r, AAPL, "2");
    rig_pass_ms(&r, 7);
    assert_int_equal(frames_after_turn(&r, &p, 3 * MS), 1);
    assert_int_equal(peer_waiting(&q), 0);
    rig_pass_ms(&r, 3);
    assert_int_equal(frames_after_turn(&r, &q, -1), 1);
    peer_free(&p);
    peer_free(&q);
    rig_fini(&r);
}

static void test_older_and_duplicate_are_silent(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on_coffee(&p, &r);
    struct item *it = rig_make(&r, COFFEE, "1", r.wall_ms, ",\"state\":\"live\"");
    struct item *old = rig_make(&r, COFFEE, "2", r.wall_ms - 1, ",\"state\":\"live\"");
    assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_TAKEN);
    assert_int_equal(frames_after_turn(&r, &p, -1), 1);
    rig_pass_ms(&r, 100);
    assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_DUPLICATE);
    assert_int_equal(fanout_item(r.f, COFFEE, old, r.wall_ms, r.mono_ns), FANOUT_OLDER);
    assert_int_equal(frames_after_turn(&r, &p, -1), 0);
    item_unref(it);
    item_unref(old);
    peer_free(&p);
    rig_fini(&r);
}

static const char *next_state(struct peer *p)
{
    static char text[80];
    json_t *j;
    while ((j = peer_next(p))) {
        const char *type = json_string_value(json_object_get(j, "type"));
        const json_t *item = json_array_get(json_object_get(j, "data"), 0);
        bool heartbeat = strcmp(type, "heartbeat") == 0;
        const char *reason = json_string_value(json_object_get(item, "reason"));
        if (!heartbeat)
            snprintf(text, sizeof text, "%s %s%s%s", type,
                     json_string_value(json_object_get(item, "state")), reason ? " " : "",
                     reason ? reason : "");
        json_decref(j);
        if (!heartbeat)
            return text;
    }
    return "";
}

/* One conversation of poller and clock, as the subscriber hears it. */
static void test_conversation(void **state)
{
    static const struct {
        int64_t pass_ms;
        const char *said;  /* by the status channel, or */
        const char *quote; /* the state an item is published with */
        const char *hear[2];
    } rows[] = {
        {0,      NULL,                                                             "live",    {"quote live"}                  },
        {60000,  NULL,                                                             NULL,      {NULL}                          },
        {400,
         "{\"symbol\":\"coffee\",\"state\":\"stale\",\"reason\":\"timeout\"}",     NULL,
         {"status stale timeout"}                                                                                             },
        {5000,   NULL,                                                             NULL,      {NULL}                          },
        {0,      "{\"symbol\":\"coffee\",\"state\":\"stale\",\"reason\":\"dns\"}", NULL,      {NULL}                          },
        {120000, NULL,                                                             NULL,      {"status unavailable dns"}      }, /* nobody spoke: by the clock */
        {0,      NULL,                                                             "live",    {"quote live"}                  },
        {1000,   NULL,                                                             "delayed", {"quote delayed", "status live"}}, /* not so by our clock */
        {1000,   NULL,                                                             "live",    {"quote live"}                  },
        {0,
         "{\"symbol\":\"coffee\",\"state\":\"closed\",\"market\":\"closed\"}",     NULL,
         {"status closed"}                                                                                                    },
        {600000, NULL,                                                             NULL,      {NULL}                          },
        {0,
         "{\"symbol\":\"coffee\",\"state\":\"live\",\"market\":\"open\"}",         NULL,
         {"status unavailable"}                                                                                               }, /* the price is ten minutes old, whatever it says */
        {0,      NULL,                                                             "live",    {"quote live"}                  },
    };
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.instruments[COFFEE].sources = &rig_source;
    r.instruments[COFFEE].sources_len = 1;
    open_on_coffee(&p, &r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char more[80];
        for (int64_t ms = 0; ms < rows[i].pass_ms; ms += 100) {
            fanout_client_alive(p.client, r.mono_ns);
            rig_tick_ms(&r, 100);
        }
        if (rows[i].said)
            rig_status(&r, COFFEE, rows[i].said);
        if (rows[i].quote) {
            snprintf(more, sizeof more, ",\"state\":\"%s\",\"market\":\"open\"", rows[i].quote);
            assert_int_equal(rig_item(&r, COFFEE, "1", more), FANOUT_TAKEN);
        }
        rig_pass_ms(&r, 10);
        fanout_turn(r.f, r.mono_ns);
        for (int k = 0; k < 2 && rows[i].hear[k]; k++)
            assert_string_equal(next_state(&p), rows[i].hear[k]);
        const char *more_heard = next_state(&p);
        if (more_heard[0])
            fail_msg("row %zu: also heard %s", i, more_heard);
    }
    peer_free(&p);
    rig_fini(&r);
}

/* Why there is no price: told when it becomes known, and when it changes. */
static void test_reason_without_price(void **state)
{
    static const char dns[] =
        "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"reason\":\"dns\"}";
    static const char tls[] =
        "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"reason\":\"tls\"}";
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    open_on_coffee(&p, &r);
    rig_tick_ms(&r, 1000);
    assert_string_equal(next_state(&p), "");
    const char *const said[] = {dns, dns, tls, dns};
    const char *const heard[] = {"status unavailable dns", "", "status unavailable tls",
                                 "status unavailable dns"};
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        rig_status(&r, COFFEE, said[i]);
        rig_tick_ms(&r, 100);
        assert_string_equal(next_state(&p), heard[i]);
        assert_string_equal(next_state(&p), "");
    }
    peer_free(&p);
    rig_fini(&r);
}

static void test_no_instruments(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_prepare(&r, NULL, 0);
    rig_start(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    peer_expect(&p, "{\"type\":\"subscribed\",\"symbols\":[],\"rejected\":[],\"active\":[]}");
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}");
    rig_tick_ms(&r, 1000);
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush_policy),
        cmocka_unit_test(test_each_view_has_its_rhythm),
        cmocka_unit_test(test_older_and_duplicate_are_silent),
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_reason_without_price),
        cmocka_unit_test(test_no_instruments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
