/* nasdaqdatalink.c - Nasdaq Data Link (once Quandl), https://data.nasdaq.com: the last rows of one
 * data set a request.
 *
 *   {"dataset":{"dataset_code":"ICE_KC1","database_code":"CHRIS",...,
 *               "column_names":["Date","Open","High","Low","Settle",...],
 *               "data":[["2026-03-13",383.9,391.8,381.05,388.2,...], ...]}}
 *
 * What its replies taught:
 *  - Rows are bare arrays: what a cell is, its column's name says, and each data base has names of
 *    its own. The first column of a list below is the price. Where there is none of these and only
 *    one column beside the date, that is the figure of a series, and no price.
 *  - Newest first unless asked otherwise, and the newest cell may be null (a fixing of the
 *    afternoon, a holiday): so a few rows are asked for.
 *  - Most of the free data bases are frozen: WIKI ended in 2018, CHRIS later. They are served as
 *    ever, with HTTP 200, and so is a data set without rows. The age of the newest row tells.
 *  - Neither currency nor unit is said, but for the names of a few columns. Continuous futures
 *    (CHRIS) are in the exchange's unit: coffee in cents. The instrument's currency is assumed, so
 *    a range belongs to such an instrument.
 *  - Errors are {"quandl_error":{"code":"QEPx04",...}}; the third letter is the kind. Of limits the
 *    text names the window: 50 a day without a key; seconds, ten minutes and a day with one.
 *  - Who comes without a key meets a web page with HTTP 403 (Incapsula) more often than not: a key
 *    is needed. It goes into a header, as the provider's own libraries do it.
 *
 * Rows come once a day. The limit of requests a day is ours, far under theirs (50,000). */
#include <string.h>

#include "provider.h"
#include "series.h"

static const char BASE_URL[] = "https://data.nasdaq.com";

enum { SYMBOL_BYTES_MAX = 63 }; /* the id of a series as well */

static const int64_t MINUTE_COOLDOWN_MS = 70000;

/* The columns that are a price, the better ones first. */
static const struct {
    const char *name, *currency;
} price_columns[] = {
    {"Settle",   ""   },
    {"Close",    ""   },
    {"Last",     ""   },
    {"Value",    ""   },
    {"Price",    ""   },
    {"Rate",     ""   },
    {"USD (PM)", "USD"},
    {"USD (AM)", "USD"},
};

/* The window that the text of a limit names: the first row whose words occur. */
static const struct {
    const char *words;
    int64_t cooldown_ms;
} windows[] = {
    {"per day",    -1    },
    {"today",      -1    },
    {"10 minutes", 610000},
    {"second",     20000 },
};

/* ---- asking ---- */

/* DATABASE/CODE */
static const char *symbol_problem(const char *symbol)
{
    static const char help[] = "should look like CHRIS/ICE_KC1, data base and code";
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t base = strspn(symbol, letters);
    if (base == 0 || symbol[base] != '/' || strlen(symbol) > SYMBOL_BYTES_MAX)
        return help;
    size_t code = strspn(symbol + base + 1, letters);
    return code > 0 && symbol[base + 1 + code] == '\0' ? NULL : help;
}

static int ndl_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                       struct http_request *out, struct err *err)
{
    if (!cfg->api_key)
        return err_set(err, "nasdaqdatalink: no api_key");
    if (!parse_key_sendable(cfg->api_key))
        return err_set(err, "nasdaqdatalink: api_key holds characters that cannot be sent");
    if (n != 1)
        return err_set(err, "nasdaqdatalink: one data set at a time, not %zu", n);
    const char *problem = symbol_problem(symbols[0]);
    if (problem)
        return err_set(err, "nasdaqdatalink: the symbol %s", problem);
    parse_base_url(cfg, BASE_URL, &out->url);
    /* Letters, digits, underscores and one slash: nothing to escape. */
    buf_addf(&out->url, "/api/v3/datasets/%s.json?rows=5&order=desc", symbols[0]);
    buf_addf(&out->headers, "X-Api-Token: %s\n", cfg->api_key);
    buf_adds(&out->headers, "Accept: application/json\n");
    if (out->url.failed || out->headers.failed)
        return err_set(err, "nasdaqdatalink: out of memory");
    return 0;
}

/* ---- errors ---- */

/* QE and a letter; what the letter does not say, the status does. */
static enum failure failure_of(const char *code, int status)
{
    switch (strncmp(code, "QE", 2) == 0 ? code[2] : '\0') {
    case 'A': /* authentication */
    case 'P': /* permission */
        return FAIL_AUTH;
    case 'C': /* no such code */
        return FAIL_NOT_FOUND;
    case 'L':
        return FAIL_RATE_LIMITED;
    }
    switch (status) {
    case 401:
    case 403:
        return FAIL_AUTH;
    case 404:
        return FAIL_NOT_FOUND;
    case 429:
        return FAIL_RATE_LIMITED;
    }
    return status >= 400 && status <= 499 ? FAIL_BAD_SCHEMA : FAIL_UPSTREAM_ERROR;
}

static int64_t cooldown_of(const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(windows); i++)
        if (strcasestr(message, windows[i].words))
            return windows[i].cooldown_ms;
    return MINUTE_COOLDOWN_MS;
}

static const char *text_of(const json_t *v)
{
    return json_is_string(v) ? json_string_value(v) : "";
}

