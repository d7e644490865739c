/* coinbase.c - Coinbase Exchange, https://api.exchange.coinbase.com: the ticker of one product a
 * request, no key.
 *
 *   {"price":"83000.5","time":"2025-03-11T15:01:05.123456Z","bid":"83000.49","ask":"83000.51",...}
 *
 * The spot price of the older interface (/v2/prices/BTC-USD/spot) has no time, so nobody could tell
 * a halted market from a quiet one; the ticker gives the time of its trade to the microsecond. It
 * names no product: the price belongs to the one in the URL, which is why it is only one. All of it
 * is text, and keeps its digits.
 *
 * What the replies taught:
 *  - Without a User-Agent nothing is answered.
 *  - Ten requests a second are allowed; who is told off waits for seconds, not for minutes.
 *  - Errors are {"message":"NotFound"}, of the older interface {"errors":[{"id":"not_found",...}]}.
 *  - Candles are rows of time, low, high, open, close, volume (low and high come first), newest
 *    first, in numbers with and without a fraction; a time without trades has none. How long a
 *    candle is, it does not say: the time of its close is that of its beginning or later, and the
 *    beginning is what we give. */
#include <string.h>

#include "provider.h"

static const char BASE_URL[] = "https://api.exchange.coinbase.com";

enum { CODE_MAX = 12, CURRENCY_MAX = 7 };

static const int64_t SECOND_COOLDOWN_MS = 10000;

/* ---- asking ---- */

/* Two codes with a dash between them. */
static const char *symbol_problem(const char *symbol)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t base = strspn(symbol, chars);
    size_t quote = symbol[base] == '-' ? strspn(symbol + base + 1, chars) : 0;
    if (base == 0 || base > CODE_MAX || quote == 0 || quote > CURRENCY_MAX ||
        symbol[base + 1 + quote])
        return "should look like BTC-USD (what is traded, a dash, the currency)";
    return NULL;
}

static int coinbase_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                            struct http_request *out, struct err *err)
{
    if (n != 1)
        return err_set(err, "coinbase: one symbol at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "coinbase: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_addf(&out->url, "/products/%s/ticker", symbols[0]);
    buf_adds(&out->headers,
             "User-Agent: pricegate/" PRICEGATE_VERSION "\nAccept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "coinbase: out of memory");
    return 0;
}

/* ---- errors ---- */

/* Words of either interface; the first row that occurs. */
static const struct {
    const char *words;
    enum failure failure;
} texts[] = {
    {"NotFound",     FAIL_NOT_FOUND   },
    {"not found",    FAIL_NOT_FOUND   },
    {"not_found",    FAIL_NOT_FOUND   },
    {"rate limit",   FAIL_RATE_LIMITED},
    {"rate_limit",   FAIL_RATE_LIMITED},
    {"Unauthorized", FAIL_AUTH        },
    {"Forbidden",    FAIL_AUTH        },
    {"User-Agent",   FAIL_BAD_SCHEMA  },
    {"invalid",      FAIL_BAD_SCHEMA  },
};

/* The words first, then the status; an error of which neither says more is the provider's. */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why)
{
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const json_t *message = json_object_get(first ? first : root, "message");
    const char *id = json_string_value(json_object_get(first, "id"));
    const char *text = json_string_value(message);
    if (!first && !message)
        return parse_status(reply, why) != FAIL_NONE;
    id = id ? id : "";
    text = text ? text : "";
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcasestr(id, texts[i].words) || strcasestr(text, texts[i].words)) {
            parse_fail(why, texts[i].failure, "error %s: %s", id, text);
            return true;
        }
    }
    if (parse_status(reply, why) == FAIL_NONE)
        parse_fail(why, FAIL_UPSTREAM_ERROR, "error %s: %s", id, text);
    return true;
}

/* ---- records ---- */

