/* The library parses what comes in and does the closing handshake; what goes out is not its
 * business: the fan-out's frames are complete, header included, and leave the moment they are made,
 * not when the library says "writable", which saves two system calls and a wake-up per client and
 * flush. That is allowed while the library keeps nothing of earlier writes, its own pongs among
 * them; so that is looked at before each write.
 *   Plain sockets: a bare send(). What the kernel did not take goes to the library, which keeps it
 * and sends it on. A lws_write() for all of it costs up to a fifth more CPU than the send() alone.
 *   TLS: the library, which owns the SSL object.
 *
 * Closing has two ways.
 *   With a code: our own close frame, written raw like all others as soon as nothing is left of
 *   earlier writes; then the peer's close frame ends the connection, or the deadline does. The
 *   library's way (lws_close_reason(), then -1 from an event) is not used: from the "writable"
 *   event it closes twice in builds with its debug checks, as Debian's is, and the second close
 *   ends the connection before the frame is sent.
 *   Without a code (slow, idle, broken): killed in the next turn. A slow one is reset, so that the
 *   kernel does not go on keeping its backlog.
 * Either way the fan-out has let go of the client before: a raw write behind a close frame would
 * still go out. What the library closes by itself (bad framing, bad UTF-8) it closes with a code of
 * its own. */
#include "ws.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "clock.h"
#include "server_private.h"

static const unsigned FRAGMENTS_MAX = 16;
static const unsigned PONGS_PER_S_MAX = 100;
static const int64_t CLOSE_MS = 5000;

/* --- the fan-out's sink --- */

/* How much of it the kernel took at once; -1: the connection is broken. */
static ssize_t send_plain(const struct conn *c, const void *bytes, size_t len)
{
    ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
}

static int ws_write(void *sock, const void *bytes, size_t len)
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

static bool ws_busy(void *sock)
{
    const struct conn *c = sock;
    return c->wsi && lws_partial_buffered(c->wsi);
}

static void ws_want_writable(void *sock)
{
    const struct conn *c = sock;
    if (c->wsi)
        lws_callback_on_writable(c->wsi);
}

static int64_t ws_unsent_bytes(void *sock)
{
    const struct conn *c = sock;
    int unsent;
    return ioctl(c->fd, SIOCOUTQ, &unsent) == 0 ? unsent : -1;
}

static void ws_ping(void *sock)
{
    /* With a payload: the library does not report an empty pong. */
    static const unsigned char frame[] = {0x89, 0x02, 'p', 'g'};
    struct conn *c = sock;
    /* Behind an unsent rest it would come late and prove nothing. */
    if (!ws_busy(c) && ws_write(c, frame, sizeof frame) != 0)
        conn_kill(c);
}

/* The close frame that is due, if it can be sent now. */
static void send_close(struct conn *c)
{
    int code = close_reason_code(c->reason);
    if (!c->closing || code == 0 || c->close_sent || lws_partial_buffered(c->wsi))
        return;
    const char *name = close_reason_name(c->reason);
    unsigned char frame[64] = {0x88};
    size_t len = strnlen(name, sizeof frame - 4);
    frame[1] = (unsigned char)(2 + len);
    frame[2] = (unsigned char)(code >> 8);
    frame[3] = (unsigned char)code;
    memcpy(frame + 4, name, len);
    c->close_sent = true;
    if (lws_write(c->wsi, frame, 4 + len, LWS_WRITE_RAW) < 0)
        conn_kill(c);
}

static void begin_close(struct conn *c, enum close_reason reason)
{
    if (c->closing)
        return;
    c->closing = true;
    c->reason = reason;
    if (!c->wsi)
        return;
    if (close_reason_code(reason) == 0) {
        if (reason == CLOSE_SLOW)
            conn_reset(c);
        else
            conn_kill(c);
        return;
    }
    c->server->closing_streams++;
    conn_deadline(c, CLOSE_MS);
    send_close(c);
    if (!c->close_sent)
        lws_callback_on_writable(c->wsi);
}

static void ws_close_sink(void *sock, enum close_reason reason)
{
    begin_close(sock, reason);
}

static const struct client_sink sink = {
    .write = ws_write,
    .busy = ws_busy,
    .want_writable = ws_want_writable,
    .unsent_bytes = ws_unsent_bytes,
    .ping = ws_ping,
    .close = ws_close_sink,
};

