/* view_options.h - what a client wants of its symbols beyond having them; part of a view's key.
 *
 * Per symbol: is it paced (its quotes come by the client's own interval, see pace.h, and the view
 * tells only its states), and which fields are wanted. Most clients want none of it and have no
 * such object: NULL stands for "no options" everywhere. Loop thread only. */
#ifndef PRICEGATE_VIEW_OPTIONS_H
#define PRICEGATE_VIEW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "fields.h"

struct view_options {
    size_t len; /* instruments */
    struct bits paced;
    struct fields **fields; /* one reference per symbol; NULL = whole items, of all or of one */
    uint64_t words[];       /* of paced */
};

struct view_options *
view_options_new(size_t len) MUST_CHECK; /* of no symbol; NULL: out of memory */
struct view_options *view_options_copy(const struct view_options *o) MUST_CHECK;
void view_options_free(struct view_options *o); /* NULL is fine */

/* -1: out of memory, nothing has changed. */
int view_options_set(struct view_options *o, int id, bool paced, struct fields *fields) MUST_CHECK;
bool view_options_any(const struct view_options *o);
bool view_options_equal(const struct view_options *a,
                        const struct view_options *b); /* NULLs are fine */
uint64_t view_options_hash(const struct view_options *o, uint64_t seed);

static inline struct fields *view_options_fields(const struct view_options *o, int id)
{
    return o && o->fields ? o->fields[id] : NULL;
}

static inline bool view_options_paced(const struct view_options *o, int id)
{
    return o && bits_test(&o->paced, id);
}

/* Does who gets this symbol's items see their `state`? */
static inline bool view_options_show_state(const struct view_options *o, int id)
{
    const struct fields *x = view_options_fields(o, id);
    return !x || x->state;
}

#endif
