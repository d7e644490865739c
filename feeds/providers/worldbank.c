/* worldbank.c - the World Bank's indicators, https://api.worldbank.org, interface v2: the latest
 * figure of one indicator of one country a request.
 *
 *   [{"page":1,...,"lastupdated":"2026-07-13"},
 *    [{"indicator":{"id":"NY.GDP.MKTP.CD","value":"GDP (current US$)"},
 *      "country":{"id":"MX","value":"Mexico"},"countryiso3code":"MEX",
 *      "date":"2025","value":1832641364775.52,"unit":"",...}]]
 *
 * What its replies taught:
 *  - XML is the default, and comes now and then though JSON was asked for.
 *  - The newest years are null until somebody has counted: mrnev=1 asks for the most recent value
 *    that is none, and nulls are passed over all the same.
 *  - Errors are HTTP 200 and an array of one: [{"message":[{"id":"120",...}]}]. No data is null in
 *    the place of the rows.
 *  - Rows carry country and indicator. Rows of others have been seen in a reply: they are no
 *    answer to us.
 *  - `unit` is empty nearly always; the indicator's name ends in it: "GDP (current US$)". The name
 *    itself is passed on as the text.
 *  - It is slow (with a filter of years over 18 s, hence none) and has errors of its own at times.
 *
 * A year's figure is of its end, and late by a year or two, some by five. So old ones are no sign
 * of an end, as they are elsewhere (series.h): the period is said, and that is honest enough. No
 * limits are published; ours are polite. */
#include <string.h>

#include "provider.h"
#include "words.h"

static const char BASE_URL[] = "https://api.worldbank.org";

enum { INDICATOR_BYTES_MAX = 60 };

static const int64_t TIMEOUT_MS = 15000;
static const int64_t MINUTE_COOLDOWN_MS = 70000;

/* ---- asking ---- */

/* COUNTRY/INDICATOR */
static const char *symbol_problem(const char *symbol)
{
    static const char help[] = "should look like BR/NY.GDP.MKTP.CD, country and indicator";
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t country = strspn(symbol, capitals);
    if (country < 2 || country > 3 || symbol[country] != '/')
        return help;
    const char *indicator = symbol + country + 1;
    size_t len = strspn(indicator, letters);
    if (len == 0 || len > INDICATOR_BYTES_MAX || indicator[len] != '\0' || strstr(indicator, ".."))
        return help;
    return indicator[0] == '.' || indicator[len - 1] == '.' ? help : NULL;
}

static int worldbank_request(const struct config_provider *cfg, const char *const *symbols,
                             size_t n, struct http_request *out, struct err *err)
{
    if (n != 1)
        return err_set(err, "worldbank: one indicator at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "worldbank: the symbol %s", problem);
    const char *slash = strchr(symbols[0], '/');
    parse_base_url(cfg, BASE_URL, &out->url);
    /* Letters, digits, dots: nothing to escape. */
    buf_addf(&out->url, "/v2/country/%.*s/indicator/%s?format=json&per_page=20&mrnev=1",
             (int)(slash - symbols[0]), symbols[0], slash + 1);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "worldbank: out of memory");
    return 0;
}

/* ---- errors ---- */

static const struct {
    const char *id;
    enum failure failure;
} errors[] = {
    {"105", FAIL_UPSTREAM_ERROR}, /* service currently unavailable */
    {"120", FAIL_NOT_FOUND     }, /* invalid value: of the country or the indicator */
    {"175", FAIL_NOT_FOUND     }, /* indicator not found, deleted or archived */
    {"199", FAIL_UPSTREAM_ERROR}, /* unknown error */
};

static const char *text_of(const json_t *v)
{
    return json_is_string(v) ? json_string_value(v) : "";
}

static bool probe_error(const json_t *root, struct answer *why)
{
    const json_t *list = json_object_get(json_array_get(root, 0), "message");
    const json_t *message = json_array_get(list, 0);
    const char *id = text_of(json_object_get(message, "id"));
    enum failure f = FAIL_BAD_SCHEMA;
    if (!list)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (strcmp(errors[i].id, id) == 0)
            f = errors[i].failure;
    parse_fail(why, f, "error %s: %s: %s", id, text_of(json_object_get(message, "key")),
               text_of(json_object_get(message, "value")));
    return true;
}

static bool is_xml(const struct http_reply *reply)
{
    return reply->status == 200 &&
           memmem(reply->body, reply->len < 16 ? reply->len : 16, "<?xml", 5);
}

/* ---- figures ---- */

/* From the beginning of the period to the beginning of the next; -1: no such period. */
static int read_period(const char *p, int64_t *from_ms, int64_t *to_ms)
{
    char from[40], to[40];
    long number = 1, months = 12;
    size_t len = strlen(p);
    if (len < 4 || strspn(p, "0123456789") != 4)
        return -1;
    long year = strtol(p, NULL, 10);
    if (len == 6 && p[4] == 'Q' && p[5] >= '1' && p[5] <= '4') { /* 2025Q1 */
        months = 3;
        number = p[5] - '0';
    } else if (len == 7 && p[4] == 'M' && strspn(p + 5, "0123456789") == 2) { /* 2025M03 */
        months = 1;
        number = strtol(p + 5, NULL, 10);
    } else if (len != 4) {
        return -1;
    }
    long month = (number - 1) * months + 1, next = month + months;
    snprintf(from, sizeof from, "%04ld-%02ld-01", year, month);
    snprintf(to, sizeof to, "%04ld-%02ld-01", next > 12 ? year + 1 : year, next > 12 ? 1 : next);
    *from_ms = parse_utc_text(from);
    *to_ms = parse_utc_text(to);
    return *from_ms > 0 && *to_ms > 0 ? 0 : -1;
}

