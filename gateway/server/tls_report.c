#include "tls_report.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "address.h"
#include "tls.h"

enum { CHAIN_MAX = 16 }; /* certificates of a file that are looked at */

struct chain {
    X509 *certs[CHAIN_MAX];
    size_t len;
};

static void read_chain(const char *file, struct chain *out)
{
    FILE *f = fopen(file, "re");
    X509 *cert;
    while (f && out->len < CHAIN_MAX && (cert = PEM_read_X509(f, NULL, NULL, NULL)) != NULL)
        out->certs[out->len++] = cert;
    if (f)
        fclose(f);
    ERR_clear_error(); /* the end of the file is one for it */
}

static void free_chain(struct chain *c)
{
    for (size_t i = 0; i < c->len; i++)
        X509_free(c->certs[i]);
}

/* --- names --- */

static void add_name(char out[static TLS_REPORT_TEXT_MAX], const char *name, size_t name_len)
{
    size_t len = strlen(out), left = TLS_REPORT_TEXT_MAX - len;
    int n = snprintf(out + len, left, "%s%.*s", len > 0 ? ", " : "", (int)name_len, name);
    if (n >= 0 && (size_t)n >= left) /* no half a name */
        snprintf(out + len, left, "%s", left > strlen(" ...") ? " ..." : "");
}

static void read_names(X509 *cert, char out[static TLS_REPORT_TEXT_MAX])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char text[INET6_ADDRSTRLEN];
        if (name->type == GEN_DNS) {
            add_name(out, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            if (inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text))
                add_name(out, text, strlen(text));
        }
    }
    GENERAL_NAMES_free(names);
}

/* An address that stands for all of them says nothing about who is called. */
static bool covers(X509 *cert, const char *host)
{
    struct address a;
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || strchr(host, '/'))
        return true;
    if (address_parse(host, strlen(host), &a) == 0)
        return address_is_loopback(&a) || X509_check_ip_asc(cert, host, 0) == 1;
    return X509_check_host(cert, host, 0, 0, NULL) == 1;
}

static void read_issuer(X509 *cert, char out[static TLS_REPORT_TEXT_MAX])
{
    const X509_NAME *issuer = X509_get_issuer_name(cert);
    if (X509_NAME_get_text_by_NID(issuer, NID_commonName, out, TLS_REPORT_TEXT_MAX) <= 0)
        (void)X509_NAME_get_text_by_NID(issuer, NID_organizationName, out, TLS_REPORT_TEXT_MAX);
}

/* --- the chain --- */

static bool is_trusted(const struct chain *c)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    bool ok = store && ctx && others && X509_STORE_set_default_paths(store) == 1;
    for (size_t i = 1; i < c->len && ok; i++)
        ok = sk_X509_push(others, c->certs[i]) > 0;
    ok = ok && X509_STORE_CTX_init(ctx, store, c->certs[0], others) == 1;
    if (ok) {
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_NO_CHECK_TIME);
        ok = X509_verify_cert(ctx) == 1;
    }
    sk_X509_free(others);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return ok;
}

static size_t find_stray(const struct chain *c)
{
    for (size_t i = 1; i < c->len; i++)
        if (X509_check_issued(c->certs[i], c->certs[i - 1]) != X509_V_OK)
            return i;
    return 0;
}

static void read_certificates(const struct chain *c, const char *host, struct tls_report *out)
{
    X509 *first = c->certs[0];
    out->certificates = c->len;
    out->begins_ms = tls_time_ms(X509_get0_notBefore(first));
    out->ends_ms = tls_time_ms(X509_get0_notAfter(first));
    read_names(first, out->names);
    read_issuer(c->certs[c->len - 1], out->issuer);
    out->covers_host = covers(first, host);
    out->stray = find_stray(c);
    out->self_signed = X509_check_issued(first, first) == X509_V_OK;
    out->is_trusted = is_trusted(c);
}

void tls_report_make(const char *cert, const char *key, const char *host, struct tls_report *out)
{
    struct chain chain = {.len = 0};
    struct stat st;
    *out = (struct tls_report){.unusable = {""}};
    tls_identity_free(tls_identity_load(cert, key, &out->unusable));
    read_chain(cert, &chain);
    if (chain.len > 0)
        read_certificates(&chain, host, out);
    free_chain(&chain);
    out->key_is_open = stat(key, &st) == 0 && (st.st_mode & S_IROTH) != 0;
}
