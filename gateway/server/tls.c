#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : "unreadable";
}

int tls_check_files(const char *cert, const char *key, struct err *err)
{
    int rc = -1;
    SSL_CTX *ctx = NULL;

    if (access(cert, R_OK) != 0)
        return err_set(err, "listen.tls.cert: %s: %s", cert, strerror(errno));
    if (access(key, R_OK) != 0)
        return err_set(err, "listen.tls.key: %s: %s", key, strerror(errno));
    ERR_clear_error();
    ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        err_set(err, "TLS: %s", openssl_reason());
        goto out;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        err_set(err, "listen.tls.cert: %s: %s", cert, openssl_reason());
        goto out;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        err_set(err, "listen.tls.key: %s: %s", key, openssl_reason());
        goto out;
    }
    rc = 0;
out:
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return rc;
}

int tls_harden(SSL_CTX *ctx)
{
    static const int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
    union {
        const int *in;
        int *out;
    } list = {groups}; /* only read */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set1_groups(ctx, list.out, 3) == 1
               ? 0
               : -1;
}
