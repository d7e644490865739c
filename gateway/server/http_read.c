/* http_read.c - one request out of the library's header table.
 *
 * The library has decoded the path and split the query at '&' and ';'. It joins repeated headers
 * with a comma, so that a second Host or Origin cannot hide; it cannot list the headers it does not
 * know, only be asked for one by name. lws_hdr_copy() says "does not fit" with -1 and an empty
 * string: taken for "absent", that has let foreign origins in elsewhere. Here it refuses the
 * request. */
#include <string.h>

#include "http.h"
#include "server_private.h"

/* An empty header is there, too: an empty Origin is a foreign one. */
static bool is_there(struct lws *wsi, enum lws_token_indexes token)
{
    char none[2];
    return lws_hdr_total_length(wsi, token) > 0 ||
           lws_hdr_copy_fragment(wsi, none, sizeof none, token, 0) == 0;
}

/* Copies one header into the request's store; *out stays NULL when it is absent. */
static int read_header(struct lws *wsi, struct request *r, enum lws_token_indexes token,
                       const char **out)
{
    if (!is_there(wsi, token))
        return 0;
    char *to = r->store + r->store_used;
    int room = (int)(sizeof r->store - r->store_used);
    if (room < 2)
        return -1;
    int n = lws_hdr_copy(wsi, to, room, token);
    if (n < 0)
        return -1;
    to[n] = '\0';
    *out = to;
    r->store_used += strlen(to) + 1;
    return (int)strlen(to) == n ? 0 : -1; /* a NUL inside hides what follows */
}

static int read_args(struct lws *wsi, struct request *r)
{
    for (int i = 0;; i++) {
        char *to = r->store + r->store_used;
        int room = (int)(sizeof r->store - r->store_used);
        int n = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n == 0 && i > 0)
            return 0;
        if (room < 2 || lws_hdr_copy_fragment(wsi, to, room, WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            return n == 0 ? 0 : -1;
        if (strlen(to) != (size_t)n)
            return -1; /* version 4.1 hangs up on a NUL, 4.3 drops one at the end only */
        if (r->args_len == REQUEST_ARGS_MAX)
            return -1;
        r->args[r->args_len++] = to;
        r->store_used += (size_t)n + 1;
    }
}

static const struct {
    enum lws_token_indexes token;
    enum method method;
} methods[] = {
    {WSI_TOKEN_GET_URI,     METHOD_GET    },
    {WSI_TOKEN_HEAD_URI,    METHOD_HEAD   },
    {WSI_TOKEN_POST_URI,    METHOD_POST   },
    {WSI_TOKEN_OPTIONS_URI, METHOD_OPTIONS},
    {WSI_TOKEN_PUT_URI,     METHOD_PUT    },
    {WSI_TOKEN_PATCH_URI,   METHOD_PUT    },
    {WSI_TOKEN_DELETE_URI,  METHOD_OTHER  },
};

static int read_path(struct lws *wsi, struct request *r)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (!is_there(wsi, methods[i].token))
            continue;
        r->method = methods[i].method;
        if (read_header(wsi, r, methods[i].token, &r->path) != 0)
            return -1;
        return r->path && r->path[0] == '/' ? 0 : -1;
    }
    return -1;
}

static bool has_custom(struct lws *wsi, const char *name)
{
    return lws_hdr_custom_length(wsi, name, (int)strlen(name)) >= 0;
}

/* With a blank before its colon a header is another one to us, and may be the same one to a proxy
 * before us. As the framing hangs on these two, they count as there, and as wrong. */
static void read_blurred_framing(struct lws *wsi, struct request *r)
{
    if (has_custom(wsi, "transfer-encoding :") || has_custom(wsi, "transfer-encoding\t:"))
        r->transfer_encoding = "";
    if (has_custom(wsi, "content-length :") || has_custom(wsi, "content-length\t:"))
        r->content_length = "";
}

/* The library can be asked for an unknown header by its name only, so the family X-Forwarded-* is
 * the list of those that proxies are known to send. */
