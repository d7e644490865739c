/* openmeteo.c - Open-Meteo, https://api.open-meteo.com: the weather now at up to 50 places a
 * request.
 *
 *   {"latitude":-21.5,"longitude":-45.5,"utc_offset_seconds":0,...,
 *    "current_units":{"time":"unixtime","temperature_2m":"°C",...},
 *    "current":{"time":1773655200,"interval":900,"temperature_2m":21.4,...}}
 *
 * What its replies taught:
 *  - One place is answered by an object, several by an array in the order asked. Coordinates come
 *    back as those of the nearest point of the grid, so a place is known by its position in the
 *    array; that it lies within a degree of what was asked for is checked.
 *  - A time without a zone is local to whatever zone was asked for: so UTC and seconds since the
 *    epoch are asked for, and `utc_offset_seconds` is taken off where a text comes all the same.
 *  - Units are those of the account's or the request's choice: they are read, not assumed.
 *  - Where there is no coverage, a value is null, or the body has bare `nan`, which is not JSON at
 *    all. Such a word is read as null, or one such place would hide the 49 others.
 *  - A value that is null is left out; a place without any value has no data.
 *  - Errors are {"error":true,"reason":"..."}, in either order, under 400, 429 and 200. Of limits
 *    the reason names the window. Each place costs a credit, and so does a refused request.
 *  - A key goes with another host, and nowhere but into the URL.
 *
 * The free service is for non-commercial use: 600 a minute, 5,000 an hour, 10,000 a day (UTC).
 * New values come every 15 minutes. */
#include <math.h>
#include <string.h>

#include "provider.h"

static const char BASE_URL[] = "https://api.open-meteo.com";
static const char CUSTOMER_URL[] = "https://customer-api.open-meteo.com";

enum { PLACES_MAX = 50, DEGREE_PLACES_MAX = 6 };

static const int64_t MINUTE_MS = 60000, DAY_S = 86400;
static const int64_t SLACK_MS = 5000; /* their clock is not ours */
static const double NEAR_DEGREES = 1.0;

/* What is asked for. min and max: no weather is beyond them, in any unit that can be chosen. */
static const struct {
    const char *name;
    double min, max;
} variables[] = {
    {"temperature_2m",         -150, 150 },
    {"relative_humidity_2m",   0,    100 },
    {"precipitation",          0,    1000},
    {"wind_speed_10m",         0,    500 },
    {"wind_gusts_10m",         0,    700 },
    {"soil_moisture_0_to_1cm", 0,    1   },
    {"weather_code",           0,    99  },
};

/* WMO 4677 as far as it is used. */
static const struct {
    int code;
    const char *words;
} skies[] = {
    {0,  "clear sky"                   },
    {1,  "mainly clear"                },
    {2,  "partly cloudy"               },
    {3,  "overcast"                    },
    {45, "fog"                         },
    {48, "depositing rime fog"         },
    {51, "light drizzle"               },
    {53, "drizzle"                     },
    {55, "dense drizzle"               },
    {56, "light freezing drizzle"      },
    {57, "freezing drizzle"            },
    {61, "slight rain"                 },
    {63, "rain"                        },
    {65, "heavy rain"                  },
    {66, "light freezing rain"         },
    {67, "freezing rain"               },
    {71, "slight snowfall"             },
    {73, "snowfall"                    },
    {75, "heavy snowfall"              },
    {77, "snow grains"                 },
    {80, "slight rain showers"         },
    {81, "rain showers"                },
    {82, "violent rain showers"        },
    {85, "slight snow showers"         },
    {86, "heavy snow showers"          },
    {95, "thunderstorm"                },
    {96, "thunderstorm with hail"      },
    {99, "thunderstorm with heavy hail"},
};

/* ---- asking ---- */

struct place {
    double latitude, longitude;
};

