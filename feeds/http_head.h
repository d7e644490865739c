/* http_head.h - the small facts of HTTP that need no library: headers in, requests checked. Pure.
 */
#ifndef PRICEGATE_HTTP_HEAD_H
#define PRICEGATE_HTTP_HEAD_H

#include "err.h"
#include "provider.h"

#define HTTP_LOCATION_MAX 256
#define HTTP_ETAG_MAX     256

/* What the answer's headers say beside the body: the members of struct http_reply that come from
 * them. */
struct http_head {
    int64_t retry_after_s;              /* at most a day; -1 = none */
    int64_t credits_used, credits_left; /* -1 = none */
    char location[HTTP_LOCATION_MAX];   /* "" = none; cut to fit */
    char etag[HTTP_ETAG_MAX];           /* "" = none, too long, or none that may be sent */
    int64_t date_ms;                    /* Date; 0 = none, or in a form that is long gone */
};

void http_head_init(struct http_head *h);
/* Reads one line as it came ("Name: value\r\n"). A status line begins anew: the headers of an
 * interim answer do not count. now_s: wall time, for a Retry-After that is a date. */
void http_head_line(struct http_head *h, const char *line, size_t len, int64_t now_s);

/* -1 with the reason: it may not be sent. A CR or LF in a value would be a header of its own; in a
 * body anything may stand. */
int http_request_check(const struct http_request *rq, struct err *err) MUST_CHECK;

#endif
