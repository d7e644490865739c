/* Alpha Vantage: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2025-03-11 21:01:05 UTC: the trading day in New York is over. */
static const int64_t NOW_MS = 1741726865000;

#define QUOTE_OF(title, symbol, price, day)                                                        \
    "{\"" title "\":{\"01. symbol\":\"" symbol "\",\"02. open\":\"112.6300\","                     \
    "\"03. high\":\"113.1700\",\"04. low\":\"110.6400\",\"05. price\":" price                      \
    ",\"06. volume\":\"29062853\",\"07. latest trading day\":\"" day "\","                         \
    "\"08. previous close\":\"112.7900\",\"10. change percent\":\"-0.5852%\"}}"
#define QUOTE(symbol, price, day) QUOTE_OF("Global Quote", symbol, price, day)
#define DAY                       "prev=112.7900 open=112.6300 high=113.1700 low=110.6400 volume=29062853"
#define RATE(from, to, price, time, zone)                                                          \
    "{\"Realtime Currency Exchange Rate\":{\"1. From_Currency Code\":\"" from "\","                \
    "\"3. To_Currency Code\":\"" to "\",\"5. Exchange Rate\":\"" price                             \
    "\",\"6. Last Refreshed\":\"" time "\",\"7. Time Zone\":\"" zone "\","                         \
    "\"8. Bid Price\":\"1.09100000\",\"9. Ask Price\":\"-\"}}"
#define SERIES(meta, title, bars)                                                                  \
    "{\"Meta Data\":{\"1. Information\":\"Prices\"," meta "},\"" title "\":{" bars "}}"
#define BAR(time, close) "\"" time "\":{\"1. open\":\"1\",\"4. close\":\"" close "\"}"
#define IBM              "\"2. Symbol\":\"IBM\",\"6. Time Zone\":\"US/Eastern\""
#define INFO(text)       "{\"Information\":\"" text "\"}"
#define SECOND                                                                                     \
    "Please consider spreading out your free API requests more sparingly (1 request per second). " \
    "A premium plan lifts the free key rate limit (25 requests per day) and unlocks all premium "  \
    "endpoints"
