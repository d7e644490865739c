#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "auth.h"
#include "token.h"

static const char *const origins[] = {"https://app.example.com"};

static struct config make_config(const struct config_key *keys, size_t n)
{
    struct config c = {0};
    c.listen.host = "gate.lan";
    c.auth.anonymous_role = ROLE_VIEWER;
    c.auth.keys = keys;
    c.auth.keys_len = n;
    c.origins = origins;
    c.origins_len = 1;
    return c;
}

static const int64_t NOW_MS = 1767268800000;

static struct auth *make_auth(const struct config *c)
{
    struct err err = {""};
    struct auth *a = auth_new(c, &err);
    assert_non_null(a);
    return a;
}

static struct address parse(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(text, strlen(text), &a), 0);
    return a;
}

struct local_case {
    const char *peer, *host, *origin;
    bool forwarded, local;
};

static void who_is_local(void **state)
{
    (void)state;
    static const struct local_case cases[] = {
        {"127.0.0.1",   "localhost",      NULL,                      false, true },
        {"127.0.0.1",   "localhost:8080", NULL,                      false, true },
        {"127.0.0.1",   "LOCALHOST:8080", NULL,                      false, true },
        {"127.0.0.1",   "127.0.0.1:8080", NULL,                      false, true },
        {"127.0.0.5",   "127.0.0.9",      NULL,                      false, true },
        {"::1",         "[::1]:8080",     NULL,                      false, true },
        {"127.0.0.1",   "gate.lan:8080",  NULL,                      false, true },
        {"127.0.0.1",   "Gate.LAN",       NULL,                      false, true },
        {"127.0.0.1",   "localhost:8080", "http://localhost:8080",   false, true },
        {"127.0.0.1",   "localhost:8080", "https://app.example.com", false, true },
 /* each condition alone */
        {"192.168.1.5", "localhost:8080", NULL,                      false, false},
        {"127.0.0.1",   "localhost:8080", NULL,                      true,  false},
        {"127.0.0.1",   "evil.example",   NULL,                      false, false},
        {"127.0.0.1",   "localhost.evil", NULL,                      false, false},
        {"127.0.0.1",   "192.168.1.5",    NULL,                      false, false},
        {"127.0.0.1",   NULL,             NULL,                      false, false},
        {"127.0.0.1",   "",               NULL,                      false, false},
        {"127.0.0.1",   "localhost:8080", "http://evil.example",     false, false},
        {"127.0.0.1",   "localhost:8080", "http://localhost:9999",   false, false},
        {"127.0.0.1",   "localhost:8080", "null",                    false, false},
        {"127.0.0.1",   "localhost:8080", "",                        false, false},
    };
    struct config c = make_config(NULL, 0);
    struct auth *a = make_auth(&c);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct caller caller = {.peer = parse(cases[i].peer),
                                      .host = cases[i].host,
                                      .origin = cases[i].origin,
                                      .forwarded = cases[i].forwarded};
        struct grant grant;
        if (auth_is_local(&c, &caller) != cases[i].local)
            fail_msg("case %zu: %s", i, cases[i].host ? cases[i].host : "no host");
        assert_int_equal(auth_grant(a, &caller, NULL, NOW_MS, &grant), 0);
        assert_int_equal(grant.role, cases[i].local ? ROLE_ADMIN : ROLE_VIEWER);
    }
    auth_free(a);
}

static void nobody_is_local_where_there_are_keys(void **state)
{
    (void)state;
    static const struct config_key key = {.name = "k", .role = ROLE_ADMIN};
    struct config c = make_config(&key, 1);
    const struct caller caller = {.peer = parse("127.0.0.1"), .host = "localhost"};
    struct auth *a = make_auth(&c);
    struct grant grant;
    assert_false(auth_is_local(&c, &caller));
    c.auth.anonymous_role = ROLE_NONE;
    assert_int_equal(auth_grant(a, &caller, NULL, NOW_MS, &grant), 0);
    assert_int_equal(grant.role, ROLE_NONE);
    auth_free(a);
    c = make_config(NULL, 0);
    assert_true(auth_is_local(&c, &caller));
    c.auth.jwt.alg = TOKEN_HS256; /* nor where tokens are signed */
    assert_false(auth_is_local(&c, &caller));
}

static struct config_key make_key(const char *name, enum role role, const char *secret)
{
    struct config_key k = {.name = name, .role = role};
    SHA256((const unsigned char *)secret, strlen(secret), k.sha256);
    return k;
}

