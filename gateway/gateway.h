/* gateway.h - the running program: builds the parts in order, takes them down in reverse. */
#ifndef PRICEGATE_GATEWAY_H
#define PRICEGATE_GATEWAY_H

#include "config.h"

/* Runs until SIGTERM or SIGINT. Borrows the configuration. Returns the exit code: 0 after a drain,
 * 1 when it could not start (the reason is on stderr). */
int gateway_run(const struct config *config, const char *origin);

#endif