static bool is_ours(const json_t *row, const char *symbol)
{
    const char *slash = strchr(symbol, '/');
    size_t len = slash ? (size_t)(slash - symbol) : 0;
    const char *two = text_of(json_object_get(json_object_get(row, "country"), "id"));
    const char *three = text_of(json_object_get(row, "countryiso3code"));
    const char *indicator = text_of(json_object_get(json_object_get(row, "indicator"), "id"));
    bool country = (strlen(two) == len && strncmp(two, symbol, len) == 0) ||
                   (strlen(three) == len && strncmp(three, symbol, len) == 0);
    return len > 0 && country && strcasecmp(indicator, slash + 1) == 0;
}

struct latest {
    const json_t *row; /* NULL = none yet */
    int64_t from_ms, ts_ms;
    struct decimal value;
};

/* One more row. False with the reason in *a: it cannot be read. */
static bool read_row(const json_t *row, int64_t now_ms, struct latest *latest, struct answer *a)
{
    const json_t *value = json_object_get(row, "value");
    const char *period = text_of(json_object_get(row, "date"));
    int64_t from_ms, to_ms;
    struct decimal d;
    if (json_is_null(value))
        return true;
    if (!json_is_number(value) || !parse_decimal(value, &d)) {
        parse_fail(a, FAIL_BAD_SCHEMA, "the value of %s is not a number", period);
        return false;
    }
    if (read_period(period, &from_ms, &to_ms) != 0) {
        parse_fail(a, FAIL_BAD_SCHEMA, "a row without its period");
        return false;
    }
    if (from_ms > now_ms || (latest->row && from_ms <= latest->from_ms))
        return true;
    *latest = (struct latest){row, from_ms, to_ms <= now_ms ? to_ms - 1000 : from_ms, d};
    return true;
}

/* "current US$" of "GDP (current US$)"; "" when there is none, or it has no room. */
static void unit_of(const json_t *row, const char *name, char *out, size_t size)
{
    const char *unit = text_of(json_object_get(row, "unit"));
    const char *open = strrchr(name, '('), *close = open ? strchr(open, ')') : NULL;
    size_t len = strlen(unit);
    if (len == 0 && close && close[1] == '\0') {
        unit = open + 1;
        len = (size_t)(close - unit);
    }
    if (!words_copy(out, size, unit, len)) /* half a unit is another one */
        out[0] = '\0';
}

static void answer(const struct latest *latest, const char *symbol, struct answer *a)
{
    const char *name = text_of(json_object_get(json_object_get(latest->row, "indicator"), "value"));
    const char *country =
        text_of(json_object_get(json_object_get(latest->row, "country"), "value"));
    struct observation *o = answer_observe(a);
    if (!o)
        return;
    a->record.ts_ms = latest->ts_ms;
    snprintf(o->series, sizeof o->series, "%s", strchr(symbol, '/') + 1);
    (void)words_copy(o->region, sizeof o->region, country, strlen(country));
    (void)words_copy(o->text, sizeof o->text, name, strlen(name));
    snprintf(o->period, sizeof o->period, "%s", text_of(json_object_get(latest->row, "date")));
    snprintf(o->values[0].name, sizeof o->values[0].name, "value");
    unit_of(latest->row, name, o->values[0].unit, sizeof o->values[0].unit);
    o->values[0].value = latest->value;
    o->values_len = 1;
}

static void read_rows(const json_t *rows, const char *symbol, int64_t now_ms, struct answer *a)
{
    struct latest latest = {.row = NULL};
    size_t ours = 0;
    if (json_is_null(rows)) {
        parse_fail(a, FAIL_NO_DATA, "no data for this indicator of this country");
        return;
    }
    if (!json_is_array(rows)) {
        parse_fail(a, FAIL_BAD_SCHEMA, "no rows in the reply");
        return;
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (!is_ours(row, symbol))
            continue;
        ours++;
        if (!read_row(row, now_ms, &latest, a))
            return;
    }
    if (latest.row)
        answer(&latest, symbol, a);
    else if (ours > 0 || json_array_size(rows) == 0)
        parse_fail(a, FAIL_NO_DATA, "no figure in the series");
    else
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for others", symbol);
}

static void worldbank_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                            int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = NULL;

    REQUIRE(n == 1);
    if (is_xml(reply))
        parse_fail(&why, FAIL_BAD_SCHEMA, "XML came in place of JSON");
    else
        root = parse_body(reply, &why);
    if (root && !probe_error(root, &why) && parse_status(reply, &why) == FAIL_NONE)
        read_rows(json_array_get(root, 1), symbols[0], now_ms, &why);
    answers[0] = why;
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < MINUTE_COOLDOWN_MS)
        verdict->cooldown_ms = MINUTE_COOLDOWN_MS;
}

const struct provider provider_worldbank = {
    .rule = {.name = "worldbank",
             .serves = SERVES_OBSERVATIONS,
             .enabled_by_default = true,
             .credits_per_minute = 30,
             .credits_per_day = 1000,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_NONE,
    .position = 63,
    .batch_max = 1,
    .timeout_ms = TIMEOUT_MS,
    .request = worldbank_request,
    .parse = worldbank_parse,
};
