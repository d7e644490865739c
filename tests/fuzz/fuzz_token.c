/* Signed tokens: whatever comes is refused with a sentence, and claims that were signed with the
 * right key grant no more than they say. */
#include <stdlib.h>

#include "fuzz.h"
#include "token.h"

static const int64_t NOW_MS = 1767268800000;
static const char SECRET[] = "a secret that is long enough, 32+";

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

static void check(const struct token_verifier *v, const char *token, size_t len, bool signed_here)
{
    struct grant g = {0};
    struct err why = {""};
    int rc = token_verify(v, token, len, NOW_MS, &g, &why);
    CHECK(signed_here || rc == -1);
    if (rc == 0) {
        CHECK(g.role >= ROLE_VIEWER && g.role <= ROLE_ADMIN);
        CHECK(g.expires_ms == 0 || g.expires_ms > NOW_MS);
        CHECK(memchr(g.subject, '\0', sizeof g.subject));
        (void)grant_allows(&g, "coffee");
    } else {
        CHECK(rc == -1 && fuzz_is_sentence(&why));
        CHECK(g.role == ROLE_NONE && !g.symbols);
    }
    grant_fini(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config c = {0};
    struct err err = {""};
    c.auth.jwt.alg = TOKEN_HS256;
    c.auth.jwt.secret = SECRET;
    c.auth.jwt.audience = "pricegate";
    struct token_verifier *v = token_verifier_new(&c, &err);
    char *text = fuzz_text(data, size), *bytes = fuzz_bytes(data, size);
    check(v, bytes, size, false);
    char *token = token_sign(TOKEN_HS256, SECRET, strlen(SECRET), text, &err);
    if (token)
        check(v, token, strlen(token), true);
    free(token);
    free(text);
    free(bytes);
    token_verifier_free(v);
    return 0;
}
