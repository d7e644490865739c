/* lone_feeds.h - the polling half alone: no server, an embedded bus of its own. For `fetch`.
 *
 * Nothing is published to Redis and no running gateway's breaker is moved, so it can be tried at
 * any time; it does cost the providers' credits. */
#ifndef PRICEGATE_LONE_FEEDS_H
#define PRICEGATE_LONE_FEEDS_H

#include <uv.h>

#include "bus.h"
#include "config.h"
#include "feeds.h"
#include "metrics.h"

struct lone_feeds {
    uv_loop_t loop;
    struct bus *bus;
    struct feeds *feeds;
    struct metrics metrics;
    char **items; /* by instrument: what was accepted last, NULL = nothing */
    size_t items_len;
};

/* Ready for feeds_walk(). Two instruments may have the same symbol. -1 with a sentence; nothing is
 * left open then. The configuration is borrowed. */
int lone_feeds_open(struct lone_feeds *l, const struct config *c, struct err *err) MUST_CHECK;
/* Turns the loop until lone_feeds_stop() was called and everything is closed. */
void lone_feeds_run(struct lone_feeds *l);
/* To be called from the loop. */
void lone_feeds_stop(struct lone_feeds *l);
/* After lone_feeds_run(): frees the items. */
void lone_feeds_fini(struct lone_feeds *l);

#endif
