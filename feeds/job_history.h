/* job_history.h - the last runs of all jobs, as one small document that outlives the process. Pure.
 *
 * Holds records as job_run.h makes them, newest first, and when each job last ran by the clock:
 * that must not be lost because 200 runs of another job came since. */
#ifndef PRICEGATE_JOB_HISTORY_H
#define PRICEGATE_JOB_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "job.h"

#define JOB_HISTORY_RUNS      200
#define JOB_HISTORY_BYTES_MAX ((size_t)1024 * 1024) /* a larger document is none */

struct job_history {
    json_t *runs;
    int64_t last_ms[JOBS_LEN]; /* wall; -1 = never, or nobody knows */
};

int job_history_init(struct job_history *h) MUST_CHECK; /* -1: out of memory */
void job_history_fini(struct job_history *h);

/* Steals the record; NULL is left out. The oldest one goes when there are too many. */
void job_history_add(struct job_history *h, json_t *record);
/* The job ran by the clock at wall_ms. */
void job_history_ran(struct job_history *h, enum job job, int64_t wall_ms);

json_t *job_history_save(const struct job_history *h) MUST_CHECK; /* NULL: out of memory */
/* Adds the runs of the document that are not there yet. What is no run is passed over. */
void job_history_merge(struct job_history *h, const json_t *doc, int64_t wall_ms);

#endif
