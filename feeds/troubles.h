/* troubles.h - what is wrong with the feeds at the moment, for those who tell people of it. Reads,
 * and changes nothing. Part of feeds.h; texts are borrowed until the next turn of the loop. */
#ifndef PRICEGATE_TROUBLES_H
#define PRICEGATE_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "job.h"

struct feeds;

/* An instrument of which no source answers. */
struct trouble_chain {
    bool failing;
    int64_t for_ms;   /* from the first walk that brought nothing to the last one */
    int64_t since_ms; /* wall; the first one */
    enum failure
        failure; /* of the last one; FAIL_NONE: there was none yet, or it brought a price */
    const char *provider; /* that is to blame; NULL = none in particular */
    const char *detail;   /* "" = no more is known */
};
struct trouble_chain feeds_trouble_chain(const struct feeds *f, int id, int64_t mono_ms,
                                         int64_t wall_ms);

/* A provider that is not asked, though some instrument would have it. */
struct trouble_provider {
    bool shut;
    bool suspended;         /* until somebody resets it */
    int64_t since_ms;       /* wall; 0 = not known */
    int64_t retry_ms;       /* wall; 0 = not known */
    int64_t answered_ms;    /* wall; when it last answered well, 0 = never yet */
    const char *reason;     /* a failure's name */
    const char *last_error; /* "" = none */
};
struct trouble_provider feeds_trouble_provider(const struct feeds *f, size_t provider,
                                               int64_t wall_ms);

#define TROUBLE_WHY_MAX 320
/* How the last run of a job that is over ended, and whether one that is not is late. */
struct trouble_job {
    uint64_t runs; /* that are over, of this process: 0 = nothing of what follows is known */
    bool requested, overran;
    enum job_status status;
    int64_t started_ms, took_ms; /* wall; how long */
    size_t instruments, failed;
    const char *why;       /* of the first that failed; "" = none did */
    bool late;             /* one that the clock began runs longer than jobs.sla_s */
    int64_t late_since_ms; /* wall; when that began */
    size_t waiting;        /* its instruments that are not done */
};
struct trouble_job feeds_trouble_job(const struct feeds *f, enum job job);

#endif
