/* publish onto the memory bus; what the bus carries is read back as an item. */
#include "publish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "item.h"
#include "jsonx.h"

static const int64_t T = 1767268800000;

struct world {
    uv_loop_t loop;
    struct bus *bus;
    struct publication p;
    struct config_source sources[2];
    struct instrument in;
    struct record record;
    struct publish_input x;
    struct item *last;
    char text[ITEM_BYTES_MAX + 1];
    int heard;
};

static void on_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct world *w = ctx;
    struct err err = {""};
    assert_int_equal(id, 0);
    w->heard++;
    snprintf(w->text, sizeof w->text, "%.*s", (int)len, bytes);
    item_unref(w->last);
    w->last = item_parse(bytes, len, w->in.kind, w->in.symbol, w->x.wall_ms, &err);
    assert_string_equal(err.text, "");
}

static void ignore_bytes(void *ctx, int id, const char *bytes, size_t len)
{
    (void)ctx, (void)id, (void)bytes, (void)len;
}

static void ignore_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    (void)ctx, (void)key, (void)bytes, (void)len;
}

static void ignore_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

static struct decimal dec(const char *s)
{
    struct decimal d;
    assert_int_equal(decimal_parse(s, strlen(s), &d), 0);
    return d;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = 1};
    const struct bus_handler handler = {w, on_item, ignore_bytes, ignore_shared, ignore_link, NULL};
    struct err err;
    uv_loop_init(&w->loop);
    w->bus = bus_new(&w->loop, &options, &handler, &err);
    assert_non_null(w->bus);
    assert_int_equal(bus_watch(w->bus, "coffee", INSTRUMENT_QUOTE, 0), 0);
    assert_int_equal(bus_start(w->bus, &err), 0);
    w->sources[0] = (struct config_source){"twelvedata", 1, "KC1"};
    w->sources[1] = (struct config_source){"yahoo", 2, "KC=F"};
    w->in = (struct instrument){.symbol = "coffee",
                                .unit = "USD/lb",
                                .poll_ms = 15000,
                                .delayed_after_ms = 60000,
                                .ttl_s = 120,
                                .sources = w->sources,
                                .sources_len = 2};
    w->record = (struct record){.price = dec("2.9430"),
                                .prev_close = dec("2.91"),
                                .currency = "USD",
                                .ts_ms = T - 1000,
                                .market = MARKET_OPEN};
    w->x = (struct publish_input){.in = &w->in,
                                  .record = &w->record,
                                  .source_index = 1,
                                  .epoch_ms = 0x19b2f0c6a00,
                                  .interval_ms = 15000,
                                  .until_next_ms = 15000,
                                  .wall_ms = T,
                                  .mono_ms = 1000};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    bus_close(w->bus, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    item_unref(w->last);
    publication_fini(&w->p);
    free(w);
    return 0;
}

static enum publish_result publish_at(struct world *w, int64_t after_ms)
{
    w->x.wall_ms = T + after_ms;
    w->x.mono_ms = 1000 + after_ms;
    enum publish_result r = publish_record(w->bus, &w->p, &w->x);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    return r;
}

static void test_item(void **state)
{
    struct world *w = *state;
    assert_int_equal(publish_at(w, 0), PUBLISH_SENT);
    assert_int_equal(w->heard, 1);
    assert_string_equal(
        w->text, "{\"symbol\":\"coffee\",\"price\":2.9430,\"currency\":\"USD\",\"unit\":\"USD/lb\","
                 "\"prev_close\":2.91,\"change\":0.0330,\"change_pct\":1.134,\"ts\":1767268799000,"
                 "\"recv\":1767268800000,\"seq\":\"19b2f0c6a00:1\",\"source\":\"yahoo\","
                 "\"source_symbol\":\"KC=F\",\"fallback\":true,\"state\":\"live\","
                 "\"market\":\"open\"}");
    w->record.price = dec("2.95");
    w->x.source_index = 0;
    assert_int_equal(publish_at(w, 10), PUBLISH_SENT);
    assert_int_equal(w->last->counter, 2);
    assert_non_null(strstr(w->text, "\"fallback\":false"));
}

