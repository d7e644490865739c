/* ExchangeRate-API: what is asked with and without a key, and what is made of each kind of reply.
 */
#include "reply_case.h"

/* 2026-03-02 10:00 UTC; the table is of 00:02:31 that day. */
static const int64_t NOW_MS = 1772445600000;

#define WHEN   "\"time_last_update_unix\":1772409751,\"time_next_update_unix\":1772496151,"
#define ENDING "\"time_eol_unix\":0,"
#define OPEN(head, rates)                                                                          \
    "{\"result\":\"success\"," head "\"base_code\":\"USD\",\"rates\":{" rates "}}"
#define RATES       "\"USD\":1,\"EUR\":0.853612,\"JPY\":147.5,\"GBP\":\"0.74\",\"BZD\":2"
#define ERROR(type) "{\"result\":\"error\",\"error-type\":\"" type "\"}"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a day", .symbols = "USD/JPY,EUR/USD,EUR/JPY,USD/BZD,USD/GBP,USD/RUB",
     .body = OPEN(WHEN ENDING, RATES),
     .answers = "USD/JPY 147.5 JPY @1772409751000 unknown\n"
                "EUR/USD 1.171492 USD @1772409751000 unknown derived\n"
                "EUR/JPY 172.7951 JPY @1772409751000 unknown derived\n"
                "USD/BZD 2 BZD @1772409751000 unknown\n"
                "USD/GBP 0.74 GBP @1772409751000 unknown\n"
                "USD/RUB not_found",
     .verdict = "ok"},
    {.what = "with a key", .symbols = "USD/EUR",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"USD\",\"conversion_rates\":{" RATES
             "}}",
     .answers = "USD/EUR 0.853612 EUR @1772409751000 unknown", .verdict = "ok"},
    {.what = "another base than we asked for", .symbols = "EUR/USD,USD/EUR",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"EUR\",\"rates\":{\"USD\":1.25}}",
     .answers = "EUR/USD 1.25 USD @1772409751000 unknown\n"
                "USD/EUR 0.800000 EUR @1772409751000 unknown derived",
     .verdict = "ok"},
    {.what = "a pair", .symbols = "EUR/USD,EUR/CHF",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"EUR\",\"target_code\":\"USD\","
             "\"conversion_rate\":1.1715}",
     .answers = "EUR/USD 1.1715 USD @1772409751000 unknown\nEUR/CHF not_found", .verdict = "ok"},
    {.what = "a pair without its rate", .symbols = "EUR/USD",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"EUR\",\"target_code\":\"USD\"}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a pair with no currency", .symbols = "EUR/USD",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"EUR\",\"target_code\":\"dollar\","
             "\"conversion_rate\":1.1715}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a rate of null, and no code of a currency", .symbols = "USD/EUR,USD/SDG,USD/USDT",
     .body = OPEN(WHEN ENDING, RATES ",\"SDG\":null,\"USDT\":1.0001"),
     .answers = "USD/EUR 0.853612 EUR @1772409751000 unknown\nUSD/SDG not_found\n"
                "USD/USDT not_found",
     .verdict = "ok"},
    {.what = "zero", .symbols = "USD/EUR", .body = OPEN(WHEN ENDING, RATES ",\"CHF\":0"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "below zero", .symbols = "USD/EUR", .body = OPEN(WHEN ENDING, RATES ",\"CHF\":-0.8"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "a rate in words", .symbols = "USD/EUR",
     .body = OPEN(WHEN ENDING, RATES ",\"CHF\":\"N/A\""),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "nan", .symbols = "USD/EUR", .body = OPEN(WHEN ENDING, RATES ",\"CHF\":nan"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "a currency twice", .symbols = "USD/EUR",
     .body = OPEN(WHEN ENDING, RATES ",\"EUR\":0.9"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "no rates", .symbols = "USD/EUR", .body = OPEN(WHEN ENDING, ""),
     .answers = "USD/EUR no_data", .verdict = "ok"},
    {.what = "rates are a list", .symbols = "USD/EUR",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"USD\",\"rates\":[1]}",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "rates of what?", .symbols = "USD/EUR",
     .body = "{\"result\":\"success\"," WHEN "\"rates\":{" RATES "}}",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "rates of something else", .symbols = "USD/EUR",
     .body = "{\"result\":\"success\"," WHEN "\"base_code\":\"usd\",\"rates\":{" RATES "}}",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "no time", .symbols = "USD/EUR", .body = OPEN("", RATES),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "time zero", .symbols = "USD/EUR",
     .body = OPEN("\"time_last_update_unix\":0,", RATES),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "time in words", .symbols = "USD/EUR",
     .body = OPEN("\"time_last_update_unix\":\"Mon, 02 Mar 2026\",", RATES),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "time in milliseconds", .symbols = "USD/EUR",
     .body = OPEN("\"time_last_update_unix\":1772409751000,", RATES),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "nobody updates it any more", .symbols = "USD/EUR",
     .body = OPEN("\"time_last_update_unix\":1771891200,", RATES),
     .answers = "USD/EUR no_data", .verdict = "ok"},
    {.what = "its end is announced", .symbols = "USD/EUR",
     .body = OPEN(WHEN "\"time_eol_unix\":1772445601,", RATES),
     .answers = "USD/EUR 0.853612 EUR @1772409751000 unknown", .verdict = "ok"},
    {.what = "its end has come", .symbols = "USD/EUR",
     .body = OPEN(WHEN "\"time_eol_unix\":1772445600,", RATES),
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},

    {.what = "a code it does not know", .symbols = "USD/EUR", .body = ERROR("unsupported-code"),
     .answers = "USD/EUR not_found", .verdict = "ok"},
    {.what = "the same under its status", .symbols = "USD/EUR", .status = 404,
     .body = ERROR("unsupported-code"), .answers = "USD/EUR not_found", .verdict = "ok"},
    {.what = "malformed", .symbols = "USD/EUR", .status = 400, .body = ERROR("malformed-request"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "a wrong key", .symbols = "USD/EUR", .status = 403, .body = ERROR("invalid-key"),
     .answers = "USD/EUR auth", .verdict = "auth"},
    {.what = "a wrong key under 200", .symbols = "USD/EUR", .body = ERROR("invalid-key"),
     .answers = "USD/EUR auth", .verdict = "auth"},
    {.what = "no account", .symbols = "USD/EUR", .status = 403, .body = ERROR("inactive-account"),
     .answers = "USD/EUR auth", .verdict = "auth"},
    {.what = "the month's quota", .symbols = "USD/EUR,USD/JPY", .status = 403,
     .body = ERROR("quota-reached"),
     .answers = "USD/EUR rate_limited\nUSD/JPY rate_limited",
     .verdict = "rate_limited cooldown=-1"},
    {.what = "an error that is new", .symbols = "USD/EUR", .body = ERROR("on-fire"),
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},
    {.what = "an error without its type", .symbols = "USD/EUR", .body = "{\"result\":\"error\"}",
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},
    {.what = "a type without the word error", .symbols = "USD/EUR",
     .body = "{\"error-type\":\"invalid-key\"}",
     .answers = "USD/EUR auth", .verdict = "auth"},
    {.what = "something else", .symbols = "USD/EUR", .body = "{\"a\":[]}",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "a list", .symbols = "USD/EUR", .body = "[]",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "empty", .symbols = "USD/EUR", .body = "",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "USD/EUR", .body = "{\"result\":\"success\",\"rates\":{\"US",
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "a web page", .symbols = "USD/EUR", .body = "<!DOCTYPE html><title>Hello</title>",
     .answers = "USD/EUR blocked", .verdict = "blocked"},
    {.what = "not there", .symbols = "USD/EUR", .status = 404, .body = "{\"message\":\"no\"}",
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},
    {.what = "moved", .symbols = "USD/EUR", .status = 301, .body = "",
     .location = "https://www.exchangerate-api.com/",
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},
    {.what = "a good table under a bad status", .symbols = "USD/EUR", .status = 500,
     .body = OPEN(WHEN ENDING, RATES),
     .answers = "USD/EUR upstream_error", .verdict = "upstream_error"},
    {.what = "shut out", .symbols = "USD/EUR", .status = 429, .body = "",
     .answers = "USD/EUR rate_limited", .verdict = "rate_limited cooldown=1200000"},
    {.what = "shut out, for less by its word", .symbols = "USD/EUR", .status = 429,
     .body = "<html>Too Many Requests</html>", .retry_after_s = 60,
     .answers = "USD/EUR rate_limited", .verdict = "rate_limited cooldown=1200000"},
    {.what = "shut out, for more by its word", .symbols = "USD/EUR", .status = 429, .body = "",
     .retry_after_s = 1800,
     .answers = "USD/EUR rate_limited", .verdict = "rate_limited cooldown=1800000"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("exchangerate"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* More rates than there are currencies. */
static void test_too_many_rates(void **state)
{
    struct buf body = {0};
    (void)state;
    buf_adds(&body, "{\"result\":\"success\"," WHEN "\"base_code\":\"USD\",\"rates\":{\"EUR\":1");
    for (int i = 0; i < 300; i++)
        buf_addf(&body, ",\"%c%cQ\":2", 'A' + i / 26, 'A' + i % 26);
    buf_adds(&body, "}}");
    const struct reply_case c = {.what = "too many",
                                 .symbols = "USD/EUR",
                                 .answers = "USD/EUR bad_schema",
                                 .verdict = "bad_schema"};
    assert_true(reply_case_holds(provider_find("exchangerate"), &c, body.p, body.len, NOW_MS));
    buf_fini(&body);
}

/* The URL and all headers, one text. */
static void check_request(struct config_provider cfg, const char *want)
{
    static const char *const symbols[] = {"EUR/USD", "GBP/CHF"};
    struct http_request rq = {0};
    struct err err;
    assert_int_equal(provider_find("exchangerate")->request(&cfg, symbols, 2, &rq, &err), 0);
    buf_addf(&rq.url, "\n%s", rq.headers.p);
    assert_string_equal(rq.url.p, want);
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_request(void **state)
{
    (void)state;
    check_request((struct config_provider){.name = "exchangerate"},
                  "https://open.er-api.com/v6/latest/USD\nAccept: application/json\n");
    check_request((struct config_provider){.name = "exchangerate", .api_key = "abc123"},
                  "https://v6.exchangerate-api.com/v6/latest/USD\n"
                  "Authorization: Bearer abc123\nAccept: application/json\n");
    check_request((struct config_provider){.base_url = "http://127.0.0.1:1/"},
                  "http://127.0.0.1:1/v6/latest/USD\nAccept: application/json\n");
}

static void test_request_refused(void **state)
{
    static const char *const symbols[] = {"EUR/USD"};
    struct config_provider cfg = {.api_key = "abc\nHost: x.test"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(provider_find("exchangerate")->request(&cfg, symbols, 1, &rq, &err), -1);
    assert_null(strstr(err.text, "abc"));
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_rule(void **state)
{
    const struct provider *p = provider_find("exchangerate");
    (void)state;
    assert_true(p->rule.enabled_by_default);
    assert_false(p->rule.needs_key);
    assert_true(p->table);
    assert_int_equal(p->rule.credits_per_day, 24);
    assert_null(p->rule.symbol_problem("EUR/USD"));
    assert_non_null(p->rule.symbol_problem("EURUSD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies), cmocka_unit_test(test_too_many_rates),
        cmocka_unit_test(test_request), cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
