/* One request, step by step; whoever says no ends it with a problem document:
 *
 *     read headers ─► framing ─► route ─► origin ─► token ─► role ─► (body) ─► handler ─► answer
 *
 * Five traps of the library decide the order of the last steps.
 *
 * - A POST without a length is expected to bring 100 MB: it is answered at once.
 *
 * - One with a length is answered when the body is complete, and that event may come twice when the
 *   next request is in the same segment: the phase of the connection is the latch, and a POST ends
 *   its connection. In version 4.3 the event does not come at all then, as what is behind the body
 *   is handed over as more of it: so we count (http_body()). An order that waits for its result,
 *   with something behind it, ends with the library's patience there.
 *
 * - Behind another request in the same segment, the library takes the beginning of that segment for
 *   the POST's body and says "complete" again and again, until it is told to end: so the second
 *   time ends the connection, also of one that waits for its answer.
 *
 * - After an answer that did not wait for the body, what still arrives is read and thrown away for
 *   a moment (HTTP_LINGER): closing a socket with unread input makes the kernel reset the
 *   connection, and the client might lose the answer.
 *
 * - While a socket is full (HTTP_CHOKED) the library does not read, but goes on polling for input:
 *   requests sent ahead, by somebody who does not read the answers, would turn the loop without
 *   end. So they are thrown away from the socket itself, and the connection ends behind the answer.
 *   Who reads all of it first, and then asks again, is served on.
 */
#include "http.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "audit.h"
#include "clock.h"
#include "files.h"
#include "http_refresh.h"
#include "origin.h"
#include "routes.h"
#include "server_private.h"

static const int64_t LINGER_MS = 1000;
static const int64_t CHOKED_MS = 30000;
static const int64_t FOREIGN_EVERY_MS = 10000;
static const size_t LINGER_BYTES_MAX = 1048576;

/* --- checking --- */

static void refuse(struct exchange *x, int status, const char *why, const char *reason)
{
    response_problem(&x->response, status, why, NULL);
    metrics_add(x->server->metrics, METRIC_REJECTED, reason, NULL, 1);
}

static void refuse_body(struct exchange *x, int64_t most)
{
    struct err why;
    err_set(&why, "the body is larger than %" PRId64 " bytes", most);
    refuse(x, 413, why.text, "too_big");
}

/* Framing and Host: what must hold before the request means anything. */
static bool check_framing(struct exchange *x, enum body *body, size_t *len)
{
    const struct request *r = x->request;
    struct authority a;
    int64_t most = x->server->config->limits.body_bytes;
    *body = request_body(r, (size_t)most, len);
    if (*body == BODY_BAD)
        refuse(x, 400, "a body needs one exact Content-Length and no Transfer-Encoding",
               "bad_length");
    else if (*body == BODY_TOO_BIG)
        refuse_body(x, most);
    else if (r->caller.host ? authority_parse(r->caller.host, strlen(r->caller.host), &a) != 0
                            : !r->http10)
        refuse(x, 400, "the Host header is missing or is not a host", "bad_host");
    else
        return true;
    if (*body != BODY_TOO_BIG)
        *body = BODY_BAD; /* nothing behind it is believed either */
    return false;
}

static struct origin_rule rule_of(const struct exchange *x)
{
    const struct config *c = x->server->config;
    return (struct origin_rule){x->request->caller.host, x->request->caller.tls, c->origins,
                                c->origins_len};
}

void http_note_foreign(struct server *s, const char *origin)
{
    unsigned suppressed;
    if (log_limit_pass(&s->foreign_limit, clock_mono_ms(), FOREIGN_EVERY_MS, &suppressed))
        log_event(LOG_INFO, "origin_refused", "origin=%s advice=%s suppressed=%u", origin,
                  "if its pages may use this gateway, list it under origins", suppressed);
}

/* Pages of listed origins may read the answers, errors too. */
static void add_cors(struct exchange *x)
{
    struct origin_rule rule = rule_of(x);
    const char *origin = x->request->caller.origin;
    bool listed = origin && origin_listed(origin, &rule);
    if (rule.listed_len > 0)
        response_header(&x->response, "Vary", "Origin");
    if (origin && !listed && !origin_allowed(origin, &rule))
        http_note_foreign(x->server, origin);
    if (!listed)
        return;
    response_header(&x->response, "Access-Control-Allow-Origin", "%s", origin);
    response_header(&x->response, "Access-Control-Expose-Headers", "ETag, Retry-After");
}

