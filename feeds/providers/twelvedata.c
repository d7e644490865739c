/* twelvedata.c - Twelve Data, https://api.twelvedata.com: /quote, one symbol or a batch.
 *
 * What its replies taught:
 *  - The body decides, not the status: errors come as {"code","message","status":"error"} under
 *    HTTP 200 as well as under their own status.
 *  - A batch is an object keyed by the requested symbols, each value a whole reply or an error of
 *    its own; a batch of one comes flat. One bad symbol says nothing of the provider.
 *  - A refused request (429) costs a credit too, and the minute is not the clock's: nothing is
 *    asked for 70 seconds. When the day's credits are gone, nothing until the day turns over.
 *  - `timestamp` is the opening time of the bar; `last_quote_at` is when the price was made.
 *  - Without timezone=UTC currencies and metals come in Sydney time, and nothing says so.
 *  - Prices are strings, rates are numbers; /price has neither symbol nor time, so nobody could
 *    know what it is the price of, or when: refused.
 *  - The key goes into a header, so that it is in no URL and no log of a proxy.
 *
 * Besides /quote the shapes of /time_series (newest first) and /exchange_rate are understood. */
#include <string.h>
#include <strings.h>

#include "provider.h"

static const char BASE_URL[] = "https://api.twelvedata.com";

enum { SYMBOL_BYTES_MAX = 64 };

static const int64_t MINUTE_COOLDOWN_MS = 70000;
static const int64_t COOLDOWN_MAX_MS = 86400000;

/* ---- asking ---- */

static size_t span_of(const char *s, const char *more)
{
    size_t n = 0;
    for (; s[n]; n++) {
        bool alnum = (s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= 'a' && s[n] <= 'z') ||
                     (s[n] >= '0' && s[n] <= '9');
        if (!alnum && !strchr(more, s[n]))
            break;
    }
    return n;
}

/* TICKER, BASE/QUOTE, and either with :EXCHANGE. A comma would be two symbols. */
static const char *symbol_problem(const char *symbol)
{
    static const char help[] =
        "should look like AAPL, EUR/USD or SBIN:NSE (ticker or BASE/QUOTE, then perhaps :EXCHANGE)";
    const char *p = symbol;
    size_t n = span_of(p, "._-");
    if (n == 0 || strlen(symbol) > SYMBOL_BYTES_MAX)
        return help;
    p += n;
    if (*p == '/') {
        n = span_of(p + 1, "");
        if (n == 0)
            return help;
        p += 1 + n;
    }
    if (*p == ':') {
        n = span_of(p + 1, " ._-");
        if (n == 0)
            return help;
        p += 1 + n;
    }
    return *p ? help : NULL;
}

static int td_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                      struct http_request *out, struct err *err)
{
    if (!cfg->api_key)
        return err_set(err, "twelvedata: no api_key");
    if (!parse_key_sendable(cfg->api_key))
        return err_set(err, "twelvedata: api_key holds characters that cannot be sent");
    if (n == 0 || n > PROVIDER_BATCH_MAX)
        return err_set(err, "twelvedata: 1 to %d symbols at once, not %zu", PROVIDER_BATCH_MAX, n);
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/quote?symbol=");
    for (size_t i = 0; i < n; i++) {
        const char *problem = symbol_problem(symbols[i]);
        if (problem)
            return err_set(err, "twelvedata: symbol %zu %s", i + 1, problem);
        if (i > 0)
            buf_addc(&out->url, ',');
        parse_escape(symbols[i], &out->url);
    }
    buf_adds(&out->url, "&timezone=UTC");
    buf_addf(&out->headers, "Authorization: apikey %s\n", cfg->api_key);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "twelvedata: out of memory");
    return 0;
}

/* ---- errors ---- */

/* Is `word` in text as a word of its own, in whatever case? */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strcasestr(p, word)); p++) {
        bool begins = p == text || span_of(p - 1, "") == 0;
        if (begins && span_of(p + n, "") == 0)
            return true;
    }
    return false;
}

/* "current minute" is looked for first: the text on the minute may speak of days as well. */
static int64_t cooldown_of(const char *message)
{
    if (!strcasestr(message, "current minute") &&
        (has_word(message, "day") || has_word(message, "daily")))
        return -1;
    return MINUTE_COOLDOWN_MS;
}

/* 400 is about the symbol, or else about how we ask: then our idea of the interface is out of date,
 * which is what bad_schema means. */
