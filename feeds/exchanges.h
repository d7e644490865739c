/* exchanges.h - the exchanges that are built in or configured, and what their calendars say now. */
#ifndef PRICEGATE_EXCHANGES_H
#define PRICEGATE_EXCHANGES_H

#include "attrs.h"
#include "buf.h"
#include "config.h"
#include "market.h"

enum { EXCHANGE_HOURS_MAX = 4 };

/* exchange_table.c; sorted by name. */
struct exchange_row {
    const char *name, *timezone;
    const char *hours[EXCHANGE_HOURS_MAX], *pre_hours[EXCHANGE_HOURS_MAX],
        *post_hours[EXCHANGE_HOURS_MAX]; /* NULL behind the last */
};
extern const struct exchange_row exchange_rows[];
extern const size_t exchange_rows_len;

struct exchanges;

/* All configured ones, and of those that are built in the ones that an instrument names. Reads
 * time zones and lists of holidays: before the loop runs. NULL: problems holds a line for each,
 * "path: what is wrong\n". A machine without time zones is no fault of the configuration: the log
 * warns, and what is built in is not known then. Borrows the configuration. */
struct exchanges *exchanges_new(const struct config *c, struct buf *problems) MUST_CHECK;
void exchanges_free(struct exchanges *x); /* NULL is fine */

/* The next exchange, *at being where to look on (0 at first), whose list of holidays has no day
 * left at wall_ms; NULL: no other. */
const char *exchanges_run_out(const struct exchanges *x, int64_t wall_ms, size_t *at);

/* Brings all clocks to wall_ms; to be called before they are read. */
void exchanges_turn(struct exchanges *x, int64_t wall_ms);
/* The clock of an exchange, for the life of x. NULL: the name is NULL, or means no exchange that is
 * known here. */
const struct market_clock *exchanges_clock(const struct exchanges *x, const char *name);

#endif