/* Degrees at *p up to `end`, such as -21.55; moves *p behind `end`. */
static bool read_degrees(const char **p, char end, double max, double *out)
{
    const char *s = *p, *start = s + (*s == '-');
    size_t whole = strspn(start, "0123456789"), part = 0;
    bool point = start[whole] == '.';
    if (point)
        part = strspn(start + whole + 1, "0123456789");
    size_t len = (size_t)(start - s) + whole + (point ? 1 + part : 0);
    struct decimal d;
    if (whole == 0 || whole > 3 || part > DEGREE_PLACES_MAX || (point && part == 0) ||
        s[len] != end)
        return false;
    REQUIRE(decimal_parse(s, len, &d) == 0);
    *out = decimal_to_double(d);
    *p = s + len + (end ? 1 : 0);
    return fabs(*out) <= max;
}

static bool read_place(const char *symbol, struct place *out)
{
    return read_degrees(&symbol, ',', 90, &out->latitude) &&
           read_degrees(&symbol, '\0', 180, &out->longitude);
}

static const char *symbol_problem(const char *symbol)
{
    struct place place;
    return read_place(symbol, &place)
               ? NULL
               : "should look like -21.55,-45.43, degrees of latitude and longitude";
}

/* All latitudes, or all longitudes: the part of each symbol before or behind its comma. */
static void add_degrees(struct buf *url, const char *name, const char *const *symbols, size_t n)
{
    bool first = strcmp(name, "latitude") == 0;
    for (size_t i = 0; i < n; i++) {
        const char *comma = strchr(symbols[i], ',');
        if (i == 0)
            buf_addf(url, "%s=", name);
        else
            buf_addc(url, ',');
        if (first)
            buf_add(url, symbols[i], (size_t)(comma - symbols[i]));
        else
            buf_adds(url, comma + 1);
    }
}

static int openmeteo_request(const struct config_provider *cfg, const char *const *symbols,
                             size_t n, struct http_request *out, struct err *err)
{
    bool keyed = cfg->api_key && cfg->api_key[0];
    if (n == 0 || n > PLACES_MAX)
        return err_set(err, "openmeteo: 1 to %d places at a time, not %zu", PLACES_MAX, n);
    for (size_t i = 0; i < n; i++)
        if (symbol_problem(symbols[i]))
            return err_set(err, "openmeteo: the symbol %s", symbol_problem(symbols[i]));
    parse_base_url(cfg, keyed ? CUSTOMER_URL : BASE_URL, &out->url);
    buf_adds(&out->url, "/v1/forecast?");
    add_degrees(&out->url, "latitude", symbols, n);
    buf_addc(&out->url, '&');
    add_degrees(&out->url, "longitude", symbols, n);
    buf_adds(&out->url, "&current=");
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        buf_addf(&out->url, "%s%s", i ? "," : "", variables[i].name);
    buf_adds(&out->url, "&timezone=UTC&timeformat=unixtime");
    if (keyed) {
        buf_adds(&out->url, "&apikey=");
        parse_escape(cfg->api_key, &out->url);
    }
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "openmeteo: out of memory");
    return 0;
}

/* ---- errors ---- */

/* What the reason says: the first row whose words occur. window_ms: until the end of the window of
 * that length that the request fell into; -1 until the day's credits come back. */
static const struct {
    const char *words;
    enum failure failure;
    int64_t window_ms;
} reasons[] = {
    {"Minutely API",         FAIL_RATE_LIMITED, 0      },
    {"Hourly API",           FAIL_RATE_LIMITED, 3600000},
    {"Daily API",            FAIL_RATE_LIMITED, -1     },
    {"Monthly API",          FAIL_RATE_LIMITED, -1     },
    {"limit exceeded",       FAIL_RATE_LIMITED, 0      },
    {"Too many",             FAIL_RATE_LIMITED, 0      },
    {"API key",              FAIL_AUTH,         0      },
    {"No data is available", FAIL_NO_DATA,      0      },
};

static int64_t cooldown_of(int64_t window_ms, int64_t now_ms)
{
    if (window_ms < 0)
        return -1;
    return SLACK_MS + (window_ms == 0 ? MINUTE_MS : window_ms - now_ms % window_ms);
}