static void keys_give_their_role(void **state)
{
    (void)state;
    const struct config_key keys[] = {
        make_key("desk", ROLE_VIEWER, "viewer-1"),
        make_key("desk", ROLE_ANALYST, "analyst-1"),
        make_key("ops", ROLE_ADMIN, "admin-1"),
    };
    static const struct {
        const char *token;
        int rc;
        enum role role;
    } cases[] = {
        {"viewer-1",  0,  ROLE_VIEWER },
        {"analyst-1", 0,  ROLE_ANALYST},
        {"admin-1",   0,  ROLE_ADMIN  },
        {"admin-2",   -1, ROLE_NONE   },
        {"",          -1, ROLE_NONE   },
        {"Bearer x",  -1, ROLE_NONE   },
    };
    struct config c = make_config(keys, ARRAY_LEN(keys));
    struct auth *a = make_auth(&c);
    const struct caller caller = {.peer = parse("203.0.113.1"), .host = "gate.lan"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *token = cases[i].token;
        struct grant grant;
        assert_int_equal(auth_check_token(a, token, strlen(token), NOW_MS, &grant), cases[i].rc);
        assert_int_equal(grant.role, cases[i].role);
        assert_int_equal(auth_grant(a, &caller, token, NOW_MS, &grant), cases[i].rc);
    }
    struct grant grant; /* blanks behind a header are no part of it; a message has none to spare */
    assert_int_equal(auth_grant(a, &caller, "admin-1 \t", NOW_MS, &grant), 0);
    assert_int_equal(auth_grant(a, &caller, " ", NOW_MS, &grant), -1);
    assert_int_equal(auth_check_token(a, "admin-1 ", 8, NOW_MS, &grant), -1);
    auth_free(a);
}

static void a_key_may_be_for_some_symbols(void **state)
{
    (void)state;
    static const char *const some[] = {"coffee", "EUR/*"};
    struct config_key key = make_key("desk", ROLE_VIEWER, "secret");
    key.symbols = some;
    key.symbols_len = ARRAY_LEN(some);
    struct config c = make_config(&key, 1);
    struct auth *a = make_auth(&c);
    struct grant grant;
    assert_int_equal(auth_check_token(a, "secret", 6, NOW_MS, &grant), 0);
    assert_string_equal(grant.subject, "desk");
    assert_true(grant_allows(&grant, "coffee") && grant_allows(&grant, "EUR/USD"));
    assert_false(grant_allows(&grant, "cocoa") || grant_allows(&grant, "EUR"));
    auth_free(a); /* the grant lives on */
    assert_false(grant_allows(&grant, "cocoa"));
    grant_fini(&grant);
    assert_int_equal(grant.role, ROLE_NONE);
}

static void the_anonymous_see_as_late_as_their_role(void **state)
{
    (void)state;
    static const struct config_key key = {.name = "k", .role = ROLE_ADMIN};
    struct config c = make_config(&key, 1);
    c.auth.delay_s.viewer = 900;
    const struct caller caller = {.peer = parse("127.0.0.1"), .host = "localhost"};
    struct auth *a = make_auth(&c);
    struct grant grant;
    assert_int_equal(auth_grant(a, &caller, NULL, NOW_MS, &grant), 0);
    assert_int_equal(grant.role, ROLE_VIEWER);
    assert_int_equal(grant.delay_s, 900);
    auth_free(a);
    c.auth.keys_len = 0; /* and who is local sees the market as it is */
    a = make_auth(&c);
    assert_int_equal(auth_grant(a, &caller, NULL, NOW_MS, &grant), 0);
    assert_int_equal(grant.role, ROLE_ADMIN);
    assert_int_equal(grant.delay_s, 0);
    auth_free(a);
}

/* --- under another configuration --- */

static int renew(struct auth *a, const struct grant *old, enum role role, int64_t delay_s)
{
    struct grant now;
    if (auth_renew(a, old, &now) != 0)
        return -1;
    assert_int_equal(now.role, role);
    assert_int_equal(now.delay_s, delay_s);
    grant_fini(&now);
    return 0;
}

static void a_key_is_looked_up_again(void **state)
{
    (void)state;
    const struct config_key before[] = {make_key("desk", ROLE_VIEWER, "one"),
                                        make_key("desk", ROLE_VIEWER, "two"),
                                        make_key("ops", ROLE_ADMIN, "three")};
    struct config_key after[] = {make_key("other", ROLE_VIEWER, "two"),
                                 make_key("desk", ROLE_ANALYST, "one"),
                                 make_key("ops", ROLE_ADMIN, "four")};
    after[1].delay_s = 5;
    struct config c = make_config(before, ARRAY_LEN(before));
    struct config d = make_config(after, ARRAY_LEN(after));
    struct auth *a = make_auth(&c), *b = make_auth(&d);
    struct grant one, two, three;
    assert_int_equal(auth_check_token(a, "one", 3, NOW_MS, &one), 0);
    assert_int_equal(auth_check_token(a, "two", 3, NOW_MS, &two), 0);
    assert_int_equal(auth_check_token(a, "three", 5, NOW_MS, &three), 0);
    assert_int_equal(renew(a, &one, ROLE_VIEWER, 0), 0);
    assert_int_equal(renew(b, &one, ROLE_ANALYST, 5), 0);
    assert_int_equal(renew(b, &two, 0, 0), -1);   /* its holder is somebody else now */
    assert_int_equal(renew(b, &three, 0, 0), -1); /* the name alone is nothing */
    auth_free(a);
    auth_free(b);
}

