/* ws_client.h - a WebSocket client for `pricegate watch`: one connection, text in, text out.
 *
 * Blocks its caller until the connection ends; not for use beside a server. TLS certificates are
 * verified against the system's, or $SSL_CERT_FILE's. */
#ifndef PRICEGATE_WS_CLIENT_H
#define PRICEGATE_WS_CLIENT_H

#include <stddef.h>

#include "err.h"

/* What to do where a gateway's certificate is not believed. */
#define WS_CLIENT_TLS_ADVICE                                                                       \
    "--url must have the name in its certificate, and an authority of your own stand in a file "   \
    "named by SSL_CERT_FILE"

/* And where nothing that we understand comes from an address. */
#define WS_CLIENT_CONNECT_ADVICE "is a gateway running there, and is it http:// or https://?"

struct ws_client_handler {
    void *ctx;
    /* One whole message. Non-zero ends the connection. */
    int (*message)(void *ctx, const char *bytes, size_t len);
};

enum ws_client_end {
    WS_CLIENT_REFUSED, /* no connection came about: err says why */
    WS_CLIENT_LOST,    /* it was up and ended: err says how */
    WS_CLIENT_STOPPED, /* the handler ended it */
};

/* Connects to the /ws of the gateway at url ("http://host:port", "https://...", "unix:/path"),
 * sends `hello` when it is up and hands over what comes. token NULL = none. */
enum ws_client_end ws_client_run(const char *url, const char *token, const char *hello,
                                 const struct ws_client_handler *handler, struct err *err);

#endif
