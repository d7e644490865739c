/* stream.h - what WebSockets and event streams have in common: the limits, the way out, the end.
 * Loop thread only. */
#ifndef PRICEGATE_STREAM_H
#define PRICEGATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "close_reason.h"
#include "conn.h"
#include "routes.h"

/* Counts one more stream for x's client and remembers that in the connection. False: there are too
 * many, and x's answer says so. */
bool stream_admit(struct exchange *x);

/* The parts of a client_sink; sock is the struct conn. */
int stream_write(void *sock, const void *bytes, size_t len);
bool stream_busy(void *sock);
void stream_want_writable(void *sock);
int64_t stream_unsent_bytes(void *sock);

/* Begins to close for a reason of the server's own (shutdown), each kind in its way. Safe outside
 * the library's events. */
void stream_close(struct conn *c, enum close_reason reason);

/* The connection is gone. Harmless when it was no stream. */
void stream_gone(struct conn *c);

#endif
