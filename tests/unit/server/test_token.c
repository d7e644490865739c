/* Signed tokens: made here with real keys, read by the verifier, by table. */
#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "seed.h"

static const int64_t NOW_MS = 1767268800000;
static const char SECRET[] = "a secret that is long enough, 32+";

static char *pem_of(EVP_PKEY *key, bool private_key)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(private_key ? PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)
                                 : PEM_write_bio_PUBKEY(b, key),
                     1);
    long len = BIO_get_mem_data(b, &text);
    char *copy = strndup(text, (size_t)len);
    BIO_free(b);
    return copy;
}

/* A pair of keys: the private one as text, the public one in a file. */
struct pair {
    char *private_key, *public_key;
    char path[64];
};

static void pair_init(struct pair *p, EVP_PKEY *key)
{
    assert_non_null(key);
    p->private_key = pem_of(key, true);
    p->public_key = pem_of(key, false);
    EVP_PKEY_free(key);
    strcpy(p->path, "/tmp/pricegate-token-XXXXXX");
    int fd = mkstemp(p->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p->public_key, strlen(p->public_key)), strlen(p->public_key));
    close(fd);
}

static void pair_fini(struct pair *p)
{
    unlink(p->path);
    free(p->private_key);
    free(p->public_key);
}

static struct token_verifier *make(enum token_alg alg, const char *file)
{
    struct config c = {0};
    struct err err = {""};
    c.auth.jwt.alg = alg;
    c.auth.jwt.secret = alg == TOKEN_HS256 ? SECRET : NULL;
    c.auth.jwt.public_key_file = file;
    c.auth.jwt.issuer = "desk";
    c.auth.jwt.audience = "pricegate";
    struct token_verifier *v = token_verifier_new(&c, &err);
    if (!v)
        fail_msg("%s", err.text);
    return v;
}

static char *sign(enum token_alg alg, const char *key, const char *claims)
{
    struct err err = {""};
    char *token = token_sign(alg, key, strlen(key), claims, &err);
    if (!token)
        fail_msg("%s: %s", claims, err.text);
    return token;
}

#define FOR_US "\"iss\":\"desk\",\"aud\":\"pricegate\""

