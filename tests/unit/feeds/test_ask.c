/* What goes between a walk and the network, by providers that need more than a short GET: those
 * that take their time, those that are asked by POST, those that know both prices and series. */
#include "feeds_world.h"
#include "fetch.h"

static void follow(struct world *w, int id, enum instrument_kind kind, const char *provider,
                   const char *symbol)
{
    struct instrument *in = &w->instruments[id];
    w->sources[id][0] = source(provider, symbol);
    in->kind = kind;
    in->category = "other";
    in->sources_len = 1;
    in->ttl_s = 1000000;
    in->delayed_after_ms = INT64_C(100000000000);
}

static bool says(const struct world *w, int id, const char *text)
{
    return memmem(w->last[id]->bytes, w->last[id]->len, text, strlen(text)) != NULL;
}

static void walk(struct world *w, const int *ids, size_t n, const char *steps)
{
    w->walk_done = false;
    feeds_walk(w->feeds, ids, n, NULL, walked, w);
    WAIT(w->walk_done);
    assert_string_equal(w->walk, steps);
}

/* Its answer takes longer than anybody else's may. */
static void test_slow_provider(void **state)
{
    struct world *w = *state;
    const int id = COFFEE;
    char body[400];
    snprintf(body, sizeof body, "%-300s",
             "[{},[{\"indicator\":{\"id\":\"A.B\",\"value\":\"Trees (%)\"},\"country\":{\"id\":"
             "\"BR\",\"value\":\"Brazil\"},\"date\":\"2024\",\"value\":-1.5}]]");
    follow(w, id, INSTRUMENT_OBSERVATION, "worldbank", "BR/A.B");
    http_stub_say(w->stub, 0, "/v2/country/BR/indicator/A.B", 200, body);
    http_stub_rule(w->stub, 0)->how = STUB_DRIP; /* 6 s in all */
    make(w);
    int64_t began_ms = clock_mono_ms();
    walk(w, &id, 1, "worldbank BR/A.B ok;");
    assert_true(clock_mono_ms() - began_ms > FETCH_TIMEOUT_MS);
    assert_int_equal(w->items[id], 1);
    assert_true(says(w, id, "\"value\":-1.5,\"unit\":\"%\",\"period\":\"2024\""));
}

/* The same answer is a price for the one and a figure for the other. */
static void test_both_kinds(void **state)
{
    struct world *w = *state;
    const int ids[] = {COFFEE, COCOA};
    char day[16], body[200];
    time_t at = (time_t)now_s() - 2 * 86400;
    struct tm tm;
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&at, &tm));
    follow(w, COFFEE, INSTRUMENT_QUOTE, "fred", "DEXUSEU");
    follow(w, COCOA, INSTRUMENT_OBSERVATION, "fred", "DEXUSEU");
    snprintf(body, sizeof body, "{\"observations\":[{\"date\":\"%s\",\"value\":\"1.1440\"}]}", day);
    http_stub_say(w->stub, 0, "series_id=DEXUSEU", 200, body);
    make(w);
    walk(w, ids, 2, "fred DEXUSEU ok;fred DEXUSEU ok;");
    assert_true(says(w, COFFEE, "\"price\":1.1440,\"currency\":\"USD\""));
    assert_true(says(w, COCOA, "\"series\":\"DEXUSEU\",\"value\":1.1440"));

    /* below zero there is no price */
    snprintf(body, sizeof body, "{\"observations\":[{\"date\":\"%s\",\"value\":\"-0.25\"}]}", day);
    http_stub_say(w->stub, 0, "series_id=DEXUSEU", 200, body);
    walk(w, ids, 2, "fred DEXUSEU bad_schema;fred DEXUSEU ok;");
    assert_true(says(w, COCOA, "\"value\":-0.25"));
    assert_int_equal(w->items[COFFEE], 1);
}

/* One request for several places; one of them is not covered, and does not hide the other. */
static void test_batch_with_a_gap(void **state)
{
    struct world *w = *state;
    const int ids[] = {COFFEE, COCOA};
    char body[300];
    snprintf(body, sizeof body,
             "[{\"latitude\":nan,\"longitude\":nan},{\"latitude\":-5.75,\"longitude\":-78.75,"
             "\"current\":{\"time\":%lld,\"temperature_2m\":-0.5}}]",
             (long long)now_s());
    follow(w, COFFEE, INSTRUMENT_OBSERVATION, "openmeteo", "0,0");
    follow(w, COCOA, INSTRUMENT_OBSERVATION, "openmeteo", "-5.7,-78.8");
    http_stub_say(w->stub, 0, "latitude=0,-5.7&longitude=0,-78.8", 200, body);
    make(w);
    walk(w, ids, 2, "openmeteo 0,0 no_data;openmeteo -5.7,-78.8 ok;");
    assert_int_equal(http_stub_count(w->stub), 1);
    assert_true(says(w, COCOA, "\"temperature_2m\":-0.5"));
}

static void test_post(void **state)
{
    struct world *w = *state;
    const int id = COFFEE;
    follow(w, id, INSTRUMENT_OBSERVATION, "perplexity", "junin");
    http_stub_say(w->stub, 0, "POST /chat/completions", 200,
                  "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":"
                  "\"{\\\"outlook\\\":\\\"Good.\\\"}\"}}]}");
    make(w);
    walk(w, &id, 1, "perplexity junin ok;");
    assert_true(says(w, id, "\"region\":\"Junin, Peru\""));
    assert_true(says(w, id, "\"text\":\"Good.\""));
    const char *seen = http_stub_seen(w->stub, 0);
    assert_non_null(strstr(seen, "\r\nAuthorization: Bearer KEY\r\n"));
    assert_non_null(strstr(seen, "in Junin, Peru: what do the Junta Nacional del Cafe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slow_provider),
        TEST(test_both_kinds),
        TEST(test_batch_with_a_gap),
        TEST(test_post),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
