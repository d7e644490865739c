/* config_keys.h - does the file have the right shape: only known keys, objects where objects
 * belong, lists where lists belong. Values are not looked at. */
#ifndef PRICEGATE_CONFIG_KEYS_H
#define PRICEGATE_CONFIG_KEYS_H

#include "config_read.h"

/* Tells every unknown key, with what was probably meant, and every misshapen object or list. */
void config_keys_check(struct config_reader *r, json_t *root);

/* ` (did you mean "yahoo"?)`, or the list of all providers where none is near. */
#define CONFIG_HINT_MAX 512
const char *config_provider_hint(const struct config_input *in, const char *name,
                                 char out[static CONFIG_HINT_MAX]);

#endif
