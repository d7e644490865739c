/* Runs are told apart by their job and the moment they began, which is written so that the order of
 * the texts is the order of the moments ("2026-01-05T06:00:00.013Z"). */
#include "job_history.h"

#include <string.h>

#include "clock.h"
#include "jsonx.h"

static const int64_t SKEW_MS = 60000; /* a run from further in the future was none */

int job_history_init(struct job_history *h)
{
    h->runs = json_array();
    for (int i = 0; i < JOBS_LEN; i++)
        h->last_ms[i] = -1;
    return h->runs ? 0 : -1;
}

void job_history_fini(struct job_history *h)
{
    json_decref(h->runs);
    h->runs = NULL;
}

static const char *started(const json_t *run)
{
    return json_string_value(json_object_get(run, "started"));
}

static bool same(const json_t *a, const json_t *b)
{
    return strcmp(started(a), started(b)) == 0 &&
           strcmp(jsonx_string(a, "job"), jsonx_string(b, "job")) == 0;
}

void job_history_add(struct job_history *h, json_t *record)
{
    size_t at = 0, n = json_array_size(h->runs);
    if (!record)
        return;
    while (at < n && strcmp(started(json_array_get(h->runs, at)), started(record)) > 0)
        at++;
    json_array_insert_new(h->runs, at, record);
    while (json_array_size(h->runs) > JOB_HISTORY_RUNS)
        json_array_remove(h->runs, JOB_HISTORY_RUNS);
}

void job_history_ran(struct job_history *h, enum job job, int64_t wall_ms)
{
    h->last_ms[job] = wall_ms;
}

json_t *job_history_save(const struct job_history *h)
{
    json_t *last = json_object();
    for (int i = 0; last && i < JOBS_LEN; i++)
        if (h->last_ms[i] >= 0)
            jsonx_set(&last, job_name((enum job)i), json_integer(h->last_ms[i]));
    return json_pack("{s:o,s:O}", "last", last, "runs", h->runs);
}

/* --- merging: all of it comes from outside --- */

/* "2026-01-05T06:00:00.013Z" */
static bool is_moment(const char *s)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    if (!s || strlen(s) != sizeof shape - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
            return false;
    return true;
}

static bool is_run(const json_t *run, const char *latest)
{
    const char *job = jsonx_string(run, "job"), *status = jsonx_string(run, "status");
    return job && job_of_name(job) != JOBS_LEN && status && is_moment(started(run)) &&
           strcmp(started(run), latest) <= 0;
}

static bool has(const struct job_history *h, const json_t *run)
{
    for (size_t i = 0; i < json_array_size(h->runs); i++)
        if (same(json_array_get(h->runs, i), run))
            return true;
    return false;
}

void job_history_merge(struct job_history *h, const json_t *doc, int64_t wall_ms)
{
    const json_t *runs = json_object_get(doc, "runs"), *last = json_object_get(doc, "last");
    char latest[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_ms + SKEW_MS, latest);
    for (size_t i = 0; i < json_array_size(runs) && i < JOB_HISTORY_RUNS; i++) {
        json_t *run = json_array_get(runs, i);
        if (is_run(run, latest) && !has(h, run))
            job_history_add(h, json_incref(run));
    }
    for (int i = 0; i < JOBS_LEN; i++) {
        const json_t *v = json_object_get(last, job_name((enum job)i));
        int64_t ms = json_integer_value(v);
        if (json_is_integer(v) && ms > h->last_ms[i] && ms <= wall_ms + SKEW_MS)
            h->last_ms[i] = ms;
    }
}
