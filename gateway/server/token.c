/* libjwt checks the signature and hands over the claims as JSON; what they mean is decided here,
 * with the same strict reader that all other JSON goes through. (Of a name that comes twice libjwt
 * has kept one by then; the signer wrote both.)
 *
 * The two classic holes. A token may say "alg":"none": libjwt refuses it when a key is given, and
 * so does the comparison below. A token may say HS256 where a public key is configured, and be
 * signed with that public key as the secret: its signature would pass, so the algorithm is compared
 * behind the check, before any claim is looked at.
 *
 * An expired token is expired to the second. What is not valid yet is allowed a few seconds, as the
 * clock of who made it may be ahead of ours. */
#include "token.h"

#include <errno.h>
#include <jwt.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_guard.h"
#include "jsonx.h"

static const int64_t AHEAD_MS = 5000;
static const size_t KEY_FILE_MAX = 65536;

struct token_verifier {
    jwt_alg_t alg;
    char *key; /* secret, or PEM text */
    size_t key_len;
    const char *issuer, *audience; /* the configuration's */
    uint64_t tag;
};

static jwt_alg_t alg_of(enum token_alg alg)
{
    static const jwt_alg_t algs[] = {[TOKEN_NONE] = JWT_ALG_NONE,
                                     [TOKEN_HS256] = JWT_ALG_HS256,
                                     [TOKEN_RS256] = JWT_ALG_RS256,
                                     [TOKEN_ES256] = JWT_ALG_ES256};
    return algs[alg];
}

static char *read_key(const char *path, size_t *len, struct err *err)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(KEY_FILE_MAX + 1) : NULL;
    if (!text) {
        err_set_file(err, "auth.jwt.public_key_file", path, errno);
        if (f)
            fclose(f);
        return NULL;
    }
    *len = fread(text, 1, KEY_FILE_MAX, f);
    text[*len] = '\0';
    fclose(f);
    if (!strstr(text, "-----BEGIN PUBLIC KEY-----")) {
        err_set(err, "auth.jwt.public_key_file: %s is no public key in PEM form", path);
        free(text);
        return NULL;
    }
    return text;
}

/* Lengths in front, so that no two lists of texts look the same. -1: out of memory. */
static int make_tag(struct token_verifier *v)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf b = {0};
    const char *const texts[] = {v->issuer, v->audience};
    buf_addf(&b, "%d %zu ", (int)v->alg, v->key_len);
    buf_add(&b, v->key, v->key_len);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_addf(&b, " %zd %s", texts[i] ? (ssize_t)strlen(texts[i]) : -1,
                 texts[i] ? texts[i] : "");
    bool ok = !b.failed && SHA256((const unsigned char *)b.p, b.len, digest);
    if (ok)
        memcpy(&v->tag, digest, sizeof v->tag);
    if (b.p)
        explicit_bzero(b.p, b.len);
    buf_fini(&b);
    return ok ? 0 : -1;
}

struct token_verifier *token_verifier_new(const struct config *c, struct err *err)
{
    struct token_verifier *v = calloc(1, sizeof *v);
    if (!v) {
        err_set(err, "out of memory");
        return NULL;
    }
    v->alg = alg_of(c->auth.jwt.alg);
    v->issuer = c->auth.jwt.issuer;
    v->audience = c->auth.jwt.audience;
    if (c->auth.jwt.alg == TOKEN_HS256) {
        v->key = strdup(c->auth.jwt.secret);
        v->key_len = strlen(c->auth.jwt.secret);
        err_set(err, "out of memory");
    } else {
        v->key = read_key(c->auth.jwt.public_key_file, &v->key_len, err);
    }
    if (!v->key) {
        free(v);
        return NULL;
    }
    if (make_tag(v) != 0) {
        err_set(err, "out of memory");
        token_verifier_free(v);
        return NULL;
    }
    return v;
}

void token_verifier_free(struct token_verifier *v)
{
    if (!v)
        return;
    explicit_bzero(v->key, v->key_len);
    free(v->key);
    free(v);
}

uint64_t token_verifier_tag(const struct token_verifier *v)
{
    return v->tag;
}

bool token_is_signed(const char *token, size_t len)
{
    size_t dots = 0;
    for (size_t i = 0; i < len; i++)
        dots += token[i] == '.';
    return dots == 2;
}

/* A NumericDate in ms; false: it is there and is none. Absent: *out stays. */
static bool read_date(const json_t *claims, const char *name, int64_t *out)
{
    const json_t *v = json_object_get(claims, name);
    double s = json_number_value(v);
    if (!v)
        return true;
    if (!json_is_number(v) || !isfinite(s) || s < 0 || s > 1e12)
        return false;
    *out = (int64_t)(s * 1000);
    return true;
}

static int check_dates(const json_t *claims, int64_t wall_ms, struct grant *g, struct err *why)
{
    int64_t not_before_ms = 0;
    if (!read_date(claims, "exp", &g->expires_ms) || !read_date(claims, "nbf", &not_before_ms))
        return err_set(why, "exp or nbf is no time");
    if (json_object_get(claims, "exp") && wall_ms >= g->expires_ms)
        return err_set(why, "the token has expired");
    if (not_before_ms > wall_ms + AHEAD_MS)
        return err_set(why, "the token is not valid yet");
    return 0;
}

