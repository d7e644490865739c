/* feeds_world.h - the polling half as a whole: memory bus, real fetch, a stub in place of both
 * providers. Intervals are short; every wait is for a condition. Everything is static: each test
 * program has its own. */
#ifndef PRICEGATE_TEST_FEEDS_WORLD_H
#define PRICEGATE_TEST_FEEDS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "clock.h"
#include "feeds.h"
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
    struct config_provider providers[32];
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

static inline int number_of(const char *provider)
{
    for (size_t i = 0; i < providers_len; i++)
        if (strcmp(providers[i]->rule.name, provider) == 0)
            return (int)i;
    fail_msg("no provider %s", provider);
    return -1;
}

static inline struct config_source source(const char *provider, const char *symbol)
{
    return (struct config_source){provider, number_of(provider), symbol};
}

/* --- the bus's handler, as gateway.c has it --- */

static inline void on_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct world *w = ctx;
    struct err err = {""};
    struct item *it = item_parse(bytes, len, w->instruments[id].kind, w->instruments[id].symbol,
                                 clock_wall_ms(), &err);
    assert_string_equal(err.text, "");
    item_unref(w->last[id]);
    w->last[id] = it;
    w->items[id]++;
    if (w->feeds)
        feeds_item(w->feeds, id, it);
}

static inline void on_status(void *ctx, int id, const char *bytes, size_t len)
{
    struct world *w = ctx;
    (void)id;
    assert_true(w->statuses < HEARD_MAX);
    snprintf(w->status[w->statuses++], sizeof w->status[0], "%.*s", (int)len, bytes);
}

static inline void on_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct world *w = ctx;
    if (w->feeds)
        feeds_shared(w->feeds, key, bytes, len);
}

static inline void on_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

/* --- the world --- */

static inline void fill_config(struct world *w)
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
        .limits = {.refresh_ms = 5000, .upstream_ms = 20000},
        .breaker = {.threshold = 3,     .timeout_s = 300    }
    };
}

static inline int setup(void **state)
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
        assert_int_equal(bus_watch(w->bus, w->instruments[i].symbol, INSTRUMENT_QUOTE, i), 0);
    assert_int_equal(bus_start(w->bus, &err), 0);
    *state = w;
    return 0;
}

static inline void make(struct world *w)
{
    struct err err;
    w->feeds = feeds_new(&w->loop, &w->config, w->bus, &w->metrics, clock_wall_ms(), &err);
    assert_non_null(w->feeds);
}

static inline void start(struct world *w)
{
    make(w);
    feeds_start(w->feeds);
}

static inline void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static inline void stop(struct world *w)
{
    int closed = 0;
    feeds_stop(w->feeds);
    feeds_close(w->feeds, count_call, &closed);
    w->feeds = NULL;
    while (!closed)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static inline int teardown(void **state)
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

static inline void run_for(struct world *w, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    WAIT(clock_mono_ms() >= until);
}

/* --- what the providers say --- */

static inline int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static inline void twelve_says(struct world *w, const char *price, int64_t at_s)
{
    char body[300];
    snprintf(body, sizeof body,
             "{\"symbol\":\"KC1\",\"currency\":\"USD\",\"close\":\"%s\",\"last_quote_at\":%lld,"
             "\"is_market_open\":true}",
             price, (long long)at_s);
    http_stub_say(w->stub, 0, "symbol=KC1", 200, body);
}

static inline void twelve_fails(struct world *w, int status, const char *body)
{
    http_stub_say(w->stub, 0, "symbol=", status, body);
}

static inline void yahoo_says(struct world *w, const char *price, int64_t at_s)
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

static inline json_t *describe(struct world *w, const char *provider)
{
    json_t *all = feeds_sources(w->feeds);
    json_t *one = json_incref(json_object_get(all, provider));
    assert_non_null(one);
    json_decref(all);
    return one;
}

static inline void expect_source(struct world *w, const char *provider, const char *member,
                                 const char *text)
{
    json_t *one = describe(w, provider);
    const char *got = jsonx_string(one, member);
    assert_string_equal(got ? got : "(none)", text);
    json_decref(one);
}

static inline void refreshed(void *ctx, const struct refresh_result *results, size_t n)
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

/* The steps of all ends, one behind the other; accepted when all were. */
static inline void walked(void *ctx, const struct walk_end *ends, size_t n)
{
    struct world *w = ctx;
    size_t len = 0;
    w->walk_done = true;
    w->walk_accepted = true;
    w->walk[0] = '\0';
    for (size_t k = 0; k < n; k++) {
        const struct walk_step *steps = ends[k].steps;
        w->walk_accepted &= ends[k].accepted;
        for (size_t i = 0; i < ends[k].n; i++)
            len += (size_t)snprintf(w->walk + len, sizeof w->walk - len, "%s %s %s;",
                                    steps[i].provider, steps[i].source_symbol,
                                    failure_name(steps[i].failure));
    }
}

/* One case: its world is made before and taken down behind it. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
