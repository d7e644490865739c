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

/* The way out when a file that the configuration names cannot be read, by errno. */
const char *err_file_advice(int failure);
/* "listen.tls.key: FILE: Permission denied: let the user that runs pricegate read it". Returns -1.
 */
int err_set_file(struct err *err, const char *setting, const char *file, int failure);

#endif
