/* tls.h - certificates checked before anything is opened, and what we speak. */
#ifndef PRICEGATE_TLS_H
#define PRICEGATE_TLS_H

#include <openssl/ssl.h>

#include "err.h"

#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20" /* for 1.2; those of 1.3 are all fine */

/* Reads both PEM files and sees that they belong together. -1 with a sentence naming the file; the
 * library's own loading says only that something was wrong. */
int tls_check_files(const char *cert, const char *key, struct err *err) MUST_CHECK;

/* TLS 1.2 or newer, current groups. For a context that is not in use yet. -1 when refused. */
int tls_harden(SSL_CTX *ctx) MUST_CHECK;

#endif
