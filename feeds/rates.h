/* rates.h - a day's reference rates, and what follows from them for a pair.
 *
 * Central banks and rate services publish one table: so many units of each currency for one unit of
 * a base. A pair BASE/QUOTE (its price: units of QUOTE for one BASE) is in the table when BASE is
 * the base; otherwise it is computed, as an inverse or through the base, and marked `derived`. Pure
 * values; used by the providers that have such tables. */
#ifndef PRICEGATE_RATES_H
#define PRICEGATE_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider.h"

#define RATES_MAX 256 /* more currencies than there are */

struct rate {
    char currency[4];
    struct decimal value; /* units for one of the base, > 0 */
};

struct rates {
    char base[4];
    int64_t ts_ms; /* of all of them */
    size_t len;
    struct rate list[RATES_MAX];
};

/* Three capitals? */
bool rates_code_ok(const char *code);
/* NULL when the symbol is a pair of two codes that differ, else what it should look like. */
const char *rates_symbol_problem(const char *symbol);

/* One more rate. -1: not a code, there already (the base's own is passed over), not positive, or
 * one too many. */
int rates_add(struct rates *r, const char *currency, struct decimal value) MUST_CHECK;

/* The answers for pairs; one with a currency that is not in the table is not_found, which is no
 * fault of the provider. */
void rates_answer(const struct rates *r, const char *const *symbols, size_t n,
                  struct answer *answers);

/* The time of the European Central Bank's rates of a day ("2026-01-31"): they are fixed at 14:10
 * Frankfurt time, of which the earlier in UTC is taken, 12:10. 0: no such date. */
int64_t rates_fixing_ms(const char *date);
/* Can the table be used at all? no_data: it is empty, or so old that nobody publishes it any more;
 * bad_schema: it has no time. FAIL_NONE: it can. */
enum failure rates_check(const struct rates *r, int64_t now_ms, struct answer *why);

#endif
