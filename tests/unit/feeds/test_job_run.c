/* One run: what becomes of its instruments and sources, what is asked again, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "job_run.h"

enum { COFFEE, COCOA, RAIN, INSTRUMENTS };
enum { TWELVE, YAHOO, METEO, PROVIDERS };

static const struct config_provider asked_providers[PROVIDERS] = {
    {.name = "twelvedata"}, {.name = "yahoo"}, {.name = "openmeteo"}};
static const struct config_source prices[] = {
    {"twelvedata", TWELVE, "KC1" },
    {"yahoo",      YAHOO,  "KC=F"}
};
static const struct config_source weather[] = {
    {"openmeteo", METEO, "1,2"}
};
static const struct instrument instruments[INSTRUMENTS] = {
    {.symbol = "coffee",  .sources = prices, .sources_len = 2},
    {                .symbol = "cocoa",  .sources = prices,  .sources_len = 2                },
    { .symbol = "rain", .kind = INSTRUMENT_OBSERVATION,  .sources = weather,                 .sources_len = 1},
};
static const struct config config = {.providers = asked_providers,
                                     .providers_len = PROVIDERS,
                                     .instruments = instruments,
                                     .instruments_len = INSTRUMENTS};
static const int all[] = {COFFEE, COCOA, RAIN};

static struct job_run *make(size_t n)
{
    struct job_run *r = job_run_new(&config, JOB_FULL, all, n, 1767225600123);
    assert_non_null(r);
    return r;
}

/* The walk's steps in order; the last one's failure is the outcome. */
static void end(struct job_run *r, int id, bool unchanged, size_t n, const struct chain_step *steps)
{
    const struct chain_end e = {id, steps[n - 1].failure == FAIL_NONE, steps, n};
    const struct job_outcome o = {
        .id = id,
        .reason = steps[n - 1].failure,
        .provider = instruments[id].sources[steps[n - 1].pos].provider,
        .message = steps[n - 1].detail,
        .unchanged = unchanged,
        .end = &e,
    };
    job_run_ended(r, &o);
}

static struct chain_step step(size_t pos, enum failure f)
{
    struct chain_step s = {.pos = pos, .failure = f, .asked = true, .detail = "why"};
    return s;
}

static void expect(const struct job_counts *c, size_t updated, size_t unchanged, size_t failed)
{
    assert_int_equal(c->updated, updated);
    assert_int_equal(c->unchanged, unchanged);
    assert_int_equal(c->failed, failed);
}

static void test_counts(void **state)
{
    (void)state;
    struct job_run *r = make(3);
    assert_int_equal(r->waiting, 3);
    end(r, COFFEE, false, 2, (struct chain_step[]){step(0, FAIL_TIMEOUT), step(1, FAIL_NONE)});
    end(r, COCOA, true, 1, (struct chain_step[]){step(0, FAIL_NONE)});
    assert_int_equal(r->waiting, 1);
    end(r, COCOA, false, 1, (struct chain_step[]){step(0, FAIL_AUTH)}); /* a later walk: not ours */
    end(r, RAIN, false, 1, (struct chain_step[]){step(0, FAIL_BAD_SCHEMA)});
    assert_int_equal(r->waiting, 0);
    expect(&r->sources[TWELVE], 0, 1, 1);
    expect(&r->sources[YAHOO], 1, 0, 0);
    expect(&r->sources[METEO], 0, 0, 1);
    struct job_counts c = job_run_counts(r, INSTRUMENT_QUOTE);
    expect(&c, 1, 1, 0);
    c = job_run_counts(r, INSTRUMENT_OBSERVATION);
    expect(&c, 0, 0, 1);
    assert_int_equal(job_run_status(r), JOB_PARTIAL);
    job_run_free(r);
}

/* What was only skipped is not counted; a late price is no failure of its source. */
static void test_skipped_and_older(void **state)
{
    (void)state;
    struct job_run *r = make(2);
    struct chain_step skipped = {.failure = FAIL_BREAKER_OPEN, .detail = "open"};
    end(r, COFFEE, false, 2, (struct chain_step[]){skipped, step(1, FAIL_OLDER)});
    expect(&r->sources[TWELVE], 0, 0, 0);
    expect(&r->sources[YAHOO], 0, 1, 0);
    struct job_counts c = job_run_counts(r, INSTRUMENT_QUOTE);
    assert_int_equal(c.failed, 1);
    job_run_free(r);
}

static void test_what_may_pass_is_asked_again(void **state)
{
    (void)state;
    for (enum failure f = FAIL_NONE; f < FAILURES_LEN; f++) {
        bool may_pass =
            f == FAIL_TIMEOUT || f == FAIL_DNS || f == FAIL_CONNECT || f == FAIL_UPSTREAM_ERROR;
        struct job_run *r = make(1);
        int ids[INSTRUMENTS];
        end(r, COFFEE, false, 1, (struct chain_step[]){step(0, f)});
        assert_int_equal(job_run_again(r, ids), may_pass);
        job_run_free(r);
    }
}

