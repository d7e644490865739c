/* instrument_map.h - where the instruments of one configuration are in another one. Pure.
 *
 * An instrument is the same when kind and symbol are: everything else about it may change. The two
 * configurations must outlive the map. */
#ifndef PRICEGATE_INSTRUMENT_MAP_H
#define PRICEGATE_INSTRUMENT_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"
#include "config.h"

struct instrument_map {
    const struct config *from, *to;
    int *there;   /* by number in `from`: its number in `to`; -1 = it is gone */
    bool *joined; /* by number in `to`: it was not in `from` */
};

int instrument_map_init(struct instrument_map *m, const struct config *from,
                        const struct config *to) MUST_CHECK; /* -1: out of memory */
void instrument_map_fini(struct instrument_map *m);          /* may be called twice */

/* Is there anything but its number that differs for instrument i of `from`, which must be there? */
bool instrument_map_changed(const struct instrument_map *m, size_t i);
/* Are its sources the same, in the same order? */
bool instrument_map_same_sources(const struct instrument_map *m, size_t i);

#endif