/* The price must be one, and have its time. */
static bool price_ok(const json_t *price, struct record *r, struct answer *a)
{
    *a = (struct answer){0};
    if (!price || json_is_null(price))
        parse_fail(a, price ? FAIL_NO_DATA : FAIL_BAD_SCHEMA, "no price in the reply");
    else if (!parse_decimal(price, &r->price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
    else if (r->price.coef == 0)
        parse_fail(a, FAIL_NO_DATA, "the price is 0: there were no trades");
    else if (!decimal_positive(r->price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is below 0");
    else if (r->ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    return a->failure == FAIL_NONE;
}

/* product_id stands in the ticker of the socket; where it is given it has to be right. */
static void read_ticker(const json_t *root, const char *symbol, struct answer *a)
{
    const char *product = json_string_value(json_object_get(root, "product_id"));
    struct record r = {.ts_ms = parse_rfc3339(json_string_value(json_object_get(root, "time")))};

    if (product && strcmp(product, symbol) != 0) {
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the ticker is for %s", symbol, product);
        return;
    }
    if (!price_ok(json_object_get(root, "price"), &r, a))
        return;
    parse_positive(json_object_get(root, "bid"), &r.bid);
    parse_positive(json_object_get(root, "ask"), &r.ask);
    parse_positive(json_object_get(root, "volume"), &r.volume);
    a->record = r;
}

/* {"data":{"amount":"2723.905","base":"ETH","currency":"USD"}}: no time, so no price of ours. */
static void read_spot(const json_t *data, const char *symbol, struct answer *a)
{
    const char *base = json_string_value(json_object_get(data, "base"));
    const char *currency = json_string_value(json_object_get(data, "currency"));
    char pair[CODE_MAX + CURRENCY_MAX + 2];
    struct record r = {0};

    snprintf(pair, sizeof pair, "%s-%s", base ? base : "", currency ? currency : "");
    if (strcmp(pair, symbol) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the price is for %s", symbol, pair);
    else
        price_ok(json_object_get(data, "amount"), &r, a);
}

/* The row with the latest time; NULL: a row is no candle. Rows are looked at all: one that is
 * something else means that we do not understand what this is. */
static const json_t *newest_candle(const json_t *rows)
{
    const json_t *newest = NULL;
    int64_t newest_ms = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        int64_t ts_ms = parse_epoch_s(json_array_get(row, 0));
        if (json_array_size(row) != 6 || ts_ms == 0)
            return NULL;
        if (ts_ms > newest_ms) {
            newest = row;
            newest_ms = ts_ms;
        }
    }
    return newest;
}

static void read_candles(const json_t *rows, struct answer *a)
{
    const json_t *row = newest_candle(rows);
    struct record r = {.ts_ms = parse_epoch_s(json_array_get(row, 0))};

    if (json_array_size(rows) == 0)
        parse_fail(a, FAIL_NO_DATA, "no candles: no trades in that time");
    else if (!row)
        parse_fail(a, FAIL_BAD_SCHEMA, "a list, but not of candles");
    else if (price_ok(json_array_get(row, 4), &r, a)) {
        parse_positive(json_array_get(row, 1), &r.low);
        parse_positive(json_array_get(row, 2), &r.high);
        parse_positive(json_array_get(row, 3), &r.open);
        parse_positive(json_array_get(row, 5), &r.volume);
        a->record = r;
    }
}

static void read_reply(const json_t *root, const char *symbol, struct answer *a)
{
    const json_t *data = json_object_get(root, "data");
    const char *dash = strchr(symbol, '-');
    if (json_is_array(root))
        read_candles(root, a);
    else if (json_is_object(data))
        read_spot(data, symbol, a);
    else
        read_ticker(root, symbol, a);
    if (a->failure == FAIL_NONE && dash)
        snprintf(a->record.currency, sizeof a->record.currency, "%s", dash + 1);
}

static void coinbase_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                           int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);

    (void)now_ms;
    if (!root || probe_error(root, reply, &why)) {
        parse_fail_all(answers, n, why.failure, why.detail);
    } else {
        for (size_t i = 0; i < n; i++)
            read_reply(root, symbols[i], &answers[i]);
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < SECOND_COOLDOWN_MS)
        verdict->cooldown_ms = SECOND_COOLDOWN_MS;
}

const struct provider provider_coinbase = {
    .rule = {.name = "coinbase",
             .enabled_by_default = true,
             .credits_per_second = 10, /* from memory */
             .credits_per_minute = 300,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_NONE,
    .position = 13,
    .batch_max = 1,
    .request = coinbase_request,
    .parse = coinbase_parse,
};
