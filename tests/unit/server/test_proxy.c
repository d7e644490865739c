/* Whose request it is behind proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy.h"
#include "seed.h"

static struct address parse(const char *text)
{
    struct address a;
    if (address_parse(text, strlen(text), &a) != 0)
        fail_msg("not an address: %s", text);
    return a;
}

static void loopback_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {
        {"127.0.0.1",        true },
        {"127.9.9.9",        true },
        {"::1",              true },
        {"::ffff:127.0.0.1", true },
        {"128.0.0.1",        false},
        {"unix:",            false},
        {"::2",              false},
        {"10.127.0.1",       false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a = parse(cases[i].text);
        if (address_is_loopback(&a) != cases[i].loopback)
            fail_msg("%s", cases[i].text);
    }
}

static void the_client_is_found_behind_trusted_proxies(void **state)
{
    (void)state;
    static const char *const trusted[] = {"10.0.0.0/8", "fd00::/8", "unix:"};
    static const struct {
        const char *peer, *header, *client;
    } cases[] = {
        {"203.0.113.9",     "1.2.3.4",                  "203.0.113.9"}, /* nobody we trust says so */
        {"10.0.0.1",        NULL,                       "10.0.0.1"   },
        {"10.0.0.1",        "1.2.3.4",                  "1.2.3.4"    },
        {"10.0.0.1",        " 1.2.3.4 ",                "1.2.3.4"    },
        {"10.0.0.1",        "6.6.6.6, 1.2.3.4",         "1.2.3.4"    }, /* the first is the client's lie */
        {"10.0.0.1",        "6.6.6.6,1.2.3.4,10.0.0.2", "1.2.3.4"    },
        {"10.0.0.1",        "10.0.0.3, 10.0.0.2",       "10.0.0.3"   }, /* all of them ours */
        {"10.0.0.1",        "1.2.3.4:5678",             "1.2.3.4"    },
        {"10.0.0.1",        "[2001:db8::7]:443",        "2001:db8::7"},
        {"10.0.0.1",        "2001:db8::7",              "2001:db8::7"},
        {"fd00::1",         "1.2.3.4",                  "1.2.3.4"    },
        {"unix:",           "1.2.3.4",                  "1.2.3.4"    },
        {"unix:",           NULL,                       "unix:"      },
        {"unix:",           "1.2.3.4, unix:",           "1.2.3.4"    }, /* a proxy before the proxy */
        {"203.0.113.9",     "unix:",                    "203.0.113.9"},
        {"10.0.0.1",        "1.2.3.4, ::",              "10.0.0.1"   },
        {"::ffff:10.0.0.1", "1.2.3.4",                  "1.2.3.4"    },
        {"10.0.0.1",        "unknown",                  "10.0.0.1"   },
        {"10.0.0.1",        "",                         "10.0.0.1"   },
        {"10.0.0.1",        "1.2.3.4, ",                "10.0.0.1"   },
        {"10.0.0.1",        "1.2.3.4, x, 10.0.0.2",     "10.0.0.2"   },
        {"10.0.0.1",        "[::1",                     "10.0.0.1"   },
    };
    struct proxies p;
    assert_int_equal(proxies_init(&p, trusted, ARRAY_LEN(trusted)), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[ADDRESS_TEXT_MAX], seed[100];
        snprintf(seed, sizeof seed, "\n\n\n%s\n192.0.2.0/24",
                 cases[i].header ? cases[i].header : "");
        seed_keep_text("caller", seed);
        struct address peer = parse(cases[i].peer);
        struct address client = proxies_client(&p, &peer, cases[i].header);
        assert_string_equal(address_format(&client, text), cases[i].client);
    }
    proxies_fini(&p);
}

static void a_unix_socket_is_trusted_only_by_its_name(void **state)
{
    (void)state;
    static const char *const trusted[] = {"0.0.0.0/0", "::/0"};
    char text[ADDRESS_TEXT_MAX];
    struct proxies p;
    struct address peer = parse("unix:");
    assert_int_equal(proxies_init(&p, trusted, ARRAY_LEN(trusted)), 0);
    struct address client = proxies_client(&p, &peer, "1.2.3.4");
    assert_string_equal(address_format(&client, text), "unix:");
    proxies_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(the_client_is_found_behind_trusted_proxies),
        cmocka_unit_test(a_unix_socket_is_trusted_only_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
