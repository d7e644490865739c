/* ws_peer.h - a WebSocket client that writes and reads frames byte for byte. */
#ifndef PRICEGATE_TEST_WS_PEER_H
#define PRICEGATE_TEST_WS_PEER_H

#include "server_group.h"

/* A server whose heartbeats come soon and whose end does not take long. */
#define HEARTBEAT_CONFIG                                                                           \
    "{\"listen\":{\"port\":0},\"fanout\":{\"heartbeat_ms\":1000},\"drain_s\":1,"                   \
    "\"limits\":{\"commands_per_minute\":100000}," RIG_INSTRUMENTS "}"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* Sends a handshake and returns the status; *out is the socket. */
static inline int upgrade(int port, const char *path, const char *lines, int *out, struct reply *r)
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

static inline int try_upgrade(int port, const char *path, const char *lines)
{
    struct reply r;
    int status = upgrade(port, path, lines, NULL, &r);
    reply_fini(&r);
    return status;
}

static inline int open_ws(int port)
{
    struct reply r;
    int fd;
    assert_int_equal(upgrade(port, "/ws", USUAL, &fd, &r), 101);
    reply_fini(&r);
    return fd;
}

/* first: FIN, RSV and opcode as on the wire. */
static inline void send_frame(int fd, unsigned char first, const void *bytes, size_t len)
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

static inline void say(int fd, const char *text)
{
    send_frame(fd, 0x81, text, strlen(text));
}

static inline bool read_exactly(int fd, void *out, size_t len)
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
static inline int read_frame(int fd, struct buf *b)
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
static inline bool hear(int fd, const char *part)
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
static inline int close_code(int fd)
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

#endif
