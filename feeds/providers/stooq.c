/* stooq.c - Stooq's table of last prices as CSV, https://stooq.com/q/l/. Shipped disabled.
 *
 *   Symbol,Date,Time,Open,High,Low,Close,Volume       asked for by f= and h, a row per symbol
 *   KC.F,2026-03-25,17:16:48,317.4,318.68,311.5,317.17,
 *   KC.F,20260325,171648,317.4,318.68,311.5,317.17,,  without them: no first line, other digits
 *
 * Programs are not welcome there any more: most of the time a page comes that wants a browser to
 * compute something first, or an apikey to be fetched by a person. Neither is answered. It is
 * "blocked", nothing is asked for a day, and people are told. What the replies taught:
 *  - Everything comes under HTTP 200: a row of N/D for an unknown symbol, "No data", "Exceeded the
 *    daily hits limit", the pages. What begins with < is never a table.
 *  - A 404 says that the path is gone, sometimes along with a warning of their database. It says
 *    nothing of a symbol, nor is it a wall.
 *  - A table is one by its first line or, without it, by the form of its rows. A row of a symbol
 *    that was not asked for means that it is the answer to something else.
 *
 * Units. The replies name none. Futures on coffee and the other softs are in US cents a pound, most
 * other futures are not, and London has pence beside pounds; so only symbols whose unit is certain
 * are taken, see currency_of().
 *
 * Time. Dates and times are those of Warsaw, without saying so: one hour before UTC, two from the
 * last Sunday of March, 01:00 UTC, to the last Sunday of October, 01:00 UTC, as in all of the
 * Union. Computed here, as the C library's zones are a state of the process. The hour that comes
 * twice in October is taken for the first of the two: a price may look an hour older, never
 * younger. */
#include <string.h>
#include <strings.h>

#include "provider.h"

static const char BASE_URL[] = "https://stooq.com";
static const char FIRST_LINE[] = "Symbol,Date,Time,Open,High,Low,Close";
static const char NOT_GIVEN[] = "N/D";

static const int64_t HOUR_MS = 3600000;
static const int64_t DAY_MS = 86400000;

enum { BATCH_MAX = 20, SYMBOL_BYTES_MAX = 20, FIELDS_MAX = 9, FIELD_BYTES_MAX = 40 };
enum { BLOCKED_MS = 86400000 };
enum { COL_SYMBOL, COL_DATE, COL_TIME, COL_OPEN, COL_HIGH, COL_LOW, COL_CLOSE, COL_VOLUME };

/* ---- asking ---- */

/* Only what is certain has a row. */
static const struct {
    const char *ending, *currency;
} units[] = {
    {"ct.f", "USX"}, /* cotton: cents a pound, as are the next three */
    {"kc.f", "USX"}, /* coffee */
    {"oj.f", "USX"}, /* orange juice */
    {"sb.f", "USX"}, /* sugar */
    {".de",  "EUR"}, /* Xetra */
    {".jp",  "JPY"}, /* Tokyo */
    {".us",  "USD"},
};

/* Writes the currency of a symbol's prices; false when it is not known, or no symbol. */
static bool currency_of(const char *symbol, char out[static 8])
{
    size_t len = strlen(symbol);
    size_t name = strspn(symbol, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (len > SYMBOL_BYTES_MAX || name == 0)
        return false;
    if (len == 6 && strspn(symbol, "abcdefghijklmnopqrstuvwxyz") == 6) { /* eurusd */
        for (int i = 0; i < 3; i++)
            out[i] = (char)(symbol[3 + i] - 'a' + 'A');
        out[3] = '\0';
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        const char *ending = units[i].ending;
        if (strcmp(ending[0] == '.' ? symbol + name : symbol, ending) == 0) {
            snprintf(out, 8, "%s", units[i].currency);
            return true;
        }
    }
    return false;
}

static const char *symbol_problem(const char *symbol)
{
    char currency[8];
    if (currency_of(symbol, currency))
        return NULL;
    return "should look like kc.f (or ct.f, oj.f, sb.f), aapl.us, sap.de, 7203.jp or eurusd, the "
           "ones whose unit is known";
}

static int stooq_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                         struct http_request *out, struct err *err)
{
    if (n == 0 || n > BATCH_MAX)
        return err_set(err, "stooq: 1 to %d symbols at once, not %zu", BATCH_MAX, n);
    parse_base_url(cfg, BASE_URL, &out->url);
    for (size_t i = 0; i < n; i++) {
        const char *problem = symbol_problem(symbols[i]);
        if (problem)
            return err_set(err, "stooq: symbol %zu %s", i + 1, problem);
        buf_addf(&out->url, "%s%s", i == 0 ? "/q/l/?s=" : "+", symbols[i]);
    }
    buf_adds(&out->url, "&f=sd2t2ohlcv&h&e=csv");
    buf_adds(&out->headers, "Accept: text/csv, text/plain\n");
    return out->url.failed || out->headers.failed ? err_set(err, "stooq: out of memory") : 0;
}

