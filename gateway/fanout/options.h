/* options.h - what a client wants of its symbols beyond having them; part of a view's key.
 *
 * Per symbol: is it paced (its quotes come by the client's own interval, see pace.h, and the view
 * tells only its states), and which fields are wanted. Most clients want none of it and have no
 * such object: NULL stands for "no options" everywhere. Loop thread only. */
#ifndef PRICEGATE_OPTIONS_H
#define PRICEGATE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "fields.h"

struct options {
    size_t len; /* instruments */
    struct bits paced;
    struct fields **fields; /* one reference per symbol; NULL = whole items */
};

struct options *options_new(size_t len) MUST_CHECK; /* of no symbol; NULL: out of memory */
struct options *options_copy(const struct options *o) MUST_CHECK;
void options_free(struct options *o); /* NULL is fine */

void options_set(struct options *o, int id, bool paced, struct fields *fields);
bool options_any(const struct options *o);
bool options_equal(const struct options *a, const struct options *b); /* NULLs are fine */
uint64_t options_hash(const struct options *o, uint64_t seed);

static inline struct fields *options_fields(const struct options *o, int id)
{
    return o ? o->fields[id] : NULL;
}

static inline bool options_paced(const struct options *o, int id)
{
    return o && bits_test(&o->paced, id);
}

/* Does who gets this symbol's items see their `state`? */
static inline bool options_show_state(const struct options *o, int id)
{
    const struct fields *x = options_fields(o, id);
    return !x || x->state;
}

#endif
