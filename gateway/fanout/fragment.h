/* fragment.h - one item as somebody is to see it: whole, or cut to a field set.
 *
 * A cut is a copy of some members' bytes, in the item's order, never printed anew. It is made once
 * per item and field set, whoever asks, and kept at the book's entry while that item is the
 * newest. Loop thread only. */
#ifndef PRICEGATE_FRAGMENT_H
#define PRICEGATE_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "book.h"
#include "fields.h"

struct fragment {
    const char *p; /* valid until the entry's next item */
    size_t len;    /* 0: there is no item */
    bool failed;   /* out of memory */
};

/* fields NULL: the item as it is. */
struct fragment fragment_of(struct book_entry *e, const struct fields *fields);
/* The entry's item goes: so do its cuts. */
void fragment_forget(struct book_entry *e);

#endif
