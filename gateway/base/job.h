/* job.h - the refreshes of whole sets of instruments, by name, and how one may end.
 *
 * market: all prices. intelligence: all observations. full: both. enrich: the ten instruments with
 * the oldest data. */
#ifndef PRICEGATE_JOB_H
#define PRICEGATE_JOB_H

#include <stddef.h>

enum job { JOB_ENRICH, JOB_FULL, JOB_INTELLIGENCE, JOB_MARKET, JOBS_LEN };

const char *job_name(enum job j);
/* JOBS_LEN: there is none of that name. */
enum job job_of_name(const char *name);

enum job_status { JOB_SUCCESS, JOB_PARTIAL, JOB_FAILED };

/* Of `requested` instruments `failed` brought nothing, `budget` of these only because credits had
 * run out: that is no failure of the data, what could be asked was. */
enum job_status job_status(size_t requested, size_t failed, size_t budget);
const char *job_status_name(enum job_status s); /* "success" "partial" "failed" */

#endif
