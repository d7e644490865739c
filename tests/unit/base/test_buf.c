#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"

static void pieces_are_joined(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_adds(&b, "one");
    buf_addc(&b, ' ');
    buf_add(&b, "two\0three", 9);
    buf_addf(&b, " %d-%s", 4, "five");
    assert_int_equal(b.len, 3 + 1 + 9 + 7);
    assert_memory_equal(b.p, "one two\0three 4-five", b.len + 1); /* NUL behind it */
    assert_false(b.failed);
    buf_fini(&b);
    assert_null(b.p);
    assert_int_equal(b.len, 0);
}

static void grows_over_many_sizes(void **state)
{
    struct buf b = {0};
    (void)state;
    for (int i = 0; i < 10000; i++)
        buf_addf(&b, "%c", 'a' + i % 26);
    assert_int_equal(b.len, 10000);
    assert_int_equal(b.p[9999], 'a' + 9999 % 26);
    assert_int_equal(b.p[10000], '\0');
    char *p = b.p;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.p, p);
    assert_string_equal(b.p, "");
    buf_fini(&b);
}

/* Formatted text of any length, from any fill: it may fit, just fit, or need more room. */
static void formats_of_any_length(void **state)
{
    (void)state;
    for (int before = 0; before < 70; before++)
        for (int n = 0; n < 200; n++) {
            struct buf b = {0};
            buf_addf(&b, "%*s", before, "");
            buf_addf(&b, "%0*d", n > 0 ? n : 1, 7);
            buf_adds(&b, "|");
            assert_int_equal(b.len, before + (n > 0 ? n : 1) + 1);
            assert_string_equal(b.p + b.len - 2, "7|");
            assert_false(b.failed);
            buf_fini(&b);
        }
}

static void failure_is_remembered(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_adds(&b, "x");
    assert_null(buf_reserve(&b, SIZE_MAX / 2));
    assert_true(b.failed);
    buf_adds(&b, "y");
    assert_int_equal(b.len, 1);
    assert_null(buf_take(&b, NULL));
    assert_null(b.p);
}

static void taken_bytes_belong_to_the_taker(void **state)
{
    struct buf b = {0};
    size_t len = 99;
    (void)state;
    char *empty = buf_take(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    free(empty);
    buf_adds(&b, "abc");
    char *p = buf_take(&b, &len);
    assert_string_equal(p, "abc");
    assert_int_equal(len, 3);
    assert_null(b.p);
    free(p);
}

static void json_strings(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"",                                       "\"\""                                                },
        {"a\"b\\c/d",                              "\"a\\\"b\\\\c/d\""                                   },
        {"\n\t\x01\x7F",                           "\"\\u000a\\u0009\\u0001\\u007f\""                    },
        {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""          },
 /* Not UTF-8: a lone tail, an overlong slash, a surrogate, beyond U+10FFFF, cut short. */
        {"\x80",                                   "\"\xEF\xBF\xBD\""                                    },
        {"\xC0\xAF",                               "\"\xEF\xBF\xBD\xEF\xBF\xBD\""                        },
        {"\xED\xA0\x80",                           "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""            },
        {"\xF4\x90\x80\x80",                       "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"a\xE2\x82",                              "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""                       },
        {"\xE2(\xA1",                              "\"\xEF\xBF\xBD(\xEF\xBF\xBD\""                       },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = {0};
        buf_adds_json(&b, rows[i].text);
        assert_string_equal(b.p, rows[i].json);
        buf_fini(&b);
    }
    struct buf b = {0};
    buf_add_json(&b, "a\0b", 3);
    assert_string_equal(b.p, "\"a\\u0000b\"");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(grows_over_many_sizes),
        cmocka_unit_test(formats_of_any_length),
        cmocka_unit_test(failure_is_remembered),
        cmocka_unit_test(taken_bytes_belong_to_the_taker),
        cmocka_unit_test(json_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
