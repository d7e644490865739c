#include "session.h"

#include "conn.h"
#include "http.h"
#include "server_private.h"
#include "sse.h"
#include "stream.h"
#include "tls.h"
#include "ws.h"
#include "ws_extension.h"
#include "ws_handshake.h"

static void connection_gone(struct conn *c)
{
    stream_gone(c); /* where the library left out its own close event */
    http_gone(c);
    conn_free(c);
}

int session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len)
{
    struct server *s = lws_context_user(lws_get_context(wsi));
    /* Events without a connection of ours. */
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        s->tls_context = user;
        return tls_prepare(user, &s->identity);
    }
    if (reason == LWS_CALLBACK_WSI_CREATE) {
        s->wsi_created++;
        return 0;
    }

    struct conn *c = lws_get_opaque_user_data(wsi);
    if (!c)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return ws_handshake(c, wsi);
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        return ws_extension_confirm(c, wsi);
    case LWS_CALLBACK_HTTP:
        return http_request(c, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(c, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_complete(c);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (c->phase != HTTP_EVENTS)
            return http_writable(c);
        sse_writable(c);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        stream_gone(c);
        http_gone(c);
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        return ws_established(c);
    case LWS_CALLBACK_RECEIVE:
        ws_receive(c, in, len);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        ws_pong(c);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        ws_writable(c);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return ws_peer_closes(c, in, len);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        ws_close_began(c);
        return 0;
    case LWS_CALLBACK_CLOSED:
        stream_gone(c);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        connection_gone(c);
        return 0;
    default:
        return 0;
    }
}
