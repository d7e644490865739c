/* What a token allows: lists of symbols, shared by reference. */
#include "grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"

static struct grant_symbols *list_of(const char *text, struct err *err)
{
    json_t *list = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(list);
    struct grant_symbols *s = grant_symbols_new(list, err);
    json_decref(list);
    return s;
}

static void lists_allow_what_they_name(void **state)
{
    static const struct {
        const char *list, *symbol;
        bool allowed;
    } rows[] = {
        {"[\"coffee\"]",         "coffee",  true },
        {"[\"coffee\"]",         "coffee2", false},
        {"[\"coffee\"]",         "coffe",   false},
        {"[\"coffee\"]",         "Coffee",  false},
        {"[\"EUR/*\"]",          "EUR/USD", true },
        {"[\"EUR/*\"]",          "GBP/USD", false},
        {"[\"*\"]",              "GBP/USD", true },
        {"[]",                   "coffee",  false},
        {"[\"a\",\"b\",\"c*\"]", "cocoa",   true },
        {"[\"a\",\"b\",\"c*\"]", "bc",      false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {""};
        struct grant g = {.role = ROLE_VIEWER, .symbols = list_of(rows[i].list, &err)};
        assert_non_null(g.symbols);
        if (grant_allows(&g, rows[i].symbol) != rows[i].allowed)
            fail_msg("%s and %s", rows[i].list, rows[i].symbol);
        grant_fini(&g);
    }
    assert_true(grant_allows(&(struct grant){.role = ROLE_VIEWER}, "anything"));
}

static void lists_that_are_none(void **state)
{
    static const struct {
        const char *list, *why;
    } rows[] = {
        {"\"coffee\"",                              "symbols must be a list of at most 1000 symbols and patterns"},
        {"{}",                                      "symbols must be a list of at most 1000 symbols and patterns"},
        {"[1]",                                     "symbols[0] is neither a symbol nor a pattern such as EUR/*" },
        {"[\"coffee\",\"\"]",                       "symbols[1] is neither a symbol nor a pattern such as EUR/*" },
        {"[\"a b\"]",                               "symbols[0] is neither a symbol nor a pattern such as EUR/*" },
        {"[\"*a\"]",                                "symbols[0] is neither a symbol nor a pattern such as EUR/*" },
        {"[\"123456789012345678901234567890123\"]",
         "symbols[0] is neither a symbol nor a pattern such as EUR/*"                                            },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {""};
        assert_null(list_of(rows[i].list, &err));
        assert_string_equal(err.text, rows[i].why);
    }
    struct err err = {""};
    json_t *many = json_array();
    for (int i = 0; i <= GRANT_SYMBOLS_MAX; i++)
        json_array_append_new(many, json_string("a"));
    assert_null(grant_symbols_new(many, &err));
    json_array_remove(many, 0);
    struct grant g = {.symbols = grant_symbols_new(many, &err)};
    assert_non_null(g.symbols);
    grant_fini(&g);
    json_decref(many);
}

static void holders_share_a_list(void **state)
{
    static const char *const names[] = {"coffee"}, *const wrong[] = {"coffee", "no good"};
    (void)state;
    struct grant a = {
        .role = ROLE_ADMIN, .subject = "ops", .symbols = grant_symbols_from(names, 1)};
    struct grant b = grant_ref(&a);
    grant_fini(&a);
    assert_int_equal(a.role, ROLE_NONE);
    assert_null(a.symbols);
    assert_string_equal(b.subject, "ops");
    assert_true(grant_allows(&b, "coffee"));
    assert_false(grant_allows(&b, "cocoa"));
    grant_fini(&b);
    grant_fini(&b); /* nobody's: nothing to give back */
    assert_null(grant_symbols_from(wrong, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_allow_what_they_name),
        cmocka_unit_test(lists_that_are_none),
        cmocka_unit_test(holders_share_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
