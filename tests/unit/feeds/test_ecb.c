/* The European Central Bank: what is asked, and what is made of each kind of file. */
#include "reply_case.h"

/* 2024-06-27 10:00 UTC */
static const int64_t NOW_MS = 1719482400000;

#define HEAD                                                                                       \
    "<?xml version='1.0' encoding='UTF-8'?>\n"                                                     \
    "<gesmes:Envelope xmlns:gesmes='http://www.gesmes.org/xml/2002-08-01' "                        \
    "xmlns='http://www.ecb.int/vocabulary/2002-08-01/eurofxref'>"                                  \
    "<gesmes:subject>Reference rates</gesmes:subject>"
#define DAY(time, rates) "<Cube><Cube time='" time "'>" rates "</Cube></Cube>"
#define FILE_OF(cubes)   HEAD cubes "</gesmes:Envelope>"
#define RATES                                                                                      \
    "<Cube currency='USD' rate='1.0689'/><Cube currency='JPY' rate='171.350'/>"                    \
    "<Cube currency='ISK' rate='N/A'/>"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a day", .symbols = "EUR/USD,USD/EUR,USD/JPY,EUR/JPY",
     .body = FILE_OF(DAY("2024-06-26", RATES)),
     .answers = "EUR/USD 1.0689 USD @1719403800000 unknown\n"
                "USD/EUR 0.935541 EUR @1719403800000 unknown derived\n"
                "USD/JPY 160.3050 JPY @1719403800000 unknown derived\n"
                "EUR/JPY 171.350 JPY @1719403800000 unknown",
     .verdict = "ok"},
    {.what = "currencies that are not in it", .symbols = "EUR/RUB,EUR/ISK,EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", RATES)),
     .answers = "EUR/RUB not_found\nEUR/ISK not_found\nEUR/USD 1.0689 USD @1719403800000 unknown",
     .verdict = "ok"},
    {.what = "Easter: five days old is no failure", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-22", RATES)),
     .answers = "EUR/USD 1.0689 USD @1719058200000 unknown", .verdict = "ok"},
    {.what = "a week old", .symbols = "EUR/USD", .body = FILE_OF(DAY("2024-06-20", RATES)),
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "two days", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", RATES) DAY("2024-06-25", "<Cube currency='CHF' rate='1'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a currency twice", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", RATES "<Cube currency='USD' rate='1.07'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "no day", .symbols = "EUR/USD", .body = FILE_OF("<Cube></Cube>"),
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "a day without rates", .symbols = "EUR/USD", .body = FILE_OF(DAY("2024-06-26", "")),
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "no such day", .symbols = "EUR/USD", .body = FILE_OF(DAY("2024-02-30", RATES)),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a rate that is none", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube currency='USD' rate='1,0689'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "zero", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube currency='USD' rate='0'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "members of a later version", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube currency='USD' rate='1.0689' multiplier='1'/>")),
     .answers = "EUR/USD 1.0689 USD @1719403800000 unknown", .verdict = "ok"},
    {.what = "wrong in two ways at once", .symbols = "EUR/USD",
     .body = FILE_OF("<Cube><Cube time='today' currency='USD'/></Cube>"),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a currency without its rate", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube currency='USD'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a rate of nothing", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube rate='1'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "other XML", .symbols = "EUR/USD", .body = "<?xml version='1.0'?><a><Cube/></a>",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "cut off", .symbols = "EUR/USD", .body = HEAD "<Cube><Cube time='2024-06-26'>" RATES,
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a document type with entities", .symbols = "EUR/USD",
     .body = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>"
             "<x>&b;</x>",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "an entity without a type", .symbols = "EUR/USD",
     .body = FILE_OF(DAY("2024-06-26", "<Cube currency='&usd;' rate='1'/>")),
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "a web page", .symbols = "EUR/USD",
     .body = "<!DOCTYPE html><html><body>Maintenance</body></html>",
     .answers = "EUR/USD blocked", .verdict = "blocked"},
    {.what = "nothing", .symbols = "EUR/USD", .body = "",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "text", .symbols = "EUR/USD", .body = "service unavailable",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "an error", .symbols = "EUR/USD", .status = 503, .body = "<html>",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "the file is gone", .symbols = "EUR/USD", .status = 404, .body = "<html>",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
    {.what = "slow down", .symbols = "EUR/USD", .status = 429, .body = "", .retry_after_s = 600,
     .answers = "EUR/USD rate_limited", .verdict = "rate_limited cooldown=600000"},
    {.what = "moved", .symbols = "EUR/USD", .status = 301, .body = "",
     .location = "https://www.example.org/x",
     .answers = "EUR/USD upstream_error", .verdict = "upstream_error"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("ecb"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* A file that is right, but for its length. */
static void test_too_long(void **state)
{
    static const struct reply_case c = {.what = "too long",
                                        .symbols = "EUR/USD",
                                        .answers = "EUR/USD bad_schema",
                                        .verdict = "bad_schema"};
    static const char file[] = FILE_OF(DAY("2024-06-26", RATES));
    static char body[PARSE_BODY_MAX + 1];
    (void)state;
    memset(body, '\n', sizeof body);
    memcpy(body, file, sizeof file - 1);
    assert_true(reply_case_holds(provider_find("ecb"), &c, body, sizeof body, NOW_MS));
}

static void test_request(void **state)
{
    static const char *const symbols[] = {"EUR/USD", "GBP/CHF"};
    struct config_provider cfg = {.name = "ecb"};
    struct http_request rq = {0};
    struct err err;
    (void)state;
    assert_int_equal(provider_find("ecb")->request(&cfg, symbols, 2, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml");
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
