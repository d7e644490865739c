/* port.h - the few things the serving half may ask of the polling half.
 *
 * Prices never come this way: they come over the bus. These are questions and orders (REST refresh,
 * data-health, reset-circuit), wired by gateway.c, so that neither half includes the other. With
 * several processes they will travel over Redis; nothing here may return a pointer into the other
 * half. Where polling is switched off the functions answer so. */
#ifndef PRICEGATE_PORT_H
#define PRICEGATE_PORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job.h"

struct refresh_result {
    int id;              /* instrument */
    const char *error;   /* NULL = accepted; else a failure name of PROTOCOL 1 */
    const char *source;  /* provider that answered, or the last one tried; may be NULL */
    const char *message; /* a sentence for people; NULL when accepted */
    bool unchanged;      /* accepted, and the same as before but for the time it came */
};

/* Called exactly once, when the last of the instruments is done; results are borrowed. NULL: out of
 * memory. */
typedef void refresh_done(void *ctx, const struct refresh_result *results, size_t n);

struct feed_port {
    void *ctx;
    /* Walks the chains of these instruments now, inside the providers' budgets; one that is under
     * way, or was refreshed less than 5 s ago, is joined. done may be called before this returns.
     */
    void (*refresh)(void *ctx, const int *ids, size_t n, refresh_done *done, void *done_ctx);
    /* Runs a job now: a refresh of all its instruments. One that is under way is joined: done is
     * called when it has asked each of them once. done may be called before this returns. */
    void (*run_job)(void *ctx, enum job job, refresh_done *done, void *done_ctx);
    json_t *(*jobs)(void *ctx);    /* the body of /data-health/jobs; new reference */
    json_t *(*sources)(void *ctx); /* "sources" of /data-health/sources; new reference */
    /* The last price of the instrument that failed a rule of quality, until its source is believed
     * again; NULL when there is none. New reference. The function itself may be NULL. */
    json_t *(*suspect)(void *ctx, int id);
    /* What each of its sources said last (provenance.h), with "state" and "retry_at" of its
     * provider. New reference; NULL: out of memory. */
    json_t *(*provenance)(void *ctx, int id);
    /* When the instrument is polled next, wall ms; 0 = it is not polled. May be NULL. */
    int64_t (*next_poll)(void *ctx, int id);
    int (*reset)(void *ctx, const char *provider); /* 0, or -1 unknown provider */
    bool (*any_provider)(void *ctx);               /* false: not one source can be asked now */
    bool (*bus_up)(void *ctx);
    bool (*bus_whole)(void *ctx); /* up, and it takes everything that is sent */
};

/* Orders to the process as a whole. */
struct process_port {
    void *ctx;
    /* Reads the configuration and the certificate again. *done: it holds now; the answer says what
     * is different. Else everything is as it was, and "problems" is a list of sentences. New
     * reference; NULL: out of memory (*done says which). */
    json_t *(*reload)(void *ctx, bool *done);
};

#endif
