/* yahoo.c - Yahoo Finance's unofficial chart interface: one symbol a request, no key.
 *
 * Best effort by nature: it may vanish behind a consent page at any time, and those who insist are
 * blocked by address. So we ask little, say who we are, and go away for a quarter of an hour when
 * told to.
 *
 * What its replies taught:
 *  - `timestamp` is absent when there are no bars; `quote` is then [{}], and meta is still right.
 *  - Bars may be null, the last one too: the newest bar is the last whose close is a number.
 *  - regularMarketTime may be months behind the bars (funds): the newer of the two is the price.
 *  - chartPreviousClose is the close before the *chart*, which is yesterday's only when the chart
 *    is one day; of a longer one it gives a day's change of 90 percent.
 *  - currency may be null, and may be pence (GBp) or US cents (USX): passed on as it is, units.c
 *    knows.
 *  - Prices are widened float32 (1518.0999755859375): the digit rule of decimals undoes it.
 *  - Trading periods say when the market is open. Round-the-clock markets have one of 23:59 hours;
 *    the missing minute is not a daily closing.
 *  - An error may stand under any root name, and "Too Many Requests" comes as bare text under any
 *    status.
 *
 * The shape of the quote interface (quoteResponse, matched by symbol: unknown ones are left out
 * silently) is understood as well. */
#include <string.h>

#include "provider.h"

static const char BASE_URL[] = "https://query1.finance.yahoo.com";

enum { SYMBOL_BYTES_MAX = 32 };

static const int64_t COOLDOWN_MIN_S = 900;
static const int64_t COOLDOWN_MAX_S = 3600;
static const int64_t DAY_MS = 86400000, MINUTE_MS = 60000;

/* ---- asking ---- */

static const char *symbol_problem(const char *symbol)
{
    static const char help[] = "should look like AAPL, KC=F, EURUSD=X, BTC-USD or ^GSPC";
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789^";
    size_t len = strlen(symbol);
    if (len == 0 || len > SYMBOL_BYTES_MAX || !strchr(first, symbol[0]))
        return help;
    for (size_t i = 1; i < len; i++)
        if (!strchr(first, symbol[i]) && !strchr(".=-_&", symbol[i]))
            return help;
    return NULL;
}

static int yahoo_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                         struct http_request *out, struct err *err)
{
    if (n != 1)
        return err_set(err, "yahoo: one symbol at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "yahoo: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/v8/finance/chart/");
    parse_escape(symbols[0], &out->url);
    buf_adds(&out->url, "?range=1d&interval=1m&includePrePost=false");
    buf_adds(&out->headers, "User-Agent: Mozilla/5.0 (compatible; pricegate/" PRICEGATE_VERSION
                            ")\nAccept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "yahoo: out of memory");
    return 0;
}

/* ---- errors ---- */

/* What is said in words, in JSON or as bare text; the first row whose words occur. */
static const struct {
    const char *words;
    enum failure failure;
} texts[] = {
    {"Too Many Requests",      FAIL_RATE_LIMITED},
    {"Timestamp data missing", FAIL_NO_DATA     },
    {"Data doesn't exist",     FAIL_NO_DATA     },
    {"No data found",          FAIL_NOT_FOUND   },
    {"Not Found",              FAIL_NOT_FOUND   },
    {"Quote not found",        FAIL_NOT_FOUND   },
    {"Unauthorized",           FAIL_AUTH        },
    {"Invalid Crumb",          FAIL_AUTH        },
    {"unable to access this",  FAIL_AUTH        },
};

static enum failure failure_of_text(const char *text, enum failure otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcasestr(text, texts[i].words))
            return texts[i].failure;
    return otherwise;
}

/* A short reply that is not JSON and says what is wrong in words. Of a web page only the refusal
 * is believed: its words are not meant for us. */
static bool probe_text(const struct http_reply *reply, struct answer *why)
{
    char text[200];
    size_t start = strspn(reply->body, " \t\r\n");
    if (reply->body[start] == '{' || reply->body[start] == '[')
        return false;
    snprintf(text, sizeof text, "%s", reply->body + start);
    enum failure f = failure_of_text(reply->body, FAIL_NONE);
    if (f == FAIL_NONE || (parse_is_html(reply) && f != FAIL_RATE_LIMITED))
        return false;
    parse_fail(why, f, "%s", parse_is_html(reply) ? "Too Many Requests" : text);
    return true;
}

/* {"<anything>":{"result":null,"error":{"code":"Not Found","description":"..."}}} */
static bool probe_error(json_t *root, struct answer *why)
{
    const char *name;
    json_t *v;
    json_object_foreach(root, name, v)
    {
        const json_t *error = json_object_get(v, "error");
        if (!error || json_is_null(error))
            continue;
        const char *code = json_string_value(json_object_get(error, "code"));
        const char *description = json_string_value(json_object_get(error, "description"));
        const char *said = json_string_value(error);
        enum failure f = FAIL_UPSTREAM_ERROR;
        code = code ? code : said ? said : "";
        description = description ? description : "";
        f = failure_of_text(code, failure_of_text(description, f));
        if (f == FAIL_AUTH)
            description = "refused";
        parse_fail(why, f, "%s error %s: %s", name, code, description);
        return true;
    }
    return false;
}

/* ---- chart ---- */

struct bar {
    struct decimal close;
    int64_t ts_ms; /* 0 = there is no bar */
};

/* The last bar whose close is a number and whose time is one. */
static struct bar last_bar(const json_t *result, const json_t *quote)
{
    const json_t *times = json_object_get(result, "timestamp");
    const json_t *closes = json_object_get(quote, "close");
    struct bar b = {0};
    for (size_t i = json_array_size(closes); i-- > 0;) {
        b.ts_ms = parse_epoch_s(json_array_get(times, i));
        if (b.ts_ms && parse_decimal(json_array_get(closes, i), &b.close))
            return b;
    }
    return (struct bar){0};
}

static const json_t *first_number(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_is_number(json_array_get(array, i)))
            return json_array_get(array, i);
    return NULL;
}

