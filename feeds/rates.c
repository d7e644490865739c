/* Digits. A rate from the table is passed on as it was given. A computed one is a rounded quotient,
 * and has one digit more than the longer of the two it comes from, so that the rounding is not what
 * limits it; but no fewer than six, as pairs are quoted. */
#include "rates.h"

#include <string.h>

enum { DIGITS_MIN = 6, DIGITS_MAX = 18 };
static const int64_t FIXING_MS = INT64_C(60000) * (12 * 60 + 10);
static const int64_t AGE_MAX_DAYS = 6; /* Easter and Christmas make gaps of up to five */

bool rates_code_ok(const char *code)
{
    return strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 && code[3] == '\0';
}

static bool split(const char *symbol, char base[static 4], char quote[static 4])
{
    if (strlen(symbol) != 7 || symbol[3] != '/')
        return false;
    memcpy(base, symbol, 3);
    memcpy(quote, symbol + 4, 3);
    base[3] = quote[3] = '\0';
    return rates_code_ok(base) && rates_code_ok(quote) && strcmp(base, quote) != 0;
}

const char *rates_symbol_problem(const char *symbol)
{
    char base[4], quote[4];
    return split(symbol, base, quote) ? NULL : "should look like EUR/USD, two currency codes";
}

static const struct rate *find(const struct rates *r, const char *currency)
{
    for (size_t i = 0; i < r->len; i++)
        if (strcmp(r->list[i].currency, currency) == 0)
            return &r->list[i];
    return NULL;
}

int rates_add(struct rates *r, const char *currency, struct decimal value)
{
    if (!rates_code_ok(currency) || !decimal_positive(value))
        return -1;
    if (strcmp(currency, r->base) == 0)
        return 0;
    if (r->len == RATES_MAX || find(r, currency))
        return -1;
    struct rate *rate = &r->list[r->len++];
    memcpy(rate->currency, currency, sizeof rate->currency);
    rate->value = value;
    return 0;
}

static int digits_of(struct decimal a, struct decimal b)
{
    int x = decimal_digits(a), y = decimal_digits(b);
    int digits = (x > y ? x : y) + 1;
    return digits < DIGITS_MIN ? DIGITS_MIN : digits > DIGITS_MAX ? DIGITS_MAX : digits;
}

static void answer(const struct rates *r, const char *symbol, struct answer *a)
{
    const struct rate one = {.value = decimal_from_int(1)};
    char base[4], quote[4];
    *a = (struct answer){0};
    if (!split(symbol, base, quote)) {
        parse_fail(a, FAIL_NOT_FOUND, "%s is not a pair of currencies", symbol);
        return;
    }
    const struct rate *per = strcmp(base, r->base) == 0 ? &one : find(r, base);
    const struct rate *of = strcmp(quote, r->base) == 0 ? &one : find(r, quote);
    if (!per || !of) {
        parse_fail(a, FAIL_NOT_FOUND, "no rate of %s in the table", per ? quote : base);
        return;
    }
    struct record *rec = &a->record;
    rec->ts_ms = r->ts_ms;
    memcpy(rec->currency, quote, sizeof quote);
    rec->derived = per != &one;
    rec->price = of->value;
    if (rec->derived &&
        decimal_div(of->value, per->value, digits_of(of->value, per->value), &rec->price) != 0)
        parse_fail(a, FAIL_BAD_SCHEMA, "the rates of %s and %s have no quotient", base, quote);
}

void rates_answer(const struct rates *r, const char *const *symbols, size_t n,
                  struct answer *answers)
{
    for (size_t i = 0; i < n; i++)
        answer(r, symbols[i], &answers[i]);
}

enum failure rates_check(const struct rates *r, int64_t now_ms, struct answer *why)
{
    int64_t age_days = (now_ms - r->ts_ms) / 86400000;
    if (r->len == 0)
        parse_fail(why, FAIL_NO_DATA, "a table without rates");
    else if (r->ts_ms <= 0)
        parse_fail(why, FAIL_BAD_SCHEMA, "rates without their time");
    else if (age_days >= AGE_MAX_DAYS)
        parse_fail(why, FAIL_NO_DATA, "the latest rates are %d days old", (int)age_days);
    return why->failure;
}

int64_t rates_fixing_ms(const char *date)
{
    if (!date || strlen(date) != 10)
        return 0;
    int64_t day_ms = parse_utc_text(date);
    return day_ms > 0 ? day_ms + FIXING_MS : 0;
}
