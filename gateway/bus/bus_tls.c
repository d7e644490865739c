/* bus_tls.c - what hiredis's TLS leaves to its users.
 *
 * - It verifies the chain of certificates and no name: any certificate of a known authority would
 *   do. So the SSL objects are our own (redisInitiateSSL), and OpenSSL checks the name, or the
 *   address, and sends the name along (SNI).
 * - SSL_get_error() looks at a queue of errors that belongs to the thread, and hiredis does not
 *   empty it before: what the server or a provider's connection has left in it would end this
 *   connection (bus_tls_prepare()).
 * - Of a failed handshake it tells what errno says, which is nothing. OpenSSL knows the reason, and
 *   still does while hiredis calls back (bus_tls_failed()).
 * - When it cannot begin it leaves a context behind that crashes if it is used. So it begins at
 *   once, as hiredis's own examples do, and not in the callback that says "connected": here the
 *   context can be freed on the spot. OpenSSL takes "not yet connected" as "try again".
 *
 * Redis may end a connection without TLS's good-bye, as it does when it dies. Its replies say how
 * long they are, so nothing can be cut off unnoticed: that is an end like any other.
 *
 * The system's authorities are a file of 200 KB: read once. The others are small, and read for each
 * connection. */
#include "bus_tls.h"

#include <string.h>

#include "attrs.h"

#ifdef PRICEGATE_REDIS_TLS

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

struct bus_tls {
    char *host;
    bool is_address;
    char *ca, *cert, *key;
    X509_STORE *system; /* NULL: ca counts instead */
    int refused;        /* why a certificate was, last: X509_V_ERR_... */
};

static const char *last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : "unreadable";
}

static int say(struct err *err, const char *setting, const char *file)
{
    if (access(file, R_OK) != 0)
        return err_set(err, "redis.tls.%s: %s: %s", setting, file, strerror(errno));
    return err_set(err, "redis.tls.%s: %s: %s", setting, file, last_error());
}

static int load_files(const struct bus_tls *t, SSL_CTX *ctx, struct err *err)
{
    if (t->ca && SSL_CTX_load_verify_locations(ctx, t->ca, NULL) != 1)
        return say(err, "ca", t->ca);
    if (!t->cert)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(ctx, t->cert) != 1)
        return say(err, "cert", t->cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, t->key, SSL_FILETYPE_PEM) == 1)
        return 0;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
        return err_set(err, "redis.tls.key: %s: this is not the key of the certificate in %s",
                       t->key, t->cert);
    return say(err, "key", t->key);
}

static int on_verified(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct bus_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (!ok)
        t->refused = X509_STORE_CTX_get_error(store);
    return ok;
}

static SSL_CTX *make_context(struct bus_tls *t, struct err *err)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
        err_set(err, "TLS to Redis: out of memory");
    } else {
        SSL_CTX_set_app_data(ctx, t);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verified);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        if (t->system)
            SSL_CTX_set1_cert_store(ctx, t->system);
        if (load_files(t, ctx, err) == 0)
            return ctx;
    }
    SSL_CTX_free(ctx);
    return NULL;
}

/* The name, or the address, that the certificate must be for. */
static int expect(const struct bus_tls *t, SSL *ssl)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (t->is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(param, t->host);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, t->host) == 1 && SSL_set_tlsext_host_name(ssl, t->host) == 1;
}

static bool copy(const char *from, char **to)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

static bool fill(struct bus_tls *t, const struct bus_url *url, const struct bus_options *o)
{
    unsigned char binary[sizeof(struct in6_addr)];
    t->is_address =
        inet_pton(AF_INET, url->host, binary) == 1 || inet_pton(AF_INET6, url->host, binary) == 1;
    if (!copy(url->host, &t->host) || !copy(o->tls_ca, &t->ca) || !copy(o->tls_cert, &t->cert) ||
        !copy(o->tls_key, &t->key))
        return false;
    return t->ca ||
           ((t->system = X509_STORE_new()) && X509_STORE_set_default_paths(t->system) == 1);
}

int bus_tls_open(const struct bus_url *url, const struct bus_options *options, struct bus_tls **out,
                 struct err *err)
{
    SSL_CTX *trial = NULL;
    *out = NULL;
    if (!url->is_tls)
        return 0;
    struct bus_tls *t = calloc(1, sizeof *t);
    if (!t || !fill(t, url, options))
        err_set(err, "TLS to Redis: out of memory");
    else
        trial = make_context(t, err);
    ERR_clear_error();
    SSL_CTX_free(trial);
    if (trial)
        *out = t;
    else
        bus_tls_free(t);
    return trial ? 0 : -1;
}

void bus_tls_free(struct bus_tls *t)
{
    if (!t)
        return;
    X509_STORE_free(t->system);
    free(t->host);
    free(t->ca);
    free(t->cert);
    free(t->key);
    free(t);
}

/* What OpenSSL has to say of the failure. False: it is not its own, but the socket's. */
static bool explain(const struct bus_tls *t, struct err *why)
{
    unsigned long code = ERR_peek_last_error();
    if (code == 0 || ERR_SYSTEM_ERROR(code))
        return false;
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        err_set(why, "its certificate is not accepted: %s",
                X509_verify_cert_error_string(t->refused));
    else
        err_set(why, "TLS: %s", last_error());
    return true;
}

int bus_tls_begin(struct bus_tls *t, redisContext *c, struct err *err)
{
    SSL_CTX *ctx = make_context(t, err);
    if (!ctx)
        return -1;
    SSL *ssl = SSL_new(ctx); /* holds on to ctx */
    SSL_CTX_free(ctx);
    if (!ssl || !expect(t, ssl)) {
        SSL_free(ssl);
        return err_set(err, "TLS to Redis: out of memory");
    }
    if (redisInitiateSSL(c, ssl) == REDIS_OK)
        return 0;
    if (!explain(t, err))
        err_set(err, "%s", c->errstr);
    SSL_free(ssl);
    return -1;
}

void bus_tls_prepare(void)
{
    ERR_clear_error();
}

bool bus_tls_failed(const struct bus_tls *t, const redisAsyncContext *ac, struct err *why)
{
    return (ac->c.err == REDIS_ERR_IO || ac->c.err == REDIS_ERR_EOF) && explain(t, why);
}

#else

int bus_tls_open(const struct bus_url *url, const struct bus_options *options, struct bus_tls **out,
                 struct err *err)
{
    (void)options;
    *out = NULL;
    if (!url->is_tls)
        return 0;
    return err_set(
        err,
        "redis.url: rediss:// needs hiredis 1.0 or later, and this program was built with "
        "%d.%d.%d: use a program built on Debian 13 or later, or redis:// to a tunnel on this "
        "machine (stunnel), or unix://",
        HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

void bus_tls_free(struct bus_tls *t)
{
    REQUIRE(!t);
}

int bus_tls_begin(struct bus_tls *t, redisContext *c, struct err *err)
{
    (void)t, (void)c;
    return err_set(err, "TLS to Redis: none");
}

void bus_tls_prepare(void)
{
}

bool bus_tls_failed(const struct bus_tls *t, const redisAsyncContext *ac, struct err *why)
{
    (void)t, (void)ac, (void)why;
    return false;
}

#endif
