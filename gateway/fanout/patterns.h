/* patterns.h - the patterns ("*", "EUR/" and a star) that a client has subscribed to.
 *
 * A pattern is resolved to instruments when it comes; it is kept so that an instrument that a
 * reload adds later can join. Plain value; loop thread only. */
#ifndef PRICEGATE_PATTERNS_H
#define PRICEGATE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "symbol.h"

struct patterns {
    char (*list)[SYMBOL_MAX + 2]; /* with the star and the NUL */
    size_t len;
};

void patterns_fini(struct patterns *p); /* empties it; may be called twice */

/* pattern must be one (symbol_is_pattern()). Adding it twice is harmless. -1: out of memory. */
int patterns_add(struct patterns *p, const char *pattern) MUST_CHECK;
/* Takes out all that match nothing beyond what `pattern` matches: "*" takes out every one. */
void patterns_remove(struct patterns *p, const char *pattern);
bool patterns_has(const struct patterns *p, const char *pattern);
bool patterns_match(const struct patterns *p, const char *symbol);

#endif
