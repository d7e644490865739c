/* job_times.h - when does a job run next? Pure: moments (wall ms) in, a moment out.
 *
 * A job may have times of day, an interval of the calendar, or both: whichever comes first. It is
 * due once however many of its times passed unseen. */
#ifndef PRICEGATE_JOB_TIMES_H
#define PRICEGATE_JOB_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "zone.h"

#define JOB_TIMES_NEVER INT64_MAX

/* The first moment at which the job is due. last_ms: when it last ran by the clock; -1 = never, or
 * nobody knows. since_ms: when this process began to look after it. A moment that lies before now
 * was missed and is to be made up for, once. JOB_TIMES_NEVER: it has neither times nor interval.
 *
 * A time of day is due after last_ms, where there is none after since_ms: a first start does not
 * make up for the morning. An interval is due one of its lengths after last_ms, where there is none
 * at since_ms. zone NULL: UTC. */
int64_t job_times_next_ms(const struct config_job *job, const struct zone *zone, int64_t last_ms,
                          int64_t since_ms);

#endif
