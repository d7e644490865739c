/* log.h - one line per event on stderr, JSON or logfmt.
 *
 *     log_event(LOG_INFO, "listening", "url=%s port=%d", url, port);
 *
 * The third argument is a list of name=%conversion pairs, checked by the compiler; each becomes a
 * member of its own; one whose name ends in ? is a yes or no (%d). Conversions: %s (NULL = null),
 * %d %u %ld %lu %lld %llu %zu, %f with precision. Strings are escaped and cut to 256 bytes, so
 * nothing from outside can forge a line (PROTOCOL 8). Secrets are never passed in. A line that
 * cannot be written is counted, never waited for. */
#ifndef PRICEGATE_LOG_H
#define PRICEGATE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"

/* LOG_AUDIT is for what must not be switched off: written whatever the level, and shown as info. */
enum log_level { LOG_AUDIT, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Process-wide, set once at start (and by a reload). */
void log_setup(enum log_level least, bool json);
int log_level_parse(const char *name, enum log_level *out) MUST_CHECK; /* error warn info debug */
bool log_enabled(enum log_level level);
uint64_t log_lines_lost(void);

void log_event(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* For events that may repeat without end: true at most once per interval_ms; *suppressed is how
 * many were swallowed since the last true. One struct per kind of event, zeroed at first. */
struct log_limit {
    int64_t next_ms;
    unsigned suppressed;
};
bool log_limit_pass(struct log_limit *l, int64_t mono_ms, int64_t interval_ms,
                    unsigned *suppressed);

#endif
