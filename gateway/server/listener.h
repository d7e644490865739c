/* listener.h - our own accept(): a bound on accepts per turn, a pause when files run out. The
 * library's own listener has none of these. */
#ifndef PRICEGATE_LISTENER_H
#define PRICEGATE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "endpoint.h"
#include "err.h"
#include "log.h"

struct server;

struct listener {
    struct server *server;
    struct endpoint endpoint;
    bool open, plain;                      /* plain: this is listen.metrics_port */
    uv_poll_t polls[ENDPOINT_SOCKETS_MAX]; /* of each of its sockets */
    bool paused;
    int64_t resume_ms; /* mono, valid while paused */
    int64_t tokens;    /* limits.accept_per_s: thousandths of an accept */
    int64_t tokens_ms;
    struct log_limit limit;
};

/* Of one whose endpoint is open. -1: its handles are closed by listener_stop() all the same. */
int listener_start(struct listener *l, struct server *s) MUST_CHECK;
/* Stops and closes the sockets, with what waits in their queues taken in before if `politely`;
 * on_closed is called when a handle, whose data then is the server, is gone. Returns how many of
 * these calls will come; none when it was not started. */
unsigned listener_stop(struct listener *l, bool politely, uv_close_cb on_closed);
/* Every 100 ms: ends a pause that is over. */
void listener_tick(struct listener *l, int64_t mono_ms);

#endif
