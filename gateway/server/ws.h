/* ws.h - an open WebSocket: the library's events in, the fan-out's bytes out. Loop thread only. */
#ifndef PRICEGATE_WS_H
#define PRICEGATE_WS_H

#include <stddef.h>

#include "close_reason.h"
#include "conn.h"

/* Called by session.c, with the meaning of the library's events; -1 ends the connection. */
int ws_established(struct conn *c);
void ws_receive(struct conn *c, const char *bytes, size_t len);
void ws_pong(struct conn *c);
void ws_writable(struct conn *c);
int ws_peer_closes(struct conn *c, const char *payload, size_t len);
void ws_close_began(struct conn *c); /* the library closes; nothing more may be written */

/* Begins to close for a reason of the server's own (shutdown). Safe outside the library's events.
 */
void ws_close(struct conn *c, enum close_reason reason);

/* At the beginning of a turn of the loop: messages that have waited for it. True: more wait. */
bool ws_turn(struct server *s);

/* When the loop has turned suspiciously often since the last tick (every 100 ms), ends those that
 * the library has closed and goes on being woken for, by input that it does not take any more. */
void ws_tick(struct server *s);

#endif
