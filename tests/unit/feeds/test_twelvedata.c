/* Twelve Data: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2025-03-11 15:01:05 UTC */
static const int64_t NOW_MS = 1741705265000;

#define QUOTE(rest)     "{\"symbol\":\"A\",\"close\":\"1.5\",\"currency\":\"USD\"" rest "}"
#define ERR(code, text) "{\"code\":" #code ",\"message\":\"" text "\",\"status\":\"error\"}"
#define MINUTE          "You have run out of API credits for the current minute. Wait for the next minute."
#define DAILY           "You have run out of API credits for the day. The current limit is 800."

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    /* shapes */
    {.what = "twelvedata-quote.json", .symbols = "QZX", .credits_left = 1 + 7,
     .answers = "QZX 150.10 USD @1741705261000 open prev=148.60 open=149.90 high=151.25000 "
                "low=149.005 volume=1804211",
     .verdict = "ok left=7"},
    {.what = "twelvedata-batch.json", .symbols = "EUR/CHF,NOSUCH,QZX,TATA:NSE,ABSENT",
     .credits_left = 1 + 0,
     .answers = "EUR/CHF 0.95420 CHF @1741705200000 open open=0.95310\n"
                "NOSUCH not_found\n"
                "QZX 150.10 USD @1741705261000 open prev=148.60\n"
                "TATA:NSE 1401.55 INR @1741664700000 closed\n"
                "ABSENT no_data",
     .verdict = "ok left=0"},
    {.what = "twelvedata-series.json", .symbols = "BTC/EUR",
     .answers = "BTC/EUR 57010.50000000 EUR @1709251140000 unknown open=57010.00000001 high=57011 "
                "low=57009.5",
     .verdict = "ok"},
    {.what = "twelvedata-quote.json", .symbols = "EUR/CHF,QZX",
     .answers = "EUR/CHF no_data\n"
                "QZX 150.10 USD @1741705261000 open prev=148.60 open=149.90 high=151.25000 "
                "low=149.005 volume=1804211",
     .verdict = "ok"},
    {.what = "a batch of one under its key", .symbols = "A",
     .body = "{\"A\":" QUOTE(",\"timestamp\":1741705261") "}",
     .answers = "A 1.5 USD @1741705261000 unknown", .verdict = "ok"},
    {.what = "exchange rate: a JSON number", .symbols = "EUR/USD",
     .body = "{\"symbol\":\"EUR/USD\",\"rate\":1.09105,\"timestamp\":1741705200}",
     .answers = "EUR/USD 1.09105 USD @1741705200000 unknown", .verdict = "ok"},
    {.what = "small prices keep their digits", .symbols = "A",
     .body = "{\"symbol\":\"A\",\"close\":\"0.00000001\",\"timestamp\":1741705200}",
     .answers = "A 0.00000001 - @1741705200000 unknown", .verdict = "ok"},
    {.what = "a byte order mark and space in front", .symbols = "A",
     .body = "\xef\xbb\xbf\r\n " QUOTE(",\"timestamp\":1741705261"),
     .answers = "A 1.5 USD @1741705261000 unknown", .verdict = "ok"},

    /* time */
    {.what = "last_quote_at null: timestamp", .symbols = "A",
     .body = QUOTE(",\"last_quote_at\":null,\"timestamp\":1741699800,\"datetime\":\"2020-01-01\""),
     .answers = "A 1.5 USD @1741699800000 unknown", .verdict = "ok"},
    {.what = "a date only: midnight UTC", .symbols = "A",
     .body = QUOTE(",\"datetime\":\"2025-03-11\""),
     .answers = "A 1.5 USD @1741651200000 unknown", .verdict = "ok"},
    {.what = "no time at all", .symbols = "A", .body = QUOTE(""),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a time that is none", .symbols = "A",
     .body = QUOTE(",\"datetime\":\"2025-02-29 10:00:00\",\"timestamp\":-5"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "milliseconds where seconds belong", .symbols = "A",
     .body = QUOTE(",\"timestamp\":1741705261000"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "price alone: of what, and when?", .symbols = "A", .body = "{\"price\":\"200.99001\"}",
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* whose price is it? */
    {.what = "another symbol", .symbols = "B", .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "B bad_schema", .verdict = "bad_schema"},
    {.what = "another case", .symbols = "a", .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "a bad_schema", .verdict = "bad_schema"},
    {.what = "a prefix", .symbols = "AB:X", .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "AB:X bad_schema", .verdict = "bad_schema"},
    {.what = "same ticker, another exchange", .symbols = "A:NSE",
     .body = QUOTE(",\"timestamp\":1741705261,\"exchange\":\"NYSE\",\"mic_code\":\"XNYS\""),
     .answers = "A:NSE bad_schema", .verdict = "bad_schema"},
    {.what = "another ticker as long, on an exchange", .symbols = "B:NSE",
     .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "B:NSE bad_schema", .verdict = "bad_schema"},
    {.what = "an exchange that is not named", .symbols = "A:NSE",
     .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "A:NSE 1.5 USD @1741705261000 unknown", .verdict = "ok"},
    {.what = "the exchange's code alone", .symbols = "A:XNYS",
     .body = QUOTE(",\"timestamp\":1741705261,\"mic_code\":\"XNYS\""),
     .answers = "A:XNYS 1.5 USD @1741705261000 unknown", .verdict = "ok"},
    {.what = "the exchange's name alone, another", .symbols = "A:NSE",
     .body = QUOTE(",\"timestamp\":1741705261,\"exchange\":\"NYSE\""),
     .answers = "A:NSE bad_schema", .verdict = "bad_schema"},
    {.what = "a pair whose second half is too long for a currency", .symbols = "A/USDOLLARS",
     .body = "{\"symbol\":\"A/USDOLLARS\",\"close\":\"1\",\"timestamp\":1741705261}",
     .answers = "A/USDOLLARS bad_schema", .verdict = "bad_schema"},
    {.what = "flat, of neither", .symbols = "B,C", .body = QUOTE(",\"timestamp\":1741705261"),
     .answers = "B bad_schema\nC bad_schema", .verdict = "bad_schema"},
    {.what = "exchange by its code", .symbols = "A:XNYS",
     .body = QUOTE(",\"timestamp\":1741705261,\"exchange\":\"NYSE\",\"mic_code\":\"XNYS\""),
     .answers = "A:XNYS 1.5 USD @1741705261000 unknown", .verdict = "ok"},
    {.what = "currency of a pair on an exchange", .symbols = "BTC/USD:Coinbase Pro",
     .body = "{\"symbol\":\"BTC/USD\",\"exchange\":\"Coinbase Pro\",\"close\":\"83000.5\","
             "\"timestamp\":1741705261}",
     .answers = "BTC/USD:Coinbase Pro 83000.5 USD @1741705261000 unknown", .verdict = "ok"},
    {.what = "no symbol in the reply", .symbols = "A", .body = "{\"close\":\"1\",\"timestamp\":9}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a currency that is none", .symbols = "A",
     .body = "{\"symbol\":\"A\",\"close\":\"1\",\"timestamp\":9,\"currency\":\"DOLLARSANDCENTS\"}",
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* errors: the body decides over the status */
    {.what = "429 in a 200", .symbols = "A", .body = ERR(429, MINUTE),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 with its status and counters", .symbols = "A,B", .status = 429,
     .body = ERR(429, MINUTE), .credits_left = 1 + 0,
     .answers = "A rate_limited\nB rate_limited", .verdict = "rate_limited cooldown=70000 left=0"},
    {.what = "429 of the day", .symbols = "A", .body = ERR(429, DAILY), .retry_after_s = 90,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "429, daily limit", .symbols = "A",
     .body = ERR(429, "Daily limit reached, 8 per minute still hold"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "429 with a weekday", .symbols = "A", .body = ERR(429, "Slow down until Sunday"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 with a word that begins as day does", .symbols = "A",
     .body = ERR(429, "Slow down until daybreak"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429, a longer Retry-After", .symbols = "A", .body = ERR(429, MINUTE),
     .retry_after_s = 120,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=120000"},
    {.what = "429, a shorter Retry-After", .symbols = "A", .body = ERR(429, MINUTE),
     .retry_after_s = 5,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429, an absurd Retry-After", .symbols = "A", .body = ERR(429, MINUTE),
     .retry_after_s = INT64_MAX,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=86400000"},
    {.what = "429 without a body", .symbols = "A", .status = 429, .body = "",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "401 in a 200", .symbols = "A", .body = ERR(401, "apikey zz is incorrect"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "403", .symbols = "A", .status = 403, .body = ERR(403, "not in your plan"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "404 in a 200", .symbols = "A", .body = ERR(404, "symbol is missing or invalid"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "400, symbol not found", .symbols = "A", .status = 400,
     .body = ERR(400, "**symbol** not found: A."), .answers = "A not_found", .verdict = "ok"},
    {.what = "400, anything else: we ask wrongly", .symbols = "A",
     .body = ERR(400, "timezone is invalid"), .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "400, something else of the symbol", .symbols = "A",
     .body = ERR(400, "the symbol must be in capitals"), .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "an error that does not call itself one", .symbols = "A",
     .body = "{\"code\":401,\"message\":\"no\"}", .answers = "A auth", .verdict = "auth"},
    {.what = "a code that is no error's", .symbols = "A",
     .body = "{\"code\":401}", .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a message of the status", .symbols = "A", .status = 503,
     .body = "{\"message\":\"be right back\"}", .answers = "A upstream_error",
     .verdict = "upstream_error"},
    {.what = "414", .symbols = "A", .body = ERR(414, "too long"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "500 with the body of a 429", .symbols = "A", .status = 500, .body = ERR(429, MINUTE),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "500 in a 200", .symbols = "A", .body = ERR(500, "internal"),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "503 with Retry-After", .symbols = "A", .status = 503, .body = "busy",
     .retry_after_s = 30,
     .answers = "A upstream_error", .verdict = "upstream_error cooldown=30000"},

    /* errors inside a batch */
    {.what = "one 429 inside: not the provider's, but pause", .symbols = "A,B",
     .body = "{\"A\":" QUOTE(",\"timestamp\":1741705261") ",\"B\":" ERR(429, MINUTE) "}",
     .answers = "A 1.5 USD @1741705261000 unknown\nB rate_limited", .verdict = "ok cooldown=70000"},
    {.what = "all 401 inside", .symbols = "A,B",
     .body = "{\"A\":" ERR(401, "x") ",\"B\":" ERR(401, "x") "}",
     .answers = "A auth\nB auth", .verdict = "auth"},
    {.what = "all 429 inside, one of the day", .symbols = "A,B",
     .body = "{\"A\":" ERR(429, DAILY) ",\"B\":" ERR(429, MINUTE) "}",
     .answers = "A rate_limited\nB rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "all unknown inside", .symbols = "A,B",
     .body = "{\"A\":" ERR(404, "x") ",\"B\":" ERR(404, "x") "}",
     .answers = "A not_found\nB not_found", .verdict = "ok"},
    {.what = "one locked by the plan", .symbols = "A,B",
     .body = "{\"A\":" QUOTE(",\"timestamp\":1741705261") ",\"B\":" ERR(403, "plan") "}",
     .answers = "A 1.5 USD @1741705261000 unknown\nB auth", .verdict = "ok"},
    {.what = "not an object inside", .symbols = "A,B",
     .body = "{\"A\":" QUOTE(",\"timestamp\":1741705261") ",\"B\":7}",
     .answers = "A 1.5 USD @1741705261000 unknown\nB bad_schema", .verdict = "ok"},

    /* no data */
    {.what = "a series without values", .symbols = "A",
     .body = "{\"meta\":{\"symbol\":\"A\"},\"values\":[],\"status\":\"ok\"}",
     .answers = "A no_data", .verdict = "ok"},
    {.what = "close null", .symbols = "A",
     .body = "{\"symbol\":\"A\",\"close\":null,\"timestamp\":1741705261}",
     .answers = "A no_data", .verdict = "ok"},
    {.what = "close N/A", .symbols = "A",
     .body = "{\"symbol\":\"A\",\"close\":\"N/A\",\"timestamp\":1741705261}",
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* not even JSON of theirs */
    {.what = "a web page", .symbols = "A", .body = "\n <!DOCTYPE html><title>hello</title>",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "a web page of a broken server", .symbols = "A", .status = 502, .body = "<html>502",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a redirect", .symbols = "A", .status = 302, .body = "",
     .location = "file:///etc/passwd",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a redirect to nowhere", .symbols = "A", .status = 302, .body = "",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a redirect to a host with a long name", .symbols = "A", .status = 302, .body = "",
     .location = "https://consent.a-name-that-is-longer-than-the-sixty-three-bytes-that-are-kept.example/",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "a status that is none", .symbols = "A", .status = 777, .body = "",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a web page with a 400", .symbols = "A", .status = 400, .body = "<html>400",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "empty", .symbols = "A", .body = "", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "an array", .symbols = "A", .body = "[1,2]", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "usage", .symbols = "A", .body = "{\"timestamp\":\"2025-03-11 10:00:00\",\"used\":1}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "twice the same name", .symbols = "A",
     .body = QUOTE(",\"timestamp\":1741705261,\"close\":\"2\""),
     .answers = "A bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("twelvedata"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    (void)state;
    const char *const symbols[] = {"AAPL", "EUR/USD", "BTC/USD:Coinbase Pro"};
    struct config_provider cfg = {.name = "twelvedata", .api_key = "0123456789abcdef"};
    struct http_request r;
    struct err err;

    assert_int_equal(request_of("twelvedata", &cfg, symbols, 3, &r, &err), 0);
    assert_string_equal(r.url.p, "https://api.twelvedata.com/quote?symbol=AAPL,EUR%2FUSD,"
                                 "BTC%2FUSD%3ACoinbase%20Pro&timezone=UTC");
    assert_string_equal(r.headers.p,
                        "Authorization: apikey 0123456789abcdef\nAccept: application/json\n");
    request_free(&r);

    cfg.base_url = "http://127.0.0.1:9/";
    assert_int_equal(request_of("twelvedata", &cfg, symbols, 1, &r, &err), 0);
    assert_string_equal(r.url.p, "http://127.0.0.1:9/quote?symbol=AAPL&timezone=UTC");
    request_free(&r);
}

static void test_request_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {NULL,  "",     "a\r\nX-Evil: 1", "a b",
                                       "a\n", "\x7f", "\xc3\xa9"};
    static const char *const bad[] = {
        "A,B", "A&x=1", "A\n", "",
        "A#",  "A{",    "A~",  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    const char *const good[] = {"AAPL"};
    struct http_request r;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct config_provider cfg = {.name = "twelvedata", .api_key = keys[i]};
        assert_int_equal(request_of("twelvedata", &cfg, good, 1, &r, &err), -1);
        assert_null(strstr(err.text, "Evil"));
        request_free(&r);
    }
    struct config_provider cfg = {.name = "twelvedata", .api_key = "k"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(request_of("twelvedata", &cfg, &bad[i], 1, &r, &err), -1);
        request_free(&r);
    }
    const char *many[PROVIDER_BATCH_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = "AAPL";
    assert_int_equal(request_of("twelvedata", &cfg, many, PROVIDER_BATCH_MAX, &r, &err), 0);
    request_free(&r);
    assert_int_equal(request_of("twelvedata", &cfg, many, PROVIDER_BATCH_MAX + 1, &r, &err), -1);
    request_free(&r);
    assert_int_equal(request_of("twelvedata", &cfg, many, 0, &r, &err), -1);
    request_free(&r);
}

/* Details quote the provider, but never the key, nor a link. */
static void test_details_hold_no_secrets(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        ERR(401, "apikey demo is incorrect"),
        ERR(404, "{\\\"apikey\\\":\\\"demo\\\"} was not found, nor the KEY  demo or token demo"),
        ERR(404, "no symbol in https://x.test/?apikey=demo here"),
        ERR(400, "request.apikey=demo was not understood"),
        ERR(500, "key 0123456789abcdef0123456789abcdef failed\\u0007"),
    };
    const char *const symbols[] = {"AAPL"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_reply reply = {.status = 200,
                                   .body = bodies[i],
                                   .len = strlen(bodies[i]),
                                   .retry_after_s = -1,
                                   .credits_left = -1};
        struct answer a;
        struct verdict v;
        provider_find("twelvedata")->parse(&reply, symbols, 1, NOW_MS, &a, &v);
        reply_check_detail(&a);
        assert_null(strstr(a.detail, "demo"));
        assert_null(strstr(a.detail, "://"));
        assert_null(strstr(a.detail, "0123456789abcdef"));
    }
}

static void test_symbol_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {
        "AAPL", "BRK.B", "EUR/USD", "SBIN:NSE", "005930", "XAU/USD", "BTC/USD:Coinbase Pro"};
    static const char *const bad[] = {
        "",      "/USD", "EUR/",  "EUR/USD/X", "AAPL:", "A B",     "A,B",
        "^GSPC", "KC=F", "A:B:C", "A?x=y",     "A\n",   "\xc3\xa9"};
    const struct config_provider_rule *rule = &provider_find("twelvedata")->rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("twelvedata");
    assert_string_equal(p->rule.key_env, "TWELVE_DATA_API_KEY");
    assert_true(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_minute, 8);
    assert_int_equal(p->rule.credits_per_day, 800);
    assert_int_equal(p->batch_max, 120);
    assert_null(p->day_zone); /* UTC */
    assert_null(p->generate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),         cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_refused), cmocka_unit_test(test_details_hold_no_secrets),
        cmocka_unit_test(test_symbol_syntax),   cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
