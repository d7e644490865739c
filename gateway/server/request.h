/* request.h - one HTTP request as the handlers see it, and the pure rules of reading one.
 *
 * http.c fills it from the library's header table; a test fills it by hand. Strings are NULL where
 * the header is absent, "" where it is empty. They point into `store` and live with the request. */
#ifndef PRICEGATE_REQUEST_H
#define PRICEGATE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "auth.h"

enum method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_OPTIONS = 8,
    METHOD_PUT = 16,   /* and PATCH: like POST they bring a body; used by no route */
    METHOD_OTHER = 32, /* DELETE */
};

#define REQUEST_ARGS_MAX  16
#define REQUEST_STORE_MAX 16384 /* as much as the library keeps of all headers together */

struct request {
    enum method method;
    bool http10, close;                 /* close: it says Connection: close */
    const char *path;                   /* decoded, begins with '/' */
    const char *args[REQUEST_ARGS_MAX]; /* "name=value", decoded */
    size_t args_len;
    const char *authorization, *accept_encoding, *if_none_match, *last_event_id, *content_length,
        *transfer_encoding;
    const char *forwarded_for, *request_method; /* Access-Control-Request-Method */
    struct caller caller;
    struct address client; /* by way of trusted proxies */
    const char *param;     /* what stands behind the route's prefix; "" for an exact route */
    size_t store_used;
    char store[REQUEST_STORE_MAX];
};

/* The value of the first argument of that name, NULL when absent. */
const char *request_arg(const struct request *r, const char *name);

/* Takes the next element of a list "a,b,c": true while there is one. *list moves on. */
bool request_next(const char **list, const char **item, size_t *len);

enum body {
    BODY_NONE,    /* nothing is to come */
    BODY_UNSAID,  /* POST, PUT without a length: counts as empty, the connection is closed after */
    BODY_EMPTY,   /* an explicit length of 0 */
    BODY_EXACT,   /* a length within the limit */
    BODY_TOO_BIG, /* 413 */
    BODY_BAD,     /* 400: Transfer-Encoding, or a length that is negative, repeated or absurd */
};
/* What the headers promise. Strict on purpose: a body that we and a proxy before us would measure
 * differently is how requests are smuggled. */
enum body request_body(const struct request *r, size_t most, size_t *len);
/* Whether the library will read on behind these headers, expecting a body. */
bool request_more_comes(const struct request *r, enum body body);

/* Whether an If-None-Match header (NULL = absent) holds this entity tag (with its quotes). */
bool request_etag_matches(const char *if_none_match, const char *etag);

/* Whether an Accept-Encoding header (NULL = absent) allows gzip: by its name, not by "*". */
bool request_accepts_gzip(const char *accept_encoding);

/* Whether a comma-separated list of tokens ("keep-alive, Upgrade") holds this one, any case. */
bool request_list_has(const char *list, const char *token);

#endif