/* Is now inside the named period? *known is set when the period is one. */
static bool in_period(const json_t *periods, const char *name, int64_t now_ms, bool *known)
{
    const json_t *period = json_object_get(periods, name);
    int64_t start = parse_epoch_s(json_object_get(period, "start"));
    int64_t end = parse_epoch_s(json_object_get(period, "end"));
    if (!start || end <= start)
        return false;
    *known = true;
    if (end - start >= DAY_MS - MINUTE_MS && end - start < DAY_MS)
        end = start + DAY_MS;
    return now_ms >= start && now_ms < end;
}

static enum quote_market market_at(const json_t *meta, int64_t now_ms)
{
    const json_t *periods = json_object_get(meta, "currentTradingPeriod");
    bool known = false, ignored;
    if (in_period(periods, "regular", now_ms, &known))
        return MARKET_OPEN;
    if (in_period(periods, "pre", now_ms, &ignored))
        return MARKET_PRE;
    if (in_period(periods, "post", now_ms, &ignored))
        return MARKET_POST;
    return known ? MARKET_CLOSED : MARKET_UNKNOWN;
}

/* The day's figures in meta and, in a one-day chart, its bars. */
static void read_day(const json_t *meta, const json_t *quote, struct record *r)
{
    const char *range = json_string_value(json_object_get(meta, "range"));
    bool one_day = range && strcmp(range, "1d") == 0;
    parse_positive(json_object_get(meta, "regularMarketDayHigh"), &r->high);
    parse_positive(json_object_get(meta, "regularMarketDayLow"), &r->low);
    parse_positive(json_object_get(meta, "regularMarketVolume"), &r->volume);
    parse_positive(json_object_get(meta, "previousClose"), &r->prev_close);
    if (!one_day)
        return;
    parse_positive(first_number(json_object_get(quote, "open")), &r->open);
    if (!r->prev_close.given)
        parse_positive(json_object_get(meta, "chartPreviousClose"), &r->prev_close);
}

