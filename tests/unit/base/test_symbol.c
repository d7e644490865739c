/* Symbols as strangers write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "seed.h"
#include "symbol.h"

static void valid_symbols(void **state)
{
    static const char *const good[] = {"a",
                                       "KC=F",
                                       "EUR/USD",
                                       "^GSPC",
                                       "OCDO.L",
                                       "BTC-USD",
                                       "A:B!_",
                                       "a/b/c",
                                       "a/.b",
                                       "a/...",
                                       "a..b",
                                       "9",
                                       "12345678901234567890123456789012"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        seed_keep_text("symbol", good[i]);
        if (!symbol_valid(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
    }
}

static void invalid_symbols(void **state)
{
    static const char *const bad[] = {"",
                                      ".a",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      "a/./b",
                                      "a/../b",
                                      "a/.",
                                      "a/..",
                                      "a b",
                                      "a*",
                                      "_a",
                                      "=a",
                                      "\xC3\xA9",
                                      "a\n",
                                      "a%2Fb",
                                      "123456789012345678901234567890123"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (symbol_valid(bad[i], strlen(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(symbol_valid("a\0b", 3));
    assert_true(symbol_valid("a//", 1)); /* no more than len bytes count */
}

static void patterns(void **state)
{
    static const char *const good[] = {"*", "EUR/*", "a*", "^*", "a/.*"};
    static const char *const bad[] = {
        "", "a", "**", "*a", "a*b*", "/*", " *", "a *", "123456789012345678901234567890123*"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        seed_keep_text("symbol", good[i]);
        assert_true(symbol_is_pattern(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(symbol_is_pattern(bad[i], strlen(bad[i])));
}

static void matching(void **state)
{
    (void)state;
    assert_true(symbol_matches("*", 1, "coffee"));
    assert_true(symbol_matches("EUR/*", 5, "EUR/USD"));
    assert_true(symbol_matches("EUR/*", 5, "EUR/"));
    assert_false(symbol_matches("EUR/*", 5, "EUR"));
    assert_false(symbol_matches("EUR/*", 5, "eur/USD"));
    assert_false(symbol_matches("coffee2*", 8, "coffee"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_symbols),
        cmocka_unit_test(invalid_symbols),
        cmocka_unit_test(patterns),
        cmocka_unit_test(matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