/* Sets *cooldown_ms when it is about limits. */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why,
                        int64_t *cooldown_ms)
{
    const json_t *error = json_object_get(root, "quandl_error");
    if (!error)
        return false;
    const char *code = text_of(json_object_get(error, "code"));
    const char *message = text_of(json_object_get(error, "message"));
    enum failure f = failure_of(code, reply->status);
    if (f == FAIL_RATE_LIMITED)
        *cooldown_ms = cooldown_of(message);
    /* A message on keys may hold the key. */
    parse_fail(why, f, "error %s: %s", code, f == FAIL_AUTH ? "we are not let in" : message);
    return true;
}

/* ---- rows ---- */

/* Which column is the figure. */
struct choice {
    int column; /* -1: nobody can tell */
    const char *currency;
    bool price; /* it is one */
};

/* Of the column with this name in whatever case; -1: there is none. */
static int column(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcasecmp(text_of(json_array_get(names, i)), name) == 0)
            return (int)i;
    return -1;
}

static struct choice choose(const json_t *names)
{
    for (size_t i = 0; i < ARRAY_LEN(price_columns); i++) {
        int found = column(names, price_columns[i].name);
        if (found >= 0)
            return (struct choice){found, price_columns[i].currency, true};
    }
    int date = column(names, "Date");
    if (json_array_size(names) != 2 || date < 0)
        return (struct choice){.column = -1};
    return (struct choice){.column = 1 - date, .currency = ""};
}

static const json_t *cell(const json_t *row, int index)
{
    return index < 0 ? NULL : json_array_get(row, (size_t)index);
}

/* One more row. False with the reason in *a: it cannot be read. */
static bool read_row(const json_t *row, int date, int figure, struct series *s, struct answer *a)
{
    const char *day = json_string_value(cell(row, date));
    int64_t ts = series_day_ms(day, SERIES_NOON_MS, s->now_ms);
    const json_t *value = cell(row, figure);
    struct decimal d;
    if (ts == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a row without its date");
    else if (json_is_null(value))
        return true;
    else if (!parse_decimal(value, &d))
        parse_fail(a, FAIL_BAD_SCHEMA, "the figure of %s is not a number", day);
    else
        series_add(s, ts, d, day);
    return a->failure == FAIL_NONE;
}

static void read_rows(const json_t *dataset, const char *asked, const struct choice *choice,
                      int64_t now_ms, struct answer *a)
{
    const json_t *names = json_object_get(dataset, "column_names");
    const json_t *data = json_object_get(dataset, "data"), *newest = NULL;
    struct series s = {.now_ms = now_ms};
    int date = column(names, "Date");
    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *row = json_array_get(data, i);
        int64_t was = s.latest.ts_ms;
        if (!read_row(row, date, choice->column, &s, a))
            return;
        if (s.latest.ts_ms != was)
            newest = row;
    }
    const struct series_about about = {asked, choice->currency, choice->currency};
    series_answer(&s, &about, a);
    if (a->failure != FAIL_NONE)
        return;
    if (!choice->price) {
        a->record.price = a->record.prev_close = (struct decimal){0};
        return;
    }
    parse_positive(cell(newest, column(names, "Open")), &a->record.open);
    parse_positive(cell(newest, column(names, "High")), &a->record.high);
    parse_positive(cell(newest, column(names, "Low")), &a->record.low);
    parse_positive(cell(newest, column(names, "Volume")), &a->record.volume);
}

static bool is_echo(const json_t *dataset, const char *asked)
{
    const char *base = text_of(json_object_get(dataset, "database_code"));
    const char *code = text_of(json_object_get(dataset, "dataset_code"));
    size_t len = strlen(base);
    return strncmp(asked, base, len) == 0 && asked[len] == '/' &&
           strcmp(asked + len + 1, code) == 0;
}

static void read_dataset(const json_t *dataset, const char *asked, int64_t now_ms, struct answer *a)
{
    const json_t *names = json_object_get(dataset, "column_names");
    struct choice choice = choose(names);
    if (!json_is_array(json_object_get(dataset, "data")))
        parse_fail(a, FAIL_BAD_SCHEMA, "no rows in the reply");
    else if (!is_echo(dataset, asked))
        parse_fail(a, FAIL_BAD_SCHEMA, "asked for %s, the reply is for another data set", asked);
    else if (choice.column < 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "no column of the data set is known as a price");
    else
        read_rows(dataset, asked, &choice, now_ms, a);
}

static void ndl_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                      int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    int64_t cooldown_ms = MINUTE_COOLDOWN_MS;
    struct answer why = {0};
    json_t *root = parse_body(reply, &why);

    REQUIRE(n == 1);
    if (root && !probe_error(root, reply, &why, &cooldown_ms) &&
        parse_status(reply, &why) == FAIL_NONE)
        read_dataset(json_object_get(root, "dataset"), symbols[0], now_ms, &why);
    answers[0] = why;
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED && (cooldown_ms < 0 || verdict->cooldown_ms < cooldown_ms))
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_nasdaqdatalink = {
    .rule = {.name = "nasdaqdatalink",
             .serves = SERVES_BOTH,
             .key_env = "NASDAQ_DATA_LINK_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_minute = 120,
             .credits_per_day = 2400,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_HEADER,
    .position = 62,
    .batch_max = 1,
    .request = ndl_request,
    .parse = ndl_parse,
};
