/* Jobs in the polling half as a whole: begun by the clock or by a request, retried, joined,
 * recorded, judged. Polls are so far apart that the first one is the only one. */
#include "desk.h"
#include "feeds_world.h"

static const char OOPS[] = "{\"code\":500,\"message\":\"oops\",\"status\":\"error\"}";

static int calm(void **state)
{
    setup(state);
    struct world *w = *state;
    for (int i = 0; i < INSTRUMENTS; i++)
        w->instruments[i].poll_ms = 600000;
    w->config.breaker.threshold = 1000000;
    return 0;
}

/* Element i of "jobs"; borrowed from *all, which the caller drops. */
static json_t *run_at(struct world *w, size_t i, json_t **all)
{
    *all = feeds_jobs(w->feeds);
    assert_non_null(*all);
    return json_array_get(json_object_get(*all, "jobs"), i);
}

static size_t runs(struct world *w)
{
    json_t *all;
    run_at(w, 0, &all);
    size_t n = json_array_size(json_object_get(all, "jobs"));
    json_decref(all);
    return n;
}

static void expect_text(struct world *w, size_t i, const char *member, const char *text)
{
    json_t *all;
    assert_string_equal(jsonx_string(run_at(w, i, &all), member), text);
    json_decref(all);
}

static json_int_t number_at(struct world *w, size_t i, const char *member)
{
    json_t *all;
    json_int_t n = json_integer_value(json_object_get(run_at(w, i, &all), member));
    json_decref(all);
    return n;
}

static json_int_t of_source(struct world *w, size_t i, const char *provider, const char *member)
{
    json_t *all;
    json_t *sources = json_object_get(run_at(w, i, &all), "sources");
    json_t *v = json_object_get(json_object_get(sources, provider), member);
    json_int_t n = v ? json_integer_value(v) : -1;
    json_decref(all);
    return n;
}

/* A run that does not find its answers lying there. */
static void run_now(struct world *w, enum job job)
{
    int before = w->refreshed;
    w->feeds->feeds[COFFEE].refreshed_ms = 0;
    feeds_run_job(w->feeds, job, refreshed, w);
    WAIT(w->refreshed > before);
}

static void test_a_request_is_a_run(void **state)
{
    struct world *w = *state;
    int64_t t = now_s() - 100;
    twelve_says(w, "2.950", t);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    twelve_says(w, "2.960", t + 1);
    run_now(w, JOB_MARKET);
    assert_string_equal(w->results[0].error, "");
    assert_int_equal(runs(w), 1);
    expect_text(w, 0, "job", "market");
    expect_text(w, 0, "trigger", "request");
    expect_text(w, 0, "status", "success");
    assert_int_equal(number_at(w, 0, "requested"), 1); /* the others have no source */
    assert_int_equal(number_at(w, 0, "updated"), 1);
    assert_int_equal(of_source(w, 0, "twelvedata", "ok"), 1);
    assert_int_equal(of_source(w, 0, "yahoo", "ok"), -1); /* was not asked */
    assert_true(metrics_get(&w->metrics, METRIC_JOB_RUNS, "market", "success") == 1);
    assert_true(metrics_get(&w->metrics, METRIC_JOB_DURATION, "market", NULL) > 0);

    run_now(w, JOB_FULL); /* the same answer again */
    assert_int_equal(runs(w), 2);
    expect_text(w, 0, "job", "full");
    assert_int_equal(number_at(w, 0, "updated"), 0);
    assert_int_equal(number_at(w, 0, "unchanged"), 1);
    assert_int_equal(of_source(w, 0, "twelvedata", "unchanged"), 1);

    run_now(w, JOB_INTELLIGENCE); /* there are no observations: a run over nothing */
    assert_int_equal(runs(w), 3);
    expect_text(w, 0, "job", "intelligence");
    expect_text(w, 0, "status", "success");
    assert_int_equal(number_at(w, 0, "requested"), 0);
}