static void claims_by_table(void **state)
{
    static const struct {
        const char *claims, *why; /* why NULL: good */
        enum role role;
    } rows[] = {
        {"{" FOR_US "}",                                       NULL,                                     ROLE_VIEWER },
        {"{" FOR_US ",\"role\":\"analyst\",\"sub\":\"ann\"}",  NULL,                                     ROLE_ANALYST},
        {"{" FOR_US ",\"role\":\"admin\",\"exp\":1767268801}", NULL,                                     ROLE_ADMIN  },
        {"{" FOR_US ",\"exp\":1767268800.5}",                  NULL,                                     ROLE_VIEWER },
        {"{" FOR_US ",\"nbf\":1767268805}",                    NULL,                                     ROLE_VIEWER },
        {"{\"iss\":\"desk\",\"aud\":[\"x\",\"pricegate\"]}",   NULL,                                     ROLE_VIEWER },
        {"{" FOR_US ",\"exp\":1767268800}",                    "the token has expired",                  ROLE_NONE   },
        {"{" FOR_US ",\"exp\":0}",                             "the token has expired",                  ROLE_NONE   },
        {"{" FOR_US ",\"exp\":\"never\"}",                     "exp or nbf is no time",                  ROLE_NONE   },
        {"{" FOR_US ",\"exp\":-1}",                            "exp or nbf is no time",                  ROLE_NONE   },
        {"{" FOR_US ",\"exp\":null}",                          "exp or nbf is no time",                  ROLE_NONE   },
        {"{" FOR_US ",\"exp\":1e300}",                         "exp or nbf is no time",                  ROLE_NONE   },
        {"{" FOR_US ",\"nbf\":1767268806}",                    "the token is not valid yet",             ROLE_NONE   },
        {"{" FOR_US ",\"nbf\":true}",                          "exp or nbf is no time",                  ROLE_NONE   },
        {"{\"iss\":\"other\",\"aud\":\"pricegate\"}",          "the token is from somebody else (iss)",
         ROLE_NONE                                                                                                   },
        {"{\"aud\":\"pricegate\"}",                            "the token is from somebody else (iss)",  ROLE_NONE   },
        {"{\"iss\":\"desk\",\"aud\":\"other\"}",               "the token is for somebody else (aud)",   ROLE_NONE   },
        {"{\"iss\":\"desk\",\"aud\":[\"x\",1]}",               "the token is for somebody else (aud)",   ROLE_NONE   },
        {"{\"iss\":\"desk\",\"aud\":[]}",                      "the token is for somebody else (aud)",   ROLE_NONE   },
        {"{\"iss\":\"desk\"}",                                 "the token is for somebody else (aud)",   ROLE_NONE   },
        {"{" FOR_US ",\"role\":\"root\"}",                     "role is none of viewer, analyst, admin", ROLE_NONE   },
        {"{" FOR_US ",\"role\":3}",                            "role is none of viewer, analyst, admin", ROLE_NONE   },
        {"{" FOR_US ",\"role\":\"none\"}",                     "role is none of viewer, analyst, admin", ROLE_NONE   },
        {"{" FOR_US ",\"symbols\":\"coffee\"}",
         "symbols must be a list of at most 1000 symbols and patterns",                                  ROLE_NONE   },
    };
    (void)state;
    struct token_verifier *v = make(TOKEN_HS256, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct grant g = {0};
        struct err why = {""};
        seed_keep_text("token", rows[i].claims);
        char *token = sign(TOKEN_HS256, SECRET, rows[i].claims);
        int rc = token_verify(v, token, strlen(token), NOW_MS, &g, &why);
        if (rc != (rows[i].why ? -1 : 0) || strcmp(why.text, rows[i].why ? rows[i].why : "") != 0)
            fail_msg("%s: %d %s", rows[i].claims, rc, why.text);
        assert_int_equal(g.role, rows[i].role);
        grant_fini(&g);
        free(token);
    }
    token_verifier_free(v);
}

static void a_grant_says_who_what_and_how_long(void **state)
{
    (void)state;
    struct token_verifier *v = make(TOKEN_HS256, NULL);
    struct grant g = {0};
    struct err why = {""};
    char *token = sign(TOKEN_HS256, SECRET,
                       "{" FOR_US ",\"sub\":\"ann\",\"exp\":1767268860,\"symbols\":[\"coffee\"]}");
    assert_true(token_is_signed(token, strlen(token)));
    assert_int_equal(token_verify(v, token, strlen(token), NOW_MS, &g, &why), 0);
    assert_string_equal(g.subject, "ann");
    assert_int_equal(g.expires_ms, NOW_MS + 60000);
    assert_true(grant_allows(&g, "coffee"));
    assert_false(grant_allows(&g, "cocoa"));
    grant_fini(&g);
    free(token);
    token_verifier_free(v);
}

static int verify(const struct token_verifier *v, const char *token, size_t len)
{
    struct grant g = {0};
    struct err why = {""};
    int rc = token_verify(v, token, len, NOW_MS, &g, &why);
    assert_int_equal(rc != 0, why.text[0] != '\0');
    grant_fini(&g);
    return rc;
}

/* Each byte of a good token changed, and each length cut. */
static void only_the_whole_token_is_one(void **state)
{
    (void)state;
    struct token_verifier *v = make(TOKEN_HS256, NULL);
    char *token = sign(TOKEN_HS256, SECRET, "{" FOR_US "}");
    size_t len = strlen(token);
    assert_int_equal(verify(v, token, len), 0);
    for (size_t i = 0; i + 1 < len; i++) { /* the last one has bits that base64 does not use */
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        if (verify(v, token, len) == 0)
            fail_msg("byte %zu does not matter", i);
        token[i] = was;
    }
    for (size_t n = 0; n + 1 < len; n++)
        assert_int_equal(verify(v, token, n), -1);
    static char endless[TOKEN_BYTES_MAX + 2];
    memset(endless, 'A', sizeof endless - 1);
    assert_int_equal(verify(v, endless, sizeof endless - 1), -1);
    assert_int_equal(verify(v, "a\0b.c.d", 7), -1);
    free(token);
    token_verifier_free(v);
}

