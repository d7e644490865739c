/* err.h - a ready sentence for whoever decides what a failure means.
 *
 * A fallible function returns 0 / -1 (or NULL) and fills *err when err is not NULL.
 * The sentence says what and where, without newline, without secrets. */
#ifndef PRICEGATE_ERR_H
#define PRICEGATE_ERR_H

#include "attrs.h"

struct err {
    char text[256];
};

/* Writes the sentence (cut to fit); err may be NULL. Always returns -1. */
int err_set(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
