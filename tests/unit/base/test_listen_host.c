/* What may stand in listen.host, and what it is called in a URL. */
#include "listen_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_may_be_listened_on(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {
        {"127.0.0.1",        true },
        {"localhost",        true },
        {"a-b_c.example",    true },
        {"::",               true },
        {"::1",              true },
        {"[::1]",            true },
        {"fe80::1%eth0",     true },
        {"[fe80::1%eth0]",   true },
        {"::ffff:127.0.0.1", true },
        {"unix:/run/x.sock", true },
        {"unix:///run/x",    true },
        {"127.0.0.1:8080",   false},
        {"localhost:80",     false},
        {"[::1]:80",         false},
        {"[::1",             false},
        {"::1]",             false},
        {"[localhost]",      false},
        {"fe80::1%",         false},
        {"1:2",              false},
        {"*",                false},
        {"http://x",         false},
        {"unix:",            false},
        {"unix:x.sock",      false},
        {"unix:@abstract",   false},
        {"unix:/",           false},
        {"unix:/run/",       false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!listen_host_problem(cases[i].host) != cases[i].ok)
            fail_msg("%s", cases[i].host);
}

static void a_path_fits_into_an_address(void **state)
{
    (void)state;
    char host[5 + LISTEN_PATH_MAX + 2] = "unix:/";
    memset(host + 6, 'x', LISTEN_PATH_MAX - 1);
    assert_null(listen_host_problem(host));
    host[5 + LISTEN_PATH_MAX] = 'x';
    assert_non_null(listen_host_problem(host));
}

static void a_url_is_what_others_understand(void **state)
{
    (void)state;
    static const struct {
        const char *host, *url;
        bool tls;
    } cases[] = {
        {"127.0.0.1",      "http://127.0.0.1:80",        false},
        {"localhost",      "https://localhost:80",       true },
        {"::1",            "https://[::1]:80",           true },
        {"[::1]",          "http://[::1]:80",            false},
        {"fe80::1%eth0",   "http://[fe80::1%25eth0]:80", false},
        {"[fe80::1%eth0]", "http://[fe80::1%25eth0]:80", false},
        {"unix:/run/x",    "unix:/run/x",                false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf url = {0};
        listen_host_add_url(&url, cases[i].host, cases[i].tls, 80);
        assert_string_equal(url.p, cases[i].url);
        buf_fini(&url);
    }
}

static void all_addresses_have_several_names(void **state)
{
    (void)state;
    static const char *const any[] = {"0.0.0.0", "::", "[::]", "0::0"};
    static const char *const one[] = {"127.0.0.1", "::1", "localhost", "unix:/run/x"};
    for (size_t i = 0; i < ARRAY_LEN(any); i++)
        assert_true(listen_host_is_any(any[i]));
    for (size_t i = 0; i < ARRAY_LEN(one); i++)
        assert_false(listen_host_is_any(one[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_listened_on),
        cmocka_unit_test(a_path_fits_into_an_address),
        cmocka_unit_test(a_url_is_what_others_understand),
        cmocka_unit_test(all_addresses_have_several_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
