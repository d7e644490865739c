#include "auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "origin.h"
#include "server.h"

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
    return c->auth.keys_len == 0 && address_is_loopback(&caller->peer) && !caller->forwarded &&
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

/* Every key is compared, and each in constant time: neither the answer's time nor its form tells
 * which key was nearly right. */
int auth_check_token(void *ctx, const char *token, size_t len, enum role *role)
{
    const struct config *c = ctx;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    int found = -1;
    *role = ROLE_NONE;
    if (len == 0 || !SHA256((const unsigned char *)token, len, digest))
        return -1;
    for (size_t i = 0; i < c->auth.keys_len; i++)
        if (CRYPTO_memcmp(digest, c->auth.keys[i].sha256, sizeof digest) == 0) {
            found = 0;
            if (c->auth.keys[i].role > *role)
                *role = c->auth.keys[i].role;
        }
    return found;
}

int auth_role(const struct config *c, const struct caller *caller, const char *token,
              enum role *role)
{
    if (token) {
        union {
            const struct config *in;
            void *out;
        } ctx = {c}; /* only read */
        return auth_check_token(ctx.out, token, strlen(token), role);
    }
    *role = auth_is_local(c, caller) ? ROLE_ADMIN : c->auth.anonymous_role;
    return 0;
}
