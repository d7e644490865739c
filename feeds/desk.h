/* desk.h - the inside of feeds.h: the one struct, for feeds.c, poll.c and refresh.c. */
#ifndef PRICEGATE_DESK_H
#define PRICEGATE_DESK_H

#include "ask.h"
#include "dead_letters.h"
#include "exchanges.h"
#include "feed.h"
#include "feeds.h"
#include "jobs.h"
#include "schedule.h"

struct refresh; /* refresh.c */
struct once;    /* refresh.c */

struct feeds {
    uv_loop_t *loop;
    const struct config *config;
    struct bus *bus;
    struct metrics *metrics;
    uint64_t epoch_ms;
    uv_timer_t timer;
    struct asker asker;
    struct chain_host host;
    struct walk *paused;        /* walks that go on in the next turn */
    struct upstream *upstreams; /* by provider number */
    struct feed *feeds;         /* by instrument number */
    struct exchanges *exchanges;
    struct schedule *schedule;
    struct schedule_provider *plan;
    int *ids;                          /* room for all instruments */
    struct buf message;                /* for status messages */
    struct dead_letters *dead_letters; /* NULL: failed records are only logged */
    bool started, stopped;
    size_t shared_waiting;      /* documents asked for before the first poll */
    int64_t shared_deadline_ms; /* monotonic: polled from then on in any case */
    int64_t shared_read_ms;     /* monotonic: when they were last asked for */
    struct jobs *jobs;
    struct refresh *refreshes;
    struct once *onces;
    int handles; /* fetch, timer and dead letters, while closing */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* Makes the next turn of the loop do what is due. */
void feeds_wake(struct feeds *f);
/* False: what was spent before this start is still being read; whoever wants to ask a provider
 * waits for that, a second or two. */
bool feeds_may_ask(const struct feeds *f, int64_t mono_ms);

/* poll.c: what a walk asks of its host, and the plan. */
void poll_init(struct feeds *f);
void poll_plan(struct feeds *f);
/* Walks what is due. */
void poll_due(struct feeds *f, int64_t mono_ms);

/* refresh.c */
/* The walk is over for d; d->last says how. */
void refresh_ended(struct feeds *f, struct feed *d);
void once_ended(struct feeds *f, struct once *o, const struct chain_end *end);
/* Starts what came before feeds_may_ask(). */
void refresh_start_held(struct feeds *f);
/* Calls back all that are complete; the callbacks may call anything, feeds_close() too. */
void refresh_deliver(struct feeds *f);
bool refresh_pending(const struct feeds *f); /* something is there to be delivered */
/* Answers all that wait, forgets the walks of feeds_walk(). */
void refresh_stop(struct feeds *f);

#endif
