/* Every message of the protocol by table: input, exact output. Then roles, rates and refusals. */
#include "rig.h"

#define WELCOME                                                                                    \
    "{\"type\":\"welcome\",\"version\":1,\"session\":\"...\",\"ts\":1767225600000,"                \
    "\"heartbeat_ms\":20000,\"limits\":{\"symbols\":500,\"message_bytes\":65536,"                  \
    "\"commands_per_minute\":240}}"
#define BAD(id)                                                                                    \
    "{\"type\":\"error\"" id ",\"code\":400,\"error\":\"bad_message\",\"message\":\"...\"}"

/* One conversation: coffee has a price, EUR/GBP never had one. Each row may produce three frames.
 */
static const struct {
    const char *say;
    const char *hear[3];
} talk[] = {
    {"{\"action\":\"ping\",\"id\":4}",                                                     {"{\"type\":\"pong\",\"id\":4,\"ts\":1767225600000}"}       },
    {"{\"action\":\"ping\"}",                                                              {"{\"type\":\"pong\",\"ts\":1767225600000}"}                },
    {"{\"action\":\"heartbeat\"}",                                                         {"{\"type\":\"heartbeat\",\"ts\":1767225600000}"}           },
    {"{\"action\":\"list\",\"id\":\"a b\"}",
     {"{\"type\":\"subscriptions\",\"id\":\"a b\",\"active\":[]}"}                                                                                     },
    {"{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"FOO\"],\"id\":1,\"later\":{}}",
     {"{\"type\":\"subscribed\",\"id\":1,\"symbols\":[\"coffee\"],\"rejected\":[{\"symbol\":"
      "\"FOO\",\"error\":\"unknown_symbol\",\"message\":\"...\"}],\"active\":[\"coffee\"]}",
      "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"coffee\",\"price\":2.5,"
      "\"ts\":1767225600000,\"recv\":1767225600000,\"seq\":\"1:1\",\"state\":\"live\","
      "\"market\":\"open\"}]}"}                                                                                                                        },
    {"{\"action\":\"subscribe\",\"symbols\":[\"EUR/G*\",\"coffee\"],\"id\":2}",
     {"{\"type\":\"subscribed\",\"id\":2,\"symbols\":[\"EUR/GBP\",\"coffee\"],\"rejected\":[],"
      "\"active\":[\"coffee\",\"EUR/GBP\"]}",
      "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}",
      "{\"type\":\"status\",\"data\":[{\"symbol\":\"EUR/GBP\",\"state\":\"unavailable\","
      "\"since\":1767225600000,\"market\":\"unknown\"}]}"}                                                                                             },
    {"{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"],\"snapshot\":false}",
     {"{\"type\":\"subscribed\",\"symbols\":[\"AAPL\"],\"rejected\":[],\"active\":[\"coffee\","
      "\"EUR/GBP\",\"AAPL\"]}"}                                                                                                                        },
    {"{\"action\":\"subscribe\",\"symbols\":[]}",
     {"{\"type\":\"subscribed\",\"symbols\":[],\"rejected\":[],\"active\":[\"coffee\",\"EUR/GBP\","
      "\"AAPL\"]}",
      "{\"type\":\"quote\",\"snapshot\":true,\"data\":[]}"}                                                                                            },
    {"{\"action\":\"unsubscribe\",\"symbols\":[\"coffee\",\"FOO\",\"EUR/USD\"],\"id\":3}",
     {"{\"type\":\"unsubscribed\",\"id\":3,\"symbols\":[\"coffee\"],\"active\":[\"EUR/GBP\","
      "\"AAPL\"]}"}                                                                                                                                    },
    {"{\"action\":\"list\",\"id\":-3}",
     {"{\"type\":\"subscriptions\",\"id\":-3,\"active\":[\"EUR/GBP\",\"AAPL\"]}"}                                                                      },
    {"{\"action\":\"reset\",\"id\":5}",
     {"{\"type\":\"unsubscribed\",\"id\":5,\"symbols\":[\"EUR/GBP\",\"AAPL\"],\"active\":[]}"}                                                         },
    {"{\"action\":\"reset\"}",                                                             {"{\"type\":\"unsubscribed\",\"symbols\":[],\"active\":[]}"}},
    {"{\"action\":\"auth\",\"token\":\"viewer\",\"id\":6}",
     {"{\"type\":\"authenticated\",\"id\":6,\"role\":\"viewer\"}"}                                                                                     },
    {"{\"action\":\"auth\",\"token\":\"wrong\",\"id\":7}",
     {"{\"type\":\"error\",\"id\":7,\"code\":402,\"error\":\"auth_failed\",\"message\":\"...\"}"}                                                      },
    {"{\"action\":\"auth\",\"token\":7}",                                                  {BAD("")}                                                   },
    {"{\"action\":\"refresh\",\"symbols\":[\"coffee\"],\"id\":8}",
     {"{\"type\":\"error\",\"id\":8,\"code\":403,\"error\":\"forbidden\",\"message\":\"...\"}"}                                                        },
    {"{\"action\":\"subscribe\",\"symbols\":\"coffee\",\"id\":9}",                         {BAD(",\"id\":9")}                                          },
    {"{\"action\":\"subscribe\",\"symbols\":[\"coffee\",3],\"id\":9}",                     {BAD(",\"id\":9")}                                          },
    {"{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"*x\"],\"id\":9}",                {BAD(",\"id\":9")}                                          },
    {"{\"action\":\"subscribe\",\"id\":9}",                                                {BAD(",\"id\":9")}                                          },
    {"{\"action\":\"unsubscribe\",\"id\":9}",                                              {BAD(",\"id\":9")}                                          },
    {"{\"action\":\"dance\",\"id\":\"x\"}",                                                {BAD(",\"id\":\"x\"")}                                      },
    {"{\"action\":\"ping\",\"id\":1.5}",                                                   {BAD("")}                                                   },
    {"{\"action\":\"ping\",\"action\":\"ping\"}",                                          {BAD("")}                                                   },
    {"not json",                                                                           {BAD("")}                                                   },
    {"[]",                                                                                 {BAD("")}                                                   },
    {"{\"action\":\"list\"}",                                                              {"{\"type\":\"subscriptions\",\"active\":[]}"}              },
};

