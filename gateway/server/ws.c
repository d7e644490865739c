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
 * still go out. What the library closes by itself (bad framing) it closes with a code of its own;
 * not behind ours, there the connection's way out is shut before it comes to that.
 *
 * What the library does not do by RFC 6455 and cannot be told to (frames that are not masked are
 * read, of several pings at once only one is sure of its pong, ...) stands in conformance.test.js.
 */
#include "ws.h"

#include <openssl/ssl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "audit.h"
#include "clock.h"
#include "server_private.h"
#include "stream.h"
#include "utf8.h"
#include "ws_extension.h"

static const unsigned PONGS_PER_S_MAX = 100;
static const int64_t CLOSE_MS = 5000;
static const unsigned TURNS_PER_TICK_MAX = 1000;
/* More than anybody has under way who has not heard of our close yet. Who goes on for longer
 * floods, and the library would read on for him until CLOSE_MS are over. A frame costs, however
 * short. */
static const size_t BEHIND_CLOSE_BYTES = 2097152;
static const size_t FRAME_COST_BYTES = 64;
static const size_t CONTROL_BYTES_MAX = 125;
static const size_t INCOMPRESSIBLE_BYTES = 64; /* more than deflate adds to what it cannot shrink */
enum { RESERVED_COMPRESSED = 0x40 };

/* --- the fan-out's sink --- */

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

/* Back-pressure: who sends commands faster than it takes their answers is not read until it has
 * taken them. Otherwise its answers would pile up to their limit and it would be dropped as slow,
 * although it reads. Whose message waits is not read either.
 *   Not over TLS: the library (4.1.6), told in the middle of a record not to read on, puts the rest
 * of it aside, finds more of the record decrypted, takes the rest up again, and so for ever, with
 * the whole process. There such a client is still dropped, and a message does not wait for longer
 * than until there is more of the next. */
static void regulate(struct conn *c)
{
    bool held = c->waits || (c->client && fanout_client_choked(c->client));
    bool read = c->tls || c->closing || !c->client || !held;
    if (read != c->deaf)
        return;
    c->deaf = !read;
    lws_rx_flow_control(c->wsi, read);
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
    regulate(c); /* the peer's close frame is to be heard */
    send_close(c);
    if (!c->close_sent)
        lws_callback_on_writable(c->wsi);
}

static void ws_close_sink(void *sock, enum close_reason reason)
{
    begin_close(sock, reason);
}

static void ws_audit_sink(void *sock, const char *action, const char *what, const char *refused)
{
    audit_client(sock, action, what, refused);
}

static const struct client_sink sink = {
    .write = stream_write,
    .busy = stream_busy,
    .want_writable = stream_want_writable,
    .unsent_bytes = stream_unsent_bytes,
    .close = ws_close_sink,
    .audit = ws_audit_sink,
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
    unheard_begin(c);
    c->client = fanout_client_new(tiers_of(s->tiers, c->grant.delay_s), &sink, c, &c->grant,
                                  clock_wall_ms(), clock_mono_ns());
    if (!c->client) {
        log_event(LOG_ERROR, "client_refused", "why=%s", "out of memory");
        return -1;
    }
    if (c->extension)
        fanout_client_compress(c->client);
    return 0;
}

/* The first piece of a message or fragment tells how long it will be; it is refused before its
 * bytes are kept. */
static bool fits(struct conn *c, size_t len)
{
    size_t rest = lws_remaining_packet_payload(c->wsi);
    size_t most = (size_t)c->server->config->limits.message_bytes;
    if (c->compressed)
        most += INCOMPRESSIBLE_BYTES;
    return c->message.len + len <= most && rest <= most - c->message.len - len &&
           c->fragments < (unsigned)c->server->config->limits.fragments;
}

/* The reserved bit means "this message is compressed", so it is the first fragment that has it. The
 * library lets it pass on any frame once the extension is there. */
static bool reserved_ok(struct conn *c)
{
    bool set = lws_get_reserved_bits(c->wsi) & RESERVED_COMPRESSED;
    if (c->message.len == 0 && c->fragments == 0)
        c->compressed = set;
    return !set || c->fragments == 0;
}

static void take_message(struct conn *c, const struct buf *text)
{
    if (!utf8_valid(text->p ? text->p : "", text->len)) {
        refuse(c, CLOSE_BAD_UTF8);
        return;
    }
    fanout_client_message(c->client, text->p ? text->p : "", text->len, clock_wall_ms(),
                          clock_mono_ns());
}

static void inflate_message(struct conn *c)
{
    static const enum close_reason reasons[] = {
        [DECOMPRESS_BAD] = CLOSE_PROTOCOL,
        [DECOMPRESS_TOO_BIG] = CLOSE_TOO_BIG,
        [DECOMPRESS_MEMORY] = CLOSE_MEMORY,
    };
    struct buf text = {0};
    enum decompress_verdict v = ws_extension_inflate(c, &c->message, &text);
    if (v == DECOMPRESS_OK)
        take_message(c, &text);
    else
        refuse(c, reasons[v]);
    buf_fini(&text);
}

