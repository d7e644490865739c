/* publish.h - from an accepted record to an item on the bus.
 *
 * Numbers the item (seq), gives it its state and TTL, encodes it once and publishes it. Says no
 * word about a price that was confirmed a moment ago: an answer in which nothing but `recv` would
 * be new is published at most once a minute. Loop thread only; time comes in. */
#ifndef PRICEGATE_PUBLISH_H
#define PRICEGATE_PUBLISH_H

#include "buf.h"
#include "bus.h"
#include "config.h"
#include "provider.h"

/* What is remembered per instrument. Zeroed at first. */
struct publication {
    uint64_t counter;     /* of the last publication */
    int64_t published_ms; /* monotonic; valid with counter > 0 */
    struct buf essence;   /* the last item without recv and seq */
    bool unchanged;       /* the last record made the same essence as the one before it */
};

void publication_fini(struct publication *p);

/* What is to be published. */
struct publish_input {
    int id; /* the instrument's number on the bus */
    const struct instrument *in;
    const struct record *record; /* normalised: price and currency in major units. Of an
                                    observation `observation` is not NULL */
    size_t source_index;         /* in the chain */
    uint64_t epoch_ms;           /* start of this process */
    int64_t interval_ms;         /* the stretched interval */
    int64_t until_next_ms;       /* to the next poll */
    int64_t wall_ms, mono_ms;
};

enum publish_result { PUBLISH_SENT, PUBLISH_UNCHANGED, PUBLISH_FAILED /* out of memory */ };

enum publish_result publish_record(struct bus *bus, struct publication *p,
                                   const struct publish_input *x);

/* The limit of age of an instrument that is polled every interval_ms. */
int64_t publish_stale_after_ms(const struct instrument *in, int64_t interval_ms);
/* The TTL in seconds for an item whose next poll is until_next_ms away. */
int64_t publish_ttl_s(const struct instrument *in, int64_t until_next_ms);

#endif
