/* The polling half as a whole: memory bus, real fetch, a stub in place of both providers. Intervals
 * are short; every wait is for a condition. */
#include "feeds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "http_stub.h"
#include "jsonx.h"
#include "provider.h"

enum { COFFEE, COCOA, SUGAR, INSTRUMENTS };
enum { HEARD_MAX = 512 };

struct world {
    uv_loop_t loop;
    struct bus *bus;
    struct feeds *feeds;
    struct metrics metrics;
    struct http_stub *stub;
    struct config config;
    struct config_provider providers[16];
    struct config_source sources[INSTRUMENTS][2];
    struct instrument instruments[INSTRUMENTS];
    char base_url[64];
    struct item *last[INSTRUMENTS];
    int items[INSTRUMENTS];
    char status[HEARD_MAX][300];
    int statuses;
    int refreshed;
    struct {
        char error[32], source[32], message[160];
    } results[8];
    char walk[512];
    bool walk_done, walk_accepted;
};

static int number_of(const char *provider)
{
    for (size_t i = 0; i < providers_len; i++)
        if (strcmp(providers[i]->rule.name, provider) == 0)
            return (int)i;
    fail_msg("no provider %s", provider);
    return -1;
}

static struct config_source source(const char *provider, const char *symbol)
{
    return (struct config_source){provider, number_of(provider), symbol};
}

/* --- the bus's handler, as gateway.c has it --- */

static void on_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct world *w = ctx;
    struct err err = {""};
    struct item *it = item_parse(bytes, len, w->instruments[id].symbol, clock_wall_ms(), &err);
    assert_string_equal(err.text, "");
    item_unref(w->last[id]);
    w->last[id] = it;
    w->items[id]++;
    if (w->feeds)
        feeds_item(w->feeds, id, it);
}

static void on_status(void *ctx, int id, const char *bytes, size_t len)
{
    struct world *w = ctx;
    (void)id;
    assert_true(w->statuses < HEARD_MAX);
    snprintf(w->status[w->statuses++], sizeof w->status[0], "%.*s", (int)len, bytes);
}

static void on_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct world *w = ctx;
    if (w->feeds)
        feeds_shared(w->feeds, key, bytes, len);
}

static void on_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

/* --- the world --- */

static void fill_config(struct world *w)
{
    static const char *const names[] = {"coffee", "cocoa", "sugar"};
    static const char *const twelve[] = {"KC1", "CC1", "SB1"};
    static const char *const yahoo[] = {"KC=F", "CC=F", "SB=F"};
    for (size_t i = 0; i < providers_len; i++)
        w->providers[i] = (struct config_provider){.name = providers[i]->rule.name,
                                                   .enabled = true,
                                                   .api_key = "KEY",
                                                   .base_url = w->base_url};
    for (int i = 0; i < INSTRUMENTS; i++) {
        w->sources[i][0] = source("twelvedata", twelve[i]);
        w->sources[i][1] = source("yahoo", yahoo[i]);
        w->instruments[i] = (struct instrument){.symbol = names[i],
                                                .name = names[i],
                                                .category = "coffee_prices",
                                                .poll_ms = 100,
                                                .delayed_after_ms = 600000,
                                                .ttl_s = 120,
                                                .max_jump_pct = 20,
                                                .sources = w->sources[i],
                                                .sources_len = i == COFFEE ? 2 : 0};
    }
    w->config = (struct config){
        .providers = w->providers,
        .providers_len = providers_len,
        .instruments = w->instruments,
        .instruments_len = INSTRUMENTS,
        .feeds_enabled = true,
        .breaker = {.threshold = 3, .timeout_s = 300}
    };
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_true(providers_len <= ARRAY_LEN(w->providers));
    w->stub = http_stub_new(NULL, NULL);
    snprintf(w->base_url, sizeof w->base_url, "http://127.0.0.1:%d", http_stub_port(w->stub));
    fill_config(w);
    log_setup(LOG_ERROR, true);
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = INSTRUMENTS};
    const struct bus_handler handler = {w, on_item, on_status, on_shared, on_link, NULL};
    struct err err;
    uv_loop_init(&w->loop);
    w->bus = bus_new(&w->loop, &options, &handler, &err);
    assert_non_null(w->bus);
    for (int i = 0; i < INSTRUMENTS; i++)
        assert_int_equal(bus_watch(w->bus, w->instruments[i].symbol, i), 0);
    assert_int_equal(bus_start(w->bus, &err), 0);
    *state = w;
    return 0;
}

