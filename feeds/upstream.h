/* upstream.h - one provider as it is at the moment: may it be asked, and how has it behaved?
 *
 * Holds the provider's budget, breaker and reliability, shares them over the bus, and tells log and
 * metrics of every change. Sends nothing itself (ask.h does). Loop thread only; wall time comes in.
 */
#ifndef PRICEGATE_UPSTREAM_H
#define PRICEGATE_UPSTREAM_H

#include "breaker.h"
#include "budget.h"
#include "bus.h"
#include "config.h"
#include "err.h"
#include "kept_reply.h"
#include "metrics.h"
#include "provider.h"
#include "reliability.h"
#include "schedule.h"
#include "troubles.h"

struct upstream {
    const struct provider *row;
    const struct config_provider *cfg;
    const char *off;             /* why it is never asked; NULL = it may be */
    bool in_use;                 /* some instrument has it in its chain */
    struct zone *day_zone;       /* owned; NULL: its day is UTC's */
    struct err day_zone_problem; /* why it is, although the row names a zone; "" = it does not */
    struct budget budget;
    struct breaker breaker;
    enum breaker_state shown; /* as last announced */
    int64_t shown_since_ms;   /* since when it is that; 0 = since before our start */
    struct err last_error;    /* "" = none yet */
    int64_t last_error_ms;
    int64_t line_broke_ms;   /* when a failure of the line was last counted */
    int64_t last_success_ms; /* 0 = none yet */
    struct reliability reliability;
    struct upstream_tally {
        uint64_t good, failed, of_line;
    } tally; /* requests since the start; of_line: of the failed ones. Rate limits are neither */
    struct upstream_tally judged; /* as it was at the last upstream_ran() */
    uint64_t reliability_written; /* reliability.changes of the document on the bus */
    int64_t reliability_written_ms;
    int64_t breaker_written; /* breaker.updated_ms of the document on the bus */
    bool budget_dirty;
    int64_t budget_written_ms;
    unsigned known;    /* a bit for each document that was read since the link to Redis is up */
    int64_t probed_ms; /* monotonic; 0 = not yet. probe.h's own */
    struct kept_reply kept; /* of a provider that can say "nothing new" */
};

/* off: a reason that holds for all providers ("polling is switched off"), or NULL. Its day counts
 * by UTC where its zone is not known to this machine (day_zone_problem); logs nothing. */
void upstream_init(struct upstream *u, const struct provider *row,
                   const struct config_provider *cfg, const struct config *config, const char *off);
void upstream_fini(struct upstream *u);
/* u, just made by another configuration, goes on where `from` ended: credits, breaker, reliability
 * and what was said of it. Who is asked with another key or at another address is not held to what
 * was answered to the old ones. Of `from` nothing but upstream_fini() may be called then. */
void upstream_take_over(struct upstream *u, struct upstream *from, int64_t wall_ms);

/* Budget, then breaker: how many of n symbols may be asked for; their credits are taken. 0 with the
 * reason. reserve: may use the credits kept for refreshes. */
size_t upstream_admit(struct upstream *u, size_t n, bool reserve, int64_t wall_ms, enum failure *f,
                      struct err *why);
/* What the request, sent at asked_ms, showed of the provider. detail: a sentence for its failure.
 * Requests that were out together when the line broke failed once: a blip must not shut a provider
 * that is asked for one symbol a request, ten at a time. What the provider itself answers counts
 * each time. */
void upstream_answered(struct upstream *u, const struct verdict *verdict, const char *detail,
                       int64_t asked_ms, int64_t wall_ms);
/* An admitted request was not sent after all. */
void upstream_not_sent(struct upstream *u, int64_t wall_ms);
/* Requests since the moment at which the tally was `before`, without those of an earlier
 * upstream_ran(). */
struct upstream_tally upstream_tally_since(const struct upstream *u,
                                           const struct upstream_tally *before);
/* A run of a job in which it was asked is over. failed: it never answered well. Enough of them in a
 * row and it is asked nothing more until upstream_reset(), which the log is told. */
void upstream_ran(struct upstream *u, bool failed, int64_t wall_ms);
void upstream_reset(struct upstream *u, int64_t wall_ms);

/* False: it is off, suspended, shut, or out of credits. */
bool upstream_askable(struct upstream *u, int64_t wall_ms);
/* It is shut, its waiting time is over, and nobody has asked it since. */
bool upstream_probe_due(struct upstream *u, int64_t wall_ms);
struct schedule_provider upstream_schedule(struct upstream *u, int64_t wall_ms);

/* The wall's clock was set by by_ms, to wall_ms. */
void upstream_clock_set(struct upstream *u, int64_t by_ms, int64_t wall_ms);

/* Announces a change (log, metrics) and writes what must be shared; the budget at most once a
 * second. To be called after every change and at least each second. */
void upstream_sync(struct upstream *u, struct bus *bus, struct metrics *metrics, int64_t wall_ms);
/* Writes what upstream_sync() was to write later. */
void upstream_leave(struct upstream *u, struct bus *bus, int64_t wall_ms);
/* How many documents it shares: 0 for one that is never asked. */
size_t upstream_documents(const struct upstream *u);
/* Asks the bus for them; an answer may come before this returns. */
void upstream_read(const struct upstream *u, struct bus *bus);
/* Is the key one of this provider's? If so the document is merged. */
bool upstream_shared(struct upstream *u, const char *key, const char *bytes, size_t len,
                     int64_t wall_ms);

struct trouble_provider upstream_trouble(const struct upstream *u, int64_t wall_ms);
/* The element of /data-health/sources; NULL: out of memory. */
json_t *upstream_describe(struct upstream *u, int64_t wall_ms);
/* What anybody may know of it, into an element of provenance_describe(): "state", "retry_at" (ms).
 */
void upstream_describe_briefly(const struct upstream *u, json_t **into, int64_t wall_ms);

#endif
