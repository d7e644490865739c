/* WebSockets over real sockets: the handshake in all its forms, messages at their limits, the close
 * codes as they appear on the wire, and the drain. */
#include "server_rig.h"

#define HEARTBEAT_CONFIG                                                                           \
    "{\"listen\":{\"port\":0},\"fanout\":{\"heartbeat_ms\":1000},\"drain_s\":1,"                   \
    "\"limits\":{\"commands_per_minute\":100000}," RIG_INSTRUMENTS "}"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static int start(void **state)
{
    static struct served s; /* not on the heap: the child would lose it, and call that a leak */
    s = start_server(HEARTBEAT_CONFIG);
    *state = &s;
    return 0;
}

static int stop(void **state)
{
    struct served *s = *state;
    stop_server(s);
    return 0;
}

static int port_of(void **state)
{
    const struct served *s = *state;
    return s->port;
}

/* --- a client --- */

/* Sends a handshake and returns the status; *out is the socket. */
static int upgrade(int port, const char *path, const char *lines, int *out, struct reply *r)
{
    char text[4096];
    int fd = dial(port);
    assert_true(fd >= 0);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n%s\r\n", path, lines);
    send_text(fd, text);
    int status = read_reply(fd, false, r) ? r->status : -1;
    if (out)
        *out = fd;
    else
        close(fd);
    return status;
}

#define USUAL                                                                                      \
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY                         \
    "Sec-WebSocket-Version: 13\r\n"

static int try_upgrade(int port, const char *path, const char *lines)
{
    struct reply r;
    int status = upgrade(port, path, lines, NULL, &r);
    reply_fini(&r);
    return status;
}

static int open_ws(int port)
{
    struct reply r;
    int fd;
    assert_int_equal(upgrade(port, "/ws", USUAL, &fd, &r), 101);
    reply_fini(&r);
    return fd;
}

