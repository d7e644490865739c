/* config_env.h - the environment as the configuration sees it: a list handed in, never getenv(). */
#ifndef PRICEGATE_CONFIG_ENV_H
#define PRICEGATE_CONFIG_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define CONFIG_VARIABLE_MAX 128

/* The value of name, or NULL; the first one counts. */
const char *config_env_get(const struct config_input *in, const char *name);

/* "listen.port" -> "PRICEGATE_LISTEN_PORT". False when a setting at that path cannot come from the
 * environment: an element of a list, or a name that is too long. */
bool config_env_name(const char *path, char out[static CONFIG_VARIABLE_MAX]);

/* Beginning with a letter or _, then letters, digits, _. */
bool config_env_is_name(const char *name);

/* One warning for each PRICEGATE_ variable that is no setting, with the name that was probably
 * meant. */
void config_env_check(const struct config_input *in, struct buf *warnings);

#endif
