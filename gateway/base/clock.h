/* clock.h - the only place that reads a clock. Everything else is told what time it is.
 *
 * Wall time stamps quotes and decides their age (PROTOCOL: ts, recv); it may jump.
 * Monotonic time measures intervals and deadlines; its zero means nothing. */
#ifndef PRICEGATE_CLOCK_H
#define PRICEGATE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void); /* since the epoch */
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);

/* "2026-01-31T12:00:00.123Z" into out; wall_ms must be >= 0. Returns out. */
#define CLOCK_RFC3339_MAX 32
char *clock_rfc3339(int64_t wall_ms, char out[static CLOCK_RFC3339_MAX]);

#endif
