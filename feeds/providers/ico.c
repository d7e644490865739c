/* ico.c - one number by the International Coffee Organization, for when there is no other.
 *
 * The composite indicator (I-CIP) is a weighted average of the prices of four groups of green
 * coffee on the spot markets. This is its average of one month, February 2025: 354.32 US cents a
 * pound, as the organization's market report of that month has it. It is compiled in; there is no
 * network.
 *
 * What it is: a benchmark to hold a price against, and a last source behind those that are asked,
 * so that coffee is never without any number. It is always there, and always dated the end of its
 * month (28 February 2025, 12:00 UTC), so it cannot pass for today's market: it is never "live",
 * and never takes the place of a price that is younger, as every other one is.
 *
 * What it is not: a quote. Nobody trades at it, it has no bid, no high, no day; a future (KC=F) is
 * for Arabica alone and differs from it at any time. A new month's value is a new version of this
 * file. */
#include <string.h>

#include "provider.h"

static const char SYMBOL[] = "I-CIP";
static const int64_t MONTH_END_MS = 1740744000000; /* 2025-02-28 12:00 UTC */
static const int64_t AVERAGE_IN_HUNDREDTHS = 35432;

static void ico_generate(const char *symbol, int64_t now_ms, struct answer *out)
{
    struct record *r = &out->record;
    if (strcmp(symbol, SYMBOL) != 0 || now_ms < MONTH_END_MS) {
        parse_fail(out, FAIL_NOT_FOUND, "no such symbol");
        return;
    }
    r->price = (struct decimal){.coef = AVERAGE_IN_HUNDREDTHS, .scale = 2, .given = true};
    memcpy(r->currency, "USX", 4);
    r->ts_ms = MONTH_END_MS;
}

static const char *symbol_problem(const char *symbol)
{
    return strcmp(symbol, SYMBOL) == 0 ? NULL : "should be I-CIP, the only one there is";
}

const struct provider provider_ico = {
    .rule = {.name = "ico", .enabled_by_default = true, .symbol_problem = symbol_problem},
    .data = DATA_BENCHMARK,
    .auth = AUTH_NONE,
    .position = 90,
    .batch_max = 1,
    .generate = ico_generate,
};