static bool was_forwarded(struct lws *wsi)
{
    static const char *const names[] = {
        "forwarded:",          "x-forwarded:",
        "x-forwarded-by:",     "x-forwarded-client-cert:",
        "x-forwarded-email:",  "x-forwarded-groups:",
        "x-forwarded-host:",   "x-forwarded-path:",
        "x-forwarded-port:",   "x-forwarded-prefix:",
        "x-forwarded-proto:",  "x-forwarded-protocol:",
        "x-forwarded-scheme:", "x-forwarded-server:",
        "x-forwarded-ssl:",    "x-forwarded-tls-client-cert:",
        "x-forwarded-uri:",    "x-forwarded-url:",
        "x-forwarded-user:",
    };
    static const enum lws_token_indexes tokens[] = {WSI_TOKEN_X_FORWARDED_FOR, WSI_TOKEN_HTTP_VIA};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        if (is_there(wsi, tokens[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (has_custom(wsi, names[i]))
            return true;
    return false;
}

/* "access-control-request-method" is a name the library keeps among the unknown ones. */
static int read_custom(struct lws *wsi, struct request *r, const char *name, const char **out)
{
    int n = lws_hdr_custom_length(wsi, name, (int)strlen(name));
    if (n < 0)
        return 0;
    char *to = r->store + r->store_used;
    int room = (int)(sizeof r->store - r->store_used);
    if (n >= room || lws_hdr_custom_copy(wsi, to, room, name, (int)strlen(name)) < 0)
        return -1;
    *out = to;
    r->store_used += (size_t)n + 1;
    return 0;
}

int http_read(struct conn *c, struct lws *wsi, struct request *r, int *status)
{
    const char *version = NULL, *connection = NULL;
    *r = (struct request){
        .method = METHOD_OTHER,
        .path = "",
        .param = "",
        .caller = {.peer = c->peer, .tls = c->tls}
    };
    *status = 400;
    if (read_path(wsi, r) != 0)
        return -1;
    *status = 431;
    const struct {
        enum lws_token_indexes token;
        const char **out;
    } headers[] = {
        {WSI_TOKEN_HTTP,                   &version             },
        {WSI_TOKEN_CONNECTION,             &connection          },
        {WSI_TOKEN_HOST,                   &r->caller.host      },
        {WSI_TOKEN_ORIGIN,                 &r->caller.origin    },
        {WSI_TOKEN_HTTP_AUTHORIZATION,     &r->authorization    },
        {WSI_TOKEN_HTTP_ACCEPT_ENCODING,   &r->accept_encoding  },
        {WSI_TOKEN_HTTP_IF_NONE_MATCH,     &r->if_none_match    },
        {WSI_TOKEN_HTTP_CONTENT_LENGTH,    &r->content_length   },
        {WSI_TOKEN_HTTP_TRANSFER_ENCODING, &r->transfer_encoding},
        {WSI_TOKEN_X_FORWARDED_FOR,        &r->forwarded_for    },
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (read_header(wsi, r, headers[i].token, headers[i].out) != 0)
            return -1;
    if (read_custom(wsi, r, "access-control-request-method:", &r->request_method) != 0 ||
        read_custom(wsi, r, "last-event-id:", &r->last_event_id) != 0 || read_args(wsi, r) != 0)
        return -1;
    read_blurred_framing(wsi, r);
    /* No version at all comes also from a path with "%0A": the library decodes first and then looks
     * for the end of the line, so that the next header would be hidden behind it. */
    *status = 505;
    r->http10 = version && strcmp(version, "HTTP/1.0") == 0;
    if (!r->http10 && (!version || strcmp(version, "HTTP/1.1") != 0))
        return -1;
    r->close = request_list_has(connection, "close");
    r->caller.forwarded = was_forwarded(wsi);
    r->client = proxies_client(&c->server->proxies, &c->peer, r->forwarded_for);
    return 0;
}
