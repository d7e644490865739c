/* routes.h - the one table of what is served: path and method to role and handler.
 *
 * What is not in the table does not exist (404); a path that exists under another method is 405
 * with an Allow made from the same rows; a row without role is public, all others are checked
 * before their handler runs. So a route cannot be forgotten by the checks. */
#ifndef PRICEGATE_ROUTES_H
#define PRICEGATE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"
#include "response.h"
#include "role.h"

struct server;
struct conn;

/* One request on its way through a handler. */
struct exchange {
    struct server *server;
    struct conn *conn;
    struct request *request;
    struct response response;
    bool pending; /* the handler answers later, by http_finish() */
};

typedef void route_handler(struct exchange *x);

enum route_flags {
    ROUTE_PREFIX = 1,       /* path is a beginning; the rest, not empty, is the parameter */
    ROUTE_PLAIN_PORT = 2,   /* served on listen.metrics_port too, there without a role */
    ROUTE_LOOPBACK = 4,     /* the role is not needed from this machine */
    ROUTE_CHANGES = 8,      /* changes state: the Origin is checked */
    ROUTE_NO_HEAD = 16,     /* GET only */
    ROUTE_EXISTS_ONLY = 32, /* a prefix that is a route only where its file exists */
    ROUTE_WHOLE = 64        /* about all symbols: not for a grant that is limited to some */
};

struct route {
    const char *path;
    enum method method; /* METHOD_GET (HEAD with it) or METHOD_POST */
    enum role role;     /* ROLE_NONE: public */
    unsigned flags;
    route_handler *handler;
    const char *action; /* as the audit log calls it; NULL: it is not written down */
};

extern const struct route routes[];
extern const size_t routes_len;

struct route_match {
    const struct route *route; /* NULL: 404 when allow is 0, else 405 */
    const char *param;
    unsigned allow; /* methods of the path */
};

/* exists(ctx, path) answers for ROUTE_EXISTS_ONLY rows. plain_port: the request came in on
 * listen.metrics_port. */
struct route_match route_find(enum method method, const char *path, bool plain_port,
                              bool (*exists)(void *ctx, const char *path), void *ctx);

#define ROUTE_ALLOW_MAX 32
/* "GET, HEAD" for the methods of a path. Returns out. */
const char *route_allow(unsigned methods, char out[static ROUTE_ALLOW_MAX]);

#endif
