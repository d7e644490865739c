#include "ws_client.h"

#include <errno.h>
#include <libwebsockets.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "buf.h"
#include "listen_host.h"

#define HOST_HEADER_MAX 300

static const size_t MESSAGE_BYTES_MAX = (size_t)16 * 1024 * 1024;

struct session {
    const struct ws_client_handler *handler;
    const char *token, *hello;
    struct err *err;
    struct buf message;
    enum ws_client_end end;
    bool done;
    const char *verify_ip; /* what the certificate must be for; NULL: the library sees to it */
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

/* user is the X509_STORE_CTX, ok what OpenSSL thinks of the certificate that it looks at. Non-zero
 * refuses it. */
static int check_address(const struct session *s, void *user, size_t ok)
{
    X509_STORE_CTX *store = user;
    if (!ok || !s->verify_ip || X509_STORE_CTX_get_error_depth(store) > 0)
        return !ok;
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    return cert && X509_check_ip_asc(cert, s->verify_ip, 0) == 1 ? 0 : 1;
}

static bool begins_with(const char *text, size_t len, const char *with)
{
    return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* status: of the answer to the upgrade, if there was one; else said is the library's sentence. Of a
 * handshake that failed it says why in one way or another, or in numbers. */
static void say_why(struct session *s, unsigned status, const char *said, size_t len)
{
    if (status >= 100 && status != 101)
        err_set(s->err, "refused with HTTP status %u%s", status,
                status == 401 ? ": a valid --token is needed" : "");
    else if (begins_with(said, len, "connect SSL err") || begins_with(said, len, "server's cert"))
        err_set(s->err, "tls: no handshake: " WS_CLIENT_TLS_ADVICE);
    else if (begins_with(said, len, "tls: "))
        err_set(s->err, "%.*s: " WS_CLIENT_TLS_ADVICE, (int)len, said);
    else
        err_set(s->err, "%.*s: " WS_CLIENT_CONNECT_ADVICE, len > 0 ? (int)len : 13,
                len > 0 ? said : "no connection");
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct session *s = lws_context_user(lws_get_context(wsi));
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_token(s, wsi, in, len);
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        return check_address(s, user, len);
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
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        say_why(s, lws_http_client_http_response(wsi), in, in ? len : 0);
        s->done = true;
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        s->done = true;
        return 0;
    default:
        return 0;
    }
}

/* The host as it stands in the Host header. The library also takes the name to verify from there,
 * up to the first colon, which is no way for an IPv6 address: check_address() sees to that. */
static void write_host(char out[static HOST_HEADER_MAX], const char *host, int port, int usual)
{
    bool v6 = strchr(host, ':');
    int n = snprintf(out, HOST_HEADER_MAX, "%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "");
    if (port != usual && n > 0 && n < HOST_HEADER_MAX)
        snprintf(out + n, HOST_HEADER_MAX - (size_t)n, ":%d", port);
}

/* Splits "http[s]://host[:port]" in place. */
static int split_url(char *url, char host_header[static HOST_HEADER_MAX],
                     struct lws_client_connect_info *info, struct err *err)
{
    const char *scheme, *host, *path;
    int port;
    if (lws_parse_uri(url, &scheme, &host, &port, &path) != 0 ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return err_set(err, "not a URL of a gateway (http://host:port, https://host:port or "
                            "unix:/path)");
    bool tls = scheme[4] == 's';
    write_host(host_header, host, port, tls ? 443 : 80);
    info->address = host;
    info->host = host_header; /* no origin: that is what pages have */
    info->port = port;
    info->ssl_connection = tls ? LCCSCF_USE_SSL : 0;
    if (tls && strchr(host, ':'))
        info->ssl_connection |= LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
    return 0;
}

/* "unix:/path", in the library's words "+/path", in place. */
static void take_path(char *path, char host_header[static HOST_HEADER_MAX],
                      struct lws_client_connect_info *info)
{
    path[-1] = '+';
    info->address = path - 1;
    snprintf(host_header, HOST_HEADER_MAX, "localhost");
    info->host = host_header;
    info->port = 80;
}

enum ws_client_end ws_client_run(const char *url, const char *token, const char *hello,
                                 const struct ws_client_handler *handler, struct err *err)
{
    struct session s = {handler, token, hello, err, {0}, WS_CLIENT_REFUSED, false, NULL};
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
    if (!copy)
        goto out;
    if (listen_host_path(copy))
        take_path(copy + strlen("unix:"), host_header, &info);
    else if (split_url(copy, host_header, &info, err) != 0)
        goto out;
    if (info.ssl_connection & LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK)
        s.verify_ip = info.address;
    context = lws_create_context(&how);
    if (!context) {
        err_set(err, "libwebsockets could not be started");
        goto out;
    }
    info.context = context;
    errno = 0;
    if (!lws_client_connect_via_info(&info)) {
        err_set(err, "no connection: %s", errno ? strerror(errno) : "is the host in --url right?");
        s.done = true;
    }
    while (!s.done && lws_service(context, 0) >= 0)
        continue;
out:
    if (context)
        lws_context_destroy(context);
    buf_fini(&s.message);
    free(copy);
    return s.end;
}
