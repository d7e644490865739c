/* eia.c - the U.S. Energy Information Administration, https://api.eia.gov, interface v2: the latest
 * figures of one series a request.
 *
 *   {"response":{"total":"1",...,"data":[{"period":"2026-03-13","series":"RWTC",...,
 *                "value":"66.31","units":"$\/BBL"}]},"request":{...,"params":{"api_key":...}}}
 *
 * How to ask. The interface is a tree of routes, each with facets of its own; a series alone does
 * not say where it is. But /v2/seriesid/ takes the names of the old interface, which do:
 * PET.RWTC.D is data set, series and frequency. So all is asked for that way. A name without dots
 * (RWTC) is completed: the data set is NG for natural gas (RNGWHHD, RNGC1), else PET, and the
 * frequency is daily. Anything else (weekly, STEO.BREPUUS.M) is written out in full.
 *
 * What its replies taught:
 *  - `value` was a number once and is a string now, and null on a day without one.
 *  - The form of `period` is that of the frequency: a day, a month, a year, a quarter in two ways,
 *    an hour. Periods in the future are forecasts.
 *  - Rows carry their `series`, but not on all routes.
 *  - `units` are "$/BBL": dollars. Where it is none of money, the instrument's currency counts. A
 *    series has the unit as it stands there.
 *  - The reply repeats the request with the key, and the key can go nowhere but into the URL:
 *    nothing is quoted but error messages, and of those on keys not even these.
 *  - Errors have a code in words or in numbers, inside `error` or beside it. One in four requests
 *    was an HTTP 500 at times: that is an error of theirs, nothing more.
 *  - `warnings` (an incomplete return: there are more rows) are no errors.
 *  - Who is throttled and goes on has his key suspended: then we go away for an hour. Figures come
 *    once a day, so the limits below are far under theirs (thousands an hour). */
#include <string.h>

#include "provider.h"
#include "series.h"

static const char BASE_URL[] = "https://api.eia.gov";

enum { SYMBOL_BYTES_MAX = 63 }; /* the id of a series as well */

static const int64_t HOUR_COOLDOWN_MS = 3600000;

/* ---- asking ---- */

static const char *symbol_problem(const char *symbol)
{
    static const char help[] = "should look like RWTC or PET.RWTC.D";
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t parts = 0;
    if (strlen(symbol) > SYMBOL_BYTES_MAX)
        return help;
    for (const char *p = symbol;; p++) {
        size_t len = strspn(p, letters);
        p += len;
        parts++;
        if (len == 0 || (*p && *p != '.'))
            return help;
        if (!*p)
            return parts == 2 ? help : NULL;
    }
}

static int eia_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                       struct http_request *out, struct err *err)
{
    if (!cfg->api_key || !cfg->api_key[0])
        return err_set(err, "eia: no api_key");
    if (n != 1)
        return err_set(err, "eia: one series at a time, not %zu", n);
    const char *symbol = symbols[0], *problem = symbol_problem(symbol);
    if (problem)
        return err_set(err, "eia: the symbol %s", problem);
    bool bare = !strchr(symbol, '.');
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/v2/seriesid/");
    if (bare)
        buf_adds(&out->url, strncmp(symbol, "RNG", 3) == 0 ? "NG." : "PET.");
    parse_escape(symbol, &out->url);
    buf_addf(&out->url,
             "%s?sort%%5B0%%5D%%5Bcolumn%%5D=period&sort%%5B0%%5D%%5Bdirection%%5D=desc"
             "&length=5&api_key=",
             bare ? ".D" : "");
    parse_escape(cfg->api_key, &out->url);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "eia: out of memory");
    return 0;
}

/* ---- errors ---- */

/* The first row whose words occur in the code or in the message. */
static const struct {
    const char *words;
    enum failure failure;
} texts[] = {
    {"API_KEY",         FAIL_AUTH        },
    {"suspended",       FAIL_AUTH        },
    {"OVER_RATE_LIMIT", FAIL_RATE_LIMITED},
    {"throttle",        FAIL_RATE_LIMITED},
    {"rate limit",      FAIL_RATE_LIMITED},
    {"NOT_FOUND",       FAIL_NOT_FOUND   },
};

static enum failure failure_of(int64_t number, const char *code, const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcasestr(code, texts[i].words) || strcasestr(message, texts[i].words))
            return texts[i].failure;
    if (number == 401 || number == 403)
        return FAIL_AUTH;
    if (number == 404)
        return FAIL_NOT_FOUND;
    if (number == 429)
        return FAIL_RATE_LIMITED;
    return number >= 400 && number <= 499 ? FAIL_BAD_SCHEMA : FAIL_UPSTREAM_ERROR;
}

static const char *text_of(const json_t *v)
{
    return json_is_string(v) ? json_string_value(v) : "";
}

