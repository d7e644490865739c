/* What an observation looks like when it travels, and what is cut off when there is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "attrs.h"
#include "item.h"
#include "jsonx.h"
#include "observation.h"
#include "utf8.h"

static const int64_t TS = 1773655200000, RECV = 1773655261234;

static void add(struct observation *o, const char *name, const char *value, const char *unit)
{
    struct observed *v = &o->values[o->values_len++];
    snprintf(v->name, sizeof v->name, "%s", name);
    snprintf(v->unit, sizeof v->unit, "%s", unit);
    assert_int_equal(decimal_parse(value, strlen(value), &v->value), 0);
}

static struct observation_envelope envelope(void)
{
    return (struct observation_envelope){
        .name = "weather/minas",
        .category = "weather",
        .ts_ms = TS,
        .recv_ms = RECV,
        .epoch_ms = 0x19b2f0c6a00,
        .counter = 7,
        .source = "openmeteo",
        .source_symbol = "-21.55,-45.43",
        .state = STATE_LIVE,
    };
}

static void expect(const struct observation *o, const struct observation_envelope *e,
                   const char *want)
{
    struct buf out = {0};
    observation_encode(o, e, &out);
    assert_false(out.failed);
    buf_addc(&out, '\0');
    assert_string_equal(out.p, want);
    struct err err = {{0}};
    struct item *it = item_parse(out.p, out.len - 1, INSTRUMENT_OBSERVATION, e->name, RECV, &err);
    if (!it)
        fail_msg("%s", err.text);
    assert_int_equal(it->ts_ms, TS);
    assert_int_equal(it->recv_ms, RECV);
    assert_true(it->has_seq);
    assert_int_equal(it->counter, 7);
    item_unref(it);
    buf_fini(&out);
}

/* From "ts" to the end, as envelope() says it. */
#define TAIL                                                                                       \
    ",\"ts\":1773655200000,\"recv\":1773655261234,\"seq\":\"19b2f0c6a00:7\","                      \
    "\"source\":\"openmeteo\",\"source_symbol\":\"-21.55,-45.43\",\"fallback\":false,"             \
    "\"state\":\"live\"}"
#define HEAD                                                                                       \
    "{\"symbol\":\"weather/minas\",\"name\":\"weather/minas\",\"kind\":\"observation\","           \
    "\"category\":\"weather\""

static void several_figures(void **state)
{
    (void)state;
    struct observation o = {.region = "Sul de Minas", .text = "overcast"};
    struct observation_envelope e = envelope();
    add(&o, "temperature_2m", "-21.40", "°C");
    add(&o, "rain", "0", "");
    add(&o, "relative_humidity_2m", "80", "%");
    expect(&o, &e,
           HEAD ",\"region\":\"Sul de Minas\",\"values\":{\"temperature_2m\":-21.40,\"rain\":0,"
                "\"relative_humidity_2m\":80},\"units\":{\"temperature_2m\":\"°C\","
                "\"relative_humidity_2m\":\"%\"},\"text\":\"overcast\"" TAIL);

    /* The configured unit would be a guess: of which of them? The configured region is none. */
    e.unit = "°C";
    e.region = "South of Minas";
    o.text[0] = '\0';
    expect(&o, &e,
           HEAD ",\"region\":\"South of Minas\",\"values\":{\"temperature_2m\":-21.40,\"rain\":0,"
                "\"relative_humidity_2m\":80},\"units\":{\"temperature_2m\":\"°C\","
                "\"relative_humidity_2m\":\"%\"}" TAIL);
}

