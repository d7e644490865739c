/* What reaches the terminal: digits as they came, ages for people, and no control characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "show.h"

static void test_ages(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {-5,        "0 ms"             },
        {999,       "999 ms"           },
        {1000,      "1 s"              },
        {119999,    "119 s"            },
        {120000,    "2 min"            },
        {7199999,   "119 min"          },
        {7200000,   "2.0 h"            },
        {9000000,   "2.5 h"            },
        {172800000, "2 days"           },
        {INT64_MAX, "106751991167 days"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[SHOW_AGE_MAX];
        assert_string_equal(show_age(rows[i].ms, out), rows[i].text);
    }
}

static void test_text_is_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain",                    "plain"                   },
        {"",                         ""                        },
        {"\x1b[2J\a\r\n\x7f",        "?[2J????"                },
        {"caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac"},
        {"\xf0\x9f\x98\x80",         "\xf0\x9f\x98\x80"        },
        {"a\xc2\x9b"
         "31m",             "a?31m"                   }, /* the one-character form of ESC [ */
        {"a\xc2\xa0"
         "b",               "a\xc2\xa0"
         "b"                             },
        {"\xff\xfe"
         "a\x80"
         "b\xc0\x80",       "ab"                      },
        {"cut \xe2\x82",             "cut "                    },
        {"\xf5\x80\x80\x80",         ""                        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = {0};
        show_text(&b, rows[i].in, strlen(rows[i].in));
        assert_string_equal(b.p ? b.p : "", rows[i].out);
        buf_fini(&b);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *item, *says;
    } rows[] = {
        {"{\"symbol\":\"a\",\"price\":2.9430,\"currency\":\"USD\",\"unit\":\"USD/lb\"}",
         "2.9430 USD/lb"                                                                                                   },
        {"{\"price\":150.32,\"currency\":\"JPY\"}",                                                  "150.32 JPY"          },
        {"{\"price\":1e3}",                                                                          "1e3"                 },
        {"{\"price\":null,\"state\":\"unavailable\"}",                                               "-"                   },
        {"{\"price\":\"2.9\"}",                                                                      "-"                   },
        {"{\"value\":4.250,\"unit\":\"%\"}",                                                         "4.250 %"             },
        {"{\"value\":-3}",                                                                           "-3"                  },
        {"{\"values\":{\"temperature\":21.40,\"rain\":0},\"units\":{\"temperature\":\"\\u00b0C\"}}",
         "temperature 21.40 \xc2\xb0"
         "C, rain 0"                                                                                                       },
        {"{\"values\":{},\"text\":\"A dry\\u001b[31m month.\\nMore.\"}",                             "A dry?[31m month...."},
        {"{\"text\":\"One line.\"}",                                                                 "One line."           },
        {"{\"price\":1,\"unit\":\"\\u001b[2J\"}",                                                    "1 ?[2J"              },
        {"{}",                                                                                       "-"                   },
        {"[1]",                                                                                      "-"                   },
        {"",                                                                                         "-"                   },
        {"{\"price\":1",                                                                             "-"                   },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b = {0};
        show_value(&b, rows[i].item, strlen(rows[i].item));
        assert_string_equal(b.p, rows[i].says);
        buf_fini(&b);
    }
}

static void test_long_words_are_cut(void **state)
{
    (void)state;
    char item[400];
    struct buf b = {0};
    int len = snprintf(item, sizeof item, "{\"text\":\"%0300d\"}", 7);
    show_value(&b, item, (size_t)len);
    assert_int_equal(b.len, 123);
    assert_string_equal(b.p + 118, "00...");
    buf_fini(&b);
}

static void test_ts(void **state)
{
    (void)state;
    assert_int_equal(show_ts_ms("{\"ts\":1767225599000}", 20), 1767225599000);
    assert_int_equal(show_ts_ms("{}", 2), 0);
    assert_int_equal(show_ts_ms("no", 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),   cmocka_unit_test(test_text_is_harmless),
        cmocka_unit_test(test_values), cmocka_unit_test(test_long_words_are_cut),
        cmocka_unit_test(test_ts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
