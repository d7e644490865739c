/* job_run.h - one run of a job: what became of each of its instruments and of each source. Pure;
 * starts nothing (jobs.c does).
 *
 * A run makes one or more attempts. Each attempt waits for the end of one walk per instrument; what
 * failed in a way that may pass can be asked again in the next one. */
#ifndef PRICEGATE_JOB_RUN_H
#define PRICEGATE_JOB_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain.h"
#include "config.h"
#include "job.h"

struct job_slot {
    int id;
    bool waiting; /* for the end of a walk */
    bool again;   /* failed in a way that may pass */
    bool unchanged;
    enum failure failure; /* FAIL_NONE: accepted; valid when not waiting */
    const char *provider; /* that answered, or gave the reason; may be NULL */
    char message[160];
};

/* Records by what became of them. */
struct job_counts {
    size_t updated;   /* accepted, and not what was known before */
    size_t unchanged; /* accepted, the same as the last one but for the time it came */
    size_t failed;
    size_t budget; /* of these: only credits were missing */
};

struct job_run {
    const struct config *config;
    enum job job;
    bool requested; /* somebody waits for it; else the clock began it */
    int64_t started_ms;
    int64_t retries;
    bool overran;
    size_t waiting;
    struct job_counts *sources; /* by provider number; what was asked in this run */
    enum failure *errors;       /* by provider number: its last one, FAIL_NONE = none */
    size_t n;
    struct job_slot slots[];
};

/* The (at most max) instruments of the greatest age, the oldest first, to ids. Instrument i has
 * ages_ms[i]: negative = leave it out, INT64_MAX = there never was anything. Returns how many. */
size_t job_run_stalest(const int64_t *ages_ms, size_t n, int *ids, size_t max);

/* All of ids[0..n) wait at first. NULL: out of memory. */
struct job_run *job_run_new(const struct config *config, enum job job, const int *ids, size_t n,
                            int64_t wall_ms) MUST_CHECK;
void job_run_free(struct job_run *r); /* NULL is fine */

/* How the walk of an instrument ended. `reason`: FAIL_NONE, or why nothing was accepted, with
 * provider and message; unchanged: of an accepted one. Nothing happens where the run does not wait
 * for it. end NULL: nothing was asked, reason is all there is to know. */
struct job_outcome {
    int id;
    enum failure reason;
    const char *provider, *message;
    bool unchanged;
    const struct chain_end *end;
};
void job_run_ended(struct job_run *r, const struct job_outcome *o);

/* Writes the instruments worth asking again to ids (room for r->n) and returns how many. */
size_t job_run_again(const struct job_run *r, int *ids);
/* The next attempt: those of job_run_again() wait. */
void job_run_retry(struct job_run *r);

/* Of the instruments of a kind. */
struct job_counts job_run_counts(const struct job_run *r, enum instrument_kind kind);
enum job_status job_run_status(const struct job_run *r);

/* The element of /data-health/jobs; NULL: out of memory. */
json_t *job_run_record(const struct job_run *r, int64_t duration_ms) MUST_CHECK;

#endif
