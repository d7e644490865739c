/* flush.h - what is pending in a view goes to everybody in it, as one run of bytes. */
#ifndef PRICEGATE_FLUSH_H
#define PRICEGATE_FLUSH_H

#include <stdint.h>

#include "fanout.h"
#include "view.h"

/* Now, even if it rests. Harmless when nothing is pending. The view rests afterwards; it may be
 * gone, unless the caller holds it: its last client may have been closed. */
void flush_view(struct fanout *f, struct view *v, int64_t mono_ns);
/* All that are dirty and not resting. */
void flush_due(struct fanout *f, int64_t mono_ns);

#endif
