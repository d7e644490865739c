/* When a provider is left alone: its breaker, its credits, symbols it does not know. */
#include "feeds_world.h"

/* One unknown symbol is the symbol's fault: no breaker, and it is left alone more and more. */
static void test_not_found(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 200, "{\"code\":404,\"message\":\"symbol not found\",\"status\":\"error\"}");
    yahoo_says(w, "294.3", now_s() - 5);
    w->config.breaker.threshold = 2;
    start(w);
    unsigned polls = 0;
    while (polls < 16) {
        uv_run(&w->loop, UV_RUN_ONCE);
        polls = http_stub_seen_with(w->stub, "chart");
    }
    assert_in_range(http_stub_seen_with(w->stub, "symbol=KC1"), 2, 5); /* polls 0, 2, 5, 10 ... */
    expect_source(w, "twelvedata", "state", "closed");
    assert_string_equal(w->last[COFFEE]->source, "yahoo");
    twelve_says(w, "2.950", now_s());
    feeds_reset(w->feeds, "twelvedata"); /* ends the suspension, too */
    int items = w->items[COFFEE];
    WAIT(w->items[COFFEE] > items);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
}

/* A source that has to help out at every poll must not spend its day at the first one's pace. */
static void test_help_keeps_its_pace(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 404, "**symbol** not found: KC1");
    yahoo_says(w, "294.3", now_s() - 5);
    w->providers[number_of("yahoo")].credits_per_day = 20; /* few: even an hour is long for them */
    start(w);
    WAIT(w->items[COFFEE] == 1);
    while (http_stub_seen_with(w->stub, "symbol=KC1") < 4)
        uv_run(&w->loop, UV_RUN_ONCE);
    /* The second kept the promise that was published with the first: three polls of those that the
     * rest of the day has for less than 20 credits. In its last minutes that is less than two
     * minutes, which go without saying. */
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 2);
    int64_t three_polls_ms = 3 * (86400000 - clock_wall_ms() % 86400000) / 20;
    assert_true(w->last[COFFEE]->stale_after_ms >= three_polls_ms || three_polls_ms < 120000);
}

static void test_breaker_opens(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 503, "down");
    yahoo_says(w, "294.3", now_s() - 5);
    start(w);
    while (http_stub_seen_with(w->stub, "chart") < 8)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 3);
    json_t *one = describe(w, "twelvedata");
    assert_string_equal(jsonx_string(one, "state"), "open");
    assert_int_equal(json_integer_value(json_object_get(one, "failures")), 3);
    assert_int_equal(json_integer_value(json_object_get(one, "failure_threshold")), 3);
    assert_non_null(jsonx_string(one, "retry_at"));
    assert_non_null(strstr(jsonx_string(one, "last_error"), "upstream_error"));
    assert_true(json_is_null(json_object_get(one, "last_success")));
    assert_true(json_is_null(json_object_get(one, "credits_left")));
    json_decref(one);
    assert_true(metrics_get(&w->metrics, METRIC_BREAKER, "twelvedata", NULL) == 2);
}

/* Opened by one process, known to the next: the state is on the bus. */
static void test_restart_remembers(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 503, "down");
    yahoo_says(w, "294.3", now_s() - 5);
    w->config.breaker.threshold = 1;
    w->providers[number_of("twelvedata")].credits_per_minute = 8;
    start(w);
    WAIT(w->items[COFFEE] == 1);
    run_for(w, 50);
    stop(w);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 1);
    start(w);
    while (http_stub_seen_with(w->stub, "chart") < 4)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 1);
    expect_source(w, "twelvedata", "state", "open");
    json_t *one = describe(w, "twelvedata");
    assert_int_equal(json_integer_value(json_object_get(one, "credits_left")), 7);
    json_decref(one);
}

/* Half open: the probe's success gives the primary back without anybody's help. */
static void test_probe_gives_it_back(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 503, "down");
    yahoo_says(w, "294.3", now_s() - 50);
    w->config.breaker.threshold = 1;
    w->config.breaker.timeout_s = 1;
    start(w);
    WAIT(w->items[COFFEE] == 1);
    expect_source(w, "twelvedata", "state", "open");
    twelve_says(w, "2.950", now_s());
    WAIT(w->items[COFFEE] == 2);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    expect_source(w, "twelvedata", "state", "closed");
}

