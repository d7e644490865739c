/* EIA: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

#define ROW(series, period, value)                                                                 \
    "{\"period\":\"" period "\",\"series\":\"" series "\",\"value\":" value                        \
    ",\"units\":\"$\\/BBL\"}"
#define BARE(period, value) "{\"period\":\"" period "\",\"value\":" value "}"
#define REPLY(rows)                                                                                \
    "{\"response\":{\"total\":\"2\",\"dateFormat\":\"YYYY-MM-DD\",\"data\":[" rows                 \
    "]},\"request\":{\"params\":{\"api_key\":\"hunter2\"}}}"
#define ERR(code, text)  "{\"error\":{\"code\":" code ",\"message\":\"" text "\"}}"
#define FLAT(code, text) "{\"error\":\"" text "\",\"code\":" code "}"
#define FRIDAY           "@1773403200000" /* 2026-03-13 12:00 UTC */

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "a string", .symbols = "RWTC",
     .body = REPLY(ROW("RWTC", "2026-03-13", "\"66.30\"") "," ROW("RWTC", "2026-03-12", "\"65.9\"")),
     .answers = "RWTC 66.30 USD " FRIDAY " unknown prev=65.9"
                " | series=RWTC period=2026-03-13 value=66.30 $/BBL", .verdict = "ok"},
    {.what = "a number", .symbols = "RWTC", .body = REPLY(ROW("RWTC", "2026-03-13", "66.3")),
     .answers = "RWTC 66.3 USD " FRIDAY " unknown"
                " | series=RWTC period=2026-03-13 value=66.3 $/BBL", .verdict = "ok"},
    {.what = "null is a day without one", .symbols = "RWTC",
     .body = REPLY(ROW("RWTC", "2026-03-13", "null") "," ROW("RWTC", "2026-03-12", "65.9")),
     .answers = "RWTC 65.9 USD @1773316800000 unknown"
                " | series=RWTC period=2026-03-12 value=65.9 $/BBL", .verdict = "ok"},
    {.what = "nulls only", .symbols = "RWTC", .body = REPLY(ROW("RWTC", "2026-03-13", "null")),
     .answers = "RWTC no_data", .verdict = "ok"},
    {.what = "oldest first", .symbols = "RWTC",
     .body = REPLY(ROW("RWTC", "2026-03-12", "65.9") "," ROW("RWTC", "2026-03-13", "66.3")),
     .answers = "RWTC 66.3 USD " FRIDAY " unknown prev=65.9"
                " | series=RWTC period=2026-03-13 value=66.3 $/BBL", .verdict = "ok"},
    {.what = "no rows", .symbols = "RWTC", .body = REPLY(""),
     .answers = "RWTC no_data", .verdict = "ok"},
    {.what = "the full name", .symbols = "PET.RWTC.D",
     .body = REPLY(ROW("RWTC", "2026-03-13", "66.3")),
     .answers = "PET.RWTC.D 66.3 USD " FRIDAY " unknown"
                " | series=PET.RWTC.D period=2026-03-13 value=66.3 $/BBL", .verdict = "ok"},
    {.what = "the full name comes back", .symbols = "PET.RWTC.D",
     .body = REPLY(ROW("PET.RWTC.D", "2026-03-13", "66.3")),
     .answers = "PET.RWTC.D 66.3 USD " FRIDAY " unknown"
                " | series=PET.RWTC.D period=2026-03-13 value=66.3 $/BBL", .verdict = "ok"},
    {.what = "another name for it", .symbols = "STEO.BREPUUS.M",
     .body = REPLY("{\"period\":\"2026-03\",\"seriesId\":\"BREPUUS\",\"value\":\"70\",\"unit\":7}"),
     .answers = "STEO.BREPUUS.M 70 - @1772366400000 unknown"
                " | series=STEO.BREPUUS.M period=2026-03 value=70", .verdict = "ok"},
    {.what = "no name: known by having asked for it", .symbols = "ELEC.SALES.US-RES.A",
     .body = REPLY(BARE("2026-03-13", "5")),
     .answers = "ELEC.SALES.US-RES.A 5 - " FRIDAY " unknown"
                " | series=ELEC.SALES.US-RES.A period=2026-03-13 value=5", .verdict = "ok"},
    {.what = "another series", .symbols = "RWTC", .body = REPLY(ROW("RBRTE", "2026-03-13", "66.3")),
     .answers = "RWTC bad_schema", .verdict = "bad_schema"},
    {.what = "another one of the same length", .symbols = "PET.RWTC.D",
     .body = REPLY(ROW("RWTD", "2026-03-13", "66.3")),
     .answers = "PET.RWTC.D bad_schema", .verdict = "bad_schema"},
    {.what = "a longer one", .symbols = "PET.RWTC.D",
     .body = REPLY(ROW("RWTC1", "2026-03-13", "66.3")),
     .answers = "PET.RWTC.D bad_schema", .verdict = "bad_schema"},
    {.what = "a name of the wrong type", .symbols = "RWTC",
     .body = REPLY("{\"period\":\"2026-03-13\",\"series\":7,\"value\":1}"),
     .answers = "RWTC bad_schema", .verdict = "bad_schema"},
    {.what = "cents", .symbols = "A",
     .body = REPLY("{\"period\":\"2026-03-13\",\"value\":\"17.2\",\"units\":\"cents per gallon\"}"),
     .answers = "A 17.2 USX " FRIDAY " unknown"
                " | series=A period=2026-03-13 value=17.2 cents per gallon", .verdict = "ok"},
    {.what = "barrels are no money", .symbols = "A",
     .body = REPLY("{\"period\":\"2026-03-13\",\"value\":\"17\",\"units\":\"MBBL\"}"),
     .answers = "A 17 - " FRIDAY " unknown"
                " | series=A period=2026-03-13 value=17 MBBL", .verdict = "ok"},
    {.what = "two units", .symbols = "A",
     .body = REPLY("{\"period\":\"2026-03-13\",\"value\":1,\"units\":\"MBBL\"},"
                   "{\"period\":\"2026-03-12\",\"value\":1,\"units\":\"BBL\"}"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "warnings", .symbols = "RWTC",
     .body = "{\"response\":{\"warnings\":[{\"warning\":\"incomplete return\"}],\"data\":["
             ROW("RWTC", "2026-03-13", "66.3") "]},\"error\":null}",
     .answers = "RWTC 66.3 USD " FRIDAY " unknown"
                " | series=RWTC period=2026-03-13 value=66.3 $/BBL", .verdict = "ok"},
    {.what = "zero is for others to judge", .symbols = "RWTC",
     .body = REPLY(ROW("RWTC", "2026-03-13", "\"0\"") "," ROW("RWTC", "2026-03-12", "\"-37.63\"")),
     .answers = "RWTC 0 USD " FRIDAY " unknown"
                " | series=RWTC period=2026-03-13 value=0 $/BBL", .verdict = "ok"},

    /* periods */
    {.what = "a month", .symbols = "A", .body = REPLY(BARE("2026-02", "1")),
     .answers = "A 1 - @1769947200000 unknown | series=A period=2026-02 value=1", .verdict = "ok"},
    {.what = "a year", .symbols = "A", .body = REPLY(BARE("2025", "1")),
     .answers = "A 1 - @1735732800000 unknown | series=A period=2025 value=1", .verdict = "ok"},
    {.what = "a quarter", .symbols = "A", .body = REPLY(BARE("2025Q4", "1")),
     .answers = "A 1 - @1759320000000 unknown | series=A period=2025Q4 value=1", .verdict = "ok"},
    {.what = "a quarter, the other way", .symbols = "A", .body = REPLY(BARE("2025-Q4", "1")),
     .answers = "A 1 - @1759320000000 unknown | series=A period=2025-Q4 value=1", .verdict = "ok"},
    {.what = "an hour", .symbols = "A",
     .body = REPLY(BARE("2026-03-16T03", "1") "," BARE("2026-03-16T02", "2")),
     .answers = "A 1 - @1773630000000 unknown prev=2"
                " | series=A period=2026-03-16T03 value=1", .verdict = "ok"},
    {.what = "an hour of New York", .symbols = "A", .body = REPLY(BARE("2026-03-16T03-04", "1")),
     .answers = "A 1 - @1773644400000 unknown"
                " | series=A period=2026-03-16T03 value=1", .verdict = "ok"},
    {.what = "a forecast", .symbols = "A", .body = REPLY(BARE("2027-01", "1") "," BARE("2026-02", "2")),
     .answers = "A 2 - @1769947200000 unknown | series=A period=2026-02 value=2", .verdict = "ok"},
    {.what = "an hour ahead", .symbols = "A", .body = REPLY(BARE("2026-03-16T11", "1")),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "the fifth quarter", .symbols = "A", .body = REPLY(BARE("2025Q5", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "the zeroth quarter", .symbols = "A", .body = REPLY(BARE("2025-Q0", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a quarter and more", .symbols = "A", .body = REPLY(BARE("2025Q11", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a quarter out of place", .symbols = "A", .body = REPLY(BARE("20250Q1", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a quarter first", .symbols = "A", .body = REPLY(BARE("Q12025", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "the 13th month", .symbols = "A", .body = REPLY(BARE("2025-13", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "the 25th hour", .symbols = "A", .body = REPLY(BARE("2026-03-13T25", "1")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no period", .symbols = "A", .body = REPLY("{\"value\":1}"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "a number for a period", .symbols = "A", .body = REPLY("{\"period\":2025,\"value\":1}"),
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* what is no reply */
    {.what = "a series that has ended", .symbols = "A",
     .body = REPLY(BARE("2024-04-05", "2.1") "," BARE("2024-04-04", "2.2")),
     .answers = "A no_data", .verdict = "ok"},
    {.what = "no value", .symbols = "A", .body = REPLY("{\"period\":\"2026-03-13\",\"price\":1}"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "words for a value", .symbols = "A", .body = REPLY(BARE("2026-03-13", "\"w\"")),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "rows of another kind", .symbols = "A", .body = REPLY("[1]"),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "no data", .symbols = "A", .body = "{\"response\":{\"routes\":[]}}",
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", .symbols = "A", .body = "[{}]",
     .answers = "A bad_schema", .verdict = "bad_schema"},

    /* errors */
    {.what = "no key", .symbols = "A", .status = 403, .body = ERR("\"API_KEY_MISSING\"", "No key."),
     .answers = "A auth", .verdict = "auth"},
    {.what = "a wrong key, in a 200", .symbols = "A", .body = ERR("\"API_KEY_INVALID\"", "x"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "a key suspended", .symbols = "A", .status = 400,
     .body = FLAT("400", "Your account was suspended."),
     .answers = "A auth", .verdict = "auth"},
    {.what = "forbidden", .symbols = "A", .body = FLAT("403", "Forbidden"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "unauthorized", .symbols = "A", .status = 401, .body = ERR("null", "x"),
     .answers = "A auth", .verdict = "auth"},
    {.what = "too fast", .symbols = "A", .status = 429, .body = ERR("\"OVER_RATE_LIMIT\"", "x"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=3600000"},
    {.what = "throttled, with a longer time", .symbols = "RWTC", .status = 429, .body = "",
     .retry_after_s = 7200,
     .answers = "RWTC rate_limited", .verdict = "rate_limited cooldown=3600000"},
    {.what = "too fast, in words", .symbols = "A", .status = 403,
     .body = FLAT("7", "Requests are throttled."),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=3600000"},
    {.what = "too fast, by the number", .symbols = "A", .body = FLAT("429", "x"),
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=3600000"},
    {.what = "too fast, with a time", .symbols = "A", .status = 429, .body = "",
     .retry_after_s = 60,
     .answers = "A rate_limited", .verdict = "rate_limited cooldown=3600000"},
    {.what = "unknown", .symbols = "A", .status = 404, .body = FLAT("404", "Not found."),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "unknown, in words", .symbols = "A", .body = ERR("\"NOT_FOUND\"", "x"),
     .answers = "A not_found", .verdict = "ok"},
    {.what = "a bad request", .symbols = "A", .status = 400,
     .body = FLAT("400", "Invalid data 'null' provided."),
     .answers = "A bad_schema", .verdict = "bad_schema"},
    {.what = "theirs, one in four", .symbols = "A", .status = 500,
     .body = FLAT("500", "Something unexpected happened."),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "an error without a word", .symbols = "A", .body = "{\"error\":true}",
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "data under an error's status", .symbols = "A", .status = 502,
     .body = REPLY(BARE("2026-03-13", "1")),
     .answers = "A upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = "A", .body = "<html>", .answers = "A blocked",
     .verdict = "blocked"},
    {.what = "empty", .symbols = "A", .body = "  ", .answers = "A bad_schema",
     .verdict = "bad_schema"},
    {.what = "moved", .symbols = "A", .status = 302, .body = "", .location = "/opendata/",
     .answers = "A upstream_error", .verdict = "upstream_error"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("eia"), cases, ARRAY_LEN(cases), NOW_MS);
}

#define TAIL                                                                                       \
    "?sort%5B0%5D%5Bcolumn%5D=period&sort%5B0%5D%5Bdirection%5D=desc&length=5&api_key=a%26b"

static void test_request(void **state)
{
    static const struct {
        const char *symbol, *url;
    } rows[] = {
        {"RWTC",           "https://api.eia.gov/v2/seriesid/PET.RWTC.D" TAIL    },
        {"RNGWHHD",        "https://api.eia.gov/v2/seriesid/NG.RNGWHHD.D" TAIL  },
        {"PET.RWTC.W",     "https://api.eia.gov/v2/seriesid/PET.RWTC.W" TAIL    },
        {"STEO.BREPUUS.M", "https://api.eia.gov/v2/seriesid/STEO.BREPUUS.M" TAIL},
    };
    static const char *const two[] = {"RWTC", "RBRTE"}, *const bad[] = {"A/B"};
    const struct provider *p = provider_find("eia");
    struct config_provider cfg = {.name = "eia", .api_key = "a&b"};
    struct err err;
    (void)state;
    struct http_request rq = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&rq.url);
        assert_int_equal(p->request(&cfg, &rows[i].symbol, 1, &rq, &err), 0);
        assert_string_equal(rq.url.p, rows[i].url);
    }
    assert_int_equal(p->request(&cfg, two, 2, &rq, &err), -1);
    assert_int_equal(p->request(&cfg, bad, 1, &rq, &err), -1);
    cfg.api_key = "";
    assert_int_equal(p->request(&cfg, two, 1, &rq, &err), -1);
    cfg.api_key = NULL;
    assert_int_equal(p->request(&cfg, two, 1, &rq, &err), -1);
    buf_fini(&rq.url);
    buf_fini(&rq.headers);
}

/* The reply repeats the request, key and all. */
static void test_details_hold_no_secrets(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        REPLY("7"),
        REPLY(ROW("hunter", "2026-03-13", "1")),
        "{\"request\":{\"params\":{\"api_key\":\"hunter2\"}}}",
        ERR("\"API_KEY_INVALID\"", "hunter2 is no key"),
        FLAT("400", "Invalid request ?api_key=hunter2&length=5"),
        FLAT("500", "api_key hunter2 failed"),
        ERR("\"X\"", "the url https://api.test/?k=hunter2"),
        "{\"request\":{\"params\":{\"api_key\":\"hunter2\xff\"}}}",
        "{\"request\":{\"api_key\" \"hunter2\"}}",
        "{\"request\":hunter2}",
    };
    const char *const symbols[] = {"RWTC"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_reply reply = {
            .status = 200, .body = bodies[i], .len = strlen(bodies[i]), .retry_after_s = -1};
        struct answer a;
        struct verdict v;
        provider_find("eia")->parse(&reply, symbols, 1, NOW_MS, &a, &v);
        assert_true(a.failure != FAIL_NONE);
        reply_check_detail(&a);
        assert_null(strstr(a.detail, "hunter2"));
    }
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("eia");
    static const char *const good[] = {"RWTC", "PET.RWTC.D", "EER_EPD2DXL0_PF4_RGC_DPG",
                                       "EBA.CISO-CFE.ID.H"};
    static const char *const bad[] = {
        "",         "rwtc",
        "PET.RWTC", "PET..D",
        ".RWTC.D",  "PET.RWTC.",
        "A B",      "A&",
        "A.B/C",    "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(p->rule.symbol_problem(bad[i]));
    assert_string_equal(p->rule.key_env, "EIA_API_KEY");
    assert_true(p->rule.needs_key);
    assert_int_equal(p->batch_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_details_hold_no_secrets),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
