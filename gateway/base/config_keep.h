/* config_keep.h - what a running program cannot change: the settings marked CONFIG_AT_START. Pure.
 */
#ifndef PRICEGATE_CONFIG_KEEP_H
#define PRICEGATE_CONFIG_KEEP_H

#include <jansson.h>

#include "config.h"

/* Gives `next` the values of `running` for all settings that are only read at start. Returns a list
 * of the paths of those that differed ("listen.port"), new reference; whether there is TLS at all
 * counts as "listen.tls". NULL: out of memory, `next` is only good for config_free(). */
json_t *config_keep(const struct config *running, struct config *next) MUST_CHECK;

#endif
