/* budget.h - the credits of one provider: how many requests we may still send. Pure.
 *
 * Two windows: the last 60 s (rolling) and the provider's day, which begins at a second of the UTC
 * day of its own. A credit taken is never given back: a refused request costs the provider's credit
 * too. The provider's own counter, where it sends one, can only lower what is left. A tenth of the
 * day is kept for refreshes that a person asks for. Time is wall time in ms, because the state
 * outlives the process: it travels as a JSON document over the bus. */
#ifndef PRICEGATE_BUDGET_H
#define PRICEGATE_BUDGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"

#define BUDGET_SLOTS     61        /* seconds: the running one and the 60 before it */
#define BUDGET_UNLIMITED INT64_MAX /* what is left where there is no limit */

struct budget {
    int64_t per_minute, per_day; /* 0 = no limit */
    int day_reset_s;             /* second of the UTC day at which the day begins */
    int64_t day, spent;          /* which day, and what was taken on it */
    struct {
        int64_t second, n;
    } window[BUDGET_SLOTS];     /* by second % BUDGET_SLOTS */
    int64_t said_left, said_ms; /* the provider's counter and when it said so; -1 = never */
};

void budget_init(struct budget *b, int64_t per_minute, int64_t per_day, int day_reset_s);

/* How many credits may be taken now. reserve: also those kept for refreshes. */
int64_t budget_available(struct budget *b, bool reserve, int64_t wall_ms);
/* Takes up to n credits; returns how many it got. */
int64_t budget_take(struct budget *b, int64_t n, bool reserve, int64_t wall_ms);
/* The provider says that `left` credits of its minute are left. */
void budget_said(struct budget *b, int64_t left, int64_t wall_ms);

/* Credits left in the tightest window, the reserve included; -1 where there is no limit. */
int64_t budget_left(struct budget *b, int64_t wall_ms);
/* The day's credits left for polls; BUDGET_UNLIMITED without a limit. */
int64_t budget_day_left(struct budget *b, int64_t wall_ms);
/* When the day's credits come back: wall time in ms, always in the future. */
int64_t budget_day_reset_ms(const struct budget *b, int64_t wall_ms);

/* The document of the shared key; new reference, NULL: out of memory. */
json_t *budget_save(struct budget *b, int64_t wall_ms) MUST_CHECK;
/* Takes from a document what was spent there and not here. Anything odd in it is passed over. */
void budget_merge(struct budget *b, const json_t *doc, int64_t wall_ms);

#endif