#define NOTE                                                                                       \
    "{\"Note\":\"Our standard API call frequency is 5 calls per minute and 500 calls per day.\"}"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a quote, by the close of that day", .symbols = "MSFT",
     .body = QUOTE("MSFT", "\"112.1300\"", "2025-03-11"),
     .answers = "MSFT 112.1300 - @1741723200000 unknown " DAY, .verdict = "ok"},
    {.what = "the price as a number", .symbols = "MSFT", .body = QUOTE("MSFT", "112.5", "2025-03-11"),
     .answers = "MSFT 112.5 - @1741723200000 unknown " DAY, .verdict = "ok"},
    {.what = "of those who pay less", .symbols = "MSFT",
     .body = QUOTE_OF("Global Quote - DATA DELAYED BY 15 MINUTES", "MSFT", "\"1.5\"", "2025-03-11"),
     .answers = "MSFT 1.5 - @1741723200000 unknown " DAY " delayed=900", .verdict = "ok"},
    {.what = "a delay, squeezed", .symbols = "MSFT",
     .body = QUOTE_OF("Global Quote - DATA DELAYED BY 15MINUTES", "MSFT", "\"1.5\"", "2025-03-11"),
     .answers = "MSFT 1.5 - @1741723200000 unknown " DAY " delayed=900", .verdict = "ok"},
    {.what = "a delay beyond belief", .symbols = "MSFT",
     .body = QUOTE_OF("Global Quote DELAYED BY 99999999999", "MSFT", "\"1.5\"", "2025-03-11"),
     .answers = "MSFT 1.5 - @1741723200000 unknown " DAY, .verdict = "ok"},
    {.what = "members that are missing or 0", .symbols = "MSFT",
     .body = "{\"Global Quote\":{\"symbol\":7,\"01. symbol\":\"MSFT\",\"02. open\":\"0.0000\","
             "\"5. price\":\"1.5\",\"06. volume\":\"0\",\"7. latest trading day\":\"2025-03-10\"}}",
     .answers = "MSFT 1.5 - @1741636800000 unknown", .verdict = "ok"},

    /* a day's close: 16:00 in New York, its winter and its summer */
    {.what = "the last of winter", .symbols = "A", .body = QUOTE("A", "\"1\"", "2025-03-07"),
     .answers = "A 1 - @1741381200000 unknown " DAY, .verdict = "ok"},
    {.what = "the first of summer, a Sunday", .symbols = "A",
     .body = QUOTE("A", "\"1\"", "2025-03-09"),
     .answers = "A 1 - @1741550400000 unknown " DAY, .verdict = "ok"},
    {.what = "a second Sunday on the 8th", .symbols = "A",
     .body = QUOTE("A", "\"1\"", "2020-03-09"),
     .answers = "A 1 - @1583784000000 unknown " DAY, .verdict = "ok"},
    {.what = "a first Sunday on the 1st", .symbols = "A", .body = QUOTE("A", "\"1\"", "2020-11-02"),
     .answers = "A 1 - @1604350800000 unknown " DAY, .verdict = "ok"},
    {.what = "midsummer", .symbols = "A", .body = QUOTE("A", "\"1\"", "2024-07-03"),
     .answers = "A 1 - @1720036800000 unknown " DAY, .verdict = "ok"},
    {.what = "the last of summer", .symbols = "A", .body = QUOTE("A", "\"1\"", "2024-11-01"),
     .answers = "A 1 - @1730491200000 unknown " DAY, .verdict = "ok"},
    {.what = "the first of winter, a Sunday", .symbols = "A",
     .body = QUOTE("A", "\"1\"", "2024-11-03"),
     .answers = "A 1 - @1730667600000 unknown " DAY, .verdict = "ok"},
    {.what = "December", .symbols = "A", .body = QUOTE("A", "\"1\"", "2024-12-31"),
     .answers = "A 1 - @1735678800000 unknown " DAY, .verdict = "ok"},
    {.what = "a class of shares is New York's too", .symbols = "BRK.B",
     .body = QUOTE("BRK.B", "\"1\"", "2025-03-07"),
     .answers = "BRK.B 1 - @1741381200000 unknown " DAY, .verdict = "ok"},
    {.what = "an exchange elsewhere: noon", .symbols = "TSCO.LON",
     .body = QUOTE("TSCO.LON", "\"352.10\"", "2025-03-11"),
     .answers = "TSCO.LON 352.10 - @1741694400000 unknown " DAY, .verdict = "ok"},
    {.what = "tomorrow", .symbols = "A", .body = QUOTE("A", "\"1\"", "2025-03-12"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no such day", .symbols = "A", .body = QUOTE("A", "\"1\"", "2025-02-29"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a time of no zone", .symbols = "A", .body = QUOTE("A", "\"1\"", "2025-03-11 10:00:00"),
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* what is no price */
    {.what = "unknown symbol", .symbols = "NOPE", .body = "{\"Global Quote\":{}}",
     .answers = "NOPE not_found", .verdict = "ok"},
    {.what = "another symbol", .symbols = "MSFT", .body = QUOTE("IBM", "\"1\"", "2025-03-11"),
     .answers = "MSFT bad_schema", .verdict = "bad_schema"},
    {.what = "a quote that is none", .symbols = "A", .body = "{\"Global Quote\":[]}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "price 0", .symbols = "A", .body = QUOTE("A", "\"0.0000\"", "2025-03-11"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "price null", .symbols = "A", .body = QUOTE("A", "null", "2025-03-11"),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "price below 0", .symbols = "A", .body = QUOTE("A", "\"-1\"", "2025-03-11"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "price None", .symbols = "A", .body = QUOTE("A", "\"None\"", "2025-03-11"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no price", .symbols = "A",
     .body = "{\"Global Quote\":{\"01. symbol\":\"A\",\"price\":\"1\"}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "nothing we know", .symbols = "A", .body = "{\"bestMatches\":[]}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "an empty object", .symbols = "A", .body = "{}",
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* rates */
    {.what = "a rate", .symbols = "EUR/USD",
     .body = RATE("EUR", "USD", "1.09105000", "2025-03-11 15:01:04", "UTC"),
     .answers = "EUR/USD 1.09105000 USD @1741705264000 unknown bid=1.09100000", .verdict = "ok"},
    {.what = "the other way round", .symbols = "USD/EUR",
     .body = RATE("EUR", "USD", "1.09105000", "2025-03-11 15:01:04", "UTC"),
     .answers = "USD/EUR bad_schema", .verdict = "bad_schema"},
    {.what = "in New York's time", .symbols = "EUR/USD",
     .body = RATE("EUR", "USD", "1.09", "2025-03-11 11:01:04", "US/Eastern"),
     .answers = "EUR/USD 1.09 USD @1741705264000 unknown bid=1.09100000", .verdict = "ok"},
    {.what = "in a zone we do not know", .symbols = "EUR/USD",
     .body = RATE("EUR", "USD", "1.09", "2025-03-11 11:01:04", "Mars"),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a rate that is none", .symbols = "EUR/USD",
     .body = "{\"Realtime Currency Exchange Rate\":null}",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},

    /* series */
    {.what = "the newest, wherever it stands", .symbols = "IBM",
     .body = SERIES(IBM, "Time Series (5min)", BAR("2025-03-07 14:55:00", "7") ","
                    BAR("2025-03-07 15:00:00", "8.50") "," BAR("2025-03-06 19:55:00", "9")),
     .answers = "IBM 8.50 - @1741377600000 unknown open=1", .verdict = "ok"},
    {.what = "a series of days: the close", .symbols = "IBM",
     .body = SERIES(IBM, "Time Series (Daily)", BAR("2025-03-10", "7")),
     .answers = "IBM 7 - @1741636800000 unknown open=1", .verdict = "ok"},
    {.what = "of weeks", .symbols = "IBM",
     .body = SERIES(IBM, "Weekly Time Series", BAR("2025-03-10", "7")),
     .answers = "IBM 7 - @1741636800000 unknown open=1", .verdict = "ok"},
    {.what = "adjusted is not what was paid", .symbols = "IBM",
     .body = SERIES(IBM, "Time Series (Daily)",
                    "\"2025-03-10\":{\"5. adjusted close\":\"6\",\"4. close\":\"7\"}"),
     .answers = "IBM 7 - @1741636800000 unknown", .verdict = "ok"},
    {.what = "a series without values", .symbols = "IBM",
     .body = SERIES(IBM, "Time Series (Daily)", ""), .answers = "IBM no_data", .verdict = "ok"},
    {.what = "a series of something", .symbols = "IBM",
     .body = SERIES(IBM, "Time Series (Daily)", BAR("yesterday", "7")),
     .answers = "IBM bad_schema", .verdict = "bad_schema"},
    {.what = "a series of another", .symbols = "A",
     .body = SERIES(IBM, "Time Series (Daily)", BAR("2025-03-10", "7")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a series of nobody", .symbols = "A",
     .body = "{\"Time Series (Daily)\":{" BAR("2025-03-10", "7") "}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "currencies, a day: noon", .symbols = "EUR/AUD",
     .body = SERIES("\"2. From Symbol\":\"EUR\",\"3. To Symbol\":\"AUD\",\"6. Time Zone\":\"UTC\"",
                    "Time Series FX (Daily)", BAR("2025-03-10", "1.72")),
     .answers = "EUR/AUD 1.72 AUD @1741608000000 unknown open=1", .verdict = "ok"},
    {.what = "other currencies", .symbols = "EUR/USD",
     .body = SERIES("\"2. From Symbol\":\"EUR\",\"3. To Symbol\":\"AUD\",\"6. Time Zone\":\"UTC\"",
                    "Time Series FX (Daily)", BAR("2025-03-10", "1.72")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "coins", .symbols = "BTC/AUD",
     .body = SERIES("\"2. Digital Currency Code\":\"BTC\",\"4. Market Code\":\"AUD\","
                    "\"7. Time Zone\":\"UTC\"", "Time Series (Digital Currency Daily)",
                    BAR("2025-03-11", "131000.5")),
     .answers = "BTC/AUD 131000.5 AUD @1741694400000 unknown open=1", .verdict = "ok"},

    /* limits: the second, the minute, the day; and the plan */
    {.what = "the second, in words of the day as well", .symbols = "A", .body = INFO(SECOND),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=5000"},
    {.what = "the second, in few words", .symbols = "A", .body = INFO("More sparingly please"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=5000"},
    {.what = "the minute, in words of the day as well", .symbols = "A", .body = NOTE,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "the minute, an old text", .symbols = "A",
     .body = INFO("Contact us if you are targeting a higher API call volume."),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "the minute, another", .symbols = "A", .body = INFO("your API call frequency"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "the day", .symbols = "A", .retry_after_s = 7,
     .body = INFO("We have detected your API key as QUX8 and our standard API rate limit is 25 "
                  "requests per day. Subscribe to a premium plan to remove all daily rate limits."),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "the day, in few words", .symbols = "A", .body = INFO("Daily limit."),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "not in the plan", .symbols = "A",
     .body = INFO("This is a premium endpoint. Subscribe to unlock all premium endpoints"),
     .answers = "A auth", .verdict = "auth cooldown=3600000"},
    {.what = "a note of any kind", .symbols = "A", .body = "{\"Note\":\"hm\"}",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429", .symbols = "A", .status = 429, .body = "{}",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "429 without a word, longer", .symbols = "A", .status = 429, .body = "",
     .retry_after_s = 120,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=120000"},
    {.what = "the second, but longer", .symbols = "A", .body = INFO(SECOND), .retry_after_s = 20,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=20000"},

    /* errors */
    {.what = "the key", .symbols = "A",
     .body = "{\"Error Message\":\"the parameter apikey is invalid or missing.\"}",
     .answers = "A auth", .verdict = "auth"},
    {.what = "the key of the documentation", .symbols = "A",
     .body = INFO("The **demo** API key is for demo purposes only."),
     .answers = "A auth", .verdict = "auth"},
    {.what = "an unknown currency", .symbols = "EUR/XXX",
     .body = "{\"Error Message\":\"Invalid API call. Please retry or read on.\"}",
     .answers = "EUR/XXX not_found", .verdict = "ok"},
    {.what = "we ask wrongly", .symbols = "A",
     .body = "{\"Error Message\":\"This API function (X) does not exist.\"}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "information on nothing", .symbols = "A", .body = INFO("the moon is full"),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "information that is no text", .symbols = "A", .body = "{\"Information\":[]}",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "an error beside a quote", .symbols = "A",
     .body = "{\"Global Quote\":{},\"Note\":\"5 calls per minute\"}",
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "503 with Retry-After", .symbols = "A", .status = 503, .body = "{}",
     .retry_after_s = 30,
     .answers = "A upstream_error", .verdict = "upstream_error cooldown=30000"},
    {.what = "403", .symbols = "A", .status = 403, .body = "{}",
     .answers = "A auth", .verdict = "auth"},

    /* not even JSON of theirs */
    {.what = "a web page", .symbols = "A", .body = "\n<html>maintenance",
     .answers = "A blocked", .verdict = "blocked"},
    {.what = "a web page of a broken server", .symbols = "A", .status = 502, .body = "<html>",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a redirect", .symbols = "A", .status = 301, .body = "",
     .location = "https://example.org/",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "empty", .symbols = "A", .body = "", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "text", .symbols = "A", .body = "symbol,open,high", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "an array", .symbols = "A", .body = "[]", .answers = "A bad_schema",
     .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("alphavantage"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* While the day is not over, its price is not of the evening. */
static void test_day_that_is_not_over(void **state)
{
    (void)state;
    static const struct reply_case rows[] = {
        {.what = "an hour before the close",
         .symbols = "A",
         .body = QUOTE("A", "\"1\"", "2025-03-11"),
         .answers = "A 1 - @1741651200000 unknown " DAY,
         .verdict = "ok"},
    };
    reply_cases_run(provider_find("alphavantage"), rows, ARRAY_LEN(rows), 1741719600000);
    reply_cases_run(provider_find("alphavantage"), cases, 1, 1741723200000);
}

static void test_request(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *query;
    } rows[] = {
        {"AAPL",     "function=GLOBAL_QUOTE&symbol=AAPL&apikey=k%260"                    },
        {"TSCO.LON", "function=GLOBAL_QUOTE&symbol=TSCO.LON&apikey=k%260"                },
        {"EUR/USD",
         "function=CURRENCY_EXCHANGE_RATE&from_currency=EUR&to_currency=USD&apikey=k%260"},
    };
    struct config_provider cfg = {.name = "alphavantage", .api_key = "k&0"};
    struct http_request r;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[256];
        snprintf(want, sizeof want, "https://www.alphavantage.co/query?%s", rows[i].query);
        assert_int_equal(request_of("alphavantage", &cfg, &rows[i].symbol, 1, &r, &err), 0);
        assert_string_equal(r.url.p, want);
        assert_string_equal(r.headers.p, "Accept: application/json\n");
        request_free(&r);
    }
    cfg.base_url = "http://127.0.0.1:9/";
    assert_int_equal(request_of("alphavantage", &cfg, &rows[0].symbol, 1, &r, &err), 0);
    assert_string_equal(r.url.p,
                        "http://127.0.0.1:9/query?function=GLOBAL_QUOTE&symbol=AAPL&apikey=k%260");
    request_free(&r);
}

static void test_request_refused(void **state)
{
    (void)state;
    const char *const two[] = {"A", "B"}, *const bad[] = {"A&apikey=1"};
    struct config_provider cfg = {.name = "alphavantage"};
    struct http_request r;
    struct err err;
    assert_int_equal(request_of("alphavantage", &cfg, two, 1, &r, &err), -1);
    cfg.api_key = "";
    assert_int_equal(request_of("alphavantage", &cfg, two, 1, &r, &err), -1);
    cfg.api_key = "k";
    assert_int_equal(request_of("alphavantage", &cfg, two, 2, &r, &err), -1);
    assert_int_equal(request_of("alphavantage", &cfg, two, 0, &r, &err), -1);
    assert_int_equal(request_of("alphavantage", &cfg, bad, 1, &r, &err), -1);
    request_free(&r);
}

/* They name the caller's key; we repeat nothing of that. */
static void test_details_hold_no_secrets(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        INFO("We have detected your API key as S3CRET and our limit is 25 requests per day."),
        INFO("S3CRET has sent more than 1 request per second"),
        "{\"Note\":\"S3CRET\"}",
        "{\"Error Message\":\"apikey S3CRET is invalid\"}",
        "{\"Error Message\":\"S3CRET\"}",
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
        provider_find("alphavantage")->parse(&reply, symbols, 1, NOW_MS, &a, &v);
        reply_check_detail(&a);
        assert_null(strstr(a.detail, "S3CRET"));
    }
}

static void test_symbol_syntax(void **state)
{
    (void)state;
    static const char *const good[] = {"AAPL",       "BRK-B",   "BRK.B",   "TSCO.LON",
                                       "600104.SHH", "EUR/USD", "BTC/USDT"};
    static const char *const bad[] = {
        "",          ".A",    "aapl", "EUR/", "/USD",         "EUR/USD/X",
        "EUR.X/USD", "A,B",   "A&b=", "A B",  "ABCDEFGH/USD", "EUR/ABCDEFGH",
        "A:B",       "^GSPC", "KC=F", "A.\n", "A%2F",         "A234567890123456789012345678901.3"};
    const struct config_provider_rule *rule = &provider_find("alphavantage")->rule;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(rule->symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(rule->symbol_problem(bad[i]));
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("alphavantage");
    assert_string_equal(p->rule.key_env, "ALPHAVANTAGE_API_KEY");
    assert_true(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_minute, 5);
    assert_int_equal(p->rule.credits_per_day, 25);
    assert_int_equal(p->batch_max, 1);
    assert_string_equal(p->day_zone, "America/New_York");
    assert_int_equal(p->rule.credits_per_second, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_day_that_is_not_over),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_details_hold_no_secrets),
        cmocka_unit_test(test_symbol_syntax),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
