/* feed.h - one instrument on the polling side: what is remembered of it and of its sources.
 *
 * Loop thread only; time comes in. */
#ifndef PRICEGATE_FEED_H
#define PRICEGATE_FEED_H

#include "chain.h"
#include "log.h"
#include "market.h"
#include "provenance.h"
#include "publish.h"
#include "quality.h"
#include "watch.h"

/* Of one source of one instrument. */
struct feed_source {
    int64_t suspended_until_ms; /* monotonic; 0 = not suspended */
    int64_t suspended_for_ms;   /* how long the last time; doubles */
    int64_t asked_ms;           /* monotonic; 0 = never */
    enum failure logged;        /* the failure that was last logged */
    int64_t log_again_ms;       /* monotonic; not before */
};

/* How the last walk ended. */
struct feed_outcome {
    enum failure failure; /* FAIL_NONE: accepted */
    const char *provider; /* that answered, or gave the reason; may be NULL */
    char detail[160];
};

/* What failed a rule of quality last, until its source is believed again. */
struct feed_suspect {
    const char *rule; /* NULL = there is none */
    size_t pos;
    struct decimal figure; /* the price, or an observation's one figure; given or not */
    struct err why;
    int64_t since_ms; /* wall; when this source began to fail this rule */
};

struct feed {
    int id;
    const struct instrument *in;
    struct quality_memory quality;
    struct publication publication;
    struct watch watch;
    struct market market;
    struct feed_source *sources; /* one per source of the chain */
    int *chain;                  /* the same as provider numbers, for the schedule */
    struct provenance provenance;
    int walking;  /* walks that it is in, but for probes */
    bool probing; /* is one of its sources being probed? */
    struct feed_outcome last;
    int64_t failing_ms, failed_ms; /* monotonic: walks bring nothing since then, and last did so
                                      then; 0 = the last one did, or had only older to bring */
    int64_t refreshed_ms;          /* monotonic, end of the last refresh; 0 = never */
    int answering;                 /* the source that answered last; -1 = none yet */
    enum failure all_failed;       /* the reason last logged for a walk that brought nothing */
    struct log_limit all_failed_limit, quality_limit;
    struct feed_suspect suspect;
};

/* -1: out of memory. */
int feed_init(struct feed *d, int id, const struct instrument *in, int64_t wall_ms) MUST_CHECK;
void feed_fini(struct feed *d);

/* d, just made by another configuration, goes on where `from` ended. same_sources: its chain is the
 * same. Of `from` nothing but feed_fini() may be called then. */
void feed_take_over(struct feed *d, struct feed *from, bool same_sources);

/* Why the source is left alone now; FAIL_NONE: it is not. */
enum failure feed_suspended(const struct feed *d, size_t pos, int64_t mono_ms, struct err *why);
/* The sources that are left alone now, a bit for each of the first 64. */
uint64_t feed_left_alone(const struct feed *d, int64_t mono_ms);
/* Notes how a walk ended: suspensions and outcome. interval_ms: between two polls. */
void feed_walked(struct feed *d, const struct chain_end *end, int64_t interval_ms, int64_t mono_ms);
/* Tells the log of it; after feed_walked(). */
void feed_log_walk(struct feed *d, const struct chain_end *end, int64_t mono_ms);
/* A probe failed: notes its steps and tells the log, as the two above do, but it is no outcome: the
 * other sources were not asked. */
void feed_probed(struct feed *d, const struct chain_end *end, int64_t interval_ms, int64_t mono_ms);
/* Forgets the suspensions of a provider (number). */
void feed_unsuspend(struct feed *d, int provider);

/* The record failed a rule, or (q->failure FAIL_NONE) was accepted. What is only older than what is
 * held is not suspect. */
void feed_note_quality(struct feed *d, size_t pos, const struct record *rec,
                       const struct quality_result *q, int64_t wall_ms);
/* {"price" (of an observation "value"; a text, or null), "rule", "why", "source", "since"} or NULL;
 * new reference. */
json_t *feed_describe_suspect(const struct feed *d);

/* The wall's clock was set by by_ms, to wall_ms. */
void feed_clock_set(struct feed *d, int64_t by_ms, int64_t wall_ms);

/* The dead-letter line for a record that failed a rule of quality. */
void feed_log_rejected(struct feed *d, size_t pos, const struct record *rec,
                       const struct quality_result *q, int64_t mono_ms);

#endif