/* Behind our close nothing counts any more, but its length. */
static void throw_away(struct conn *c, size_t len)
{
    bool was_more = c->behind_close_bytes > BEHIND_CLOSE_BYTES;
    c->behind_close_bytes += FRAME_COST_BYTES + len;
    if (!was_more && c->behind_close_bytes > BEHIND_CLOSE_BYTES)
        conn_reset(c);
}

static void work_on(struct conn *c)
{
    if (c->compressed)
        inflate_message(c);
    else
        take_message(c, &c->message);
    buf_fini(&c->message); /* most say one thing and then only listen */
    regulate(c);
}

bool ws_turn(struct server *s)
{
    struct conn *c;
    backlog_begin(&s->backlog);
    while ((c = backlog_next(&s->backlog)))
        if (c->client && !c->closing)
            work_on(c);
    return s->backlog.first != NULL;
}

/* More comes behind a message that waits. */
static void wait_no_longer(struct conn *c)
{
    if (!c->waits)
        return;
    backlog_leave(&c->server->backlog, c);
    work_on(c);
}

void ws_receive(struct conn *c, const char *bytes, size_t len)
{
    unheard_told(c, len);
    if (c->client && !c->closing)
        wait_no_longer(c);
    if (!c->client || c->closing) {
        throw_away(c, len);
        return;
    }
    fanout_client_alive(c->client, clock_mono_ns());
    if (lws_frame_is_binary(c->wsi)) {
        refuse(c, CLOSE_BINARY);
        return;
    }
    if (!reserved_ok(c)) {
        refuse(c, CLOSE_PROTOCOL);
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
    if (backlog_pass(&c->server->backlog, c))
        work_on(c);
    else
        regulate(c);
}

void ws_pong(struct conn *c)
{
    int64_t mono_ns = clock_mono_ns();
    unheard_told(c, CONTROL_BYTES_MAX);
    if (!c->client || c->closing) {
        throw_away(c, 0);
        return;
    }
    if (lws_get_reserved_bits(c->wsi)) {
        refuse(c, CLOSE_PROTOCOL); /* of a ping it is not seen: the library answers it itself */
        return;
    }
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
    regulate(c);
}

/* The code that the library is about to send, as our reason. */
static enum close_reason library_reason(struct lws *wsi)
{
    if (lws_get_close_length(wsi) < 2)
        return CLOSE_PEER;
    const unsigned char *p = lws_get_close_payload(wsi);
    return (p[0] << 8 | p[1]) == close_reason_code(CLOSE_PROTOCOL) ? CLOSE_PROTOCOL : CLOSE_PEER;
}

/* Our close frame has been sent, and in place of the peer's comes something that makes the library
 * send one of its own: the way out is shut, so that it fails. */
static void shut_way_out(struct conn *c)
{
    if (!c->close_sent || lws_get_close_length(c->wsi) == 0)
        return;
    SSL *ssl = c->tls ? lws_get_ssl(c->wsi) : NULL;
    if (ssl)
        SSL_shutdown(ssl);
    else
        shutdown(c->fd, SHUT_WR);
}

void ws_close_began(struct conn *c)
{
    if (c->closing && c->wsi)
        shut_way_out(c);
    if (!c->client || c->closing)
        return;
    c->closing = c->close_sent = true;
    c->reason = library_reason(c->wsi);
    if (c->reason != CLOSE_PEER)
        fanout_client_reason(c->client, c->reason);
    fanout_client_closing(c->client);
}

/* What is wrong with a close frame of the peer; CLOSE_PEER: nothing. The library looks at the codes
 * below 3000 and answers a wrong one with 1002; 5000 and more, and half a code, it would send back.
 */
static enum close_reason close_fault(const struct conn *c, const char *payload, size_t len)
{
    if (len == 1 || lws_get_reserved_bits(c->wsi))
        return CLOSE_PROTOCOL;
    if (len >= 2 && ((unsigned char)payload[0] << 8 | (unsigned char)payload[1]) >= 5000)
        return CLOSE_PROTOCOL;
    return len > 2 && !utf8_valid(payload + 2, len - 2) ? CLOSE_BAD_UTF8 : CLOSE_PEER;
}

/* Is what it sent not read, although it should be, and what it should read not sent? Over plain
 * sockets that is also how one is that we don't read on purpose. */
static bool is_stuck(const struct conn *c)
{
    int unread = 0;
    return c->wsi && c->client && c->phase != HTTP_EVENTS && c->tls &&
           lws_partial_buffered(c->wsi) && ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0;
}

void ws_tick(struct server *s)
{
    if (s->turns <= TURNS_PER_TICK_MAX)
        return;
    for (struct conn *c = s->conns[CONN_STREAM]; c; c = c->next)
        if (is_stuck(c))
            conn_kill(c);
}

int ws_peer_closes(struct conn *c, const char *payload, size_t len)
{
    if (c->closing)
        return -1; /* both have said it: the end */
    enum close_reason fault = close_fault(c, payload, len);
    if (fault != CLOSE_PEER) {
        ws_close(c, fault); /* nothing of earlier writes is left, or we would not have been asked */
        return -1;
    }
    ws_close_began(c);
    return 0;
}