/* True with the failure in *why, and for limits the *cooldown_ms that the reason names. */
static bool probe_error(const json_t *root, const struct http_reply *reply, int64_t now_ms,
                        struct answer *why, int64_t *cooldown_ms)
{
    const json_t *reason = json_object_get(root, "reason");
    const char *text = json_is_string(reason) ? json_string_value(reason) : "";
    if (!json_is_true(json_object_get(root, "error")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (!strcasestr(text, reasons[i].words))
            continue;
        parse_fail(why, reasons[i].failure, "error: %s",
                   reasons[i].failure == FAIL_AUTH ? "we are not let in" : text);
        *cooldown_ms = cooldown_of(reasons[i].window_ms, now_ms);
        return true;
    }
    enum failure f = parse_status(reply, why);
    parse_fail(why, f == FAIL_NONE ? FAIL_BAD_SCHEMA : f, "error: %s", text);
    return true;
}

/* ---- the weather of a place ---- */

/* Ahead by less than the clocks may differ is now. 0: no time, or one of the future. */
static int64_t time_of(const json_t *place, const json_t *current, int64_t now_ms)
{
    const json_t *time = json_object_get(current, "time");
    const json_t *offset = json_object_get(place, "utc_offset_seconds");
    int64_t ts = parse_epoch_s(time);
    const char *text = json_string_value(time);
    if (text) { /* 2026-03-16T10:00, of their day */
        char full[32];
        snprintf(full, sizeof full, "%.16s:00Z", text);
        ts = strlen(text) == 16 ? parse_rfc3339(full) : 0;
        json_int_t offset_s = json_integer_value(offset);
        if (!json_is_integer(offset) || offset_s < -DAY_S || offset_s > DAY_S)
            return 0;
        ts -= offset_s * 1000;
    }
    if (ts <= 0 || ts > now_ms + MINUTE_MS)
        return 0;
    return ts < now_ms ? ts : now_ms;
}

static void add_unit(const json_t *units, const char *name, struct observed *v)
{
    const json_t *unit = json_object_get(units, name);
    if (json_is_string(unit) && json_string_length(unit) < sizeof v->unit)
        snprintf(v->unit, sizeof v->unit, "%s", json_string_value(unit));
}

static const char *words_of(double code)
{
    for (size_t i = 0; i < ARRAY_LEN(skies); i++)
        if (skies[i].code == (int)code)
            return skies[i].words;
    return "";
}

/* False with the reason in *a: a value that cannot be. */
static bool add_value(const json_t *current, const json_t *units, size_t i, struct observation *o,
                      struct answer *a)
{
    const json_t *value = json_object_get(current, variables[i].name);
    struct observed *v = &o->values[o->values_len];
    if (!value || json_is_null(value))
        return true;
    double x = json_number_value(value);
    if (!json_is_number(value) || !parse_decimal(value, &v->value)) {
        parse_fail(a, FAIL_BAD_SCHEMA, "%s is not a number", variables[i].name);
        return false;
    }
    if (x < variables[i].min || x > variables[i].max) {
        parse_fail(a, FAIL_BAD_SCHEMA, "%s of %g cannot be", variables[i].name, x);
        return false;
    }
    snprintf(v->name, sizeof v->name, "%s", variables[i].name);
    add_unit(units, variables[i].name, v);
    if (strcmp(v->name, "weather_code") == 0)
        snprintf(o->text, sizeof o->text, "%s", words_of(x));
    o->values_len++;
    return true;
}

static void read_current(const json_t *place, const json_t *current, int64_t now_ms,
                         struct answer *a)
{
    const json_t *units = json_object_get(place, "current_units");
    int64_t ts_ms = time_of(place, current, now_ms);
    struct observation o = {.values_len = 0};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (!add_value(current, units, i, &o, a))
            return;
    if (o.values_len == 0) {
        parse_fail(a, FAIL_NO_DATA, "no value for this place");
        return;
    }
    if (ts_ms == 0) {
        parse_fail(a, FAIL_BAD_SCHEMA, "no time, or one of the future");
        return;
    }
    a->record.ts_ms = ts_ms;
    struct observation *observation = answer_observe(a);
    if (observation)
        *observation = o;
}

static bool is_near(const json_t *latitude, const json_t *longitude, const char *symbol)
{
    struct place asked;
    if (!read_place(symbol, &asked))
        return false;
    double around = fabs(json_number_value(longitude) - asked.longitude);
    if (around > 180)
        around = 360 - around;
    return fabs(json_number_value(latitude) - asked.latitude) <= NEAR_DEGREES &&
           fabs(around) <= NEAR_DEGREES;
}

static void read_place_reply(const json_t *place, const char *symbol, int64_t now_ms,
                             struct answer *a)
{
    const json_t *latitude = json_object_get(place, "latitude");
    const json_t *longitude = json_object_get(place, "longitude");
    const json_t *current = json_object_get(place, "current");
    if (json_is_null(latitude) || json_is_null(longitude))
        parse_fail(a, FAIL_NO_DATA, "this place is not covered");
    else if (!json_is_number(latitude) || !json_is_number(longitude))
        parse_fail(a, FAIL_BAD_SCHEMA, "a place without its coordinates");
    else if (!is_near(latitude, longitude, symbol))
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for %g,%g", symbol,
                   json_number_value(latitude), json_number_value(longitude));
    else if (!json_is_object(current))
        parse_fail(a, FAIL_BAD_SCHEMA, "no current weather in the reply");
    else
        read_current(place, current, now_ms, a);
}

