/* patterns.h - the patterns ("*", "EUR/" and a star) that a client has subscribed to.
 *
 * A pattern is resolved to instruments when it comes; it is kept, with the options that it came
 * with, so that an instrument that a reload adds later can join. A message may name more than a
 * thousand of them: they are kept sorted, and none is looked for by going through all. Loop thread
 * only. */
#ifndef PRICEGATE_PATTERNS_H
#define PRICEGATE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "fields.h"
#include "prefixes.h"
#include "symbol.h"

struct pattern {
    char text[SYMBOL_MAX + 2]; /* with the star and the NUL */
    int64_t interval_ms;       /* 0 = not paced */
    struct fields *fields;     /* a reference; NULL = whole items */
    uint64_t turn;             /* the larger, the later it was added */
};

struct patterns {
    struct pattern *list; /* by text */
    size_t len;
    uint64_t turns;
};

void patterns_fini(struct patterns *p); /* empties it; may be called twice */

/* text must be one (symbol_is_pattern()). One that is there already has these options now. -1: out
 * of memory, which it never is for one that is there. */
int patterns_add(struct patterns *p, const char *text, int64_t interval_ms,
                 struct fields *fields) MUST_CHECK;
/* Takes out all that match nothing beyond what one of these matches: "*" takes out every one. */
void patterns_remove(struct patterns *p, const struct prefixes *these);
bool patterns_has(const struct patterns *p, const char *text);
/* The one that counts for a symbol, which is the last that was added; NULL: none matches. */
const struct pattern *patterns_find(const struct patterns *p, const char *symbol);

/* Their fields become those of another fan-out. -1: out of memory, nothing has changed. */
int patterns_carry(struct patterns *p, struct field_sets *sets) MUST_CHECK;

#endif