static bool is_text(const json_t *v, const char *text)
{
    return json_is_string(v) && strcmp(json_string_value(v), text) == 0;
}

static int check_parties(const struct token_verifier *v, const json_t *claims, struct err *why)
{
    const json_t *aud = json_object_get(claims, "aud");
    bool meant = !v->audience || is_text(aud, v->audience);
    for (size_t i = 0; !meant && i < json_array_size(aud); i++)
        meant = is_text(json_array_get(aud, i), v->audience);
    if (!meant)
        return err_set(why, "the token is for somebody else (aud)");
    if (v->issuer && !is_text(json_object_get(claims, "iss"), v->issuer))
        return err_set(why, "the token is from somebody else (iss)");
    return 0;
}

static int read_grant(const json_t *claims, struct grant *g, struct err *why)
{
    const json_t *role = json_object_get(claims, "role"), *sub = json_object_get(claims, "sub");
    const json_t *symbols = json_object_get(claims, "symbols");
    int r = !role ? ROLE_VIEWER : json_is_string(role) ? role_parse(json_string_value(role)) : -1;
    if (r < 0)
        return err_set(why, "role is none of viewer, analyst, admin");
    g->role = (enum role)r;
    if (json_is_string(sub))
        snprintf(g->subject, sizeof g->subject, "%s", json_string_value(sub));
    if (symbols && !(g->symbols = grant_symbols_new(symbols, why)))
        return -1;
    return 0;
}

static int check_claims(const struct token_verifier *v, const char *text, int64_t wall_ms,
                        struct grant *out, struct err *why)
{
    struct grant g = {0};
    json_t *claims = jsonx_parse(text, strlen(text), TOKEN_BYTES_MAX, why);
    int rc = -1;
    if (json_is_object(claims) && check_dates(claims, wall_ms, &g, why) == 0 &&
        check_parties(v, claims, why) == 0)
        rc = read_grant(claims, &g, why);
    json_decref(claims);
    if (rc == 0)
        *out = g;
    return rc;
}

/* Three parts of base64url, none of them empty: libjwt allocates nothing for an empty one and
 * writes a byte there. */
static bool is_well_formed(const char *token)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_";
    for (int part = 0; part < 3; part++) {
        size_t len = strspn(token, alphabet);
        if (len < 2 || token[len] != (part < 2 ? '.' : '\0'))
            return false;
        token += len + 1;
    }
    return true;
}

struct decoding {
    const struct token_verifier *v;
    const char *token;
    jwt_t *jwt; /* NULL: not valid */
};

static void decode(void *ctx)
{
    struct decoding *d = ctx;
    if (jwt_decode(&d->jwt, d->token, (const unsigned char *)d->v->key, (int)d->v->key_len) != 0)
        d->jwt = NULL;
}

int token_verify(const struct token_verifier *v, const char *token, size_t len, int64_t wall_ms,
                 struct grant *out, struct err *why)
{
    char copy[TOKEN_BYTES_MAX + 1];
    int rc = -1;
    if (len > TOKEN_BYTES_MAX || memchr(token, '\0', len))
        return err_set(why, "the token is too long, or has a NUL in it");
    memcpy(copy, token, len);
    copy[len] = '\0';
    struct decoding d = {.v = v, .token = copy};
    if (!is_well_formed(copy))
        return err_set(why, "the token is not three parts of base64url");
    /* Left in the middle, libjwt's own few blocks stay behind: it cannot be told to drop them. */
    if (!json_guard_run(decode, &d))
        return err_set(why, "out of memory");
    if (!d.jwt)
        return err_set(why, "the signature is not valid");
    jwt_t *jwt = d.jwt;
    char *claims = jwt_get_alg(jwt) == v->alg ? jwt_get_grants_json(jwt, NULL) : NULL;
    if (claims)
        rc = check_claims(v, claims, wall_ms, out, why);
    else
        err_set(why, "the token was signed in another way than is configured");
    free(claims);
    jwt_free(jwt);
    return rc;
}

char *token_sign(enum token_alg alg, const char *key, size_t key_len, const char *claims,
                 struct err *err)
{
    jwt_t *jwt = NULL;
    char *signed_text = NULL, *copy = NULL;
    if (jwt_new(&jwt) != 0) {
        err_set(err, "out of memory");
        return NULL;
    }
    if (jwt_set_alg(jwt, alg_of(alg), (const unsigned char *)key, (int)key_len) == 0 &&
        jwt_add_grants_json(jwt, claims) == 0)
        signed_text = jwt_encode_str(jwt);
    if (signed_text)
        copy = strdup(signed_text);
    else
        err_set(err, "it cannot be signed: is this the private key of that algorithm?");
    free(signed_text);
    jwt_free(jwt);
    return copy;
}
