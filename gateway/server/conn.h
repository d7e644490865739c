/* conn.h - one accepted connection, from accept() to the end.
 *
 * Allocated by the listener, travels through the library as opaque user data, freed when the
 * library reports that its own part is destroyed. Loop thread only. */
#ifndef PRICEGATE_CONN_H
#define PRICEGATE_CONN_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "buf.h"
#include "fanout.h"
#include "grant.h"
#include "unheard.h"

struct refresh_waiter;
struct route;
struct server;
struct ws_extension;

/* What the library gives a connection between two requests. */
#define CONN_KEEPALIVE_MS 5000

/* Each state names the list of the server that the connection is in. */
enum conn_state {
    CONN_HTTP,   /* http: plain requests, or none yet */
    CONN_STREAM, /* streams: a WebSocket, or Server-Sent Events */
    CONN_STATES
};

enum http_phase {
    HTTP_IDLE,    /* no request, or one that is answered and done */
    HTTP_BODY,    /* the request waits for the rest of its body */
    HTTP_PENDING, /* the handler answers later */
    HTTP_CHOKED,  /* answered, but the socket is full; goes on when all has left */
    HTTP_EVENTS,  /* the answer has begun and goes on without end: sse.c */
    HTTP_LINGER,  /* answered; what still comes is thrown away, then the connection ends */
};

struct conn {
    struct server *server;
    struct lws *wsi; /* NULL until adopted */
    struct conn *prev, *next;
    enum conn_state state;
    int fd; /* the library's; for ioctl and setsockopt only */
    bool tls, plain_port;
    struct address peer;
    int64_t deadline_ms; /* mono; 0 = none. Killed after it */
    bool late;           /* was killed so */

    /* http.c */
    enum http_phase phase;
    bool asked;                /* a request has come */
    bool has_length;           /* of the request in the works */
    bool keep;                 /* HTTP_CHOKED: the next request may come behind the answer */
    const struct route *route; /* that it may run; valid while HTTP_BODY */
    struct buf headers;        /* of the answer, made before the handler runs */
    size_t body_len, body_bytes;
    struct refresh_waiter *waiter; /* http_refresh.c */

    /* ws.c, sse.c */
    struct address client_address;
    struct grant grant; /* of the last request whose token was looked at; owned */
    bool counted;       /* by capacity_take() */
    struct client *client;
    struct buf message; /* as far as it has come; holds no memory between messages */
    bool compressed;    /* is that message */
    bool waits;         /* it is complete, and has its turn later: backlog.h */
    struct conn *wait_prev, *wait_next;
    bool deaf;                      /* not read at the moment */
    struct ws_extension *extension; /* owned; NULL: none was agreed upon */
    unsigned fragments, pongs;
    int64_t pongs_since_ms;
    struct unheard unheard;
    bool closing, close_sent;
    size_t behind_close_bytes; /* that came after closing began */
    enum close_reason reason;  /* valid with closing */
};

/* NULL: out of memory. */
struct conn *conn_new(struct server *s, int fd) MUST_CHECK;
void conn_free(struct conn *c); /* leaves its list */
void conn_move(struct conn *c, enum conn_state state);

/* Ends it in the next turn of the loop, without another byte. Safe anywhere. */
void conn_kill(struct conn *c);
/* As conn_kill(), and what the kernel still holds for the peer is thrown away. */
void conn_reset(struct conn *c);
/* Sets a deadline from now; 0 clears it. Looked at while in CONN_HTTP, or closing. */
void conn_deadline(struct conn *c, int64_t after_ms);

/* Kills those that are over their deadline; who had something to say by then is counted. */
void conn_tick(struct server *s, int64_t mono_ms);

#endif
