/* What is worth asking again within a run: a source that did not answer (timeout, dns, connect) or
 * had a fault of its own (upstream_error) may be well in a few seconds. One that refuses (auth,
 * blocked, not_found), sends nonsense (bad_schema) or says "later" (rate_limited, budget, an open
 * breaker) is not; asking the last kind again would only make it later.
 *
 * The record must stay small, 200 of them are kept: of the failed instruments the first ERRORS_MAX
 * are told with a sentence, the others are counted. */
#include "job_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "jsonx.h"
#include "utf8.h"

static const size_t ERRORS_MAX = 5;
static const int MESSAGE_MAX = 100;

size_t job_run_stalest(const int64_t *ages_ms, size_t n, int *ids, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = len;
        if (ages_ms[i] < 0)
            continue;
        while (at > 0 && ages_ms[i] > ages_ms[ids[at - 1]])
            at--;
        if (at == max)
            continue;
        len += len < max;
        for (size_t k = len - 1; k > at; k--)
            ids[k] = ids[k - 1];
        ids[at] = (int)i;
    }
    return len;
}

struct job_run *job_run_new(const struct config *config, enum job job, const int *ids, size_t n,
                            int64_t wall_ms)
{
    struct job_run *r = calloc(1, sizeof *r + n * sizeof r->slots[0]);
    if (!r)
        return NULL;
    r->config = config;
    r->job = job;
    r->started_ms = wall_ms;
    r->n = r->waiting = n;
    r->sources = calloc(config->providers_len + 1, sizeof *r->sources);
    r->errors = calloc(config->providers_len + 1, sizeof *r->errors);
    if (!r->sources || !r->errors) {
        job_run_free(r);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        r->slots[i] = (struct job_slot){.id = ids[i], .waiting = true};
    return r;
}

void job_run_free(struct job_run *r)
{
    if (!r)
        return;
    free(r->sources);
    free(r->errors);
    free(r);
}

static bool may_pass(enum failure f)
{
    return f == FAIL_TIMEOUT || f == FAIL_DNS || f == FAIL_CONNECT || f == FAIL_UPSTREAM_ERROR;
}

/* A late price is no failure of its source: there was nothing newer. */
static void count_step(struct job_run *r, const struct chain_step *step, int provider,
                       bool unchanged)
{
    struct job_counts *c = &r->sources[provider];
    if (step->failure == FAIL_OLDER || (step->failure == FAIL_NONE && unchanged)) {
        c->unchanged++;
    } else if (step->failure == FAIL_NONE) {
        c->updated++;
    } else {
        c->failed++;
        r->errors[provider] = step->failure;
    }
}

static void take(struct job_run *r, struct job_slot *s, const struct job_outcome *o)
{
    const struct instrument *in = &r->config->instruments[s->id];
    s->waiting = false;
    r->waiting--;
    s->failure = o->reason;
    s->provider = o->provider;
    s->unchanged = o->reason == FAIL_NONE && o->unchanged;
    s->again = false;
    snprintf(s->message, sizeof s->message, "%s", o->message ? o->message : "");
    for (size_t i = 0; o->end && i < o->end->n; i++) {
        const struct chain_step *step = &o->end->steps[i];
        if (!step->asked)
            continue;
        count_step(r, step, in->sources[step->pos].provider_id, o->unchanged);
        s->again = s->again || may_pass(step->failure);
    }
    s->again = s->again && o->reason != FAIL_NONE;
}

void job_run_ended(struct job_run *r, const struct job_outcome *o)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].waiting && r->slots[i].id == o->id)
            take(r, &r->slots[i], o);
}

size_t job_run_again(const struct job_run *r, int *ids)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].again)
            ids[n++] = r->slots[i].id;
    return n;
}

void job_run_retry(struct job_run *r)
{
    r->retries++;
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].again) {
            r->slots[i].again = false;
            r->slots[i].waiting = true;
            r->waiting++;
        }
}

static void add(struct job_counts *c, const struct job_slot *s)
{
    if (s->failure == FAIL_NONE && s->unchanged)
        c->unchanged++;
    else if (s->failure == FAIL_NONE)
        c->updated++;
    else
        c->failed++;
    c->budget += s->failure == FAIL_BUDGET;
}

struct job_counts job_run_counts(const struct job_run *r, enum instrument_kind kind)
{
    struct job_counts c = {0};
    for (size_t i = 0; i < r->n; i++)
        if (r->config->instruments[r->slots[i].id].kind == kind)
            add(&c, &r->slots[i]);
    return c;
}

static struct job_counts count_all(const struct job_run *r)
{
    struct job_counts c = {0};
    for (size_t i = 0; i < r->n; i++)
        add(&c, &r->slots[i]);
    return c;
}

enum job_status job_run_status(const struct job_run *r)
{
    struct job_counts c = count_all(r);
    return job_status(r->n, c.failed, c.budget);
}

/* --- the record --- */

static json_t *describe_sources(const struct job_run *r)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < r->config->providers_len; i++) {
        const struct job_counts *c = &r->sources[i];
        if (c->updated + c->unchanged + c->failed == 0)
            continue;
        json_t *one = json_pack("{s:I,s:I,s:I}", "ok", (json_int_t)c->updated, "unchanged",
                                (json_int_t)c->unchanged, "failed", (json_int_t)c->failed);
        if (r->errors[i] != FAIL_NONE)
            jsonx_set(&one, "error", json_string(failure_name(r->errors[i])));
        jsonx_set(&all, r->config->providers[i].name, one);
    }
    return all;
}

static json_t *describe_errors(const struct job_run *r)
{
    json_t *all = json_array();
    for (size_t i = 0; all && i < r->n && json_array_size(all) < ERRORS_MAX; i++) {
        const struct job_slot *s = &r->slots[i];
        char message[sizeof s->message];
        if (s->failure == FAIL_NONE)
            continue;
        snprintf(message, sizeof message, "%.*s", MESSAGE_MAX, s->message);
        bool whole = utf8_valid(message, strlen(message)); /* else cut within a character */
        jsonx_append(&all,
                     json_pack("{s:s,s:s,s:s?,s:s}", "symbol", r->config->instruments[s->id].symbol,
                               "error", failure_name(s->failure), "source", s->provider, "message",
                               whole ? message : failure_name(s->failure)));
    }
    return all;
}

json_t *job_run_record(const struct job_run *r, int64_t duration_ms)
{
    char started[CLOCK_RFC3339_MAX];
    struct job_counts c = count_all(r);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:o,s:o}", "job",
                     job_name(r->job), "trigger", r->requested ? "request" : "schedule", "status",
                     job_status_name(job_run_status(r)), "started",
                     clock_rfc3339(r->started_ms > 0 ? r->started_ms : 0, started), "duration_ms",
                     (json_int_t)duration_ms, "requested", (json_int_t)r->n, "updated",
                     (json_int_t)c.updated, "unchanged", (json_int_t)c.unchanged, "failed",
                     (json_int_t)c.failed, "retries", (json_int_t)r->retries, "overran",
                     (int)r->overran, "sources", describe_sources(r), "errors", describe_errors(r));
}
