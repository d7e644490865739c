/* symbol.h - the syntax of instrument symbols (PROTOCOL 2), and matching of subscriptions.
 *
 * [A-Za-z0-9^][A-Za-z0-9._=^!:/-]{0,31}, case-sensitive, no empty, "." or ".." segment between
 * slashes, no trailing "/". The rule about segments keeps a symbol whole in a URL path. */
#ifndef PRICEGATE_SYMBOL_H
#define PRICEGATE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>

#define SYMBOL_MAX 32 /* bytes without the NUL */

/* What is followed under a symbol: a price, or an observation (observation.h). Both are named from
 * one set of symbols. */
enum instrument_kind { INSTRUMENT_QUOTE, INSTRUMENT_OBSERVATION };

bool symbol_valid(const char *s, size_t len);

/* True for a subscription pattern: "*", or the beginning of a symbol followed by one "*" at the
 * end. */
bool symbol_is_pattern(const char *s, size_t len);
/* True when symbol begins with what stands before the pattern's "*". */
bool symbol_matches(const char *pattern, size_t pattern_len, const char *symbol);

#endif
