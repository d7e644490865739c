/* Finnhub: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2025-03-11 15:01:05 UTC */
static const int64_t NOW_MS = 1741705265000;

#define QUOTE(c, t)                                                                                \
    "{\"c\":" c ",\"d\":0.5,\"dp\":0.33,\"h\":152.5,\"l\":149.25,\"o\":150,\"pc\":151.04,\"t\":" t \
    "}"
#define DAY        "prev=151.04 open=150 high=152.5 low=149.25"
#define ERR(text)  "{\"error\":\"" text "\"}"
#define TRADES(ts) "{\"type\":\"trade\",\"data\":[" ts "]}"
#define LIMIT      "API limit reached. Please try again later. Remaining Limit: 0"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a quote", .symbols = "AAPL", .body = QUOTE("151.54", "1741705261"),
     .answers = "AAPL 151.54 - @1741705261000 unknown " DAY, .verdict = "ok"},
    {.what = "integers", .symbols = "AAPL", .body = QUOTE("151", "1741705261"),
     .answers = "AAPL 151 - @1741705261000 unknown " DAY, .verdict = "ok"},
    {.what = "texts for numbers keep their digits", .symbols = "AAPL",
     .body = QUOTE("\"151.50\"", "\"1741705261\""),
     .answers = "AAPL 151.50 - @1741705261000 unknown " DAY, .verdict = "ok"},
    {.what = "the day's figures missing, null or 0", .symbols = "AAPL",
     .body = "{\"c\":1.5,\"h\":null,\"l\":0,\"o\":\"x\",\"pc\":-1,\"t\":1741705261}",
     .answers = "AAPL 1.5 - @1741705261000 unknown", .verdict = "ok"},

    /* zeros and nothings */
    {.what = "zeros: nobody knows it", .symbols = "NOPE",
     .body = "{\"c\":0,\"d\":null,\"dp\":null,\"h\":0,\"l\":0,\"o\":0,\"pc\":0,\"t\":0}",
     .answers = "NOPE no_data", .verdict = "ok"},
    {.what = "zero as a real", .symbols = "A", .body = QUOTE("0.0", "1741705261"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "a price at the time 0", .symbols = "A", .body = QUOTE("1.5", "0"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "no price: null", .symbols = "A", .body = QUOTE("null", "1741705261"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "no time: null", .symbols = "A", .body = QUOTE("1.5", "null"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "without a price", .symbols = "A", .body = "{\"t\":1741705261}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "without a time", .symbols = "A", .body = "{\"c\":1.5}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "below 0", .symbols = "A", .body = QUOTE("-1.5", "1741705261"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a price that is none", .symbols = "A", .body = QUOTE("\"N/A\"", "1741705261"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a time that is none", .symbols = "A", .body = QUOTE("1.5", "\"today\""),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "milliseconds where seconds belong", .symbols = "A",
     .body = QUOTE("1.5", "1741705261000"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a time before time", .symbols = "A", .body = QUOTE("1.5", "-5"),
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* limits: words over status */
    {.what = "429", .symbols = "A", .status = 429, .body = ERR(LIMIT),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 in a 200", .symbols = "A", .body = ERR(LIMIT),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "the limit's other text", .symbols = "A",
     .body = ERR("API limit reached. Please sign up at https://finnhub.io for an API key"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "the limit as bare text", .symbols = "A", .body = "API limit reached.",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 without a word", .symbols = "A", .status = 429, .body = "",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 as a web page", .symbols = "A", .status = 429, .body = "<html>slow down</html>",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 with other words", .symbols = "A", .status = 429, .body = ERR("wait"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "a shorter Retry-After", .symbols = "A", .status = 429, .body = ERR(LIMIT),
     .retry_after_s = 3,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "a longer Retry-After", .symbols = "A", .status = 429, .body = ERR(LIMIT),
     .retry_after_s = 300,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=300000"},

    /* other errors */
    {.what = "401", .symbols = "A", .status = 401, .body = ERR("Invalid API key"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "401 in a 200", .symbols = "A", .body = ERR("Please use an API key."),
     .answers = "A auth", .verdict = "auth"},
    {.what = "403: the plan", .symbols = "OANDA:EUR_USD", .status = 403,
     .body = ERR("You don't have access to this resource."),
     .answers = "OANDA:EUR_USD auth", .verdict = "auth"},
    {.what = "403 in a 200", .symbols = "A",
     .body = ERR("You don't have access to this resource."),
     .answers = "A auth", .verdict = "auth"},
    {.what = "404", .symbols = "A", .status = 404, .body = ERR("Symbol not found"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "not theirs", .symbols = "A", .status = 422, .body = ERR("Symbol not supported"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "an error we do not know", .symbols = "A", .body = ERR("the moon is full"),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "an error that is no text", .symbols = "A", .body = "{\"error\":{\"code\":7}}",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "an error of nothing is none", .symbols = "AAPL",
     .body = "{\"error\":null,\"c\":2,\"t\":1741705261}",
     .answers = "AAPL 2 - @1741705261000 unknown", .verdict = "ok"},
    {.what = "502 with JSON", .symbols = "A", .status = 502, .body = "{}",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "503 with Retry-After", .symbols = "A", .status = 503, .body = "busy",
     .retry_after_s = 30,
     .answers = "A upstream_error", .verdict = "upstream_error cooldown=30000"},

    /* frames of trades */
    {.what = "trades: the newest of the symbol", .symbols = "X:B",
     .body = TRADES("{\"s\":\"X:A\",\"p\":9,\"t\":1741705260900,\"v\":1},"
                    "{\"s\":\"X:B\",\"p\":2.5,\"t\":1741705260500,\"v\":1},"
                    "{\"c\":[\"1\"],\"s\":\"X:B\",\"p\":3.5,\"t\":1741705260700,\"v\":1},"
                    "{\"s\":\"X:B\",\"p\":1.5,\"t\":1741705260600,\"v\":1}"),
     .answers = "X:B 3.5 - @1741705260700 unknown", .verdict = "ok"},
    {.what = "two at once: the later one", .symbols = "B",
     .body = TRADES("{\"s\":\"B\",\"p\":2.5,\"t\":1741705260500},"
                    "{\"s\":\"B\",\"p\":3.5,\"t\":1741705260500}"),
     .answers = "B 3.5 - @1741705260500 unknown", .verdict = "ok"},
    {.what = "trades that are none", .symbols = "B",
     .body = TRADES("7,{\"s\":7,\"p\":1,\"t\":9},{\"s\":\"B\",\"p\":0,\"t\":9},{\"s\":\"B\",\"t\":9},"
                    "{\"s\":\"B\",\"p\":1,\"t\":0},{\"s\":\"B\",\"p\":1,\"t\":100000000000000},"
                    "{\"s\":\"B\",\"p\":1,\"t\":\"9\"}"),
     .answers = "B no_data", .verdict = "ok"},
    {.what = "trades of others", .symbols = "B", .body = TRADES("{\"s\":\"A\",\"p\":2,\"t\":9}"),
     .answers = "B no_data", .verdict = "ok"},
    {.what = "no trades", .symbols = "B", .body = TRADES(""),
     .answers = "B no_data", .verdict = "ok"},

    /* not even JSON of theirs */
    {.what = "a web page", .symbols = "A", .body = "<!doctype html><p>too many API key</p>",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "403 as a web page", .symbols = "A", .status = 403, .body = "<html>",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "a redirect", .symbols = "A", .status = 302, .body = "too many",
     .location = "https://example.org/",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "empty", .symbols = "A", .body = "", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "text", .symbols = "A", .body = "hello", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "an array", .symbols = "A", .body = "[1.5,1741705261]", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "A", .body = "{\"c\":1.5,\"t\":17", .answers = "A bad_schema",
     .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("finnhub"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* The key is in no URL. */
static void test_request(void **state)
{
    (void)state;
    const char *const symbols[] = {"BINANCE:BTCUSDT"};
    struct config_provider cfg = {.name = "finnhub", .api_key = "k0"};
    struct http_request r;
    struct err err;
    assert_int_equal(request_of("finnhub", &cfg, symbols, 1, &r, &err), 0);
    assert_string_equal(r.url.p, "https://finnhub.io/api/v1/quote?symbol=BINANCE%3ABTCUSDT");
    assert_string_equal(r.headers.p, "X-Finnhub-Token: k0\nAccept: application/json\n");
    request_free(&r);
    cfg.base_url = "http://127.0.0.1:9/";
    assert_int_equal(request_of("finnhub", &cfg, symbols, 1, &r, &err), 0);
    assert_string_equal(r.url.p, "http://127.0.0.1:9/api/v1/quote?symbol=BINANCE%3ABTCUSDT");
    request_free(&r);
}

static void test_request_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {NULL, "", "a\nX-Evil: 1", "a b"};
    const char *const two[] = {"A", "B"}, *const bad[] = {"A&b=1"};
    struct config_provider cfg = {.name = "finnhub"};
    struct http_request r;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        cfg.api_key = keys[i];
        assert_int_equal(request_of("finnhub", &cfg, two, 1, &r, &err), -1);
        assert_null(strstr(err.text, "Evil"));
        request_free(&r);
    }
    cfg.api_key = "k";
    assert_int_equal(request_of("finnhub", &cfg, two, 2, &r, &err), -1);
    assert_int_equal(request_of("finnhub", &cfg, two, 0, &r, &err), -1);
    assert_int_equal(request_of("finnhub", &cfg, bad, 1, &r, &err), -1);
    request_free(&r);
}

/* What is said about a key is not repeated. */
static void test_details_hold_no_secrets(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        ERR("Invalid API key: s3cret"),
        ERR("Invalid API key. Yours is s3cret"),
        ERR("no page https://x.test/?token=s3cret"),
        "Invalid API key. Yours is s3cret",
    };
    const char *const symbols[] = {"A"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_reply reply = {.status = 200,
                                   .body = bodies[i],
                                   .len = strlen(bodies[i]),
                                   .retry_after_s = -1,
                                   .credits_left = -1};
        struct answer a;
        struct verdict v;
        provider_find("finnhub")->parse(&reply, symbols, 1, NOW_MS, &a, &v);
        reply_check_detail(&a);
        assert_null(strstr(a.detail, "s3cret"));
    }
}

static void test_symbol_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {"AAPL", "BRK.B", "OANDA:EUR_USD", "BINANCE:BTCUSDT", "RY-A"};
    static const char *const bad[] = {"",    ":A",  "A:",  ".A",   "EUR/USD",
                                      "A,B", "A B", "A?x", "^GSPC"};
    char longest[66];
    const struct config_provider_rule *rule = &provider_find("finnhub")->rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
    memset(longest, 'A', sizeof longest);
    longest[65] = '\0';
    assert_non_null(rule->symbol_problem(longest));
    longest[64] = '\0';
    assert_null(rule->symbol_problem(longest));
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("finnhub");
    assert_string_equal(p->rule.key_env, "FINNHUB_API_KEY");
    assert_true(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_second, 30);
    assert_int_equal(p->rule.credits_per_minute, 60);
    assert_int_equal(p->rule.credits_per_day, 0);
    assert_int_equal(p->batch_max, 1);
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
