/* job_waits.h - who waits for a run, and how they are told. */
#ifndef PRICEGATE_JOB_WAITS_H
#define PRICEGATE_JOB_WAITS_H

#include "job_run.h"
#include "port.h"

struct job_wait;

/* -1: out of memory; done is not called then. */
int job_waits_add(struct job_wait **list, refresh_done *done, void *ctx) MUST_CHECK;
/* Calls back everybody with what became of the run's instruments, and empties the list first:
 * a callback may do what it likes, but the run must live on until this returns. r NULL: there was
 * no memory for a run. */
void job_waits_tell(struct job_wait **list, const struct job_run *r);
/* Forgets them all without a word. */
void job_waits_fini(struct job_wait **list);

#endif
