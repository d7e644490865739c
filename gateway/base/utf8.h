/* utf8.h - is it UTF-8? (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF) */
#ifndef PRICEGATE_UTF8_H
#define PRICEGATE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the sequence that text begins with (1-4), or 0: it is not one. left: its bytes, at
 * least 1. */
size_t utf8_len(const char *text, size_t left);

bool utf8_valid(const char *s, size_t len);

#endif
