/* auth.h - who is asking, and what that allows.
 *
 * A caller is granted something in one of three ways: a token that is one of the configured keys,
 * or is signed (token.h); being local (see auth_is_local); or the anonymous role. A token that is
 * wrong is refused, never treated as no token: a mistyped key must not silently show less. */
#ifndef PRICEGATE_AUTH_H
#define PRICEGATE_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "config.h"
#include "err.h"
#include "grant.h"

/* What a request says about where it comes from. NULL = the header is absent. */
struct caller {
    struct address peer; /* of the TCP connection */
    bool tls;
    const char *host, *origin;
    bool forwarded; /* any of Forwarded, X-Forwarded-*, Via */
};

struct auth;

/* Reads the key of signed tokens, if there is one; borrows the configuration. NULL with a sentence.
 */
struct auth *auth_new(const struct config *c, struct err *err) MUST_CHECK;
void auth_free(struct auth *a); /* NULL is fine */

/* Absent, or of the own host, or listed. */
bool auth_origin_ok(const struct config *c, const struct caller *caller);

/* With neither keys nor signed tokens configured, a request from loopback, without Forwarded,
 * X-Forwarded-* or Via, whose Host is localhost, a loopback literal or listen.host, and without a
 * foreign Origin: the person at this machine. The Host rule is what stops a foreign page that had
 * its own name resolve to 127.0.0.1. */
bool auth_is_local(const struct config *c, const struct caller *caller);

/* The token of a request: behind "Bearer " in the Authorization header, else the query's. NULL when
 * there is none; "" when there is something that cannot be one (another scheme, nothing behind
 * Bearer), which then is a bad token. */
const char *auth_token(const char *authorization, const char *query_token);

/* What a caller with this token (NULL = none) may do: 0 and the grant, which the caller
 * grant_fini()s, or -1 for a bad token. */
int auth_grant(const struct auth *a, const struct caller *caller, const char *token,
               int64_t wall_ms, struct grant *out) MUST_CHECK;
/* Of the token alone. Has fanout_ports.authenticate's form; ctx is the struct auth *. */
int auth_check_token(void *ctx, const char *token, size_t len, int64_t wall_ms, struct grant *out);

/* What is left of a grant that was given under an earlier configuration: 0 and today's, which the
 * caller grant_fini()s, or -1 when what it rested on is gone (the key is no longer configured,
 * tokens are signed by another key), now or already before. What a token itself says stays; a key
 * is looked up again. Has fanout_ports.authenticate's ctx. */
int auth_renew(void *ctx, const struct grant *old, struct grant *out);

#endif
