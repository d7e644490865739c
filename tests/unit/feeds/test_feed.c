/* Suspensions and outcomes of one instrument; time is given. */
#include "feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct config_source sources[] = {
    {"twelvedata", 1, "KC1" },
    {"yahoo",      2, "KC=F"}
};
static const struct instrument coffee = {.symbol = "coffee",
                                         .category = "coffee_prices",
                                         .poll_ms = 10000,
                                         .ttl_s = 120,
                                         .sources = sources,
                                         .sources_len = 2};

static void walked(struct feed *d, enum failure first, enum failure second, int64_t mono_ms)
{
    struct chain_step steps[2] = {
        {.pos = 0, .failure = first,   .asked = feed_suspended(d, 0, mono_ms, NULL) == FAIL_NONE},
        {.pos = 1, .failure = second, .asked = true                         }
    };
    struct chain_end end = {0, second == FAIL_NONE, steps, 2};
    snprintf(steps[1].detail, sizeof steps[1].detail, "second");
    feed_walked(d, &end, 10000, mono_ms);
    feed_log_walk(d, &end, mono_ms);
}

/* Polls every 10 s: which of them ask the source that does not know the symbol? */
static void test_suspension_doubles(void **state)
{
    struct feed d;
    int asked[40], n = 0;
    (void)state;
    log_setup(LOG_ERROR, true);
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    for (int poll = 0; poll < 400; poll++) {
        int64_t now = 1000 + poll * 10000;
        if (feed_suspended(&d, 0, now, NULL) == FAIL_NONE)
            asked[n++] = poll;
        walked(&d, FAIL_NOT_FOUND, FAIL_NONE, now);
        assert_int_equal(feed_suspended(&d, 1, now, NULL), FAIL_NONE);
    }
    static const int want[] = {0, 2, 5, 10, 19, 36, 69, 134, 225, 316};
    assert_int_equal(n, ARRAY_LEN(want));
    assert_memory_equal(asked, want, sizeof want); /* 15 minutes at most */

    feed_unsuspend(&d, 1);
    assert_int_equal(feed_suspended(&d, 0, 1000 + 317 * 10000, NULL), FAIL_NONE);
    walked(&d, FAIL_NOT_FOUND, FAIL_NONE, 5000000);
    assert_int_equal(feed_suspended(&d, 0, 5010000, NULL), FAIL_NOT_FOUND);
    assert_int_equal(feed_suspended(&d, 0, 5020000, NULL), FAIL_NONE); /* from the beginning */
    feed_fini(&d);
}

static void test_success_ends_it(void **state)
{
    struct feed d;
    (void)state;
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    walked(&d, FAIL_NOT_FOUND, FAIL_NONE, 1000);
    walked(&d, FAIL_NOT_FOUND, FAIL_NONE, 21000);
    assert_int_equal(d.sources[0].suspended_for_ms, 20000);
    walked(&d, FAIL_NONE, FAIL_NONE, 61000);
    assert_int_equal(d.sources[0].suspended_for_ms, 0);
    feed_fini(&d);
}

static void test_outcome(void **state)
{
    struct feed d;
    (void)state;
    log_setup(LOG_ERROR, true);
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    d.quality.held = true;
    walked(&d, FAIL_OLDER, FAIL_TIMEOUT, 1000);
    assert_int_equal(d.last.failure, FAIL_OLDER);
    assert_string_equal(d.last.provider, "twelvedata");
    assert_int_equal(d.watch.reason, FAIL_OLDER);
    walked(&d, FAIL_TIMEOUT, FAIL_DNS, 2000);
    assert_int_equal(d.last.failure, FAIL_DNS);
    assert_string_equal(d.last.provider, "yahoo");
    assert_string_equal(d.last.detail, "second");
    assert_int_equal(d.all_failed, FAIL_OLDER); /* logged at most once a minute */
    walked(&d, FAIL_TIMEOUT, FAIL_DNS, 62000);
    assert_int_equal(d.all_failed, FAIL_DNS);
    walked(&d, FAIL_TIMEOUT, FAIL_NONE, 63000);
    assert_int_equal(d.last.failure, FAIL_NONE);
    assert_int_equal(d.watch.reason, FAIL_NONE);
    assert_int_equal(d.answering, 1);
    const struct chain_end nothing = {0, false, NULL, 0};
    feed_walked(&d, &nothing, 10000, 64000);
    assert_int_equal(d.last.failure, FAIL_DISABLED);
    feed_fini(&d);
}

/* From the first walk that brought nothing to the last one; what is only late, or spared, is
 * neither the one nor the other. */
static void test_how_long_a_chain_fails(void **state)
{
    struct feed d;
    (void)state;
    log_setup(LOG_ERROR, true);
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    walked(&d, FAIL_TIMEOUT, FAIL_BUDGET, 500);
    assert_int_equal(d.failing_ms, 0);
    walked(&d, FAIL_TIMEOUT, FAIL_DNS, 1000);
    walked(&d, FAIL_TIMEOUT, FAIL_AUTH, 7000);
    walked(&d, FAIL_TIMEOUT, FAIL_BUDGET, 9000);
    assert_int_equal(d.failing_ms, 1000);
    assert_int_equal(d.failed_ms, 7000);
    walked(&d, FAIL_TIMEOUT, FAIL_NONE, 11000);
    assert_int_equal(d.failing_ms, 0);
    walked(&d, FAIL_TIMEOUT, FAIL_DNS, 12000);
    d.quality.held = true;
    walked(&d, FAIL_OLDER, FAIL_TIMEOUT, 13000);
    assert_int_equal(d.failing_ms, 0);
    feed_fini(&d);
}

