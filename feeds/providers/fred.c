/* fred.c - FRED, https://api.stlouisfed.org: the observations of one series a request.
 *
 *   {..., "observations":[{..., "date":"2026-03-13","value":"1.1444"}, ...]}
 *
 * The Federal Reserve's own data base, from exchange rates to commodity prices. Nothing in it is
 * from today: a series is a price for the end of a day, or of a month, and is late by design.
 *
 * What its replies taught:
 *  - XML and oldest first are the defaults: JSON and newest first have to be asked for. The order
 *    is not relied on all the same.
 *  - Values are strings, and "." is a day without one (a holiday). It is not 0, and it is the
 *    newest one often enough: so a few more are asked for.
 *  - The answer does not say which series it is. That it is ours is known by having asked for it
 *    alone.
 *  - It does not say the currency either, and the direction differs: DEXUSEU is dollars for a euro,
 *    DEXJPUS yen for a dollar. For the Fed's exchange rates (H.10) the name tells, first what is
 *    counted: a table below. They are noon rates of New York, published on Mondays for the week
 *    before. Others take the currency of the instrument.
 *  - A wrong key is HTTP 400, as is a series that does not exist: the words decide.
 *  - The key can go nowhere but into the URL, and errors may hold it: those on keys are not quoted.
 *
 * As a series the unit is not said either (`units` is how the figures were transformed): it comes
 * from the configuration.
 *
 * Figures change once a day at most. The limit of requests a day is ours, out of politeness. */
#include <string.h>

#include "provider.h"
#include "series.h"

static const char BASE_URL[] = "https://api.stlouisfed.org";

enum { SYMBOL_BYTES_MAX = 32 };

static const int64_t MINUTE_COOLDOWN_MS = 70000;
/* Noon in New York is 16:00 or 17:00 UTC; the earlier one is in no future. */
static const int64_t NOON_NEW_YORK_MS = INT64_C(16) * 3600000;

/* H.10: the two letters behind DEX, and the currency that is counted. */
static const struct {
    const char *prefix, *currency;
} rates[] = {
    {"DEXBZ", "BRL"},
    {"DEXCA", "CAD"},
    {"DEXCH", "CNY"},
    {"DEXDN", "DKK"},
    {"DEXHK", "HKD"},
    {"DEXIN", "INR"},
    {"DEXJP", "JPY"},
    {"DEXKO", "KRW"},
    {"DEXMA", "MYR"},
    {"DEXMX", "MXN"},
    {"DEXNO", "NOK"},
    {"DEXSD", "SEK"},
    {"DEXSF", "ZAR"},
    {"DEXSI", "SGD"},
    {"DEXSL", "LKR"},
    {"DEXSZ", "CHF"},
    {"DEXTA", "TWD"},
    {"DEXTH", "THB"},
    {"DEXUS", "USD"},
};

/* ---- asking ---- */

static const char *symbol_problem(const char *symbol)
{
    size_t len = strlen(symbol);
    if (len == 0 || len > SYMBOL_BYTES_MAX ||
        strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != len)
        return "should look like DEXUSEU, the id of a series";
    return NULL;
}

static int fred_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                        struct http_request *out, struct err *err)
{
    if (!cfg->api_key || !cfg->api_key[0])
        return err_set(err, "fred: no api_key");
    if (n != 1)
        return err_set(err, "fred: one series at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "fred: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/fred/series/observations?series_id=");
    parse_escape(symbols[0], &out->url);
    buf_adds(&out->url, "&file_type=json&sort_order=desc&limit=10&api_key=");
    parse_escape(cfg->api_key, &out->url);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "fred: out of memory");
    return 0;
}

/* ---- errors ---- */

static enum failure failure_of(int64_t code, const char *message)
{
    if (strcasestr(message, "api_key") || code == 401 || code == 403)
        return FAIL_AUTH;
    if (code == 429)
        return FAIL_RATE_LIMITED;
    if (code == 404 || strcasestr(message, "series does not exist"))
        return FAIL_NOT_FOUND;
    return code == 400 ? FAIL_BAD_SCHEMA : FAIL_UPSTREAM_ERROR;
}

/* {"error_code":400,"error_message":"Bad Request.  ..."} */
static bool probe_error(const json_t *root, struct answer *why)
{
    const json_t *code = json_object_get(root, "error_code");
    const json_t *text = json_object_get(root, "error_message");
    const char *message = json_is_string(text) ? json_string_value(text) : "";
    if (!code && !text)
        return false;
    enum failure f = failure_of(json_integer_value(code), message);
    parse_fail(why, f, "error %lld: %s", (long long)json_integer_value(code),
               f == FAIL_AUTH ? "we are not let in" : message);
    return true;
}

/* ---- observations ---- */

static const char *currency_of(const char *symbol)
{
    for (size_t i = 0; i < ARRAY_LEN(rates); i++)
        if (strncmp(symbol, rates[i].prefix, strlen(rates[i].prefix)) == 0)
            return rates[i].currency;
    return "";
}

static bool is_missing(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_null(value) || (text && (strcmp(text, ".") == 0 || text[0] == '\0'));
}

static void read_observations(const json_t *list, const char *symbol, int64_t now_ms,
                              struct answer *a)
{
    bool rate = strncmp(symbol, "DEX", 3) == 0;
    struct series s = {.now_ms = now_ms};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i), *value = json_object_get(o, "value");
        const char *date = json_string_value(json_object_get(o, "date"));
        struct decimal d;
        int64_t ts = series_day_ms(date, rate ? NOON_NEW_YORK_MS : SERIES_NOON_MS, now_ms);
        if (ts == 0) {
            parse_fail(a, FAIL_BAD_SCHEMA, "an observation without its date");
            return;
        }
        if (is_missing(value))
            continue;
        if (!parse_decimal(value, &d)) {
            parse_fail(a, FAIL_BAD_SCHEMA, "the value of %s is not a number", date);
            return;
        }
        series_add(&s, ts, d, date);
    }
    const struct series_about about = {.id = symbol, .unit = "", .currency = currency_of(symbol)};
    series_answer(&s, &about, a);
}

static void fred_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                       int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);
    const json_t *list = json_object_get(root, "observations");

    REQUIRE(n == 1);
    if (root && !probe_error(root, &why) && parse_status(reply, &why) == FAIL_NONE) {
        if (!json_is_array(list))
            parse_fail(&why, FAIL_BAD_SCHEMA, "no observations in the reply");
        else
            read_observations(list, symbols[0], now_ms, &why);
    }
    answers[0] = why;
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < MINUTE_COOLDOWN_MS)
        verdict->cooldown_ms = MINUTE_COOLDOWN_MS;
}

const struct provider provider_fred = {
    .rule = {.name = "fred",
             .serves = SERVES_BOTH,
             .key_env = "FRED_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_minute = 120,
             .credits_per_day = 2400,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_QUERY,
    .position = 60,
    .batch_max = 1,
    .request = fred_request,
    .parse = fred_parse,
};
