/* carry.h - a fan-out goes over to another configuration.
 *
 * A reload makes a second fan-out and carries prices and clients into it, one call each, in one
 * turn of the loop; the first is empty then. A client notices nothing but what concerns it: it is
 * told which of its symbols are gone (`unsubscribed`), and which have joined by a pattern that it
 * has subscribed to (`subscribed`, and their snapshot). What it was owed, it is owed there. Part of
 * tiers_take_over(). Loop thread only. */
#ifndef PRICEGATE_CARRY_H
#define PRICEGATE_CARRY_H

#include "fanout.h"
#include "instrument_map.h"

/* Flushes what is pending, so that nothing waits in a view. First of all. */
void carry_flush(struct fanout *from, int64_t mono_ns);
/* What is known of the instruments that are in both; the others begin. `to` must be new. */
void carry_market(struct fanout *to, struct fanout *from, const struct instrument_map *map,
                  int64_t wall_ms);
/* Without memory for its things the client is closed, and goes over as one that is closing. */
void carry_client(struct client *c, struct fanout *to, const struct instrument_map *map,
                  struct moment now);

#endif