static void test_a_second_request_joins(void **state)
{
    struct world *w = *state;
    twelve_says(w, "2.950", now_s() - 100);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    unsigned asked = http_stub_count(w->stub);
    for (int i = 0; i < 3; i++)
        feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    json_t *all = feeds_jobs(w->feeds);
    assert_string_equal(json_string_value(json_array_get(json_object_get(all, "running"), 0)),
                        "market");
    json_decref(all);
    feeds_run_job(w->feeds, JOB_FULL, refreshed, w); /* another run, the same walk */
    WAIT(w->refreshed == 4);
    assert_int_equal(http_stub_count(w->stub), asked + 1);
    assert_int_equal(runs(w), 2);
    /* Another one at once has its answer already. */
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    WAIT(w->refreshed == 5);
    assert_int_equal(http_stub_count(w->stub), asked + 1);
    assert_string_equal(w->results[0].error, "");
}

static void test_a_request_is_not_retried(void **state)
{
    struct world *w = *state;
    w->config.jobs.max_retries = 3;
    twelve_says(w, "2.950", now_s() - 100);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    twelve_fails(w, 500, OOPS);
    http_stub_say(w->stub, 1, "/KC%3DF", 502, "bad gateway");
    run_now(w, JOB_MARKET);
    assert_string_equal(w->results[0].error, "upstream_error");
    expect_text(w, 0, "status", "failed");
    assert_int_equal(number_at(w, 0, "retries"), 0);
    assert_true(metrics_get(&w->metrics, METRIC_JOB_RUNS, "market", "failed") == 1);
    assert_true(metrics_get(&w->metrics, METRIC_JOB_RUNS, "market", "success") == 0);
    json_t *all;
    json_t *errors = json_object_get(run_at(w, 0, &all), "errors");
    assert_string_equal(jsonx_string(json_array_get(errors, 0), "symbol"), "coffee");
    json_decref(all);
}

/* It never ran, so it is due; the providers are down at first. */
static void test_the_clock_retries(void **state)
{
    struct world *w = *state;
    w->config.jobs.market.every = EVERY_HOUR;
    w->config.jobs.max_retries = 10;
    twelve_fails(w, 500, OOPS);
    http_stub_say(w->stub, 1, "/KC%3DF", 502, "bad gateway");
    start(w);
    WAIT(http_stub_count(w->stub) >= 6);
    assert_int_equal(runs(w), 0);
    twelve_says(w, "2.950", now_s() - 100);
    WAIT(runs(w) == 1);
    expect_text(w, 0, "trigger", "schedule");
    expect_text(w, 0, "status", "success");
    assert_true(number_at(w, 0, "retries") >= 1);
    assert_true(of_source(w, 0, "twelvedata", "failed") >= 1);
    assert_int_equal(of_source(w, 0, "twelvedata", "ok"), 1);
    assert_int_equal(w->items[COFFEE], 1);
    run_for(w, 1200);
    assert_int_equal(runs(w), 1); /* the next one is an hour off */
    json_t *all = feeds_jobs(w->feeds);
    assert_non_null(jsonx_string(json_object_get(all, "next"), "market"));
    assert_true(json_is_null(json_object_get(json_object_get(all, "next"), "full")));
    json_decref(all);
}

/* Due while somebody's run of it is under way: both happen, one after the other. */
static void test_the_clock_waits_for_a_request(void **state)
{
    struct world *w = *state;
    w->config.jobs.market.every = EVERY_HOUR;
    twelve_says(w, "2.950", now_s() - 100);
    start(w);
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    WAIT(runs(w) == 2);
    assert_int_equal(w->refreshed, 1);
    expect_text(w, 0, "trigger", "schedule");
    expect_text(w, 1, "trigger", "request");
}

static void test_retries_end(void **state)
{
    struct world *w = *state;
    w->config.jobs.full.every = EVERY_DAY;
    w->config.jobs.max_retries = 2;
    twelve_fails(w, 500, OOPS);
    http_stub_say(w->stub, 1, "/KC%3DF", 502, "bad gateway");
    start(w);
    WAIT(runs(w) == 1);
    expect_text(w, 0, "status", "failed");
    assert_int_equal(number_at(w, 0, "retries"), 2);
}

