/* alphavantage.c - Alpha Vantage, https://www.alphavantage.co/query: GLOBAL_QUOTE of a share, or
 * CURRENCY_EXCHANGE_RATE of a pair (BASE/QUOTE); one symbol a request.
 *
 *   {"Global Quote":{"01. symbol":"MSFT","05. price":"112.1300",
 *                    "07. latest trading day":"2018-10-05",...}}
 *
 * What its replies taught:
 *  - All errors come under HTTP 200, as {"Information"}, {"Note"} or {"Error Message"}: the words
 *    decide. There are limits of the second, the minute and the day, and what is not in the plan;
 *    each is a pause of its own. The texts overlap (that of the second goes on about the day and
 *    about premium endpoints), so they are looked for from the shortest pause up.
 *  - The limit's text names the caller's key ("We have detected your API key as ..."): nothing of
 *    theirs is ever quoted. The key has to be in the URL, for there is no header for it.
 *  - Members are numbered, and the numbers differ from reply to reply ("5. volume", "6. volume"):
 *    only what stands behind them is looked at. All values are text.
 *  - An unknown symbol is an empty quote.
 *  - A quote has a date and no time. Of a day that is over it is the close: that of New York, or
 *    noon UTC for an exchange elsewhere (a suffix like .LON), whose hours are not said. Of a day
 *    that is not over it is the day's beginning, which is at least not too late.
 *  - "Global Quote - DATA DELAYED BY 15 MINUTES" is the same quote for those who pay less.
 *
 * The shapes of the series (of shares, currencies and coins) are understood as well: an object
 * keyed by local times in an order that means nothing, its zone in the meta data. */
#include <string.h>
#include <time.h>

#include "provider.h"
#include "series.h"

static const char BASE_URL[] = "https://www.alphavantage.co";

enum { SYMBOL_BYTES_MAX = 32, CODE_MAX = 7 };

static const int64_t SECOND_COOLDOWN_MS = 5000;
static const int64_t MINUTE_COOLDOWN_MS = 70000;
static const int64_t PREMIUM_COOLDOWN_MS = 3600000;
static const int64_t HOUR_MS = 3600000;

/* ---- asking ---- */

static bool is_pair(const char *symbol)
{
    return strchr(symbol, '/') != NULL;
}

/* TICKER with perhaps .EXCHANGE, or two currency codes. */
static const char *symbol_problem(const char *symbol)
{
    static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char help[] = "should look like AAPL, TSCO.LON or EUR/USD";
    size_t len = strlen(symbol), n = strspn(symbol, alnum);
    if (n == 0 || len > SYMBOL_BYTES_MAX)
        return help;
    if (is_pair(symbol)) {
        size_t m = symbol[n] == '/' ? strspn(symbol + n + 1, alnum) : 0;
        return n > CODE_MAX || m == 0 || m > CODE_MAX || symbol[n + 1 + m] ? help : NULL;
    }
    for (size_t i = n; i < len; i++)
        if (!strchr(alnum, symbol[i]) && !strchr(".-", symbol[i]))
            return help;
    return NULL;
}

static int av_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                      struct http_request *out, struct err *err)
{
    if (!cfg->api_key || !cfg->api_key[0])
        return err_set(err, "alphavantage: no api_key");
    if (n != 1)
        return err_set(err, "alphavantage: one symbol at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "alphavantage: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    if (is_pair(symbols[0])) {
        size_t base = strcspn(symbols[0], "/");
        buf_adds(&out->url, "/query?function=CURRENCY_EXCHANGE_RATE&from_currency=");
        buf_addf(&out->url, "%.*s&to_currency=%s", (int)base, symbols[0], symbols[0] + base + 1);
    } else {
        buf_addf(&out->url, "/query?function=GLOBAL_QUOTE&symbol=%s", symbols[0]);
    }
    buf_adds(&out->url, "&apikey=");
    parse_escape(cfg->api_key, &out->url);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "alphavantage: out of memory");
    return 0;
}

/* ---- errors ---- */

/* The first row whose words occur; the order matters, see above. */
static const struct {
    const char *words;
    enum failure failure;
    int64_t cooldown_ms;
    const char *sentence;
} texts[] = {
    {"per second",       FAIL_RATE_LIMITED, SECOND_COOLDOWN_MS,  "too many requests for the second"},
    {"sparingly",        FAIL_RATE_LIMITED, SECOND_COOLDOWN_MS,  "too many requests for the second"},
    {"per minute",       FAIL_RATE_LIMITED, MINUTE_COOLDOWN_MS,  "too many requests for the minute"},
    {"call frequency",   FAIL_RATE_LIMITED, MINUTE_COOLDOWN_MS,  "too many requests for the minute"},
    {"call volume",      FAIL_RATE_LIMITED, MINUTE_COOLDOWN_MS,  "too many requests for the minute"},
    {"is a premium",     FAIL_AUTH,         PREMIUM_COOLDOWN_MS, "not in the plan, but premium"    },
    {"per day",          FAIL_RATE_LIMITED, -1,                  "the day's requests are spent"    },
    {"daily",            FAIL_RATE_LIMITED, -1,                  "the day's requests are spent"    },
    {"apikey",           FAIL_AUTH,         0,                   "refused: we are not let in"      },
    {"API key",          FAIL_AUTH,         0,                   "refused: we are not let in"      },
    {"Invalid API call", FAIL_NOT_FOUND,    0,                   "an invalid call: unknown symbol" },
};

