/* What arrives on the bus: which items are valid, what is read out of them, and who may replace
 * whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "item.h"
#include "seed.h"

#define NOW 1767225600000

static struct item *parse(const char *text, struct err *err)
{
    seed_keep_text("item", text);
    return item_parse(text, strlen(text), INSTRUMENT_QUOTE, "coffee", NOW, err);
}

static struct item *good(const char *text)
{
    struct err err = {{0}};
    struct item *it = parse(text, &err);
    if (!it)
        fail_msg("%s: %s", text, err.text);
    return it;
}

static const char full[] =
    "{\"symbol\":\"coffee\",\"price\":2.9430,\"ts\":1767225599000,\"recv\":1767225599412,"
    "\"seq\":\"19b2f0c6a00:1842\",\"source\":\"yahoo\",\"delayed_s\":600,\"stale_after_ms\":9000,"
    "\"state\":\"delayed\",\"market\":\"open\",\"extra\":[1,{\"x\":null}]}";

static void every_member_is_read(void **state)
{
    struct item *it = good(full);
    char text[DECIMAL_TEXT_MAX];
    (void)state;
    assert_string_equal(it->symbol, "coffee");
    decimal_format(it->price, text);
    assert_string_equal(text, "2.9430");
    assert_int_equal(it->ts_ms, 1767225599000);
    assert_int_equal(it->recv_ms, 1767225599412);
    assert_true(it->has_seq);
    assert_int_equal(it->epoch_ms, 0x19b2f0c6a00);
    assert_int_equal(it->counter, 1842);
    assert_string_equal(it->source, "yahoo");
    assert_int_equal(it->delayed_s, 600);
    assert_int_equal(it->stale_after_ms, 9000);
    assert_int_equal(it->state, STATE_DELAYED);
    assert_int_equal(it->market, MARKET_OPEN);
    assert_int_equal(it->members_len, 11);
    assert_int_equal(it->len, strlen(full));
    assert_memory_equal(it->bytes, full, it->len); /* untouched */
    assert_ptr_equal(it->members[1].value, it->bytes + (strstr(full, "2.9430") - full));
    item_unref(it);
}

static void the_least_that_is_valid(void **state)
{
    struct item *it = good("{\"symbol\":\"coffee\",\"price\":1}");
    (void)state;
    assert_int_equal(it->ts_ms, NOW); /* the arrival time counts */
    assert_int_equal(it->recv_ms, NOW);
    assert_false(it->has_seq);
    assert_int_equal(it->state, -1);
    assert_int_equal(it->market, MARKET_UNKNOWN);
    assert_string_equal(it->source, "");
    assert_int_equal(it->delayed_s, 0);
    item_unref(it);
}

static void invalid_items_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"",                                                                            "not JSON"                   },
        {"[]",                                                                          "not an object"              },
        {"\"coffee\"",                                                                  "not an object"              },
        {"{\"price\":1}",                                                               "symbol is not the channel's"},
        {"{\"symbol\":\"tea\",\"price\":1}",                                            "symbol is not the channel's"},
        {"{\"symbol\":\"Coffee\",\"price\":1}",                                         "symbol is not the channel's"},
        {"{\"symbol\":5,\"price\":1}",                                                  "symbol is not the channel's"},
        {"{\"symbol\":\"coffee\"}",                                                     "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":\"1\"}",                                     "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":null}",                                      "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":0}",                                         "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":0.00}",                                      "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":-1}",                                        "price is not a number > 0"  },
        {"{\"symbol\":\"coffee\",\"price\":1e999}",                                     "not JSON"                   },
        {"{\"symbol\":\"coffee\",\"price\":NaN}",                                       "not JSON"                   },
        {"{\"symbol\":\"coffee\",\"price\":1e300}",                                     "more digits"                },
        {"{\"symbol\":\"coffee\",\"price\":1,\"price\":2}",                             "not JSON"                   },
        {"{\"symbol\":\"coffee\",\"price\":1,\"ts\":\"now\"}",                          "ts is not a time"           },
        {"{\"symbol\":\"coffee\",\"price\":1,\"ts\":null}",                             "ts is not a time"           },
        {"{\"symbol\":\"coffee\",\"price\":1,\"ts\":1767225605001}",                    "in the future"              },
        {"{\"symbol\":\"coffee\",\"price\":1,\"x\":\"\xFF\"}",                          "not JSON"                   },
        {"{\"symbol\":\"coffee\",\"price\":1,\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "deeper"                     },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {{0}};
        struct item *it = parse(rows[i].text, &err);
        if (it || !strstr(err.text, rows[i].why))
            fail_msg("%s: %s", rows[i].text, it ? "taken" : err.text);
    }
}

