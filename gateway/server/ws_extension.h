/* ws_extension.h - permessage-deflate (RFC 7692): what of it is agreed upon, and messages that come
 * compressed. Only with fanout.compression; how frames go out is frame.h's. Loop thread only. */
#ifndef PRICEGATE_WS_EXTENSION_H
#define PRICEGATE_WS_EXTENSION_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "compression.h"
#include "conn.h"

/* For the library, which wants it when it makes a vhost. */
extern const struct lws_extension ws_extensions[];

/* Is there, in the value of a Sec-WebSocket-Extensions header, exactly one offer of
 * permessage-deflate, and one that can be met? Anything else is declined, which is no error. (The
 * library itself ends the connection of a header of more than 255 bytes.) Pure. */
bool ws_extension_acceptable(const char *offers);

/* The library asks: 0 agrees. */
int ws_extension_confirm(struct conn *c, struct lws *wsi);

/* The connection's part of it; NULL in c: nothing was agreed upon. */
struct ws_extension {
    bool remembers; /* the client may refer to what it said before: */
    struct decompress_window window;
};
void ws_extension_free(struct ws_extension *x); /* NULL is fine */

/* One complete message, as it came, appended to out in the clear. */
enum decompress_verdict ws_extension_inflate(struct conn *c, const struct buf *message,
                                             struct buf *out) MUST_CHECK;

#endif
