/* json_guard.h - jansson's parser, safe where memory runs out.
 *
 * The only way in which this program reads JSON (jsonx.h has the limits on top). Loop thread only.
 */
#ifndef PRICEGATE_JSON_GUARD_H
#define PRICEGATE_JSON_GUARD_H

#include <jansson.h>
#include <stdbool.h>

#include "attrs.h"

#define JSON_NO_MEMORY "out of memory"

/* As json_loadb(); where memory ran out, NULL, and why->text is JSON_NO_MEMORY. */
json_t *json_guard_load(const char *text, size_t len, size_t flags, json_error_t *why) MUST_CHECK;

/* Calls run(ctx), in which a library of others reads JSON. False: jansson had no memory, run() was
 * left in the middle, and what jansson had allocated since was given back; nothing that run() was
 * about to write may be looked at. run() may drop no value that was there before it. */
bool json_guard_run(void (*run)(void *ctx), void *ctx) MUST_CHECK;

#endif