static void size_and_members_are_bounded(void **state)
{
    struct buf b = {0};
    struct err err;
    (void)state;
    buf_adds(&b, "{\"symbol\":\"coffee\",\"price\":1,\"x\":\"");
    while (b.len < ITEM_BYTES_MAX - 2)
        buf_addc(&b, 'x');
    buf_adds(&b, "\"}");
    assert_int_equal(b.len, ITEM_BYTES_MAX);
    item_unref(good(b.p));
    buf_addc(&b, ' ');
    assert_null(parse(b.p, &err));
    buf_clear(&b);
    buf_adds(&b, "{\"symbol\":\"coffee\",\"price\":1");
    /* However many members fit into it: names of two characters, one digit each. */
    for (int i = 0; b.len < ITEM_BYTES_MAX - 8; i++)
        buf_addf(&b, ",\"%c%c\":0", '0' + i / 60, 'A' + i % 60 + (i % 60 + 'A' >= '\\'));
    buf_addc(&b, '}');
    item_unref(good(b.p));
    buf_fini(&b);
}

/* Bytes of other programs are passed on, so what we do not use need not suit us. */
static void odd_members_are_passed_on(void **state)
{
    static const char *const rows[] = {
        "{\"symbol\":\"coffee\",\"price\":1,\"v\":99999999999999999999999}",
        "{\"symbol\":\"coffee\",\"price\":123456789012345678901234567890}",
        "{\"symbol\":\"coffee\",\"price\":1,\"v\":\"a\\u0000b\"}",
        "{\"symbol\":\"coffee\",\"price\":1,\"ts\":-1}",
        "{\"symbol\":\"coffee\",\"price\":1,\"delayed_s\":1e300,\"stale_after_ms\":1.5}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct item *it = good(rows[i]);
        assert_int_equal(it->len, strlen(rows[i]));
        assert_memory_equal(it->bytes, rows[i], it->len);
        assert_int_equal(it->delayed_s, 0);
        assert_int_equal(it->stale_after_ms, 0);
        item_unref(it);
    }
    struct err err;
    assert_null(parse("{\"symbol\":\"coffee\\u0000tea\",\"price\":1}", &err));
}

static void times_at_the_border(void **state)
{
    struct item *it = good("{\"symbol\":\"coffee\",\"price\":1,\"ts\":1767225605000}");
    (void)state;
    assert_int_equal(it->ts_ms, NOW + 5000);
    item_unref(it);
    it = good("{\"symbol\":\"coffee\",\"price\":1,\"ts\":1767225599000.7,\"recv\":1767225603000}");
    assert_int_equal(it->ts_ms, 1767225599000);
    assert_int_equal(it->recv_ms, NOW); /* an age is never negative */
    item_unref(it);
    it = good("{\"symbol\":\"coffee\",\"price\":1,\"recv\":\"yesterday\"}");
    assert_int_equal(it->recv_ms, NOW);
    item_unref(it);
}

static void odd_seqs_are_none(void **state)
{
    static const char *const odd[] = {"",
                                      ":",
                                      "1",
                                      "1:",
                                      ":1",
                                      "g:1",
                                      "0x1:1",
                                      "A:1",
                                      "1:-1",
                                      "1: 1",
                                      "1:1 ",
                                      "1:1:1",
                                      "-1:1",
                                      "1:0x1",
                                      "+1:1",
                                      "1:99999999999999999999999",
                                      "fffffffffffffffff:1"};
    char text[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        snprintf(text, sizeof text, "{\"symbol\":\"coffee\",\"price\":1,\"seq\":\"%s\"}", odd[i]);
        struct item *it = good(text);
        if (it->has_seq)
            fail_msg("taken: %s", odd[i]);
        item_unref(it);
    }
}

static struct item *with(const char *seq, int64_t ts)
{
    char text[256];
    snprintf(text, sizeof text, "{\"symbol\":\"coffee\",\"price\":1,\"seq\":\"%s\",\"ts\":%lld}",
             seq, (long long)ts);
    return good(text);
}

