/* token.h - signed tokens (JWT): is this one of ours, still valid, and what does it grant?
 *
 * One algorithm is configured and nothing else is accepted, whatever a token's own header says.
 * Checked are the signature, exp, nbf, and iss and aud where they are configured. The claim `role`
 * is viewer, analyst or admin (absent: viewer), `symbols` limits what may be seen (a list of
 * symbols and patterns; absent: everything), `sub` says who it is. The only file that knows libjwt;
 * nothing of a token is ever logged. */
#ifndef PRICEGATE_TOKEN_H
#define PRICEGATE_TOKEN_H

#include "buf.h"
#include "config.h"
#include "err.h"
#include "grant.h"

#define TOKEN_BYTES_MAX 4096

struct token_verifier;

/* NULL with a sentence: the key's file cannot be read or is no such key. Needs auth.jwt. */
struct token_verifier *token_verifier_new(const struct config *c, struct err *err) MUST_CHECK;
void token_verifier_free(struct token_verifier *v); /* NULL is fine */

/* The same for two verifiers only when they believe the same tokens. */
uint64_t token_verifier_tag(const struct token_verifier *v);

/* Does it look like one (three parts with dots between)? Keys never do. */
bool token_is_signed(const char *token, size_t len);

/* 0 and the grant, which the caller grant_fini()s; -1 with the reason. */
int token_verify(const struct token_verifier *v, const char *token, size_t len, int64_t wall_ms,
                 struct grant *out, struct err *why) MUST_CHECK;

/* Signs claims (a JSON object) for development. key: the secret of HS256, or the PEM text of the
 * private key. The caller frees; NULL with a sentence. */
char *token_sign(enum token_alg alg, const char *key, size_t key_len, const char *claims,
                 struct err *err) MUST_CHECK;

#endif
