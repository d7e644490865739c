/* The helpers of the parsers, and a small corpus of malice for all parsers together. */
#include "quality.h"
#include "reply_case.h"

static void test_utc_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01 00:00:01",  1000         },
        {"2000-02-29",           951782400000 },
        {"2024-02-29 23:59:59",  1709251199000},
        {"2024-03-01",           1709251200000},
        {"2025-03-11 15:01:05",  1741705265000},
        {"2100-03-01",           4107542400000},
        {"2100-02-29",           0            },
        {"2025-02-29",           0            },
        {"2025-13-01",           0            },
        {"2025-00-10",           0            },
        {"2025-01-32",           0            },
        {"2025-01-00",           0            },
        {"1969-12-31",           0            },
        {"2025-03-11T15:01:05",  0            },
        {"2025-03-11 15:01",     0            },
        {"2025-03-11 24:00:00",  0            },
        {"2025-03-11 15:60:00",  0            },
        {"2025-03-11 15:01:05Z", 0            },
        {"2025-3-11",            0            },
        {"2025-03/11",           0            },
        {"",                     0            },
        {"2025",                 0            },
        {"-025-03-11",           0            },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        seed_keep_text("parse", rows[i].text);
        assert_int_equal(parse_utc_text(rows[i].text), rows[i].ms);
    }
    assert_int_equal(parse_utc_text(NULL), 0);
}

static void test_rfc3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2025-03-11T15:01:05Z",           1741705265000},
        {"2025-03-11t15:01:05z",           1741705265000},
        {"2025-03-11T15:01:05.1Z",         1741705265100},
        {"2025-03-11T15:01:05.04Z",        1741705265040},
        {"2025-03-11T15:01:05.123999Z",    1741705265123},
        {"2025-03-11T15:01:05.123456789Z", 1741705265123},
        {"2025-03-11T16:31:05.5+01:30",    1741705265500},
        {"2025-03-11T10:01:05-05:00",      1741705265000},
        {"1970-01-01T00:00:00Z",           0            },
        {"1970-01-01T00:00:00+01:00",      0            },
        {"2025-03-11T15:01:05",            0            },
        {"2025-03-11T15:01:05.Z",          0            },
        {"2025-03-11T15:01:05.12",         0            },
        {"2025-03-11T15:01:05+0100",       0            },
        {"2025-03-11T15:01:05+1:00",       0            },
        {"2025-03-11T15:01:05+24:00",      0            },
        {"2025-03-11T15:01:05+01:60",      0            },
        {"2025-03-11T15:01:05+01:0",       0            },
        {"2025-03-11T15:01:05ZZ",          0            },
        {"2025-03-11T15:01:61Z",           0            },
        {"2025-03-11T15:01:0Z",            0            },
        {"2025-03-11T1:01:05Z",            0            },
        {"2025-03-11T15:1:05Z",            0            },
        {"2025-03-11T15.01:05Z",           0            },
        {"2025-03-11T15:01.05Z",           0            },
        {"2025-03-11T24:00:00Z",           0            },
        {"2025-03-11T15:60:00Z",           0            },
        {"2025-02-29T15:01:05Z",           0            },
        {"2025-03-11 15:01:05Z",           0            },
        {"2025-03-11",                     0            },
        {"",                               0            },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        seed_keep_text("parse", rows[i].text);
        if (parse_rfc3339(rows[i].text) != rows[i].ms)
            fail_msg("%s was read as %lld", rows[i].text, (long long)parse_rfc3339(rows[i].text));
    }
    assert_int_equal(parse_rfc3339(NULL), 0);
}

