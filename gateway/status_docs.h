/* status_docs.h - what a running gateway says of itself, asked over HTTP like by any other caller.
 */
#ifndef PRICEGATE_STATUS_DOCS_H
#define PRICEGATE_STATUS_DOCS_H

#include <jansson.h>
#include <uv.h>

#include "buf.h"
#include "err.h"
#include "fetch.h"

struct status_docs {
    json_t *status, *sources;      /* /data-health/status and /sources */
    json_t *ready;                 /* /readyz; NULL: it is on its way out */
    json_t *jobs;                  /* /data-health/jobs; NULL: an older gateway does not have it */
    json_t *quotes, *observations; /* /api/v1/...; NULL like jobs (observations only) */
    char *quotes_text, *observations_text; /* the same as text, for the digits */
};

struct status_asker {
    uv_loop_t *loop;
    struct fetch *fetch;
    const char *url;   /* without a slash at its end; or unix:/path */
    const char *token; /* NULL = none */
};

/* Turns the loop until all is there. -1 with a sentence, then *out is empty: it cannot be reached,
 * it refuses, or what it says is no JSON. */
int status_docs_load(const struct status_asker *a, struct status_docs *out,
                     struct err *err) MUST_CHECK;
void status_docs_fini(struct status_docs *d);

#endif
