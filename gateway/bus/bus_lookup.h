/* bus_lookup.h - a host name to numeric addresses, off the loop (libuv's thread pool).
 *
 * A lookup cannot be stopped once a thread works on it. So it can be orphaned: it then tells nobody
 * and frees itself when it ends, whenever that is; the loop has a request pending until then. */
#ifndef PRICEGATE_BUS_LOOKUP_H
#define PRICEGATE_BUS_LOOKUP_H

#include <netinet/in.h>
#include <stddef.h>
#include <uv.h>

#include "attrs.h"

#define LOOKUP_MAX 8 /* addresses of one name */

struct lookup;

/* addresses are borrowed; n = 0: `why` says the reason. The lookup is gone when this is called. */
typedef void lookup_done(void *ctx, char (*addresses)[INET6_ADDRSTRLEN], size_t n, const char *why);

/* NULL: could not be started. done() comes in a later turn of the loop. */
struct lookup *lookup_start(uv_loop_t *loop, const char *host, lookup_done *done,
                            void *ctx) MUST_CHECK;
void lookup_orphan(struct lookup *k); /* NULL is fine */

#endif
