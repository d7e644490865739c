/* config_store.h - one JSON value into the member of its setting, checked.
 *
 * The only place where values of the configuration are judged, wherever they came from. */
#ifndef PRICEGATE_CONFIG_STORE_H
#define PRICEGATE_CONFIG_STORE_H

#include "config_read.h"

/* Checks v and puts it into its member of base; a wrong one leaves the member alone and becomes a
 * problem at `where` (a path or the name of a variable). */
void config_store(struct config_reader *r, const struct config_setting *s, const char *where,
                  const json_t *v, void *base);

/* Why jansson makes no string of the text. */
const char *config_why_no_text(const char *text);

/* "$NAME" -> what the variable holds, "$$..." -> "$...", other text is returned as it is; borrowed.
 * NULL when the variable is not set, with its name in *unset; NULL and no name after a problem was
 * told. */
const char *config_resolve(struct config_reader *r, const struct config_setting *s,
                           const char *where, const char *text, const char **unset);

/* How a value is called in a sentence: "a string", "an object", "99999". */
#define CONFIG_DESCRIPTION_MAX 64
const char *config_describe(const json_t *v, char out[static CONFIG_DESCRIPTION_MAX]);

#endif
