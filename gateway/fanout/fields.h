/* fields.h - a field set: which members of an item somebody wants.
 *
 * Interned: equal sets are the same object, so that they compare by address and cuts made for one
 * client serve all. symbol and seq are in every set, whether named or not. Immutable, shared by
 * reference count; loop thread only. */
#ifndef PRICEGATE_FIELDS_H
#define PRICEGATE_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

#define FIELDS_NAMES_MAX 32
#define FIELDS_NAME_MAX  32 /* bytes of one name */

struct fields {
    struct fields *next, **prev; /* in field_sets */
    unsigned refs;
    uint64_t serial; /* never used twice in one fan-out */
    bool state;      /* `state` is one of the names */
    size_t len;
    char names[FIELDS_NAMES_MAX + 2][FIELDS_NAME_MAX + 1]; /* sorted, each once */
};

struct field_sets {
    struct fields *list;
    uint64_t serials;
};

/* Is that a list of names as a client may send one? */
bool fields_valid(const json_t *list);
/* The set of a valid list, found or made, with a reference. NULL: out of memory. */
struct fields *fields_get(struct field_sets *sets, const json_t *list) MUST_CHECK;
/* The same set among others: of another fan-out. */
struct fields *fields_copy(struct field_sets *sets, const struct fields *x) MUST_CHECK;
struct fields *fields_ref(struct fields *x); /* NULL is fine, here and below; returns it */
void fields_unref(struct fields *x);

#endif
