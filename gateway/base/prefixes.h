/* prefixes.h - many patterns ("EUR*", "A*") against many symbols, each symbol for one search.
 *
 * Patterns come from strangers, thousands at once; comparing each with each symbol would let them
 * have millions of comparisons for a message. Pure. */
#ifndef PRICEGATE_PREFIXES_H
#define PRICEGATE_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

struct prefix;

struct prefixes {
    struct prefix *list;
    size_t len;
};

/* -1: out of memory. At most max calls of prefixes_add() may follow. */
int prefixes_init(struct prefixes *p, size_t max) MUST_CHECK;
void prefixes_fini(struct prefixes *p);

/* pattern ends in its star; borrowed. number: what prefixes_match() says of it. */
void prefixes_add(struct prefixes *p, const char *pattern, size_t len, int number);
/* Once, behind the last. */
void prefixes_sort(struct prefixes *p);
/* The lowest number of those that match, or -1. */
int prefixes_match(const struct prefixes *p, const char *symbol);

#endif
