/* bus_shared.h - the shared values this process knows by itself, each until it expires. Pure.
 *
 * The memory bus has no other store. The redis bus keeps here what this process wrote, to answer
 * with it while Redis cannot be asked and to give it back to a Redis that was restarted empty.
 * A short list searched from the front: two keys per provider. */
#ifndef PRICEGATE_BUS_SHARED_H
#define PRICEGATE_BUS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

#define BUS_SHARED_MAX 1024 /* values; more are refused */

struct bus_shared_value {
    struct bus_shared_value *next;
    int64_t expires_ms; /* on the clock that the caller passes in */
    bool unsent;        /* the caller's mark: Redis was not told; false at first */
    char *bytes;
    size_t len;
    char key[];
};

struct bus_shared {
    struct bus_shared_value *first;
    size_t len;
};

void bus_shared_fini(struct bus_shared *s);
/* Stores a copy. NULL: out of memory or full; what was stored under the key is gone then. */
struct bus_shared_value *bus_shared_put(struct bus_shared *s, const char *key, const char *bytes,
                                        size_t len, int64_t expires_ms, int64_t now_ms) MUST_CHECK;
/* Borrowed until the next call, or NULL when there is none (any more). */
const struct bus_shared_value *bus_shared_find(struct bus_shared *s, const char *key,
                                               int64_t now_ms);

#endif