static void one_figure(void **state)
{
    (void)state;
    struct observation o = {.series = "DGS10", .period = "2026-03-13"};
    struct observation_envelope e = envelope();
    add(&o, "value", "4.270", "");
    expect(&o, &e, HEAD ",\"series\":\"DGS10\",\"value\":4.270,\"period\":\"2026-03-13\"" TAIL);
    e.unit = "%";
    expect(&o, &e,
           HEAD ",\"series\":\"DGS10\",\"value\":4.270,\"unit\":\"%\","
                "\"period\":\"2026-03-13\"" TAIL);
    snprintf(o.values[0].unit, sizeof o.values[0].unit, "percent"); /* the source knows best */
    expect(&o, &e,
           HEAD ",\"series\":\"DGS10\",\"value\":4.270,\"unit\":\"percent\","
                "\"period\":\"2026-03-13\"" TAIL);

    struct observation cold = {0}; /* one, but of a name: it is not to be lost */
    add(&cold, "temperature_2m", "-0.5", "");
    e.unit = "°C";
    expect(&cold, &e,
           HEAD ",\"values\":{\"temperature_2m\":-0.5},\"units\":{\"temperature_2m\":\"°C\"}" TAIL);
}

static void digits_stay(void **state)
{
    (void)state;
    static const char *const values[] = {"123456789012345678901234567890123456",
                                         "0.000000000000000000000000000000000001", "-273.15",
                                         "100.000", "0.00"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct observation o = {0};
        struct observation_envelope e = envelope();
        struct buf out = {0};
        char want[80];
        add(&o, "value", values[i], "");
        observation_encode(&o, &e, &out);
        buf_addc(&out, '\0');
        snprintf(want, sizeof want, "\"value\":%s,", values[i]);
        if (!strstr(out.p, want))
            fail_msg("%s: %s", values[i], out.p);
        buf_fini(&out);
    }
}

static void words_alone(void **state)
{
    (void)state;
    struct observation o = {
        .text = "Rain \"soon\".\nBack\\slash, and a tab\t",
        .citations = {"https://a.example/?q=\"1\"", "https://b.example/"},
        .citations_len = 2
    };
    struct observation_envelope e = envelope();
    e.fallback = true;
    e.delayed_s = 600;
    e.stale_after_ms = 9000;
    e.state = STATE_DELAYED;
    e.category = NULL;
    expect(&o, &e,
           "{\"symbol\":\"weather/minas\",\"name\":\"weather/minas\",\"kind\":\"observation\","
           "\"values\":{},\"units\":{},"
           "\"text\":\"Rain \\\"soon\\\".\\u000aBack\\\\slash, and a tab\\u0009\","
           "\"citations\":[\"https://a.example/?q=\\\"1\\\"\",\"https://b.example/\"],"
           "\"ts\":1773655200000,\"recv\":1773655261234,\"seq\":\"19b2f0c6a00:7\","
           "\"source\":\"openmeteo\",\"source_symbol\":\"-21.55,-45.43\",\"fallback\":true,"
           "\"delayed_s\":600,\"stale_after_ms\":9000,\"state\":\"delayed\"}");
}

/* As often as `with` fits in whole. */
static void fill(char *to, size_t size, const char *with)
{
    size_t n = strlen(with), len = 0;
    for (; len + n < size; len += n)
        memcpy(to + len, with, n);
    to[len] = '\0';
}

static void add_longest(struct observation *o, const char *unit_of)
{
    for (int i = 0; i < OBSERVATION_VALUES_MAX; i++) {
        char name[32], unit[24];
        snprintf(name, sizeof name, "%030d%c", 0, 'a' + i);
        fill(unit, sizeof unit, unit_of);
        add(o, name, "-0.000000000000000000000000000000000001", unit);
    }
}