static enum failure failure_of(int64_t code, const char *message)
{
    switch (code) {
    case 400:
        return strcasestr(message, "symbol") && strcasestr(message, "not found") ? FAIL_NOT_FOUND
                                                                                 : FAIL_BAD_SCHEMA;
    case 401:
    case 403:
        return FAIL_AUTH;
    case 404:
        return FAIL_NOT_FOUND;
    case 414:
        return FAIL_BAD_SCHEMA;
    case 429:
        return FAIL_RATE_LIMITED;
    default:
        return FAIL_UPSTREAM_ERROR;
    }
}

/* True when v is an error object; then *a is that failure, and *cooldown_ms is set if it is about
 * credits. The message is not quoted where it is about the key: it may hold it. */
static bool probe_error(const json_t *v, struct answer *a, int64_t *cooldown_ms)
{
    const json_t *code = json_object_get(v, "code"), *text = json_object_get(v, "message");
    const json_t *status = json_object_get(v, "status");
    bool says_error = json_is_string(status) && strcmp(json_string_value(status), "error") == 0;
    if (!says_error && !(json_is_integer(code) && json_is_string(text)))
        return false;
    const char *message = json_is_string(text) ? json_string_value(text) : "";
    int64_t number = json_integer_value(code);
    enum failure f = failure_of(number, message);
    if (f == FAIL_RATE_LIMITED && *cooldown_ms >= 0) /* the day outlasts the minute */
        *cooldown_ms = cooldown_of(message);
    if (f == FAIL_AUTH)
        parse_fail(a, f, "code %lld: we are not let in, or the plan does not allow it",
                   (long long)number);
    else
        parse_fail(a, f, "code %lld: %s", (long long)number, message);
    return true;
}

/* ---- records ---- */

/* Was this answer given for the symbol we asked for? Tickers exist on several exchanges, so what
 * stands behind the colon is compared as well. */
static bool is_echo(const json_t *holder, const char *echo, const char *asked)
{
    const char *colon = strchr(asked, ':');
    if (strcmp(echo, asked) == 0)
        return true;
    if (!colon || strlen(echo) != (size_t)(colon - asked) ||
        strncmp(echo, asked, strlen(echo)) != 0)
        return false;
    const char *exchange = json_string_value(json_object_get(holder, "exchange"));
    const char *mic = json_string_value(json_object_get(holder, "mic_code"));
    if (!exchange && !mic)
        return true;
    return (exchange && strcasecmp(exchange, colon + 1) == 0) ||
           (mic && strcasecmp(mic, colon + 1) == 0);
}

/* The currency of a pair that does not say it is the one behind the slash. */
static int read_currency(const json_t *holder, const char *asked, struct record *r)
{
    if (parse_currency(json_object_get(holder, "currency"), r->currency) != 0)
        return -1;
    const char *slash = strchr(asked, '/');
    if (r->currency[0] || !slash)
        return 0;
    size_t n = strcspn(slash + 1, ":");
    if (n >= sizeof r->currency)
        return -1;
    memcpy(r->currency, slash + 1, n);
    r->currency[n] = '\0';
    return 0;
}

/* The time of the price; never the time of asking, which would make a closed market look fresh. */
static int64_t time_of(const json_t *bar)
{
    int64_t ts = parse_epoch_s(json_object_get(bar, "last_quote_at"));
    if (!ts)
        ts = parse_epoch_s(json_object_get(bar, "timestamp"));
    if (!ts)
        ts = parse_utc_text(json_string_value(json_object_get(bar, "datetime")));
    return ts;
}

static void read_members(const json_t *bar, struct record *r)
{
    const json_t *open = json_object_get(bar, "is_market_open");
    parse_positive(json_object_get(bar, "open"), &r->open);
    parse_positive(json_object_get(bar, "high"), &r->high);
    parse_positive(json_object_get(bar, "low"), &r->low);
    parse_positive(json_object_get(bar, "previous_close"), &r->prev_close);
    parse_positive(json_object_get(bar, "bid"), &r->bid);
    parse_positive(json_object_get(bar, "ask"), &r->ask);
    parse_positive(json_object_get(bar, "volume"), &r->volume);
    if (json_is_boolean(open))
        r->market = json_is_true(open) ? MARKET_OPEN : MARKET_CLOSED;
}

static const json_t *price_of(const json_t *bar)
{
    static const char *const names[] = {"close", "rate", "price"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const json_t *v = json_object_get(bar, names[i]);
        if (v)
            return v;
    }
    return NULL;
}

