/* response.h - one HTTP answer and its bytes on the wire. Pure.
 *
 * Handlers fill status, type, headers and body; response_render() adds what every answer carries
 * (length, connection, security headers). Errors are RFC 9457 problem documents. */
#ifndef PRICEGATE_RESPONSE_H
#define PRICEGATE_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct response {
    int status;
    const char *type;   /* Content-Type; NULL = no body */
    struct buf headers; /* extra lines, each ended by CRLF */
    struct buf body;
    const char *borrowed; /* a body that somebody else owns, instead of `body` */
    size_t borrowed_len;
    bool endless; /* no length: the body comes later and ends with the connection */
};

void response_fini(struct response *r);

/* Adds one header line; value must not come from outside unchecked. */
void response_header(struct response *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Makes r a problem document, dropping a body it had. detail is text for people and may hold
 * anything. extra (NULL = none) is appended inside the object: ",\"name\":value". */
void response_problem(struct response *r, int status, const char *detail, const char *extra);

/* Sets an ETag made from the body; when it is among those of if_none_match (NULL = absent) the
 * answer becomes a 304 without body. */
void response_etag(struct response *r, const char *if_none_match);

struct response_frame {
    bool head;  /* HEAD: headers of a GET, no body */
    bool close; /* the connection ends after this answer */
    bool tls;
};
/* Appends the whole answer to out. */
void response_render(const struct response *r, const struct response_frame *frame, struct buf *out);

const char *response_reason(int status); /* "Not Found" */

/* What every answer says to browsers; also those that the library makes by itself (loop.c). */
struct response_constant {
    const char *name; /* with its colon */
    const char *value;
    bool tls; /* only over our own TLS */
};
#define RESPONSE_CONSTANTS 6
extern const struct response_constant response_constants[RESPONSE_CONSTANTS];

#endif