static void read_chart(const json_t *result, const char *asked, int64_t now_ms, struct answer *a)
{
    const json_t *meta = json_object_get(result, "meta");
    const json_t *price = json_object_get(meta, "regularMarketPrice");
    const json_t *quotes = json_object_get(json_object_get(result, "indicators"), "quote");
    const json_t *quote = json_array_get(quotes, 0);
    const char *echo = json_string_value(json_object_get(meta, "symbol"));
    struct record r = {0};

    *a = (struct answer){0};
    r.ts_ms = parse_epoch_s(json_object_get(meta, "regularMarketTime"));
    bool has_price = parse_decimal(price, &r.price);
    struct bar bar = last_bar(result, quote);
    bool bar_is_newer = bar.ts_ms > 0 && (!has_price || bar.ts_ms > r.ts_ms);

    if (!meta)
        parse_fail(a, FAIL_BAD_SCHEMA, "a chart without meta");
    else if (!echo)
        parse_fail(a, FAIL_BAD_SCHEMA, "the chart does not say which symbol it is for");
    else if (strcmp(echo, asked) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the chart is for %s", asked, echo);
    else if (parse_currency(json_object_get(meta, "currency"), r.currency) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "the currency is not a currency code");
    else if (price && !json_is_null(price) && !has_price)
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
    else if (!has_price && !bar_is_newer)
        parse_fail(a, FAIL_NO_DATA, "a chart without a price");
    else if (r.ts_ms == 0 && !bar_is_newer)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    if (a->failure != FAIL_NONE)
        return;

    /* Figures of an older day do not belong to a newer price. */
    bool same_day = !bar_is_newer || bar.ts_ms / DAY_MS == r.ts_ms / DAY_MS;
    if (bar_is_newer) {
        r.price = bar.close;
        r.ts_ms = bar.ts_ms;
    }
    if (same_day)
        read_day(meta, quote, &r);
    r.market = market_at(meta, now_ms);
    a->record = r;
}

/* ---- quote ---- */

static enum quote_market market_of_state(const char *state)
{
    static const struct {
        const char *name;
        enum quote_market market;
    } states[] = {
        {"CLOSED",   MARKET_CLOSED},
        {"POST",     MARKET_POST  },
        {"POSTPOST", MARKET_CLOSED}, /* the night behind the late trading */
        {"PRE",      MARKET_PRE   },
        {"PREPRE",   MARKET_CLOSED}, /* and the one before the early */
        {"REGULAR",  MARKET_OPEN  },
    };
    for (size_t i = 0; state && i < ARRAY_LEN(states); i++)
        if (strcmp(states[i].name, state) == 0)
            return states[i].market;
    return MARKET_UNKNOWN;
}

static void read_quote(const json_t *q, struct answer *a)
{
    const json_t *price = json_object_get(q, "regularMarketPrice");
    const json_t *delay = json_object_get(q, "exchangeDataDelayedBy");
    struct record r = {.ts_ms = parse_epoch_s(json_object_get(q, "regularMarketTime"))};

    *a = (struct answer){0};
    if (!price || json_is_null(price))
        parse_fail(a, FAIL_NO_DATA, "a quote without a price");
    else if (!parse_decimal(price, &r.price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
    else if (r.ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    else if (parse_currency(json_object_get(q, "currency"), r.currency) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "the currency is not a currency code");
    if (a->failure != FAIL_NONE)
        return;
    parse_positive(json_object_get(q, "bid"), &r.bid);
    parse_positive(json_object_get(q, "ask"), &r.ask);
    parse_positive(json_object_get(q, "regularMarketOpen"), &r.open);
    parse_positive(json_object_get(q, "regularMarketDayHigh"), &r.high);
    parse_positive(json_object_get(q, "regularMarketDayLow"), &r.low);
    parse_positive(json_object_get(q, "regularMarketPreviousClose"), &r.prev_close);
    parse_positive(json_object_get(q, "regularMarketVolume"), &r.volume);
    r.market = market_of_state(json_string_value(json_object_get(q, "marketState")));
    json_int_t minutes = json_integer_value(delay);
    if (minutes > 0 && minutes <= DAY_MS / MINUTE_MS)
        r.delayed_s = minutes * 60;
    a->record = r;
}

/* ---- replies ---- */

static const json_t *find_quote(const json_t *results, const char *symbol)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *q = json_array_get(results, i);
        const char *name = json_string_value(json_object_get(q, "symbol"));
        if (name && strcmp(name, symbol) == 0)
            return q;
    }
    return NULL;
}

static void read_quotes(const json_t *results, const char *const *symbols, size_t n,
                        struct answer *answers)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *q = find_quote(results, symbols[i]);
        if (q)
            read_quote(q, &answers[i]);
        else
            parse_fail(&answers[i], FAIL_NOT_FOUND, "not among the quotes: unknown or delisted");
    }
}

static void read_charts(const json_t *results, const char *const *symbols, size_t n, int64_t now_ms,
                        struct answer *answers)
{
    for (size_t i = 0; i < n; i++) {
        if (json_array_size(results) == 0)
            parse_fail(&answers[i], FAIL_NO_DATA, "no chart in the reply");
        else
            read_chart(json_array_get(results, 0), symbols[i], now_ms, &answers[i]);
    }
}

static void read_root(json_t *root, const struct http_reply *reply, const char *const *symbols,
                      size_t n, int64_t now_ms, struct answer *answers)
{
    struct answer why = {0};
    const json_t *charts = json_object_get(json_object_get(root, "chart"), "result");
    const json_t *quotes = json_object_get(json_object_get(root, "quoteResponse"), "result");

    if (probe_error(root, &why) || parse_status(reply, &why) != FAIL_NONE)
        parse_fail_all(answers, n, why.failure, why.detail);
    else if (json_is_array(charts))
        read_charts(charts, symbols, n, now_ms, answers);
    else if (json_is_array(quotes))
        read_quotes(quotes, symbols, n, answers);
    else
        parse_fail_all(answers, n, FAIL_BAD_SCHEMA, "neither a chart nor quotes");
}

/* Too many requests, or a wall: off for a quarter of an hour, or as long as we are told, within an
 * hour. Asking on is what gets an address blocked for good. */
static int64_t cooldown_of(const struct http_reply *reply)
{
    int64_t s = reply->retry_after_s;
    s = s < COOLDOWN_MIN_S ? COOLDOWN_MIN_S : s > COOLDOWN_MAX_S ? COOLDOWN_MAX_S : s;
    return s * 1000;
}

static void yahoo_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                        int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = NULL;

    if (probe_text(reply, &why) || !(root = parse_body(reply, &why)))
        parse_fail_all(answers, n, why.failure, why.detail);
    else
        read_root(root, reply, symbols, n, now_ms, answers);
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED || verdict->failure == FAIL_BLOCKED)
        verdict->cooldown_ms = cooldown_of(reply);
}

const struct provider provider_yahoo = {
    .rule = {.name = "yahoo", .enabled_by_default = true, .symbol_problem = symbol_problem},
    .data = DATA_DELAYED,
    .auth = AUTH_NONE,
    .position = 20,
    .batch_max = 1,
    .request = yahoo_request,
    .parse = yahoo_parse,
};
