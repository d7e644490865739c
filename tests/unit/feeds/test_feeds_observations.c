/* Observations go the way of prices: a chain of sources, rules of quality, the bus; and a restart
 * does not ask again for what is there. */
#include "feeds_world.h"

#include <time.h>

enum { RAIN = COCOA, OIL = SUGAR };

static void become(struct world *w, int id, struct config_source first, struct config_source second)
{
    struct instrument *in = &w->instruments[id];
    w->sources[id][0] = first;
    w->sources[id][1] = second;
    in->kind = INSTRUMENT_OBSERVATION;
    in->category = "series";
    in->delayed_after_ms = INT64_C(864000000);
    in->sources_len = 2;
}

static struct decimal dec(const char *text)
{
    struct decimal d;
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

/* Of the day before yesterday: over in every zone. */
static const char *a_day(char out[static 16])
{
    time_t t = (time_t)(now_s() - 2 * 86400);
    struct tm tm;
    strftime(out, 16, "%Y-%m-%d", gmtime_r(&t, &tm));
    return out;
}

static void eia_says(struct world *w, const char *value, const char *unit)
{
    char body[300], day[16];
    snprintf(body, sizeof body,
             "{\"response\":{\"total\":\"1\",\"data\":[{\"period\":\"%s\",\"series\":\"RWTC\","
             "\"value\":\"%s\",\"units\":\"%s\"}]}}",
             a_day(day), value, unit);
    http_stub_say(w->stub, 2, "/v2/seriesid/PET.RWTC.D", 200, body);
}

static void fred_says(struct world *w, const char *value)
{
    char body[200], day[16];
    snprintf(body, sizeof body, "{\"observations\":[{\"date\":\"%s\",\"value\":\"%s\"}]}",
             a_day(day), value);
    http_stub_say(w->stub, 3, "series_id=DCOILWTICO", 200, body);
}

static void oil(struct world *w)
{
    become(w, OIL, source("eia", "RWTC"), source("fred", "DCOILWTICO"));
}

static bool says(const struct world *w, int id, const char *text)
{
    return w->last[id] && memmem(w->last[id]->bytes, w->last[id]->len, text, strlen(text));
}

static void expect_suspect(struct world *w, int id, const char *value, const char *rule,
                           const char *by)
{
    json_t *j = feeds_suspect(w->feeds, id);
    assert_non_null(j);
    assert_string_equal(jsonx_string(j, "value"), value);
    assert_string_equal(jsonx_string(j, "rule"), rule);
    assert_string_equal(jsonx_string(j, "source"), by);
    json_decref(j);
}

/* A figure in another unit than was configured is held back, and the next source asked. */
static void test_wrong_unit_then_right(void **state)
{
    struct world *w = *state;
    oil(w);
    w->instruments[OIL].unit = "$/BBL";
    eia_says(w, "2.79", "$/GAL");
    fred_says(w, "66.30");
    start(w);
    WAIT(w->items[OIL] >= 1);
    assert_true(says(w, OIL, "\"value\":66.30,\"unit\":\"$/BBL\""));
    assert_true(
        says(w, OIL, "\"source\":\"fred\",\"source_symbol\":\"DCOILWTICO\",\"fallback\":true"));
    assert_true(says(w, OIL, "\"kind\":\"observation\""));
    expect_suspect(w, OIL, "2.79", "unit", "eia");
    assert_true(metrics_get(&w->metrics, METRIC_QUALITY, "unit", "fail") >= 1);

    eia_says(w, "-37.63", "$/BBL"); /* as on 2020-04-20: no reason to doubt it */
    WAIT(says(w, OIL, "\"source\":\"eia\""));
    assert_true(says(w, OIL, "\"value\":-37.63,\"unit\":\"$/BBL\""));
    assert_true(says(w, OIL, "\"fallback\":false"));
    assert_null(feeds_suspect(w->feeds, OIL));
    assert_int_equal(w->items[COFFEE], 0);
}

/* Both outside the range: what is held stays. */
static void test_range(void **state)
{
    struct world *w = *state;
    oil(w);
    w->instruments[OIL].range_min = dec("-100");
    w->instruments[OIL].range_max = dec("500");
    eia_says(w, "66", "");
    http_stub_say(w->stub, 3, "series_id=DCOILWTICO", 500, "");
    start(w);
    WAIT(w->items[OIL] == 1);
    eia_says(w, "6600", "");
    fred_says(w, "501");
    unsigned asked = http_stub_count(w->stub);
    WAIT(http_stub_count(w->stub) >= asked + 6);
    assert_true(says(w, OIL, "\"value\":66,"));
    json_t *j = feeds_suspect(w->feeds, OIL);
    assert_string_equal(jsonx_string(j, "rule"), "value_range");
    json_decref(j);
}

/* Two places in one request; an observation and a price in one process. */
static void test_weather(void **state)
{
    struct world *w = *state;
    char body[900];
    become(w, RAIN, source("openmeteo", "-21.55,-45.43"), source("openmeteo", "1,1"));
    become(w, OIL, source("openmeteo", "-6.23,-77.87"), source("openmeteo", "2,2"));
    w->instruments[RAIN].unit = "K"; /* of several figures: not asked, and nobody's */
    w->instruments[RAIN].region = "Sul de Minas";
    snprintf(body, sizeof body,
             "[{\"latitude\":-21.5,\"longitude\":-45.5,\"utc_offset_seconds\":0,\"current_units\":"
             "{\"temperature_2m\":\"°C\"},\"current\":{\"time\":%lld,\"interval\":900,"
             "\"temperature_2m\":-4.10,\"relative_humidity_2m\":80,\"weather_code\":61}},"
             "{\"latitude\":-6.25,\"longitude\":-77.75,\"utc_offset_seconds\":0,\"current\":"
             "{\"time\":%lld,\"interval\":900,\"temperature_2m\":14}}]",
             (long long)now_s() - 60, (long long)now_s() - 60);
    http_stub_say(w->stub, 2, "latitude=-21.55", 200, body);
    twelve_says(w, "2.943", now_s());
    start(w);
    WAIT(w->items[RAIN] >= 1 && w->items[OIL] >= 1 && w->items[COFFEE] >= 1);
    assert_true(says(w, RAIN,
                     "\"region\":\"Sul de Minas\",\"values\":{\"temperature_2m\":-4.1,"
                     "\"relative_humidity_2m\":80,\"weather_code\":61},"
                     "\"units\":{\"temperature_2m\":\"°C\"},\"text\":\"slight rain\""));
    assert_true(says(w, OIL, "\"temperature_2m\":14"));
    assert_true(says(w, COFFEE, "\"price\":2.943"));
    assert_int_equal(http_stub_seen_with(w->stub, "latitude=-21.55%2C-6.23") +
                         http_stub_seen_with(w->stub, "latitude=-21.55,-6.23"),
                     http_stub_seen_with(w->stub, "latitude="));
}

static void hold(struct world *w, int id, const char *members)
{
    char item[200];
    int n =
        snprintf(item, sizeof item, "{\"symbol\":\"%s\"%s}", w->instruments[id].symbol, members);
    bus_publish(w->bus, id, item, (size_t)n, 120);
    WAIT(w->items[id] >= 1);
}

/* What the bus holds was asked for before the restart. A price is asked for all the same. */
static void test_restart(void **state)
{
    struct world *w = *state;
    char members[200];
    int64_t now = clock_wall_ms();
    oil(w);
    become(w, RAIN, source("fred", "DGS10"), source("fred", "DGS2"));
    w->instruments[OIL].poll_ms = 3600000;
    w->instruments[RAIN].poll_ms = 3600000;
    eia_says(w, "66", "");
    http_stub_say(w->stub, 4, "series_id=DGS10", 200, "{\"observations\":[]}");
    twelve_says(w, "2.943", now_s());
    make(w);
    snprintf(members, sizeof members, ",\"value\":1,\"ts\":%lld,\"recv\":%lld",
             (long long)now - 864000000, (long long)now - 1000000);
    hold(w, OIL, members);
    hold(w, RAIN, ",\"value\":1"); /* who knows when that was */
    snprintf(members, sizeof members, ",\"price\":2,\"ts\":%lld,\"recv\":%lld",
             (long long)now - 90000, (long long)now);
    hold(w, COFFEE, members);
    feeds_start(w->feeds);
    WAIT(w->items[COFFEE] >= 2);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC1") >= 5);
    assert_int_equal(http_stub_seen_with(w->stub, "DGS10"), 1);
    assert_int_equal(http_stub_seen_with(w->stub, "RWTC"), 0);
    assert_int_equal(w->items[OIL], 1);
}

/* Older than its interval: due at once. And so is a price, however fresh. */
static void test_restart_after_a_long_time(void **state)
{
    struct world *w = *state;
    char members[200];
    int64_t now = clock_wall_ms();
    oil(w);
    w->instruments[OIL].poll_ms = w->instruments[COFFEE].poll_ms = 3600000;
    eia_says(w, "66", "");
    make(w);
    snprintf(members, sizeof members, ",\"value\":1,\"ts\":%lld,\"recv\":%lld",
             (long long)now - 864000000, (long long)now - 3700000);
    hold(w, OIL, members);
    twelve_says(w, "2.943", now_s());
    snprintf(members, sizeof members, ",\"price\":2.9,\"ts\":%lld,\"recv\":%lld",
             (long long)now - 60000, (long long)now);
    hold(w, COFFEE, members);
    feeds_start(w->feeds);
    WAIT(w->items[OIL] == 2 && w->items[COFFEE] == 2);
    assert_true(says(w, OIL, "\"value\":66"));
}

/* A provider of prices alone, asked for an observation by mistake of ours, gives none. */
static void test_price_is_no_observation(void **state)
{
    struct world *w = *state;
    become(w, OIL, source("yahoo", "KC=F"), source("eia", "RWTC"));
    yahoo_says(w, "294.3", now_s() - 172800 - 43200 - 86400);
    eia_says(w, "66", "");
    start(w);
    WAIT(w->items[OIL] >= 1);
    assert_true(says(w, OIL, "\"source\":\"eia\""));
    json_t *j = feeds_suspect(w->feeds, OIL);
    assert_string_equal(jsonx_string(j, "rule"), "observed");
    assert_true(json_is_null(json_object_get(j, "value")));
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wrong_unit_then_right),
        TEST(test_range),
        TEST(test_weather),
        TEST(test_restart),
        TEST(test_restart_after_a_long_time),
        TEST(test_price_is_no_observation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