/* first: FIN, RSV and opcode as on the wire. */
static void send_frame(int fd, unsigned char first, const void *bytes, size_t len)
{
    static const unsigned char mask[4] = {0x11, 0x22, 0x33, 0x44};
    unsigned char *f = malloc(len + 14);
    size_t n = 0;
    assert_non_null(f);
    f[n++] = first;
    if (len < 126) {
        f[n++] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        f[n++] = 0x80 | 126;
        f[n++] = (unsigned char)(len >> 8);
        f[n++] = (unsigned char)len;
    } else {
        f[n++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            f[n++] = (unsigned char)((uint64_t)len >> shift);
    }
    memcpy(f + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        f[n + i] = ((const unsigned char *)bytes)[i] ^ mask[i % 4];
    send_bytes(fd, f, n + len);
    free(f);
}

static void say(int fd, const char *text)
{
    send_frame(fd, 0x81, text, strlen(text));
}

static bool read_exactly(int fd, void *out, size_t len)
{
    char *p = out;
    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* The opcode of the next frame, its payload in b; -1 at the end. */
static int read_frame(int fd, struct buf *b)
{
    unsigned char head[2], more[8];
    buf_clear(b);
    if (!read_exactly(fd, head, 2))
        return -1;
    uint64_t len = head[1] & 0x7F;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (head[1] & 0x80 || !read_exactly(fd, more, extra))
        return -1;
    if (extra > 0)
        len = 0;
    for (size_t i = 0; i < extra; i++)
        len = len << 8 | more[i];
    char *to = buf_reserve(b, (size_t)len);
    if (!to || !read_exactly(fd, to, (size_t)len))
        return -1;
    b->len += (size_t)len;
    b->p[b->len] = '\0';
    return head[0] & 0x0F;
}

/* Reads until a text frame that has `part`; others are skipped. */
static bool hear(int fd, const char *part)
{
    struct buf b = {0};
    int op;
    bool found = false;
    while (!found && (op = read_frame(fd, &b)) >= 0 && op != 8)
        found = op == 1 && strstr(b.p, part);
    buf_fini(&b);
    return found;
}

/* Reads until the close frame; its code, or -1 when the connection just ends. */
static int close_code(int fd)
{
    struct buf b = {0};
    int op, code = -1;
    while ((op = read_frame(fd, &b)) >= 0 && op != 8) {
    }
    if (op == 8 && b.len >= 2)
        code = (unsigned char)b.p[0] << 8 | (unsigned char)b.p[1];
    buf_fini(&b);
    return code;
}

/* --- the handshake --- */

struct handshake {
    const char *path, *lines;
    int status;
};

static void handshakes_are_checked(void **state)
{
    static const struct handshake cases[] = {
        {"/ws",             USUAL,                                                                               101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: pricegate.v1\r\n",                                    101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: other, pricegate.v1\r\n",                             101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: other\r\n",                                           400},
        {"/ws?a=b",         USUAL,                                                                               101},
        {"/ws/",            USUAL,                                                                               404},
        {"/other",          USUAL,                                                                               404},
        {"/healthz",        USUAL,                                                                               404},
        {"/ws",             USUAL "Content-Length: 5\r\n",                                                       400},
        {"/ws",             USUAL "Transfer-Encoding: chunked\r\n",                                              400},
        {"/ws",
         "Host: localhost\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n" KEY
         "Sec-WebSocket-Version: 13\r\n",                                                                        101},
        {"/ws",             "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n",
         400                                                                                                        },
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: close\r\n" KEY
         "Sec-WebSocket-Version: 13\r\n",                                                                        400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n",                                                                        400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",                                            400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY
         "Sec-WebSocket-Version: 99\r\n",                                                                        426},
        {"/ws",             "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY,              426},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY
         "Sec-WebSocket-Version: 13, 8\r\n",                                                                     426},
 /* h2c: served as a plain request, never upgraded */
        {"/healthz",
         "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",                                                         200},
        {"/ws",
         "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",                                                         426},
        {"/ws",             "Host: localhost\r\nUpgrade: foo\r\nConnection: Upgrade\r\n",                        403},
 /* tokens */
        {"/ws",             USUAL "Authorization: Bearer wrong\r\n",                                             401},
        {"/ws?token=wrong", USUAL,                                                                               401},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = try_upgrade(port_of(state), cases[i].path, cases[i].lines);
        if (status != cases[i].status)
            fail_msg("%d, not %d: %s %s", status, cases[i].status, cases[i].path, cases[i].lines);
    }
}

static void origins_fail_closed(void **state)
{
    static const struct {
        const char *origin;
        int status;
    } cases[] = {
        {"Origin: http://localhost:%d\r\n",                        101},
        {"Origin: HTTP://LOCALHOST:%d\r\n",                        101},
        {"Origin: http://localhost\r\n",                           403},
        {"Origin: https://localhost\r\n",                          403},
        {"Origin: http://evil.example\r\n",                        403},
        {"Origin: null\r\n",                                       403},
        {"Origin:\r\n",                                            403},
        {"Origin: \r\n",                                           403},
        {"Origin: http://localhost:%d/\r\n",                       403},
        {"Origin: http://localhost:%d\r\nOrigin: http://evil\r\n", 403},
        {"Origin: http://evil\r\nOrigin: http://localhost:%d\r\n", 403},
        {"Sec-WebSocket-Origin: http://evil\r\n",                  403},
    };
    int port = port_of(state);
    char host[64], text[64], lines[2048];
    snprintf(host, sizeof host, "Host: localhost:%d\r\n", port);
    snprintf(text, sizeof text, "%d", port);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char origin[256];
        const char *at = strstr(cases[i].origin, "%d");
        snprintf(origin, sizeof origin, "%.*s%s%s",
                 at ? (int)(at - cases[i].origin) : (int)strlen(cases[i].origin), cases[i].origin,
                 at ? text : "", at ? at + 2 : "");
        snprintf(lines, sizeof lines, "%s%s%s", host, strchr(USUAL, '\n') + 1, origin);
        int status = try_upgrade(port, "/ws", lines);
        if (status != cases[i].status)
            fail_msg("%d for %s", status, origin);
    }
    /* longer than any buffer a check might use */
    static const size_t lengths[] = {300, 2000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char origin[2100];
        memset(origin, 'a', sizeof origin);
        origin[lengths[i]] = '\0';
        snprintf(lines, sizeof lines, USUAL "Origin: http://%.*s\r\n", 1700, origin);
        assert_int_equal(try_upgrade(port, "/ws", lines), 403);
    }
}

static void the_subprotocol_is_confirmed_when_asked_for(void **state)
{
    struct reply r;
    char value[64];
    assert_int_equal(
        upgrade(port_of(state), "/ws", USUAL "Sec-WebSocket-Protocol: pricegate.v1\r\n", NULL, &r),
        101);
    assert_true(reply_header(&r, "Sec-WebSocket-Protocol", value, sizeof value));
    assert_string_equal(value, "pricegate.v1");
    assert_true(reply_header(&r, "Sec-WebSocket-Accept", value, sizeof value));
    assert_string_equal(value, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(upgrade(port_of(state), "/ws", USUAL, NULL, &r), 101);
    assert_false(reply_header(&r, "Sec-WebSocket-Protocol", value, sizeof value));
}

/* The library answers an unknown upgrade by itself and goes on, on a connection that is kept, with
 * headers that are gone. */
static void an_unknown_upgrade_on_a_kept_connection_is_survived(void **state)
{
    struct reply r;
    int fd = dial(port_of(state));
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    reply_fini(&r);
    send_text(fd, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: foo\r\n"
                  "Connection: Upgrade\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 403);
    reply_fini(&r);
    close(fd);
    assert_int_equal(ask_status(port_of(state), "GET", "/healthz", ""), 200);
}

/* --- messages --- */

static void a_subscriber_gets_ack_and_snapshot(void **state)
{
    int fd = open_ws(port_of(state));
    assert_true(hear(fd, "\"type\":\"welcome\""));
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":1}");
    assert_true(hear(fd, "\"type\":\"subscribed\",\"id\":1"));
    assert_true(hear(fd, "\"price\":2.9430"));
    close(fd);
}

static void a_message_right_behind_the_handshake_counts(void **state)
{
    char text[1024];
    unsigned char frame[64] = {0x81, 0x80 | 17, 0, 0, 0, 0};
    struct reply r;
    int fd = dial(port_of(state));
    int n = snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\n%s\r\n", USUAL);
    memcpy(frame + 6, "{\"action\":\"ping\"}", 17);
    memcpy(text + n, frame, 23);
    send_bytes(fd, text, (size_t)n + 23);
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 101);
    assert_true(hear(fd, "\"type\":\"pong\""));
    close(fd);
}

static void messages_are_put_together(void **state)
{
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x01, "{\"action\":", 10);
    send_frame(fd, 0x89, "x", 1); /* a ping in between */
    for (int i = 0; i < 14; i++)
        send_frame(fd, 0x00, " ", 1);
    send_frame(fd, 0x80, "\"ping\",\"id\":7}", 14);
    assert_true(hear(fd, "\"type\":\"pong\",\"id\":7"));
    close(fd);
}

static void a_message_of_64_kib_is_taken(void **state)
{
    char *text = malloc(65537);
    assert_non_null(text);
    memset(text, ' ', 65537);
    memcpy(text, "{\"action\":\"ping\",\"id\":8}", 24);
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x81, text, 65536);
    assert_true(hear(fd, "\"type\":\"pong\",\"id\":8"));
    send_frame(fd, 0x81, text, 65537);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
    free(text);
}