/* What it is called, and what it is when its words say nothing to us. */
static const struct {
    const char *name;
    enum failure failure;
    int64_t cooldown_ms;
} errors[] = {
    {"Error Message", FAIL_BAD_SCHEMA,     0                 },
    {"Information",   FAIL_UPSTREAM_ERROR, 0                 },
    {"Note",          FAIL_RATE_LIMITED,   MINUTE_COOLDOWN_MS},
};

static bool probe_error(const json_t *root, struct answer *why, int64_t *cooldown_ms)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        const json_t *v = json_object_get(root, errors[i].name);
        const char *text = json_is_string(v) ? json_string_value(v) : "";
        if (!v)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            if (strcasestr(text, texts[k].words)) {
                parse_fail(why, texts[k].failure, "%s", texts[k].sentence);
                *cooldown_ms = texts[k].cooldown_ms;
                return true;
            }
        }
        parse_fail(why, errors[i].failure, "%s in place of data", errors[i].name);
        *cooldown_ms = errors[i].cooldown_ms;
        return true;
    }
    return false;
}

/* ---- members and times ---- */

/* The member that is called so behind its number: "05. price". */
static const json_t *member(json_t *object, const char *name)
{
    const char *key;
    json_t *v;
    json_object_foreach(object, key, v)
    {
        const char *dot = strstr(key, ". ");
        if (dot && strcmp(dot + 2, name) == 0)
            return v;
    }
    return NULL;
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(member(object, name));
    return text ? text : "";
}

/* How far New York is behind UTC on that day (in ms since the epoch, by its own calendar): summer
 * time from March's second Sunday to November's first, these Sundays' nights aside, when nobody
 * trades. */
