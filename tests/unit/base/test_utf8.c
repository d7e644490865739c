#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "seed.h"
#include "utf8.h"

static void test_sequences(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"",                 true },
        {"abc",              true },
        {"\xC2\x80",         true }, /* the borders of each length */
        {"\xDF\xBF",         true },
        {"\xE0\xA0\x80",     true },
        {"\xED\x9F\xBF",     true },
        {"\xEE\x80\x80",     true },
        {"\xEF\xBF\xBF",     true },
        {"\xF0\x90\x80\x80", true },
        {"\xF4\x8F\xBF\xBF", true },
        {"x\xE2\x82\xACy",   true },
        {"\x80",             false}, /* no beginning */
        {"\xC0\x80",         false}, /* longer than needed */
        {"\xC1\xBF",         false},
        {"\xE0\x9F\xBF",     false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xED\xA0\x80",     false}, /* a surrogate */
        {"\xF4\x90\x80\x80", false}, /* beyond the last */
        {"\xF5\x80\x80\x80", false},
        {"\xFF",             false},
        {"abc\xE2\x82",      false}, /* cut off */
        {"\xE2\x82"
         "A",       false},
        {"\xF0\x9F\x98",     false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        seed_keep_text("caller", rows[i].text);
        if (utf8_valid(rows[i].text, strlen(rows[i].text)) != rows[i].valid)
            fail_msg("row %zu", i);
    }
    assert_true(utf8_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