static void test_talk(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "2.5");
    peer_open_as(&p, &r, ROLE_VIEWER);
    peer_expect(&p, WELCOME);
    for (size_t i = 0; i < ARRAY_LEN(talk); i++) {
        peer_say(&p, talk[i].say);
        for (size_t k = 0; k < ARRAY_LEN(talk[i].hear) && talk[i].hear[k]; k++)
            peer_expect(&p, talk[i].hear[k]);
        if (peer_waiting(&p) != 0)
            fail_msg("more than expected after %s", talk[i].say);
    }
    assert_false(p.closed);
    assert_int_equal(metrics_get(&r.metrics, METRIC_REJECTED, "bad_message", NULL), 11);
    assert_int_equal(metrics_get(&r.metrics, METRIC_REJECTED, "forbidden", NULL), 1);
    assert_int_equal(metrics_get(&r.metrics, METRIC_REJECTED, "auth_failed", NULL), 1);
    peer_free(&p);
    rig_fini(&r);
}

static void test_unauthenticated(void **state)
{
    static const char *const refused[] = {"subscribe", "unsubscribe", "reset", "list", "refresh"};
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open_as(&p, &r, ROLE_NONE);
    peer_expect(&p, WELCOME);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"action\":\"%s\",\"symbols\":[\"coffee\"],\"id\":1}",
                 refused[i]);
        peer_say(&p, text);
        peer_expect(&p, "{\"type\":\"error\",\"id\":1,\"code\":401,\"error\":\"auth_required\","
                        "\"message\":\"...\"}");
    }
    peer_say(&p, "{\"action\":\"ping\"}");
    peer_expect(&p, "{\"type\":\"pong\",\"ts\":1767225600000}");
    peer_say(&p, "{\"action\":\"heartbeat\"}");
    peer_expect(&p, "{\"type\":\"heartbeat\",\"ts\":1767225600000}");
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"wrong\"}");
    json_decref(peer_until(&p, "error"));
    peer_say(&p, "{\"action\":\"list\"}"); /* a bad token changes nothing */
    json_t *j = peer_until(&p, "error");
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 401);
    json_decref(j);
    peer_say(&p, "{\"action\":\"auth\",\"token\":\"viewer\"}");
    peer_expect(&p, "{\"type\":\"authenticated\",\"role\":\"viewer\"}");
    peer_say(&p, "{\"action\":\"list\"}");
    peer_expect(&p, "{\"type\":\"subscriptions\",\"active\":[]}");
    peer_free(&p);
    rig_fini(&r);
}

