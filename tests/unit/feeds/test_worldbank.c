/* World Bank: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

#define GDP         "NY.GDP.MKTP.CD"
#define BR          "BR/" GDP
#define PAGE        "{\"page\":1,\"pages\":1,\"per_page\":20,\"total\":1,\"lastupdated\":\"2026-02-01\"}"
#define REPLY(rows) "[" PAGE ",[" rows "]]"
#define OF(two, three, name, date, value, more)                                                    \
    "{\"indicator\":{\"id\":\"" GDP "\",\"value\":\"" name "\"},\"country\":{\"id\":\"" two        \
    "\",\"value\":\"Brazil\"},\"countryiso3code\":\"" three "\",\"date\":\"" date                  \
    "\",\"value\":" value ",\"unit\":\"" more "\",\"obs_status\":\"\",\"decimal\":0}"
#define ROW(date, value)  OF("BR", "BRA", "GDP (current US$)", date, value, "")
#define NAMED(name, unit) OF("BR", "BRA", name, "2024", "5", unit)
#define ERR(id, key, text)                                                                         \
    "[{\"message\":[{\"id\":\"" id "\",\"key\":\"" key "\",\"value\":\"" text "\"}]}]"
#define ANSWER(ts, period, value)                                                                  \
    BR " @" ts " | region=Brazil series=" GDP " period=" period " value=" value                    \
       " current US$ text=GDP (current US$)"
#define END_2024 "1735689599000" /* 2024-12-31 23:59:59 */

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a year", .symbols = BR, .body = REPLY(ROW("2024", "2179412078443.35")),
     .answers = ANSWER(END_2024, "2024", "2179412078443.35"), .verdict = "ok"},
    {.what = "the newest that is not null, in whatever order", .symbols = BR,
     .body = REPLY(ROW("2023", "2") "," ROW("2025", "null") "," ROW("2024", "-3.5") ","
                   ROW("2022", "1")),
     .answers = ANSWER(END_2024, "2024", "-3.5"), .verdict = "ok"},
    {.what = "three letters", .symbols = "BRA/" GDP, .body = REPLY(ROW("2024", "0")),
     .answers = "BRA/" GDP " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=0 "
                "current US$ text=GDP (current US$)",
     .verdict = "ok"},
    {.what = "a year that is not over", .symbols = BR, .body = REPLY(ROW("2026", "7")),
     .answers = ANSWER("1767225600000", "2026", "7"), .verdict = "ok"},
    {.what = "a forecast is none of ours", .symbols = BR,
     .body = REPLY(ROW("2027", "9") "," ROW("2024", "7")),
     .answers = ANSWER(END_2024, "2024", "7"), .verdict = "ok"},
    {.what = "forecasts only", .symbols = BR, .body = REPLY(ROW("2027", "9")),
     .answers = BR " no_data", .verdict = "ok"},
    {.what = "old is not ended", .symbols = BR, .body = REPLY(ROW("2015", "7")),
     .answers = ANSWER("1451606399000", "2015", "7"), .verdict = "ok"},
    {.what = "a quarter", .symbols = BR, .body = REPLY(ROW("2025Q4", "7")),
     .answers = ANSWER("1767225599000", "2025Q4", "7"), .verdict = "ok"},
    {.what = "the first quarter", .symbols = BR, .body = REPLY(ROW("2025Q1", "7")),
     .answers = ANSWER("1743465599000", "2025Q1", "7"), .verdict = "ok"},
    {.what = "a month", .symbols = BR, .body = REPLY(ROW("2025M12", "7")),
     .answers = ANSWER("1767225599000", "2025M12", "7"), .verdict = "ok"},
    {.what = "this month", .symbols = BR, .body = REPLY(ROW("2026M03", "7")),
     .answers = ANSWER("1772323200000", "2026M03", "7"), .verdict = "ok"},

    /* units and names */
    {.what = "a unit of its own", .symbols = BR, .body = REPLY(NAMED("GDP (current US$)", "LCU")),
     .answers = BR " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=5 LCU "
                "text=GDP (current US$)",
     .verdict = "ok"},
    {.what = "none", .symbols = BR, .body = REPLY(NAMED("Population (in all), total", "")),
     .answers = BR " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=5 "
                "text=Population (in all), total",
     .verdict = "ok"},
    {.what = "too long to be one", .symbols = BR,
     .body = REPLY(NAMED("GDP (constant 2021 international $)", "")),
     .answers = BR " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=5 "
                "text=GDP (constant 2021 international $)",
     .verdict = "ok"},
    {.what = "strange letters", .symbols = BR,
     .body = REPLY(NAMED("a\\n\\u202eb\\u0007c)", "")),
     .answers = BR " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=5 text=a b c)",
     .verdict = "ok"},
    {.what = "no names", .symbols = BR,
     .body = REPLY("{\"indicator\":{\"id\":\"ny.gdp.mktp.cd\"},\"country\":{\"id\":\"BR\"},"
                   "\"date\":\"2024\",\"value\":5}"),
     .answers = BR " @" END_2024 " | series=" GDP " period=2024 value=5", .verdict = "ok"},

    /* others */
    {.what = "another country beside ours", .symbols = BR,
     .body = REPLY(OF("MX", "MEX", "GDP", "2025", "9", "") "," ROW("2024", "7")),
     .answers = ANSWER(END_2024, "2024", "7"), .verdict = "ok"},
    {.what = "another country, by three letters", .symbols = "BRA/" GDP,
     .body = REPLY(OF("MX", "MEX", "GDP", "2025", "9", "")),
     .answers = "BRA/" GDP " bad_schema", .verdict = "bad_schema"},
    {.what = "another country", .symbols = BR,
     .body = REPLY(OF("MX", "MEX", "GDP", "2025", "9", "")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "another indicator", .symbols = "BR/SP.POP.TOTL", .body = REPLY(ROW("2024", "7")),
     .answers = "BR/SP.POP.TOTL bad_schema", .verdict = "bad_schema"},
    {.what = "a symbol without its half", .symbols = "BR", .body = REPLY(ROW("2024", "7")),
     .answers = "BR bad_schema", .verdict = "bad_schema"},
    {.what = "no names at all", .symbols = BR, .body = REPLY("7"),
     .answers = BR " bad_schema", .verdict = "bad_schema"},

    /* nothing */
    {.what = "nulls only", .symbols = BR, .body = REPLY(ROW("2025", "null")),
     .answers = BR " no_data", .verdict = "ok"},
    {.what = "no rows", .symbols = BR, .body = REPLY(""),
     .answers = BR " no_data", .verdict = "ok"},
    {.what = "null for the rows", .symbols = BR, .body = "[" PAGE ",null]",
     .answers = BR " no_data", .verdict = "ok"},
    {.what = "the page alone", .symbols = BR, .body = "[" PAGE "]",
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", .symbols = BR, .body = "{}",
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "no value", .symbols = BR,
     .body = REPLY("{\"indicator\":{\"id\":\"" GDP "\"},\"country\":{\"id\":\"BR\"},"
                   "\"date\":\"2024\"}"),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "a bracket left open", .symbols = BR, .body = REPLY(NAMED("GDP (of", "")),
     .answers = BR " @" END_2024 " | region=Brazil series=" GDP " period=2024 value=5 "
                "text=GDP (of",
     .verdict = "ok"},
    {.what = "a text for a value", .symbols = BR, .body = REPLY(ROW("2024", "\"7\"")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "more digits than there are", .symbols = BR, .body = REPLY(ROW("2024", "1e300")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},

    /* periods that are none */
    {.what = "no year", .symbols = BR, .body = REPLY(ROW("202", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "words", .symbols = BR, .body = REPLY(ROW("last year", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "the 5th quarter", .symbols = BR, .body = REPLY(ROW("2025Q5", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "the zeroth quarter", .symbols = BR, .body = REPLY(ROW("2025Q0", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "the 13th month", .symbols = BR, .body = REPLY(ROW("2025M13", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "half a month", .symbols = BR, .body = REPLY(ROW("2025M1x", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "neither", .symbols = BR, .body = REPLY(ROW("2025X1", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "neither, longer", .symbols = BR, .body = REPLY(ROW("2025X01", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "before there was time", .symbols = BR, .body = REPLY(ROW("1960", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "the last year there is", .symbols = BR, .body = REPLY(ROW("9999", "7")),
     .answers = BR " bad_schema", .verdict = "bad_schema"},

    /* errors */
    {.what = "an invalid value", .symbols = BR,
     .body = ERR("120", "Invalid value", "The provided parameter value is not valid"),
     .answers = BR " not_found", .verdict = "ok"},
    {.what = "archived", .symbols = BR,
     .body = ERR("175", "Invalid format", "The indicator was not found."),
     .answers = BR " not_found", .verdict = "ok"},
    {.what = "unavailable", .symbols = BR, .status = 503,
     .body = ERR("105", "Service currently unavailable", "Try later"),
     .answers = BR " upstream_error", .verdict = "upstream_error"},
    {.what = "another error", .symbols = BR, .body = ERR("140", "Endpoint not found", "x"),
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "an error without words", .symbols = BR, .body = "[{\"message\":[7]}]",
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "data under an error's status", .symbols = BR, .status = 500,
     .body = REPLY(ROW("2024", "7")),
     .answers = BR " upstream_error", .verdict = "upstream_error"},
    {.what = "XML", .symbols = BR, .body = "\xef\xbb\xbf<?xml version=\"1.0\"?><wb:data/>",
     .answers = BR " bad_schema", .verdict = "bad_schema"},
    {.what = "XML with an error's status", .symbols = BR, .status = 502,
     .body = "<?xml version=\"1.0\"?><e/>",
     .answers = BR " upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = BR, .body = "<!DOCTYPE html><html>Request Error</html>",
     .answers = BR " blocked", .verdict = "blocked"},
    {.what = "a gateway's page", .symbols = BR, .status = 504, .body = "<html></html>",
     .answers = BR " upstream_error", .verdict = "upstream_error"},
    {.what = "too many", .symbols = BR, .status = 429, .body = "",
     .answers = BR " rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "too many, with a time", .symbols = BR, .status = 429, .body = "",
     .retry_after_s = 600,
     .answers = BR " rate_limited", .verdict = "rate_limited cooldown=600000"},
    {.what = "empty", .symbols = BR, .body = "",
     .answers = BR " bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("worldbank"), cases, ARRAY_LEN(cases), NOW_MS);
}

static void test_request(void **state)
{
    static const char *const symbols[] = {BR, BR};
    static const char *const bad[] = {"BR/../x"};
    const struct config_provider cfg = {.name = "worldbank"};
    struct http_request rq;
    struct err err;
    (void)state;
    assert_int_equal(request_of("worldbank", &cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(rq.url.p, "https://api.worldbank.org/v2/country/BR/indicator/" GDP
                                  "?format=json&per_page=20&mrnev=1");
    request_free(&rq);
    assert_int_equal(request_of("worldbank", &cfg, symbols, 2, &rq, &err), -1);
    request_free(&rq);
    assert_int_equal(request_of("worldbank", &cfg, bad, 1, &rq, &err), -1);
    request_free(&rq);
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("worldbank");
    static const char *const good[] = {BR, "BRA/SP.POP.TOTL", "1W/AG.LND.AGRI.ZS",
                                       "PE/per_si_a.b-c"};
    static const char *const bad[] = {
        "",        "BR",      "BR/",
        "/" GDP,   "B/" GDP,  "BRAZ/" GDP,
        "br/" GDP, "BR/A/B",  "BR/A?",
        "BR/..",   "BR/A..B", "BR/.A",
        "BR/A.",   "BR/A B",  "BR/0123456789012345678901234567890123456789012345678901234567890",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!p->rule.symbol_problem(bad[i]))
            fail_msg("taken for a symbol: %s", bad[i]);
    assert_int_equal(p->rule.serves, SERVES_OBSERVATIONS);
    assert_in_range(p->timeout_ms, 5001, 15000);
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
