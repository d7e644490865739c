/* The documents of the shared keys, which any program with access to the bus may have written:
 * budgets, breakers, reliability and the jobs' last runs stay within their ranges, and taking the
 * same one again changes nothing. */
#include <jansson.h>

#include "breaker.h"
#include "budget.h"
#include "fuzz.h"
#include "job_history.h"
#include "jsonx.h"
#include "reliability.h"

static const int64_t NOW_MS = INT64_C(1767268800000);

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

static void check_budget(struct budget *b)
{
    int64_t polls = budget_available(b, false, NOW_MS), all = budget_available(b, true, NOW_MS);
    CHECK(polls >= 0 && polls <= all);
    CHECK(budget_left(b, NOW_MS) >= -1);
    CHECK(budget_day_reset_ms(b, NOW_MS) > NOW_MS);
    CHECK((budget_exhausted(b, true, NOW_MS) == BUDGET_WINDOWS) == (all > 0));
    CHECK((budget_wait_ms(b, true, NOW_MS) == 0) == (all > 0));
    for (int w = 0; w < BUDGET_WINDOWS; w++)
        CHECK(budget_window_left(b, (enum budget_window)w, true, NOW_MS) >= 0);
}

static void try_budget(const json_t *doc)
{
    static const int64_t limits[BUDGET_WINDOWS] = {5, 8, 100, 800};
    struct budget b;
    budget_init(&b, limits, NULL);
    budget_take(&b, 3, false, NOW_MS - 1500);
    int64_t before = budget_available(&b, true, NOW_MS);
    budget_merge(&b, doc, NOW_MS);
    check_budget(&b);
    int64_t after = budget_available(&b, true, NOW_MS);
    CHECK(after <= before); /* a document never gives credits */
    budget_merge(&b, doc, NOW_MS);
    CHECK(budget_available(&b, true, NOW_MS) == after);
    json_t *saved = budget_save(&b, NOW_MS);
    CHECK(saved);
    budget_merge(&b, saved, NOW_MS);
    CHECK(budget_available(&b, true, NOW_MS) == after);
    json_decref(saved);
}

static void try_breaker(const json_t *doc)
{
    struct breaker b, again;
    breaker_init(&b, 5, 60);
    breaker_failure(&b, FAIL_TIMEOUT, NOW_MS - 1000);
    bool taken = breaker_merge(&b, doc, NOW_MS);
    CHECK(breaker_state_name(b.state) && breaker_shown(&b, NOW_MS) <= BREAKER_OPEN);
    CHECK(breaker_reason(&b, NOW_MS) < FAILURES_LEN && b.failures >= 0);
    CHECK(breaker_retry_at_ms(&b, NOW_MS) >= 0);
    CHECK(!breaker_merge(&b, doc, NOW_MS) || taken);
    json_t *saved = breaker_save(&b);
    CHECK(saved);
    breaker_init(&again, 5, 60);
    breaker_merge(&again, saved, NOW_MS);
    json_decref(saved);
}

static void try_reliability(const json_t *doc)
{
    struct reliability r = {0};
    reliability_fetch(&r, true, NOW_MS - 1000);
    reliability_run(&r, true, NOW_MS - 1000);
    for (int i = 0; i < 2; i++) {
        reliability_merge(&r, doc, NOW_MS);
        struct reliability_score s = reliability_score(&r, NOW_MS);
        CHECK(s.good >= 0 && s.good <= s.all && s.all >= 1);
        CHECK(r.failed_runs >= 0 && r.updated_ms >= 0 && r.updated_ms <= NOW_MS + 1000);
    }
    struct reliability_score before = reliability_score(&r, NOW_MS);
    reliability_run(&r, true, NOW_MS);
    CHECK(r.failed_runs > 0);
    json_t *saved = reliability_save(&r, NOW_MS);
    CHECK(saved);
    reliability_merge(&r, saved, NOW_MS);
    struct reliability_score after = reliability_score(&r, NOW_MS);
    CHECK(after.good == before.good && after.all == before.all);
    json_decref(saved);
}

/* Newest first, each once, none from the future. */
static void check_runs(const struct job_history *h)
{
    const char *before = "9";
    size_t i;
    const json_t *run;
    CHECK(json_array_size(h->runs) <= JOB_HISTORY_RUNS);
    json_array_foreach(h->runs, i, run)
    {
        const char *started = jsonx_string(run, "started");
        CHECK(started && strcmp(started, before) <= 0);
        CHECK(job_of_name(jsonx_string(run, "job")) < JOBS_LEN);
        before = started;
    }
    for (int k = 0; k < JOBS_LEN; k++)
        CHECK(h->last_ms[k] >= -1 && h->last_ms[k] <= NOW_MS + 60000);
}

static void try_jobs(const json_t *doc)
{
    struct job_history h, again;
    CHECK(job_history_init(&h) == 0 && job_history_init(&again) == 0);
    job_history_ran(&h, JOB_MARKET, NOW_MS - 1000);
    job_history_merge(&h, doc, NOW_MS);
    check_runs(&h);
    CHECK(h.last_ms[JOB_MARKET] >= NOW_MS - 1000);
    json_t *saved = job_history_save(&h);
    CHECK(saved);
    job_history_merge(&again, saved, NOW_MS);
    check_runs(&again); /* those of the same moment may change places */
    CHECK(json_array_size(h.runs) == json_array_size(again.runs));
    CHECK(memcmp(h.last_ms, again.last_ms, sizeof h.last_ms) == 0);
    size_t runs = json_array_size(h.runs);
    job_history_merge(&h, doc, NOW_MS);
    CHECK(json_array_size(h.runs) == runs);
    json_decref(saved);
    job_history_fini(&h);
    job_history_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_bytes(data, size);
    json_t *doc = json_loadb(text, size, JSON_DECODE_ANY, NULL);
    if (doc) {
        try_budget(doc);
        try_breaker(doc);
        try_reliability(doc);
        try_jobs(doc);
    }
    json_decref(doc);
    free(text);
    return 0;
}