static void test_attempts(void **state)
{
    (void)state;
    struct job_run *r = make(3);
    int ids[INSTRUMENTS];
    struct chain_step skipped = {.pos = 1, .failure = FAIL_BUDGET, .detail = "no credits"};
    end(r, COFFEE, false, 1, (struct chain_step[]){step(0, FAIL_NONE)});
    /* The first source may pass; that the second could not be asked does not change it. */
    end(r, COCOA, false, 2, (struct chain_step[]){step(0, FAIL_UPSTREAM_ERROR), skipped});
    /* It answered in the end. */
    end(r, RAIN, false, 2, (struct chain_step[]){step(0, FAIL_TIMEOUT), step(0, FAIL_NONE)});
    assert_int_equal(job_run_again(r, ids), 1);
    assert_int_equal(ids[0], COCOA);
    job_run_retry(r);
    assert_int_equal(r->retries, 1);
    assert_int_equal(r->waiting, 1);
    assert_int_equal(job_run_again(r, ids), 0); /* it is being asked */
    end(r, COCOA, false, 1, (struct chain_step[]){step(0, FAIL_NONE)});
    assert_int_equal(r->waiting, 0);
    assert_int_equal(job_run_status(r), JOB_SUCCESS);
    expect(&r->sources[TWELVE], 2, 0, 1);
    job_run_free(r);
}

static void test_only_credits_were_missing(void **state)
{
    (void)state;
    struct job_run *r = make(1);
    const struct job_outcome o = {.id = COFFEE, .reason = FAIL_BUDGET, .message = "none left"};
    job_run_ended(r, &o);
    assert_int_equal(job_run_status(r), JOB_PARTIAL);
    job_run_free(r);
}

static void expect_record(const struct job_run *r, const char *text)
{
    json_t *j = job_run_record(r, 1500);
    char *is = j ? json_dumps(j, JSON_COMPACT) : NULL;
    assert_non_null(is);
    assert_string_equal(is, text);
    free(is);
    json_decref(j);
}

static void test_record(void **state)
{
    (void)state;
    struct job_run *r = make(2);
    end(r, COFFEE, false, 2, (struct chain_step[]){step(0, FAIL_TIMEOUT), step(1, FAIL_NONE)});
    end(r, COCOA, false, 1, (struct chain_step[]){step(0, FAIL_BLOCKED)});
    r->overran = true;
    r->retries = 2;
    expect_record(
        r, "{\"job\":\"full\",\"trigger\":\"schedule\",\"status\":\"partial\","
           "\"started\":\"2026-01-01T00:00:00.123Z\",\"duration_ms\":1500,\"requested\":2,"
           "\"updated\":1,\"unchanged\":0,\"failed\":1,\"retries\":2,\"overran\":true,"
           "\"sources\":{\"twelvedata\":{\"ok\":0,\"unchanged\":0,\"failed\":2,\"error\":"
           "\"blocked\"},\"yahoo\":{\"ok\":1,\"unchanged\":0,\"failed\":0}},"
           "\"errors\":[{\"symbol\":\"cocoa\",\"error\":\"blocked\",\"source\":\"twelvedata\","
           "\"message\":\"why\"}]}");
    job_run_free(r);

    r = make(0);
    r->requested = true;
    expect_record(r, "{\"job\":\"full\",\"trigger\":\"request\",\"status\":\"success\","
                     "\"started\":\"2026-01-01T00:00:00.123Z\",\"duration_ms\":1500,"
                     "\"requested\":0,\"updated\":0,\"unchanged\":0,\"failed\":0,\"retries\":0,"
                     "\"overran\":false,\"sources\":{},\"errors\":[]}");
    job_run_free(r);
}

/* A record stays small: few sentences, none long, none cut within a character. */
static void test_record_is_bounded(void **state)
{
    (void)state;
    enum { MANY = 50 };
    static struct instrument many[MANY];
    static int ids[MANY];
    for (int i = 0; i < MANY; i++) {
        many[i] = instruments[COFFEE];
        ids[i] = i;
    }
    const struct config big = {.providers = asked_providers,
                               .providers_len = PROVIDERS,
                               .instruments = many,
                               .instruments_len = MANY};
    char message[160] = "x"; /* two-byte characters behind it: the 100th byte is half of one */
    for (size_t i = 1; i + 3 < sizeof message; i += 2)
        memcpy(message + i, "\xC3\xA9", 3);
    struct job_run *r = job_run_new(&big, JOB_MARKET, ids, MANY, 5);
    assert_non_null(r);
    for (int i = 0; i < MANY; i++) {
        const struct job_outcome o = {.id = i, .reason = FAIL_TIMEOUT, .message = message};
        job_run_ended(r, &o);
    }
    json_t *j = job_run_record(r, 1);
    json_t *errors = json_object_get(j, "errors");
    assert_int_equal(json_integer_value(json_object_get(j, "failed")), MANY);
    assert_int_equal(json_array_size(errors), 5);
    json_t *first = json_array_get(errors, 0);
    assert_string_equal(json_string_value(json_object_get(first, "message")), "timeout");
    assert_true(json_is_null(json_object_get(first, "source")));
    json_decref(j);
    job_run_free(r);
}

static void test_stalest(void **state)
{
    (void)state;
    static const int64_t ages[] = {5, -1, 7, INT64_MAX, 7, 0, 9, INT64_MAX};
    static const int all_in_order[] = {3, 7, 6, 2, 4, 0, 5};
    int ids[ARRAY_LEN(ages)];
    for (size_t max = 0; max <= ARRAY_LEN(ages); max++) {
        size_t n = job_run_stalest(ages, ARRAY_LEN(ages), ids, max);
        assert_int_equal(n, max < ARRAY_LEN(all_in_order) ? max : ARRAY_LEN(all_in_order));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(ids[i], all_in_order[i]);
    }
    assert_int_equal(job_run_stalest(ages, 0, ids, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_skipped_and_older),
        cmocka_unit_test(test_what_may_pass_is_asked_again),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_only_credits_were_missing),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_is_bounded),
        cmocka_unit_test(test_stalest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
