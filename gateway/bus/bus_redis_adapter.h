/* bus_redis_adapter.h - lets a libuv loop turn an asynchronous hiredis connection.
 *
 * Ours, because the adapter that hiredis 0.14 ships returns early when uv_poll reports an error:
 * a refused connection and a Redis that died with commands pending are then never reported, to
 * anybody, ever. Here every error leads to a read, which makes hiredis find the loss itself. */
#ifndef PRICEGATE_BUS_REDIS_ADAPTER_H
#define PRICEGATE_BUS_REDIS_ADAPTER_H

#include <hiredis/async.h>
#include <uv.h>

#include "attrs.h"

/* Attaches ac to the loop. -1: out of memory or a descriptor libuv does not take. What is allocated
 * here goes with the context, a turn of the loop later. */
int bus_redis_attach(redisAsyncContext *ac, uv_loop_t *loop) MUST_CHECK;

#endif
