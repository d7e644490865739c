/* finnhub.c - Finnhub, https://finnhub.io/api/v1/quote: one symbol a request.
 *
 *   {"c":229.87,"d":1.35,"dp":0.5908,"h":230.5,"l":227.25,"o":228.84,"pc":228.52,"t":1732305600}
 *
 * c = current, h l o = the day's, pc = previous close, t = the time of c in seconds. Neither symbol
 * nor currency is said: the price belongs to the symbol in the URL, which is why it is only one.
 *
 * What its replies taught:
 *  - An unknown symbol is no error: HTTP 200 and zeros everywhere. A price or a time of zero means
 *    that there is nothing, and one cannot know whether there ever will be: no_data.
 *  - The limit ("API limit reached. ...") comes under status 429 and under 200, at times to those
 *    who are within it. The words decide, and a minute is waited whatever they go on to say.
 *  - 403 is about the plan: currencies and commodities are for those who pay.
 *  - Other frames than quotes have been recorded, of the socket. A frame of trades holds several,
 *    unsorted, of several symbols, in milliseconds: the newest of the symbol is its price.
 *  - The key goes into a header, so that it is in no URL and no log of a proxy. */
#include <string.h>

#include "provider.h"

static const char BASE_URL[] = "https://finnhub.io";

enum { SYMBOL_BYTES_MAX = 64 };

static const int64_t MINUTE_COOLDOWN_MS = 70000;
static const int64_t EPOCH_MS_MAX = 99999999999999; /* larger is not in milliseconds */

/* ---- asking ---- */

/* TICKER or EXCHANGE:TICKER. */
static const char *symbol_problem(const char *symbol)
{
    static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(symbol);
    if (len == 0 || len > SYMBOL_BYTES_MAX || !strchr(alnum, symbol[0]) || symbol[len - 1] == ':')
        return "should look like AAPL, BRK.B or BINANCE:BTCUSDT";
    for (size_t i = 1; i < len; i++)
        if (!strchr(alnum, symbol[i]) && !strchr(":._-", symbol[i]))
            return "should look like AAPL, BRK.B or BINANCE:BTCUSDT";
    return NULL;
}

static int finnhub_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                           struct http_request *out, struct err *err)
{
    if (!cfg->api_key)
        return err_set(err, "finnhub: no api_key");
    if (!parse_key_sendable(cfg->api_key))
        return err_set(err, "finnhub: api_key holds characters that cannot be sent");
    if (n != 1)
        return err_set(err, "finnhub: one symbol at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "finnhub: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/api/v1/quote?symbol=");
    parse_escape(symbols[0], &out->url);
    buf_addf(&out->headers, "X-Finnhub-Token: %s\nAccept: application/json\n", cfg->api_key);
    if (out->url.failed || out->headers.failed)
        return err_set(err, "finnhub: out of memory");
    return 0;
}

/* ---- errors ---- */

/* The first row whose words occur. What is said of a key is not quoted: it may hold it. */
static const struct {
    const char *words;
    enum failure failure;
    const char *sentence;
} texts[] = {
    {"limit reached",     FAIL_RATE_LIMITED, NULL                        },
    {"too many",          FAIL_RATE_LIMITED, NULL                        },
    {"don't have access", FAIL_AUTH,         "the plan does not allow it"},
    {"API key",           FAIL_AUTH,         "refused: we are not let in"},
    {"not supported",     FAIL_NOT_FOUND,    NULL                        },
    {"not found",         FAIL_NOT_FOUND,    NULL                        },
};

static bool probe_text(const char *text, struct answer *why)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!strcasestr(text, texts[i].words))
            continue;
        parse_fail(why, texts[i].failure, "%s", texts[i].sentence ? texts[i].sentence : text);
        return true;
    }
    return false;
}

/* {"error":"..."}, or {"type":"error","msg":"..."} of the socket. What is unknown to us goes by the
 * status, and is the provider's error where that says nothing. */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why)
{
    const json_t *error = json_object_get(root, "error");
    if (!error)
        error = json_object_get(root, "msg");
    if (!error || json_is_null(error))
        return parse_status(reply, why) != FAIL_NONE;
    const char *text = json_is_string(error) ? json_string_value(error) : "";
    if (!probe_text(text, why) && parse_status(reply, why) == FAIL_NONE)
        parse_fail(why, FAIL_UPSTREAM_ERROR, "error: %s", text);
    return true;
}

/* ---- records ---- */

static void read_quote(const json_t *root, struct answer *a)
{
    const json_t *price = json_object_get(root, "c"), *time = json_object_get(root, "t");
    struct record r = {.ts_ms = parse_epoch_s(time)};
    struct decimal t;

    *a = (struct answer){0};
    if (!price || !time)
        parse_fail(a, FAIL_BAD_SCHEMA, "no quote in the reply");
    else if (json_is_null(price) || json_is_null(time))
        parse_fail(a, FAIL_NO_DATA, "a quote without a price");
    else if (!parse_decimal(price, &r.price) || !parse_decimal(time, &t))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price or its time is not a number");
    else if (r.price.coef == 0 || t.coef == 0)
        parse_fail(a, FAIL_NO_DATA, "zeros in place of a price: unknown symbol, or no data");
    else if (!decimal_positive(r.price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is below 0");
    else if (r.ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "the time of the price is none");
    if (a->failure != FAIL_NONE)
        return;
    parse_positive(json_object_get(root, "h"), &r.high);
    parse_positive(json_object_get(root, "l"), &r.low);
    parse_positive(json_object_get(root, "o"), &r.open);
    parse_positive(json_object_get(root, "pc"), &r.prev_close);
    a->record = r;
}

/* The symbol's newest trade; of two at the same millisecond the later one in the list. */
static void read_trades(const json_t *trades, const char *symbol, struct answer *a)
{
    struct record r = {0};
    for (size_t i = 0; i < json_array_size(trades); i++) {
        const json_t *trade = json_array_get(trades, i);
        const char *of = json_string_value(json_object_get(trade, "s"));
        json_int_t ts_ms = json_integer_value(json_object_get(trade, "t"));
        struct decimal price;
        parse_positive(json_object_get(trade, "p"), &price);
        if (of && strcmp(of, symbol) == 0 && price.given && ts_ms > 0 && ts_ms <= EPOCH_MS_MAX &&
            ts_ms >= r.ts_ms) {
            r.price = price;
            r.ts_ms = ts_ms;
        }
    }
    *a = (struct answer){.record = r};
    if (!r.price.given)
        parse_fail(a, FAIL_NO_DATA, "no trade of the symbol");
}

static void finnhub_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                          int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);
    const json_t *trades = json_object_get(root, "data");

    (void)now_ms;
    if (why.failure == FAIL_BAD_SCHEMA)
        probe_text(reply->body, &why);
    if (!root || probe_error(root, reply, &why)) {
        parse_fail_all(answers, n, why.failure, why.detail);
    } else {
        for (size_t i = 0; i < n; i++) {
            if (json_is_array(trades))
                read_trades(trades, symbols[i], &answers[i]);
            else
                read_quote(root, &answers[i]);
        }
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < MINUTE_COOLDOWN_MS)
        verdict->cooldown_ms = MINUTE_COOLDOWN_MS;
}

const struct provider provider_finnhub = {
    .rule = {.name = "finnhub",
             .key_env = "FINNHUB_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_second = 30, /* from memory, as the minute */
             .credits_per_minute = 60,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_HEADER,
    .position = 12,
    .batch_max = 1,
    .request = finnhub_request,
    .parse = finnhub_parse,
};