static void order(void **state)
{
    struct item *a = with("a:9", 1000), *b = with("a:10", 1000), *c = with("10:1", 2000);
    struct item *none = good("{\"symbol\":\"coffee\",\"price\":1,\"ts\":1000}");
    (void)state;
    assert_true(item_seq_cmp(a, b) < 0); /* as integers, not as text */
    assert_true(item_seq_cmp(b, c) < 0); /* epoch first */
    assert_true(item_seq_cmp(c, a) > 0);
    assert_int_equal(item_seq_cmp(a, a), 0);
    assert_true(item_same_seq(a, a));
    assert_false(item_same_seq(a, b));
    assert_false(item_same_seq(none, none));
    assert_true(item_replaces(a, NULL));
    assert_true(item_replaces(b, a)); /* equal ts: arrival decides */
    assert_true(item_replaces(a, b));
    assert_true(item_replaces(c, a));
    assert_false(item_replaces(a, c));
    item_unref(a);
    item_unref(b);
    item_unref(c);
    item_unref(none);
}

static void sources_are_cut_between_characters(void **state)
{
    /* 31 bytes and a character of two: 32 fit, 33 do not. */
    struct item *it = good("{\"symbol\":\"coffee\",\"price\":1,"
                           "\"source\":\"0123456789012345678901234567890\xC3\xA9\"}");
    (void)state;
    assert_string_equal(it->source, "0123456789012345678901234567890");
    item_unref(it);
    it = good("{\"symbol\":\"coffee\",\"price\":1,"
              "\"source\":\"012345678901234567890123456789\xC3\xA9\"}");
    assert_string_equal(it->source, "012345678901234567890123456789\xC3\xA9");
    item_unref(it);
}

static void rendered_with(const char *text, const char *should)
{
    struct item *it = good(text);
    struct buf b = {0};
    item_render(it, STATE_STALE, &b);
    assert_string_equal(b.p, should);
    buf_fini(&b);
    item_unref(it);
}

static void rendering_changes_the_state_alone(void **state)
{
    (void)state;
    rendered_with("{\"symbol\":\"coffee\", \"state\" : \"live\",\"price\":1.50}",
                  "{\"symbol\":\"coffee\", \"state\" : \"stale\",\"price\":1.50}");
    rendered_with("{\"symbol\":\"coffee\",\"price\":1.50 }\n",
                  "{\"symbol\":\"coffee\",\"price\":1.50 ,\"state\":\"stale\"}");
    rendered_with("{\"symbol\":\"coffee\",\"price\":1,\"st\\u0061te\":\"live\"}",
                  "{\"symbol\":\"coffee\",\"price\":1,\"st\\u0061te\":\"stale\"}");
    rendered_with(
        "{\"symbol\":\"coffee\",\"price\":1,\"x\":{\"state\":\"live\"}}",
        "{\"symbol\":\"coffee\",\"price\":1,\"x\":{\"state\":\"live\"},\"state\":\"stale\"}");
}

static struct item *parse_observation(const char *members, struct err *err)
{
    char text[600];
    int len = snprintf(text, sizeof text, "{\"symbol\":\"coffee\"%s}", members);
    assert_in_range(len, 1, sizeof text - 1);
    return item_parse(text, (size_t)len, INSTRUMENT_OBSERVATION, "coffee", NOW, err);
}

