/* budget.h - the credits of one provider: how many requests we may still send. Pure.
 *
 * Four windows: the last second, minute and hour (rolling), and the provider's day, which begins
 * at midnight in its own time zone. A credit taken is never given back: a refused request costs
 * the provider's credit too. The provider's own counter, where it sends one, can only lower what
 * is left. A tenth of the day is kept for refreshes that a person asks for. Time is wall time in
 * ms, because the state outlives the process: it travels as a JSON document over the bus. */
#ifndef PRICEGATE_BUDGET_H
#define PRICEGATE_BUDGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"
#include "zone.h"

#define BUDGET_SLOTS     61        /* of a rolling window, at most */
#define BUDGET_UNLIMITED INT64_MAX /* what is left where there is no limit */

enum budget_window { BUDGET_SECOND, BUDGET_MINUTE, BUDGET_HOUR, BUDGET_DAY, BUDGET_WINDOWS };
const char *budget_window_name(enum budget_window w); /* "second" "minute" "hour" "day" */

struct budget {
    int64_t limits[BUDGET_WINDOWS];   /* 0 = no limit */
    const struct zone *zone;          /* borrowed; NULL = UTC */
    int64_t day, spent;               /* which day (since 1970, there), and what was taken on it */
    int64_t day_before, spent_before; /* the same of the day that it was before, by our clock */
    int64_t day_from_ms, day_to_ms;
    struct budget_slot {
        int64_t number, n; /* since the epoch; what was taken in it */
    } slots[BUDGET_DAY][BUDGET_SLOTS];
    int64_t said_left, said_ms; /* the provider's counter and when it said so; -1 = never */
};

/* limits: credits per window, 0 = no limit. */
void budget_init(struct budget *b, const int64_t limits[static BUDGET_WINDOWS],
                 const struct zone *zone);

/* How many credits may be taken now. reserve: also those kept for refreshes. */
int64_t budget_available(struct budget *b, bool reserve, int64_t wall_ms);
/* Takes up to n credits; returns how many it got. */
int64_t budget_take(struct budget *b, int64_t n, bool reserve, int64_t wall_ms);
/* The provider says that `left` credits of its minute are left. */
void budget_said(struct budget *b, int64_t left, int64_t wall_ms);

/* What one window leaves; BUDGET_UNLIMITED without a limit. reserve as above. */
int64_t budget_window_left(struct budget *b, enum budget_window w, bool reserve, int64_t wall_ms);
/* The longest window that has nothing left: what has to be waited for. BUDGET_WINDOWS: there is
 * none, credits may be taken. */
enum budget_window budget_exhausted(struct budget *b, bool reserve, int64_t wall_ms);
/* Until it may have something again, in ms; 0 when nothing has to be waited for. */
int64_t budget_wait_ms(struct budget *b, bool reserve, int64_t wall_ms);
/* For people: credits left in the tightest of minute, hour and day, the reserve included; -1 where
 * none of them has a limit. The second is no store of credits, only a pace. */
int64_t budget_left(struct budget *b, int64_t wall_ms);
/* When the day's credits come back: wall time in ms, always in the future. */
int64_t budget_day_reset_ms(struct budget *b, int64_t wall_ms);

/* The wall's clock was set by by_ms, to wall_ms: nothing is to be had for that. */
void budget_clock_set(struct budget *b, int64_t by_ms, int64_t wall_ms);

/* The document of the shared key; new reference, NULL: out of memory. */
json_t *budget_save(struct budget *b, int64_t wall_ms) MUST_CHECK;
/* Takes from a document what was spent there and not here. Anything odd in it is passed over. */
void budget_merge(struct budget *b, const json_t *doc, int64_t wall_ms);

#endif