static void make(struct world *w)
{
    struct err err;
    w->feeds = feeds_new(&w->loop, &w->config, w->bus, &w->metrics, clock_wall_ms(), &err);
    assert_non_null(w->feeds);
}

static void start(struct world *w)
{
    make(w);
    feeds_start(w->feeds);
}

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static void stop(struct world *w)
{
    int closed = 0;
    feeds_stop(w->feeds);
    feeds_close(w->feeds, count_call, &closed);
    w->feeds = NULL;
    while (!closed)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->feeds)
        stop(w);
    bus_close(w->bus, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    for (int i = 0; i < INSTRUMENTS; i++)
        item_unref(w->last[i]);
    metrics_fini(&w->metrics);
    http_stub_free(w->stub);
    free(w);
    return 0;
}

#define WAIT(cond)                                                                                 \
    while (!(cond))                                                                                \
    uv_run(&w->loop, UV_RUN_ONCE)

static void run_for(struct world *w, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    WAIT(clock_mono_ms() >= until);
}

/* --- what the providers say --- */

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static void twelve_says(struct world *w, const char *price, int64_t at_s)
{
    char body[300];
    snprintf(body, sizeof body,
             "{\"symbol\":\"KC1\",\"currency\":\"USD\",\"close\":\"%s\",\"last_quote_at\":%lld,"
             "\"is_market_open\":true}",
             price, (long long)at_s);
    http_stub_say(w->stub, 0, "symbol=KC1", 200, body);
}

static void twelve_fails(struct world *w, int status, const char *body)
{
    http_stub_say(w->stub, 0, "symbol=", status, body);
}

static void yahoo_says(struct world *w, const char *price, int64_t at_s)
{
    char body[400];
    snprintf(
        body, sizeof body,
        "{\"chart\":{\"result\":[{\"meta\":{\"currency\":\"USX\",\"symbol\":\"KC=F\","
        "\"regularMarketTime\":%lld,\"regularMarketPrice\":%s},\"indicators\":{\"quote\":[{}]}}],"
        "\"error\":null}}",
        (long long)at_s, price);
    http_stub_say(w->stub, 1, "/KC%3DF", 200, body);
}

static const char LIMIT[] =
    "{\"code\":429,\"message\":\"You have run out of API credits for the current minute. 9 API "
    "credits were used, with the current limit being 8.\",\"status\":\"error\"}";

static json_t *describe(struct world *w, const char *provider)
{
    json_t *all = feeds_sources(w->feeds);
    json_t *one = json_incref(json_object_get(all, provider));
    assert_non_null(one);
    json_decref(all);
    return one;
}

static void expect_source(struct world *w, const char *provider, const char *member,
                          const char *text)
{
    json_t *one = describe(w, provider);
    const char *got = jsonx_string(one, member);
    assert_string_equal(got ? got : "(none)", text);
    json_decref(one);
}

static void refreshed(void *ctx, const struct refresh_result *results, size_t n)
{
    struct world *w = ctx;
    w->refreshed++;
    for (size_t i = 0; i < n; i++) {
        const struct refresh_result *r = &results[i];
        snprintf(w->results[i].error, sizeof w->results[i].error, "%s", r->error ? r->error : "");
        snprintf(w->results[i].source, sizeof w->results[i].source, "%s",
                 r->source ? r->source : "");
        snprintf(w->results[i].message, sizeof w->results[i].message, "%s",
                 r->message ? r->message : "");
    }
}

static void walked(void *ctx, bool accepted, const struct walk_step *steps, size_t n)
{
    struct world *w = ctx;
    size_t len = 0;
    w->walk_done = true;
    w->walk_accepted = accepted;
    w->walk[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(w->walk + len, sizeof w->walk - len, "%s %s %s;", steps[i].provider,
                                steps[i].source_symbol, failure_name(steps[i].failure));
}

/* --- the tests --- */

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
    assert_int_equal(http_stub_seen_with(w->stub, "Authorization: apikey KEY"), 1);
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 0); /* the second was not needed */

    twelve_fails(w, 200, LIMIT);
    WAIT(w->items[COFFEE] == 2);
    char text[ITEM_BYTES_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)w->last[COFFEE]->len, w->last[COFFEE]->bytes);
    assert_non_null(strstr(text, "\"price\":2.943,\"currency\":\"USD\""));
    assert_non_null(
        strstr(text, "\"source\":\"yahoo\",\"source_symbol\":\"KC=F\",\"fallback\":true"));
    assert_non_null(strstr(text, "\"state\":\"live\""));
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 1);
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
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "all", "pass") >= 3);
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
    w->providers[number_of("yahoo")].credits_per_day = 800;
    start(w);
    WAIT(w->items[COFFEE] == 1);
    while (http_stub_seen_with(w->stub, "symbol=KC1") < 4)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(http_stub_seen_with(w->stub, "chart"), 1);
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

