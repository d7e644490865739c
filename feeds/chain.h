/* chain.h - the walk: asks the sources of instruments in their order until one answer is taken.
 *
 * A walk is for a set of instruments. Each has a place in its own chain; those that want the same
 * provider are put into one request. A skipped or failed source is noted with its name and the
 * instrument goes on to its next source at once, in the same walk. Knows neither network nor
 * clock: the host admits, asks and takes. Loop thread only. */
#ifndef PRICEGATE_CHAIN_H
#define PRICEGATE_CHAIN_H

#include "config.h"
#include "err.h"
#include "failure.h"
#include "provider.h"

struct walk;

struct chain_want {
    int id;     /* instrument */
    size_t pos; /* which of its sources */
};

/* One request to one provider. The host answers it with chain_answered(), at once or later. */
struct chain_request {
    struct walk *walk;
    int provider;
    size_t n;
    const char *symbols[PROVIDER_BATCH_MAX]; /* the provider's */
    struct chain_want wants[PROVIDER_BATCH_MAX];
};

/* What became of one source of one instrument. */
struct chain_step {
    size_t pos;
    enum failure failure; /* FAIL_NONE: its answer was taken */
    bool asked;           /* a request was sent; else it was skipped */
    int status;           /* of HTTP, when an answer came; 0 = none did */
    int64_t at_ms;        /* monotonic */
    char detail[160];
};

struct chain_end {
    int id;
    bool accepted;
    const struct chain_step *steps; /* in order; borrowed for the call */
    size_t n;
};

enum walk_kind { WALK_POLL, WALK_REFRESH, WALK_ONCE, WALK_PROBE /* probe.h */ };

struct chain_host {
    void *ctx;
    const struct config *config;
    int64_t (*now_ms)(void *ctx); /* monotonic */
    size_t (*batch_max)(void *ctx, int provider);
    /* Why this source of this instrument is not to be asked; FAIL_NONE: it may be. */
    enum failure (*skip)(void *ctx, const struct walk *w, struct chain_want want, struct err *why);
    /* Budget, then breaker: for how many symbols (<= n) the provider may be asked now; that many
     * must then be. 0: none, with the reason. reserve: may use the credits kept for refreshes. */
    size_t (*admit)(void *ctx, int provider, size_t n, bool reserve, enum failure *f,
                    struct err *why);
    void (*ask)(void *ctx, struct chain_request *r);
    /* One good answer. FAIL_NONE: taken; else why not. */
    enum failure (*offer)(void *ctx, struct chain_want want, const struct record *record,
                          struct err *why);
    /* The walk is over for this instrument. May start another walk. */
    void (*ended)(void *ctx, const struct walk *w, const struct chain_end *end);
    /* The walk is over; it is freed when this returns. */
    void (*done)(void *ctx, struct walk *w);
    /* NULL, or: a walk has sent requests for long enough (2 ms) and waits in *paused; the host
     * calls chain_continue_all() in a later turn of the loop. */
    void (*later)(void *ctx);
    struct walk **paused; /* NULL when there is no `later`; *paused NULL at first */
};

struct walk_options {
    enum walk_kind kind;
    int only_provider; /* sources of other providers are passed over; -1 = the whole chain */
    void *tag;         /* the caller's */
};

/* Begins a walk for instruments ids[0..n), each of them once. The host is borrowed until the walk
 * is over. ended() and done() may be called before this returns.
 * Returns -1 when out of memory; nothing is called then. */
int chain_start(const struct chain_host *host, const int *ids, size_t n,
                const struct walk_options *options) MUST_CHECK;

/* The answers to a request, in the order of its symbols; frees the request. */
void chain_answered(struct chain_request *r, const struct answer *answers);
/* The same failure for all its symbols; frees the request. transport: there never was an answer,
 * which is the one failure worth asking again for. */
void chain_failed(struct chain_request *r, enum failure f, const char *detail, bool transport);
/* Goes on with all walks that wait; they may pause again. */
void chain_continue_all(struct walk **paused);

/* Forgets the request and, with the last one, its walk, unless that has paused. The host hears
 * nothing. */
void chain_drop(struct chain_request *r);
/* Forgets all walks that wait, once none of their requests is under way. */
void chain_drop_paused(struct walk **paused);

/* The step that explains why nothing was taken: an older price where there was one (the held price
 * stays because of it), else the last source that was really asked, else the last one skipped;
 * "disabled", or a benchmark that was not needed, is no explanation where there is another. NULL
 * without any step. */
const struct chain_step *chain_reason(const struct chain_step *steps, size_t n);

enum walk_kind walk_kind(const struct walk *w);
void *walk_tag(const struct walk *w);
int64_t walk_started_ms(const struct walk *w);
size_t walk_size(const struct walk *w);     /* instruments */
size_t walk_accepted(const struct walk *w); /* of them, so far */

#endif
