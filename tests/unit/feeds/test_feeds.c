/* What comes out of a poll: the first source, the next one, the price that is held, or none. */
#include "feeds_world.h"

/* The story of the issue: limit reached, fallback in the same poll, primary back. */
static void test_fallback_and_back(void **state)
{
    struct world *w = *state;
    int64_t t = now_s() - 100;
    twelve_says(w, "2.950", t);
    yahoo_says(w, "294.3", t + 10);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    assert_true(http_stub_seen_with(w->stub, "Authorization: apikey KEY") >= 1);
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 0); /* the second was not needed */

    twelve_fails(w, 200, LIMIT);
    WAIT(w->items[COFFEE] == 2);
    char text[ITEM_BYTES_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)w->last[COFFEE]->len, w->last[COFFEE]->bytes);
    assert_non_null(strstr(text, "\"price\":2.943,\"currency\":\"USD\""));
    assert_non_null(
        strstr(text, "\"source\":\"yahoo\",\"source_symbol\":\"KC=F\",\"fallback\":true"));
    assert_non_null(strstr(text, "\"state\":\"live\""));
    assert_true(http_stub_seen_with(w->stub, "chart") >= 1);
    expect_source(w, "twelvedata", "state", "open");
    expect_source(w, "twelvedata", "reason", "rate_limited");
    expect_source(w, "yahoo", "state", "closed");
    assert_true(feeds_any_provider(w->feeds));

    /* While it cools nothing is asked of it. */
    unsigned asked = http_stub_seen_with(w->stub, "symbol=KC1");
    unsigned charts = http_stub_count(w->stub);
    WAIT(http_stub_count(w->stub) >= charts + 3);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), asked);

    twelve_says(w, "2.960", t + 20);
    assert_int_equal(feeds_reset(w->feeds, "twelvedata"), 0);
    assert_int_equal(feeds_reset(w->feeds, "nobody"), -1);
    WAIT(w->items[COFFEE] == 3);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    expect_source(w, "twelvedata", "state", "closed");
    assert_int_equal(w->statuses, 0);
    assert_true(metrics_get(&w->metrics, METRIC_PROVIDER_REQUESTS, "twelvedata", "rate_limited") ==
                1);
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "positive", "pass") >= 3);
}

/* The fallback is late: the held price stays, grows stale, and says why. */
static void test_older_is_held(void **state)
{
    struct world *w = *state;
    w->instruments[COFFEE].stale_after_ms = 700;
    int64_t t = now_s() - 100;
    twelve_says(w, "2.950", t);
    yahoo_says(w, "294.3", t - 10);
    start(w);
    WAIT(w->items[COFFEE] >= 1);
    twelve_fails(w, 429, LIMIT);
    WAIT(w->statuses == 1);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    char want[200];
    snprintf(want, sizeof want,
             "{\"symbol\":\"coffee\",\"state\":\"stale\",\"since\":%lld,\"reason\":\"older\","
             "\"source\":\"twelvedata\",\"market\":\"open\"}",
             (long long)(w->last[COFFEE]->recv_ms + 701));
    assert_string_equal(w->status[0], want);
    int items = w->items[COFFEE];
    yahoo_says(w, "294.5", t + 1); /* it has passed the held one */
    WAIT(w->items[COFFEE] > items);
    assert_string_equal(w->last[COFFEE]->source, "yahoo");
    assert_int_equal(w->last[COFFEE]->state, STATE_LIVE);
    assert_int_equal(w->statuses, 1); /* the item says it, no status needed */
}

static void test_both_dead(void **state)
{
    struct world *w = *state;
    w->config.breaker.threshold = 1000000;
    w->instruments[COFFEE].stale_after_ms = 500;
    w->instruments[COFFEE].ttl_s = 1;
    twelve_says(w, "2.950", now_s() - 100);
    start(w);
    WAIT(w->items[COFFEE] >= 1);
    twelve_fails(w, 500, "{\"code\":500,\"message\":\"oops\",\"status\":\"error\"}");
    http_stub_say(w->stub, 1, "/KC%3DF", 502, "bad gateway");
    WAIT(w->statuses == 2);
    assert_non_null(strstr(w->status[0], "\"state\":\"stale\""));
    assert_non_null(strstr(w->status[0], "\"reason\":\"upstream_error\""));
    assert_non_null(strstr(w->status[1], "\"state\":\"unavailable\""));
    assert_non_null(strstr(w->status[1], "\"reason\":\"upstream_error\""));
    unsigned asked = http_stub_count(w->stub);
    WAIT(http_stub_count(w->stub) > asked + 4);
    assert_int_equal(w->statuses, 2); /* said once */
    int items = w->items[COFFEE];
    twelve_says(w, "2.960", now_s());
    WAIT(w->items[COFFEE] > items);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    assert_int_equal(w->statuses, 2);
}

/* There never was a price: one status with the reason. */
static void test_never_known(void **state)
{
    struct world *w = *state;
    w->config.breaker.threshold = 1000000;
    twelve_fails(w, 401, "{\"code\":401,\"message\":\"bad key\",\"status\":\"error\"}");
    start(w);
    WAIT(w->statuses == 1);
    assert_non_null(strstr(w->status[0], "\"symbol\":\"coffee\",\"state\":\"unavailable\""));
    assert_non_null(
        strstr(w->status[0], "\"reason\":\"not_found\"")); /* the stub's 404 for Yahoo */
    unsigned asked = http_stub_count(w->stub);
    WAIT(http_stub_count(w->stub) > asked + 3);
    assert_int_equal(w->statuses, 1);
    assert_int_equal(w->items[COFFEE], 0);
}

