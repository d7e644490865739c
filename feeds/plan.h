/* plan.h - what polling a configuration costs, and what its providers' limits make of it. Pure.
 *
 * Not a formula of its own: the real schedule is asked, with what upstream_schedule() says of each
 * provider at the start of its day, nothing spent and every breaker closed. Markets are taken as
 * open, and every instrument as watched. What fallbacks and refreshes cost depends on failures and
 * people and is not in it. */
#ifndef PRICEGATE_PLAN_H
#define PRICEGATE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "budget.h"
#include "config.h"

#define PLAN_DAY_MINUTES 1440

/* Instruments with the same interval stay together and share requests; others may by chance, which
 * is not counted on. Requests are a guess from below where a batch provider's minute is the limit:
 * those that wait for credits drift apart. Both are 0 for a provider without a network. */
struct plan_load {
    double requests_per_day, credits_per_day;
};

struct plan_provider {
    bool in_use;        /* some instrument has it in its chain; the rest is 0 otherwise */
    const char *off;    /* why it is never polled; NULL = it is. Lives as long as the config */
    size_t instruments; /* that lean on it: it is the first of their chain that may be asked */
    size_t stretched;   /* of these: asked less often than their poll_ms */
    struct plan_load wanted, planned;           /* at poll_ms; at the planned intervals */
    int64_t limits[BUDGET_WINDOWS];             /* in credits; 0 = none */
    int64_t reserve;                            /* of the day's: kept for refreshes */
    int64_t poll_min_ms, poll_max_ms;           /* of those that lean on it */
    int64_t stretched_min_ms, stretched_max_ms; /* planned intervals of the stretched ones */
    int64_t interval_min_ms, interval_max_ms;   /* planned intervals of all */
};

struct plan_instrument {
    int provider; /* the one it leans on; -1 = none may be asked, or it has no sources */
    int64_t poll_ms, interval_ms; /* interval_ms 0 = never polled */
};

struct plan {
    const struct config *config;         /* borrowed */
    struct plan_provider *providers;     /* by provider number */
    struct plan_instrument *instruments; /* by instrument number */
};

/* NULL: out of memory. The configuration must outlive the plan. Whether polling is switched off
 * (feeds_enabled) does not matter: this is what it would be. */
struct plan *plan_new(const struct config *config) MUST_CHECK;
void plan_free(struct plan *p); /* NULL is fine */

enum plan_line {
    PLAN_NOTE,  /* good to know */
    PLAN_GIVES, /* does not fit as configured: something has to give */
};

/* Says the plan in sentences (no newline), one call of line() each; the text lives until it
 * returns. The configuration fits when none is PLAN_GIVES. -1: out of memory. */
int plan_tell(const struct plan *p,
              void (*line)(void *ctx, enum plan_line kind, const char *sentence),
              void *ctx) MUST_CHECK;

#define PLAN_SPAN_MAX 48
/* "15 s", "6 min", "1.5 h"; and of two: "15 s", or "15 s to 6 min". Return out. */
const char *plan_span(int64_t ms, char out[static PLAN_SPAN_MAX]);
const char *plan_spans(int64_t min_ms, int64_t max_ms, char out[static PLAN_SPAN_MAX]);
/* "17,280": rounded to a whole number, in groups of three. */
const char *plan_number(double x, char out[static PLAN_SPAN_MAX]);

#endif
