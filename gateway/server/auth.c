#include "auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "origin.h"
#include "token.h"

/* Every key is compared, and each in constant time: neither the answer's time nor its form tells
 * which key was nearly right. */
struct auth {
    const struct config *config;
    struct token_verifier *verifier; /* NULL: there are no signed tokens */
    uint64_t verifier_tag;
    struct grant keys[]; /* what each of config.auth.keys grants */
};

static int make_key(const struct config *c, const struct config_key *k, struct grant *g)
{
    g->role = k->role;
    g->by = GRANT_BY_KEY;
    memcpy(&g->tag, k->sha256, sizeof g->tag);
    g->delay_s = k->delay_s >= 0 ? k->delay_s : config_role_delay_s(c, k->role);
    snprintf(g->subject, sizeof g->subject, "%s", k->name);
    if (k->symbols && !(g->symbols = grant_symbols_from(k->symbols, k->symbols_len)))
        return -1;
    return 0;
}

struct auth *auth_new(const struct config *c, struct err *err)
{
    struct auth *a = calloc(1, sizeof *a + c->auth.keys_len * sizeof a->keys[0]);
    if (!a) {
        err_set(err, "out of memory");
        return NULL;
    }
    a->config = c;
    for (size_t i = 0; i < c->auth.keys_len; i++)
        if (make_key(c, &c->auth.keys[i], &a->keys[i]) != 0) {
            err_set(err, "out of memory");
            auth_free(a);
            return NULL;
        }
    if (c->auth.jwt.alg != TOKEN_NONE && !(a->verifier = token_verifier_new(c, err))) {
        auth_free(a);
        return NULL;
    }
    if (a->verifier)
        a->verifier_tag = token_verifier_tag(a->verifier);
    return a;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->config->auth.keys_len; i++)
        grant_fini(&a->keys[i]);
    token_verifier_free(a->verifier);
    free(a);
}

static struct origin_rule rule_of(const struct config *c, const struct caller *caller)
{
    return (struct origin_rule){caller->host, caller->tls, c->origins, c->origins_len};
}

bool auth_origin_ok(const struct config *c, const struct caller *caller)
{
    struct origin_rule rule = rule_of(c, caller);
    return !caller->origin || origin_allowed(caller->origin, &rule);
}

static bool is_local_host(const struct config *c, const char *host)
{
    struct authority a, own;
    struct address literal;
    if (!host || authority_parse(host, strlen(host), &a) != 0)
        return false;
    if (strcmp(a.host, "localhost") == 0)
        return true;
    if (address_parse(a.host, strlen(a.host), &literal) == 0 && address_is_loopback(&literal))
        return true;
    /* listen.host may be an IPv6 literal, which has no brackets there. */
    if (strcasecmp(a.host, c->listen.host) == 0)
        return true;
    return authority_parse(c->listen.host, strlen(c->listen.host), &own) == 0 &&
           strcmp(a.host, own.host) == 0;
}

bool auth_is_local(const struct config *c, const struct caller *caller)
{
    return c->auth.keys_len == 0 && c->auth.jwt.alg == TOKEN_NONE &&
           address_is_loopback(&caller->peer) && !caller->forwarded &&
           is_local_host(c, caller->host) && auth_origin_ok(c, caller);
}

const char *auth_token(const char *authorization, const char *query_token)
{
    if (!authorization)
        return query_token;
    if (strncasecmp(authorization, "Bearer", 6) != 0 || authorization[6] != ' ')
        return "";
    return authorization + 6 + strspn(authorization + 6, " ");
}

static const struct grant *check_keys(const struct auth *a, const char *token, size_t len)
{
    const struct config *c = a->config;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const struct grant *found = NULL;
    if (!SHA256((const unsigned char *)token, len, digest))
        return NULL;
    for (size_t i = 0; i < c->auth.keys_len; i++)
        if (CRYPTO_memcmp(digest, c->auth.keys[i].sha256, sizeof digest) == 0)
            found = &a->keys[i];
    return found;
}

static int verify(const struct auth *a, const char *token, size_t len, int64_t wall_ms,
                  struct grant *out)
{
    struct err why; /* not told: a forger learns nothing from it */
    if (token_verify(a->verifier, token, len, wall_ms, out, &why) != 0)
        return -1;
    out->delay_s = config_role_delay_s(a->config, out->role);
    out->by = GRANT_BY_TOKEN;
    out->tag = a->verifier_tag;
    return 0;
}

int auth_check_token(void *ctx, const char *token, size_t len, int64_t wall_ms, struct grant *out)
{
    const struct auth *a = ctx;
    *out = (struct grant){0};
    if (len == 0)
        return -1;
    if (a->verifier && token_is_signed(token, len))
        return verify(a, token, len, wall_ms, out);
    const struct grant *found = check_keys(a, token, len);
    if (!found)
        return -1;
    *out = grant_ref(found);
    return 0;
}

/* Without the blanks behind a header's value, which are no part of it; the library leaves them. */
static size_t length_of(const char *token)
{
    size_t len = strlen(token);
    while (len > 0 && (token[len - 1] == ' ' || token[len - 1] == '\t'))
        len--;
    return len;
}

int auth_grant(const struct auth *a, const struct caller *caller, const char *token,
               int64_t wall_ms, struct grant *out)
{
    if (token) {
        union {
            const struct auth *in;
            void *out;
        } ctx = {a}; /* only read */
        return auth_check_token(ctx.out, token, length_of(token), wall_ms, out);
    }
    bool local = auth_is_local(a->config, caller);
    *out = (struct grant){.role = local ? ROLE_ADMIN : a->config->auth.anonymous_role,
                          .by = local ? GRANT_BY_BEING_LOCAL : GRANT_BY_NOTHING};
    out->delay_s = config_role_delay_s(a->config, out->role);
    return 0;
}

static int renew_key(const struct auth *a, const struct grant *old, struct grant *out)
{
    for (size_t i = 0; i < a->config->auth.keys_len; i++)
        if (a->keys[i].tag == old->tag && strcmp(a->keys[i].subject, old->subject) == 0) {
            *out = grant_ref(&a->keys[i]);
            return 0;
        }
    return -1;
}

int auth_renew(void *ctx, const struct grant *old, struct grant *out)
{
    const struct auth *a = ctx;
    const struct config *c = a->config;
    *out = (struct grant){0};
    switch (old->by) {
    case GRANT_BY_KEY:
        return renew_key(a, old, out);
    case GRANT_BY_TOKEN:
        if (!a->verifier || a->verifier_tag != old->tag)
            return -1;
        *out = grant_ref(old);
        out->delay_s = config_role_delay_s(c, out->role);
        return 0;
    case GRANT_BY_BEING_LOCAL:
        if (c->auth.keys_len == 0 && c->auth.jwt.alg == TOKEN_NONE) {
            *out = grant_ref(old);
            return 0;
        }
        break;
    case GRANT_ENDED: /* who had a token is not taken for one who had none */
        return -1;
    case GRANT_BY_NOTHING:
        break;
    }
    out->role = c->auth.anonymous_role;
    out->delay_s = config_role_delay_s(c, out->role);
    return 0;
}