/* Three instruments, one request. */
static void test_batch(void **state)
{
    struct world *w = *state;
    char body[600];
    w->instruments[COCOA].sources_len = w->instruments[SUGAR].sources_len = 2;
    long long t = now_s() - 5;
    snprintf(
        body, sizeof body,
        "{\"KC1\":{\"symbol\":\"KC1\",\"currency\":\"USD\",\"close\":\"2.9\",\"last_quote_at\":"
        "%lld},\"CC1\":{\"symbol\":\"CC1\",\"currency\":\"USD\",\"close\":\"8000.10\","
        "\"last_quote_at\":%lld},\"SB1\":{\"code\":404,\"message\":\"symbol not found\","
        "\"status\":\"error\"}}",
        t, t);
    http_stub_say(w->stub, 0, "symbol=KC1%2CCC1%2CSB1", 200, body);
    http_stub_say(w->stub, 1, "symbol=KC1,CC1,SB1", 200, body);
    start(w);
    WAIT(w->statuses == 1); /* sugar: its second source knows nothing either */
    assert_int_equal(w->items[COFFEE], 1);
    assert_int_equal(w->items[COCOA], 1);
    assert_int_equal(w->items[SUGAR], 0);
    assert_non_null(strstr(w->status[0], "\"symbol\":\"sugar\""));
    assert_non_null(strstr(http_stub_seen(w->stub, 0), "KC1"));
    assert_non_null(strstr(http_stub_seen(w->stub, 0), "SB1"));
    assert_true(w->metrics.records >= 2);
    assert_true(w->metrics.errors >= 1);
}

/* A jump waits for agreement and is no price meanwhile. */
static void test_jump_is_refused(void **state)
{
    struct world *w = *state;
    int64_t t = now_s() - 100;
    w->instruments[COFFEE].sources_len = 1;
    w->instruments[COFFEE].poll_ms = 3600000;
    twelve_says(w, "2.950", t);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    twelve_says(w, "295.0", t + 1);
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    WAIT(w->refreshed == 1);
    assert_string_equal(w->results[0].error, "bad_schema");
    assert_int_equal(w->items[COFFEE], 1);
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "factor_100", "fail") == 1);
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "factor_100", "pass") == 0);
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "older", "pass") == 1);
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "positive", "pass") == 2);
}

static void test_simulation(void **state)
{
    struct world *w = *state;
    const char *symbol = "AAPL";
    w->sources[COFFEE][0] = source("sim", symbol);
    w->instruments[COFFEE].sources_len = 1;
    start(w);
    WAIT(w->items[COFFEE] >= 3);
    assert_string_equal(w->last[COFFEE]->source, "sim");
    assert_int_equal(http_stub_count(w->stub), 0);
    expect_source(w, "sim", "state", "closed");
}

static void test_switched_off(void **state)
{
    struct world *w = *state;
    w->config.feeds_enabled = false;
    twelve_says(w, "2.950", now_s());
    start(w);
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    WAIT(w->refreshed == 1);
    assert_string_equal(w->results[0].error, "disabled");
    run_for(w, 300);
    assert_int_equal(http_stub_count(w->stub), 0);
    assert_true(feeds_any_provider(w->feeds)); /* none is missing: others poll */
    expect_source(w, "twelvedata", "state", "disabled");
}

static void test_disabled_provider(void **state)
{
    struct world *w = *state;
    w->providers[number_of("twelvedata")].enabled = false;
    w->providers[number_of("twelvedata")].why_disabled = "no api_key";
    yahoo_says(w, "294.3", now_s());
    start(w);
    WAIT(w->items[COFFEE] == 1);
    assert_string_equal(w->last[COFFEE]->source, "yahoo");
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 0);
    expect_source(w, "twelvedata", "state", "disabled");
    expect_source(w, "twelvedata", "reason", "no api_key");
}

/* Another program feeds the same instrument: what it says is held, too. */
static void test_other_program(void **state)
{
    struct world *w = *state;
    int64_t t = now_s();
    char item[200];
    twelve_says(w, "2.950", t - 50);
    make(w);
    int n = snprintf(item, sizeof item, "{\"symbol\":\"coffee\",\"price\":2.91,\"ts\":%lld}",
                     (long long)(t - 20) * 1000);
    bus_publish(w->bus, COFFEE, item, (size_t)n, 120);
    WAIT(w->items[COFFEE] == 1);
    feeds_start(w->feeds);
    WAIT(http_stub_count(w->stub) >= 4);
    assert_int_equal(w->items[COFFEE], 1); /* ours is older */
    twelve_says(w, "2.960", t - 10);
    WAIT(w->items[COFFEE] == 2);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fallback_and_back), TEST(test_older_is_held), TEST(test_both_dead),
        TEST(test_never_known),       TEST(test_batch),         TEST(test_jump_is_refused),
        TEST(test_simulation),        TEST(test_switched_off),  TEST(test_disabled_provider),
        TEST(test_other_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
