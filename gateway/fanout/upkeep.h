/* upkeep.h - what time alone does to a client: heartbeats, its age, and the four ways to run out of
 * time. */
#ifndef PRICEGATE_UPKEEP_H
#define PRICEGATE_UPKEEP_H

#include <stdint.h>

#include "client.h"

/* Puts the client into the wheel for the next moment at which something may be due. */
void upkeep_schedule(struct client *c, int64_t mono_ns);
/* Looks at every client whose moment has come. */
void upkeep_run(struct fanout *f, int64_t wall_ms, int64_t mono_ns);

/* Its grant has ended: it is told so, and has as long as a newcomer to show another token. Until
 * then it gets what it got, so that a renewal leaves no gap; but it may command nothing. One of
 * events cannot show anything: it is closed. */
void upkeep_expire(struct client *c, int64_t mono_ns);

#endif