struct end_case {
    unsigned char first;
    const char *bytes;
    size_t len;
    int repeat, code;
};

static void each_fault_has_its_close_code(void **state)
{
    static const struct end_case cases[] = {
        {0x82, "x",          1, 1,   1003}, /* binary */
        {0x81, "\xff\xfe",   2, 1,   1007}, /* not UTF-8 */
        {0x81, "\xc3",       1, 1,   1007}, /* half a character */
        {0x83, "",           0, 1,   1002}, /* unknown opcode */
        {0xC1, "x",          1, 1,   1002}, /* RSV1 without an extension */
        {0x80, "x",          1, 1,   1002}, /* continues nothing */
        {0x09, "x",          1, 1,   1002}, /* a ping in pieces */
        {0x88, "\x03\xe8",   2, 1,   1000}, /* the peer closes */
        {0x88, "\x0f\xa0hi", 4, 1,   4000},
        {0x8A, "x",          1, 500, 4008}, /* pongs that nobody asked for */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = open_ws(port_of(state));
        for (int k = 0; k < cases[i].repeat; k++)
            send_frame(fd, cases[i].first, cases[i].bytes, cases[i].len);
        int code = close_code(fd);
        if (code != cases[i].code)
            fail_msg("case %zu: %d", i, code);
        close(fd);
    }
}

static void too_many_fragments_are_too_big(void **state)
{
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x01, "a", 1);
    for (int i = 0; i < 20; i++)
        send_frame(fd, 0x00, "", 0);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
}

/* Announces 2^40 bytes: refused before they are kept. */
static void a_huge_announcement_is_too_big(void **state)
{
    static const unsigned char frame[] = {0x81, 0x80 | 127, 0, 0, 1, 0, 0,  0,
                                          0,    0,          0, 0, 0, 0, 'a'};
    int fd = open_ws(port_of(state));
    send_bytes(fd, frame, sizeof frame);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
}

