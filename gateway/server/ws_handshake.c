#include "ws_handshake.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conn.h"
#include "handlers.h"
#include "http.h"
#include "origin.h"
#include "server_private.h"
#include "stream.h"

bool ws_key_ok(const char *key)
{
    size_t i = 0;
    while (isalnum((unsigned char)key[i]) || key[i] == '+' || key[i] == '/')
        i++;
    return i == 22 && strcmp(key + i, "==") == 0;
}

struct upgrade {
    char protocol[16], connection[128], version[8], key[64], subprotocols[128];
};

/* Whatever does not fit is refused by the rule that misses it. */
static void read_text(struct lws *wsi, enum lws_token_indexes token, char *out, int room)
{
    if (lws_hdr_copy(wsi, out, room, token) < 0)
        snprintf(out, (size_t)room, "?");
}

static void read_upgrade(struct lws *wsi, struct upgrade *u)
{
    read_text(wsi, WSI_TOKEN_UPGRADE, u->protocol, sizeof u->protocol);
    read_text(wsi, WSI_TOKEN_CONNECTION, u->connection, sizeof u->connection);
    read_text(wsi, WSI_TOKEN_VERSION, u->version, sizeof u->version);
    read_text(wsi, WSI_TOKEN_KEY, u->key, sizeof u->key);
    read_text(wsi, WSI_TOKEN_PROTOCOL, u->subprotocols, sizeof u->subprotocols);
}

static bool refuse(struct exchange *x, int status, const char *why, const char *reason)
{
    response_problem(&x->response, status, why, NULL);
    metrics_add(x->server->metrics, METRIC_REJECTED, reason, NULL, 1);
    return false;
}

static bool check_form(struct exchange *x, const struct upgrade *u)
{
    const struct request *r = x->request;
    struct authority a;
    if (strcmp(r->path, "/ws") != 0 || x->conn->plain_port)
        return refuse(x, 404, "there is no WebSocket at this path", "not_found");
    if (r->method != METHOD_GET || r->http10 || !request_list_has(u->connection, "upgrade") ||
        !ws_key_ok(u->key) || r->content_length || r->transfer_encoding)
        return refuse(x, 400, "this is not a WebSocket handshake", "bad_handshake");
    if (!r->caller.host || authority_parse(r->caller.host, strlen(r->caller.host), &a) != 0)
        return refuse(x, 400, "the Host header is missing or is not a host", "bad_host");
    if (strcmp(u->version, "13") != 0) {
        response_header(&x->response, "Sec-WebSocket-Version", "13");
        return refuse(x, 426, "the WebSocket version must be 13", "bad_version");
    }
    if (u->subprotocols[0] && !request_list_has(u->subprotocols, "pricegate.v1"))
        return refuse(x, 400, "the only subprotocol is pricegate.v1", "bad_subprotocol");
    return true;
}

static bool check(struct exchange *x, const struct upgrade *u)
{
    struct request *r = x->request;
    if (!check_form(x, u))
        return false;
    if (!auth_origin_ok(x->server->config, &r->caller)) {
        http_note_foreign(x->server, r->caller.origin);
        return refuse(
            x, 403, "pages of this origin may not connect: the gateway's `origins` do not list it",
            "bad_origin");
    }
    if (!http_identify(x->conn, r, &x->response))
        return false;
    return stream_admit(x);
}

/* The library may come here after it has answered and forgotten the request (an Upgrade it does not
 * know, on a connection that is kept): then there are no headers left, and what it passes along
 * points to freed memory. */
int ws_handshake(struct conn *c, struct lws *wsi)
{
    struct request r;
    struct upgrade u;
    struct exchange x = {.server = c->server, .conn = c, .request = &r};
    int status, rc;

    c->wsi = wsi;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    read_upgrade(wsi, &u);
    if (http_read(c, wsi, &r, &status) != 0) {
        refuse(&x, status, "the request cannot be read", "bad_request");
    } else if (strcasecmp(u.protocol, "websocket") != 0) {
        /* h2c, which some clients offer with every request: served as if they had not. */
        if (r.method & (METHOD_GET | METHOD_HEAD))
            return http_serve_once(c, wsi, &r);
        refuse(&x, 400, "no such upgrade", "bad_handshake");
    } else if (check(&x, &u)) {
        conn_deadline(c, 0);
        return 0;
    }
    rc = http_write(c, wsi, &r, &x.response, true);
    response_fini(&x.response);
    (void)rc; /* the connection ends either way */
    return -1;
}

void serve_ws_without_upgrade(struct exchange *x)
{
    response_header(&x->response, "Upgrade", "websocket");
    response_header(&x->response, "Sec-WebSocket-Version", "13");
    response_problem(&x->response, 426, "this path is a WebSocket", NULL);
}
