/* The text of a dead letter, its name, and which names are ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "dead_letter.h"

static const int64_t NOW_MS = 1741705265123; /* 2025-03-11T15:01:05.123Z */

static struct decimal dec(const char *text)
{
    struct decimal d = {0};
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static const struct config_source sources[] = {
    {"twelvedata", 0, "KC1" },
    {"yahoo",      1, "KC=F"}
};

static void assert_letter(const struct dead_letter *d, const char *want)
{
    struct buf out = {0};
    dead_letter_encode(d, &out);
    assert_false(out.failed);
    assert_string_equal(out.p, want);
    json_t *j = json_loads(out.p, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    json_decref(j);
    buf_fini(&out);
}

static void test_everything_known(void **state)
{
    (void)state;
    const struct instrument in = {.symbol = "coffee",
                                  .category = "coffee_prices",
                                  .currency = "USD",
                                  .range_min = dec("0.5"),
                                  .range_max = dec("10"),
                                  .max_jump_pct = 2.5,
                                  .sources = sources,
                                  .sources_len = 2};
    const struct record r = {.price = dec("294.30"),
                             .bid = dec("294.2"),
                             .ask = dec("294.4"),
                             .open = dec("290"),
                             .high = dec("295"),
                             .low = dec("289"),
                             .prev_close = dec("291"),
                             .volume = dec("1000"),
                             .currency = "USD",
                             .ts_ms = NOW_MS - 1,
                             .delayed_s = 600,
                             .market = MARKET_OPEN,
                             .derived = true};
    const struct quality_memory m = {
        .held = true, .held_price = dec("2.943"), .held_ts_ms = NOW_MS - 9};
    const struct quality_result q = {
        .failure = FAIL_BAD_SCHEMA, .rule = "factor_100", .why = {"say \"x100\"\n"}};
    const struct dead_letter d = {.wall_ms = NOW_MS,
                                  .in = &in,
                                  .source_index = 1,
                                  .record = &r,
                                  .result = &q,
                                  .memory = &m,
                                  .left_out = 3};
    assert_letter(
        &d,
        "{\"time\":\"2025-03-11T15:01:05.123Z\",\"error\":{\"failure\":\"bad_schema\","
        "\"rule\":\"factor_100\",\"applies_to\":\"price\",\"reason\":\"say \\\"x100\\\"\\u000a\"},"
        "\"context\":{\"symbol\":\"coffee\",\"category\":\"coffee_prices\",\"source\":\"yahoo\","
        "\"source_symbol\":\"KC=F\",\"currency\":\"USD\",\"range_min\":0.5,\"range_max\":10,"
        "\"max_jump_pct\":2.5,\"held_price\":2.943,\"held_ts\":1741705265114,\"left_out\":3},"
        "\"record\":{\"price\":294.30,\"bid\":294.2,\"ask\":294.4,\"open\":290,\"high\":295,"
        "\"low\":289,\"prev_close\":291,\"volume\":1000,\"currency\":\"USD\","
        "\"ts\":1741705265122,\"delayed_s\":600,\"market\":\"open\",\"derived\":true}}\n");
}

static void test_little_known(void **state)
{
    (void)state;
    const struct instrument in = {.symbol = "x",
                                  .category = "prices",
                                  .max_jump_pct = 20,
                                  .sources = sources,
                                  .sources_len = 2};
    const struct record r = {.ts_ms = NOW_MS, .currency = "\xff"};
    const struct quality_memory m = {0};
    const struct quality_result q = {.failure = FAIL_BAD_SCHEMA, .rule = "finite", .why = {"no"}};
    const struct dead_letter d = {
        .wall_ms = NOW_MS, .in = &in, .record = &r, .result = &q, .memory = &m};
    assert_letter(&d,
                  "{\"time\":\"2025-03-11T15:01:05.123Z\",\"error\":{\"failure\":\"bad_schema\","
                  "\"rule\":\"finite\",\"applies_to\":\"price\",\"reason\":\"no\"},"
                  "\"context\":{\"symbol\":\"x\",\"category\":\"prices\",\"source\":\"twelvedata\","
                  "\"source_symbol\":\"KC1\",\"max_jump_pct\":20},"
                  "\"record\":{\"currency\":\"\xef\xbf\xbd\",\"ts\":1741705265123,"
                  "\"market\":\"unknown\"}}\n");
}

static void test_observation(void **state)
{
    (void)state;
    const struct instrument in = {.kind = INSTRUMENT_OBSERVATION,
                                  .symbol = "rain",
                                  .category = "weather",
                                  .unit = "mm",
                                  .range_min = dec("-1"),
                                  .range_max = dec("500"),
                                  .max_jump_pct = 20,
                                  .sources = sources,
                                  .sources_len = 2};
    struct observation o = {
        .values = {{"rain", "inch", {0}}, {"t", "", {0}}},
        .values_len = 2,
        .region = "Sul de \"Minas\"",
        .series = "S",
        .period = "2026",
        .text = "wet"
    };
    o.values[0].value = dec("1.50");
    o.values[1].value = dec("-3");
    struct record r = {.price = dec("9"), .currency = "USD", .observation = &o, .ts_ms = NOW_MS};
    const struct quality_memory m = {.held = true, .held_ts_ms = NOW_MS - 9};
    const struct quality_result q = {.failure = FAIL_BAD_SCHEMA, .rule = "unit", .why = {"no"}};
    const struct dead_letter d = {
        .wall_ms = NOW_MS, .in = &in, .record = &r, .result = &q, .memory = &m};
#define BEFORE                                                                                     \
    "{\"time\":\"2025-03-11T15:01:05.123Z\",\"error\":{\"failure\":\"bad_schema\","                \
    "\"rule\":\"unit\",\"applies_to\":\"value\",\"reason\":\"no\"},"                               \
    "\"context\":{\"symbol\":\"rain\",\"category\":\"weather\",\"source\":\"twelvedata\","         \
    "\"source_symbol\":\"KC1\",\"unit\":\"mm\",\"range_min\":-1,\"range_max\":500,"                \
    "\"held_ts\":1741705265114},\"record\":{"
    assert_letter(&d, BEFORE "\"values\":{\"rain\":1.50,\"t\":-3},\"units\":{\"rain\":\"inch\"},"
                             "\"region\":\"Sul de \\\"Minas\\\"\",\"series\":\"S\","
                             "\"period\":\"2026\",\"text\":\"wet\",\"ts\":1741705265123,"
                             "\"market\":\"unknown\"}}\n");
    r.observation = &(struct observation){0};
    assert_letter(&d, BEFORE "\"values\":{},\"units\":{},\"ts\":1741705265123,"
                             "\"market\":\"unknown\"}}\n");
    r.observation = NULL; /* a price came instead */
    assert_letter(&d, BEFORE "\"ts\":1741705265123,\"market\":\"unknown\"}}\n");
}

static void test_names(void **state)
{
    (void)state;
    char a[DEAD_LETTER_NAME_MAX], b[DEAD_LETTER_NAME_MAX];
    dead_letter_name(NOW_MS, 0x19b2f0c6a00, 12, a);
    assert_string_equal(a, "dlq_20250311T150105.123Z_19b2f0c6a00-12.json");
    assert_true(dead_letter_is_name(a));
    dead_letter_name(NOW_MS + 1, 1, 1, b);
    assert_true(strcmp(a, b) < 0);
    dead_letter_name(INT64_C(253402300799999), UINT64_MAX, UINT64_MAX, b);
    assert_true(dead_letter_is_name(b));
    assert_true(dead_letter_is_name("dlq_.json"));
    assert_false(dead_letter_is_name("dlq.json"));
    assert_false(dead_letter_is_name("dlq_1.json.bak"));
    assert_false(dead_letter_is_name("my_dlq_1.json"));
    assert_false(dead_letter_is_name("prices.json"));
    assert_false(dead_letter_is_name("dlq_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_known),
        cmocka_unit_test(test_little_known),
        cmocka_unit_test(test_observation),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
