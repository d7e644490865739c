/* OANDA: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-13 15:00 UTC */
static const int64_t NOW_MS = 1773414000000;

#define TIME                    ",\"time\":\"2026-03-13T14:59:58.729643492Z\""
#define AT                      "@1773413998729"
#define P(x)                    "{\"price\":" x ",\"liquidity\":1000000}"
#define BIDS(x)                 ",\"bids\":[" x "]"
#define ASKS(x)                 ",\"asks\":[" x "]"
#define BOOK                    BIDS(P("\"1.1215\"") "," P("\"1.1213\"")) ASKS(P("\"1.1217\"") "," P("\"1.1219\""))
#define PRICE(instrument, rest) "{\"type\":\"PRICE\",\"instrument\":\"" instrument "\"" rest "}"
#define REPLY(prices)           "{\"time\":\"x\",\"prices\":[" prices "]}"
#define ONE(rest)               REPLY(PRICE("EUR_USD", rest))
#define ERR(text)               "{\"errorMessage\":\"" text "\"}"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "the middle of the best", .symbols = "EUR_USD", .body = ONE(BOOK TIME),
     .answers = "EUR_USD 1.1216 USD " AT " unknown bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "half of an odd number", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"1.1215\"")) ASKS(P("\"1.1216\"")) TIME),
     .answers = "EUR_USD 1.12155 USD " AT " unknown bid=1.1215 ask=1.1216", .verdict = "ok"},
    {.what = "different places", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"1.1\"")) ASKS(P("\"1.15\"")) TIME),
     .answers = "EUR_USD 1.125 USD " AT " unknown bid=1.1 ask=1.15", .verdict = "ok"},
    {.what = "the best is not the first", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"1.1\"") "," P("\"1.3\"") "," P("\"1.2\""))
                 ASKS(P("\"1.9\"") "," P("\"1.5\"") "," P("\"1.6\"")) TIME),
     .answers = "EUR_USD 1.4 USD " AT " unknown bid=1.3 ask=1.5", .verdict = "ok"},
    {.what = "numbers", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("1")) ASKS(P("1.5")) TIME),
     .answers = "EUR_USD 1.25 USD " AT " unknown bid=1 ask=1.5", .verdict = "ok"},
    {.what = "an entry that is no price", .symbols = "EUR_USD",
     .body = ONE(BIDS("7," P("null") "," P("\"0\"") "," P("\"1.2\"")) ASKS(P("\"1.4\"")) TIME),
     .answers = "EUR_USD 1.3 USD " AT " unknown bid=1.2 ask=1.4", .verdict = "ok"},
    {.what = "gold", .symbols = "XAU_USD", .body = REPLY(PRICE("XAU_USD", BOOK TIME)),
     .answers = "XAU_USD 1.1216 USD " AT " unknown bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "an index in euros", .symbols = "DE30_EUR", .body = REPLY(PRICE("DE30_EUR", BOOK TIME)),
     .answers = "DE30_EUR 1.1216 EUR " AT " unknown bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "a name that is none of theirs", .symbols = "X", .body = REPLY(PRICE("X", BOOK TIME)),
     .answers = "X 1.1216 - " AT " unknown bid=1.1215 ask=1.1217", .verdict = "ok"},

    /* is the market open? */
    {.what = "open", .symbols = "EUR_USD", .body = ONE(BOOK TIME ",\"tradeable\":true"),
     .answers = "EUR_USD 1.1216 USD " AT " open bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "the weekend", .symbols = "EUR_USD",
     .body = ONE(BOOK TIME ",\"tradeable\":false,\"status\":\"tradeable\""),
     .answers = "EUR_USD 1.1216 USD " AT " closed bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "open, older", .symbols = "EUR_USD", .body = ONE(BOOK TIME ",\"status\":\"tradeable\""),
     .answers = "EUR_USD 1.1216 USD " AT " open bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "the weekend, older", .symbols = "EUR_USD",
     .body = ONE(BOOK TIME ",\"status\":\"non-tradeable\""),
     .answers = "EUR_USD 1.1216 USD " AT " closed bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "a word of tomorrow", .symbols = "EUR_USD",
     .body = ONE(BOOK TIME ",\"status\":\"halted\""),
     .answers = "EUR_USD 1.1216 USD " AT " unknown bid=1.1215 ask=1.1217", .verdict = "ok"},
    {.what = "invalid", .symbols = "EUR_USD", .body = ONE(BOOK TIME ",\"status\":\"invalid\""),
     .answers = "EUR_USD no_data", .verdict = "ok"},

    /* no middle */
    {.what = "no bids", .symbols = "EUR_USD",
     .body = ONE(BIDS("") ASKS(P("\"1\"")) TIME ",\"closeoutBid\":\"1\""),
     .answers = "EUR_USD no_data", .verdict = "ok"},
    {.what = "no asks", .symbols = "EUR_USD", .body = ONE(BIDS(P("\"1\"")) ASKS("") TIME),
     .answers = "EUR_USD no_data", .verdict = "ok"},
    {.what = "bids absent", .symbols = "EUR_USD", .body = ONE(ASKS(P("\"1\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "asks only", .symbols = "EUR_USD", .body = ONE(TIME ",\"tradeable\":7"),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "asks absent", .symbols = "EUR_USD", .body = ONE(BIDS(P("\"1\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "zeros", .symbols = "EUR_USD", .body = ONE(BIDS(P("\"0\"")) ASKS(P("\"0.0\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "a zero on one side", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"1\"")) ASKS(P("0")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "more digits than there are", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"999999999999999999999999999999999998\""))
                 ASKS(P("\"999999999999999999999999999999999999\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "no room for the half", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"400000000000000000000000000000000000\""))
                 ASKS(P("\"400000000000000000000000000000000001\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "no place for the half", .symbols = "EUR_USD",
     .body = ONE(BIDS(P("\"1e-36\"")) ASKS(P("\"2e-36\"")) TIME),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},

    /* times */
    {.what = "no time", .symbols = "EUR_USD", .body = ONE(BOOK),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "seconds, which were not asked for", .symbols = "EUR_USD",
     .body = ONE(BOOK ",\"time\":\"1773413998.729643492\""),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "an absurd time", .symbols = "EUR_USD",
     .body = ONE(BOOK ",\"time\":\"2026-13-45T99:00:00Z\""),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "a time of the wrong type", .symbols = "EUR_USD", .body = ONE(BOOK ",\"time\":7"),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},

    /* which instrument? */
    {.what = "another one", .symbols = "EUR_USD", .body = REPLY(PRICE("EUR_JPY", BOOK TIME)),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "no name", .symbols = "EUR_USD", .body = REPLY("{}"),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "no prices", .symbols = "EUR_USD", .body = REPLY(""),
     .answers = "EUR_USD not_found", .verdict = "ok"},
    {.what = "prices of another kind", .symbols = "EUR_USD", .body = "{\"prices\":{}}",
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "a heartbeat of the stream", .symbols = "EUR_USD",
     .body = "{\"type\":\"HEARTBEAT\",\"time\":\"2026-03-13T14:59:58.7Z\"}",
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},

    /* errors */
    {.what = "unknown instrument", .symbols = "EUR_USX", .status = 400,
     .body = ERR("Invalid value specified for 'instruments'"),
     .answers = "EUR_USX not_found", .verdict = "ok"},
    {.what = "unknown account", .symbols = "EUR_USD", .status = 400,
     .body = ERR("Invalid value specified for 'accountID'"),
     .answers = "EUR_USD auth", .verdict = "auth"},
    {.what = "wrong key", .symbols = "EUR_USD", .status = 401,
     .body = ERR("Insufficient authorization to perform request."),
     .answers = "EUR_USD auth", .verdict = "auth"},
    {.what = "wrong key, in a 200", .symbols = "EUR_USD",
     .body = ERR("Insufficient authorization to perform request."),
     .answers = "EUR_USD auth", .verdict = "auth"},
    {.what = "wrong key, in no words", .symbols = "EUR_USD", .status = 401, .body = ERR("no"),
     .answers = "EUR_USD auth", .verdict = "auth"},
    {.what = "forbidden", .symbols = "EUR_USD", .status = 403, .body = ERR("Forbidden"),
     .answers = "EUR_USD auth", .verdict = "auth"},
    {.what = "no such path", .symbols = "EUR_USD", .status = 404, .body = ERR("Not found"),
     .answers = "EUR_USD not_found", .verdict = "ok"},
    {.what = "not understood", .symbols = "EUR_USD", .status = 405, .body = ERR("Bad method"),
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "theirs", .symbols = "EUR_USD", .status = 503, .body = ERR("Maintenance"),
     .answers = "EUR_USD upstream_error", .verdict = "upstream_error"},
    {.what = "an error of no words", .symbols = "EUR_USD", .body = "{\"errorMessage\":null}",
     .answers = "EUR_USD upstream_error", .verdict = "upstream_error"},
    {.what = "too fast", .symbols = "EUR_USD", .status = 429, .body = ERR("slow down"),
     .answers = "EUR_USD rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "too fast, in words", .symbols = "EUR_USD", .status = 400,
     .body = ERR("Rate limit violation of 120"),
     .answers = "EUR_USD rate_limited", .verdict = "rate_limited cooldown=10000"},
    {.what = "too fast, with a time", .symbols = "EUR_USD", .status = 429, .body = "",
     .retry_after_s = 60,
     .answers = "EUR_USD rate_limited", .verdict = "rate_limited cooldown=60000"},
    {.what = "prices under an error's status", .symbols = "EUR_USD", .status = 500,
     .body = ONE(BOOK TIME),
     .answers = "EUR_USD upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = "EUR_USD", .body = "<!DOCTYPE html>",
     .answers = "EUR_USD blocked", .verdict = "blocked"},
    {.what = "empty", .symbols = "EUR_USD", .body = "",
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "moved", .symbols = "EUR_USD", .status = 301, .body = "",
     .location = "https://www.oanda.com/",
     .answers = "EUR_USD upstream_error", .verdict = "upstream_error"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("oanda"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    static const char *const symbols[] = {"EUR_USD", "XAU_USD"};
    const struct provider *p = provider_find("oanda");
    struct config_provider cfg = {
        .name = "oanda", .api_key = "k3y-x", .account = "101-004-1234567-001"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://api-fxpractice.oanda.com/v3/accounts/"
                                  "101-004-1234567-001/pricing?instruments=EUR_USD");
    assert_string_equal(rq.headers.p, "Authorization: Bearer k3y-x\n"
                                      "Accept-Datetime-Format: RFC3339\n"
                                      "Accept: application/json\n");
    buf_clear(&rq.url);
    cfg.account = "001-004-1234567-001";
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://api-fxtrade.oanda.com/v3/accounts/"
                                  "001-004-1234567-001/pricing?instruments=EUR_USD");
    buf_clear(&rq.url);
    cfg.base_url = "http://127.0.0.1:9/";
    assert_int_equal(p->request(&cfg, symbols, 1, &rq, &err), 0);
    assert_memory_equal(rq.url.p, "http://127.0.0.1:9/v3/", 22);
    assert_int_equal(p->request(&cfg, symbols, 2, &rq, &err), -1);
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

static void test_request_refused(void **state)
{
    static const struct {
        const char *key, *account, *symbol, *says;
    } rows[] = {
        {NULL,      "101-1",                                     "EUR_USD", "api_key"},
        {"",        "101-1",                                     "EUR_USD", "api_key"},
        {"a\nX: 1", "101-1",                                     "EUR_USD", "api_key"},
        {"k",       NULL,                                        "EUR_USD", "account"},
        {"k",       "",                                          "EUR_USD", "account"},
        {"k",       "1/../",                                     "EUR_USD", "account"},
        {"k",       "1?x=y",                                     "EUR_USD", "account"},
        {"k",       "101-1",                                     "EUR/USD", "symbol" },
        {"k",       "12345678901234567890123456789012345678901", "EUR_USD", "account"},
    };
    const struct provider *p = provider_find("oanda");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_provider cfg = {
            .name = "oanda", .api_key = rows[i].key, .account = rows[i].account};
        struct http_request rq = {0};
        struct err err;
        assert_int_equal(p->request(&cfg, &rows[i].symbol, 1, &rq, &err), -1);
        assert_non_null(strstr(err.text, rows[i].says));
        buf_fini(&rq.url);
        buf_fini(&rq.headers);
    }
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("oanda");
    static const char *const good[] = {"EUR_USD", "XAU_USD", "DE30_EUR", "SPX500_USD"};
    static const char *const bad[] = {"",
                                      "EURUSD",
                                      "EUR_",
                                      "_USD",
                                      "EUR_USDT",
                                      "EUR_US",
                                      "eur_usd",
                                      "EUR_U5D",
                                      "EUR_USD,",
                                      "EUR/USD",
                                      "EUR-USD",
                                      "A_B_USD_",
                                      "ABCDEFGHIJKLMNOPQ_USD"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(p->rule.symbol_problem(bad[i]));
    assert_string_equal(p->rule.key_env, "OANDA_API_KEY");
    assert_true(p->rule.needs_key);
    assert_int_equal(p->batch_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
