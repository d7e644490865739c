/* http_stub.h - a small scriptable HTTP(S) server for the C tests.
 *
 * A forked child serves on a free port of 127.0.0.1, one more process per connection, so that a
 * test may hang one of them. What it answers stands in memory shared with the test, which may
 * change it at any moment. The first rule whose `match` occurs in the request line answers. */
#ifndef PRICEGATE_HTTP_STUB_H
#define PRICEGATE_HTTP_STUB_H

#include <stddef.h>
#include <stdint.h>

#define STUB_RULES    16
#define STUB_BODY_MAX (600 * 1024)
#define STUB_SEEN     32

enum stub_how {
    STUB_ANSWER,  /* status, headers, body */
    STUB_HANG,    /* accept the request, say nothing */
    STUB_DRIP,    /* the body byte by byte, one every 20 ms */
    STUB_RESET,   /* half of the body, then a TCP reset */
    STUB_CHUNKED, /* the body again and again, in chunks, without end */
    STUB_CLOSE,   /* close without a byte */
};

struct stub_rule {
    char match[128];
    enum stub_how how;
    int status;
    char headers[20 * 1024]; /* further lines, each ending in \r\n */
    size_t body_len;
    unsigned char body[STUB_BODY_MAX];
};

struct http_stub;

/* cert and key: PEM files for HTTPS, or NULL for HTTP. Fails the test when it cannot start. */
struct http_stub *http_stub_new(const char *cert, const char *key);
void http_stub_free(struct http_stub *s); /* ends the processes */
int http_stub_port(const struct http_stub *s);

/* Sets rule i to an answer. */
void http_stub_say(struct http_stub *s, int i, const char *match, int status, const char *body);
/* For all that say() does not set; how is STUB_ANSWER after say(). */
struct stub_rule *http_stub_rule(struct http_stub *s, int i);
void http_stub_clear(struct http_stub *s); /* no rules, no requests seen */

unsigned http_stub_count(const struct http_stub *s); /* requests so far */
/* Request k (0 = the first; the last STUB_SEEN are kept): request line, headers, an empty line and
 * the body. */
const char *http_stub_seen(const struct http_stub *s, unsigned k);
/* How many of the kept requests contain the text. */
unsigned http_stub_seen_with(const struct http_stub *s, const char *text);

/* A throw-away CA, a certificate for 127.0.0.1 and one for another name, made with openssl in
 * `folder`: ca.pem, good.pem, good.key, other.pem, other.key. */
void http_stub_make_certs(const char *folder);

#endif
