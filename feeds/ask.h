/* ask.h - carries out one request of a walk: build, fetch, parse, account, answer.
 *
 * Between the walk, which knows no network, and fetch, which knows no prices. A provider that
 * generates its records is answered at once, by the same way. Loop thread only. */
#ifndef PRICEGATE_ASK_H
#define PRICEGATE_ASK_H

#include <stdbool.h>

#include "bus.h"
#include "chain.h"
#include "fetch.h"
#include "metrics.h"
#include "upstream.h"

struct ask;

struct asker {
    struct fetch *fetch;
    struct bus *bus;
    struct metrics *metrics;
    struct fetch_limits limits; /* of every request; a slow provider's row has its own time */
    struct ask *under_way;
    bool news; /* something was learned of a provider; the owner clears it */
};

/* Takes the admitted request and answers it: chain_answered() or chain_failed(), exactly once,
 * before this returns or later. */
void ask_send(struct asker *a, struct upstream *u, struct chain_request *r);
/* Drops all requests under way, and with them their walks. */
void ask_drop_all(struct asker *a);

#endif
