/* loop.h - the library's context on our loop, and the beat of the fan-out. */
#ifndef PRICEGATE_LOOP_H
#define PRICEGATE_LOOP_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <uv.h>

#include "err.h"
#include "response.h"

struct server;

struct loop {
    struct server *server;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t flush; /* wakes the loop when the fan-out wants its next turn */
    uv_timer_t tick;  /* every 100 ms */
    /* Of the library's own answers, without TLS and with it. */
    struct lws_protocol_vhost_options headers[2][RESPONSE_CONSTANTS];
};
#define LOOP_HANDLES 4

/* Makes context and virtual hosts. -1: a sentence; server->lws may be set then all the same. */
int loop_open_library(struct server *s, struct err *err) MUST_CHECK;
void loop_start(struct loop *l, struct server *s);
/* on_closed is called LOOP_HANDLES times, each handle's data then being the server. */
void loop_stop(struct loop *l, uv_close_cb on_closed);

/* Taking the library down goes over several turns: loop_close_library() begins it and ends every
 * connection; when loop_library_gone() says so, loop_free_library() may follow. */
void loop_close_library(struct server *s);
bool loop_library_gone(const struct server *s);
bool loop_has_handles_of(uv_loop_t *loop, const struct lws_context *lws); /* not yet gone */
void loop_free_library(struct server *s);

#endif
