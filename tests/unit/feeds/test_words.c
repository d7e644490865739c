/* Texts of strangers: what is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "utf8.h"
#include "words.h"

static void test_copy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"",                                                    ""                                        },
        {"Sul de Minas",                                        "Sul de Minas"                            },
        {"  a \t\r\n b  ",                                      "a b"                                     },
        {"a\x01\x1b[31mb\x7f",                                  "a [31mb"                                 },
        {"Jun\xc3\xadn",                                        "Jun\xc3\xadn"                            },
        {"\xe2\x82\xac \xf0\x9f\x98\x80",                       "\xe2\x82\xac \xf0\x9f\x98\x80"           },
        {"a\xc2\x85z",                                          "az"                                      }, /* C1 */
        {"a\xe2\x80\xaez",                                      "az"                                      }, /* turned around */
        {"a\xe2\x80\xa8z\xef\xbb\xbf",                          "az"                                      },
        {"a\xf3\xa0\x80\xa0z",                                  "az"                                      }, /* a tag */
        {"a\xffz\xc0\xafq\xed\xa0\x80",                         "azq"                                     }, /* no UTF-8 */
        {"a\xe2\x82",                                           "a"                                       }, /* cut */
        {"123456789012345678901234567890123",                   "1234567890123456789012345678\xe2\x80\xa6"},
        {"1234567890123456789012345678901",                     "1234567890123456789012345678901"         },
        {"1234567890123456789012345678901 \n",                  "1234567890123456789012345678901"         },
        {"123456789012345678901234567890 1",                    "1234567890123456789012345678\xe2\x80\xa6"},
        {"123456789012345678901234567\xc3\xad\xc3\xad\xc3\xad",
         "123456789012345678901234567\xe2\x80\xa6"                                                        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[32];
        size_t len = strlen(rows[i].text);
        char *exact = malloc(len + 1); /* for the address sanitizer: no NUL behind it */
        assert_non_null(exact);
        memcpy(exact, rows[i].text, len);
        exact = realloc(exact, len ? len : 1);
        memset(out, 0x5a, sizeof out);
        bool whole = words_copy(out, sizeof out, exact, len);
        assert_string_equal(out, rows[i].want);
        assert_int_equal(whole, !strstr(out, "\xe2\x80\xa6"));
        free(exact);
    }
}

/* Whatever comes, in whatever room: valid, bounded, on one line. */
static void test_any_bytes(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[24], out[32];
        size_t len = (size_t)rand_r(&seed) % sizeof text, size = 4 + (size_t)rand_r(&seed) % 20;
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(rand_r(&seed) % 3 ? "\xe2\x80\xae\xc3 a\xf0"[rand_r(&seed) % 7]
                                               : (char)rand_r(&seed));
        memset(out, 0x5a, sizeof out);
        (void)words_copy(out, size, text, len);
        assert_true(memchr(out, '\0', size) != NULL);
        assert_true(utf8_valid(out, strlen(out)));
        assert_int_equal(out[size], 0x5a);
        for (const char *p = out; *p; p++)
            assert_true((unsigned char)*p >= 0x20);
    }
}

static void test_link(void **state)
{
    (void)state;
    static const char *const good[] = {"https://www.minagri.gob.pe/a?b=c&d=%20#e", "http://x"};
    static const char *const bad[] = {
        "",
        "https://",
        "ftp://x",
        "HTTP://x",
        "javascript:alert(1)",
        "//x",
        "https://a b",
        "https://a\"b",
        "https://a<b",
        "https://a\nb",
        "https://\xc3\xad.pe",
        "https://a'b",
        "https://a\\b",
        " https://a",
        "https://a\x7f",
        "https://a`b",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(words_is_link(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(words_is_link(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
