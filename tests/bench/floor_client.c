#include "floor_client.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "wsproto.h"

struct floor_client *floor_client_new(int fd, SSL_CTX *tls)
{
    struct floor_client *c = bench_alloc(sizeof *c);
    c->fd = fd;
    c->handshaken = !tls;
    if (!tls)
        return c;
    c->ssl = SSL_new(tls);
    if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1)
        bench_fail("OpenSSL: no connection object");
    SSL_set_accept_state(c->ssl);
    return c;
}

void floor_client_free(struct floor_client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    free(c->symbols);
    free(c->in);
    free(c->rest);
    free(c);
}

/* > 0 bytes, 0 would block, -1 broken or ended. */
static ssize_t verdict(const struct floor_client *c, ssize_t n)
{
    if (n > 0)
        return n;
    if (!c->ssl)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    int why = SSL_get_error(c->ssl, (int)n);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t put(struct floor_client *c, const unsigned char *bytes, size_t len)
{
    if (c->ssl)
        return verdict(c, SSL_write(c->ssl, bytes, (int)len));
    return verdict(c, send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* TLS takes a record of 16 KiB at a time. */
static ssize_t put_all(struct floor_client *c, const unsigned char *bytes, size_t len)
{
    size_t sent = 0;
    ssize_t n = 1;
    while (sent < len && (n = put(c, bytes + sent, len - sent)) > 0) {
        sent += (size_t)n;
        if (!c->ssl)
            break;
    }
    return n < 0 ? -1 : (ssize_t)sent;
}

/* Behind what waits already. 0: too much waits. */
static int keep(struct floor_client *c, const unsigned char *bytes, size_t len)
{
    if (c->rest && c->rest_len - c->rest_sent + len > FLOOR_REST_MAX)
        return 0;
    if (c->rest_sent > 0) {
        c->rest_len -= c->rest_sent;
        memmove(c->rest, c->rest + c->rest_sent, c->rest_len);
        c->rest_sent = 0;
    }
    unsigned char *rest = realloc(c->rest, c->rest_len + len);
    if (!rest)
        bench_fail("out of memory");
    memcpy(rest + c->rest_len, bytes, len);
    c->rest = rest;
    c->rest_len += len;
    return 1;
}

int floor_client_send(struct floor_client *c, const unsigned char *bytes, size_t len)
{
    ssize_t sent = c->rest ? 0 : put_all(c, bytes, len);
    if (sent < 0)
        return -1;
    return (size_t)sent < len ? keep(c, bytes + sent, len - (size_t)sent) : 1;
}

int floor_client_drain(struct floor_client *c)
{
    if (!c->rest)
        return 0;
    ssize_t sent = put_all(c, c->rest + c->rest_sent, c->rest_len - c->rest_sent);
    if (sent < 0)
        return -1;
    c->rest_sent += (size_t)sent;
    if (c->rest_sent == c->rest_len) {
        free(c->rest);
        c->rest = NULL;
        c->rest_len = c->rest_sent = 0;
    }
    return 0;
}

int floor_client_receive(struct floor_client *c)
{
    unsigned char bytes[4096];
    ssize_t n;
    if (!c->handshaken) {
        int done = SSL_do_handshake(c->ssl);
        if (done != 1)
            return (int)verdict(c, done);
        c->handshaken = true;
    }
    for (;;) {
        n = verdict(c, c->ssl ? SSL_read(c->ssl, bytes, sizeof bytes)
                              : recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT));
        if (n <= 0)
            return (int)n;
        if (c->in_len + (size_t)n > FLOOR_IN_MAX)
            return -1;
        unsigned char *in = realloc(c->in, c->in_len + (size_t)n + 1);
        if (!in)
            bench_fail("out of memory");
        c->in = in;
        memcpy(c->in + c->in_len, bytes, (size_t)n);
        c->in_len += (size_t)n;
        c->in[c->in_len] = '\0';
    }
}

/* What is used up is given back, so that an idle client costs no buffer. */
void floor_client_consume(struct floor_client *c, size_t len)
{
    c->in_len -= len;
    if (c->in_len > 0) {
        memmove(c->in, c->in + len, c->in_len + 1);
        return;
    }
    free(c->in);
    c->in = NULL;
}

int floor_client_upgrade(struct floor_client *c)
{
    static const char name[] = "Sec-WebSocket-Key:";
    char *text = (char *)c->in, answer[256], accept[WS_ACCEPT_MAX];
    char *end = c->in_len > 0 ? strstr(text, "\r\n\r\n") : NULL;
    if (!end)
        return 0;
    char *key = strcasestr(text, name);
    if (!key || key > end)
        return -1;
    key += sizeof name - 1;
    key += strspn(key, " ");
    ws_accept_value(accept, key, strcspn(key, " \r\n"));
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    floor_client_consume(c, (size_t)(end + 4 - text));
    c->upgraded = true;
    return floor_client_send(c, (const unsigned char *)answer, (size_t)n);
}
