/* What the server answers over a real socket: quotes, instruments, health. */
#include "server_group.h"

#define OPEN_CONFIG "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
}

static void quotes_are_the_items(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", "");
    json_t *j = reply_json(&r);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "\"price\":2.9430")); /* digits as they came */
    assert_string_equal(text_at(j, "state"), "live");
    json_decref(j);
    reply_fini(&r);

    r = ask(port_of(state), "GET", "/api/v1/quotes", "");
    j = reply_json(&r);
    json_t *data = json_object_get(j, "data");
    assert_int_equal(json_array_size(data), 4);
    assert_string_equal(text_at(json_array_get(data, 1), "symbol"), "EUR/USD");
    assert_true(json_is_null(json_object_get(json_array_get(data, 2), "price")));
    assert_string_equal(text_at(json_array_get(data, 2), "state"), "unavailable");
    json_decref(j);
    reply_fini(&r);
}

static void symbols_survive_the_path(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/api/v1/quotes/EUR/USD",               200},
        {"/api/v1/quotes/EUR%2FUSD",             200},
        {"/api/v1/quotes/EUR%2fUSD",             200},
        {"/api/v1/quotes/A^B=C",                 503},
        {"/api/v1/quotes/A%5EB%3DC",             503},
        {"/api/v1/quotes/tea",                   503},
        {"/api/v1/quotes/nope",                  404},
        {"/api/v1/quotes/COFFEE",                404},
        {"/api/v1/quotes/coffee/",               404},
        {"/api/v1/quotes/coffee%26x",            404},
        {"/api/v1/quotes?symbols=EUR%2FUSD,tea", 200},
        {"/api/v1/quotes?symbols=coffee,no,nix", 404},
        {"/api/v1/quotes?symbols=",              400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (ask_status(port_of(state), "GET", cases[i].path, "") != cases[i].status)
            fail_msg("%s", cases[i].path);
}

static void refusals_are_problems(void **state)
{
    char value[256];
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes?symbols=coffee,no,nix", "");
    json_t *j = reply_json(&r);
    assert_true(reply_header(&r, "Content-Type", value, sizeof value));
    assert_string_equal(value, "application/problem+json");
    assert_int_equal(json_integer_value(json_object_get(j, "status")), 404);
    assert_non_null(strstr(text_at(j, "detail"), "no, nix"));
    assert_null(strstr(text_at(j, "detail"), "coffee"));
    json_decref(j);
    reply_fini(&r);

    r = ask(port_of(state), "GET", "/api/v1/quotes/tea", "");
    j = reply_json(&r);
    assert_string_equal(text_at(j, "state"), "unavailable");
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    json_decref(j);
    reply_fini(&r);
}

/* Known or not, a list is no symbol: the comma is not in their syntax. */
static void a_list_where_one_symbol_belongs_is_404(void **state)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"/api/v1/quotes/coffee,EUR/USD",  "?symbols="  },
        {"/api/v1/quotes/coffee%2Ctea",    "?symbols="  },
        {"/api/v1/quotes/coffee,coffee",   "?symbols="  },
        {"/api/v1/quotes/coffee,nope",     ": nope"     },
        {"/api/v1/quotes/nope,coffee,nix", ": nope, nix"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char type[64];
        struct reply r = ask(port_of(state), "GET", cases[i].path, "");
        if (r.status != 404 || !reply_header(&r, "Content-Type", type, sizeof type))
            fail_msg("%s: %d", cases[i].path, r.status);
        assert_string_equal(type, "application/problem+json");
        json_t *j = reply_json(&r);
        if (!strstr(text_at(j, "detail"), cases[i].says))
            fail_msg("%s: %s", cases[i].path, text_at(j, "detail"));
        json_decref(j);
        reply_fini(&r);
    }
}

static void listed_quotes_come_once_each(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes?symbols=tea,coffee,tea", "");
    json_t *j = reply_json(&r);
    json_t *data = json_object_get(j, "data");
    assert_int_equal(json_array_size(data), 2);
    assert_string_equal(text_at(json_array_get(data, 0), "symbol"), "tea");
    json_decref(j);
    reply_fini(&r);
}

static void instruments_are_described(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/instruments", "");
    json_t *j = reply_json(&r);
    json_t *first = json_array_get(json_object_get(j, "data"), 0);
    assert_string_equal(text_at(first, "symbol"), "coffee");
    assert_string_equal(text_at(first, "category"), "coffee_prices");
    assert_string_equal(text_at(first, "unit"), "USD/lb");
    json_t *source = json_array_get(json_object_get(first, "sources"), 0);
    assert_string_equal(text_at(source, "provider"), "sim");
    json_decref(j);
    reply_fini(&r);
}

static void provenance_is_of_one_symbol(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/provenance/EUR/USD", "");
    json_t *j = reply_json(&r);
    assert_int_equal(r.status, 200);
    assert_string_equal(text_at(j, "symbol"), "EUR/USD");
    assert_true(json_is_null(json_object_get(j, "source")));
    json_decref(j);
    reply_fini(&r);
    assert_int_equal(ask_status(port_of(state), "GET", "/api/v1/provenance/FOO", ""), 404);
    assert_int_equal(ask_status(port_of(state), "GET", "/api/v1/provenance/tea,coffee", ""), 404);
}

