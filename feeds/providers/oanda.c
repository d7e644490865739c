/* oanda.c - OANDA v20: prices of currencies, metals and indices as one account sees them.
 *
 *   {"prices":[{"instrument":"EUR_USD","time":"2026-03-13T20:59:58.729643492Z","tradeable":true,
 *               "bids":[{"price":"1.12157","liquidity":10000000}, ...],
 *               "asks":[{"price":"1.12170",...}, ...],"closeoutBid":...,"closeoutAsk":...}]}
 *
 * What its replies taught:
 *  - There is no price but a book: bids and asks, each a ladder by volume. The price is the middle
 *    between the best of either side, exactly. closeoutBid and closeoutAsk are what a large
 *    position would get, and no part of it.
 *  - Either side may be empty. Then there is no middle, and the closeout prices are no substitute.
 *  - At the weekend the last prices stay: `tradeable` is false, or, with older servers, `status` is
 *    "non-tradeable". It is the only word on whether the market is open. "invalid" is no price.
 *  - Prices are strings; the time has nanoseconds when RFC 3339 is asked for.
 *  - The part behind the underscore is the currency of the price; nothing else says it.
 *  - One instrument that is not known, and the whole request is refused with HTTP 400: a typo would
 *    take the others down with it. So each is asked for alone, which 120 requests a second allow.
 *  - A practice account is known to one host only, a real one to another. The account's first
 *    number says which it is: 101 is practice.
 *
 * The key goes into a header. The account is part of the path. */
#include <string.h>

#include "provider.h"

static const char LIVE_URL[] = "https://api-fxtrade.oanda.com";
static const char PRACTICE_URL[] = "https://api-fxpractice.oanda.com";

enum { BASE_BYTES_MAX = 16, ACCOUNT_BYTES_MAX = 40 };

static const int64_t COOLDOWN_MS = 10000; /* the window is a second */

/* ---- asking ---- */

/* BASE_CCY */
static const char *symbol_problem(const char *symbol)
{
    static const char help[] = "should look like EUR_USD or XAU_USD";
    size_t base = strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    if (base == 0 || base > BASE_BYTES_MAX || symbol[base] != '_')
        return help;
    const char *currency = symbol + base + 1;
    size_t len = strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return len == 3 && currency[len] == '\0' ? NULL : help;
}

static bool account_ok(const char *account)
{
    size_t len = strspn(account, "0123456789-");
    return len > 0 && len <= ACCOUNT_BYTES_MAX && account[len] == '\0';
}

