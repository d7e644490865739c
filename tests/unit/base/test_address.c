/* Addresses, ranges of them, and which are the Internet's. */
#include "address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct address parse(const char *text)
{
    struct address a;
    if (address_parse(text, strlen(text), &a) != 0)
        fail_msg("not an address: %s", text);
    return a;
}

static void ranges_hold_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *cidr, *address;
        bool inside;
    } cases[] = {
        {"10.0.0.0/8",     "10.255.1.2",         true },
        {"10.0.0.0/8",     "11.0.0.1",           false},
        {"10.0.0.0/9",     "10.127.255.255",     true },
        {"10.0.0.0/9",     "10.128.0.0",         false},
        {"192.168.1.7",    "192.168.1.7",        true },
        {"192.168.1.7",    "192.168.1.8",        false},
        {"192.168.1.7/32", "::ffff:192.168.1.7", true },
        {"0.0.0.0/0",      "203.0.113.9",        true },
        {"0.0.0.0/0",      "2001:db8::1",        false},
        {"::/0",           "2001:db8::1",        true },
        {"::/0",           "203.0.113.9",        false}, /* each family for itself */
        {"::/0",           "::ffff:203.0.113.9", false},
        {"::/0",           "unix:",              false},
        {"::/127",         "::1",                true },
        {"::/127",         "unix:",              false},
        {"0.0.0.0/0",      "unix:",              false},
        {"::ffff:0:0/96",  "203.0.113.9",        true },
        {"unix:",          "unix:",              true },
        {"unix:",          "127.0.0.1",          false},
        {"unix:",          "::1",                false},
        {"2001:db8::/33",  "2001:db8:7fff::1",   true },
        {"2001:db8::/33",  "2001:db8:8000::1",   false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cidr c;
        struct address a = parse(cases[i].address);
        assert_int_equal(cidr_parse(cases[i].cidr, &c), 0);
        if (cidr_contains(&c, &a) != cases[i].inside)
            fail_msg("%s in %s", cases[i].address, cases[i].cidr);
    }
}

static void an_address_is_written_as_it_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written; /* written NULL: it is none */
    } cases[] = {
        {"127.0.0.1",        "127.0.0.1"  },
        {"::ffff:127.0.0.1", "127.0.0.1"  }, /* as one comes to a socket of both families */
        {"2001:DB8:0::1",    "2001:db8::1"},
        {"unix:",            "unix:"      },
        {"unix:/run/x",      NULL         },
        {"unix",             NULL         },
        {"::",               NULL         }, /* it would pass for a unix socket's */
        {"0:0:0:0:0:0:0:0",  NULL         },
        {"[::1]",            NULL         },
        {"",                 NULL         },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a;
        char text[ADDRESS_TEXT_MAX];
        int rc = address_parse(cases[i].text, strlen(cases[i].text), &a);
        assert_int_equal(rc, cases[i].written ? 0 : -1);
        if (cases[i].written)
            assert_string_equal(address_format(&a, text), cases[i].written);
    }
}

static void limits_count_networks_of_ipv6(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"192.0.2.1",           "192.0.2.1",           true },
        {"192.0.2.1",           "192.0.2.2",           false},
        {"2001:db8:0:1::1",     "2001:db8:0:1::2",     true },
        {"2001:db8:0:1::1",     "2001:db8:0:2::1",     false},
        {"::1",                 "127.0.0.1",           false},
        {"unix:",               "127.0.0.1",           false},
 /* Behind NAT64 each is an IPv4 address of its own, which is the one that it is without. */
        {"64:ff9b::192.0.2.1",  "64:ff9b::192.0.2.2",  false},
        {"64:ff9b::192.0.2.1",  "192.0.2.1",           true },
        {"64:ff9b::1:c000:201", "64:ff9b::2:c000:202", true },
        {"64:ff9b:0:1::1",      "64:ff9b:0:1::2",      true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address one = parse(cases[i].one), other = parse(cases[i].other);
        one = address_party(&one);
        other = address_party(&other);
        if (address_equal(&one, &other) != cases[i].same)
            fail_msg("%s, %s", cases[i].one, cases[i].other);
    }
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                      "10.0.0/8", "::/129",      "::",        "::/128",
                                      "/8",       "10.0.0.0/8x", "host/8",    "10.0.0.0/ 8",
                                      "unix:/x",  "unix"};
    struct cidr c;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(cidr_parse(bad[i], &c), -1);
}

static void some_addresses_are_not_the_internets(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_public;
    } cases[] = {
        {"0.0.0.0",            false},
        {"1.0.0.0",            true },
        {"9.255.255.255",      true },
        {"10.0.0.0",           false},
        {"10.255.255.255",     false},
        {"11.0.0.0",           true },
        {"100.63.255.255",     true },
        {"100.64.0.0",         false},
        {"100.127.255.255",    false},
        {"100.128.0.0",        true },
        {"127.0.0.1",          false},
        {"128.0.0.1",          true },
        {"169.254.169.254",    false},
        {"169.255.0.0",        true },
        {"172.15.255.255",     true },
        {"172.16.0.0",         false},
        {"172.31.255.255",     false},
        {"172.32.0.0",         true },
        {"192.0.0.8",          false},
        {"192.0.1.0",          true },
        {"192.167.255.255",    true },
        {"192.168.0.1",        false},
        {"192.169.0.0",        true },
        {"198.17.255.255",     true },
        {"198.18.0.0",         false},
        {"198.19.255.255",     false},
        {"198.20.0.0",         true },
        {"223.255.255.255",    true },
        {"224.0.0.1",          false},
        {"255.255.255.255",    false},
        {"unix:",              false},
        {"::1",                false},
        {"::2",                true },
        {"::ffff:10.0.0.1",    false},
        {"::ffff:8.8.8.8",     true },
        {"fbff::1",            true },
        {"fc00::1",            false},
        {"fdff::1",            false},
        {"fe00::1",            true },
        {"fe7f::1",            true },
        {"fe80::1",            false},
        {"febf::1",            false},
        {"fec0::1",            true },
        {"ff02::1",            false},
        {"2001:0:1::1",        false},
        {"2001:1::1",          true },
        {"2002:a00:1::1",      false},
        {"2003::1",            true },
        {"2600::1",            true },
        {"64:ff9b::10.0.0.1",  false},
        {"64:ff9b::8.8.8.8",   true },
        {"64:ff9b:1::8.8.8.8", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address a = parse(cases[i].address);
        if (address_is_public(&a) != cases[i].is_public)
            fail_msg("%s", cases[i].address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_hold_what_they_say),
        cmocka_unit_test(an_address_is_written_as_it_is_read),
        cmocka_unit_test(limits_count_networks_of_ipv6),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(some_addresses_are_not_the_internets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