/* Shown until the source that said it is believed again. */
/* A failed probe tells of its source, and nothing of the instrument. */
static void test_a_probe_is_no_outcome(void **state)
{
    struct feed d;
    struct chain_step step = {.pos = 0, .failure = FAIL_NOT_FOUND, .asked = true};
    const struct chain_end end = {0, false, &step, 1};
    (void)state;
    log_setup(LOG_ERROR, true);
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    walked(&d, FAIL_TIMEOUT, FAIL_NONE, 1000);
    assert_int_equal(feed_left_alone(&d, 1000), 0);
    feed_probed(&d, &end, 10000, 20000);
    assert_int_equal(d.last.failure, FAIL_NONE);
    assert_string_equal(d.last.provider, "yahoo");
    assert_int_equal(d.watch.reason, FAIL_NONE);
    assert_int_equal(feed_suspended(&d, 0, 20000, NULL), FAIL_NOT_FOUND);
    assert_int_equal(feed_left_alone(&d, 20000), 1);
    assert_int_equal(feed_left_alone(&d, 20000 + 15000), 0);
    feed_fini(&d);
}

static void test_suspect(void **state)
{
    struct feed d;
    struct record rec = {.price = decimal_from_int(295)};
    struct quality_result good = {.failure = FAIL_NONE},
                          late = {.failure = FAIL_OLDER, .rule = "older"},
                          bad = {.failure = FAIL_BAD_SCHEMA, .rule = "jump", .why = {"why"}};
    (void)state;
    assert_int_equal(feed_init(&d, 0, &coffee, 1), 0);
    feed_note_quality(&d, 0, &rec, &late, 500);
    assert_null(feed_describe_suspect(&d));
    feed_note_quality(&d, 0, &rec, &bad, 1000);
    feed_note_quality(&d, 1, &rec, &good, 1500); /* the fallback is fine, the source is not */
    feed_note_quality(&d, 0, &rec, &late, 1700);
    rec.price = decimal_from_int(296);
    feed_note_quality(&d, 0, &rec, &bad, 2000);
    json_t *j = feed_describe_suspect(&d);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "price")), "296");
    assert_string_equal(json_string_value(json_object_get(j, "rule")), "jump");
    assert_string_equal(json_string_value(json_object_get(j, "why")), "why");
    assert_string_equal(json_string_value(json_object_get(j, "source")), "twelvedata");
    assert_string_equal(json_string_value(json_object_get(j, "since")), "1970-01-01T00:00:01.000Z");
    json_decref(j);

    bad.rule = "finite";
    rec.price = (struct decimal){0};
    feed_note_quality(&d, 0, &rec, &bad, 3000);
    j = feed_describe_suspect(&d);
    assert_true(json_is_null(json_object_get(j, "price")));
    assert_string_equal(json_string_value(json_object_get(j, "since")), "1970-01-01T00:00:03.000Z");
    json_decref(j);
    feed_note_quality(&d, 0, &rec, &good, 4000);
    assert_null(feed_describe_suspect(&d));
    feed_fini(&d);
}

/* Of an observation the one figure that it is about, where there is one. */
static void test_suspect_observation(void **state)
{
    static const struct instrument rain = {.kind = INSTRUMENT_OBSERVATION,
                                           .symbol = "rain",
                                           .category = "weather",
                                           .poll_ms = 10000,
                                           .sources = sources,
                                           .sources_len = 2};
    struct feed d;
    struct observation o = {.values_len = 1};
    struct record rec = {.price = decimal_from_int(1), .observation = &o};
    const struct quality_result bad = {
        .failure = FAIL_BAD_SCHEMA, .rule = "unit", .why = {"a value in inch, configured is mm"}};
    (void)state;
    o.values[0].value = decimal_from_int(-7);
    o.values[1].value = decimal_from_int(8);
    assert_int_equal(feed_init(&d, 0, &rain, 1), 0);
    feed_note_quality(&d, 1, &rec, &bad, 1000);
    json_t *j = feed_describe_suspect(&d);
    assert_string_equal(json_string_value(json_object_get(j, "value")), "-7");
    assert_string_equal(json_string_value(json_object_get(j, "rule")), "unit");
    assert_string_equal(json_string_value(json_object_get(j, "source")), "yahoo");
    assert_null(json_object_get(j, "price"));
    json_decref(j);
    o.values_len = 2;
    feed_note_quality(&d, 1, &rec, &bad, 1000);
    j = feed_describe_suspect(&d);
    assert_true(json_is_null(json_object_get(j, "value")));
    json_decref(j);
    rec.observation = NULL;
    feed_note_quality(&d, 1, &rec, &bad, 1000);
    j = feed_describe_suspect(&d);
    assert_true(json_is_null(json_object_get(j, "value")));
    json_decref(j);
    feed_log_rejected(&d, 1, &rec, &bad, 5000);
    feed_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspension_doubles),
        cmocka_unit_test(test_success_ends_it),
        cmocka_unit_test(test_outcome),
        cmocka_unit_test(test_how_long_a_chain_fails),
        cmocka_unit_test(test_a_probe_is_no_outcome),
        cmocka_unit_test(test_suspect),
        cmocka_unit_test(test_suspect_observation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
