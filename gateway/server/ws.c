/* The library parses what comes in and does the closing handshake; what goes out is not its
 * business, stream.c writes it.
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

#include <string.h>

#include "clock.h"
#include "server_private.h"
#include "stream.h"

static const unsigned FRAGMENTS_MAX = 16;
static const unsigned PONGS_PER_S_MAX = 100;
static const int64_t CLOSE_MS = 5000;

/* --- the fan-out's sink --- */

static void ws_ping(void *sock)
{
    /* With a payload: the library does not report an empty pong. */
    static const unsigned char frame[] = {0x89, 0x02, 'p', 'g'};
    struct conn *c = sock;
    /* Behind an unsent rest it would come late and prove nothing. */
    if (!stream_busy(c) && stream_write(c, frame, sizeof frame) != 0)
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
    .write = stream_write,
    .busy = stream_busy,
    .want_writable = stream_want_writable,
    .unsent_bytes = stream_unsent_bytes,
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