static void a_token_holds_as_long_as_its_signature_does(void **state)
{
    (void)state;
    struct config c = make_config(NULL, 0);
    c.auth.jwt.alg = TOKEN_HS256;
    c.auth.jwt.secret = "0123456789abcdef0123456789abcdef";
    static const char claims[] = "{\"role\":\"analyst\",\"exp\":4000000000}";
    struct err err = {""};
    char *token =
        token_sign(TOKEN_HS256, c.auth.jwt.secret, strlen(c.auth.jwt.secret), claims, &err);
    assert_non_null(token);
    struct auth *a = make_auth(&c);
    struct grant grant;
    assert_int_equal(auth_check_token(a, token, strlen(token), NOW_MS, &grant), 0);
    struct config same = c;
    same.auth.delay_s.analyst = 7;
    struct auth *b = make_auth(&same);
    assert_int_equal(renew(b, &grant, ROLE_ANALYST, 7), 0);
    auth_free(b);
    const struct {
        enum token_alg alg;
        const char *secret, *issuer, *audience;
    } others[] = {
        {TOKEN_HS256, "0123456789abcdef0123456789abcdeX", NULL, NULL},
        {TOKEN_HS256, "0123456789abcdef0123456789abcdef", "us", NULL},
        {TOKEN_HS256, "0123456789abcdef0123456789abcdef", NULL, "us"},
        {TOKEN_NONE,  NULL,                               NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct config d = c;
        d.auth.jwt.alg = others[i].alg;
        d.auth.jwt.secret = others[i].secret;
        d.auth.jwt.issuer = others[i].issuer;
        d.auth.jwt.audience = others[i].audience;
        b = make_auth(&d);
        if (renew(b, &grant, 0, 0) != -1)
            fail_msg("case %zu", i);
        auth_free(b);
    }
    grant_fini(&grant);
    auth_free(a);
    free(token);
}

static void who_was_local_is_not_where_there_are_keys(void **state)
{
    (void)state;
    const struct grant local = {.role = ROLE_ADMIN, .by = GRANT_BY_BEING_LOCAL};
    const struct grant anybody = {.role = ROLE_VIEWER}, ended = {.by = GRANT_ENDED};
    const struct config_key key = make_key("k", ROLE_ADMIN, "k");
    struct config c = make_config(NULL, 0), d = make_config(&key, 1);
    d.auth.delay_s.viewer = 3;
    struct auth *a = make_auth(&c), *b = make_auth(&d);
    assert_int_equal(renew(a, &local, ROLE_ADMIN, 0), 0);
    assert_int_equal(renew(b, &local, ROLE_VIEWER, 3), 0);
    assert_int_equal(renew(b, &anybody, ROLE_VIEWER, 3), 0);
    assert_int_equal(renew(b, &ended, 0, 0), -1); /* who had a token is not just anybody */
    d.auth.anonymous_role = ROLE_NONE;
    assert_int_equal(renew(b, &anybody, ROLE_NONE, 0), 0);
    auth_free(a);
    auth_free(b);
}

static void a_bad_token_is_never_anonymous(void **state)
{
    (void)state;
    struct config c = make_config(NULL, 0);
    const struct caller caller = {.peer = parse("127.0.0.1"), .host = "localhost"};
    struct auth *a = make_auth(&c);
    struct grant grant;
    assert_int_equal(auth_grant(a, &caller, "guess", NOW_MS, &grant), -1);
    assert_int_equal(grant.role, ROLE_NONE);
    assert_int_equal(auth_grant(a, &caller, "a.b.c", NOW_MS, &grant), -1); /* nothing is signed */
    auth_free(a);
}

static void tokens_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *header, *query, *token;
    } cases[] = {
        {NULL,          NULL, NULL },
        {NULL,          "q",  "q"  },
        {NULL,          "",   ""   },
        {"Bearer abc",  NULL, "abc"},
        {"bearer abc",  "q",  "abc"},
        {"Bearer  abc", NULL, "abc"},
        {"Bearer ",     "q",  ""   },
        {"Bearer",      "q",  ""   },
        {"Basic abc",   "q",  ""   },
        {"Bearerabc",   NULL, ""   },
        {"",            NULL, ""   },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *token = auth_token(cases[i].header, cases[i].query);
        if (!cases[i].token)
            assert_null(token);
        else
            assert_string_equal(token, cases[i].token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_local),
        cmocka_unit_test(nobody_is_local_where_there_are_keys),
        cmocka_unit_test(keys_give_their_role),
        cmocka_unit_test(a_key_may_be_for_some_symbols),
        cmocka_unit_test(the_anonymous_see_as_late_as_their_role),
        cmocka_unit_test(a_key_is_looked_up_again),
        cmocka_unit_test(a_token_holds_as_long_as_its_signature_does),
        cmocka_unit_test(who_was_local_is_not_where_there_are_keys),
        cmocka_unit_test(a_bad_token_is_never_anonymous),
        cmocka_unit_test(tokens_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
