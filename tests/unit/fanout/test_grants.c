/* What a client's token allows it to see, and what happens when the token ends. Times are the
 * rig's; the "short" token is good for 60 s, the "tea" token for what begins with t. */
#include "rig.h"

static const char *const symbols[] = {"coffee", "tea", "tin"};
enum { TEA = 1, TIN };

static void open_rig(struct rig *r, struct peer *p, const char *token)
{
    char text[100];
    rig_prepare(r, symbols, ARRAY_LEN(symbols));
    rig_start(r);
    peer_open_as(p, r, ROLE_NONE);
    peer_forget(p);
    snprintf(text, sizeof text, "{\"action\":\"auth\",\"token\":\"%s\"}", token);
    peer_say(p, text);
    json_decref(peer_until(p, "authenticated"));
    peer_forget(p);
}

/* Time passes, and the peer answers pings. */
static void pass_ms(struct rig *r, struct peer *p, int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        rig_tick_ms(r, ms < 1000 ? ms : 1000);
        if (!p->closed)
            fanout_client_alive(p->client, r->mono_ns);
    }
}

static void names_are_refused_and_patterns_pass_over(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    open_rig(&r, &p, "tea");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"tea\",\"nothing\"],"
                 "\"snapshot\":false,\"id\":1}");
    peer_expect(&p, "{\"type\":\"subscribed\",\"id\":1,\"symbols\":[\"tea\"],\"rejected\":["
                    "{\"symbol\":\"coffee\",\"error\":\"forbidden\",\"message\":\"...\"},"
                    "{\"symbol\":\"nothing\",\"error\":\"unknown_symbol\",\"message\":\"...\"}],"
                    "\"active\":[\"tea\"]}");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"snapshot\":false,\"id\":2}");
    peer_expect(&p, "{\"type\":\"subscribed\",\"id\":2,\"symbols\":[\"tea\",\"tin\"],"
                    "\"rejected\":[],\"active\":[\"tea\",\"tin\"]}");
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, TIN, "2");
    rig_tick_ms(&r, 100);
    json_t *j = peer_until(&p, "quote");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(j, "data"), 0), "symbol")),
        "tin");
    json_decref(j);
    peer_free(&p);
    rig_fini(&r);
}

/* A second token may allow less than the first. */
static void what_is_not_allowed_any_more_goes(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    open_rig(&r, &p, "viewer");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"snapshot\":false}");
    json_decref(peer_until(&p, "subscribed"));
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"tea\",\"id\":3}");
    peer_expect(&p, "{\"type\":\"authenticated\",\"id\":3,\"role\":\"viewer\"}");
    peer_expect(&p, "{\"type\":\"unsubscribed\",\"symbols\":[\"coffee\"],"
                    "\"active\":[\"tea\",\"tin\"]}");
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"tea\",\"id\":4}"); /* nothing more to take */
    peer_expect(&p, "{\"type\":\"authenticated\",\"id\":4,\"role\":\"viewer\"}");
    assert_int_equal(peer_waiting(&p), 0);
    rig_quote(&r, COFFEE, "1");
    rig_tick_ms(&r, 100);
    assert_int_equal(peer_waiting(&p), 0);
    peer_free(&p);
    rig_fini(&r);
}

/* The tick's granularity, and that of the wheel. */
enum { SLACK_MS = 300 };

static void an_expired_token_is_told_and_then_closed(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    open_rig(&r, &p, "short");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"snapshot\":false}");
    json_decref(peer_until(&p, "subscribed"));
    pass_ms(&r, &p, 59900);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"list\"}");
    json_decref(peer_until(&p, "subscriptions"));
    pass_ms(&r, &p, SLACK_MS);
    json_t *j = peer_until(&p, "error");
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 401);
    json_decref(j);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"list\"}"); /* it may command nothing now */
    j = peer_until(&p, "error");
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 401);
    json_decref(j);
    pass_ms(&r, &p, 9000);
    assert_false(p.closed);
    pass_ms(&r, &p, 1000 + SLACK_MS);
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_AUTH);
    peer_free(&p);
    rig_fini(&r);
}

static void a_renewal_leaves_no_gap(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    open_rig(&r, &p, "short");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"snapshot\":false}");
    json_decref(peer_until(&p, "subscribed"));
    pass_ms(&r, &p, 60000 + SLACK_MS);
    json_decref(peer_until(&p, "error"));
    rig_quote(&r, COFFEE, "1"); /* still where it was */
    rig_tick_ms(&r, 100);
    json_decref(peer_until(&p, "quote"));
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"short\"}");
    json_decref(peer_until(&p, "authenticated"));
    pass_ms(&r, &p, 30000);
    assert_false(p.closed);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"viewer\"}"); /* one without an end */
    pass_ms(&r, &p, 40000);
    peer_say(&p, "{\"action\":\"list\"}");
    json_decref(peer_until(&p, "subscriptions"));
    assert_false(p.closed);
    peer_free(&p);
    rig_fini(&r);
}

/* Nanoseconds until then do not fit into 64 bits. */
static void a_token_for_ages_lasts(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    open_rig(&r, &p, "ages");
    pass_ms(&r, &p, 60000);
    assert_false(p.closed);
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"list\"}");
    json_decref(peer_until(&p, "subscriptions"));
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_refused_and_patterns_pass_over),
        cmocka_unit_test(what_is_not_allowed_any_more_goes),
        cmocka_unit_test(an_expired_token_is_told_and_then_closed),
        cmocka_unit_test(a_renewal_leaves_no_gap),
        cmocka_unit_test(a_token_for_ages_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
