/* The fan-out's bytes are complete (frames with their headers, whole events) and leave the moment
 * they are made, not when the library says "writable", which saves two system calls and a wake-up
 * per client and flush. That is allowed while the library keeps nothing of earlier writes, its own
 * pongs among them; so that is looked at before each write.
 *   Plain sockets: a bare send(). What the kernel did not take goes to the library, which keeps it
 * and sends it on. A lws_write() for all of it costs up to a fifth more CPU than the send() alone.
 *   TLS: the library, which owns the SSL object. */
#include "stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server_private.h"
#include "sse.h"
#include "ws.h"

/* --- limits --- */

static bool refuse(struct exchange *x, int status, const char *why, const char *reason)
{
    response_problem(&x->response, status, why, NULL);
    metrics_add(x->server->metrics, METRIC_REJECTED, reason, NULL, 1);
    return false;
}

bool stream_admit(struct exchange *x)
{
    struct server *s = x->server;
    struct conn *c = x->conn;
    enum capacity_verdict v = CAPACITY_FULL;
    if (s->phase < SERVER_DRAINING)
        v = capacity_take(&s->capacity, &x->request->client);
    switch (v) {
    case CAPACITY_OK:
        c->counted = true;
        c->client_address = x->request->client;
        return true;
    case CAPACITY_ADDRESS:
        response_header(&x->response, "Retry-After", "30");
        return refuse(x, 429, "too many connections from this address", "connections_per_ip");
    case CAPACITY_FULL:
        break;
    }
    response_header(&x->response, "Retry-After", "5");
    return refuse(x, 503, "no more connections are possible now", "connections");
}

/* --- the way out --- */

/* How much of it the kernel took at once; -1: the connection is broken. */
static ssize_t send_plain(const struct conn *c, const void *bytes, size_t len)
{
    ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
}

int stream_write(void *sock, const void *bytes, size_t len)
{
    struct conn *c = sock;
    union {
        const void *in;
        unsigned char *out;
    } p = {bytes}; /* only read by a raw write */
    if (!c->wsi || c->closing)
        return -1;
    if (!c->tls && !lws_partial_buffered(c->wsi)) {
        ssize_t sent = send_plain(c, bytes, len);
        if (sent < 0 || (size_t)sent == len)
            return sent < 0 ? -1 : 0;
        p.out += sent;
        len -= (size_t)sent;
    }
    return lws_write(c->wsi, p.out, len, LWS_WRITE_RAW) == (int)len ? 0 : -1;
}

bool stream_busy(void *sock)
{
    const struct conn *c = sock;
    return c->wsi && lws_partial_buffered(c->wsi);
}

void stream_want_writable(void *sock)
{
    const struct conn *c = sock;
    if (c->wsi)
        lws_callback_on_writable(c->wsi);
}

int64_t stream_unsent_bytes(void *sock)
{
    const struct conn *c = sock;
    int unsent;
    return ioctl(c->fd, SIOCOUTQ, &unsent) == 0 ? unsent : -1;
}

/* --- the end --- */

void stream_close(struct conn *c, enum close_reason reason)
{
    if (c->phase == HTTP_EVENTS)
        sse_close(c, reason);
    else
        ws_close(c, reason);
}

void stream_gone(struct conn *c)
{
    if (c->client)
        fanout_client_free(c->client);
    c->client = NULL;
    if (c->phase == HTTP_EVENTS) {
        c->server->event_streams--;
        c->phase = HTTP_IDLE;
    }
    if (c->state == CONN_STREAM && c->deadline_ms > 0) {
        c->server->closing_streams--;
        c->deadline_ms = 0;
    }
    if (c->counted)
        capacity_give(&c->server->capacity, &c->client_address);
    c->counted = false;
    if (c->state == CONN_STREAM)
        c->wsi = NULL;
}
