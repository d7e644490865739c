/* Open-Meteo: what is asked, and what is made of each kind of reply. */
#include "reply_case.h"

/* 2026-03-16 10:07 UTC */
static const int64_t NOW_MS = 1773655620000;

#define HEAD(lat, lon)                                                                             \
    "\"latitude\":" lat ",\"longitude\":" lon ",\"generationtime_ms\":0.07,"                       \
    "\"utc_offset_seconds\":0,\"timezone\":\"GMT\""
#define UNITS                                                                                       \
    "\"current_units\":{\"time\":\"unixtime\",\"interval\":\"seconds\",\"temperature_2m\":\"°C\"," \
    "\"relative_humidity_2m\":\"%\",\"precipitation\":\"mm\",\"wind_speed_10m\":\"km/h\","          \
    "\"weather_code\":\"wmo code\"}"
#define CURRENT(values)      "\"current\":{\"time\":1773655200,\"interval\":900," values "}"
#define AT(lat, lon, values) "{" HEAD(lat, lon) "," UNITS "," CURRENT(values) "}"
#define HERE(values)         AT("-21.5", "-45.5", values)
#define TIMED(offset, time)                                                                        \
    "{\"latitude\":-21.5,\"longitude\":-45.5,\"utc_offset_seconds\":" offset ","                   \
    "\"current\":{\"time\":" time ",\"precipitation\":0}}"
