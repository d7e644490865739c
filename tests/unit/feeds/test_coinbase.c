/* Coinbase: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2025-03-11 15:01:05 UTC */
static const int64_t NOW_MS = 1741705265000;

#define TICKER(price, time)                                                                        \
    "{\"trade_id\":7,\"price\":" price ",\"size\":\"0.1\",\"time\":" time                          \
    ",\"bid\":\"83000.49\",\"ask\":\"83000.51\",\"volume\":\"5957.46980324\"}"
#define TIME       "\"2025-03-11T15:01:04.123456Z\""
#define MEMBERS    "bid=83000.49 ask=83000.51 volume=5957.46980324"
#define ERR(text)  "{\"message\":\"" text "\"}"
#define ERRS(id)   "{\"errors\":[{\"id\":\"" id "\",\"message\":\"words\"}]}"
#define SPOT(text) "{\"data\":{" text "}}"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a ticker", .symbols = "BTC-USD", .body = TICKER("\"83000.50\"", TIME),
     .answers = "BTC-USD 83000.50 USD @1741705264123 unknown " MEMBERS, .verdict = "ok"},
    {.what = "numbers for texts", .symbols = "BTC-EUR", .body = TICKER("83000.50", TIME),
     .answers = "BTC-EUR 83000.5 EUR @1741705264123 unknown " MEMBERS, .verdict = "ok"},
    {.what = "small prices keep their digits", .symbols = "SHIB-BTC",
     .body = TICKER("\"0.00000010\"", "\"2025-03-11T15:01:04Z\""),
     .answers = "SHIB-BTC 0.00000010 BTC @1741705264000 unknown " MEMBERS, .verdict = "ok"},
    {.what = "nothing but price and time", .symbols = "BTC-USD",
     .body = "{\"price\":\"1.5\",\"bid\":null,\"ask\":\"0\",\"time\":" TIME "}",
     .answers = "BTC-USD 1.5 USD @1741705264123 unknown", .verdict = "ok"},
    {.what = "the right product", .symbols = "BTC-USD",
     .body = "{\"product_id\":\"BTC-USD\",\"price\":\"1.5\",\"time\":" TIME "}",
     .answers = "BTC-USD 1.5 USD @1741705264123 unknown", .verdict = "ok"},
    {.what = "another product", .symbols = "BTC-USD",
     .body = "{\"product_id\":\"ETH-USD\",\"price\":\"1.5\",\"time\":" TIME "}",
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},

    /* no price, no time */
    {.what = "no trades yet", .symbols = "A-B", .body = TICKER("\"0.00\"", TIME),
     .answers = "A-B no_data", .verdict = "ok"},
    {.what = "null", .symbols = "A-B", .body = TICKER("null", TIME),
     .answers = "A-B no_data", .verdict = "ok"},
    {.what = "below 0", .symbols = "A-B", .body = TICKER("\"-1\"", TIME),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "no number", .symbols = "A-B", .body = TICKER("\"1,5\"", TIME),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "no price at all", .symbols = "A-B", .body = "{\"time\":" TIME "}",
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "no time at all", .symbols = "A-B", .body = "{\"price\":\"1.5\"}",
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "a time that is none", .symbols = "A-B",
     .body = TICKER("\"1\"", "\"2025-02-29T15:01:04Z\""),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "a time without its zone", .symbols = "A-B",
     .body = TICKER("\"1\"", "\"2025-03-11T15:01:04\""),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "a time in seconds", .symbols = "A-B", .body = TICKER("\"1\"", "1741705264"),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},

    /* the older interface has no time */
    {.what = "spot", .symbols = "BTC-USD",
     .body = SPOT("\"amount\":\"83000.5\",\"base\":\"BTC\",\"currency\":\"USD\""),
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},
    {.what = "spot of another", .symbols = "BTC-USD",
     .body = SPOT("\"amount\":null,\"base\":\"ETH\",\"currency\":\"USD\""),
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},
    {.what = "spot of nothing", .symbols = "BTC-USD", .body = SPOT(""),
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},
    {.what = "spot without a price", .symbols = "BTC-USD",
     .body = SPOT("\"amount\":null,\"base\":\"BTC\",\"currency\":\"USD\""),
     .answers = "BTC-USD no_data", .verdict = "ok"},

    /* candles: time, low, high, open, close, volume */
    {.what = "the newest, wherever it stands", .symbols = "BTC-USD",
     .body = "[[1741705140,1,4,2,3,9],[1741705200,10,40.5,20,30,90.25],[1741705080,5,8,6,7,1]]",
     .answers = "BTC-USD 30 USD @1741705200000 unknown open=20 high=40.5 low=10 volume=90.25",
     .verdict = "ok"},
    {.what = "no candles", .symbols = "BTC-USD", .body = "[]",
     .answers = "BTC-USD no_data", .verdict = "ok"},
    {.what = "a close of null", .symbols = "BTC-USD", .body = "[[1741705140,1,4,2,null,9]]",
     .answers = "BTC-USD no_data", .verdict = "ok"},
    {.what = "a row too short", .symbols = "BTC-USD",
     .body = "[[1741705140,1,4,2,3,9],[1741705200,10,40.5,20,30]]",
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},
    {.what = "a row without its time", .symbols = "BTC-USD", .body = "[[null,1,4,2,3,9]]",
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},
    {.what = "other lists", .symbols = "BTC-USD", .body = "[{\"id\":\"BTC-USD\"}]",
     .answers = "BTC-USD bad_schema", .verdict = "bad_schema"},

    /* errors */
    {.what = "404", .symbols = "A-B", .status = 404, .body = ERR("NotFound"),
     .answers = "A-B not_found", .verdict = "ok"},
    {.what = "404 in a 200", .symbols = "A-B", .body = ERR("NotFound"),
     .answers = "A-B not_found", .verdict = "ok"},
    {.what = "429", .symbols = "A-B", .status = 429, .body = ERR("Public rate limit exceeded"),
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "429 in a 200", .symbols = "A-B", .body = ERR("Public rate limit exceeded"),
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "429 and a longer Retry-After", .symbols = "A-B", .status = 429, .body = ERR("x"),
     .retry_after_s = 60,
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=60000"},
    {.what = "429 and a shorter one", .symbols = "A-B", .status = 429, .body = "slow down",
     .retry_after_s = 1,
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "429 without a word", .symbols = "A-B", .status = 429, .body = "",
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "no User-Agent", .symbols = "A-B", .status = 400,
     .body = ERR("User-Agent header is required."),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "400 with other words", .symbols = "A-B", .status = 400, .body = ERR("no"),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "401", .symbols = "A-B", .status = 401, .body = ERR("Unauthorized."),
     .answers = "A-B auth", .verdict = "auth"},
    {.what = "403 in a 200", .symbols = "A-B", .body = ERR("Forbidden"),
     .answers = "A-B auth", .verdict = "auth"},
    {.what = "an error we do not know", .symbols = "A-B", .body = ERR("the moon is full"),
     .answers = "A-B upstream_error", .verdict = "upstream_error"},
    {.what = "an error that is no text", .symbols = "A-B", .body = "{\"message\":7}",
     .answers = "A-B upstream_error", .verdict = "upstream_error"},
    {.what = "503 with Retry-After", .symbols = "A-B", .status = 503, .body = ERR("busy"),
     .retry_after_s = 30,
     .answers = "A-B upstream_error", .verdict = "upstream_error cooldown=30000"},
    {.what = "500 with the body of a price", .symbols = "A-B", .status = 500,
     .body = TICKER("\"1\"", TIME),
     .answers = "A-B upstream_error", .verdict = "upstream_error"},
    {.what = "the older interface: not found", .symbols = "A-B", .status = 404,
     .body = ERRS("not_found"), .answers = "A-B not_found", .verdict = "ok"},
    {.what = "the older interface: limit", .symbols = "A-B", .body = ERRS("rate_limit_exceeded"),
     .answers = "A-B rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "the older interface: we ask wrongly", .symbols = "A-B", .body = ERRS("invalid_request"),
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "the older interface: anything", .symbols = "A-B", .body = "{\"errors\":[{}]}",
     .answers = "A-B upstream_error", .verdict = "upstream_error"},

    /* not even JSON of theirs */
    {.what = "a wall", .symbols = "A-B", .status = 403, .body = "<!DOCTYPE html><title>Just a",
     .answers = "A-B blocked", .verdict = "blocked"},
    {.what = "a web page", .symbols = "A-B", .body = " <html>hello",
     .answers = "A-B blocked", .verdict = "blocked"},
    {.what = "a redirect", .symbols = "A-B", .status = 301, .body = "",
     .location = "https://example.org/",
     .answers = "A-B upstream_error", .verdict = "upstream_error"},
    {.what = "empty", .symbols = "A-B", .body = "", .answers = "A-B bad_schema",
     .verdict = "bad_schema"},
    {.what = "text", .symbols = "A-B", .body = "ok", .answers = "A-B bad_schema",
     .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "A-B", .body = "{\"price\":\"1.5\",\"time\":",
     .answers = "A-B bad_schema", .verdict = "bad_schema"},
    {.what = "a symbol that is no pair", .symbols = "A", .body = TICKER("\"1\"", TIME),
     .answers = "A 1 - @1741705264123 unknown " MEMBERS, .verdict = "ok"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("coinbase"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    (void)state;
    const struct provider *p = provider_find("coinbase");
    const char *const symbols[] = {"BTC-USD", "ETH-USD"}, *const bad[] = {"../time"};
    struct config_provider cfg = {.name = "coinbase"};
    struct http_request r = {0};
    struct err err;
    assert_int_equal(p->request(&cfg, symbols, 1, &r, &err), 0);
    assert_string_equal(r.url.p, "https://api.exchange.coinbase.com/products/BTC-USD/ticker");
    assert_non_null(strstr(r.headers.p, "User-Agent: pricegate/"));
    request_free(&r);
    cfg.base_url = "http://127.0.0.1:9/";
    r = (struct http_request){0};
    assert_int_equal(p->request(&cfg, symbols, 1, &r, &err), 0);
    assert_string_equal(r.url.p, "http://127.0.0.1:9/products/BTC-USD/ticker");
    assert_int_equal(p->request(&cfg, symbols, 2, &r, &err), -1);
    assert_int_equal(p->request(&cfg, symbols, 0, &r, &err), -1);
    assert_int_equal(p->request(&cfg, bad, 1, &r, &err), -1);
    request_free(&r);
}

static void test_symbol_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {"BTC-USD", "1INCH-EUR", "00-USD",
                                       "ETH-BTC", "ETH-USDC",  "ABCDEFGHIJKL-ABCDEFG"};
    static const char *const bad[] = {
        "",          "BTC",  "BTC-",     "-USD",  "BTC/USD",           "btc-usd",     "BTCUSD",
        "BTC-USD-X", "A-B?", "A-B/../C", "A_B-C", "ABCDEFGHIJKLM-USD", "BTC-ABCDEFGH"};
    const struct config_provider_rule *rule = &provider_find("coinbase")->rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("coinbase");
    assert_false(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_second, 10);
    assert_int_equal(p->rule.credits_per_minute, 300);
    assert_int_equal(p->rule.credits_per_day, 0);
    assert_int_equal(p->batch_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_symbol_syntax),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