/* ---- walls and other replies without a table ---- */

/* Texts that come in place of a table, by their beginning. */
static const struct {
    const char *text;
    enum failure failure;
    int64_t cooldown_ms;
    const char *sentence;
} refusals[] = {
    {"Exceeded the daily hits limit", FAIL_RATE_LIMITED, -1,         "the day's hits are used up"},
    {"Get your apikey",               FAIL_BLOCKED,      BLOCKED_MS, "wants an apikey"           },
    {"No data",                       FAIL_NO_DATA,      0,          "No data"                   },
};

static bool begins(const char *text, const char *end, const char *with)
{
    size_t len = strlen(with);
    return (size_t)(end - text) >= len && strncasecmp(text, with, len) == 0;
}

static const char *skip_space(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n'))
        text++;
    return text;
}

/* What is wrong with the reply as a whole; sets the cool-down that belongs to it. */
static enum failure probe_refusal(const struct http_reply *reply, int64_t *cooldown_ms,
                                  struct answer *why)
{
    const char *end = reply->body + reply->len, *text = skip_space(reply->body, end);
    enum failure f = parse_status(reply, why);
    bool page = parse_is_html(reply);
    if (memmem(text, (size_t)(end - text), "mysqli_", 7)) {
        parse_fail(why, FAIL_UPSTREAM_ERROR, "HTTP %d: its database fails", reply->status);
    } else if (page &&
               (f == FAIL_NONE || f == FAIL_AUTH || f == FAIL_NOT_FOUND || f == FAIL_BAD_SCHEMA)) {
        parse_fail(why, FAIL_BLOCKED, "HTTP %d: a page wants a browser", reply->status);
        *cooldown_ms = BLOCKED_MS;
    } else if (f == FAIL_NOT_FOUND) {
        parse_fail(why, FAIL_UPSTREAM_ERROR, "HTTP %d: no table there any more", reply->status);
    }
    for (size_t i = 0; why->failure == FAIL_NONE && i < ARRAY_LEN(refusals); i++) {
        if (begins(text, end, refusals[i].text)) {
            parse_fail(why, refusals[i].failure, "refused: %s", refusals[i].sentence);
            *cooldown_ms = refusals[i].cooldown_ms;
        }
    }
    return why->failure;
}

/* ---- time ---- */

/* When the last Sunday of a month of 31 days begins, in UTC. */
static int64_t last_sunday_ms(const char *year, const char *month)
{
    char text[16];
    snprintf(text, sizeof text, "%.4s-%s-31", year, month);
    int64_t days = parse_utc_text(text) / DAY_MS;
    return (days - (days + 4) % 7) * DAY_MS; /* 1970-01-01 was a Thursday */
}

/* "2026-03-25" and "17:16:48", or "20260325" and "171648", in Warsaw. 0: no such time. */
static int64_t warsaw_ms(const char *date, const char *time)
{
    char text[24];
    if (strlen(date) == 8 && strlen(time) == 6)
        snprintf(text, sizeof text, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s", date, date + 4, date + 6, time,
                 time + 2, time + 4);
    else if (strlen(date) == 10 && strlen(time) == 8)
        snprintf(text, sizeof text, "%.10s %.8s", date, time);
    else
        return 0;
    int64_t local_ms = parse_utc_text(text);
    if (local_ms < DAY_MS)
        return 0;
    int64_t summer_ms = local_ms - 2 * HOUR_MS;
    bool summer = summer_ms >= last_sunday_ms(text, "03") + HOUR_MS &&
                  summer_ms < last_sunday_ms(text, "10") + HOUR_MS;
    return summer ? summer_ms : local_ms - HOUR_MS;
}

/* ---- rows ---- */

static const char *line_end(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    return nl ? nl : end;
}

struct row {
    char field[FIELDS_MAX][FIELD_BYTES_MAX];
};

/* Takes the line [*p, end), which does not begin with space, apart and moves *p to its end. False:
 * it is no row of a table. */
