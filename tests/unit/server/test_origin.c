#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "origin.h"
#include "seed.h"

static const char *const listed[] = {"https://app.example.com", "http://dash.example:3000"};

struct origin_case {
    const char *origin, *host;
    bool tls, allowed;
};

static const struct origin_case cases[] = {
  /* the own host */
    {"http://127.0.0.1:8080",        "127.0.0.1:8080",   false, true },
    {"http://localhost:8080",        "localhost:8080",   false, true },
    {"HTTP://LocalHost:8080",        "localhost:8080",   false, true },
    {"http://localhost:8080",        "LOCALHOST:8080",   false, true },
    {"http://[::1]:8080",            "[::1]:8080",       false, true },
    {"http://gate.example",          "gate.example",     false, true },
    {"http://gate.example:80",       "gate.example",     false, true },
    {"http://gate.example",          "gate.example:80",  false, true },
    {"https://gate.example",         "gate.example",     true,  true },
    {"https://gate.example:443",     "gate.example",     true,  true },
    {"https://gate.example",         "gate.example:443", true,  true },
 /* a proxy before us speaks TLS */
    {"https://gate.example",         "gate.example",     false, true },
 /* nearly the own host */
    {"http://gate.example",          "gate.example",     true,  false},
    {"http://gate.example:81",       "gate.example",     false, false},
    {"http://127.0.0.1:8081",        "127.0.0.1:8080",   false, false},
    {"http://127.0.0.1",             "127.0.0.1:8080",   false, false},
    {"http://gate.example.evil.com", "gate.example",     false, false},
    {"http://evilgate.example",      "gate.example",     false, false},
    {"http://gate.example.",         "gate.example",     false, false},
    {"http://localhost:8080",        NULL,               false, false},
 /* listed */
    {"https://app.example.com",      "gate.example",     false, true },
    {"https://APP.example.com:443",  "gate.example",     true,  true },
    {"http://dash.example:3000",     "gate.example",     false, true },
    {"http://app.example.com",       "gate.example",     false, false},
    {"https://dash.example:3000",    "gate.example",     false, false},
    {"http://dash.example",          "gate.example",     false, false},
 /* not an origin */
    {"",                             "gate.example",     false, false},
    {"null",                         "gate.example",     false, false},
    {"null",                         "null",             false, false},
    {"gate.example",                 "gate.example",     false, false},
    {"http://",                      "gate.example",     false, false},
    {"http://gate.example/",         "gate.example",     false, false},
    {"http://gate.example#x",        "gate.example",     false, false},
    {"http://u@gate.example",        "gate.example",     false, false},
    {"http://gate.example:",         "gate.example",     false, false},
    {"http://gate.example:0",        "gate.example",     false, false},
    {"http://gate.example:65536",    "gate.example",     false, false},
    {"http://gate.example:8o",       "gate.example",     false, false},
    {"http://gate.example,http://b", "gate.example",     false, false},
    {"http://gate.example http://b", "gate.example",     false, false},
    {" http://gate.example",         "gate.example",     false, false},
    {"ws://gate.example",            "gate.example",     false, false},
    {"chrome-extension://abc",       "abc",              false, false},
    {"http://[::1",                  "[::1]",            false, false},
    {"http://[::1]x",                "[::1]",            false, false},
};

static void keep_seed(const struct origin_case *c)
{
    char text[300];
    snprintf(text, sizeof text, "%s\n%s\n%s", c->host ? c->host : "", c->origin, listed[0]);
    seed_keep_text("caller", text);
}

static void each_origin_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct origin_rule rule = {cases[i].host, cases[i].tls, listed, ARRAY_LEN(listed)};
        keep_seed(&cases[i]);
        if (origin_allowed(cases[i].origin, &rule) != cases[i].allowed)
            fail_msg("\"%s\" at host %s", cases[i].origin, cases[i].host ? cases[i].host : "-");
    }
}

static void a_long_origin_is_refused(void **state)
{
    (void)state;
    char origin[400] = "http://";
    const struct origin_rule rule = {"gate.example", false, listed, ARRAY_LEN(listed)};
    memset(origin + 7, 'a', 300);
    assert_false(origin_allowed(origin, &rule));
}

static void cors_is_for_listed_ones_only(void **state)
{
    (void)state;
    const struct origin_rule rule = {"gate.example", false, listed, ARRAY_LEN(listed)};
    assert_false(origin_listed("http://gate.example", &rule));
    assert_true(origin_listed("https://app.example.com", &rule));
    assert_false(origin_listed("null", &rule));
}

static void authorities_are_taken_apart(void **state)
{
    (void)state;
    struct authority a;
    assert_int_equal(authority_parse("Host:81", 7, &a), 0);
    assert_string_equal(a.host, "host");
    assert_int_equal(a.port, 81);
    assert_int_equal(authority_parse("[2001:DB8::1]", 13, &a), 0);
    assert_string_equal(a.host, "2001:db8::1");
    assert_int_equal(a.port, 0);
    static const char *const bad[] = {"", ":80", "a b", "a/b", "a:b", "a:1:2", "[]", "a,b", "a\tb"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(authority_parse(bad[i], strlen(bad[i]), &a), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_origin_is_judged),
        cmocka_unit_test(a_long_origin_is_refused),
        cmocka_unit_test(cors_is_for_listed_ones_only),
        cmocka_unit_test(authorities_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
