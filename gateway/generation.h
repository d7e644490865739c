/* generation.h - everything that belongs to one configuration and goes when another one comes. */
#ifndef PRICEGATE_GENERATION_H
#define PRICEGATE_GENERATION_H

#include <uv.h>

#include "auth.h"
#include "bus.h"
#include "config.h"
#include "err.h"
#include "feeds.h"
#include "metrics.h"
#include "notices.h"
#include "tiers.h"

struct generation {
    struct config *config;
    struct auth *auth;
    struct tiers *tiers;
    struct feeds *feeds;
    struct notices *notices; /* how everything stands, and what of it was told */
};

/* What all generations have in common. */
struct generation_ground {
    uv_loop_t *loop;
    struct bus *bus;
    struct metrics *metrics;
    const struct feed_port *feed_port;
};

/* Builds the parts for a configuration, which is the generation's from now on; nothing is polled or
 * served yet. epoch_ms: of every seq, larger than any before. -1 with a sentence: there are no
 * parts, but feeds may have to be closed (generation_end()) and the configuration is there. */
int generation_begin(struct generation *n, struct config *config,
                     const struct generation_ground *ground, int64_t epoch_ms,
                     struct err *err) MUST_CHECK;

/* Stops the feeds and closes them; then, in a later turn of the loop, done is called. */
void generation_end(struct generation *n, void (*done)(void *ctx), void *ctx);
/* After that, and when no client is left in its tiers. */
void generation_free(struct generation *n);

#endif
