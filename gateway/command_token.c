/* command_token.c - a signed token, for development: what an application's own login would issue.
 * Signed with the configured secret, or with a private key whose public half is configured; issuer
 * and audience are those that the gateway will ask for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "grant.h"
#include "settings.h"
#include "token.h"

static const long TTL_S = 3600, TTL_MAX_S = 31536000;
static const size_t KEY_FILE_MAX = 65536;

/* -1 after the reason was printed. */
static long ttl_of(const char *text)
{
    char *end;
    long s = text ? strtol(text, &end, 10) : TTL_S;
    if (!text || (*text && !*end && s >= 1 && s <= TTL_MAX_S))
        return s;
    fprintf(stderr, "pricegate: --ttl: %s is not 1..%ld seconds\n", text, TTL_MAX_S);
    return -1;
}

/* The key to sign with. The caller frees; NULL after the reason was printed. */
static char *key_of(const struct config *c, const char *path)
{
    if (c->auth.jwt.alg == TOKEN_HS256)
        return strdup(c->auth.jwt.secret);
    if (!path) {
        fprintf(stderr, "pricegate: --private-key FILE is needed: tokens are signed with %s here\n",
                c->auth.jwt.alg == TOKEN_RS256 ? "RS256" : "ES256");
        return NULL;
    }
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, KEY_FILE_MAX + 1) : NULL;
    if (!text || fread(text, 1, KEY_FILE_MAX, f) == 0) {
        fprintf(stderr, "pricegate: %s: %s\n", path, f ? "empty" : strerror(errno));
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

/* Consumes symbols. */
static char *claims_of(const struct config *c, const char *name, enum role role, json_t *symbols,
                       long ttl_s)
{
    json_int_t now_s = clock_wall_ms() / 1000;
    json_t *claims = json_pack("{s:s, s:I, s:I, s:s*, s:s*, s:s*, s:o*}", "role", role_name(role),
                               "iat", now_s, "exp", now_s + ttl_s, "sub", name, "iss",
                               c->auth.jwt.issuer, "aud", c->auth.jwt.audience, "symbols", symbols);
    char *text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
    json_decref(claims);
    return text;
}

static int sign(const struct config *c, const char *key, const char *claims)
{
    struct err err = {"out of memory"};
    char *token = claims ? token_sign(c->auth.jwt.alg, key, strlen(key), claims, &err) : NULL;
    if (token)
        printf("%s\n", token);
    else
        fprintf(stderr, "pricegate: %s\n", err.text);
    free(token);
    return token ? 0 : 1;
}

int command_token(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    enum role role;
    json_t *symbols = NULL;
    char *key = NULL, *claims = NULL;
    int exit_code = 1;
    long ttl_s = ttl_of(o->ttl);
    if (ttl_s < 0 || command_limits(o, &role, &symbols) != 0)
        return 2;
    struct config *c = settings_load(o, origin);
    if (!c)
        goto out;
    if (c->auth.jwt.alg == TOKEN_NONE) {
        fprintf(stderr, "pricegate: %s: auth.jwt is not configured, so no token would be taken\n",
                origin);
        goto out;
    }
    key = key_of(c, o->private_key);
    if (!key)
        goto out;
    claims = claims_of(c, o->args_len > 0 ? o->args[0] : NULL, role, json_incref(symbols), ttl_s);
    exit_code = sign(c, key, claims);
out:
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    free(claims);
    json_decref(symbols);
    config_free(c);
    return exit_code;
}