static int64_t new_york_behind_ms(int64_t day_ms)
{
    time_t t = (time_t)(day_ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    int sunday = tm.tm_mday - tm.tm_wday; /* the last one, its day in the month */
    bool summer = tm.tm_mon > 2 && tm.tm_mon < 10;
    if (tm.tm_mon == 2)
        summer = sunday >= 8;
    else if (tm.tm_mon == 10)
        summer = sunday < 1;
    return (summer ? 4 : 5) * HOUR_MS;
}

/* The time of a price of which only the day is known; 0: no such day, or it has not come. */
static int64_t close_of(const char *date, const char *symbol, int64_t now_ms)
{
    const char *dot = strrchr(symbol, '.');
    bool elsewhere = dot && strlen(dot) > 2; /* not a class of shares, as in BRK.B */
    int64_t day_ms = parse_utc_text(date);
    if (day_ms > now_ms)
        return 0;
    int64_t at_ms = 16 * HOUR_MS + new_york_behind_ms(day_ms);
    return series_day_ms(date, elsewhere || is_pair(symbol) ? SERIES_NOON_MS : at_ms, now_ms);
}

/* A local time, or a day, in the zone that is named; 0: no such time or zone. */
static int64_t time_in(const char *text, const char *zone, const char *symbol, int64_t now_ms)
{
    int64_t ts_ms = parse_utc_text(text);
    if (ts_ms == 0 || !strchr(text, ' '))
        return ts_ms ? close_of(text, symbol, now_ms) : 0;
    if (strcmp(zone, "US/Eastern") == 0)
        return ts_ms + new_york_behind_ms(ts_ms);
    return strcmp(zone, "UTC") == 0 ? ts_ms : 0;
}

/* ---- records ---- */

/* Everything but the echo; the caller has filled in time and currency. */
static void read_price(json_t *holder, const char *name, struct record *r, struct answer *a)
{
    const json_t *price = member(holder, name);
    *a = (struct answer){0};
    if (!price || json_is_null(price))
        parse_fail(a, price ? FAIL_NO_DATA : FAIL_BAD_SCHEMA, "no price in the reply");
    else if (!parse_decimal(price, &r->price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
    else if (r->price.coef == 0)
        parse_fail(a, FAIL_NO_DATA, "the price is 0");
    else if (!decimal_positive(r->price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is below 0");
    else if (r->ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    if (a->failure != FAIL_NONE)
        return;
    parse_positive(member(holder, "open"), &r->open);
    parse_positive(member(holder, "high"), &r->high);
    parse_positive(member(holder, "low"), &r->low);
    parse_positive(member(holder, "previous close"), &r->prev_close);
    parse_positive(member(holder, "volume"), &r->volume);
    parse_positive(member(holder, "Bid Price"), &r->bid);
    parse_positive(member(holder, "Ask Price"), &r->ask);
    a->record = *r;
}

static bool is_echo(const char *echo, const char *symbol, struct answer *a)
{
    if (strcmp(echo, symbol) == 0)
        return true;
    parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for %s", symbol, echo);
    return false;
}

/* The same for a pair, whose second code is the currency. */
static bool is_pair_echo(const char *from, const char *to, const char *symbol, struct record *r,
                         struct answer *a)
{
    char echo[SYMBOL_BYTES_MAX + 1];
    snprintf(echo, sizeof echo, "%s/%s", from, to);
    snprintf(r->currency, sizeof r->currency, "%s", to);
    return is_echo(echo, symbol, a);
}

/* "... DELAYED BY 15 MINUTES" in seconds; 0 = nothing is said of it. */
static int64_t delay_of(const char *title)
{
    const char *p = strstr(title, "DELAYED BY ");
    int minutes = 0;
    for (p = p ? p + 11 : ""; *p >= '0' && *p <= '9' && minutes < 1440; p++)
        minutes = minutes * 10 + (*p - '0');
    return minutes <= 1440 ? minutes * 60 : 0;
}

static void read_quote(json_t *quote, const char *title, const char *symbol, int64_t now_ms,
                       struct answer *a)
{
    struct record r = {.delayed_s = delay_of(title)};
    if (json_is_object(quote) && json_object_size(quote) == 0) {
        parse_fail(a, FAIL_NOT_FOUND, "an empty quote: unknown symbol");
    } else if (is_echo(text_of(quote, "symbol"), symbol, a)) {
        r.ts_ms = time_in(text_of(quote, "latest trading day"), "", symbol, now_ms);
        read_price(quote, "price", &r, a);
    }
}

static void read_rate(json_t *rate, const char *title, const char *symbol, int64_t now_ms,
                      struct answer *a)
{
    struct record r = {.delayed_s = delay_of(title)};
    const char *from = text_of(rate, "From_Currency Code"), *to = text_of(rate, "To_Currency Code");
    if (!is_pair_echo(from, to, symbol, &r, a))
        return;
    r.ts_ms = time_in(text_of(rate, "Last Refreshed"), text_of(rate, "Time Zone"), symbol, now_ms);
    read_price(rate, "Exchange Rate", &r, a);
}

/* Series of shares name their symbol, those of currencies and coins two codes. */
static bool is_series_echo(json_t *meta, const char *symbol, struct record *r, struct answer *a)
{
    if (member(meta, "From Symbol"))
        return is_pair_echo(text_of(meta, "From Symbol"), text_of(meta, "To Symbol"), symbol, r, a);
    if (member(meta, "Digital Currency Code"))
        return is_pair_echo(text_of(meta, "Digital Currency Code"), text_of(meta, "Market Code"),
                            symbol, r, a);
    return is_echo(text_of(meta, "Symbol"), symbol, a);
}

static void read_series(const json_t *root, json_t *series, const char *title, const char *symbol,
                        int64_t now_ms, struct answer *a)
{
    json_t *meta = json_object_get(root, "Meta Data"), *newest = NULL, *v;
    struct record r = {.delayed_s = delay_of(title)};
    const char *key, *at = "";
    if (!is_series_echo(meta, symbol, &r, a))
        return;
    json_object_foreach(series, key, v)
    {
        if (strcmp(key, at) > 0) { /* the order of such texts is that of their times */
            at = key;
            newest = v;
        }
    }
    r.ts_ms = time_in(at, text_of(meta, "Time Zone"), symbol, now_ms);
    if (!newest)
        parse_fail(a, FAIL_NO_DATA, "a series without values");
    else
        read_price(newest, "close", &r, a);
}

static void read_reply(json_t *root, const char *symbol, int64_t now_ms, struct answer *a)
{
    const char *key;
    json_t *v;
    json_object_foreach(root, key, v)
    {
        if (strstr(key, "Global Quote"))
            read_quote(v, key, symbol, now_ms, a);
        else if (strstr(key, "Currency Exchange Rate"))
            read_rate(v, key, symbol, now_ms, a);
        else if (strstr(key, "Time Series"))
            read_series(root, v, key, symbol, now_ms, a);
        else
            continue;
        return;
    }
    parse_fail(a, FAIL_BAD_SCHEMA, "neither a quote nor a rate nor a series");
}

static void av_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                     int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    int64_t cooldown_ms = 0;
    json_t *root = parse_body(reply, &why);

    bool failed =
        !root || probe_error(root, &why, &cooldown_ms) || parse_status(reply, &why) != FAIL_NONE;
    for (size_t i = 0; i < n; i++) {
        if (failed)
            parse_fail(&answers[i], why.failure, "%s", why.detail);
        else
            read_reply(root, symbols[i], now_ms, &answers[i]);
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED && cooldown_ms == 0)
        cooldown_ms = MINUTE_COOLDOWN_MS;
    if (cooldown_ms < 0 || cooldown_ms > verdict->cooldown_ms)
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_alphavantage = {
    .rule = {.name = "alphavantage",
             .key_env = "ALPHAVANTAGE_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_second = 1,
             .credits_per_minute = 5,
             .credits_per_day = 25,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_QUERY,
    .position = 40,
    .batch_max = 1,
    .day_zone = "America/New_York", /* from memory; if it is UTC's, that is over by then */
    .request = av_request,
    .parse = av_parse,
};
