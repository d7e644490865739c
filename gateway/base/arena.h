/* arena.h - memory that is given back all at once.
 *
 * For values that are built once and die together (the configuration). Every piece is zeroed.
 * Not for anything that grows or shrinks. */
#ifndef PRICEGATE_ARENA_H
#define PRICEGATE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

struct arena;

struct arena *arena_new(void);    /* NULL: out of memory */
void arena_free(struct arena *a); /* with all its pieces; NULL is fine */

/* n elements of size bytes, zeroed, aligned for anything; n may be 0. NULL: out of memory. */
void *arena_alloc(struct arena *a, size_t n, size_t size) MUST_CHECK;
char *arena_strdup(struct arena *a, const char *s) MUST_CHECK;
/* True when a piece could not be had: whoever builds asks once, at the end. */
bool arena_failed(const struct arena *a);

#endif
