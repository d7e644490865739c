/* reliability.h - how well has a provider answered, and is it to be left alone until somebody says
 * otherwise? Pure; wall time in ms, because all of it is shared over the bus and outlives the
 * process.
 *
 * Two counts. The score is the share of good fetches over the last 30 days (of UTC), live polls
 * included; good is one whose failure, if any, was not the provider's fault (failure.h). Suspension
 * looks at runs of jobs only: RELIABILITY_RUNS runs in a row in which the provider was asked and
 * never answered well. Live polls have the breaker for that, which tries again by itself; a
 * suspension is lifted by a person (reset-circuit). */
#ifndef PRICEGATE_RELIABILITY_H
#define PRICEGATE_RELIABILITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"

#define RELIABILITY_DAYS 30
#define RELIABILITY_RUNS 5

/* Zeroed at first. */
struct reliability {
    struct reliability_day {
        int64_t day; /* since 1970-01-01; the place in the array is day % RELIABILITY_DAYS */
        int64_t good, all;
    } days[RELIABILITY_DAYS];
    int64_t failed_runs; /* in a row */
    bool suspended;
    int64_t updated_ms; /* of the two above; the newer of two documents holds */
    uint64_t changes;   /* counted, to know whether there is something to write */
};

void reliability_fetch(struct reliability *r, bool good, int64_t wall_ms);
/* A run of a job in which the provider was asked. True: this one suspended it. */
bool reliability_run(struct reliability *r, bool failed, int64_t wall_ms);
/* An admin's word: no failed runs, not suspended. The score stays what it is. */
void reliability_reset(struct reliability *r, int64_t wall_ms);

/* Fetches in the last 30 days, today's included, and how many of them were good. */
struct reliability_score {
    int64_t good, all;
};
struct reliability_score reliability_score(const struct reliability *r, int64_t wall_ms);

json_t *reliability_save(const struct reliability *r, int64_t wall_ms) MUST_CHECK; /* NULL: oom */
/* Takes over what is newer or more in the document. A document that is not one, or comes from the
 * future, changes nothing. */
void reliability_merge(struct reliability *r, const json_t *doc, int64_t wall_ms);

#endif