/* A close for a reason that the fan-out has not given. */
void ws_close(struct conn *c, enum close_reason reason)
{
    if (c->client && !c->closing) {
        fanout_client_reason(c->client, reason);
        fanout_client_closing(c->client);
    }
    begin_close(c, reason);
}

static void refuse(struct conn *c, enum close_reason reason)
{
    metrics_add(c->server->metrics, METRIC_REJECTED, close_reason_name(reason), NULL, 1);
    ws_close(c, reason);
}

/* --- the library's events --- */

int ws_established(struct conn *c)
{
    struct server *s = c->server;
    conn_move(c, CONN_STREAM);
    c->client = fanout_client_new(s->fanout, &sink, c, c->role, clock_wall_ms(), clock_mono_ns());
    if (!c->client) {
        log_event(LOG_ERROR, "client_refused", "why=%s", "out of memory");
        return -1;
    }
    return 0;
}

/* The first piece of a message or fragment tells how long it will be; it is refused before its
 * bytes are kept. */
static bool fits(struct conn *c, size_t len)
{
    size_t rest = lws_remaining_packet_payload(c->wsi);
    size_t most = (size_t)c->server->config->limits.message_bytes;
    return c->message.len + len <= most && rest <= most - c->message.len - len &&
           c->fragments < FRAGMENTS_MAX;
}

void ws_receive(struct conn *c, const char *bytes, size_t len)
{
    if (!c->client || c->closing)
        return; /* behind our close: nothing counts any more */
    fanout_client_alive(c->client, clock_mono_ns());
    if (lws_frame_is_binary(c->wsi)) {
        refuse(c, CLOSE_BINARY);
        return;
    }
    if (!fits(c, len)) {
        refuse(c, CLOSE_TOO_BIG);
        return;
    }
    buf_add(&c->message, bytes, len);
    if (c->message.failed) {
        refuse(c, CLOSE_MEMORY);
        return;
    }
    if (lws_remaining_packet_payload(c->wsi) > 0)
        return;
    if (!lws_is_final_fragment(c->wsi)) {
        c->fragments++;
        return;
    }
    c->fragments = 0;
    fanout_client_message(c->client, c->message.p ? c->message.p : "", c->message.len,
                          clock_wall_ms(), clock_mono_ns());
    buf_fini(&c->message); /* most say one thing and then only listen */
}

void ws_pong(struct conn *c)
{
    int64_t mono_ns = clock_mono_ns();
    if (!c->client || c->closing)
        return;
    fanout_client_alive(c->client, mono_ns);
    if (mono_ns / 1000000 - c->pongs_since_ms >= 1000) {
        c->pongs_since_ms = mono_ns / 1000000;
        c->pongs = 0;
    }
    if (++c->pongs > PONGS_PER_S_MAX)
        refuse(c, CLOSE_COMMAND_RATE);
}

void ws_writable(struct conn *c)
{
    if (c->client && !c->closing)
        fanout_client_writable(c->client, clock_mono_ns());
    else
        send_close(c);
}

/* The code that the library is about to send, as our reason. */
static enum close_reason library_reason(struct lws *wsi)
{
    static const enum close_reason own[] = {CLOSE_PROTOCOL, CLOSE_BAD_UTF8};
    if (lws_get_close_length(wsi) < 2)
        return CLOSE_PEER;
    const unsigned char *p = lws_get_close_payload(wsi);
    int code = p[0] << 8 | p[1];
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (close_reason_code(own[i]) == code)
            return own[i];
    return CLOSE_PEER;
}

void ws_close_began(struct conn *c)
{
    if (!c->client || c->closing)
        return;
    c->closing = c->close_sent = true;
    c->reason = library_reason(c->wsi);
    if (c->reason != CLOSE_PEER)
        fanout_client_reason(c->client, c->reason);
    fanout_client_closing(c->client);
}

int ws_peer_closes(struct conn *c)
{
    if (c->closing)
        return -1; /* both have said it: the end */
    ws_close_began(c);
    return 0;
}

void ws_gone(struct conn *c)
{
    if (c->client)
        fanout_client_free(c->client);
    c->client = NULL;
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