/* Refreshes join what is under way, and are not repeated within 5 s. */
static void test_refresh_joins(void **state)
{
    struct world *w = *state;
    w->instruments[COFFEE].poll_ms = 3600000;
    w->instruments[COFFEE].sources_len = 1;
    twelve_says(w, "2.950", now_s());
    http_stub_rule(w->stub, 0)->how = STUB_DRIP;
    start(w);
    WAIT(http_stub_count(w->stub) == 1);
    int ids[] = {COFFEE, COCOA};
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    run_for(w, 50);
    assert_int_equal(w->refreshed, 0);
    http_stub_rule(w->stub, 0)->how = STUB_ANSWER;
    WAIT(w->refreshed == 2); /* both by the poll */
    assert_int_equal(http_stub_count(w->stub), 1);
    assert_int_equal(w->items[COFFEE], 1);
    feeds_refresh(w->feeds, ids, 2, refreshed, w);
    WAIT(w->refreshed == 3);
    unsigned count = http_stub_count(w->stub);
    assert_string_equal(w->results[0].error, "");
    assert_string_equal(w->results[0].source, "twelvedata");
    assert_string_equal(w->results[1].error, "disabled"); /* cocoa has no source */
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    WAIT(w->refreshed == 4);
    assert_string_equal(w->results[0].error, "");
    assert_int_equal(http_stub_count(w->stub), count); /* answered from memory */
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
}

static void test_walk(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 200, LIMIT);
    yahoo_says(w, "294.3", now_s());
    make(w); /* not started: nothing is polled */
    feeds_walk(w->feeds, COFFEE, NULL, walked, w);
    WAIT(w->walk_done);
    assert_true(w->walk_accepted);
    assert_string_equal(w->walk, "twelvedata KC1 rate_limited;yahoo KC=F ok;");
    assert_int_equal(w->items[COFFEE], 1);
    w->walk_done = false;
    feeds_walk(w->feeds, COFFEE, "twelvedata", walked, w);
    WAIT(w->walk_done);
    assert_false(w->walk_accepted);
    assert_string_equal(w->walk, "twelvedata KC1 breaker_open;");
    w->walk_done = false;
    feeds_walk(w->feeds, COFFEE, "sim", walked, w);
    WAIT(w->walk_done);
    assert_string_equal(w->walk, "");
    assert_int_equal(http_stub_count(w->stub), 2);
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

/* A stop with a request under way: who waits is answered, nothing else is said. */
static void test_stop_under_way(void **state)
{
    struct world *w = *state;
    twelve_says(w, "2.950", now_s());
    http_stub_rule(w->stub, 0)->how = STUB_HANG;
    start(w);
    WAIT(http_stub_count(w->stub) == 1);
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    assert_int_equal(w->refreshed, 0);
    feeds_stop(w->feeds);
    assert_int_equal(w->refreshed, 1);
    assert_string_equal(w->results[0].error, "disabled");
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    assert_int_equal(w->refreshed, 2);
    run_for(w, 50);
    assert_int_equal(w->items[COFFEE] + w->statuses, 0);
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fallback_and_back),   TEST(test_older_is_held),   TEST(test_both_dead),
        TEST(test_never_known),         TEST(test_batch),           TEST(test_not_found),
        TEST(test_help_keeps_its_pace), TEST(test_breaker_opens),   TEST(test_restart_remembers),
        TEST(test_probe_gives_it_back), TEST(test_budget),          TEST(test_day_reserve),
        TEST(test_refresh_joins),       TEST(test_jump_is_refused), TEST(test_walk),
        TEST(test_simulation),          TEST(test_switched_off),    TEST(test_disabled_provider),
        TEST(test_stop_under_way),      TEST(test_other_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