static void pings_are_answered(void **state)
{
    struct buf b = {0};
    int op, fd = open_ws(port_of(state));
    send_frame(fd, 0x89, "abc", 3);
    while ((op = read_frame(fd, &b)) >= 0 && op != 10) {
    }
    assert_int_equal(op, 10);
    assert_string_equal(b.p, "abc");
    buf_fini(&b);
    close(fd);
}

static void a_quiet_client_hears_heartbeat_and_ping(void **state)
{
    struct buf b = {0};
    bool heartbeat = false, ping = false;
    int op, fd = open_ws(port_of(state));
    while (!(heartbeat && ping) && (op = read_frame(fd, &b)) >= 0) {
        heartbeat = heartbeat || (op == 1 && strstr(b.p, "\"heartbeat\""));
        ping = ping || op == 9;
        if (op == 9) /* the library does not tell us of an empty pong */
            assert_true(b.len > 0);
    }
    assert_true(heartbeat && ping);
    buf_fini(&b);
    close(fd);
}

/* One client floods; another is served as if nothing were. */
static void a_flood_does_not_hold_up_others(void **state)
{
    int flooder = open_ws(port_of(state)), other = open_ws(port_of(state));
    for (int i = 0; i < 2000; i++)
        send_frame(flooder, 0x89, "flood", 5);
    say(other, "{\"action\":\"ping\",\"id\":9}");
    assert_true(hear(other, "\"type\":\"pong\",\"id\":9"));
    close(flooder);
    close(other);
}

/* As many instruments as make one answer larger than what the kernel takes at once. */
static char *wide_config(void)
{
    struct buf b = {0};
    buf_adds(&b, "{\"listen\":{\"port\":0},\"fanout\":{\"sndbuf_bytes\":4096},"
                 "\"drain_s\":0,\"instruments\":["
                 "{\"symbol\":\"coffee\",\"sources\":[]},{\"symbol\":\"EUR/USD\",\"sources\":[]}");
    for (int i = 0; i < 450; i++) {
        char text[96];
        int n = snprintf(text, sizeof text, ",{\"symbol\":\"a-symbol-with-a-long-name-%05d\",%s}",
                         i, "\"sources\":[]");
        buf_add(&b, text, (size_t)n);
    }
    buf_adds(&b, "]}");
    assert_false(b.failed);
    return b.p;
}

/* What the kernel does not take at once follows, in order and nothing twice. */
static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    char *config = wide_config();
    struct served s = start_server(config);
    struct buf b = {0};
    int lists = 0, pongs = 0, small = 4096, fd = dial(s.port);
    free(config);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    send_text(fd, "GET /ws HTTP/1.1\r\n" USUAL "\r\n");
    struct reply r;
    assert_true(read_reply(fd, false, &r));
    reply_fini(&r);
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"id\":1}");
    send_frame(fd, 0x89, "abc", 3); /* the library answers this, in the middle of ours */
    say(fd, "{\"action\":\"list\",\"id\":2}");
    while (lists < 2 || pongs < 1) {
        int op = read_frame(fd, &b);
        assert_true(op == 1 || op == 10);
        if (op == 10) {
            assert_string_equal(b.p, "abc");
            pongs++;
            continue;
        }
        json_t *j = json_loadb(b.p, b.len, 0, NULL);
        assert_non_null(j);
        if (json_object_get(j, "id")) {
            assert_int_equal(json_integer_value(json_object_get(j, "id")), ++lists);
            assert_true(b.len > 14000);
        }
        json_decref(j);
    }
    buf_fini(&b);
    close(fd);
    stop_server(&s);
}

static void a_broken_connection_leaves_nothing(void **state)
{
    const struct linger now = {1, 0};
    for (int i = 0; i < 50; i++) {
        int fd = open_ws(port_of(state));
        say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    assert_int_equal(ask_status(port_of(state), "GET", "/healthz", ""), 200);
}

/* --- limits and roles --- */

static void over_the_limit_is_503(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0},\"limits\":{\"connections\":2},"
                                   "\"drain_s\":0," RIG_INSTRUMENTS "}");
    struct reply r;
    char value[32];
    int a = open_ws(s.port), b = open_ws(s.port);
    assert_int_equal(upgrade(s.port, "/ws", USUAL, NULL, &r), 503);
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    reply_fini(&r);
    assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    close(a);
    int status = 503; /* the place is free when the server has noticed */
    for (int i = 0; i < 1000 && status == 503; i++)
        status = try_upgrade(s.port, "/ws", USUAL);
    assert_int_equal(status, 101);
    close(b);
    stop_server(&s);
}

