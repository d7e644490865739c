/* Observations over a real socket: the same questions as for quotes, under other names. */
#include "server_group.h"

static int start(void **state)
{
    return start_group(state,
                       "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS ",\"observations\":["
                       "{\"name\":\"rain/minas\",\"title\":\"Rain\",\"category\":\"weather\","
                       "\"unit\":\"mm\",\"region\":\"Minas\"},{\"name\":\"frost\"}]}");
}

static void statuses(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } cases[] = {
        {"GET",  "/api/v1/observations/rain/minas",               200},
        {"GET",  "/api/v1/observations/rain%2Fminas",             200},
        {"HEAD", "/api/v1/observations/rain/minas",               200},
        {"GET",  "/api/v1/observations/frost",                    503},
        {"GET",  "/api/v1/observations/coffee",                   404}, /* a price */
        {"GET",  "/api/v1/quotes/frost",                          404}, /* and none */
        {"GET",  "/api/v1/quotes/rain/minas",                     404},
        {"GET",  "/api/v1/observations/RAIN/minas",               404},
        {"GET",  "/api/v1/observations/rain/minas/",              404},
        {"GET",  "/api/v1/observations/",                         404},
        {"GET",  "/api/v1/observations/rain/minas,frost",         404},
        {"GET",  "/api/v1/observations",                          200},
        {"HEAD", "/api/v1/observations",                          200},
        {"POST", "/api/v1/observations",                          405},
        {"GET",  "/api/v1/observations?names=frost,rain%2Fminas", 200},
        {"GET",  "/api/v1/observations?names=frost,coffee",       404},
        {"GET",  "/api/v1/observations?names=",                   400},
        {"GET",  "/api/v1/quotes?symbols=coffee,frost",           404},
        {"GET",  "/api/v1/stream?symbols=nowhere",                404},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = ask_status(port_of(state), cases[i].method, cases[i].path, "");
        if (got != cases[i].status)
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, got);
    }
}

static void expect_body(void **state, const char *path, const char *want)
{
    struct reply r = ask(port_of(state), "GET", path, "");
    if (!strstr(r.body.p, want))
        fail_msg("%s: %s", path, r.body.p);
    reply_fini(&r);
}

static void problems_say_why(void **state)
{
    expect_body(state, "/api/v1/observations?names=frost,coffee,no",
                "\"detail\":\"not configured: coffee, no\"");
    expect_body(state, "/api/v1/observations?names=", "names is empty: leave it out to get all");
    expect_body(state, "/api/v1/observations/rain/minas,frost", "a list goes to ");
    expect_body(state, "/api/v1/observations/frost", "there never was an observation");
    expect_body(state, "/api/v1/observations/frost", "\"state\":\"unavailable\"");
    struct reply r = ask(port_of(state), "GET", "/api/v1/observations/frost", "");
    char value[64];
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    assert_string_equal(value, "901"); /* poll_ms of an observation is 15 minutes */
    reply_fini(&r);
}

static void lists_are_of_one_kind(void **state)
{
    static const char frost[] = "{\"symbol\":\"frost\",\"name\":\"frost\",\"kind\":\"observation\","
                                "\"value\":null,\"state\":\"unavailable\"}";
    char want[400];
    struct reply one = ask(port_of(state), "GET", "/api/v1/observations/rain/minas", "");
    assert_non_null(strstr(one.body.p, "\"value\":-4.10,"));
    snprintf(want, sizeof want, "{\"data\":[%s,%s]}", one.body.p, frost);
    expect_body(state, "/api/v1/observations", want);
    snprintf(want, sizeof want, "{\"data\":[%s,%s]}", frost, one.body.p); /* in the order asked */
    expect_body(state, "/api/v1/observations?names=frost,rain/minas,frost", want);
    reply_fini(&one);

    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes", "");
    json_t *j = reply_json(&r);
    assert_int_equal(json_array_size(json_object_get(j, "data")), 4);
    json_decref(j);
    reply_fini(&r);
}

static void an_unchanged_answer_is_304(void **state)
{
    static const char *const paths[] = {"/api/v1/observations/rain/minas", "/api/v1/observations"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char tag[128], more[160];
        struct reply r = ask(port_of(state), "GET", paths[i], "");
        assert_true(reply_header(&r, "ETag", tag, sizeof tag));
        reply_fini(&r);
        snprintf(more, sizeof more, "If-None-Match: %s\r\n", tag);
        assert_int_equal(ask_status(port_of(state), "GET", paths[i], more), 304);
    }
}

static void they_are_described_apart(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/instruments", "");
    json_t *j = reply_json(&r);
    json_t *list = json_object_get(j, "observations");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 4);
    assert_int_equal(json_array_size(list), 2);
    const json_t *rain = json_array_get(list, 0), *frost = json_array_get(list, 1);
    static const char *const members[][2] = {
        {"symbol",   "rain/minas"},
        {"name",     "rain/minas"},
        {"title",    "Rain"      },
        {"category", "weather"   },
        {"unit",     "mm"        },
        {"region",   "Minas"     }
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        assert_string_equal(text_at(rain, members[i][0]), members[i][1]);
    assert_string_equal(text_at(frost, "title"), "frost");
    assert_string_equal(text_at(frost, "category"), "observations");
    assert_null(json_object_get(frost, "unit"));
    assert_null(json_object_get(json_array_get(json_object_get(j, "data"), 0), "title"));
    json_decref(j);
    reply_fini(&r);
}

static void data_health_counts_them(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/data-health/status", "");
    json_t *j = reply_json(&r);
    const json_t *categories = json_object_get(j, "categories");
    const json_t *rain = json_object_get(json_object_get(categories, "weather"), "rain/minas");
    const json_t *frost = json_object_get(json_object_get(categories, "observations"), "frost");
    assert_string_equal(text_at(rain, "status"), "fresh");
    assert_string_equal(text_at(frost, "status"), "missing");
    assert_string_equal(text_at(j, "overall_status"), "degraded");
    json_decref(j);
    reply_fini(&r);
}

/* Without prices, or without observations, the lists are empty and not absent. */
static void either_may_be_missing(void **state)
{
    static const struct {
        const char *config, *instruments;
    } cases[] = {
        {"{\"listen\":{\"port\":0}}",                                     "{\"data\":[],\"observations\":[]}"},
        {"{\"listen\":{\"port\":0},\"observations\":[{\"name\":\"x\"}]}",
         "{\"data\":[],\"observations\":[{\"symbol\":\"x\",\"name\":\"x\",\"title\":\"x\","
         "\"category\":\"observations\",\"sources\":[]}]}"                                                   },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct served s = start_server(cases[i].config);
        struct reply r = ask(s.port, "GET", "/api/v1/instruments", "");
        assert_string_equal(r.body.p, cases[i].instruments);
        reply_fini(&r);
        assert_int_equal(ask_status(s.port, "GET", "/api/v1/observations", ""), 200);
        assert_int_equal(ask_status(s.port, "GET", "/api/v1/quotes", ""), 200);
        stop_server(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),
        cmocka_unit_test(problems_say_why),
        cmocka_unit_test(lists_are_of_one_kind),
        cmocka_unit_test(an_unchanged_answer_is_304),
        cmocka_unit_test(they_are_described_apart),
        cmocka_unit_test(data_health_counts_them),
        cmocka_unit_test(either_may_be_missing),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