static void answer_preflight(struct exchange *x, unsigned allow)
{
    char text[ROUTE_ALLOW_MAX];
    x->response.status = 204;
    response_header(&x->response, "Access-Control-Allow-Methods", "%s", route_allow(allow, text));
    response_header(&x->response, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, If-None-Match, Last-Event-ID");
    response_header(&x->response, "Access-Control-Max-Age", "600");
}

static bool is_preflight(const struct exchange *x)
{
    const struct request *r = x->request;
    struct origin_rule rule = rule_of(x);
    return r->method == METHOD_OPTIONS && r->request_method && r->caller.origin &&
           origin_listed(r->caller.origin, &rule);
}

bool http_identify(struct conn *c, struct request *r, struct response *response)
{
    const char *token = auth_token(r->authorization, request_arg(r, "token"));
    grant_fini(&c->grant);
    if (auth_grant(c->server->auth, &r->caller, token, clock_wall_ms(), &c->grant) == 0)
        return true;
    response_problem(response, 401, "the token is not valid", NULL);
    response_header(response, "WWW-Authenticate",
                    "Bearer realm=\"pricegate\", "
                    "error=\"invalid_token\"");
    metrics_add(c->server->metrics, METRIC_REJECTED, "bad_token", NULL, 1);
    return false;
}

/* As refuse(), and written down. Returns false. */
static bool deny(struct exchange *x, const struct route *route, int status, const char *why,
                 const char *reason)
{
    refuse(x, status, why, reason);
    audit_refused(x, route, reason);
    return false;
}

static bool has_role(struct exchange *x, const struct route *route)
{
    struct request *r = x->request;
    if (route->role == ROLE_NONE || x->conn->plain_port)
        return true;
    if (!http_identify(x->conn, r, &x->response)) {
        audit_refused(x, route, "bad_token");
        return false;
    }
    bool from_here = address_is_loopback(&r->caller.peer) && !r->caller.forwarded;
    const struct grant *g = &x->conn->grant;
    if (route->flags & ROUTE_LOOPBACK && from_here)
        return true;
    if (g->role >= route->role && !(route->flags & ROUTE_WHOLE && g->symbols))
        return true;
    if (g->role >= route->role)
        return deny(x, route, 403, "the token is for some symbols, and this is about all of them",
                    "forbidden");
    if (auth_token(r->authorization, request_arg(r, "token")))
        return deny(x, route, 403, "the token's role does not allow this", "forbidden");
    response_header(&x->response, "WWW-Authenticate", "Bearer realm=\"pricegate\"");
    return deny(x, route, 401, "a token is needed", "auth_required");
}

/* The row that may run, or NULL with the answer made. */
static const struct route *admit(struct exchange *x)
{
    struct request *r = x->request;
    struct route_match m =
        route_find(r->method, r->path, x->conn->plain_port, files_exist, x->server);
    add_cors(x);
    grant_fini(&x->conn->grant); /* it was an earlier request's */
    if (m.allow == 0) {
        refuse(x, 404, "there is nothing at this path", "not_found");
        return NULL;
    }
    if (is_preflight(x)) {
        answer_preflight(x, m.allow);
        return NULL;
    }
    if (!m.route) {
        char allow[ROUTE_ALLOW_MAX];
        refuse(x, 405, "this path has no such method", "bad_method");
        response_header(&x->response, "Allow", "%s", route_allow(m.allow, allow));
        return NULL;
    }
    if (m.route->flags & ROUTE_CHANGES && !auth_origin_ok(x->server->config, &r->caller)) {
        deny(x, m.route, 403,
             "pages of this origin may not do that: the gateway's `origins` do not list it",
             "bad_origin");
        return NULL;
    }
    r->param = m.param;
    return has_role(x, m.route) ? m.route : NULL;
}

/* --- answering --- */

int http_write(struct conn *c, struct lws *wsi, const struct request *r,
               const struct response *response, bool close)
{
    struct buf out = {0};
    const struct response_frame frame = {r && r->method == METHOD_HEAD, close, c->tls};
    int rc = -1;
    buf_reserve(&out, LWS_PRE);
    out.len = out.failed ? 0 : LWS_PRE;
    response_render(response, &frame, &out);
    if (!out.failed && !response->headers.failed && !response->body.failed) {
        int len = (int)(out.len - LWS_PRE);
        rc = lws_write(wsi, (unsigned char *)out.p + LWS_PRE, (size_t)len, LWS_WRITE_HTTP) == len
                 ? 0
                 : -1;
    }
    buf_fini(&out);
    return rc;
}

static void linger(struct conn *c)
{
    c->phase = HTTP_LINGER;
    c->body_bytes = 0;
    conn_deadline(c, LINGER_MS);
    if (!c->tls && !lws_partial_buffered(c->wsi))
        shutdown(c->fd, SHUT_WR);
}

static int choke(struct conn *c, bool keep)
{
    c->phase = HTTP_CHOKED;
    c->keep = keep;
    c->server->choked++;
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    conn_deadline(c, CHOKED_MS);
    lws_callback_on_writable(c->wsi);
    return 0;
}

static void unchoke(struct conn *c)
{
    if (c->phase == HTTP_CHOKED)
        c->server->choked--;
    c->phase = HTTP_IDLE;
}

/* The peer took the answer faster than we could tell, and asks again: http_writable() is next. */
static bool is_next_request(struct conn *c)
{
    char first;
    return c->keep && recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 &&
           !lws_send_pipe_choked(c->wsi);
}

void http_turn(struct server *s)
{
    char ignored[4096];
    s->turns++;
    struct conn *c = s->choked > 0 ? s->conns[CONN_HTTP] : NULL;
    for (; c; c = c->next) {
        if (c->phase != HTTP_CHOKED || !c->wsi || is_next_request(c))
            continue;
        ssize_t n = recv(c->fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n > 0) {
            c->keep = false;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            unchoke(c);
            conn_kill(c);
        }
    }
}

bool http_any_under_way(const struct server *s)
{
    for (const struct conn *c = s->conns[CONN_HTTP]; c; c = c->next)
        if (!c->plain_port && (!c->asked || (c->phase != HTTP_IDLE && c->phase != HTTP_LINGER)))
            return true;
    return false;
}

/* The answer is out, and another request may come. */
static int go_on(struct conn *c)
{
    conn_deadline(c, CONN_KEEPALIVE_MS + c->server->config->limits.headers_ms);
    return lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

/* Writes x's answer and decides how the connection goes on. Returns what the library's callback has
 * to return. */
static int answer(struct exchange *x, enum body body)
{
    static const unsigned reusable = METHOD_GET | METHOD_HEAD | METHOD_OPTIONS;
    struct conn *c = x->conn;
    const struct request *r = x->request;
    bool more = request_more_comes(r, body);
    bool keep = !more && body != BODY_BAD && r->method & reusable && !r->http10 && !r->close &&
                c->server->phase < SERVER_DRAINING;
    int rc = http_write(c, c->wsi, r, &x->response, !keep);
    response_fini(&x->response);
    c->phase = HTTP_IDLE;
    if (rc != 0)
        return -1;
    if (!more && lws_send_pipe_choked(c->wsi))
        return choke(c, keep);
    if (keep)
        return go_on(c);
    if (!more)
        return -1;
    linger(c);
    return 0;
}

/* Headers that the checks have added wait with the connection for the answer. */
static void keep_headers(struct conn *c, struct response *r)
{
    buf_fini(&c->headers);
    c->headers = r->headers;
    r->headers = (struct buf){0};
}

static int run(struct exchange *x, enum body body)
{
    struct conn *c = x->conn;
    c->phase = HTTP_PENDING;
    keep_headers(c, &x->response);
    c->route->handler(x);
    if (!x->pending) {
        buf_add(&x->response.headers, c->headers.p, c->headers.len);
        return answer(x, body);
    }
    if (c->phase != HTTP_PENDING)
        return 0; /* answered before the handler returned */
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    /* With a length, the library no longer reads, and a readable socket would turn the loop
     * without end. */
    if (c->has_length)
        lws_rx_flow_control(c->wsi, 0);
    return 0;
}

static int wait_for_body(struct conn *c, size_t len, struct response *r)
{
    keep_headers(c, r);
    c->phase = HTTP_BODY;
    c->body_len = len;
    c->body_bytes = 0;
    conn_deadline(c, c->server->config->limits.body_ms);
    return 0;
}

int http_request(struct conn *c, struct lws *wsi)
{
    struct request r;
    struct exchange x = {.server = c->server, .conn = c, .request = &r};
    enum body body = BODY_NONE;
    size_t len;
    int status;

    c->wsi = wsi;
    c->asked = true;
    c->route = NULL;
    conn_deadline(c, 0);
    if (http_read(c, wsi, &r, &status) != 0) {
        refuse(&x, status, "the request cannot be read", "bad_request");
        return answer(&x, BODY_BAD);
    }
    c->has_length = r.content_length != NULL;
    if (check_framing(&x, &body, &len))
        c->route = admit(&x);
    if (!c->route)
        return answer(&x, body);
    if (r.method == METHOD_POST && body != BODY_UNSAID)
        return wait_for_body(c, len, &x.response);
    return run(&x, body);
}

int http_serve_once(struct conn *c, struct lws *wsi, struct request *r)
{
    struct exchange x = {.server = c->server, .conn = c, .request = r};
    enum body body;
    size_t len;
    c->wsi = wsi;
    c->route = NULL;
    if (check_framing(&x, &body, &len))
        c->route = admit(&x);
    if (c->route)
        c->route->handler(&x);
    int rc = http_write(c, wsi, r, &x.response, true);
    response_fini(&x.response);
    (void)rc; /* the connection ends either way */
    return -1;
}

int http_body(struct conn *c, size_t len)
{
    c->body_bytes += len;
    if (c->phase == HTTP_BODY && c->body_bytes > c->body_len)
        return http_body_complete(c);
    size_t most =
        c->phase == HTTP_LINGER ? LINGER_BYTES_MAX : (size_t)c->server->config->limits.body_bytes;
    return c->body_bytes > most ? -1 : 0;
}

int http_body_complete(struct conn *c)
{
    switch (c->phase) {
    case HTTP_EVENTS:
    case HTTP_PENDING:
    case HTTP_IDLE:
    case HTTP_CHOKED:
    case HTTP_LINGER:
        return -1;
    case HTTP_BODY:
        break;
    }
    /* The library keeps the headers until the answer. The checks were made before the body; but who
     * may do what, another configuration may see otherwise meanwhile. */
    struct request r;
    struct exchange x = {.server = c->server, .conn = c, .request = &r};
    int status;
    conn_deadline(c, 0);
    if (http_read(c, c->wsi, &r, &status) != 0)
        return -1;
    r.param = r.path + strlen(c->route->path);
    x.response.headers = c->headers;
    c->headers = (struct buf){0};
    return has_role(&x, c->route) ? run(&x, BODY_NONE) : answer(&x, BODY_NONE);
}

int http_writable(struct conn *c)
{
    if (c->phase != HTTP_LINGER && c->phase != HTTP_CHOKED)
        return 0;
    /* All is with the kernel. */
    if (c->phase == HTTP_CHOKED && c->keep && c->server->phase < SERVER_DRAINING) {
        unchoke(c);
        return go_on(c);
    }
    if (c->tls || (c->phase == HTTP_LINGER && c->has_length))
        return -1;
    shutdown(c->fd, SHUT_WR);
    return 0;
}

void http_gone(struct conn *c)
{
    http_refresh_forget(c);
    unchoke(c);
    if (c->state == CONN_HTTP)
        c->wsi = NULL;
}

void http_finish(struct conn *c, struct response *response)
{
    if (!c->wsi)
        return;
    buf_add(&response->headers, c->headers.p, c->headers.len);
    int rc = http_write(c, c->wsi, NULL, response, true);
    c->phase = HTTP_LINGER;
    conn_deadline(c, LINGER_MS);
    if (rc != 0) {
        conn_kill(c);
        return;
    }
    if (c->has_length)
        lws_rx_flow_control(c->wsi, 1);
    lws_callback_on_writable(c->wsi); /* comes when everything has left */
    lws_cancel_service(c->server->lws);
}