/* One reply for one symbol: v is no error object. */
static void read_reply(const json_t *v, const char *asked, struct answer *a)
{
    const json_t *meta = json_object_get(v, "meta"), *values = json_object_get(v, "values");
    const json_t *holder = meta ? meta : v; /* of what is said once */
    const json_t *bar = meta ? json_array_get(values, 0) : v;
    const char *echo = json_string_value(json_object_get(holder, "symbol"));
    struct record r = {0};

    *a = (struct answer){0};
    if (meta && json_is_array(values) && json_array_size(values) == 0) {
        parse_fail(a, FAIL_NO_DATA, "a series without values");
        return;
    }
    const json_t *price = price_of(bar);
    r.ts_ms = time_of(bar);
    if (!price || json_is_null(price))
        parse_fail(a, price ? FAIL_NO_DATA : FAIL_BAD_SCHEMA, "no price in the reply");
    else if (!parse_decimal(price, &r.price))
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
    else if (r.ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    else if (!echo)
        parse_fail(a, FAIL_BAD_SCHEMA, "the reply does not say which symbol it is for");
    else if (!is_echo(holder, echo, asked))
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for %s", asked, echo);
    else if (read_currency(holder, asked, &r) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "the currency is not a currency code");
    if (a->failure != FAIL_NONE)
        return;
    read_members(bar, &r);
    a->record = r;
}

/* ---- replies ---- */

/* A reply for one symbol stands flat, not under the symbol's name. */
static bool is_flat(const json_t *root)
{
    static const char *const marks[] = {"meta", "symbol", "close", "rate", "price"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (json_object_get(root, marks[i]))
            return true;
    return false;
}

/* The flat reply is for one of the symbols; the others got none. */
static void read_flat(const json_t *root, const char *const *symbols, size_t n,
                      struct answer *answers)
{
    bool any = n == 1;
    for (size_t i = 0; i < n; i++) {
        read_reply(root, symbols[i], &answers[i]);
        any = any || answers[i].failure == FAIL_NONE;
    }
    for (size_t i = 0; any && n > 1 && i < n; i++)
        if (answers[i].failure != FAIL_NONE)
            parse_fail(&answers[i], FAIL_NO_DATA, "the reply holds another symbol only");
}

/* False when not one of the symbols is in it: then this is no batch. */
static bool read_batch(const json_t *root, const char *const *symbols, size_t n,
                       struct answer *answers, int64_t *cooldown_ms)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(root, symbols[i]);
        any = any || v;
        if (!v)
            parse_fail(&answers[i], FAIL_NO_DATA, "the batch does not hold the symbol");
        else if (!json_is_object(v))
            parse_fail(&answers[i], FAIL_BAD_SCHEMA, "the batch holds no object for the symbol");
        else if (!probe_error(v, &answers[i], cooldown_ms))
            read_reply(v, symbols[i], &answers[i]);
    }
    return any;
}

static void fail_all(struct answer *answers, size_t n, const struct answer *why)
{
    parse_fail_all(answers, n, why->failure, why->detail);
}

/* The larger of the named windows. Too much time is only believed up to a day. */
static void set_cooldown(const struct http_reply *reply, int64_t cooldown_ms,
                         struct verdict *verdict)
{
    int64_t named_ms = COOLDOWN_MAX_MS;
    if (reply->retry_after_s < COOLDOWN_MAX_MS / 1000)
        named_ms = reply->retry_after_s * 1000;
    verdict->cooldown_ms = cooldown_ms >= 0 && named_ms > cooldown_ms ? named_ms : cooldown_ms;
}

static void td_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                     int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    int64_t cooldown_ms = MINUTE_COOLDOWN_MS;
    bool limited = false;
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);

    (void)now_ms;
    if (!root || probe_error(root, &why, &cooldown_ms)) {
        fail_all(answers, n, &why);
    } else if (is_flat(root)) {
        read_flat(root, symbols, n, answers);
    } else if (!read_batch(root, symbols, n, answers, &cooldown_ms)) {
        if (parse_status(reply, &why) == FAIL_NONE)
            parse_fail(&why, FAIL_BAD_SCHEMA, "neither a quote nor a batch of them");
        fail_all(answers, n, &why);
    }
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    for (size_t i = 0; i < n; i++)
        limited = limited || answers[i].failure == FAIL_RATE_LIMITED;
    if (limited)
        set_cooldown(reply, cooldown_ms, verdict);
}

const struct provider provider_twelvedata = {
    .rule = {.name = "twelvedata",
             .key_env = "TWELVE_DATA_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_minute = 8,
             .credits_per_day = 800,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_HEADER,
    .position = 10,
    .batch_max = PROVIDER_BATCH_MAX,
    .day_zone = NULL, /* from memory */
    .request = td_request,
    .parse = td_parse,
};