static void test_an_overrun_is_said(void **state)
{
    struct world *w = *state;
    w->config.jobs.market.every = EVERY_DAY;
    w->config.jobs.max_retries = 1;
    w->config.jobs.retry_s = 2;
    w->config.jobs.sla_s = 1;
    twelve_fails(w, 500, OOPS);
    http_stub_say(w->stub, 1, "/KC%3DF", 502, "bad gateway");
    start(w);
    WAIT(feeds_trouble_job(w->feeds, JOB_MARKET).late);
    struct trouble_job t = feeds_trouble_job(w->feeds, JOB_MARKET);
    assert_int_equal(t.runs, 0);
    assert_true(t.late_since_ms > 0);
    WAIT(runs(w) == 1);
    t = feeds_trouble_job(w->feeds, JOB_MARKET);
    assert_int_equal(t.runs, 1);
    assert_true(!t.late && t.overran && !t.requested);
    assert_int_equal(t.status, JOB_FAILED);
    assert_int_equal(t.failed, t.instruments);
    assert_non_null(strstr(t.why, "upstream_error"));
    json_t *all;
    const json_t *overran = json_object_get(run_at(w, 0, &all), "overran");
    assert_true(json_is_true(overran));
    json_decref(all);
    assert_true(number_at(w, 0, "duration_ms") >= 2000);
}

/* What the next process reads is what this one wrote. */
static void test_the_history_outlives_the_process(void **state)
{
    struct world *w = *state;
    w->config.jobs.market.every = EVERY_HOUR;
    twelve_says(w, "2.950", now_s() - 100);
    start(w);
    WAIT(runs(w) == 1);
    run_for(w, 1200);
    stop(w);
    start(w);
    WAIT(runs(w) == 1);
    run_for(w, 1200);
    assert_int_equal(runs(w), 1); /* it knows that it ran */
    run_now(w, JOB_FULL);
    assert_int_equal(runs(w), 2);
}

static void test_five_failed_runs_suspend(void **state)
{
    struct world *w = *state;
    int64_t t = now_s() - 100;
    twelve_fails(w, 500, OOPS);
    yahoo_says(w, "294.3", t);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    for (int i = 0; i < RELIABILITY_RUNS; i++) {
        expect_source(w, "twelvedata", "state", "closed");
        run_now(w, JOB_MARKET);
    }
    expect_source(w, "twelvedata", "state", "open");
    expect_source(w, "twelvedata", "reason", "suspended");
    run_for(w, 1100);
    size_t id = (size_t)number_of("twelvedata");
    struct trouble_provider shut = feeds_trouble_provider(w->feeds, id, clock_wall_ms());
    assert_true(shut.shut && shut.suspended);
    assert_string_equal(shut.reason, "suspended");
    assert_int_equal(shut.answered_ms, 0);
    expect_source(w, "yahoo", "state", "closed");
    unsigned asked = http_stub_seen_with(w->stub, "symbol=KC1");
    run_now(w, JOB_MARKET);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), asked);
    assert_int_equal(of_source(w, 0, "twelvedata", "failed"), -1);

    assert_int_equal(feeds_reset(w->feeds, "twelvedata"), 0);
    expect_source(w, "twelvedata", "state", "closed");
    twelve_says(w, "2.950", t + 1);
    run_now(w, JOB_MARKET);
    assert_string_equal(w->last[COFFEE]->source, "twelvedata");
    run_for(w, 1100);
    assert_false(feeds_trouble_provider(w->feeds, id, clock_wall_ms()).shut);
}

/* One good fetch, and it is no failed run; a good run ends the row. */
static void test_a_good_run_ends_the_row(void **state)
{
    struct world *w = *state;
    int64_t t = now_s() - 100;
    twelve_fails(w, 500, OOPS);
    yahoo_says(w, "294.3", t);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    const struct upstream *u = &w->feeds->upstreams[number_of("twelvedata")];
    for (int i = 0; i < RELIABILITY_RUNS - 1; i++)
        run_now(w, JOB_MARKET);
    assert_int_equal(u->reliability.failed_runs, RELIABILITY_RUNS - 1);
    twelve_says(w, "2.950", t + 1);
    run_now(w, JOB_MARKET);
    assert_int_equal(u->reliability.failed_runs, 0);
}

