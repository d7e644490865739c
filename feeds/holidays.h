/* holidays.h - the days on which an exchange does not trade, or closes early. Pure.
 *
 * As text one day a line, in any order; a # begins a comment:
 *
 *     2026-12-25          # closed
 *     2026-12-24 13:00    # closes at that time, by the exchange's clocks
 */
#ifndef PRICEGATE_HOLIDAYS_H
#define PRICEGATE_HOLIDAYS_H

#include <stddef.h>

#include "attrs.h"
#include "err.h"

#define HOLIDAYS_BYTES_MAX ((size_t)256 * 1024) /* of the text */

struct holidays;

/* NULL with a sentence that names the line ("line 3: ..."); also when a day is there twice. */
struct holidays *holidays_parse(const char *text, size_t len, struct err *err) MUST_CHECK;
void holidays_free(struct holidays *h); /* NULL is fine */

/* Seconds of the day after which nothing is traded: 0 on a day that is closed, 86400 on one that is
 * none of these. h NULL: no day is. */
int holidays_close_s(const struct holidays *h, int year, int month, int day);

size_t holidays_len(const struct holidays *h);
/* The last day as 20261225; 0: there is none. */
int holidays_last(const struct holidays *h);

#endif
