/* sse.h - an open stream of Server-Sent Events. Loop thread only. */
#ifndef PRICEGATE_SSE_H
#define PRICEGATE_SSE_H

#include "close_reason.h"
#include "conn.h"

/* Everything earlier has left; called by session.c. */
void sse_writable(struct conn *c);
/* To be called every 100 ms or so: ends those whose peers have left, or say something. */
void sse_tick(struct server *s, int64_t mono_ms);
/* Ends it for a reason of the server's own. Safe outside the library's events. */
void sse_close(struct conn *c, enum close_reason reason);

#endif