/* Encoded behind something else, within the limit, and a valid item. New reference. */
static json_t *encoded(const struct observation *o, const struct observation_envelope *e,
                       size_t *len)
{
    struct buf out = {0};
    buf_adds(&out, "before");
    observation_encode(o, e, &out);
    assert_false(out.failed);
    assert_memory_equal(out.p, "before", 6);
    *len = out.len - 6;
    assert_true(*len <= ITEM_BYTES_MAX - 40);
    assert_true(utf8_valid(out.p, out.len));
    struct err err = {{0}};
    struct item *it = item_parse(out.p + 6, *len, INSTRUMENT_OBSERVATION, e->name, RECV, &err);
    if (!it)
        fail_msg("%s", err.text);
    /* a year late, it is still an item */
    struct item *late = item_delayed(it, INSTRUMENT_OBSERVATION, 31536000, RECV, &err);
    if (!late)
        fail_msg("%s", err.text);
    item_unref(late);
    item_unref(it);
    json_t *j = json_loadb(out.p + 6, *len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    buf_fini(&out);
    return j;
}

/* Of the longest of everything the citations go first, and the figures stay. */
static void citations_go_first(void **state)
{
    (void)state;
    struct observation o = {.citations_len = OBSERVATION_CITATIONS_MAX};
    struct observation_envelope e = envelope();
    size_t len;
    add_longest(&o, "1");
    fill(o.text, sizeof o.text, "x");
    for (size_t i = 0; i < o.citations_len; i++)
        fill(o.citations[i], sizeof o.citations[i], "c");
    json_t *j = encoded(&o, &e, &len);
    assert_int_equal(json_object_size(json_object_get(j, "values")), OBSERVATION_VALUES_MAX);
    assert_int_equal(json_object_size(json_object_get(j, "units")), OBSERVATION_VALUES_MAX);
    assert_string_equal(jsonx_string(j, "text"), o.text); /* whole */
    size_t left = json_array_size(json_object_get(j, "citations"));
    assert_in_range(left, 0, OBSERVATION_CITATIONS_MAX - 1);
    assert_true(len + sizeof o.citations[0] + 60 > ITEM_BYTES_MAX); /* no more than had to go */
    json_decref(j);
}

/* The text is shortened between characters, and says that it goes on. */
static void then_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *with;
        bool fits; /* with all that is beside it */
    } rows[] = {
        {"\x01",                 false},
        {"é\x01\x01\x01",       false},
        {"€\x01\x01\x01\x01",  false},
        {"🌧\x01\x01\x01\x01", false},
        {"\"",                   true },
        {"🌧",                 true },
        {"a",                    true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct observation o = {
            .citations_len = 2, .citations = {"https://a.example/", "https://b.example/"}
        };
        struct observation_envelope e = envelope();
        size_t len;
        fill(o.text, sizeof o.text, rows[i].with);
        json_t *j = encoded(&o, &e, &len);
        const char *text = jsonx_string(j, "text");
        size_t n = strlen(text);
        assert_int_equal(json_array_size(json_object_get(j, "citations")), rows[i].fits ? 2 : 0);
        if (rows[i].fits) {
            assert_string_equal(text, o.text);
        } else {
            assert_true(n > 400 && n < strlen(o.text));
            assert_string_equal(text + n - 3, "…");
            assert_memory_equal(text, o.text, n - 3);
            assert_null(strstr(text, "\xef\xbf\xbd")); /* no character was cut in two */
        }
        json_decref(j);
    }
}

/* At any length there is room for what is added on the way. */
static void room_is_left(void **state)
{
    (void)state;
    for (size_t n = 500; n < 800; n++) {
        struct observation o = {0};
        struct observation_envelope e = envelope();
        size_t len;
        memset(o.text, 1, n); /* six bytes each in JSON */
        json_decref(encoded(&o, &e, &len));
    }
}

/* Units of control characters, six bytes each in JSON: they cannot be said in 4 KiB. */
static void too_long_for_an_item(void **state)
{
    (void)state;
    struct observation o = {.text = "words"};
    struct observation_envelope e = envelope();
    struct buf out = {0};
    add_longest(&o, "\x01");
    observation_encode(&o, &e, &out);
    assert_true(out.failed);
    buf_fini(&out);
}

static void the_only_figure(void **state)
{
    (void)state;
    struct observation o = {0};
    assert_null(observation_only(&o));
    add(&o, "temperature_2m", "1", "");
    assert_ptr_equal(observation_only(&o), &o.values[0]);
    add(&o, "rain", "1", "");
    assert_null(observation_only(&o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_figure),         cmocka_unit_test(several_figures),
        cmocka_unit_test(digits_stay),        cmocka_unit_test(words_alone),
        cmocka_unit_test(citations_go_first), cmocka_unit_test(then_the_text),
        cmocka_unit_test(room_is_left),       cmocka_unit_test(too_long_for_an_item),
        cmocka_unit_test(the_only_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
