/* ws_handshake.h - everything that is checked before a connection becomes a WebSocket.
 *
 * The library checks next to nothing of it: any version, any origin, no Host, every path. */
#ifndef PRICEGATE_WS_HANDSHAKE_H
#define PRICEGATE_WS_HANDSHAKE_H

#include <libwebsockets.h>
#include <stdbool.h>

struct conn;

/* For the event of a request with an Upgrade header. 0: go on with the upgrade; -1: it was answered
 * and the connection ends. */
int ws_handshake(struct conn *c, struct lws *wsi);

/* Pure: 24 characters of base64, the last two "=="; that is, 16 bytes. */
bool ws_key_ok(const char *key);

#endif