/* {"error":{"code":"API_KEY_MISSING","message":"..."}} or {"error":"...","code":404} */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why)
{
    const json_t *error = json_object_get(root, "error");
    if (!error || json_is_null(error))
        return false;
    bool object = json_is_object(error);
    const json_t *code = json_object_get(object ? error : root, "code");
    const char *message = text_of(object ? json_object_get(error, "message") : error);
    int64_t number = json_is_integer(code) ? json_integer_value(code) : reply->status;
    enum failure f = failure_of(number, text_of(code), message);
    if (f == FAIL_AUTH)
        parse_fail(why, f, "we are not let in %s", text_of(code));
    else
        parse_fail(why, f, "error %s (%lld): %s", text_of(code), (long long)number, message);
    return true;
}

/* ---- figures ---- */

/* The first day of the period, or the hour. 0: no such period. */
static int64_t period_ms(const char *p, int64_t now_ms)
{
    char text[32];
    size_t len = p ? strlen(p) : 0;
    if (len == 13 || len == 16) { /* 2026-03-13T03 or 2026-03-13T03-05 */
        snprintf(text, sizeof text, "%.13s:00:00%s%s", p, len == 13 ? "Z" : p + 13,
                 len == 13 ? "" : ":00");
        return parse_rfc3339(text);
    }
    const char *quarter = len == 6 || len == 7 ? strchr(p, 'Q') : NULL;
    if (quarter) { /* 2025Q1 or 2025-Q1 */
        bool dashed = quarter == p + 5 && p[4] == '-';
        if ((!dashed && quarter != p + 4) || quarter[1] < '1' || quarter[1] > '4' || quarter[2])
            return 0;
        snprintf(text, sizeof text, "%.4s-%02d-01", p, 3 * (quarter[1] - '1') + 1);
    } else if (len == 4 || len == 7) {
        snprintf(text, sizeof text, "%s%s", p, len == 4 ? "-01-01" : "-01");
    } else {
        return series_day_ms(p, SERIES_NOON_MS, now_ms);
    }
    return series_day_ms(text, SERIES_NOON_MS, now_ms);
}

static const char *currency_of(const char *units)
{
    if (strncmp(units, "$/", 2) == 0)
        return "USD";
    return strncasecmp(units, "cents", 5) == 0 ? "USX" : "";
}

/* Is the row of the series that was asked for? The name may stand alone or between two dots. */
static bool is_echo(const char *echo, const char *asked)
{
    const char *first = strchr(asked, '.'), *last = strrchr(asked, '.');
    if (!first)
        return strcmp(echo, asked) == 0;
    size_t len = (size_t)(last - first) - 1;
    return strcmp(echo, asked) == 0 || (strlen(echo) == len && strncmp(echo, first + 1, len) == 0);
}

/* False with the reason in *a: this is no row of the series. */
static bool read_row(const json_t *row, const char *asked, struct series *s, struct answer *a)
{
    const json_t *value = json_object_get(row, "value");
    const json_t *echo = json_object_get(row, "series");
    const char *period = json_string_value(json_object_get(row, "period"));
    int64_t ts = period_ms(period, s->now_ms);
    struct decimal d;
    char shown[16];
    if (!echo)
        echo = json_object_get(row, "seriesId");
    if (echo && !is_echo(text_of(echo), asked))
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for %s", asked, text_of(echo));
    else if (ts == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a row without its period");
    else if (json_is_null(value))
        return true;
    else if (!parse_decimal(value, &d))
        parse_fail(a, FAIL_BAD_SCHEMA, "the value of %s is not a number", period);
    else {
        snprintf(shown, sizeof shown, "%.13s", period); /* without the zone of an hour */
        series_add(s, ts, d, shown);
    }
    return a->failure == FAIL_NONE;
}

static void read_data(const json_t *data, const char *asked, int64_t now_ms, struct answer *a)
{
    struct series s = {.now_ms = now_ms};
    const char *units = text_of(json_object_get(json_array_get(data, 0), "units"));
    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *row = json_array_get(data, i);
        if (!read_row(row, asked, &s, a))
            return;
        if (strcmp(text_of(json_object_get(row, "units")), units) != 0) {
            parse_fail(a, FAIL_BAD_SCHEMA, "rows in different units");
            return;
        }
    }
    const struct series_about about = {asked, units, currency_of(units)};
    series_answer(&s, &about, a);
}

static void eia_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                      int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);
    const json_t *data = json_object_get(json_object_get(root, "response"), "data");

    REQUIRE(n == 1);
    if (root && !probe_error(root, reply, &why) && parse_status(reply, &why) == FAIL_NONE) {
        if (!json_is_array(data))
            parse_fail(&why, FAIL_BAD_SCHEMA, "no data in the reply");
        else
            read_data(data, symbols[0], now_ms, &why);
    }
    answers[0] = why;
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < HOUR_COOLDOWN_MS)
        verdict->cooldown_ms = HOUR_COOLDOWN_MS;
}

const struct provider provider_eia = {
    .rule = {.name = "eia",
             .serves = SERVES_BOTH,
             .key_env = "EIA_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_minute = 30,
             .credits_per_day = 2400,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_QUERY,
    .position = 61,
    .batch_max = 1,
    .request = eia_request,
    .parse = eia_parse,
};
