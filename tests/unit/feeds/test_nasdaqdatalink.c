/* Nasdaq Data Link: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

#define SET(base, code, columns, rows)                                                             \
    "{\"dataset\":{\"database_code\":\"" base "\",\"dataset_code\":\"" code                        \
    "\",\"column_names\":[" columns "],\"data\":[" rows "],\"order\":null}}"
#define KC1(columns, rows) SET("CHRIS", "ICE_KC1", columns, rows)
#define VALUES(rows)       KC1("\"Date\",\"Value\"", rows)
#define ERR(code, text)    "{\"quandl_error\":{\"code\":\"" code "\",\"message\":\"" text "\"}}"
#define K                  "CHRIS/ICE_KC1"
#define FRIDAY             "@1773403200000" /* 2026-03-13 12:00 UTC */

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "futures", .symbols = K,
     .body = KC1("\"Date\",\"Open\",\"High\",\"Low\",\"Settle\",\"Change\",\"Volume\"",
                 "[\"2026-03-13\",383.9,391.8,381.05,388.2,null,14021.0],"
                 "[\"2026-03-12\",380.0,390.0,379.0,383.95,4.25,9000.0]"),
     .answers = K " 388.2 - " FRIDAY " unknown prev=383.95 open=383.9 high=391.8 low=381.05 "
                "volume=14021 | series=CHRIS/ICE_KC1 period=2026-03-13 value=388.2",
     .verdict = "ok"},
    {.what = "oldest first, columns elsewhere", .symbols = K,
     .body = KC1("\"LOW\",\"close\",\"date\"",
                 "[1,2,\"2026-03-12\"],[3,4,\"2026-03-13\"],[5,6,\"2026-03-11\"]"),
     .answers = K " 4 - " FRIDAY " unknown prev=2 low=3"
                " | series=CHRIS/ICE_KC1 period=2026-03-13 value=4", .verdict = "ok"},
    {.what = "the settlement goes before the last trade", .symbols = K,
     .body = KC1("\"Date\",\"Last\",\"Settle\"", "[\"2026-03-13\",1,2]"),
     .answers = K " 2 - " FRIDAY " unknown"
                " | series=CHRIS/ICE_KC1 period=2026-03-13 value=2", .verdict = "ok"},
    {.what = "null is a day without one", .symbols = K,
     .body = VALUES("[\"2026-03-13\",null],[\"2026-03-12\",53.5]"),
     .answers = K " 53.5 - @1773316800000 unknown"
                " | series=CHRIS/ICE_KC1 period=2026-03-12 value=53.5", .verdict = "ok"},
    {.what = "no figures for an unchanged day", .symbols = K,
     .body = KC1("\"Date\",\"Open\",\"High\",\"Low\",\"Settle\",\"Volume\"",
                 "[\"2026-03-13\",0,null,\"x\",388.2,0.0]"),
     .answers = K " 388.2 - " FRIDAY " unknown"
                " | series=CHRIS/ICE_KC1 period=2026-03-13 value=388.2", .verdict = "ok"},
    {.what = "gold: the column says the currency", .symbols = "LBMA/GOLD",
     .body = SET("LBMA", "GOLD", "\"Date\",\"USD (AM)\",\"USD (PM)\",\"GBP (AM)\"",
                 "[\"2026-03-13\",2990,null,2300],[\"2026-03-12\",2980.1,2985.75,2290]"),
     .answers = "LBMA/GOLD 2985.75 USD @1773316800000 unknown"
                " | series=LBMA/GOLD period=2026-03-12 value=2985.75 USD", .verdict = "ok"},
    {.what = "a figure that is no price", .symbols = "MULTPL/SP500",
     .body = SET("MULTPL", "SP500", "\"Date\",\"Yield\"",
                 "[\"2026-03-13\",-1.5],[\"2026-03-12\",2.5]"),
     .answers = "MULTPL/SP500 " FRIDAY " | series=MULTPL/SP500 period=2026-03-13 value=-1.5",
     .verdict = "ok"},
    {.what = "the figure before the date", .symbols = "MULTPL/SP500",
     .body = SET("MULTPL", "SP500", "\"Yield\",\"Date\"", "[2.5,\"2026-03-13\"]"),
     .answers = "MULTPL/SP500 " FRIDAY " | series=MULTPL/SP500 period=2026-03-13 value=2.5",
     .verdict = "ok"},
    {.what = "two columns and no date", .symbols = "MULTPL/SP500",
     .body = SET("MULTPL", "SP500", "\"Yield\",\"Day\"", "[2.5,\"2026-03-13\"]"),
     .answers = "MULTPL/SP500 bad_schema", .verdict = "bad_schema"},
    {.what = "strings", .symbols = K, .body = VALUES("[\"2026-03-13\",\"53.50\"]"),
     .answers = K " 53.50 - " FRIDAY " unknown"
                " | series=CHRIS/ICE_KC1 period=2026-03-13 value=53.50", .verdict = "ok"},
    {.what = "zero is for others to judge", .symbols = K, .body = VALUES("[\"2026-03-13\",0]"),
     .answers = K " 0 - " FRIDAY " unknown"
                " | series=CHRIS/ICE_KC1 period=2026-03-13 value=0", .verdict = "ok"},
    {.what = "no rows", .symbols = K, .body = VALUES(""),
     .answers = K " no_data", .verdict = "ok"},
    {.what = "nulls only", .symbols = K, .body = VALUES("[\"2026-03-13\",null]"),
     .answers = K " no_data", .verdict = "ok"},
    {.what = "frozen", .symbols = "WIKI/AAPL",
     .body = SET("WIKI", "AAPL", "\"Date\",\"Open\",\"Close\"",
                 "[\"2018-03-27\",173.68,168.34],[\"2018-03-26\",168.07,172.77]"),
     .answers = "WIKI/AAPL no_data", .verdict = "ok"},
    {.what = "tomorrow", .symbols = K, .body = VALUES("[\"2026-03-17\",5]"),
     .answers = K " no_data", .verdict = "ok"},

    /* what is no data set */
    {.what = "another code", .symbols = "CHRIS/ICE_KC2", .body = VALUES("[\"2026-03-13\",5]"),
     .answers = "CHRIS/ICE_KC2 bad_schema", .verdict = "bad_schema"},
    {.what = "another data base", .symbols = "CHRIT/ICE_KC1", .body = VALUES("[\"2026-03-13\",5]"),
     .answers = "CHRIT/ICE_KC1 bad_schema", .verdict = "bad_schema"},
    {.what = "a shorter data base", .symbols = "CHRISX/ICE_KC1",
     .body = VALUES("[\"2026-03-13\",5]"),
     .answers = "CHRISX/ICE_KC1 bad_schema", .verdict = "bad_schema"},
    {.what = "data base and code cut elsewhere", .symbols = K,
     .body = SET("CHRI", "/ICE_KC1", "\"Date\",\"Value\"", "[\"2026-03-13\",5]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "no codes", .symbols = K,
     .body = "{\"dataset\":{\"column_names\":[\"Date\",\"Value\"],\"data\":[[\"2026-03-13\",5]]}}",
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "no column that is a price", .symbols = K,
     .body = KC1("\"Date\",\"Open Interest\",7", "[\"2026-03-13\",5,6]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "no column that is a date", .symbols = K,
     .body = KC1("\"Value\"", "[5]"), .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "no such day", .symbols = K, .body = VALUES("[\"2026-13-13\",5]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "a number for a day", .symbols = K, .body = VALUES("[20260313,5]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "a row cut short", .symbols = K, .body = VALUES("[\"2026-03-13\"]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "words for a price", .symbols = K, .body = VALUES("[\"2026-03-13\",\"n/a\"]"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "rows of another kind", .symbols = K, .body = VALUES("{}"),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "no rows at all", .symbols = K,
     .body = "{\"dataset\":{\"column_names\":[\"Date\",\"Value\"],\"data\":null}}",
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", .symbols = K, .body = "{\"datasets\":[]}",
     .answers = K " bad_schema", .verdict = "bad_schema"},

    /* errors: the third letter of the code */
    {.what = "not permitted", .symbols = K, .status = 403, .body = ERR("QEPx04", "Subscribe."),
     .answers = K " auth", .verdict = "auth"},
    {.what = "unknown key", .symbols = K, .status = 400,
     .body = ERR("QEAx01", "We could not recognize your API key."),
     .answers = K " auth", .verdict = "auth"},
    {.what = "unknown code", .symbols = K, .status = 404,
     .body = ERR("QECx02", "You have submitted an incorrect Quandl code."),
     .answers = K " not_found", .verdict = "ok"},
    {.what = "unknown code, in a 200", .symbols = K, .body = ERR("QECx02", "x"),
     .answers = K " not_found", .verdict = "ok"},
    {.what = "a bad request", .symbols = K, .status = 422, .body = ERR("QESx04", "Bad order."),
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "a code of theirs", .symbols = K, .status = 500, .body = ERR("QEXx01", "Oops."),
     .answers = K " upstream_error", .verdict = "upstream_error"},
    {.what = "a code of tomorrow", .symbols = K, .status = 401, .body = ERR("ABC", "x"),
     .answers = K " auth", .verdict = "auth"},
    {.what = "no code, 403", .symbols = K, .status = 403, .body = "{\"quandl_error\":{}}",
     .answers = K " auth", .verdict = "auth"},
    {.what = "no code, 404", .symbols = K, .status = 404, .body = "{\"quandl_error\":7}",
     .answers = K " not_found", .verdict = "ok"},
    {.what = "no code, 429", .symbols = K, .status = 429, .body = "{\"quandl_error\":{\"code\":7}}",
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "no code, 200", .symbols = K, .body = "{\"quandl_error\":{\"code\":\"QE\"}}",
     .answers = K " upstream_error", .verdict = "upstream_error"},
    {.what = "another error object", .symbols = K, .status = 422,
     .body = "{\"errors\":{\"start_date\":[\"x\"]}}",
     .answers = K " bad_schema", .verdict = "bad_schema"},

    /* limits: the text names the window */
    {.what = "the day without a key", .symbols = K, .status = 429,
     .body = ERR("QELx01", "You have exceeded the anonymous user limit of 50 calls per day."),
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "the day, although a shorter time is named", .symbols = K, .status = 429,
     .body = ERR("QELx03", "No more calls today."), .retry_after_s = 60,
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "ten minutes", .symbols = K, .status = 429,
     .body = ERR("QELx02", "You have exceeded the limit of 2,000 calls per 10 minutes."),
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=610000"},
    {.what = "ten seconds, in a 200", .symbols = K,
     .body = ERR("QELx04", "You have exceeded the API speed limit of 300 calls per 10 seconds."),
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=20000"},
    {.what = "a longer time is named", .symbols = K, .status = 429,
     .body = ERR("QELx04", "300 calls per 10 seconds."), .retry_after_s = 90,
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=90000"},
    {.what = "no window", .symbols = K, .status = 429, .body = "slow down",
     .answers = K " rate_limited", .verdict = "rate_limited cooldown=70000"},

    {.what = "Incapsula", .symbols = K, .status = 403,
     .body = "<html><head><META NAME=\"robots\"></head><iframe id=\"main-iframe\">Request "
             "unsuccessful. Incapsula incident ID: 1-2</iframe></html>",
     .answers = K " blocked", .verdict = "blocked"},
    {.what = "Incapsula in a 200", .symbols = K, .body = "\n<html></html>",
     .answers = K " blocked", .verdict = "blocked"},
    {.what = "data under an error's status", .symbols = K, .status = 503,
     .body = VALUES("[\"2026-03-13\",5]"),
     .answers = K " upstream_error", .verdict = "upstream_error"},
    {.what = "empty", .symbols = K, .body = "",
     .answers = K " bad_schema", .verdict = "bad_schema"},
    {.what = "moved", .symbols = K, .status = 301, .body = "",
     .location = "https://www.quandl.com/",
     .answers = K " upstream_error", .verdict = "upstream_error"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("nasdaqdatalink"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    static const char *const symbols[] = {"CHRIS/ICE_KC1", "LBMA/GOLD"};
    static const char *const bad[] = {"CHRIS"}, *const keys[] = {NULL, "", "a\nX: 1"};
    const struct provider *p = provider_find("nasdaqdatalink");
    struct config_provider cfg = {.name = "nasdaqdatalink", .api_key = "k3y"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://data.nasdaq.com/api/v3/datasets/CHRIS/ICE_KC1.json"
                                  "?rows=5&order=desc");
    assert_string_equal(rq.headers.p, "X-Api-Token: k3y\nAccept: application/json\n");
    assert_int_equal(p->request(&cfg, symbols, 2, &rq, &err), -1);
    assert_int_equal(p->request(&cfg, bad, 1, &rq, &err), -1);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        cfg.api_key = keys[i];
        assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), -1);
        assert_non_null(strstr(err.text, "api_key"));
    }
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("nasdaqdatalink");
    static const char *const good[] = {"CHRIS/ICE_KC1", "LBMA/GOLD", "WIKI/AAPL"};
    static const char too_long[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ/"
                                   "ABCDEFGHIJKL";
    static const char *const bad[] = {"",      "CHRIS",     "CHRIS/", "/KC1",  "CHRIS/KC1/X",
                                      "A/B?c", "chris/kc1", "A/..",   "A B/C", too_long};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(p->rule.symbol_problem(bad[i]));
    assert_string_equal(p->rule.key_env, "NASDAQ_DATA_LINK_API_KEY");
    assert_true(p->rule.needs_key);
    assert_int_equal(p->batch_max, 1);
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