static bool read_row(const char **p, const char *end, struct row *row)
{
    const char *at = *p, *stop = line_end(*p, end);
    size_t n = 0;
    *row = (struct row){0};
    *p = stop;
    while (stop[-1] == '\r')
        stop--;
    for (; n < FIELDS_MAX; n++) {
        const char *comma = memchr(at, ',', (size_t)(stop - at));
        size_t len = (size_t)((comma ? comma : stop) - at);
        if (len >= FIELD_BYTES_MAX)
            return false;
        memcpy(row->field[n], at, len);
        if (!comma)
            return n >= COL_CLOSE;
        at = comma + 1;
    }
    return false;
}

static struct decimal positive(const char *text)
{
    struct decimal d;
    if (decimal_parse(text, strlen(text), &d) != 0 || !decimal_positive(d))
        d = (struct decimal){0};
    return d;
}

static void answer_row(const struct row *row, const char *symbol, struct answer *a)
{
    const char(*field)[FIELD_BYTES_MAX] = row->field;
    struct decimal price;
    *a = (struct answer){0};
    if (strcmp(field[COL_CLOSE], NOT_GIVEN) == 0) {
        bool known = strcmp(field[COL_DATE], NOT_GIVEN) != 0;
        parse_fail(a, known ? FAIL_NO_DATA : FAIL_NOT_FOUND, "no figures for %s", symbol);
        return;
    }
    if (decimal_parse(field[COL_CLOSE], strlen(field[COL_CLOSE]), &price) != 0) {
        parse_fail(a, FAIL_BAD_SCHEMA, "the price is not a number");
        return;
    }
    a->record = (struct record){.price = price,
                                .open = positive(field[COL_OPEN]),
                                .high = positive(field[COL_HIGH]),
                                .low = positive(field[COL_LOW]),
                                .volume = positive(field[COL_VOLUME]),
                                .ts_ms = warsaw_ms(field[COL_DATE], field[COL_TIME])};
    if (!decimal_positive(price))
        parse_fail(a, FAIL_NO_DATA, "the price is not above 0");
    else if (a->record.ts_ms == 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "a price without its time");
    else if (!currency_of(symbol, a->record.currency))
        parse_fail(a, FAIL_NOT_FOUND, "the unit of %s is not known", symbol);
}

/* The row's answer goes to whoever asked for its symbol; false when nobody did. */
static bool hand_out(const struct row *row, const char *const *symbols, size_t n,
                     struct answer *answers)
{
    bool wanted = false;
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(row->field[COL_SYMBOL], symbols[i]) != 0)
            continue;
        answer_row(row, symbols[i], &answers[i]);
        wanted = true;
    }
    return wanted;
}

static void read_table(const struct http_reply *reply, const char *const *symbols, size_t n,
                       struct answer *answers, struct answer *why)
{
    const char *end = reply->body + reply->len, *p = skip_space(reply->body, end);
    struct row row;
    parse_fail_all(answers, n, FAIL_NO_DATA, "not in the table");
    if (begins(p, end, FIRST_LINE))
        p = line_end(p, end);
    else if (p == end)
        parse_fail(why, FAIL_BAD_SCHEMA, "empty reply");
    for (p = skip_space(p, end); p < end && why->failure == FAIL_NONE; p = skip_space(p, end)) {
        if (!read_row(&p, end, &row))
            parse_fail(why, FAIL_BAD_SCHEMA, "not a table of prices");
        else if (!hand_out(&row, symbols, n, answers))
            parse_fail(why, FAIL_BAD_SCHEMA, "prices of %s, which nobody asked for",
                       row.field[COL_SYMBOL]);
    }
}

static void stooq_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                        int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    (void)now_ms; /* rows have their own time */
    struct answer why = {0};
    int64_t cooldown_ms = 0;
    if (probe_refusal(reply, &cooldown_ms, &why) == FAIL_NONE)
        read_table(reply, symbols, n, answers, &why);
    if (why.failure != FAIL_NONE)
        parse_fail_all(answers, n, why.failure, why.detail);
    parse_verdict(reply, answers, n, verdict);
    if (cooldown_ms != 0)
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_stooq = {
    .rule = {.name = "stooq",
             .credits_per_minute = 10,
             .credits_per_day = 144,
             .symbol_problem = symbol_problem},
    .data = DATA_DELAYED,
    .auth = AUTH_NONE,
    .position = 30,
    .batch_max = BATCH_MAX,
    .day_zone = "Europe/Warsaw", /* from memory, as that of its times */
    .request = stooq_request,
    .parse = stooq_parse,
};