static void test_state_at_publication(void **state)
{
    struct world *w = *state;
    w->record.ts_ms = T - 60001;
    publish_at(w, 0);
    assert_int_equal(w->last->state, STATE_DELAYED);
    w->record.ts_ms = T;
    w->record.delayed_s = 900;
    publish_at(w, 1);
    assert_int_equal(w->last->state, STATE_DELAYED);
    assert_int_equal(w->last->delayed_s, 900);
    w->record.market = MARKET_CLOSED;
    publish_at(w, 2);
    assert_int_equal(w->last->state, STATE_CLOSED);
}

static void test_unchanged_once_a_minute(void **state)
{
    struct world *w = *state;
    assert_int_equal(publish_at(w, 0), PUBLISH_SENT);
    for (int64_t t = 15000; t < 60000; t += 15000)
        assert_int_equal(publish_at(w, t), PUBLISH_UNCHANGED);
    assert_int_equal(publish_at(w, 60000), PUBLISH_SENT);
    assert_int_equal(w->last->recv_ms, T + 60000);
    assert_int_equal(w->last->counter, 2);
    assert_int_equal(publish_at(w, 75000), PUBLISH_UNCHANGED);
    w->record.ts_ms++; /* the smallest change is one */
    assert_int_equal(publish_at(w, 75001), PUBLISH_SENT);
    w->record.volume = dec("5");
    assert_int_equal(publish_at(w, 75002), PUBLISH_SENT);
    w->x.source_index = 0;
    assert_int_equal(publish_at(w, 75003), PUBLISH_SENT);
}

/* Confirmed all the time, it is never announced as stale, nor does its key vanish. */
static void test_unchanged_but_short_limits(void **state)
{
    static const struct {
        int64_t stale_after_ms, ttl_s, poll_ms;
    } cases[] = {
        {3000,   120, 1000  },
        {10000,  120, 2000  },
        {90000,  120, 15000 },
        {0,      5,   1000  },
        {0,      20,  5000  },
        {130000, 120, 59000 },
        {0,      120, 100000}
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t last = 0, sent = 0;
        w->in.stale_after_ms = cases[i].stale_after_ms;
        w->in.ttl_s = cases[i].ttl_s;
        w->in.poll_ms = w->x.interval_ms = w->x.until_next_ms = cases[i].poll_ms;
        publication_fini(&w->p);
        w->p = (struct publication){0};
        int64_t stale = publish_stale_after_ms(&w->in, cases[i].poll_ms);
        int64_t ttl_ms = publish_ttl_s(&w->in, cases[i].poll_ms) * 1000;
        for (int64_t t = 0; t < 600000; t += cases[i].poll_ms) {
            if (publish_at(w, t) == PUBLISH_SENT) {
                last = t;
                sent++;
            }
            assert_true(t + cases[i].poll_ms - last <= stale);
            assert_true(t + cases[i].poll_ms - last <= ttl_ms);
        }
        assert_true(sent >= 6);
    }
}

