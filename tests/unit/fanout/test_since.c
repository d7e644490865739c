/* What a client says it has is not sent again. */
#include "rig.h"

static void expect_snapshot(const char *since, const char *want)
{
    struct rig r;
    struct peer p;
    char text[400];
    rig_init(&r);
    peer_open(&p, &r);
    rig_quote(&r, COFFEE, "1"); /* 1:1 */
    rig_quote(&r, EURUSD, "2"); /* 1:2 */
    assert_int_equal(rig_item(&r, AAPL, "3", ""), FANOUT_TAKEN);
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"since\":%s}",
             since);
    peer_say(&p, text);
    json_decref(peer_until(&p, "subscribed"));
    json_t *j = peer_until(&p, "quote");
    assert_true(json_is_true(json_object_get(j, "snapshot")));
    struct buf got = {0};
    for (size_t i = 0; i < json_array_size(json_object_get(j, "data")); i++)
        buf_addf(&got, "%s ",
                 json_string_value(
                     json_object_get(json_array_get(json_object_get(j, "data"), i), "symbol")));
    assert_string_equal(got.len ? got.p : "", want);
    json_decref(j);
    /* the states of all that are new, as without `since`: no price, and an item without a state */
    j = peer_until(&p, "status");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 2);
    json_decref(j);
    peer_expect_nothing(&p);
    buf_fini(&got);
    peer_free(&p);
    rig_fini(&r);
}

static void test_what_is_newer(void **state)
{
    (void)state;
    expect_snapshot("{}", "coffee EUR/USD AAPL ");
    expect_snapshot("{\"coffee\":\"1:1\"}", "EUR/USD AAPL ");
    expect_snapshot("{\"coffee\":\"1:0\",\"EUR/USD\":\"1:2\"}", "coffee AAPL ");
    expect_snapshot("{\"coffee\":\"1:7\",\"EUR/USD\":\"1:2\",\"AAPL\":\"1:3\"}", "");
    /* another epoch, older or newer */
    expect_snapshot("{\"coffee\":\"2:1\",\"EUR/USD\":\"0:9\",\"AAPL\":\"1:3\"}", "coffee EUR/USD ");
    /* what can't be read is not known */
    expect_snapshot("{\"coffee\":\"1\",\"EUR/USD\":\"\",\"AAPL\":\"1:3\",\"nothing\":\"1:1\"}",
                    "coffee EUR/USD ");
    expect_snapshot("{\"coffee\":\"1:-1\",\"EUR/USD\":\"1:99999999999999999999\"}",
                    "coffee EUR/USD AAPL ");
}

/* An item without a seq is always sent again. */
static void test_no_seq(void **state)
{
    static const char bytes[] = "{\"symbol\":\"coffee\",\"price\":1}";
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    struct item *it =
        item_parse(bytes, sizeof bytes - 1, INSTRUMENT_QUOTE, "coffee", r.wall_ms, NULL);
    assert_non_null(it);
    assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_TAKEN);
    peer_say(&p,
             "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"since\":{\"coffee\":\"0:0\"}}");
    json_decref(peer_until(&p, "subscribed"));
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"coffee\","
                    "\"price\":1}]}");
    item_unref(it);
    peer_free(&p);
    rig_fini(&r);
}

/* What was owed to a slow client is void when it says that it has it by another way. */
static void test_slow(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    p.room = 0;
    rig_quote(&r, COFFEE, "1");
    fanout_turn(r.f, r.mono_ns);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"state\"],"
                 "\"since\":{\"coffee\":\"1:1\"}}");
    peer_drain(&p, PEER_ROOMY);
    json_decref(peer_until(&p, "subscribed"));
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}");
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

static void test_malformed(void **state)
{
    static const char *const rows[] = {"null", "[]", "\"1:1\"", "{\"coffee\":1}",
                                       "{\"coffee\":\"1:1\",\"AAPL\":null}"};
    struct rig r;
    struct peer p;
    char text[200];
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(text, sizeof text,
                 "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"since\":%s,\"id\":1}",
                 rows[i]);
        peer_say(&p, text);
        peer_expect(&p, "{\"type\":\"error\",\"id\":1,\"code\":400,\"error\":\"bad_message\","
                        "\"message\":\"...\"}");
        peer_expect_nothing(&p);
        assert_null(p.client->seat.view);
    }
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_newer),
        cmocka_unit_test(test_no_seq),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
