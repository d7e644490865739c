/* selection.h - the `symbols` list of a command, checked and resolved to instruments. */
#ifndef PRICEGATE_SELECTION_H
#define PRICEGATE_SELECTION_H

#include <jansson.h>
#include <stddef.h>

#include "bits.h"
#include "buf.h"
#include "config.h"
#include "err.h"
#include "grant.h"
#include "prefixes.h"

struct selection {
    const json_t *list;       /* borrowed: the strings as given */
    struct prefixes patterns; /* of the list */
    struct bits ids;          /* named or matched */
    int *order;               /* the same, each once, in the order of the list */
    size_t order_len;
    /* Per name, the first instrument that no pattern before it matches; per instrument, the next
     * one of the same name. -1 ends. */
    int *matched, *next;
    struct buf rejected; /* elements for protocol_add_array(): the unknown ones */
    size_t unknown;      /* of them, those of no instrument */
    size_t over;         /* and those beyond the client's limit, where somebody adds these */
};

enum selection_result { SELECTION_OK, SELECTION_MALFORMED, SELECTION_NO_MEMORY };

/* Reads member "symbols" of root. A list that is malformed (no array of strings, a star anywhere
 * but at the end, more names than make sense) is refused whole, with a sentence. An empty list and
 * a pattern that matches nothing are fine. What the grant does not allow is refused by its name,
 * and passed over by a pattern; grant NULL: everything is allowed. selection_fini() in every case.
 */
enum selection_result selection_init(struct selection *s, const struct config *config,
                                     const struct grant *grant, const json_t *root,
                                     struct err *err) MUST_CHECK;
void selection_fini(struct selection *s);

#endif
