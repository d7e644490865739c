/* since.h - the `since` member of a subscribe: what the client says it already has. */
#ifndef PRICEGATE_SINCE_H
#define PRICEGATE_SINCE_H

#include <jansson.h>
#include <stdbool.h>

#include "bits.h"
#include "book.h"

/* Is that an object of strings? */
bool since_valid(json_t *since); /* not changed, but jansson iterates over no const */
/* Moves from `fresh` to `known` the symbols whose held item is not newer than what `since` names,
 * and of the same epoch. A name that is not configured counts for nothing, and so does a version
 * that can't be read. since may be NULL. */
void since_split(const json_t *since, const struct book *book, struct bits *fresh,
                 struct bits *known);

#endif
