/* Yahoo: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2025-03-11 15:01:05 UTC */
static const int64_t NOW_MS = 1741705265000;

/* A chart of symbol A: members of meta, then what stands beside meta. */
#define CHART(meta, beside)                                                                        \
    "{\"chart\":{\"result\":[{\"meta\":{\"symbol\":\"A\"" meta "}" beside "}],\"error\":null}}"
#define PRICE  ",\"regularMarketPrice\":9.5,\"regularMarketTime\":1741705261"
#define NOBARS ",\"indicators\":{\"quote\":[{}]}"
#define BARS(times, closes)                                                                        \
    ",\"timestamp\":[" times "],\"indicators\":{\"quote\":[{\"close\":[" closes "]}]}"
#define PERIODS(pre, regular, post)                                                                \
    ",\"currentTradingPeriod\":{\"pre\":{" pre "},\"regular\":{" regular "},\"post\":{" post "}}"
#define FROM_TO(a, b) "\"start\":" #a ",\"end\":" #b
#define ERR(root, code, text)                                                                      \
    "{\"" root "\":{\"result\":null,\"error\":{\"code\":\"" code "\",\"description\":\"" text      \
    "\"}}}"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    /* charts */
    {.what = "yahoo-chart-cents.json", .symbols = "KC=F",
     .answers = "KC=F 383.95 USX @1741705261000 open prev=388.2 open=389.1 high=391.8 low=381.05 "
                "volume=14021",
     .verdict = "ok"},
    {.what = "yahoo-chart-newer-bar.json", .symbols = "0P00000XYZ",
     .answers = "0P00000XYZ 839.45 USD @1741613400000 unknown",
     .verdict = "ok"},
    {.what = "no bars, no timestamp", .symbols = "A", .body = CHART(PRICE, NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "nothing beside meta", .symbols = "A", .body = CHART(PRICE, ""),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "currency null", .symbols = "A", .body = CHART(PRICE ",\"currency\":null", NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "currency of the wrong type", .symbols = "A",
     .body = CHART(PRICE ",\"currency\":7", NOBARS),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a bar of the same second is not newer", .symbols = "A",
     .body = CHART(PRICE, BARS("1741705200,1741705261", "8,8.5")),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "a newer bar of the same day keeps the day's figures", .symbols = "A",
     .body = CHART(PRICE ",\"previousClose\":9.25", BARS("1741705200,1741705262", "8,8.5")),
     .answers = "A 8.5 - @1741705262000 unknown prev=9.25", .verdict = "ok"},
    {.what = "bars only", .symbols = "A", .body = CHART("", BARS("1741705200,null,3", "8,7,null")),
     .answers = "A 8 - @1741705200000 unknown", .verdict = "ok"},
    {.what = "more closes than times", .symbols = "A",
     .body = CHART(PRICE, BARS("1741705300", "8,8.5,9")),
     .answers = "A 8 - @1741705300000 unknown", .verdict = "ok"},
    {.what = "all bars null", .symbols = "A",
     .body = CHART(PRICE, BARS("1741705300,1741705360", "null,null")),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "neither price nor bars", .symbols = "A", .body = CHART("", NOBARS),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "price null", .symbols = "A",
     .body = CHART(",\"regularMarketPrice\":null,\"regularMarketTime\":1741705261", NOBARS),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "a price without its time", .symbols = "A",
     .body = CHART(",\"regularMarketPrice\":9.5", NOBARS),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a price that is none", .symbols = "A",
     .body = CHART(",\"regularMarketPrice\":{\"raw\":1},\"regularMarketTime\":9", NOBARS),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "another symbol", .symbols = "B", .body = CHART(PRICE, NOBARS),
     .answers = "B bad_schema", .verdict = "bad_schema"},
    {.what = "no symbol", .symbols = "A",
     .body = "{\"chart\":{\"result\":[{\"meta\":{\"regularMarketPrice\":1,"
             "\"regularMarketTime\":9}}],\"error\":null}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no meta", .symbols = "A", .body = "{\"chart\":{\"result\":[{}],\"error\":null}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no charts", .symbols = "A", .body = "{\"chart\":{\"result\":[],\"error\":null}}",
     .answers = "A no_data", .verdict = "ok"},
    {.what = "widened float32", .symbols = "A",
     .body = CHART(",\"regularMarketPrice\":1518.0999755859375,\"regularMarketTime\":9", NOBARS),
     .answers = "A 1518.1 - @9000 unknown", .verdict = "ok"},

    /* yesterday's close */
    {.what = "chartPreviousClose of one day", .symbols = "A",
     .body = CHART(PRICE ",\"range\":\"1d\",\"chartPreviousClose\":9.25", NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown prev=9.25", .verdict = "ok"},
    {.what = "chartPreviousClose of a month", .symbols = "A",
     .body = CHART(PRICE ",\"range\":\"1mo\",\"chartPreviousClose\":4.25", NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "chartPreviousClose of who knows what", .symbols = "A",
     .body = CHART(PRICE ",\"chartPreviousClose\":4.25", NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "previousClose goes before", .symbols = "A",
     .body = CHART(PRICE ",\"range\":\"1d\",\"chartPreviousClose\":4,\"previousClose\":9.3",
                   NOBARS),
     .answers = "A 9.5 - @1741705261000 unknown prev=9.3", .verdict = "ok"},

    /* is the market open? */
    {.what = "open", .symbols = "A",
     .body = CHART(PRICE PERIODS(FROM_TO(1, 2), FROM_TO(1741705265, 1741714200), ""), ""),
     .answers = "A 9.5 - @1741705261000 open", .verdict = "ok"},
    {.what = "closed: the period's end is outside", .symbols = "A",
     .body = CHART(PRICE PERIODS(FROM_TO(1, 2), FROM_TO(2, 1741705265), FROM_TO(7, 7)), ""),
     .answers = "A 9.5 - @1741705261000 closed", .verdict = "ok"},
    {.what = "before", .symbols = "A",
     .body = CHART(PRICE PERIODS(FROM_TO(1741700000, 1741705266), FROM_TO(1741705266, 1741714200),
                                 FROM_TO(1741714200, 1741720000)), ""),
     .answers = "A 9.5 - @1741705261000 pre", .verdict = "ok"},
    {.what = "after", .symbols = "A",
     .body = CHART(PRICE PERIODS(FROM_TO(5, 6), FROM_TO(1741690000, 1741705000),
                                 FROM_TO(1741705000, 1741720000)), ""),
     .answers = "A 9.5 - @1741705261000 post", .verdict = "ok"},
    {.what = "empty periods say nothing", .symbols = "A",
     .body = CHART(PRICE PERIODS(FROM_TO(5, 5), FROM_TO(6, 6), FROM_TO(8, 7)), ""),
     .answers = "A 9.5 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "round the clock: 23:59 hours are the day", .symbols = "A",
     .body = CHART(PRICE PERIODS("", FROM_TO(1741618900, 1741705240), ""), ""),
     .answers = "A 9.5 - @1741705261000 open", .verdict = "ok"},

    /* quotes */
    {.what = "yahoo-quotes.json", .symbols = "GONE,ORE,GHOST,HAY.L",
     .answers = "GONE not_found\n"
                "ORE 12 USD @1741705001000 closed\n"
                "GHOST no_data\n"
                "HAY.L 77.35 GBp @1741705000000 open prev=78.1 open=78 high=78.25 low=77.1 "
                "bid=77.3 ask=77.4 volume=990112 delayed=900",
     .verdict = "ok"},
    {.what = "a quote without a price", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketTime\":1741705200}],\"error\":null}}",
     .answers = "A no_data", .verdict = "ok"},
    {.what = "a quote whose price is null", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":null,\"regularMarketTime\":1741705200}],\"error\":null}}",
     .answers = "A no_data", .verdict = "ok"},
    {.what = "a quote whose price is none", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":\"x\",\"regularMarketTime\":1741705200}],\"error\":null}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a quote without its time", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":1.5}],\"error\":null}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a quote in no currency", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":1.5,\"regularMarketTime\":1741705200,"
             "\"currency\":7}],\"error\":null}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a state that is new to us, a delay beyond belief", .symbols = "A",
     .body = "{\"quoteResponse\":{\"result\":[{\"symbol\":\"A\",\"regularMarketPrice\":1.5,\"regularMarketTime\":1741705200,"
             "\"marketState\":\"HALTED\",\"exchangeDataDelayedBy\":1441}],\"error\":null}}",
     .answers = "A 1.5 - @1741705200000 unknown", .verdict = "ok"},
    {.what = "no quotes", .symbols = "A", .body = "{\"quoteResponse\":{\"result\":[],\"error\":null}}",
     .answers = "A not_found", .verdict = "ok"},

    /* errors, under whatever root */
    {.what = "unknown", .symbols = "A", .status = 404,
     .body = ERR("chart", "Not Found", "No data found, symbol may be delisted"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "unknown in a 200", .symbols = "A", .body = ERR("chart", "Not Found", "x"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "crumb", .symbols = "A", .status = 401,
     .body = ERR("finance", "Unauthorized", "Invalid Crumb"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "summary", .symbols = "A", .status = 404,
     .body = ERR("quoteSummary", "Not Found", "Quote not found for ticker symbol: A"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "a root of tomorrow", .symbols = "A", .body = ERR("novel", "Internal", "oops"),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "bad request", .symbols = "A", .status = 400,
     .body = ERR("finance", "Bad Request", "Missing value"),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "no trading then", .symbols = "A", .status = 400,
     .body = ERR("chart", "Bad Request", "Data doesn't exist for startDate = 1, endDate = 2"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "429 as JSON", .symbols = "A",
     .body = ERR("finance", "Too Many Requests", "slow down"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=900000"},

    /* errors in words */
    {.what = "429 in a 200", .symbols = "A", .body = "Too Many Requests\r\n",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=900000"},
    {.what = "429 at the edge", .symbols = "A", .status = 429, .body = "Edge: Too Many Requests",
     .retry_after_s = 60, .answers = "A rate_limited",
     .verdict = "rate_limited cooldown=900000"},
    {.what = "429, a longer Retry-After", .symbols = "A", .status = 429, .body = "",
     .retry_after_s = 1800, .answers = "A rate_limited",
     .verdict = "rate_limited cooldown=1800000"},
    {.what = "429, much too long a Retry-After", .symbols = "A", .status = 429, .body = "",
     .retry_after_s = 86400, .answers = "A rate_limited",
     .verdict = "rate_limited cooldown=3600000"},
    {.what = "429 as a page", .symbols = "A", .body = "<html><h1>Too Many Requests</h1></html>",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=900000"},
    {.what = "a page that says not found", .symbols = "A", .status = 404,
     .body = "<html>Not Found</html>",
     .answers = "A blocked", .verdict = "blocked cooldown=900000"},
    {.what = "no data in words", .symbols = "A", .status = 404,
     .body = "404 Not Found: Timestamp data missing.", .answers = "A no_data", .verdict = "ok"},
    {.what = "unknown in words", .symbols = "A", .status = 404,
     .body = "404 Not Found: No data found, symbol may be delisted",
     .answers = "A not_found", .verdict = "ok"},
    {.what = "consent page", .symbols = "A", .body = "<!doctype html><title>Yahoo</title>",
     .answers = "A blocked", .verdict = "blocked cooldown=900000"},
    {.what = "yahoo-consent.html", .symbols = "KC=F",
     .answers = "KC=F blocked", .verdict = "blocked cooldown=900000"},
    {.what = "sent to the consent page", .symbols = "A", .status = 307, .body = "Redirecting",
     .location = "https://guce.yahoo.com/consent?brandType=nonEu&gcrumb=x",
     .answers = "A blocked", .verdict = "blocked cooldown=900000"},
    {.what = "sent to the other consent page", .symbols = "A", .status = 302, .body = "",
     .location = "//consent.yahoo.com/v2/collectConsent",
     .answers = "A blocked", .verdict = "blocked cooldown=900000"},
    {.what = "sent elsewhere", .symbols = "A", .status = 301, .body = "",
     .location = "https://example.test/?to=guce.yahoo.com",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "999", .symbols = "A", .status = 999, .body = "Request denied",
     .answers = "A blocked", .verdict = "blocked cooldown=900000"},
    {.what = "a broken server", .symbols = "A", .status = 502, .body = "<html>Bad Gateway</html>",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "500 with a chart", .symbols = "A", .status = 500, .body = CHART(PRICE, NOBARS),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "text", .symbols = "A", .body = "haT4azerty", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "empty", .symbols = "A", .body = "", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "something else", .symbols = "A", .body = "{\"spark\":{\"result\":[]}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("yahoo"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *escaped;
    } rows[] = {
        {"KC=F",   "KC%3DF"  },
        {"^GSPC",  "%5EGSPC" },
        {"OCDO.L", "OCDO.L"  },
        {"M&M.NS", "M%26M.NS"}
    };
    const struct provider *p = provider_find("yahoo");
    struct config_provider cfg = {.name = "yahoo"};
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request r = {0};
        char want[256];
        snprintf(want, sizeof want,
                 "https://query1.finance.yahoo.com/v8/finance/chart/%s"
                 "?range=1d&interval=1m&includePrePost=false",
                 rows[i].escaped);
        assert_int_equal(p->request(&cfg, &rows[i].symbol, 1, &r, &err), 0);
        assert_string_equal(r.url.p, want);
        assert_non_null(strstr(r.headers.p, "User-Agent: Mozilla/5.0 (compatible; pricegate/"));
        request_free(&r);
    }
}

static void test_request_refused(void **state)
{
    (void)state;
    const struct provider *p = provider_find("yahoo");
    const char *const two[] = {"A", "B"}, *const path[] = {"../../v1"};
    struct config_provider cfg = {.name = "yahoo"};
    struct http_request r = {0};
    struct err err;
    assert_int_equal(p->request(&cfg, two, 2, &r, &err), -1);
    assert_int_equal(p->request(&cfg, two, 0, &r, &err), -1);
    assert_int_equal(p->request(&cfg, path, 1, &r, &err), -1);
    request_free(&r);
}

static void test_symbol_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {"AAPL",    "KC=F",  "EURUSD=X", "BTC-USD", "^GSPC",
                                       "0P00.TO", "BRK-B", "DX-Y.NYB", "M&M.NS"};
    static const char *const bad[] = {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "",
                                      "EUR/USD",
                                      "A,B",
                                      "..",
                                      ".A",
                                      "A B",
                                      "A\n",
                                      "A?b",
                                      "KC%3DF",
                                      "=F"};
    const struct config_provider_rule *rule = &provider_find("yahoo")->rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("yahoo");
    assert_false(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_minute, 0);
    assert_int_equal(p->rule.credits_per_day, 0);
    assert_int_equal(p->batch_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_symbol_syntax),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