static void test_rate(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.config.limits.commands_per_minute = 6;
    peer_open(&p, &r);
    for (int i = 0; i < 6; i++) {
        peer_say(&p, "{\"action\":\"ping\"}");
        json_decref(peer_until(&p, "pong"));
    }
    peer_say(&p, "{\"action\":\"ping\",\"id\":1}");
    peer_expect(&p, "{\"type\":\"error\",\"id\":1,\"code\":429,\"error\":\"rate_limited\","
                    "\"message\":\"...\"}");
    rig_pass_ms(&r, 9999);
    peer_say(&p, "{\"action\":\"ping\"}");
    json_decref(peer_until(&p, "error"));
    rig_pass_ms(&r, 1);
    peer_say(&p, "{\"action\":\"ping\"}");
    json_decref(peer_until(&p, "pong"));
    peer_say(&p, "{\"action\":\"ping\"}");
    json_decref(peer_until(&p, "error"));
    assert_false(p.closed);
    peer_free(&p);
    rig_fini(&r);
}

/* The hundredth refused within a minute closes, whatever the minute's beginning. */
static void test_refused(void **state)
{
    static const struct {
        int64_t step_ms;
        int closed_at; /* the refused command that closes, 0 = never */
    } rows[] = {
        {0,    100},
        {1,    100},
        {600,  100},
        {606,  100},
        {607,  0  },
        {1000, 0  }
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        struct peer p;
        rig_init(&r);
        r.config.limits.commands_per_minute = 100000;
        peer_open(&p, &r);
        rig_pass_ms(&r, 59000);
        int n = 0;
        while (n < 300 && !p.closed) {
            peer_say(&p, "nonsense");
            n++;
            json_decref(peer_until(&p, "error")); /* the last one too is answered */
            rig_pass_ms(&r, rows[i].step_ms);
        }
        assert_int_equal(p.closed ? n : 0, rows[i].closed_at);
        if (p.closed)
            assert_int_equal(p.reason, CLOSE_COMMAND_RATE);
        peer_say(&p, "{\"action\":\"ping\"}"); /* after a close: not even read */
        assert_int_equal(peer_waiting(&p), p.closed ? 0 : 1);
        peer_free(&p);
        rig_fini(&r);
    }
}

static void test_too_long(void **state)
{
    struct rig r;
    struct peer p;
    char *text = malloc(70000);
    (void)state;
    assert_non_null(text);
    rig_init(&r);
    peer_open(&p, &r);
    memset(text, ' ', 70000);
    memcpy(text, "{\"action\":\"ping\"}", 17);
    fanout_client_message(p.client, text, 65537, r.wall_ms, r.mono_ns);
    peer_expect(&p, BAD(""));
    fanout_client_message(p.client, text, 65536, r.wall_ms, r.mono_ns);
    json_decref(peer_until(&p, "pong"));
    free(text);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk),     cmocka_unit_test(test_unauthenticated),
        cmocka_unit_test(test_rate),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
