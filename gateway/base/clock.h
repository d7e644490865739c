/* clock.h - the only place that reads a clock. Everything else is told what time it is.
 *
 * Wall time stamps quotes and decides their age (ts, recv). The system's may be set at any moment;
 * ours is set only by clock_follow(), so that whoever keeps a time of it can be told.
 * Monotonic time measures intervals and deadlines; its zero means nothing. Loop thread only. */
#ifndef PRICEGATE_CLOCK_H
#define PRICEGATE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void); /* since the epoch; the system's, until clock_follow() is called */
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);

/* From now on wall time passes by itself, and is set to the system's here. Returns by how much, in
 * ms: a time kept as wall time lies as far from now as before when that is added to it. 0 at the
 * first call, and for less than CLOCK_STEP_MIN_MS, which nobody need be told of. */
#define CLOCK_STEP_MIN_MS 1000
int64_t clock_follow(void);

/* "2026-01-31T12:00:00.123Z" into out; wall_ms must be >= 0. Returns out. */
#define CLOCK_RFC3339_MAX 32
char *clock_rfc3339(int64_t wall_ms, char out[static CLOCK_RFC3339_MAX]);

#endif
