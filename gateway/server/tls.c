#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HANDSHAKE_STEPS = 20 }; /* far more than any handshake has */

struct tls_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* NULL or empty: none */
};

static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : "unreadable";
}

/* Its own words for it are "PEM lib". */
static bool no_pem(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_PEM_LIB;
}

/* Instead of a question on the terminal, which nobody may be there to answer. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf, (void)size, (void)rwflag, (void)arg;
    return -1;
}

void tls_identity_free(struct tls_identity *id)
{
    if (!id)
        return;
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    sk_X509_pop_free(id->chain, X509_free);
    free(id);
}

/* What the files held, out of the context that has read them. */
static struct tls_identity *take(SSL_CTX *ctx, struct err *err)
{
    struct tls_identity *id = calloc(1, sizeof *id);
    X509 *cert = SSL_CTX_get0_certificate(ctx);
    EVP_PKEY *key = SSL_CTX_get0_privatekey(ctx);
    STACK_OF(X509) *chain = NULL;
    if (id && cert && key && X509_up_ref(cert) == 1)
        id->cert = cert;
    if (id && id->cert && EVP_PKEY_up_ref(key) == 1)
        id->key = key;
    bool ok = id && id->key && SSL_CTX_get0_chain_certs(ctx, &chain) == 1;
    if (ok && chain)
        ok = (id->chain = X509_chain_up_ref(chain)) != NULL;
    if (ok)
        return id;
    tls_identity_free(id);
    err_set(err, "TLS: out of memory");
    return NULL;
}

struct tls_identity *tls_identity_load(const char *cert, const char *key, struct err *err)
{
    struct tls_identity *id = NULL;
    SSL_CTX *ctx = NULL;

    if (access(cert, R_OK) != 0) {
        err_set_file(err, "listen.tls.cert", cert, errno);
        return NULL;
    }
    if (access(key, R_OK) != 0) {
        err_set_file(err, "listen.tls.key", key, errno);
        return NULL;
    }
    ERR_clear_error();
    ctx = SSL_CTX_new(TLS_server_method());
    if (ctx)
        SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if (!ctx)
        err_set(err, "TLS: %s", openssl_reason());
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        err_set(err, "listen.tls.key: %s: %s", key,
                no_pem() ? "there is no private key in PEM form, without a passphrase, in it"
                         : openssl_reason());
    else if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        err_set(err, "listen.tls.cert: %s: %s", cert,
                no_pem() ? "there is no certificate in PEM form in it" : openssl_reason());
    else if (SSL_CTX_check_private_key(ctx) != 1)
        err_set(err,
                "listen.tls.key: %s: this is not the key of the certificate in %s, which must be "
                "the first one in that file",
                key, cert);
    else
        id = take(ctx, err);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return id;
}

const char *tls_identity_serial(const struct tls_identity *id, char out[static TLS_SERIAL_MAX])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(id->cert);
    int n = serial->length < (TLS_SERIAL_MAX - 1) / 2 ? serial->length : (TLS_SERIAL_MAX - 1) / 2;
    out[0] = '\0';
    for (int i = 0; i < n; i++)
        snprintf(out + 2 * (size_t)i, TLS_SERIAL_MAX - 2 * (size_t)i, "%02X", serial->data[i]);
    return out;
}

int64_t tls_time_ms(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

int64_t tls_identity_begins_ms(const struct tls_identity *id)
{
    return tls_time_ms(X509_get0_notBefore(id->cert));
}

int64_t tls_identity_ends_ms(const struct tls_identity *id)
{
    return tls_time_ms(X509_get0_notAfter(id->cert));
}

static int choose(SSL *ssl, void *arg)
{
    struct tls_identity *const *current = arg;
    const struct tls_identity *id = *current;
    SSL_certs_clear(ssl);
    return id && SSL_use_cert_and_key(ssl, id->cert, id->key, id->chain, 1) == 1;
}

int tls_prepare(SSL_CTX *ctx, struct tls_identity *const *current)
{
    static const int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
    union {
        const int *in;
        int *out;
    } list = {groups}; /* only read */
    union {
        struct tls_identity *const *in;
        void *out;
    } arg = {current}; /* only read */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cert_cb(ctx, choose, arg.out);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set1_groups(ctx, list.out, 3) == 1
               ? 0
               : -1;
}

/* Both ends in turn, over two buffers, until the client has the server's certificate. */
static X509 *shake_hands(SSL *server, SSL *client)
{
    BIO *one = NULL, *other = NULL;
    if (BIO_new_bio_pair(&one, 0, &other, 0) != 1)
        return NULL;
    SSL_set_bio(server, one, one);
    SSL_set_bio(client, other, other);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < HANDSHAKE_STEPS && !SSL_is_init_finished(client); i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    return SSL_get1_peer_certificate(client);
}

int tls_check_served(SSL_CTX *ctx, const struct tls_identity *id, struct err *err)
{
    SSL_CTX *outside = SSL_CTX_new(TLS_client_method());
    SSL *server = SSL_new(ctx), *client = outside ? SSL_new(outside) : NULL;
    X509 *served = server && client ? shake_hands(server, client) : NULL;
    int rc = served && X509_cmp(served, id->cert) == 0 ? 0 : -1;
    if (rc != 0)
        err_set(err, served ? "another certificate is served than the one that was read"
                            : "a handshake with the new certificate fails");
    X509_free(served);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(outside);
    ERR_clear_error();
    return rc;
}