/* Yahoo's day allows a poll in hours: the first source is probed by itself, as often as its waiting
 * time ends, and yahoo is not asked for that. */
static void test_probe_does_not_wait_for_a_slow_fallback(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 503, "down");
    yahoo_says(w, "294.3", now_s() - 50);
    w->providers[number_of("yahoo")].credits_per_day = 20;
    w->config.breaker.threshold = 1;
    w->config.breaker.timeout_s = 1;
    start(w);
    WAIT(w->items[COFFEE] == 1);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC1") == 3); /* the second probe */
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 1);
    for (int i = 0; i < w->statuses; i++)
        assert_null(strstr(w->status[i], "unavailable"));
    twelve_says(w, "2.950", now_s());
    WAIT(w->items[COFFEE] == 2);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    expect_source(w, "twelvedata", "state", "closed");
    twelve_says(w, "2.951", now_s() + 1);
    WAIT(w->items[COFFEE] == 3); /* the pace is its own again */
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 1);
}

/* One symbol that goes wrong must not keep the provider shut for the others: they take turns. */
static void test_probes_take_turns(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 503, "down");
    w->config.breaker.threshold = 1;
    w->config.breaker.timeout_s = 1;
    for (int i = COFFEE; i <= COCOA; i++) {
        w->instruments[i].sources_len = 1;
        w->instruments[i].poll_ms = 3600000;
    }
    start(w);
    WAIT(http_stub_count(w->stub) == 1); /* both of them */
    WAIT(http_stub_seen_with(w->stub, "symbol=CC1") == 1);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 2);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC1") == 3);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=CC1"), 1);
}

/* A plan without the symbol: the next source is polled at its own pace, not at that of the first.
 */
static void test_not_found_does_not_set_the_pace(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 404, "**symbol** not found: KC1");
    yahoo_says(w, "294.3", now_s() - 5);
    w->providers[number_of("twelvedata")].credits_per_day = 20; /* a poll in hours */
    start(w);
    while (http_stub_seen_with(w->stub, "chart") < 4)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 1);
}

static void test_budget(void **state)
{
    struct world *w = *state;
    w->providers[number_of("twelvedata")].credits_per_minute = 1;
    w->instruments[COFFEE].sources_len = 1;
    twelve_says(w, "2.950", now_s());
    start(w);
    WAIT(w->items[COFFEE] == 1);
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    WAIT(w->refreshed == 1);
    assert_string_equal(w->results[0].error, "budget");
    assert_string_equal(w->results[0].source, "twelvedata");
    run_for(w, 400); /* four times its poll_ms: the pace is stretched to one a minute */
    assert_int_equal(http_stub_count(w->stub), 1);
    assert_int_equal(w->last[COFFEE]->stale_after_ms, 180000);
    json_t *one = describe(w, "twelvedata");
    assert_int_equal(json_integer_value(json_object_get(one, "credits_left")), 0);
    json_decref(one);
}

/* Polls leave a tenth of the day to refreshes. */
static void test_day_reserve(void **state)
{
    struct world *w = *state;
    w->providers[number_of("twelvedata")].credits_per_day = 2;
    w->instruments[COFFEE].sources_len = 1;
    twelve_says(w, "2.950", now_s() - 50);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    run_for(w, 400);
    assert_int_equal(http_stub_count(w->stub), 1);
    twelve_says(w, "2.960", now_s());
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    WAIT(w->refreshed == 1);
    assert_string_equal(w->results[0].error, "");
    assert_int_equal(w->items[COFFEE], 2);
    assert_int_equal(http_stub_count(w->stub), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_not_found),
        TEST(test_help_keeps_its_pace),
        TEST(test_breaker_opens),
        TEST(test_restart_remembers),
        TEST(test_probe_gives_it_back),
        TEST(test_budget),
        TEST(test_probe_does_not_wait_for_a_slow_fallback),
        TEST(test_probes_take_turns),
        TEST(test_not_found_does_not_set_the_pace),
        TEST(test_day_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
