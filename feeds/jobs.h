/* jobs.h - runs jobs: by the clock (job_times.h) and when somebody asks, through the same walks as
 * polls, inside the same budgets.
 *
 * One run of a job at a time. A scheduled run tries again what failed in a way that may pass, with
 * doubled pauses; one that somebody waits for does not. Each is recorded on the bus. Part of
 * feeds.h, for feeds.c and poll.c. Loop thread only. */
#ifndef PRICEGATE_JOBS_H
#define PRICEGATE_JOBS_H

#include "config.h"
#include "err.h"
#include "job.h"
#include "port.h"
#include "troubles.h"

struct bus;
struct chain_end;
struct feed;
struct feeds;
struct jobs;

/* NULL with a sentence. Borrows both. wall_ms: since when this process looks after them. */
struct jobs *jobs_new(const struct config *config, struct bus *bus, int64_t wall_ms,
                      struct err *err) MUST_CHECK;
void jobs_free(struct jobs *j); /* NULL is fine; nobody is called back */

/* Asks the bus for the last runs. */
void jobs_start(struct feeds *f);
/* Does what is due: begins, retries and ends runs, calls back, writes the document. May be called
 * at any time, and must be each second. by_clock: scheduled runs may begin. */
void jobs_turn(struct feeds *f, bool by_clock, int64_t mono_ms, int64_t wall_ms);
/* A walk is over for d, however it began; d->last says how. */
void jobs_ended(struct feeds *f, const struct feed *d, const struct chain_end *end);
/* From the bus: is the key theirs? Then its document is merged. */
bool jobs_shared(struct feeds *f, const char *key, const char *bytes, size_t len);
/* Polling has stopped: answers all that wait. What the clock began is not done, and still due. */
void jobs_stop(struct feeds *f);
/* f, just made, goes on where `from`, stopped, ended: what has run, and what is due. */
void jobs_take_over(struct feeds *f, struct feeds *from);

/* Runs the job now, or joins its run. done may be called before this returns. */
void jobs_request(struct feeds *f, enum job job, refresh_done *done, void *ctx);
/* How the job ran last, or runs (troubles.h). Its text is ours until the next turn. */
struct trouble_job jobs_last(const struct feeds *f, enum job job);
/* The body of /data-health/jobs; NULL: out of memory. */
json_t *jobs_describe(struct feeds *f);

#endif