/* {"alg":"none"}, with and without a signature behind it. */
static void no_algorithm_is_no_signature(void **state)
{
    static const char *const tokens[] = {
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJkZXNrIiwiYXVkIjoicHJpY2VnYXRlIn0.",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJkZXNrIiwiYXVkIjoicHJpY2VnYXRlIn0.AAAA",
        "eyJhbGciOiJOT05FIn0.eyJpc3MiOiJkZXNrIiwiYXVkIjoicHJpY2VnYXRlIn0.",
        "..",
        "a.b.c",
        "{}.{}.",
    };
    (void)state;
    struct token_verifier *v = make(TOKEN_HS256, NULL);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        assert_int_equal(verify(v, tokens[i], strlen(tokens[i])), -1);
    token_verifier_free(v);
}

static void each_algorithm_reads_its_own(void **state)
{
    (void)state;
    struct pair rsa, ec;
    pair_init(&rsa, EVP_RSA_gen(2048));
    pair_init(&ec, EVP_EC_gen("P-256"));
    struct token_verifier *readers[] = {make(TOKEN_HS256, NULL), make(TOKEN_RS256, rsa.path),
                                        make(TOKEN_ES256, ec.path)};
    char *tokens[] = {
        sign(TOKEN_HS256, SECRET, "{" FOR_US "}"),
        sign(TOKEN_RS256, rsa.private_key, "{" FOR_US "}"),
        sign(TOKEN_ES256, ec.private_key, "{" FOR_US "}"),
        /* What the public key, which everybody may have, can be made to sign. */
        sign(TOKEN_HS256, rsa.public_key, "{" FOR_US ",\"role\":\"admin\"}"),
        sign(TOKEN_HS256, ec.public_key, "{" FOR_US ",\"role\":\"admin\"}"),
    };
    for (size_t r = 0; r < ARRAY_LEN(readers); r++)
        for (size_t t = 0; t < ARRAY_LEN(tokens); t++)
            if (verify(readers[r], tokens[t], strlen(tokens[t])) != (r == t ? 0 : -1))
                fail_msg("reader %zu and token %zu", r, t);
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        free(tokens[i]);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        token_verifier_free(readers[i]);
    pair_fini(&rsa);
    pair_fini(&ec);
}

static void a_key_that_is_none(void **state)
{
    (void)state;
    struct config c = {0};
    struct err err = {""};
    c.auth.jwt.alg = TOKEN_RS256;
    c.auth.jwt.public_key_file = "/nowhere/key.pem";
    assert_null(token_verifier_new(&c, &err));
    assert_string_equal(err.text, "auth.jwt.public_key_file: /nowhere/key.pem: No such file or "
                                  "directory: put it there, or correct the path");
    c.auth.jwt.public_key_file = "/dev/null";
    assert_null(token_verifier_new(&c, &err));
    assert_string_equal(err.text,
                        "auth.jwt.public_key_file: /dev/null is no public key in PEM form");
    assert_null(token_sign(TOKEN_RS256, "no key", 6, "{}", &err));
}

static void keys_do_not_look_like_tokens(void **state)
{
    (void)state;
    assert_false(token_is_signed("pg_0123", 7));
    assert_false(token_is_signed("a.b", 3));
    assert_true(token_is_signed("a.b.c", 5));
    assert_false(token_is_signed("a.b.c.d", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_by_table),
        cmocka_unit_test(a_grant_says_who_what_and_how_long),
        cmocka_unit_test(only_the_whole_token_is_one),
        cmocka_unit_test(no_algorithm_is_no_signature),
        cmocka_unit_test(each_algorithm_reads_its_own),
        cmocka_unit_test(a_key_that_is_none),
        cmocka_unit_test(keys_do_not_look_like_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
