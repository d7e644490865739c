/* Stooq: what is asked, the forms of a row, Warsaw's time, and everything that comes in place of a
 * table. */
#include "reply_case.h"

/* 2026-03-25 20:00 UTC */
static const int64_t NOW_MS = 1774468800000;

#define FIRST          "Symbol,Date,Time,Open,High,Low,Close,Volume\r\n"
#define KC             "KC.F,2026-03-25,17:16:48,317.4,318.68,311.50,317.17,\r\n"
#define AT(date, time) "EURUSD," date "," time ",1.1,1.2,1.0,1.15,\r\n"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "coffee, in cents", .symbols = "kc.f", .body = FIRST KC,
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50",
     .verdict = "ok"},
    {.what = "several, in another order", .symbols = "aapl.us,kc.f,eurusd,sap.de,7203.jp",
     .body = FIRST KC "SAP.DE,2026-03-25,17:35:00,240,241,239,240.5,100\r\n"
             "AAPL.US,2026-03-24,21:00:00,230,231,229,230.10,35462000\r\n"
             "7203.JP,2026-03-25,07:00:00,2900,2910,2890,2901,5000\r\n"
             "EURUSD,2026-03-25,20:59:30,1.17,1.18,1.16,1.1705,\r\n",
     .answers = "aapl.us 230.10 USD @1774382400000 unknown open=230 high=231 low=229 "
                "volume=35462000\n"
                "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50\n"
                "eurusd 1.1705 USD @1774468770000 unknown open=1.17 high=1.18 low=1.16\n"
                "sap.de 240.5 EUR @1774456500000 unknown open=240 high=241 low=239 volume=100\n"
                "7203.jp 2901 JPY @1774418400000 unknown open=2900 high=2910 low=2890 volume=5000",
     .verdict = "ok"},
    {.what = "one symbol twice", .symbols = "kc.f,kc.f", .body = FIRST KC,
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50\n"
                "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50",
     .verdict = "ok"},
    {.what = "no first line, bare digits", .symbols = "kc.f",
     .body = "KC.F,20260325,171648,317.4,318.68,311.5,317.17,,\r\n",
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.5",
     .verdict = "ok"},
    {.what = "no first line, no line end", .symbols = "kc.f",
     .body = "KC.F,2026-03-25,17:16:48,317.4,318.68,311.5,317.17",
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.5",
     .verdict = "ok"},
    {.what = "empty lines", .symbols = "kc.f", .body = "\r\n" FIRST "\r\n" KC "\r\n \n",
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50",
     .verdict = "ok"},
    {.what = "figures of the day that are none", .symbols = "kc.f",
     .body = FIRST "KC.F,2026-03-25,17:16:48,N/D,0,-1,317.17,N/D\r\n",
     .answers = "kc.f 317.17 USX @1774455408000 unknown", .verdict = "ok"},

    {.what = "the last second of winter", .symbols = "eurusd",
     .body = FIRST AT("2026-03-29", "01:59:59"),
     .answers = "eurusd 1.15 USD @1774745999000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "the first of summer", .symbols = "eurusd", .body = FIRST AT("2026-03-29", "03:00:00"),
     .answers = "eurusd 1.15 USD @1774746000000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "an hour that there was not", .symbols = "eurusd",
     .body = FIRST AT("2026-03-29", "02:30:00"),
     .answers = "eurusd 1.15 USD @1774747800000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "summer", .symbols = "eurusd", .body = FIRST AT("2025-07-01", "12:00:00"),
     .answers = "eurusd 1.15 USD @1751364000000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "an hour that came twice: the first", .symbols = "eurusd",
     .body = FIRST AT("2025-10-26", "02:30:00"),
     .answers = "eurusd 1.15 USD @1761438600000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "its last second", .symbols = "eurusd", .body = FIRST AT("2025-10-26", "02:59:59"),
     .answers = "eurusd 1.15 USD @1761440399000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "winter again", .symbols = "eurusd", .body = FIRST AT("2025-10-26", "03:00:00"),
     .answers = "eurusd 1.15 USD @1761444000000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "a change on the 31st", .symbols = "eurusd",
     .body = FIRST AT("2024-03-31", "03:00:00"),
     .answers = "eurusd 1.15 USD @1711846800000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "New Year", .symbols = "eurusd", .body = FIRST AT("2026-01-01", "00:30:00"),
     .answers = "eurusd 1.15 USD @1767223800000 unknown open=1.1 high=1.2 low=1.0",
     .verdict = "ok"},
    {.what = "no such day", .symbols = "eurusd", .body = FIRST AT("2026-02-30", "12:00:00"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},
    {.what = "no such hour", .symbols = "eurusd", .body = FIRST AT("2026-02-20", "25:00:00"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},
    {.what = "no such bare hour", .symbols = "eurusd", .body = FIRST AT("20260220", "250000"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},
    {.what = "a bare date with another time", .symbols = "eurusd",
     .body = FIRST AT("20260220", "12:00:00"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},
    {.what = "before there was time", .symbols = "eurusd",
     .body = FIRST AT("1970-01-01", "00:30:00"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},
    {.what = "a price without a time", .symbols = "eurusd", .body = FIRST AT("2026-03-25", "N/D"),
     .answers = "eurusd bad_schema", .verdict = "bad_schema"},

    {.what = "unknown", .symbols = "appl.us,kc.f",
     .body = FIRST "APPL.US,N/D,N/D,N/D,N/D,N/D,N/D,N/D\r\n" KC,
     .answers = "appl.us not_found\n"
                "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50",
     .verdict = "ok"},
    {.what = "known, without figures", .symbols = "kc.f",
     .body = FIRST "KC.F,2026-03-25,17:16:48,N/D,N/D,N/D,N/D,N/D\r\n",
     .answers = "kc.f no_data", .verdict = "ok"},
    {.what = "one is left out", .symbols = "kc.f,sb.f", .body = FIRST KC,
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.50\n"
                "sb.f no_data",
     .verdict = "ok"},
    {.what = "only the first line", .symbols = "kc.f", .body = FIRST,
     .answers = "kc.f no_data", .verdict = "ok"},
    {.what = "the first line, cut off behind it", .symbols = "kc.f",
     .body = "Symbol,Date,Time,Open,High,Low,Close",
     .answers = "kc.f no_data", .verdict = "ok"},
    {.what = "zero", .symbols = "kc.f", .body = FIRST "KC.F,2026-03-25,17:16:48,1,1,1,0,\r\n",
     .answers = "kc.f no_data", .verdict = "ok"},
    {.what = "a price in words", .symbols = "kc.f",
     .body = FIRST "KC.F,2026-03-25,17:16:48,1,1,1,nan,\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "no price", .symbols = "kc.f", .body = FIRST "KC.F,2026-03-25,17:16:48,1,1,1,,\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "another symbol", .symbols = "kc.f", .body = FIRST "CT.F,2026-03-25,17:16:48,1,1,1,1,",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "one too many", .symbols = "kc.f", .body = FIRST KC
     "CT.F,2026-03-25,17:16:48,1,1,1,1,",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "a symbol whose unit nobody knows", .symbols = "zz.f",
     .body = FIRST "ZZ.F,2026-03-25,17:16:48,1,1,1,1,",
     .answers = "zz.f not_found", .verdict = "ok"},
    {.what = "another table", .symbols = "kc.f",
     .body = "Date,Open,High,Low,Close,Volume\r\n2026-03-25,1,1,1,1,1\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "too few fields", .symbols = "kc.f",
     .body = FIRST "KC.F,2026-03-25,17:16:48,1,1,1\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "too many fields", .symbols = "kc.f",
     .body = FIRST "KC.F,2026-03-25,17:16:48,1,1,1,1,1,1,1\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "a field of 39 bytes", .symbols = "kc.f",
     .body = "KC.F,2026-03-25,17:16:48,1,1,1,000000000000000000000000000000000000317,",
     .answers = "kc.f 317 USX @1774455408000 unknown open=1 high=1 low=1", .verdict = "ok"},
    {.what = "a field of 40 bytes", .symbols = "kc.f",
     .body = "KC.F,2026-03-25,17:16:48,1,1,1,0000000000000000000000000000000000000317,",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},

    {.what = "the day's hits", .symbols = "kc.f,sb.f", .body = "Exceeded the daily hits limit\r\n",
     .answers = "kc.f rate_limited\nsb.f rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "no data", .symbols = "kc.f", .body = "No data\r\n",
     .answers = "kc.f no_data", .verdict = "ok"},
    {.what = "wants an apikey", .symbols = "kc.f",
     .body = "\r\nGet your apikey:\r\n1. Open https://stooq.com/q/d/?s=kc.f&get_apikey\r\n",
     .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "wants a browser", .symbols = "kc.f,sb.f",
     .body = "\n<!DOCTYPE html><noscript>This site requires JavaScript to verify your browser."
             "</noscript>",
     .answers = "kc.f blocked\nsb.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "a wall under its status", .symbols = "kc.f", .status = 403, .body = "<html>Forbidden",
     .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "a page for a path that is gone", .symbols = "kc.f", .status = 404, .body = "<html>",
     .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "a page for a request it does not like", .symbols = "kc.f", .status = 400,
     .body = "<html>", .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "the path is gone", .symbols = "kc.f", .status = 404, .body = "404",
     .answers = "kc.f upstream_error", .verdict = "upstream_error"},
    {.what = "their database", .symbols = "kc.f", .status = 404,
     .body = "<br />\n<b>Warning</b>:  mysqli_query(): (HY000/2006) in <b>x.php</b><br />",
     .answers = "kc.f upstream_error", .verdict = "upstream_error"},
    {.what = "not allowed", .symbols = "kc.f", .status = 403, .body = "no",
     .answers = "kc.f auth", .verdict = "auth"},
    {.what = "a table under a bad status", .symbols = "kc.f", .status = 500, .body = FIRST KC,
     .answers = "kc.f upstream_error", .verdict = "upstream_error"},
    {.what = "a page of a broken server", .symbols = "kc.f", .status = 502, .body = "<html>",
     .answers = "kc.f upstream_error", .verdict = "upstream_error"},
    {.what = "too fast", .symbols = "kc.f", .status = 429, .body = "<html>",
     .answers = "kc.f rate_limited", .verdict = "rate_limited"},
    {.what = "too fast, and for how long", .symbols = "kc.f", .status = 429, .body = "",
     .retry_after_s = 90,
     .answers = "kc.f rate_limited", .verdict = "rate_limited cooldown=90000"},
    {.what = "moved", .symbols = "kc.f", .status = 302, .body = "", .location = "/",
     .answers = "kc.f upstream_error", .verdict = "upstream_error"},
    {.what = "empty", .symbols = "kc.f", .body = "",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "space", .symbols = "kc.f", .body = " \t\r\n",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "text", .symbols = "kc.f", .body = "Get",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
    {.what = "JSON", .symbols = "kc.f", .body = "{\"symbols\":[]}",
     .answers = "kc.f bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("stooq"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* A NUL in the middle ends nothing early and reads nothing too far. */
static void test_nul_in_body(void **state)
{
    static const char body[] = FIRST "KC.F,2026-03-25,17:16:48,1,1,1,1\0,\r\n";
    const struct reply_case c = {.what = "NUL",
                                 .symbols = "kc.f",
                                 .answers = "kc.f 1 USX @1774455408000 unknown "
                                            "open=1 high=1 low=1",
                                 .verdict = "ok"};
    (void)state;
    assert_true(reply_case_holds(provider_find("stooq"), &c, body, sizeof body - 1, NOW_MS));
}

static void test_request(void **state)
{
    static const char *const symbols[] = {"kc.f", "brk-b.us", "eurusd"};
    struct config_provider cfg = {.name = "stooq"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(provider_find("stooq")->request(&cfg, symbols, 3, &rq, &err), 0);
    assert_string_equal(rq.url.p,
                        "https://stooq.com/q/l/?s=kc.f+brk-b.us+eurusd&f=sd2t2ohlcv&h&e=csv");
    assert_string_equal(rq.headers.p, "Accept: text/csv, text/plain\n");
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_request_refused(void **state)
{
    const struct provider *p = provider_find("stooq");
    const char *symbols[PROVIDER_BATCH_MAX];
    struct config_provider cfg = {.name = "stooq"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        symbols[i] = "kc.f";
    assert_int_equal(p->request(&cfg, symbols, 0, &rq, &err), -1);
    assert_int_equal(p->request(&cfg, symbols, p->batch_max + 1, &rq, &err), -1);
    symbols[1] = "kc.f&x=1";
    assert_int_equal(p->request(&cfg, symbols, 2, &rq, &err), -1);
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_symbols(void **state)
{
    static const char *const good[] = {"kc.f",     "ct.f",   "oj.f",    "sb.f",  "aapl.us",
                                       "brk-b.us", "sap.de", "7203.jp", "eurusd"};
    static const char *const bad[] = {"",
                                      "KC.F",
                                      "AAPL",
                                      "cl.f",
                                      "akc.f",
                                      "kc.f.f",
                                      "vod.uk",
                                      ".us",
                                      "eur/usd",
                                      "eur1sd",
                                      "eurusdx",
                                      "a+b.us",
                                      "abcdefghijklmnopqrst.us"};
    const struct config_provider_rule *rule = &provider_find("stooq")->rule;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
}

static void test_rule(void **state)
{
    const struct provider *p = provider_find("stooq");
    (void)state;
    assert_false(p->rule.enabled_by_default);
    assert_false(p->rule.needs_key);
    assert_false(p->table);
    assert_string_equal(p->day_zone, "Europe/Warsaw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies), cmocka_unit_test(test_nul_in_body),
        cmocka_unit_test(test_request), cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_symbols), cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
