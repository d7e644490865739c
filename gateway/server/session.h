/* session.h - the one callback that the library calls; sorts its events to http.c and ws.c. */
#ifndef PRICEGATE_SESSION_H
#define PRICEGATE_SESSION_H

#include <libwebsockets.h>

int session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len);

#endif