/* Two runs that waited for the same walk: one failed run of the source. */
static void test_a_fetch_is_judged_once(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 500, OOPS);
    yahoo_says(w, "294.3", now_s() - 100);
    start(w);
    WAIT(w->items[COFFEE] == 1);
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    feeds_run_job(w->feeds, JOB_FULL, refreshed, w);
    feeds_run_job(w->feeds, JOB_ENRICH, refreshed, w);
    WAIT(w->refreshed == 3);
    assert_int_equal(runs(w), 3);
    assert_int_equal(w->feeds->upstreams[number_of("twelvedata")].reliability.failed_runs, 1);
}

/* Nobody could be reached: that was our own line. */
static void test_our_own_line_suspends_nobody(void **state)
{
    struct world *w = *state;
    http_stub_rule(w->stub, 0)->how = STUB_CLOSE;
    http_stub_rule(w->stub, 1)->how = STUB_CLOSE;
    snprintf(w->base_url, sizeof w->base_url, "http://127.0.0.1:1"); /* nobody listens there */
    start(w);
    for (int i = 0; i < RELIABILITY_RUNS + 1; i++)
        run_now(w, JOB_MARKET);
    assert_string_equal(w->results[0].error, "connect");
    assert_true(of_source(w, 0, "twelvedata", "failed") >= 1);
    expect_source(w, "twelvedata", "state", "closed");
    assert_int_equal(w->feeds->upstreams[number_of("twelvedata")].reliability.failed_runs, 0);
    assert_int_equal(w->feeds->upstreams[number_of("yahoo")].reliability.failed_runs, 0);
}

/* Stopped in the middle: whoever waits is told. */
static void test_stopped(void **state)
{
    struct world *w = *state;
    start(w);
    http_stub_rule(w->stub, 0)->how = STUB_HANG;
    snprintf(http_stub_rule(w->stub, 0)->match, 8, "symbol");
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    WAIT(http_stub_count(w->stub) >= 1);
    feeds_stop(w->feeds);
    assert_int_equal(w->refreshed, 2);
    assert_string_equal(w->results[0].error, "disabled");
    assert_string_equal(w->results[0].message, "the poller has stopped");
    feeds_run_job(w->feeds, JOB_MARKET, refreshed, w);
    assert_int_equal(w->refreshed, 3);
    assert_string_equal(w->results[0].error, "disabled");
}

static void test_switched_off(void **state)
{
    struct world *w = *state;
    w->config.feeds_enabled = false;
    w->config.jobs.market.every = EVERY_HOUR;
    make(w);
    feeds_run_job(w->feeds, JOB_FULL, refreshed, w);
    assert_int_equal(w->refreshed, 1);
    assert_string_equal(w->results[0].message, "polling is switched off");
    assert_int_equal(runs(w), 0);
    json_t *all = feeds_jobs(w->feeds);
    assert_true(json_is_null(json_object_get(json_object_get(all, "next"), "market")));
    json_decref(all);
}

static void test_a_zone_that_is_gone(void **state)
{
    struct world *w = *state;
    struct err err = {""};
    w->config.jobs.timezone = "Mars/Olympus";
    assert_null(feeds_new(&w->loop, &w->config, w->bus, &w->metrics, clock_wall_ms(), &err));
    assert_non_null(strstr(err.text, "Mars/Olympus"));
}

#define CALM(f) cmocka_unit_test_setup_teardown(f, calm, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALM(test_a_request_is_a_run),
        CALM(test_a_second_request_joins),
        CALM(test_a_request_is_not_retried),
        CALM(test_the_clock_retries),
        CALM(test_the_clock_waits_for_a_request),
        CALM(test_retries_end),
        CALM(test_an_overrun_is_said),
        CALM(test_the_history_outlives_the_process),
        CALM(test_five_failed_runs_suspend),
        CALM(test_a_good_run_ends_the_row),
        CALM(test_a_fetch_is_judged_once),
        CALM(test_our_own_line_suspends_nobody),
        CALM(test_stopped),
        CALM(test_switched_off),
        CALM(test_a_zone_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