/* The same heartbeat, and another item. A market is none of its business. */
static void test_observation(void **state)
{
    struct world *w = *state;
    struct observation o = {.series = "RWTC", .period = "2026-03-13", .values_len = 1};
    snprintf(o.values[0].name, sizeof o.values[0].name, "value");
    o.values[0].value = dec("-36.980");
    w->in.kind = INSTRUMENT_OBSERVATION;
    w->in.category = "series";
    w->in.unit = "USD/bbl";
    w->in.region = "Cushing";
    w->record.observation = &o;
    w->record.market = MARKET_CLOSED; /* of the price that the record also is */
    assert_int_equal(publish_at(w, 0), PUBLISH_SENT);
    assert_string_equal(w->text,
                        "{\"symbol\":\"coffee\",\"name\":\"coffee\",\"kind\":\"observation\","
                        "\"category\":\"series\",\"region\":\"Cushing\",\"series\":\"RWTC\","
                        "\"value\":-36.980,\"unit\":\"USD/bbl\",\"period\":\"2026-03-13\","
                        "\"ts\":1767268799000,\"recv\":1767268800000,\"seq\":\"19b2f0c6a00:1\","
                        "\"source\":\"yahoo\",\"source_symbol\":\"KC=F\",\"fallback\":true,"
                        "\"state\":\"live\"}");
    w->record.price = dec("1"); /* nobody asked for it */
    assert_int_equal(publish_at(w, 15000), PUBLISH_UNCHANGED);
    assert_int_equal(publish_at(w, 30000), PUBLISH_UNCHANGED);
    assert_int_equal(publish_at(w, 60000), PUBLISH_SENT);
    assert_int_equal(w->last->counter, 2);
    snprintf(o.text, sizeof o.text, "said");
    assert_int_equal(publish_at(w, 60010), PUBLISH_SENT);
    assert_non_null(strstr(w->text, "\"text\":\"said\""));

    w->record.delayed_s = 900; /* readers come to the state by what the item says */
    w->x.interval_ms = 50000;
    assert_int_equal(publish_at(w, 60020), PUBLISH_SENT);
    assert_int_equal(w->last->delayed_s, 900);
    assert_int_equal(w->last->stale_after_ms, 150000);
    assert_int_equal(w->last->state, STATE_DELAYED);
    assert_int_equal(w->last->market, MARKET_UNKNOWN);

    w->record.delayed_s = 0;
    w->in.delayed_after_ms = 10;
    assert_int_equal(publish_at(w, 60030), PUBLISH_SENT);
    assert_int_equal(w->last->state, STATE_DELAYED);
}

/* What cannot be said in 4 KiB is not said, and what is held stays. */
static void test_observation_too_long(void **state)
{
    struct world *w = *state;
    struct observation o = {.values_len = OBSERVATION_VALUES_MAX};
    w->in.kind = INSTRUMENT_OBSERVATION;
    w->record.observation = &o;
    for (int i = 0; i < OBSERVATION_VALUES_MAX; i++) {
        snprintf(o.values[i].name, sizeof o.values[i].name, "%030d%c", 0, 'a' + i);
        memset(o.values[i].unit, 1, sizeof o.values[i].unit - 1);
        o.values[i].value = dec("-0.000000000000000000000000000000000001");
    }
    assert_int_equal(publish_at(w, 0), PUBLISH_FAILED);
    assert_int_equal(w->heard, 0);
    o.values_len = 1;
    assert_int_equal(publish_at(w, 1), PUBLISH_SENT);
    assert_int_equal(w->last->counter, 1);
}

static void test_limits(void **state)
{
    struct world *w = *state;
    assert_int_equal(publish_ttl_s(&w->in, 15000), 120);
    assert_int_equal(publish_ttl_s(&w->in, 40001), 121);
    assert_int_equal(publish_ttl_s(&w->in, 1200000), 3600);
    assert_int_equal(publish_stale_after_ms(&w->in, 15000), 120000);
    assert_int_equal(publish_stale_after_ms(&w->in, 50000), 150000);
    publish_at(w, 0);
    assert_int_equal(w->last->stale_after_ms, 0);
    w->x.interval_ms = 50000; /* stretched: readers cannot know */
    publish_at(w, 1);
    assert_int_equal(w->last->stale_after_ms, 150000);
    w->in.poll_ms = 50000; /* configured so: they can */
    publish_at(w, 2);
    assert_int_equal(w->last->stale_after_ms, 0);
    w->in.poll_ms = 15000;
    w->in.stale_after_ms = 7000; /* configured: it holds */
    publish_at(w, 3);
    assert_int_equal(w->last->stale_after_ms, 0);
    assert_int_equal(publish_stale_after_ms(&w->in, 50000), 7000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_item),
        TEST(test_state_at_publication),
        TEST(test_unchanged_once_a_minute),
        TEST(test_unchanged_but_short_limits),
        TEST(test_observation),
        TEST(test_observation_too_long),
        TEST(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