static json_t *json(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    return v;
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text; /* NULL: no number */
        int64_t epoch_ms;
    } rows[] = {
        {"\"150.10\"",          "150.10",                          150100        },
        {"\"0.00000001\"",      "0.00000001",                      0             },
        {"150.10",              "150.1",                           150100        },
        {"1518.0999755859375",  "1518.1",                          1518100       },
        {"1741705216.0",        "1741705200",                      1741705216000 },
        {"1741705261.412",      "1741705261.412",                  1741705261412 },
        {"7",                   "7",                               7000          },
        {"-3",                  "-3",                              0             },
        {"1741705261",          "1741705261",                      1741705261000 },
        {"\"1741705261\"",      "1741705261",                      1741705261000 },
        {"99999999999",         "99999999999",                     99999999999000},
        {"100000000000",        "100000000000",                    0             },
        {"9223372036854775807", "9223372036854775807",             0             },
        {"1e30",                "1000000000000000000000000000000", 0             },
        {"\"1,234.5\"",         NULL,                              0             },
        {"\"12%\"",             NULL,                              0             },
        {"\"nan\"",             NULL,                              0             },
        {"\"inf\"",             NULL,                              0             },
        {"\"0x10\"",            NULL,                              0             },
        {"\" 1\"",              NULL,                              0             },
        {"\"\"",                NULL,                              0             },
        {"\".\"",               NULL,                              0             },
        {"\"N/D\"",             NULL,                              0             },
        {"\"1e999\"",           NULL,                              0             },
        {"1e200",               NULL,                              0             },
        {"null",                NULL,                              0             },
        {"true",                NULL,                              0             },
        {"[1]",                 NULL,                              0             },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal d;
        char text[DECIMAL_TEXT_MAX];
        json_t *v = json(rows[i].json);
        assert_int_equal(parse_decimal(v, &d), rows[i].text != NULL);
        assert_int_equal(d.given, rows[i].text != NULL);
        if (rows[i].text) {
            decimal_format(d, text);
            assert_string_equal(text, rows[i].text);
        }
        assert_int_equal(parse_epoch_s(v), rows[i].epoch_ms);
        parse_positive(v, &d);
        assert_int_equal(d.given, rows[i].text && rows[i].text[0] != '-');
        json_decref(v);
    }
    struct decimal d = {.given = true};
    assert_false(parse_decimal(NULL, &d));
    assert_false(d.given);
    assert_int_equal(parse_epoch_s(NULL), 0);
}

static void test_escape_and_base_url(void **state)
{
    (void)state;
    struct buf b = {0};
    struct config_provider cfg = {.name = "x"};
    parse_escape("Az9-._~/:=^&%# \n\xc3\xa9", &b);
    assert_string_equal(b.p, "Az9-._~%2F%3A%3D%5E%26%25%23%20%0A%C3%A9");
    buf_clear(&b);
    parse_base_url(&cfg, "https://a.test", &b);
    assert_string_equal(b.p, "https://a.test");
    cfg.base_url = "http://b.test:1//";
    buf_clear(&b);
    parse_base_url(&cfg, "https://a.test", &b);
    assert_string_equal(b.p, "http://b.test:1");
    cfg.base_url = "";
    buf_clear(&b);
    parse_base_url(&cfg, "https://a.test", &b);
    assert_string_equal(b.p, "https://a.test");
    cfg.base_url = "//";
    buf_clear(&b);
    parse_base_url(&cfg, "https://a.test", &b);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

/* A NUL in front of the text is no white space, nor is it the text's end. */
static void test_body_behind_a_nul(void **state)
{
    static const char body[] = " \0{}";
    static const struct reply_case c = {
        .what = "behind a NUL", .symbols = "A", .answers = "A bad_schema", .verdict = "bad_schema"};
    (void)state;
    assert_true(reply_case_holds(provider_find("twelvedata"), &c, body, sizeof body - 1, 1));
}

static void test_key_sendable(void **state)
{
    (void)state;
    assert_true(parse_key_sendable("aB3-_=.~!"));
    assert_false(parse_key_sendable(""));
    assert_false(parse_key_sendable("two words"));
    assert_false(parse_key_sendable("a\r\nHost: x.test"));
    assert_false(parse_key_sendable("a\x7f"));
    assert_false(parse_key_sendable("\xc3\xa9"));
}

static void test_detail(void **state)
{
    (void)state;
    static const struct {
        const char *text, *detail;
    } rows[] = {
        {"plain words",                 "plain words"               },
        {"tab\tline\nend",              "tab line end"              },
        {"\x1b[31mred\x7f\xff",         "?[31mred??"                },
        {"see https://x.test/?a=b now", "see [cut] now"             },
        {"id 0123456789abcdefghij end", "id [cut] end"              },
        {"id 0123456789abcdefghi end",  "id 0123456789abcdefghi end"},
        {"the APIKEY short failed",     "the APIKEY [cut] failed"   },
        {"a=1&token=short",             "[cut]"                     },
        {"",                            ""                          },
    };
    char longest[1000];
    struct answer a;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        parse_fail(&a, FAIL_NO_DATA, "%s", rows[i].text);
        assert_string_equal(a.detail, rows[i].detail);
        assert_int_equal(a.failure, FAIL_NO_DATA);
    }
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = i % 7 ? 'x' : ' ';
    longest[sizeof longest - 1] = '\0';
    parse_fail(&a, FAIL_NO_DATA, "%s", longest);
    assert_int_equal(strlen(a.detail), sizeof a.detail - 1);
}

