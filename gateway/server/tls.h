/* tls.h - the certificate that is served, and what we speak.
 *
 * The certificate is not the library's: each handshake takes the one that is current at that
 * moment, so that another one can take its place while the server runs, of any kind of key. (What
 * the library loads itself it keeps by kind: after a change from RSA to ECDSA a client could be
 * served either.) */
#ifndef PRICEGATE_TLS_H
#define PRICEGATE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20" /* for 1.2; those of 1.3 are all fine */

/* A certificate with its chain and its key. */
struct tls_identity;

/* Reads both PEM files and sees that they belong together. NULL with a sentence naming the file. */
struct tls_identity *tls_identity_load(const char *cert, const char *key,
                                       struct err *err) MUST_CHECK;
void tls_identity_free(struct tls_identity *id); /* NULL is fine */

/* What a certificate says of a time (wall ms; 0 = unreadable). */
int64_t tls_time_ms(const ASN1_TIME *t);

/* Its serial number in hex digits, and from and until when it is valid (as above). */
#define TLS_SERIAL_MAX 48
const char *tls_identity_serial(const struct tls_identity *id, char out[static TLS_SERIAL_MAX]);
int64_t tls_identity_begins_ms(const struct tls_identity *id);
int64_t tls_identity_ends_ms(const struct tls_identity *id);

/* TLS 1.2 or newer, current groups; every handshake takes *current, which may change. For a context
 * that is not in use yet. -1 when refused. */
int tls_prepare(SSL_CTX *ctx, struct tls_identity *const *current) MUST_CHECK;

/* Makes a handshake with ourselves, within the process. -1 with a sentence when what is served is
 * not this one. */
int tls_check_served(SSL_CTX *ctx, const struct tls_identity *id, struct err *err) MUST_CHECK;

#endif
