#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "auth.h"

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
        {"admin-1 ",  -1, ROLE_NONE   },
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
        cmocka_unit_test(a_bad_token_is_never_anonymous),
        cmocka_unit_test(tokens_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
