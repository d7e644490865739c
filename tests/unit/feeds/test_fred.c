/* FRED: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-16 10:00 UTC, a Monday */
static const int64_t NOW_MS = 1773655200000;

#define O(date, value) "{\"date\":\"" date "\",\"value\":" value "}"
#define REPLY(list)    "{\"units\":\"lin\",\"count\":9,\"observations\":[" list "]}"
#define ERR(code, text)                                                                            \
    "{\n  \"error_code\": " #code ",\n  \"error_message\": \"Bad Request.  " text "\"\n}\n"
#define FRIDAY "@1773417600000" /* 2026-03-13 16:00 UTC: noon in New York */

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "newest first", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-13", "\"1.1440\"") "," O("2026-03-12", "\"1.1522\"")),
     .answers = "DEXUSEU 1.1440 USD " FRIDAY " unknown prev=1.1522"
                " | series=DEXUSEU period=2026-03-13 value=1.1440", .verdict = "ok"},
    {.what = "oldest first", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-12", "\"1.1522\"") "," O("2026-03-13", "\"1.1440\"")),
     .answers = "DEXUSEU 1.1440 USD " FRIDAY " unknown prev=1.1522"
                " | series=DEXUSEU period=2026-03-13 value=1.1440", .verdict = "ok"},
    {.what = "a dot is a holiday, not 0", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-13", "\".\"") "," O("2026-03-12", "\"1.15\"") ","
                   O("2026-03-11", "\".\"") "," O("2026-03-10", "\"1.16\"")),
     .answers = "DEXUSEU 1.15 USD @1773331200000 unknown prev=1.16"
                " | series=DEXUSEU period=2026-03-12 value=1.15", .verdict = "ok"},
    {.what = "null and nothing are missing, too", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-13", "null") "," O("2026-03-12", "\"\"") ","
                   O("2026-03-11", "\"1.17\"")),
     .answers = "DEXUSEU 1.17 USD @1773244800000 unknown"
                " | series=DEXUSEU period=2026-03-11 value=1.17", .verdict = "ok"},
    {.what = "dots only", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-13", "\".\"") "," O("2026-03-12", "\".\"")),
     .answers = "DEXUSEU no_data", .verdict = "ok"},
    {.what = "no observations", .symbols = "DEXUSEU", .body = REPLY(""),
     .answers = "DEXUSEU no_data", .verdict = "ok"},
    {.what = "a number", .symbols = "DEXUSEU", .body = REPLY(O("2026-03-13", "1.144")),
     .answers = "DEXUSEU 1.144 USD " FRIDAY " unknown"
                " | series=DEXUSEU period=2026-03-13 value=1.144", .verdict = "ok"},
    {.what = "yen for a dollar", .symbols = "DEXJPUS", .body = REPLY(O("2026-03-13", "\"159.54\"")),
     .answers = "DEXJPUS 159.54 JPY " FRIDAY " unknown"
                " | series=DEXJPUS period=2026-03-13 value=159.54", .verdict = "ok"},
    {.what = "a rate that has no row", .symbols = "DEXVZUS",
     .body = REPLY(O("2026-03-13", "\"7\"")),
     .answers = "DEXVZUS 7 - " FRIDAY " unknown"
                " | series=DEXVZUS period=2026-03-13 value=7", .verdict = "ok"},
    {.what = "no rate: noon UTC, no currency", .symbols = "DCOILWTICO",
     .body = REPLY(O("2026-03-13", "\"66.31\"") "," O("2026-03-12", "\"65.90\"")),
     .answers = "DCOILWTICO 66.31 - @1773403200000 unknown prev=65.90"
                " | series=DCOILWTICO period=2026-03-13 value=66.31", .verdict = "ok"},
    {.what = "months are no days", .symbols = "PCOFFOTMUSDM",
     .body = REPLY(O("2026-01-01", "\"390.2\"") "," O("2025-12-01", "\"391\"")),
     .answers = "PCOFFOTMUSDM 390.2 - @1767268800000 unknown"
                " | series=PCOFFOTMUSDM period=2026-01-01 value=390.2", .verdict = "ok"},
    {.what = "zero is for others to judge", .symbols = "FEDFUNDS",
     .body = REPLY(O("2026-03-13", "\"0.00\"") "," O("2026-03-12", "\"-0.10\"")),
     .answers = "FEDFUNDS 0.00 - @1773403200000 unknown"
                " | series=FEDFUNDS period=2026-03-13 value=0.00", .verdict = "ok"},
    {.what = "a spread below zero: no price, and a figure all the same", .symbols = "T10Y2Y",
     .body = REPLY(O("2026-03-13", "\"-0.25\"") "," O("2026-03-12", "\"-0.31\"")),
     .answers = "T10Y2Y -0.25 - @1773403200000 unknown | series=T10Y2Y period=2026-03-13 "
                "value=-0.25",
     .verdict = "ok"},
    {.what = "today before its noon", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-16", "\"1.1\"")),
     .answers = "DEXUSEU 1.1 USD @1773619200000 unknown"
                " | series=DEXUSEU period=2026-03-16 value=1.1", .verdict = "ok"},
    {.what = "tomorrow", .symbols = "DEXUSEU", .body = REPLY(O("2026-03-17", "\"1.1\"")),
     .answers = "DEXUSEU no_data", .verdict = "ok"},
    {.what = "in the year 9999", .symbols = "DEXUSEU", .body = REPLY(O("9999-12-31", "\"1.1\"")),
     .answers = "DEXUSEU no_data", .verdict = "ok"},
    {.what = "a series that has ended", .symbols = "USD3MTD156N",
     .body = REPLY(O("2023-06-30", "\"5.5\"") "," O("2023-06-29", "\"5.5\"")),
     .answers = "USD3MTD156N no_data", .verdict = "ok"},
    {.what = "no such day", .symbols = "DEXUSEU", .body = REPLY(O("2026-02-30", "\"1.1\"")),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "no day", .symbols = "DEXUSEU", .body = REPLY("{\"value\":\"1.1\"}"),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "no object", .symbols = "DEXUSEU", .body = REPLY("7"),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "no value", .symbols = "DEXUSEU", .body = REPLY("{\"date\":\"2026-03-13\"}"),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "words for a value", .symbols = "DEXUSEU", .body = REPLY(O("2026-03-13", "\"N/A\"")),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "thousands marked", .symbols = "DEXUSEU",
     .body = REPLY(O("2026-03-13", "\"1,144.0\"")),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "a truth for a value", .symbols = "DEXUSEU", .body = REPLY(O("2026-03-13", "true")),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "observations of another kind", .symbols = "DEXUSEU", .body = "{\"observations\":{}}",
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", .symbols = "DEXUSEU", .body = "[]",
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},

    /* errors: the words decide */
    {.what = "an unknown key", .symbols = "DEXUSEU", .status = 400,
     .body = ERR(400, "The value for variable api_key is not registered."),
     .answers = "DEXUSEU auth", .verdict = "auth"},
    {.what = "no key, in a 200", .symbols = "DEXUSEU",
     .body = ERR(400, "Variable api_key is not set."),
     .answers = "DEXUSEU auth", .verdict = "auth"},
    {.what = "forbidden", .symbols = "DEXUSEU", .status = 403, .body = ERR(403, "No."),
     .answers = "DEXUSEU auth", .verdict = "auth"},
    {.what = "unauthorized", .symbols = "DEXUSEU", .status = 401, .body = ERR(401, "No."),
     .answers = "DEXUSEU auth", .verdict = "auth"},
    {.what = "no such series", .symbols = "NOPE", .status = 400,
     .body = ERR(400, "The series does not exist."),
     .answers = "NOPE not_found", .verdict = "ok"},
    {.what = "not found", .symbols = "NOPE", .status = 404, .body = ERR(404, "Not Found"),
     .answers = "NOPE not_found", .verdict = "ok"},
    {.what = "another bad request", .symbols = "DEXUSEU", .status = 400,
     .body = ERR(400, "Value of limit is not between 1 and 100000."),
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "an error of theirs", .symbols = "DEXUSEU", .status = 500,
     .body = ERR(500, "Internal Server Error"),
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
    {.what = "a code alone", .symbols = "DEXUSEU", .body = "{\"error_code\":423}",
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
    {.what = "words alone", .symbols = "DEXUSEU", .body = "{\"error_message\":\"oops\"}",
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
    {.what = "an error of the wrong types", .symbols = "DEXUSEU",
     .body = "{\"error_code\":\"x\",\"error_message\":7}",
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
    {.what = "too many", .symbols = "DEXUSEU", .status = 429,
     .body = ERR(429, "Too Many Requests.  Exceeded Rate Limit"),
     .answers = "DEXUSEU rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "too many, without JSON, with a time", .symbols = "DEXUSEU", .status = 429,
     .body = "slow down", .retry_after_s = 300,
     .answers = "DEXUSEU rate_limited", .verdict = "rate_limited cooldown=300000"},
    {.what = "too many, a short time", .symbols = "DEXUSEU", .status = 429, .body = "",
     .retry_after_s = 5,
     .answers = "DEXUSEU rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "data under an error's status", .symbols = "DEXUSEU", .status = 503,
     .body = REPLY(O("2026-03-13", "\"1.1\"")),
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = "DEXUSEU", .body = "<!DOCTYPE html><html></html>",
     .answers = "DEXUSEU blocked", .verdict = "blocked"},
    {.what = "a wall", .symbols = "DEXUSEU", .status = 403, .body = "<HTML>Access Denied</HTML>",
     .answers = "DEXUSEU blocked", .verdict = "blocked"},
    {.what = "empty", .symbols = "DEXUSEU", .body = "",
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "DEXUSEU", .body = "{\"observations\":[",
     .answers = "DEXUSEU bad_schema", .verdict = "bad_schema"},
    {.what = "moved", .symbols = "DEXUSEU", .status = 301, .body = "",
     .location = "https://fred.stlouisfed.org/",
     .answers = "DEXUSEU upstream_error", .verdict = "upstream_error"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("fred"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    static const char *const symbols[] = {"DEXUSEU", "DEXJPUS"};
    static const char *const bad[] = {"DEX/USEU"};
    const struct provider *p = provider_find("fred");
    struct config_provider cfg = {.name = "fred", .api_key = "abc&d"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://api.stlouisfed.org/fred/series/observations"
                                  "?series_id=DEXUSEU&file_type=json&sort_order=desc&limit=10"
                                  "&api_key=abc%26d");
    assert_string_equal(rq.headers.p, "Accept: application/json\n");
    assert_int_equal(p->request(&cfg, symbols, 2, &rq, &err), -1);
    assert_int_equal(p->request(&cfg, bad, 1, &rq, &err), -1);
    cfg.api_key = "";
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), -1);
    cfg.api_key = NULL;
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), -1);
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

/* Errors have been seen to hold the key, whichever words stand around it. */
static void test_details_hold_no_secrets(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        ERR(400, "The value hunter2 for variable api_key is not registered."),
        ERR(400, "Bad request ?series_id=A&api_key=hunter2&limit=1"),
        ERR(500, "see https://api.test/?k=hunter2"),
    };
    const char *const symbols[] = {"DEXUSEU"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_reply reply = {
            .status = 400, .body = bodies[i], .len = strlen(bodies[i]), .retry_after_s = -1};
        struct answer a;
        struct verdict v;
        provider_find("fred")->parse(&reply, symbols, 1, NOW_MS, &a, &v);
        reply_check_detail(&a);
        assert_null(strstr(a.detail, "hunter2"));
    }
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("fred");
    static const char *const good[] = {"DEXUSEU", "T10Y2Y", "4BIGEURORECDM", "A_B"};
    static const char *const bad[] = {"",    "dexuseu", "DEX.USEU",
                                      "A B", "A&B",     "ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(p->rule.symbol_problem(bad[i]));
    assert_string_equal(p->rule.key_env, "FRED_API_KEY");
    assert_true(p->rule.needs_key);
    assert_int_equal(p->batch_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_details_hold_no_secrets),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
