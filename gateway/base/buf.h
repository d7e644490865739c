/* buf.h - a byte buffer that grows.
 *
 * Not a string class: bytes in, bytes out, always followed by a NUL that is not counted.
 * Running out of memory is remembered in `failed` and makes all later calls do nothing, so that
 * a writer of many pieces checks once, at the end. */
#ifndef PRICEGATE_BUF_H
#define PRICEGATE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

struct buf {
    char *p; /* NULL until the first byte */
    size_t len;
    size_t cap;
    bool failed; /* out of memory: the contents are not complete */
};

void buf_fini(struct buf *b);               /* frees the bytes; the struct may be used again */
void buf_clear(struct buf *b);              /* keeps the memory */
char *buf_reserve(struct buf *b, size_t n); /* room for n more bytes at the end, or NULL */
void buf_add(struct buf *b, const void *p, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *s, size_t len);
void buf_adds_json(struct buf *b, const char *s);

/* Hands the bytes over (caller frees) and empties the buffer; NULL when `failed`. */
char *buf_take(struct buf *b, size_t *len);

#endif
