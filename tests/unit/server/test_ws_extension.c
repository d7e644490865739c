/* Which offers of permessage-deflate are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "seed.h"
#include "ws_extension.h"

static void test_offers(void **state)
{
    static const struct {
        const char *offers;
        bool taken;
    } rows[] = {
        {"permessage-deflate",                                                         true },
        {"permessage-deflate; client_max_window_bits",                                 true }, /* browsers */
        {" permessage-deflate ;client_max_window_bits=10 ",                            true },
        {"permessage-deflate; server_no_context_takeover",                             true },
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
         "server_max_window_bits=12; client_max_window_bits=9",               true },
        {"permessage-deflate; server_max_window_bits=15",                              true },
        {"x-other; a=b, permessage-deflate; client_max_window_bits, y",                true },
        {"",                                                                           false},
        {"x-webkit-deflate-frame",                                                     false},
        {"permessage-deflates",                                                        false},
        {"permessage-deflate; server_max_window_bits=11",                              false},
        {"permessage-deflate; server_max_window_bits=8",                               false},
        {"permessage-deflate; server_max_window_bits=1",                               false},
        {"permessage-deflate; server_max_window_bits=16",                              false},
        {"permessage-deflate; server_max_window_bits=120",                             false},
        {"permessage-deflate; server_max_window_bits",                                 false},
        {"permessage-deflate; server_max_window_bits=\"12\"",                          false},
        {"permessage-deflate; client_max_window_bits=16",                              false},
        {"permessage-deflate; client_max_window_bits=7",                               false},
        {"permessage-deflate; client_max_window_bits; client_max_window_bits=9",       false},
        {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", false},
        {"permessage-deflate; server_max_window_bits=12; server_max_window_bits=13",   false},
        {"permessage-deflate; server_no_context_takeover=1",                           false},
        {"permessage-deflate; unknown",                                                false},
        {"permessage-deflate;",                                                        false},
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate",          false},
        {"permessage-deflate, permessage-deflate; client_max_window_bits",             false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char seed[300];
        snprintf(seed, sizeof seed, "\n\n\n\n\n%s", rows[i].offers);
        seed_keep_text("caller", seed);
        if (ws_extension_acceptable(rows[i].offers) != rows[i].taken)
            fail_msg("%s", rows[i].offers);
    }
}

static void test_a_long_offer_is_declined(void **state)
{
    char offers[600];
    (void)state;
    memset(offers, 'x', sizeof offers - 1);
    offers[sizeof offers - 1] = '\0';
    memcpy(offers, "permessage-deflate; ", 20);
    assert_false(ws_extension_acceptable(offers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_a_long_offer_is_declined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
