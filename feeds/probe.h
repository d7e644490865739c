/* probe.h - asks a provider that was shut whether it is back, when its waiting time is over.
 *
 * Loop thread only. */
#ifndef PRICEGATE_PROBE_H
#define PRICEGATE_PROBE_H

#include "desk.h"

/* After poll_due(): sends the probes that no poll has sent. */
void probe_due(struct feeds *f, int64_t mono_ms);
/* A walk of the kind WALK_PROBE is over. */
void probe_ended(struct feeds *f, struct feed *d, const struct chain_end *end);

#endif
