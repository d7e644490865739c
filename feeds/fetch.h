/* fetch.h - one HTTP request on the loop, with a hard end.
 *
 * A job ends exactly once: with a reply (any status; the body decides what it means), or with a
 * failure of the transport and a sentence that holds no URL and no header, so no secret. It ends
 * in time, whatever the other side does: a body that drips, a bomb of compressed zeros, a host that
 * does not resolve. Certificates are verified; redirects are not followed. Loop thread only. */
#ifndef PRICEGATE_FETCH_H
#define PRICEGATE_FETCH_H

#include <uv.h>

#include "err.h"
#include "failure.h"
#include "library.h"
#include "provider.h"

#define FETCH_BODY_MAX   ((size_t)256 * 1024) /* bytes, after decompression */
#define FETCH_HEADER_MAX ((size_t)16 * 1024)
#define FETCH_TIMEOUT_MS 5000

struct fetch;
struct fetch_job;

struct fetch_limits {
    int64_t timeout_ms; /* of the whole; 0 = FETCH_TIMEOUT_MS. Half of it may go into connecting */
    size_t body_max;    /* bytes; 0 = FETCH_BODY_MAX */
    size_t header_max;  /* bytes; 0 = FETCH_HEADER_MAX */
    bool public_only;   /* what a name stands for must be a public address; a proxy's, too */
    bool status_only;   /* a reply's head is all that is wanted: it ends there, without a body */
};

/* reply NULL: `failure` with `detail` says why: dns, connect (also: lost before the first byte of
 * an answer), tls, timeout, upstream_error (an answer broken off or too big). Both are borrowed for
 * the call. May start and cancel other jobs, and close the fetch. */
typedef void fetch_done(void *ctx, const struct http_reply *reply, enum failure failure,
                        const char *detail);

/* Further trusted certificates: transfer.h. */
struct fetch *fetch_new(uv_loop_t *loop, struct err *err) MUST_CHECK;

/* Copies what it needs of rq; limits may be NULL. done is never called before this returns. NULL:
 * the request cannot be sent as it is (a control character in it, out of memory). */
struct fetch_job *fetch_start(struct fetch *f, const struct http_request *rq,
                              const struct fetch_limits *limits, fetch_done *done, void *ctx,
                              struct err *err) MUST_CHECK;
/* Ends it without a call of done. Not for a job whose done was called. */
void fetch_cancel(struct fetch_job *job);

/* Cancels all jobs; frees when the loop has closed the handles, then calls done (may be NULL). */
void fetch_close(struct fetch *f, void (*done)(void *ctx), void *ctx);

void fetch_library(struct library *out); /* curl's versions */

#endif
