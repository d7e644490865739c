/* The last runs: bounded, in order, merged with what others wrote, and deaf to nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "clock.h"
#include "job_history.h"
#include "jsonx.h"
#include "seed.h"

static const int64_t T = 1767225600000;

static json_t *record(const char *job, int64_t wall_ms)
{
    char started[CLOCK_RFC3339_MAX];
    return json_pack("{s:s,s:s,s:s}", "job", job, "started", clock_rfc3339(wall_ms, started),
                     "status", "success");
}

static int make(void **state)
{
    static struct job_history h;
    *state = &h;
    return job_history_init(&h);
}

static int drop(void **state)
{
    job_history_fini(*state);
    return 0;
}

static void expect_run(const struct job_history *h, size_t i, const char *job, int64_t wall_ms)
{
    char started[CLOCK_RFC3339_MAX];
    const json_t *run = json_array_get(h->runs, i);
    assert_string_equal(jsonx_string(run, "job"), job);
    assert_string_equal(jsonx_string(run, "started"), clock_rfc3339(wall_ms, started));
}

static void test_newest_first_and_bounded(void **state)
{
    struct job_history *h = *state;
    for (int i = 0; i < JOB_HISTORY_RUNS + 5; i++)
        job_history_add(h, record("market", T + i));
    job_history_add(h, record("full", T + 100)); /* it began before those that ended before it */
    job_history_add(h, NULL);
    assert_int_equal(json_array_size(h->runs), JOB_HISTORY_RUNS);
    expect_run(h, 0, "market", T + JOB_HISTORY_RUNS + 4);
    expect_run(h, JOB_HISTORY_RUNS - 1, "market", T + 6);
    expect_run(h, JOB_HISTORY_RUNS + 4 - 100, "full", T + 100);
}

static void merge(struct job_history *h, const char *text, int64_t wall_ms)
{
    seed_keep_text("documents", text);
    json_t *doc = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(doc);
    job_history_merge(h, doc, wall_ms);
    json_decref(doc);
}

static void test_survives_a_restart(void **state)
{
    struct job_history *h = *state, next;
    job_history_add(h, record("market", T));
    job_history_add(h, record("full", T + 5));
    job_history_ran(h, JOB_MARKET, T + 1);
    assert_int_equal(h->last_ms[JOB_FULL], -1);
    json_t *doc = job_history_save(h);
    assert_non_null(doc);
    assert_int_equal(job_history_init(&next), 0);
    job_history_add(&next, record("full", T));
    job_history_add(&next, record("market", T + 9));
    job_history_merge(&next, doc, T + 10);
    job_history_merge(&next, doc, T + 10); /* nothing twice */
    json_decref(doc);
    assert_int_equal(json_array_size(next.runs), 4);
    expect_run(&next, 0, "market", T + 9);
    expect_run(&next, 1, "full", T + 5);
    assert_int_equal(next.last_ms[JOB_MARKET], T + 1);
    assert_int_equal(next.last_ms[JOB_FULL], -1);
    merge(&next, "{\"last\":{\"market\":1767225600000}}", T + 10); /* an older word */
    assert_int_equal(next.last_ms[JOB_MARKET], T + 1);
    job_history_fini(&next);
}

static void test_nonsense_is_passed_over(void **state)
{
    struct job_history *h = *state;
    static const char *const docs[] = {
        "5",
        "[]",
        "{\"runs\":{},\"last\":[]}",
        "{\"runs\":[5,{},{\"job\":5},null]}",
        "{\"runs\":[{\"job\":\"other\",\"status\":\"x\",\"started\":\"2026-01-01T00:00:00.000Z\"}]"
        "}",
        "{\"runs\":[{\"job\":\"market\",\"started\":\"2026-01-01T00:00:00.000Z\"}]}",
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\"}]}",
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\",\"started\":\"yesterday\"}]}",
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\",\"started\":\"2026-01-01T00:00:00.00xZ\"}]"
        "}",
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\",\"started\":\"2026-01-01 "
        "00:00:00.000Z\"}]}",
        /* the future */
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\",\"started\":\"2026-01-01T00:01:00.001Z\"}]"
        "}",
        "{\"last\":{\"market\":1767225660001,\"other\":5,\"full\":\"x\",\"enrich\":-7}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
        merge(h, docs[i], T);
        assert_int_equal(json_array_size(h->runs), 0);
        for (int k = 0; k < JOBS_LEN; k++)
            assert_int_equal(h->last_ms[k], -1);
    }
    merge(
        h,
        "{\"runs\":[{\"job\":\"market\",\"status\":\"x\",\"started\":\"2026-01-01T00:01:00.000Z\"}"
        "],\"last\":{\"market\":1767225660000}}",
        T);
    assert_int_equal(json_array_size(h->runs), 1);
    assert_int_equal(h->last_ms[JOB_MARKET], T + 60000);
}

/* 200 of the largest records fit into the document. */
static void test_the_document_fits(void **state)
{
    struct job_history *h = *state;
    char text[2600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < JOB_HISTORY_RUNS; i++) {
        json_t *r = record("intelligence", T + i);
        json_object_set_new(r, "errors", json_string(text));
        job_history_add(h, r);
    }
    json_t *doc = job_history_save(h);
    char *bytes = json_dumps(doc, JSON_COMPACT);
    assert_true(strlen(bytes) < JOB_HISTORY_BYTES_MAX);
    free(bytes);
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_newest_first_and_bounded, make, drop),
        cmocka_unit_test_setup_teardown(test_survives_a_restart, make, drop),
        cmocka_unit_test_setup_teardown(test_nonsense_is_passed_over, make, drop),
        cmocka_unit_test_setup_teardown(test_the_document_fits, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
