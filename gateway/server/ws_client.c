#include "ws_client.h"

#include <libwebsockets.h>
#include <string.h>

#include "buf.h"

#define HOST_HEADER_MAX 300

static const size_t MESSAGE_BYTES_MAX = (size_t)16 * 1024 * 1024;

struct session {
    const struct ws_client_handler *handler;
    const char *token, *hello;
    struct err *err;
    struct buf message;
    enum ws_client_end end;
    bool done;
};

static int send_hello(struct session *s, struct lws *wsi)
{
    size_t len = strlen(s->hello);
    unsigned char *p = malloc(LWS_PRE + len);
    if (!p)
        return -1;
    memcpy(p + LWS_PRE, s->hello, len);
    int n = lws_write(wsi, p + LWS_PRE, len, LWS_WRITE_TEXT);
    free(p);
    return n < (int)len ? -1 : 0;
}

static int take_bytes(struct session *s, struct lws *wsi, const void *in, size_t len)
{
    buf_add(&s->message, in, len);
    if (s->message.failed || s->message.len > MESSAGE_BYTES_MAX) {
        err_set(s->err, "a message is too large");
        return -1;
    }
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    int stop = s->handler->message(s->handler->ctx, s->message.p, s->message.len);
    buf_clear(&s->message);
    if (stop)
        s->end = WS_CLIENT_STOPPED;
    return stop ? -1 : 0;
}

static int add_token(const struct session *s, struct lws *wsi, unsigned char **p, size_t room)
{
    char value[4200];
    if (!s->token)
        return 0;
    int n = snprintf(value, sizeof value, "Bearer %s", s->token);
    if (n < 0 || (size_t)n >= sizeof value)
        return -1;
    return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
                                        (const unsigned char *)value, n, p, *p + room);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct session *s = lws_context_user(lws_get_context(wsi));
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_token(s, wsi, in, len);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        s->end = WS_CLIENT_LOST;
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (!s->hello)
            return 0;
        if (send_hello(s, wsi) != 0)
            return -1;
        s->hello = NULL;
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return take_bytes(s, wsi, in, len);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        if (len >= 2)
            err_set(s->err, "closed by the gateway with code %d",
                    ((unsigned char *)in)[0] << 8 | ((unsigned char *)in)[1]);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: {
        unsigned status = lws_http_client_http_response(wsi);
        if (status >= 100 && status != 101)
            err_set(s->err, "refused with HTTP status %u%s", status,
                    status == 401 ? ": a valid --token is needed" : "");
        else
            err_set(s->err, "%.*s", in ? (int)len : 11, in ? (const char *)in : "no connection");
        s->done = true;
        return 0;
    }
    case LWS_CALLBACK_CLIENT_CLOSED:
        s->done = true;
        return 0;
    default:
        return 0;
    }
}

/* Splits "http[s]://host[:port]" in place. */
static int split_url(char *url, char host_header[static HOST_HEADER_MAX],
                     struct lws_client_connect_info *info, struct err *err)
{
    const char *scheme, *host, *path;
    int port;
    if (lws_parse_uri(url, &scheme, &host, &port, &path) != 0 ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return err_set(err, "not a URL of a gateway (http://host:port or https://host:port)");
    bool usual = port == (scheme[4] == 's' ? 443 : 80);
    if (usual || strchr(host, ':'))
        snprintf(host_header, HOST_HEADER_MAX, "%s", host);
    else
        snprintf(host_header, HOST_HEADER_MAX, "%s:%d", host, port);
    info->address = host;
    info->host = host_header; /* no origin: that is what pages have */
    info->port = port;
    info->ssl_connection = scheme[4] == 's' ? LCCSCF_USE_SSL : 0;
    return 0;
}

enum ws_client_end ws_client_run(const char *url, const char *token, const char *hello,
                                 const struct ws_client_handler *handler, struct err *err)
{
    struct session s = {handler, token, hello, err, {0}, WS_CLIENT_REFUSED, false};
    static const struct lws_protocols protocols[] = {
        {"watch", on_event, 0, 65536, 0, NULL, 0},
        {NULL,    NULL,     0, 0,     0, NULL, 0}
    };
    struct lws_context_creation_info how = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = getenv("SSL_CERT_FILE"),
        .user = &s,
    };
    struct lws_client_connect_info info = {.path = "/ws", .local_protocol_name = "watch"};
    char *copy = strdup(url), host_header[HOST_HEADER_MAX];
    struct lws_context *context = NULL;

    err_set(err, "the connection ended");
    lws_set_log_level(0, NULL);
    if (!copy || split_url(copy, host_header, &info, err) != 0)
        goto out;
    context = lws_create_context(&how);
    if (!context) {
        err_set(err, "libwebsockets could not be started");
        goto out;
    }
    info.context = context;
    if (!lws_client_connect_via_info(&info))
        s.done = true;
    while (!s.done && lws_service(context, 0) >= 0)
        continue;
out:
    if (context)
        lws_context_destroy(context);
    buf_fini(&s.message);
    free(copy);
    return s.end;
}
