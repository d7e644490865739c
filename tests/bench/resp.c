/* A reply to a subscriber is an array of three: "message", channel, payload; a confirmation has an
 * integer in the third place and is skipped. */
#include "resp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"

struct part {
    const char *p;
    size_t len;
};

/* The end of the line at p, behind its CR LF; NULL when it is not all there. */
static const char *line_end(const char *p, const char *end)
{
    const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    return nl ? nl + 1 : NULL;
}

/* A bulk string or an integer (then without bytes). NULL: not all there. */
static const char *read_part(struct part *part, const char *p, const char *end)
{
    const char *bytes = line_end(p, end);
    *part = (struct part){NULL, 0};
    if (!bytes || *p == ':')
        return bytes;
    if (*p != '$')
        bench_fail("Redis: unexpected reply %.40s", p);
    size_t len = strtoul(p + 1, NULL, 10);
    if (len > RESP_BYTES_MAX / 2)
        bench_fail("Redis: a message of %zu bytes", len);
    if ((size_t)(end - bytes) < len + 2)
        return NULL;
    *part = (struct part){bytes, len};
    return bytes + len + 2;
}

/* Behind the reply at p, or NULL when it is not all there. */
static const char *read_reply(const char *p, const char *end, resp_message_fn *on_message,
                              void *ctx)
{
    struct part parts[3];
    const char *next = line_end(p, end);
    if (!next)
        return NULL;
    if (strncmp(p, "*3\r\n", 4) != 0)
        bench_fail("Redis: unexpected reply %.40s", p);
    for (size_t i = 0; i < 3 && next; i++)
        next = read_part(&parts[i], next, end);
    if (next && parts[2].p)
        on_message(ctx, parts[1].p, parts[1].len, parts[2].p, parts[2].len);
    return next;
}

static void read_replies(struct resp *r, resp_message_fn *on_message, void *ctx)
{
    const char *p = r->bytes, *end = r->bytes + r->len, *next;
    while (p < end && (next = read_reply(p, end, on_message, ctx)))
        p = next;
    r->len = (size_t)(end - p);
    memmove(r->bytes, p, r->len);
}

void resp_read(struct resp *r, int fd, resp_message_fn *on_message, void *ctx)
{
    ssize_t n;
    while ((n = recv(fd, r->bytes + r->len, sizeof r->bytes - 1 - r->len, MSG_DONTWAIT)) > 0) {
        r->len += (size_t)n;
        r->bytes[r->len] = '\0'; /* so that numbers can be read as text */
        read_replies(r, on_message, ctx);
    }
    if (n == 0)
        bench_fail("Redis has closed the connection");
    if (errno != EAGAIN && errno != EINTR)
        bench_fail("Redis: %s", strerror(errno));
}