#define ERR(reason) "{\"error\":true,\"reason\":\"" reason "\"}"
#define SYMBOL      "-21.55,-45.43"
#define T           " @1773655200000 | "

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "all of it", .symbols = SYMBOL ";",
     .body = HERE("\"weather_code\":61,\"wind_gusts_10m\":20,\"wind_speed_10m\":7.6,"
                  "\"soil_moisture_0_to_1cm\":0.31,\"precipitation\":0.00,"
                  "\"relative_humidity_2m\":72,\"temperature_2m\":21.4,\"unheard_of\":{}"),
     .answers = SYMBOL T "temperature_2m=21.4 °C relative_humidity_2m=72 % precipitation=0 mm "
                "wind_speed_10m=7.6 km/h wind_gusts_10m=20 soil_moisture_0_to_1cm=0.31 "
                "weather_code=61 wmo code text=slight rain",
     .verdict = "ok"},
    {.what = "frost", .symbols = SYMBOL ";", .body = HERE("\"temperature_2m\":-4.1"),
     .answers = SYMBOL T "temperature_2m=-4.1 °C", .verdict = "ok"},
    {.what = "a null is left out", .symbols = SYMBOL ";",
     .body = HERE("\"temperature_2m\":null,\"precipitation\":1.5"),
     .answers = SYMBOL T "precipitation=1.5 mm", .verdict = "ok"},
    {.what = "a code without words", .symbols = SYMBOL ";", .body = HERE("\"weather_code\":4"),
     .answers = SYMBOL T "weather_code=4 wmo code", .verdict = "ok"},
    {.what = "nulls only", .symbols = SYMBOL ";",
     .body = HERE("\"temperature_2m\":null,\"precipitation\":null"),
     .answers = SYMBOL " no_data", .verdict = "ok"},
    {.what = "none of ours", .symbols = SYMBOL ";", .body = HERE("\"cloud_cover\":3"),
     .answers = SYMBOL " no_data", .verdict = "ok"},
    {.what = "units of other kinds", .symbols = SYMBOL ";",
     .body = "{" HEAD("-21.5", "-45.5") ",\"current_units\":{\"precipitation\":7,"
             "\"temperature_2m\":\"degrees of somebody or other\"},"
             CURRENT("\"precipitation\":1,\"temperature_2m\":70.5") "}",
     .answers = SYMBOL T "temperature_2m=70.5 precipitation=1", .verdict = "ok"},

    /* several: by their place in the array */
    {.what = "two", .symbols = SYMBOL ";-6.23,-77.87;",
     .body = "[" HERE("\"temperature_2m\":21.4") ","
             AT("-6.25", "-77.75", "\"temperature_2m\":14") "]",
     .answers = SYMBOL T "temperature_2m=21.4 °C\n-6.23,-77.87" T "temperature_2m=14 °C",
     .verdict = "ok"},
    {.what = "two, in the wrong order", .symbols = SYMBOL ";-6.23,-77.87;",
     .body = "[" AT("-6.25", "-77.75", "\"temperature_2m\":14") ","
             HERE("\"temperature_2m\":21.4") "]",
     .answers = SYMBOL " bad_schema\n-6.23,-77.87 bad_schema", .verdict = "bad_schema"},
    {.what = "one of two is not covered", .symbols = "0,0;" SYMBOL ";",
     .body = "[{\"latitude\":nan,\"longitude\":nan,\"timezone\":\"Asia/\\\"Nan\\\\\"},"
             HERE("\"temperature_2m\":21.4,\"precipitation\":NaN,\"wind_speed_10m\":-nan") "]",
     .answers = "0,0 no_data\n" SYMBOL T "temperature_2m=21.4 °C", .verdict = "ok"},
    {.what = "one of two fails", .symbols = "-21,-45;" SYMBOL ";",
     .body = "[7," HERE("\"temperature_2m\":21.4") "]",
     .answers = "-21,-45 bad_schema\n" SYMBOL T "temperature_2m=21.4 °C", .verdict = "ok"},
    {.what = "an array of one", .symbols = SYMBOL ";",
     .body = "[" HERE("\"temperature_2m\":21.4") "]",
     .answers = SYMBOL T "temperature_2m=21.4 °C", .verdict = "ok"},
    {.what = "fewer than asked for", .symbols = "1,1;2,2;",
     .body = "[" AT("1", "1", "\"temperature_2m\":21.4") "]",
     .answers = "1,1 bad_schema\n2,2 bad_schema", .verdict = "bad_schema"},
    {.what = "one for two", .symbols = "1,1;2,2;", .body = AT("1", "1", "\"temperature_2m\":21.4"),
     .answers = "1,1 bad_schema\n2,2 bad_schema", .verdict = "bad_schema"},

    /* the place */
    {.what = "over the date line", .symbols = "-17.5,179.9;",
     .body = AT("-17.5", "-179.75", "\"precipitation\":3"),
     .answers = "-17.5,179.9" T "precipitation=3 mm", .verdict = "ok"},
    {.what = "elsewhere", .symbols = SYMBOL ";", .body = AT("-23", "-45.5", "\"precipitation\":3"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "elsewhere, east", .symbols = SYMBOL ";",
     .body = AT("-21.5", "45.5", "\"precipitation\":3"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "nowhere", .symbols = SYMBOL ";", .body = AT("-21.5", "1e300", "\"precipitation\":3"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "without a latitude", .symbols = SYMBOL ";", .body = AT("null", "-45", "\"x\":3"),
     .answers = SYMBOL " no_data", .verdict = "ok"},
    {.what = "without a longitude", .symbols = SYMBOL ";", .body = AT("-21", "null", "\"x\":3"),
     .answers = SYMBOL " no_data", .verdict = "ok"},
    {.what = "a text for a latitude", .symbols = SYMBOL ";", .body = AT("\"-21\"", "-45", "\"x\":3"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a text for a longitude", .symbols = SYMBOL ";", .body = AT("-21", "\"-4\"", "\"x\":3"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},

    /* the time */
    {.what = "a text, UTC", .symbols = SYMBOL ";", .body = TIMED("0", "\"2026-03-16T10:00\""),
     .answers = SYMBOL T "precipitation=0", .verdict = "ok"},
    {.what = "a text, of Moscow", .symbols = SYMBOL ";",
     .body = TIMED("10800", "\"2026-03-16T13:00\""),
     .answers = SYMBOL T "precipitation=0", .verdict = "ok"},
    {.what = "a text, of Lima", .symbols = SYMBOL ";",
     .body = TIMED("-18000", "\"2026-03-16T05:00\""),
     .answers = SYMBOL T "precipitation=0", .verdict = "ok"},
    {.what = "a text of nobody knows where", .symbols = SYMBOL ";",
     .body = TIMED("null", "\"2026-03-16T10:00\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "further than any zone", .symbols = SYMBOL ";",
     .body = TIMED("9223372036854775807", "\"2026-03-16T10:00\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "further than any zone, west", .symbols = SYMBOL ";",
     .body = TIMED("-86401", "\"2026-03-16T10:00\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a text of another form", .symbols = SYMBOL ";",
     .body = TIMED("0", "\"2026-03-16 10:00:00\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "no such month", .symbols = SYMBOL ";", .body = TIMED("0", "\"2026-13-16T10:00\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a moment ahead of our clock", .symbols = SYMBOL ";", .body = TIMED("0", "1773655640"),
     .answers = SYMBOL " @1773655620000 | precipitation=0", .verdict = "ok"},
    {.what = "an hour ahead", .symbols = SYMBOL ";", .body = TIMED("0", "1773659220"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "no time", .symbols = SYMBOL ";", .body = TIMED("0", "null"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},

    /* what cannot be */
    {.what = "hotter than anywhere", .symbols = SYMBOL ";", .body = HERE("\"temperature_2m\":214"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "less than nothing", .symbols = SYMBOL ";", .body = HERE("\"precipitation\":-0.1"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a text for a value", .symbols = SYMBOL ";", .body = HERE("\"precipitation\":\"1\""),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a list for a value", .symbols = SYMBOL ";", .body = HERE("\"precipitation\":[1]"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "more digits than there are", .symbols = SYMBOL ";",
     .body = HERE("\"precipitation\":5e-324"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "no current", .symbols = SYMBOL ";", .body = "{" HEAD("-21.5", "-45.5") "}",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", .symbols = SYMBOL ";", .body = "{}",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},

    /* errors: each limit has its window; it is 10:07 */
    {.what = "the minute", .symbols = SYMBOL ";", .status = 429,
     .body = ERR("Minutely API request limit exceeded. Please try again in one minute."),
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=65000"},
    {.what = "the hour", .symbols = SYMBOL ";", .status = 429,
     .body = ERR("Hourly API request limit exceeded. Please try again in the next hour."),
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=3185000"},
    {.what = "the day, in a 200, for all places", .symbols = "1,1;2,2;",
     .body = "{\"reason\":\"Daily API request limit exceeded. Please try again tomorrow.\","
             "\"error\":true}",
     .answers = "1,1 rate_limited\n2,2 rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "the month", .symbols = SYMBOL ";", .status = 429,
     .body = ERR("Monthly API request limit exceeded."),
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "another limit", .symbols = SYMBOL ";", .status = 429,
     .body = ERR("Too many concurrent requests"),
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=65000"},
    {.what = "a limit in no words of ours", .symbols = SYMBOL ";", .status = 429,
     .body = ERR("Slow down."),
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=65000"},
    {.what = "a limit without words", .symbols = SYMBOL ";", .status = 429, .body = "",
     .retry_after_s = 300,
     .answers = SYMBOL " rate_limited", .verdict = "rate_limited cooldown=300000"},
    {.what = "a wrong key", .symbols = SYMBOL ";", .status = 400,
     .body = ERR("The supplied API key is invalid."),
     .answers = SYMBOL " auth", .verdict = "auth"},
    {.what = "no data here", .symbols = SYMBOL ";", .status = 400,
     .body = ERR("No data is available for this location"),
     .answers = SYMBOL " no_data", .verdict = "ok"},
    {.what = "no such variable", .symbols = SYMBOL ";", .status = 400,
     .body = ERR("Cannot initialize VariableOrDerived from invalid String value x"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "an error in a 200", .symbols = SYMBOL ";", .body = ERR("What is this?"),
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "an error without its reason", .symbols = SYMBOL ";", .status = 500,
     .body = "{\"error\":true,\"reason\":7}",
     .answers = SYMBOL " upstream_error", .verdict = "upstream_error"},
    {.what = "data under an error's status", .symbols = SYMBOL ";", .status = 502,
     .body = HERE("\"precipitation\":1"),
     .answers = SYMBOL " upstream_error", .verdict = "upstream_error"},
    {.what = "a web page", .symbols = SYMBOL ";", .body = "<html>nan</html>",
     .answers = SYMBOL " blocked", .verdict = "blocked"},
    {.what = "cut off", .symbols = SYMBOL ";", .body = "{\"latitude\":nan,\"long",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "cut off in an escape", .symbols = SYMBOL ";", .body = "{\"nan\\",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "a stray escape", .symbols = SYMBOL ";", .body = "{nan\\\"",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
    {.what = "empty", .symbols = SYMBOL ";", .body = "",
     .answers = SYMBOL " bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("openmeteo"), cases, ARRAY_LEN(cases), NOW_MS);
}

/* More than is looked at, with a nan in it. */
static void test_oversize(void **state)
{
    static char body[PARSE_BODY_MAX + 16];
    static const struct reply_case c = {.what = "too large",
                                        .symbols = SYMBOL ";",
                                        .answers = SYMBOL " bad_schema",
                                        .verdict = "bad_schema"};
    (void)state;
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"x\":nan", 8);
    body[sizeof body - 1] = '}';
    assert_true(reply_case_holds(provider_find("openmeteo"), &c, body, sizeof body, NOW_MS));
}

static void test_request(void **state)
{
    static const char *const symbols[] = {SYMBOL, "39.74,-104.99"};
    static const char *const bad[] = {"91,0"};
    static const char *many[51];
    struct config_provider cfg = {.name = "openmeteo"};
    struct http_request rq;
    struct err err;
    (void)state;
    assert_int_equal(request_of("openmeteo", &cfg, symbols, 1, &rq, &err), 0);
    assert_string_equal(
        rq.url.p,
        "https://api.open-meteo.com/v1/forecast?latitude=-21.55&longitude=-45.43"
        "&current=temperature_2m,relative_humidity_2m,precipitation,wind_speed_10m,wind_gusts_10m,"
        "soil_moisture_0_to_1cm,weather_code&timezone=UTC&timeformat=unixtime");
    assert_string_equal(rq.headers.p, "Accept: application/json\n");
    assert_int_equal(rq.body.len, 0);
    request_free(&rq);
    cfg.api_key = "a&b";
    assert_int_equal(request_of("openmeteo", &cfg, symbols, 2, &rq, &err), 0);
    assert_non_null(strstr(rq.url.p, "https://customer-api.open-meteo.com/v1/forecast?"
                                     "latitude=-21.55,39.74&longitude=-45.43,-104.99&current="));
    assert_non_null(strstr(rq.url.p, "&apikey=a%26b"));
    request_free(&rq);
    cfg.api_key = "";
    cfg.base_url = "http://127.0.0.1:1/";
    assert_int_equal(request_of("openmeteo", &cfg, symbols, 1, &rq, &err), 0);
    assert_non_null(strstr(rq.url.p, "http://127.0.0.1:1/v1/forecast?"));
    assert_null(strstr(rq.url.p, "apikey"));
    request_free(&rq);
    assert_int_equal(request_of("openmeteo", &cfg, bad, 1, &rq, &err), -1);
    request_free(&rq);
    assert_int_equal(request_of("openmeteo", &cfg, symbols, 0, &rq, &err), -1);
    request_free(&rq);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = SYMBOL;
    assert_int_equal(request_of("openmeteo", &cfg, many, 51, &rq, &err), -1);
    request_free(&rq);
    assert_int_equal(request_of("openmeteo", &cfg, many, 50, &rq, &err), 0);
    assert_true(rq.url.len < 2000);
    request_free(&rq);
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("openmeteo");
    static const char *const good[] = {SYMBOL, "0,0", "90,-180", "-90.0,180.000000", "-0.5,07"};
    static const char *const bad[] = {
        "",        "1",      "1,",    "1,2,3",       ",1",       "1, 2",   "+1,2", "91,0",
        "0,180.1", "1.,2",   ".5,2",  "1.1234567,0", "1e1,2",    "--1,2",  "-,1",  "nan,1",
        "1,-",     "0001,2", "1,2\n", "1;2",         "-90.01,0", "0,-181", "1,2.",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(p->rule.symbol_problem(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!p->rule.symbol_problem(bad[i]))
            fail_msg("taken for a place: %s", bad[i]);
    assert_int_equal(p->rule.serves, SERVES_OBSERVATIONS);
    assert_false(p->rule.needs_key);
    assert_true(p->rule.enabled_by_default);
    assert_int_equal(p->rule.credits_per_hour, 5000);
}

/* Symbols are checked before anything is asked; should one come all the same, nothing is near it.
 */
static void test_strange_symbol(void **state)
{
    static const struct reply_case c = {.what = "no place",
                                        .symbols = "north",
                                        .answers = "north bad_schema",
                                        .verdict = "bad_schema"};
    static const char body[] = HERE("\"precipitation\":1");
    (void)state;
    assert_true(reply_case_holds(provider_find("openmeteo"), &c, body, sizeof body - 1, NOW_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),        cmocka_unit_test(test_oversize),
        cmocka_unit_test(test_request),        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_strange_symbol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
