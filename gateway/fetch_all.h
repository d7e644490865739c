/* fetch_all.h - `pricegate fetch --all`: every configured source, each once and on its own. */
#ifndef PRICEGATE_FETCH_ALL_H
#define PRICEGATE_FETCH_ALL_H

#include "config.h"

/* Asks and prints; only: the sources of this provider, NULL = all. Returns the exit code: 0 when
 * every source of an enabled provider answered with something that passes the rules of quality. */
int fetch_all(const struct config *c, const char *only);

#endif