/* Nothing here is a price: a named failure from the parser, or else from the quality rules. */
static void test_hostile_replies(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "{\"",
        "nan",
        "null",
        "true",
        "\"A\"",
        "{}",
        "[]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9",
        "{\"symbol\":\"A\",\"close\":nan,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":NaN,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":Infinity,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":1e999,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"1e999\",\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":99999999999999999999999999,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"9999999999999999999999999999999999999999\",\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":0,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"0.000\",\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":-0.0,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":-1.5,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"-1.5\",\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":1e-999,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":[1],\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":true,\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":{}}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":1e300}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":95617584000}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"close\":\"1\",\"timestamp\":9}",
        "{\"symbol\":[\"A\"],\"close\":\"1\",\"timestamp\":9}",
        "{\"symbol\":\"A\\u0000B\",\"close\":\"1\",\"timestamp\":9}",
        "{\"symbol\":\"A\xff\",\"close\":\"1\",\"timestamp\":9}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9} trailing",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9,\"currency\":\"XXc\"}",
        "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9,\"currency\":\"usd\"}",
        "{\"meta\":7,\"values\":{}}",
        "{\"meta\":{},\"values\":[7]}",
        "{\"meta\":{\"symbol\":\"A\"},\"values\":7}",
        "{\"A\":null}",
        "{\"A\":[]}",
        "{\"A\":{\"A\":{}}}",
        "{\"code\":\"401\",\"status\":\"error\"}",
        "{\"code\":429,\"message\":null,\"status\":\"error\"}",
        "{\"chart\":7}",
        "{\"chart\":{\"result\":7}}",
        "{\"chart\":{\"result\":[7]}}",
        "{\"chart\":{\"result\":[null],\"error\":[]}}",
        "{\"chart\":{\"error\":\"words\"}}",
        "{\"chart\":{\"error\":{\"code\":7}}}",
        "{\"chart\":{\"result\":[{\"meta\":{\"symbol\":\"A\",\"regularMarketPrice\":-1,"
        "\"regularMarketTime\":9}}]}}",
        "{\"chart\":{\"result\":[{\"meta\":{\"symbol\":\"A\"},\"timestamp\":[1,2],"
        "\"indicators\":{\"quote\":{\"close\":[1,2]}}}]}}",
        "{\"chart\":{\"result\":[{\"meta\":{\"symbol\":\"A\"},\"timestamp\":[-1,1e18],"
        "\"indicators\":{\"quote\":[{\"close\":[1,2]}]}}]}}",
        "{\"chart\":{\"result\":[{\"meta\":{\"symbol\":\"A\",\"regularMarketPrice\":\"x\","
        "\"regularMarketTime\":9}}]}}",
        "{\"quoteResponse\":{\"result\":[7,null,{\"symbol\":7}]}}",
        "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":0,"
        "\"regularMarketTime\":9}]}}",
    };
    const struct instrument in = {.symbol = "a", .currency = "USD", .max_jump_pct = 20};
    const char *const symbols[] = {"A"};
    for (size_t i = 0; i < ARRAY_LEN(bodies) * providers_len; i++) {
        const struct provider *p = providers[i % providers_len];
        const char *body = bodies[i / providers_len];
        if (!p->parse)
            continue;
        char *exact = strdup(body);
        struct http_reply reply = {.status = 200,
                                   .body = exact,
                                   .len = strlen(exact),
                                   .retry_after_s = -1,
                                   .credits_left = -1};
        struct answer a = {0};
        struct verdict v;
        struct quality_memory m = {0};
        p->parse(&reply, symbols, 1, 1741705265000, &a, &v);
        reply_check_detail(&a);
        if (a.failure == FAIL_NONE &&
            quality_check(&in, &m, 0, &a.record, 1741705265000).failure == FAIL_NONE)
            fail_msg("%s took this for a price: %s", p->rule.name, body);
        answers_fini(&a, 1);
        free(exact);
    }
}

/* A reply that broke inside our key, which it repeats, is not quoted. */
static void test_broken_reply_is_not_quoted(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{\"k\":\"hunter2\xff\"}", "{\"k\" \"hunter2\"}",
                                         "{\"k\":hunter2}", "{\"hunter2\":1,\"hunter2\":2}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_reply reply = {.status = 200, .body = bodies[i], .len = strlen(bodies[i])};
        struct answer why = {0};
        assert_null(parse_body(&reply, &why));
        assert_int_equal(why.failure, FAIL_BAD_SCHEMA);
        assert_non_null(strstr(why.detail, "not JSON: "));
        assert_null(strstr(why.detail, "hunter"));
    }
}

