/* bus_tls.h - TLS to Redis (rediss://): hiredis carries it, we decide who may be at the other end.
 *
 * Needs hiredis 1.0 or later with its library for TLS. A program built without it has the same
 * functions, and bus_tls_open() says so. */
#ifndef PRICEGATE_BUS_TLS_H
#define PRICEGATE_BUS_TLS_H

#include <hiredis/async.h>

#include "bus.h"
#include "bus_url.h"
#include "err.h"

struct bus_tls;

/* *out: what connections to url's host need; NULL where url wants no TLS. The host is the name or
 * address that the certificate must be for. The files are read, to say now what would fail later.
 * -1 with a sentence. */
int bus_tls_open(const struct bus_url *url, const struct bus_options *options, struct bus_tls **out,
                 struct err *err) MUST_CHECK;
void bus_tls_free(struct bus_tls *t);

/* For a connection that was just begun, before the loop watches it. The files are read again, so a
 * renewed certificate counts from the next connection on. -1 with a sentence: free the context. */
int bus_tls_begin(struct bus_tls *t, redisContext *c, struct err *err) MUST_CHECK;

/* To be called before hiredis reads or writes. */
void bus_tls_prepare(void);

/* Within hiredis's callback for a connection that has failed: is it TLS that knows why? */
bool bus_tls_failed(const struct bus_tls *t, const redisAsyncContext *ac, struct err *why);

#endif