static int oanda_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                         struct http_request *out, struct err *err)
{
    if (!cfg->api_key)
        return err_set(err, "oanda: no api_key");
    if (!parse_key_sendable(cfg->api_key))
        return err_set(err, "oanda: api_key holds characters that cannot be sent");
    if (!cfg->account)
        return err_set(err, "oanda: no account (providers.oanda.account)");
    if (!account_ok(cfg->account))
        return err_set(err, "oanda: the account should look like 101-004-1234567-001");
    if (n != 1)
        return err_set(err, "oanda: one instrument at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "oanda: the symbol %s", problem);
    bool practice = strncmp(cfg->account, "101-", 4) == 0;
    parse_base_url(cfg, practice ? PRACTICE_URL : LIVE_URL, &out->url);
    buf_addf(&out->url, "/v3/accounts/%s/pricing?instruments=", cfg->account);
    parse_escape(symbols[0], &out->url);
    buf_addf(&out->headers, "Authorization: Bearer %s\n", cfg->api_key);
    buf_adds(&out->headers, "Accept-Datetime-Format: RFC3339\nAccept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "oanda: out of memory");
    return 0;
}

/* ---- errors ---- */

static enum failure failure_of(int status, const char *message)
{
    if (status == 429 || strcasestr(message, "rate limit"))
        return FAIL_RATE_LIMITED;
    if (status == 401 || status == 403 || strcasestr(message, "authorization") ||
        strcasestr(message, "account"))
        return FAIL_AUTH; /* an account that is none of ours is a wrong setting, like a key */
    if (status == 404 || strcasestr(message, "instrument"))
        return FAIL_NOT_FOUND;
    return status >= 400 && status <= 499 ? FAIL_BAD_SCHEMA : FAIL_UPSTREAM_ERROR;
}

/* {"errorMessage":"..."}, perhaps with an errorCode */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why)
{
    const json_t *text = json_object_get(root, "errorMessage");
    if (!text)
        return false;
    const char *message = json_is_string(text) ? json_string_value(text) : "";
    enum failure f = failure_of(reply->status, message);
    parse_fail(why, f, "HTTP %d: %s", reply->status,
               f == FAIL_AUTH ? "we are not let in" : message);
    return true;
}

/* ---- prices ---- */

/* The best price of one side: the highest bid, the lowest ask. Not given when there is none. */
static struct decimal best(const json_t *side, bool highest)
{
    struct decimal top = {0}, d;
    for (size_t i = 0; i < json_array_size(side); i++) {
        parse_positive(json_object_get(json_array_get(side, i), "price"), &d);
        if (!d.given)
            continue;
        int order = top.given ? decimal_cmp(d, top) : 0;
        if (!top.given || (highest ? order > 0 : order < 0))
            top = d;
    }
    return top;
}

/* (a + b) / 2 exactly: half of an odd number has one place more. -1: it does not fit. */
static int middle(struct decimal a, struct decimal b, struct decimal *out)
{
    struct decimal sum;
    b.coef = -b.coef;
    if (decimal_sub(a, b, &sum) != 0)
        return -1;
    if (sum.coef % 2 == 0) {
        sum.coef /= 2;
    } else {
        if (decimal_digits(sum) >= DECIMAL_DIGITS_MAX || sum.scale >= DECIMAL_SCALE_MAX)
            return -1;
        sum.coef *= 5;
        sum.scale++;
    }
    *out = sum;
    return 0;
}

static bool text_is(const json_t *v, const char *text)
{
    return json_is_string(v) && strcmp(json_string_value(v), text) == 0;
}

static enum quote_market market_of(const json_t *price)
{
    const json_t *tradeable = json_object_get(price, "tradeable");
    const json_t *status = json_object_get(price, "status");
    if (json_is_boolean(tradeable))
        return json_is_true(tradeable) ? MARKET_OPEN : MARKET_CLOSED;
    if (text_is(status, "tradeable"))
        return MARKET_OPEN;
    return text_is(status, "non-tradeable") ? MARKET_CLOSED : MARKET_UNKNOWN;
}

static void read_price(const json_t *price, const char *symbol, struct answer *a)
{
    const json_t *bids = json_object_get(price, "bids"), *asks = json_object_get(price, "asks");
    const char *underscore = strrchr(symbol, '_');
    struct record r = {.bid = best(bids, true), .ask = best(asks, false)};
    bool both = json_array_size(bids) > 0 && json_array_size(asks) > 0;

    *a = (struct answer){0};
    r.ts_ms = parse_rfc3339(json_string_value(json_object_get(price, "time")));
    r.market = market_of(price);
    if (underscore)
        snprintf(r.currency, sizeof r.currency, "%s", underscore + 1);
    if (text_is(json_object_get(price, "status"), "invalid"))
        parse_fail(a, FAIL_NO_DATA, "no valid price of the instrument");
    else if (!json_is_array(bids) || !json_is_array(asks))
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without bids and asks");
    else if (!both)
        parse_fail(a, FAIL_NO_DATA, "nobody bids, or nobody asks");
    else if (!r.bid.given || !r.ask.given || middle(r.bid, r.ask, &r.price) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "bids or asks are no prices");
    else if (r.ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    else
        a->record = r;
}

static void read_prices(const json_t *prices, const char *symbol, struct answer *a)
{
    for (size_t i = 0; i < json_array_size(prices); i++) {
        const json_t *price = json_array_get(prices, i);
        if (text_is(json_object_get(price, "instrument"), symbol)) {
            read_price(price, symbol, a);
            return;
        }
    }
    if (json_array_size(prices) == 0)
        parse_fail(a, FAIL_NOT_FOUND, "no prices in the reply");
    else
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for others", symbol);
}

static void oanda_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                        int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);
    const json_t *prices = json_object_get(root, "prices");

    (void)now_ms;
    if (root && !probe_error(root, reply, &why) && parse_status(reply, &why) == FAIL_NONE &&
        !json_is_array(prices))
        parse_fail(&why, FAIL_BAD_SCHEMA, "no prices in the reply");
    for (size_t i = 0; i < n; i++) {
        answers[i] = why;
        if (why.failure == FAIL_NONE)
            read_prices(prices, symbols[i], &answers[i]);
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < COOLDOWN_MS)
        verdict->cooldown_ms = COOLDOWN_MS;
}

const struct provider provider_oanda = {
    .rule = {.name = "oanda",
             .key_env = "OANDA_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_second = 100, /* 120 on one connection, from memory */
             .credits_per_minute = 1200,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_HEADER,
    .position = 11,
    .batch_max = 1,
    .request = oanda_request,
    .parse = oanda_parse,
};
