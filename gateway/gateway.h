/* gateway.h - the running program: builds the parts in order, takes them down in reverse. */
#ifndef PRICEGATE_GATEWAY_H
#define PRICEGATE_GATEWAY_H

#include "bus.h"
#include "config.h"

/* Where a configuration comes from: once at start, again for each reload. */
struct gateway_source {
    const void *ctx;
    /* NULL with all problems, one line each; warnings likewise. The caller owns it. */
    struct config *(*read)(const void *ctx, struct buf *problems, struct buf *warnings);
    const char *origin; /* for messages: the file's name */
};

/* What c says of the bus. */
struct bus_options gateway_bus_options(const struct config *c);

/* Runs until SIGTERM or SIGINT, by this configuration, which it frees, or by what a reload brings.
 * Returns the exit code: 0 after a drain, 1 when it could not start (the reason is on stderr). */
int gateway_run(struct config *config, const struct gateway_source *source);

#endif