static void who_is_at_this_machine_is_an_administrator(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/whoami", "");
    json_t *j = reply_json(&r);
    assert_string_equal(text_at(j, "role"), "admin");
    assert_string_equal(text_at(j, "by"), "local");
    assert_true(json_is_true(json_object_get(j, "all_symbols")));
    json_decref(j);
    reply_fini(&r);
}

static void an_unchanged_answer_is_304(void **state)
{
    char etag[64], more[128];
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", "");
    assert_true(reply_header(&r, "ETag", etag, sizeof etag));
    reply_fini(&r);
    snprintf(more, sizeof more, "If-None-Match: %s\r\n", etag);
    r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", more);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.len, 0);
    reply_fini(&r);
    assert_int_equal(ask_status(port_of(state), "GET", "/api/v1/quotes/EUR/USD", more), 200);
}

static void data_health_says_what_is_missing(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/data-health/status", "");
    json_t *j = reply_json(&r);
    json_t *coffee = json_object_get(json_object_get(j, "categories"), "coffee_prices");
    assert_string_equal(text_at(j, "overall_status"), "degraded");
    assert_true(strlen(text_at(j, "timestamp")) > 18);
    assert_string_equal(text_at(json_object_get(coffee, "coffee"), "status"), "fresh");
    assert_true(json_is_false(json_object_get(json_object_get(coffee, "coffee"), "stale")));
    assert_string_equal(
        text_at(json_object_get(json_object_get(coffee, "coffee"), "suspect"), "rule"), "jump");
    json_t *tea = json_object_get(coffee, "tea");
    assert_null(json_object_get(tea, "suspect"));
    assert_string_equal(text_at(tea, "status"), "missing");
    assert_true(json_is_true(json_object_get(tea, "stale")));
    assert_true(json_is_null(json_object_get(tea, "last_updated")));
    assert_true(json_is_null(json_object_get(tea, "age_hours")));
    json_decref(j);
    reply_fini(&r);
}

/* Takes the bus away and gives it back: expected[] is what /readyz says before, meanwhile, after.
 */
static void check_ready(const struct served *s, const char *const expected[3])
{
    for (size_t i = 0; i < 3; i++) {
        struct reply r = {0};
        for (int tries = 0; tries < 200; tries++) { /* a signal takes a turn of the loop */
            reply_fini(&r);
            r = ask(s->port, "GET", "/readyz", "");
            if (strcmp(r.body.p, expected[i]) == 0)
                break;
        }
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body.p, expected[i]);
        reply_fini(&r);
        if (i < 2)
            kill(s->pid, SIGUSR1);
    }
}

static void losing_the_bus_leaves_it_ready(void **state)
{
    static const char *const expected[] = {"{\"ready\":true,\"degraded\":[]}",
                                           "{\"ready\":true,\"degraded\":[\"bus\"]}",
                                           "{\"ready\":true,\"degraded\":[]}"};
    check_ready(*state, expected);
}

/* Nothing is polled here: others may feed it, and what it has it serves. */
static void without_a_provider_it_is_ready(void **state)
{
    (void)state;
    static const char *const expected[] = {"{\"ready\":true,\"degraded\":[\"providers\"]}",
                                           "{\"ready\":true,\"degraded\":[\"bus\",\"providers\"]}",
                                           "{\"ready\":true,\"degraded\":[\"providers\"]}"};
    struct served s = start_server("{\"listen\":{\"port\":0},\"instruments\":["
                                   "{\"symbol\":\"coffee\",\"sources\":[]},"
                                   "{\"symbol\":\"EUR/USD\",\"sources\":[]}]}");
    check_ready(&s, expected);
    struct reply r = ask(s.port, "HEAD", "/readyz", "");
    assert_int_equal(r.status, 200);
    reply_fini(&r);
    stop_server(&s);
}

/* A rate over a counter that appears with its first event misses that event. */
static void conflation_counts_from_zero(void **state)
{
    (void)state;
    static const char *const causes[] = {"flush", "interval", "slow"};
    struct served s = start_server(OPEN_CONFIG);
    struct reply r = ask(s.port, "GET", "/metrics", "");
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        char line[96];
        snprintf(line, sizeof line, "\npricegate_conflated_total{cause=\"%s\"} 0\n", causes[i]);
        if (!strstr(r.body.p, line))
            fail_msg("not there: %s", line);
    }
    reply_fini(&r);
    stop_server(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_the_items),
        cmocka_unit_test(symbols_survive_the_path),
        cmocka_unit_test(refusals_are_problems),
        cmocka_unit_test(a_list_where_one_symbol_belongs_is_404),
        cmocka_unit_test(listed_quotes_come_once_each),
        cmocka_unit_test(instruments_are_described),
        cmocka_unit_test(provenance_is_of_one_symbol),
        cmocka_unit_test(who_is_at_this_machine_is_an_administrator),
        cmocka_unit_test(an_unchanged_answer_is_304),
        cmocka_unit_test(data_health_says_what_is_missing),
        cmocka_unit_test(losing_the_bus_leaves_it_ready),
        cmocka_unit_test(without_a_provider_it_is_ready),
        cmocka_unit_test(conflation_counts_from_zero),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