static void observations_have_something_to_say(void **state)
{
    static const char *const valid[] = {
        ",\"value\":-0.5",
        ",\"value\":0",
        ",\"value\":1e300",
        ",\"values\":{\"rain\":0,\"t\":-21.40}",
        ",\"values\":{},\"value\":1",
        ",\"text\":\"Rain.\"",
        ",\"text\":\"Rain.\",\"values\":{}",
        ",\"text\":null,\"value\":1",
        ",\"price\":\"free\",\"value\":1", /* not what it is about */
        ",\"value\":1,\"odd\":[{}],\"market\":\"closed\"",
    };
    static const struct {
        const char *members, *why;
    } invalid[] = {
        {"",                                     "there is no value"         },
        {",\"price\":2.5",                       "there is no value"         },
        {",\"values\":{}",                       "there is no value"         },
        {",\"text\":\"\"",                       "there is no value"         },
        {",\"text\":5",                          "there is no value"         },
        {",\"value\":\"1\"",                     "value is not a finite"     },
        {",\"value\":null",                      "value is not a finite"     },
        {",\"value\":true,\"text\":\"x\"",       "value is not a finite"     },
        {",\"value\":NaN",                       "not JSON"                  },
        {",\"value\":1e999",                     "not JSON"                  },
        {",\"values\":[1]",                      "values is not an object"   },
        {",\"values\":7",                        "values is not an object"   },
        {",\"values\":null",                     "values is not an object"   },
        {",\"values\":{\"a\":1,\"b\":\"2\"}",    "values is not an object of"},
        {",\"values\":{\"a\":null},\"value\":1", "values is not an object of"},
        {",\"values\":{\"a\":{}}",               "values is not an object of"},
        {",\"values\":{\"a\":nan}",              "not JSON"                  },
        {",\"values\":{\"a\":1,\"a\":2}",        "not JSON"                  },
        {",\"value\":1,\"ts\":1767225605001",    "ts lies more than 5 s"     },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        struct err err = {{0}};
        struct item *it = parse_observation(valid[i], &err);
        if (!it)
            fail_msg("%s: %s", valid[i], err.text);
        assert_false(it->price.given);
        assert_int_equal(it->market, MARKET_UNKNOWN);
        item_unref(it);
    }
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
        struct err err = {{0}};
        struct item *it = parse_observation(invalid[i].members, &err);
        if (it || !strstr(err.text, invalid[i].why))
            fail_msg("%s: %s", invalid[i].members, it ? "taken" : err.text);
    }
    /* and a price is nothing else */
    struct err err = {{0}};
    assert_null(parse("{\"symbol\":\"coffee\",\"value\":1}", &err));
}

static void references_are_counted(void **state)
{
    struct item *it = good(full);
    (void)state;
    assert_ptr_equal(item_ref(it), it);
    item_unref(it);
    assert_memory_equal(it->bytes, full, it->len);
    item_unref(it);
    item_unref(NULL);
}

/* What a delayed tier shows: the same but for two members. */
static void late_items(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"symbol\":\"coffee\",\"price\":2.50,\"state\":\"live\"}",
         "{\"symbol\":\"coffee\",\"price\":2.50,\"state\":\"delayed\",\"delayed_s\":900}"},
        {"{ \"price\" : 1e0 , \"symbol\":\"coffee\", \"delayed_s\": 600, \"state\":\"closed\"}",
         "{\"price\":1e0,\"symbol\":\"coffee\",\"state\":\"closed\",\"delayed_s\":1500}" },
        {"{\"symbol\":\"coffee\",\"price\":1,\"x\":{\"a\":[1, 2]},\"\\u0041\":\"\\n\"}",
         "{\"symbol\":\"coffee\",\"price\":1,\"x\":{\"a\":[1, "
         "2]},\"\\u0041\":\"\\n\",\"delayed_s\":900}"                                    },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {""};
        struct item *it = parse(rows[i].in, &err);
        assert_non_null(it);
        struct item *late = item_delayed(it, INSTRUMENT_QUOTE, 900, NOW + 900000, &err);
        assert_non_null(late);
        char text[200];
        snprintf(text, sizeof text, "%.*s", (int)late->len, late->bytes);
        assert_string_equal(text, rows[i].out);
        assert_int_equal(late->ts_ms, it->ts_ms); /* an arrival that counted still does */
        assert_int_equal(late->recv_ms, it->recv_ms);
        assert_int_equal(late->delayed_s, it->delayed_s + 900);
        item_unref(it);
        item_unref(late);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_items),
        cmocka_unit_test(the_least_that_is_valid),
        cmocka_unit_test(every_member_is_read),
        cmocka_unit_test(invalid_items_are_refused),
        cmocka_unit_test(size_and_members_are_bounded),
        cmocka_unit_test(odd_members_are_passed_on),
        cmocka_unit_test(times_at_the_border),
        cmocka_unit_test(odd_seqs_are_none),
        cmocka_unit_test(order),
        cmocka_unit_test(sources_are_cut_between_characters),
        cmocka_unit_test(rendering_changes_the_state_alone),
        cmocka_unit_test(observations_have_something_to_say),
        cmocka_unit_test(references_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
