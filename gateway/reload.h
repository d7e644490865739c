/* reload.h - another configuration, while everything goes on (SIGHUP, POST /admin/reload). */
#ifndef PRICEGATE_RELOAD_H
#define PRICEGATE_RELOAD_H

#include <jansson.h>
#include <stdbool.h>

struct config;
struct gateway;

/* Reads the configuration again. If all of it is right it holds from now on: *done, and an object
 * with "added", "removed" and "changed" symbols, "needs_restart" (settings that differ and only a
 * restart can change), "warnings" and the serial number of the "certificate". Otherwise nothing has
 * changed, and "problems" says why. Logged either way. New reference; NULL: out of memory, *done
 * says when. */
json_t *reload_run(struct gateway *g, bool *done);
/* The same for its log lines alone. */
void reload_logged(struct gateway *g);

/* A line for each provider that some instrument would ask, and cannot. */
void reload_log_disabled(const struct config *c);

#endif