static void over_the_limit_of_an_address_is_429(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0,\"trusted_proxies\":[\"127.0.0.0/8\"]},"
                                   "\"limits\":{\"connections_per_ip\":1}," RIG_INSTRUMENTS "}");
    struct reply r;
    int a, b;
    assert_int_equal(upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.1\r\n", &a, &r), 101);
    assert_int_equal(try_upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.1\r\n"), 429);
    assert_int_equal(upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.2\r\n", &b, &r), 101);
    close(a);
    close(b);
    stop_server(&s);
}

static void tokens_give_their_role(void **state)
{
    (void)state;
    char config[2048];
    snprintf(config, sizeof config, "{\"listen\":{\"port\":0},\"auth\":{\"anonymous_role\":null,%s",
             strstr("{" RIG_KEYS "," RIG_INSTRUMENTS "}", "\"keys\""));
    struct served s = start_server(config);
    struct reply r;
    int fd;
    assert_int_equal(upgrade(s.port, "/ws", USUAL "Authorization: Bearer viewer-key\r\n", &fd, &r),
                     101);
    say(fd, "{\"action\":\"refresh\",\"symbols\":[\"coffee\"],\"id\":1}");
    assert_true(hear(fd, "\"code\":403"));
    close(fd);
    assert_int_equal(upgrade(s.port, "/ws?token=analyst-key", USUAL, &fd, &r), 101);
    say(fd, "{\"action\":\"refresh\",\"symbols\":[\"coffee\"],\"id\":2}");
    assert_true(hear(fd, "\"type\":\"refreshed\",\"id\":2"));
    close(fd);
    fd = open_ws(s.port); /* none: it has to say one first */
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":3}");
    assert_true(hear(fd, "\"code\":401"));
    say(fd, "{\"action\":\"auth\",\"token\":\"viewer-key\",\"id\":4}");
    assert_true(hear(fd, "\"type\":\"authenticated\",\"id\":4,\"role\":\"viewer\""));
    close(fd);
    stop_server(&s);
}

/* --- the end --- */

static void draining_says_goaway_and_closes_with_1001(void **state)
{
    (void)state;
    struct served s = start_server(HEARTBEAT_CONFIG);
    int fds[5];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = open_ws(s.port);
    int mute = dial(s.port); /* never says a word */
    kill(s.pid, SIGTERM);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_true(hear(fds[i], "\"type\":\"goaway\",\"reason\":\"shutdown\""));
        assert_int_equal(close_code(fds[i]), 1001);
    }
    assert_int_equal(dial(s.port), -1); /* no longer accepting */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    int status;
    assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(mute);
}

/* Clients that do not answer the close frame, or do not even read, do not hold up the end. */
static void silent_clients_do_not_hold_up_the_end(void **state)
{
    (void)state;
    struct served s = start_server(HEARTBEAT_CONFIG);
    int fds[3];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = open_ws(s.port);
    int64_t begin_ms = clock_mono_ms();
    stop_server(&s);
    assert_true(clock_mono_ms() - begin_ms < 10000);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_are_checked),
        cmocka_unit_test(origins_fail_closed),
        cmocka_unit_test(the_subprotocol_is_confirmed_when_asked_for),
        cmocka_unit_test(an_unknown_upgrade_on_a_kept_connection_is_survived),
        cmocka_unit_test(a_subscriber_gets_ack_and_snapshot),
        cmocka_unit_test(a_message_right_behind_the_handshake_counts),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(a_message_of_64_kib_is_taken),
        cmocka_unit_test(each_fault_has_its_close_code),
        cmocka_unit_test(too_many_fragments_are_too_big),
        cmocka_unit_test(a_huge_announcement_is_too_big),
        cmocka_unit_test(pings_are_answered),
        cmocka_unit_test(a_quiet_client_hears_heartbeat_and_ping),
        cmocka_unit_test(a_flood_does_not_hold_up_others),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_broken_connection_leaves_nothing),
        cmocka_unit_test(over_the_limit_is_503),
        cmocka_unit_test(over_the_limit_of_an_address_is_429),
        cmocka_unit_test(tokens_give_their_role),
        cmocka_unit_test(draining_says_goaway_and_closes_with_1001),
        cmocka_unit_test(silent_clients_do_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
