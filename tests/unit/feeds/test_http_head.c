#include "http_head.h"
#include "seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_S = 1767268800; /* Thu, 01 Jan 2026 12:00:00 GMT */

static struct http_head read_lines(const char *const *lines, size_t n)
{
    struct http_head h;
    http_head_init(&h);
    for (size_t i = 0; i < n; i++) {
        seed_keep_text("http_head", lines[i]);
        http_head_line(&h, lines[i], strlen(lines[i]), NOW_S);
    }
    return h;
}

static void test_retry_after(void **state)
{
    static const struct {
        const char *line;
        int64_t want_s;
    } cases[] = {
        {"Retry-After: 17\r\n",                            17   },
        {"retry-after:0\r\n",                              0    },
        {"RETRY-AFTER:   5  \r\n",                         5    },
        {"Retry-After: 999999999\r\n",                     86400},
        {"Retry-After: -3\r\n",                            -1   },
        {"Retry-After: soon\r\n",                          -1   },
        {"Retry-After: \r\n",                              -1   },
        {"Retry-After: Thu, 01 Jan 2026 12:01:40 GMT\r\n", 100  },
        {"Retry-After: Thu, 01 Jan 2026 11:59:00 GMT\r\n", 0    },
        {"Retry-After: Fri, 01 Jan 2027 12:00:00 GMT\r\n", 86400},
        {"Retry-Afterwards: 5\r\n",                        -1   },
        {"Retry-After",                                    -1   },
        {"",                                               -1   },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(read_lines(&cases[i].line, 1).retry_after_s, cases[i].want_s);
}

static void test_date(void **state)
{
    static const struct {
        const char *line;
        int64_t want_ms;
    } cases[] = {
        {"Date: Thu, 01 Jan 2026 12:00:00 GMT\r\n",  NOW_S * 1000},
        {"date:Thu, 01 Jan 1970 00:00:01 GMT\r\n",   1000        },
        {"Date: Wed, 31 Dec 1969 23:59:00 GMT\r\n",  0           },
        {"Date: Thursday, 01-Jan-26 12:00:00\r\n",   0           },
        {"Date: \r\n",                               0           },
        {"Dates: Thu, 01 Jan 2026 12:00:00 GMT\r\n", 0           },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(read_lines(&cases[i].line, 1).date_ms, cases[i].want_ms);
}

static void test_all_and_interim(void **state)
{
    static const char *const lines[] = {
        "HTTP/1.1 103 Early Hints\r\n",
        "Api-Credits-Left: 1\r\n",
        "Location: /no\r\n",
        "\r\n",
        "HTTP/2 429 \r\n",
        "api-credits-used: 9\r\n",
        "Api-Credits-Left: 0\r\n",
        "Location: /a?b=c:d\r\n",
        "X-Other: 4\r\n",
        "etag:  W/\"33a6\"\r\n",
    };
    (void)state;
    struct http_head h = read_lines(lines, 4);
    assert_int_equal(h.credits_left, 1);
    h = read_lines(lines, 5);
    assert_int_equal(h.credits_left, -1);
    assert_string_equal(h.location, "");
    h = read_lines(lines, ARRAY_LEN(lines));
    assert_int_equal(h.credits_used, 9);
    assert_int_equal(h.credits_left, 0);
    assert_string_equal(h.location, "/a?b=c:d");
    assert_string_equal(h.etag, "W/\"33a6\"");
}

static void test_tags_that_cannot_be_sent_back(void **state)
{
    static const char *const lines[] = {"ETag: \"a\x01\"\r\n", "ETag: \"a\tb\"\r\n",
                                        "ETag: \x7f\r\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_string_equal(read_lines(&lines[i], 1).etag, "");
}

static void test_long_line(void **state)
{
    static char line[5000] = "Location: ";
    struct http_head h;
    (void)state;
    memset(line + 10, 'x', sizeof line - 11);
    http_head_init(&h);
    http_head_line(&h, line, sizeof line - 1, NOW_S);
    assert_int_equal(strlen(h.location), HTTP_LOCATION_MAX - 1);
    memcpy(line, "ETag:     ", 10); /* half a tag is no tag */
    http_head_line(&h, line, sizeof line - 1, NOW_S);
    assert_string_equal(h.etag, "");
}

static int check_body(const char *url, const char *headers, const char *body)
{
    struct http_request rq = {.url = {0}};
    struct err err;
    buf_adds(&rq.url, url);
    buf_adds(&rq.headers, headers);
    buf_adds(&rq.body, body);
    int rc = http_request_check(&rq, &err);
    http_request_fini(&rq);
    return rc;
}

static int check(const char *url, const char *headers)
{
    return check_body(url, headers, "");
}

static void test_request_check(void **state)
{
    struct http_request empty = {.url = {0}};
    (void)state;
    assert_int_equal(check("https://h/?a=%0A", "A: b\nC:\td\n"), 0);
    assert_int_equal(check("https://h/", ""), 0);
    assert_int_equal(check("https://h/\n", ""), -1);
    assert_int_equal(check("https://h/\x7f", ""), -1);
    assert_int_equal(check("https://h/", "A: b\r\nEvil: c\n"), -1);
    assert_int_equal(check("https://h/", "A: \x01\n"), -1);
    assert_int_equal(http_request_check(&empty, NULL), -1);
    assert_int_equal(check_body("https://h/", "A: b\n", "{\r\n\t\x01 what it likes}"), 0);
    assert_int_equal(check_body("https://h/", "A: b\rC: d\n", "{}"), -1);
    struct http_request cut = {.body = {.failed = true}};
    buf_adds(&cut.url, "https://h/");
    assert_int_equal(http_request_check(&cut, NULL), -1);
    http_request_fini(&cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_all_and_interim),
        cmocka_unit_test(test_tags_that_cannot_be_sent_back),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_request_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
