/* Frankfurter: what is asked, and what is made of its two kinds of table and of its errors. */
#include "reply_case.h"

/* 2026-03-03 10:00 UTC, a Tuesday; the table is Monday's. */
static const int64_t NOW_MS = 1772532000000;

#define V1(date, rates)                                                                            \
    "{\"amount\":1.0,\"base\":\"EUR\",\"date\":\"" date "\",\"rates\":{" rates "}}"
#define RATES "\"GBP\":0.85898,\"JPY\":181.59,\"USD\":1.1622,\"IDR\":19000"
#define ROW(date, base, quote, rate)                                                               \
    "{\"date\":\"" date "\",\"base\":\"" base "\",\"quote\":\"" quote "\",\"rate\":" rate "}"
#define MONDAY "2026-03-02"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a day", .symbols = "EUR/USD,USD/EUR,GBP/USD,EUR/IDR,EUR/RUB",
     .body = V1(MONDAY, RATES),
     .answers = "EUR/USD 1.1622 USD @1772453400000 unknown\n"
                "USD/EUR 0.860437 EUR @1772453400000 unknown derived\n"
                "GBP/USD 1.35300 USD @1772453400000 unknown derived\n"
                "EUR/IDR 19000 IDR @1772453400000 unknown\n"
                "EUR/RUB not_found",
     .verdict = "ok"},
    {.what = "without an amount", .symbols = "EUR/USD",
     .body = "{\"base\":\"EUR\",\"date\":\"2026-03-02\",\"rates\":{\"USD\":1.1622}}",
     .answers = "EUR/USD 1.1622 USD @1772453400000 unknown", .verdict = "ok"},
    {.what = "rates for ten euros", .symbols = "EUR/USD",
     .body = "{\"amount\":10,\"base\":\"EUR\",\"date\":\"2026-03-02\",\"rates\":{\"USD\":11.62}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "an amount in words", .symbols = "EUR/USD",
     .body = "{\"amount\":\"1\",\"base\":\"EUR\",\"date\":\"2026-03-02\",\"rates\":{\"USD\":1}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "rates as texts", .symbols = "EUR/USD", .body = V1(MONDAY, "\"USD\":\"1.1620\""),
     .answers = "EUR/USD 1.1620 USD @1772453400000 unknown", .verdict = "ok"},
    {.what = "a week old", .symbols = "EUR/USD", .body = V1("2026-02-24", RATES),
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "no rates", .symbols = "EUR/USD", .body = V1(MONDAY, ""),
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "no such day", .symbols = "EUR/USD", .body = V1("2026-02-30", RATES),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "no day", .symbols = "EUR/USD", .body = "{\"base\":\"EUR\",\"rates\":{\"USD\":1.16}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "the day is a number", .symbols = "EUR/USD",
     .body = "{\"base\":\"EUR\",\"date\":20260302,\"rates\":{\"USD\":1.16}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "rates of what?", .symbols = "EUR/USD",
     .body = "{\"date\":\"2026-03-02\",\"rates\":{\"USD\":1.16}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "rates of no currency", .symbols = "EUR/USD",
     .body = "{\"base\":\"euro\",\"date\":\"2026-03-02\",\"rates\":{\"USD\":1.16}}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "no object of rates", .symbols = "EUR/USD",
     .body = "{\"base\":\"EUR\",\"date\":\"2026-03-02\",\"rates\":[1.16]}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "zero", .symbols = "EUR/USD", .body = V1(MONDAY, RATES ",\"CHF\":0"),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "null", .symbols = "EUR/USD", .body = V1(MONDAY, "\"CHF\":null," RATES),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a currency twice", .symbols = "EUR/USD", .body = V1(MONDAY, RATES ",\"USD\":1.2"),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},

    {.what = "v2", .symbols = "EUR/USD,EUR/GBP,USD/GBP",
     .body = "[" ROW(MONDAY, "EUR", "USD", "1.25") "," ROW(MONDAY, "EUR", "GBP", "0.85") "]",
     .answers = "EUR/USD 1.25 USD @1772453400000 unknown\n"
                "EUR/GBP 0.85 GBP @1772453400000 unknown\n"
                "USD/GBP 0.680000 GBP @1772453400000 unknown derived",
     .verdict = "ok"},
    {.what = "v2, an older day before and behind the newest", .symbols = "EUR/USD,EUR/ISK,EUR/GBP",
     .body = "[" ROW("2026-02-27", "EUR", "ISK", "149.1") "," ROW(MONDAY, "EUR", "USD", "1.25") ","
             ROW("2026-02-27", "EUR", "GBP", "0.85") "]",
     .answers = "EUR/USD 1.25 USD @1772453400000 unknown\nEUR/ISK not_found\nEUR/GBP not_found",
     .verdict = "ok"},
    {.what = "v2, nothing", .symbols = "EUR/USD", .body = "[]",
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "v2, a week old", .symbols = "EUR/USD",
     .body = "[" ROW("2026-02-24", "EUR", "USD", "1.25") "]",
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "v2, no day", .symbols = "EUR/USD",
     .body = "[{\"base\":\"EUR\",\"quote\":\"USD\",\"rate\":1.25}]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, two bases", .symbols = "EUR/USD",
     .body = "[" ROW(MONDAY, "EUR", "USD", "1.25") "," ROW(MONDAY, "CHF", "GBP", "0.85") "]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, no base", .symbols = "EUR/USD", .body = "[1,2]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, the second without a base", .symbols = "EUR/USD",
     .body = "[" ROW(MONDAY, "EUR", "USD", "1.25") ",null]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, a rate of nothing", .symbols = "EUR/USD",
     .body = "[{\"date\":\"2026-03-02\",\"base\":\"EUR\",\"rate\":1.25}]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, no rate", .symbols = "EUR/USD",
     .body = "[{\"date\":\"2026-03-02\",\"base\":\"EUR\",\"quote\":\"USD\"}]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "v2, a currency twice", .symbols = "EUR/USD",
     .body = "[" ROW(MONDAY, "EUR", "USD", "1.25") "," ROW(MONDAY, "EUR", "USD", "1.26") "]",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},

    {.what = "not there any more", .symbols = "EUR/USD", .status = 404,
     .body = "{\"message\":\"not found\"}",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "a message under 200", .symbols = "EUR/USD", .body = "{\"message\":\"not found\"}",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "a currency it does not know", .symbols = "EUR/USD", .status = 422,
     .body = "{\"status\":422,\"message\":\"invalid currency: ZZZ\"}",
     .answers = "EUR/USD not_found", .verdict = "ok"},
    {.what = "other things it does not like", .symbols = "EUR/USD", .status = 422,
     .body = "{\"message\":\"invalid date\"}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "the status in the body alone", .symbols = "EUR/USD",
     .body = "{\"status\":503,\"message\":\"later\"}",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "a limit in the body alone", .symbols = "EUR/USD",
     .body = "{\"status\":429,\"message\":\"slow down\"}",
     .answers = "EUR/USD rate_limited", .verdict = "rate_limited"},
    {.what = "a status that is none", .symbols = "EUR/USD", .status = 500,
     .body = "{\"status\":200000,\"message\":\"x\"}",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "something else", .symbols = "EUR/USD", .body = "{\"a\":1}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "slow down", .symbols = "EUR/USD", .status = 429, .body = "{}",
     .answers = "EUR/USD rate_limited", .verdict = "rate_limited"},
    {.what = "slow down, and for how long", .symbols = "EUR/USD", .status = 429, .body = "",
     .retry_after_s = 30,
     .answers = "EUR/USD rate_limited", .verdict = "rate_limited cooldown=30000"},
    {.what = "a good table under a bad status", .symbols = "EUR/USD", .status = 500,
     .body = V1(MONDAY, RATES),
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "the old host", .symbols = "EUR/USD", .status = 301, .body = "",
     .location = "https://api.frankfurter.dev/v1/latest",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = "EUR/USD", .body = "\n <!doctype html><p>Frankfurter",
     .answers = "EUR/USD blocked", .verdict = "blocked"},
    {.what = "empty", .symbols = "EUR/USD", .body = "",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "text", .symbols = "EUR/USD", .body = "not found",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "EUR/USD", .body = "{\"amount\":1.0,\"base\":\"EUR\",",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("frankfurter"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void check_url(const char *base_url, const char *want)
{
    static const char *const symbols[] = {"EUR/USD", "GBP/CHF"};
    struct config_provider cfg = {.name = "frankfurter", .base_url = base_url};
    struct http_request rq = {0};
    struct err err;
    assert_int_equal(provider_find("frankfurter")->request(&cfg, symbols, 2, &rq, &err), 0);
    assert_string_equal(rq.url.p, want);
    assert_string_equal(rq.headers.p, "Accept: application/json\n");
    http_request_fini(&rq);
}

static void test_request(void **state)
{
    (void)state;
    check_url(NULL, "https://api.frankfurter.dev/v1/latest?base=EUR");
    check_url("http://127.0.0.1:1/", "http://127.0.0.1:1/v1/latest?base=EUR");
}

static void test_rule(void **state)
{
    const struct provider *p = provider_find("frankfurter");
    (void)state;
    assert_true(p->rule.enabled_by_default);
    assert_false(p->rule.needs_key);
    assert_true(p->table);
    assert_int_equal(p->rule.credits_per_day, 48);
    assert_null(p->rule.symbol_problem("EUR/USD"));
    assert_non_null(p->rule.symbol_problem("EURUSD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