/* Every beginning of a good reply is either the whole or a failure. */
static void test_truncated_replies(void **state)
{
    (void)state;
    static const struct {
        const char *provider, *file, *symbol;
    } rows[] = {
        {"twelvedata", "twelvedata-quote.json",  "QZX"    },
        {"twelvedata", "twelvedata-series.json", "BTC/EUR"},
        {"yahoo",      "yahoo-chart-cents.json", "KC=F"   },
        {"yahoo",      "yahoo-quotes.json",      "HAY.L"  },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[512];
        size_t len = 0, ok = 0;
        snprintf(path, sizeof path, "%s/tests/unit/feeds/replies/%s", SOURCE_DIR, rows[i].file);
        char *text = reply_read_file(path, &len);
        assert_non_null(text);
        while (len > 0 && text[len - 1] != '}')
            len--;
        for (size_t n = 0; n <= len; n++) {
            struct buf answers = {0}, verdict = {0};
            struct reply_case c = {.what = rows[i].file, .symbols = rows[i].symbol};
            reply_parse(provider_find(rows[i].provider), &c, text, n, 1741705265000, &answers,
                        &verdict);
            bool failed = strstr(answers.p, "bad_schema") != NULL;
            assert_int_equal(failed, n < len);
            ok += !failed;
            buf_fini(&answers);
            buf_fini(&verdict);
        }
        assert_int_equal(ok, 1);
        free(text);
    }
}

static void test_too_large_and_too_deep(void **state)
{
    (void)state;
    struct buf body = {0}, answers = {0}, verdict = {0};
    struct reply_case c = {.what = "large", .symbols = "A"};
    buf_adds(&body, "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9,\"pad\":\"");
    size_t bare = body.len + 2;
    for (size_t i = bare; i < PARSE_BODY_MAX; i++)
        buf_addc(&body, 'x');
    buf_adds(&body, "\"}");
    assert_int_equal(body.len, PARSE_BODY_MAX);
    reply_parse(provider_find("twelvedata"), &c, body.p, body.len, 9000, &answers, &verdict);
    assert_string_equal(answers.p, "A 1 - @9000 unknown\n");
    buf_addc(&body, ' ');
    buf_clear(&answers);
    reply_parse(provider_find("twelvedata"), &c, body.p, body.len, 9000, &answers, &verdict);
    assert_string_equal(answers.p, "A bad_schema\n");

    buf_clear(&body);
    buf_clear(&answers);
    for (int i = 0; i < 100000; i++)
        buf_adds(&body, "{\"a\":");
    reply_parse(provider_find("yahoo"), &c, body.p, body.len, 9000, &answers, &verdict);
    assert_string_equal(answers.p, "A bad_schema\n");
    buf_fini(&body);
    buf_fini(&answers);
    buf_fini(&verdict);
}

/* The provider as a whole has failed when everything did, in the same way that counts. */
static void test_verdict(void **state)
{
    (void)state;
    static const struct {
        enum failure a, b, verdict;
    } rows[] = {
        {FAIL_NONE,       FAIL_NONE,         FAIL_NONE      },
        {FAIL_AUTH,       FAIL_AUTH,         FAIL_AUTH      },
        {FAIL_AUTH,       FAIL_NONE,         FAIL_NONE      },
        {FAIL_NONE,       FAIL_AUTH,         FAIL_NONE      },
        {FAIL_AUTH,       FAIL_RATE_LIMITED, FAIL_NONE      },
        {FAIL_NOT_FOUND,  FAIL_NOT_FOUND,    FAIL_NONE      },
        {FAIL_BAD_SCHEMA, FAIL_BAD_SCHEMA,   FAIL_BAD_SCHEMA},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer answers[2] = {{.failure = rows[i].a}, {.failure = rows[i].b}};
        struct http_reply reply = {.status = 200, .retry_after_s = 20, .credits_left = 3};
        struct verdict v;
        parse_verdict(&reply, answers, 2, &v);
        assert_int_equal(v.failure, rows[i].verdict);
        assert_int_equal(v.credits_left, 3);
        assert_int_equal(v.cooldown_ms, v.failure == FAIL_NONE ? 0 : 20000);
    }
}

/* The table is what everything else goes by. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < providers_len; i++) {
        const struct provider *p = providers[i];
        assert_true(i == 0 || strcmp(providers[i - 1]->rule.name, p->rule.name) < 0);
        assert_ptr_equal(provider_find(p->rule.name), p);
        assert_non_null(p->rule.symbol_problem);
        assert_true(p->batch_max >= 1 && p->batch_max <= PROVIDER_BATCH_MAX);
        assert_true(p->generate ? !p->request && !p->parse : p->request && p->parse);
    }
    assert_null(provider_find("Yahoo"));
    assert_null(provider_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utc_text),
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_escape_and_base_url),
        cmocka_unit_test(test_body_behind_a_nul),
        cmocka_unit_test(test_key_sendable),
        cmocka_unit_test(test_detail),
        cmocka_unit_test(test_hostile_replies),
        cmocka_unit_test(test_broken_reply_is_not_quoted),
        cmocka_unit_test(test_truncated_replies),
        cmocka_unit_test(test_too_large_and_too_deep),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