static void read_places(const json_t *root, const char *const *symbols, size_t n, int64_t now_ms,
                        struct answer *answers)
{
    if (json_is_object(root) && n == 1) {
        read_place_reply(root, symbols[0], now_ms, &answers[0]);
        return;
    }
    if (!json_is_array(root) || json_array_size(root) != n) {
        parse_fail_all(answers, n, FAIL_BAD_SCHEMA, "not as many places as were asked for");
        return;
    }
    for (size_t i = 0; i < n; i++)
        read_place_reply(json_array_get(root, i), symbols[i], now_ms, &answers[i]);
}

/* The body with each bare nan as null. */
static void mend_nan(const struct http_reply *reply, struct buf *out)
{
    bool quoted = false;
    for (size_t i = 0; i < reply->len; i++) {
        char c = reply->body[i];
        size_t sign = c == '-';
        if (!quoted && strncasecmp(reply->body + i + sign, "nan", 3) == 0) {
            buf_adds(out, "null");
            i += sign + 2;
            continue;
        }
        if (c == '\\' && quoted && i + 1 < reply->len) {
            buf_addc(out, c);
            c = reply->body[++i];
        } else if (c == '"') {
            quoted = !quoted;
        }
        buf_addc(out, c);
    }
}

static json_t *read_body(const struct http_reply *reply, struct answer *why)
{
    json_t *root = NULL;
    struct buf mended = {0};
    if (reply->status != 200 || reply->len > PARSE_BODY_MAX || !strcasestr(reply->body, "nan"))
        return parse_body(reply, why);
    mend_nan(reply, &mended);
    if (mended.failed) {
        parse_fail(why, FAIL_UPSTREAM_ERROR, "out of memory");
    } else {
        struct http_reply again = *reply;
        again.body = mended.p;
        again.len = mended.len;
        root = parse_body(&again, why);
    }
    buf_fini(&mended);
    return root;
}

static void openmeteo_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                            int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    int64_t cooldown_ms = SLACK_MS + MINUTE_MS;
    json_t *root = read_body(reply, &why);
    if (root && !probe_error(root, reply, now_ms, &why, &cooldown_ms))
        (void)parse_status(reply, &why);
    if (why.failure == FAIL_NONE) {
        memset(answers, 0, n * sizeof *answers);
        read_places(root, symbols, n, now_ms, answers);
    } else {
        parse_fail_all(answers, n, why.failure, why.detail);
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED &&
        (cooldown_ms < 0 || verdict->cooldown_ms < cooldown_ms))
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_openmeteo = {
    .rule = {.name = "openmeteo",
             .serves = SERVES_OBSERVATIONS,
             .key_env = "OPEN_METEO_API_KEY",
             .enabled_by_default = true,
             .credits_per_minute = 600,
             .credits_per_hour = 5000,
             .credits_per_day = 10000,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_QUERY,
    .position = 70,
    .batch_max = PLACES_MAX,
    .request = openmeteo_request,
    .parse = openmeteo_parse,
};
