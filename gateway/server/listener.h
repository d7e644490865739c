/* listener.h - our own accept(): bind errors with a sentence, a bound on accepts per turn, a pause
 * when files run out. The library's own listener has none of these. */
#ifndef PRICEGATE_LISTENER_H
#define PRICEGATE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "err.h"
#include "log.h"

struct server;

struct listener {
    struct server *server;
    bool open, plain; /* plain: this is listen.metrics_port */
    int fd, port;     /* the port as bound */
    uv_poll_t poll;
    bool paused;
    int64_t resume_ms; /* mono, valid while paused */
    int64_t tokens;    /* limits.accept_per_s: thousandths of an accept */
    int64_t tokens_ms;
    struct log_limit limit;
};

struct listener_options {
    const char *host;
    int port; /* 0 = any free one */
    bool share, plain;
    int sndbuf_bytes;
};

/* Binds and listens; nothing is accepted before listener_start(). -1: a sentence with host:port. */
int listener_open(struct listener *l, const struct listener_options *o, struct err *err) MUST_CHECK;
/* For one that was opened but not started, or not opened at all. */
void listener_abandon(struct listener *l);

int listener_start(struct listener *l, struct server *s) MUST_CHECK;
/* Stops and closes the socket; on_closed is called when the handle, whose data then is the server,
 * is gone. */
void listener_stop(struct listener *l, uv_close_cb on_closed);
/* Every 100 ms: ends a pause that is over. */
void listener_tick(struct listener *l, int64_t mono_ms);

#endif
