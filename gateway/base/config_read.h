/* config_read.h - reads settings out of a JSON object and the environment into a struct.
 *
 * What a setting is comes from its row (config_settings.h); nothing here knows a single name.
 * Problems are collected with their path, never thrown: reading goes on, so that all are seen. */
#ifndef PRICEGATE_CONFIG_READ_H
#define PRICEGATE_CONFIG_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "attrs.h"
#include "buf.h"
#include "config.h"
#include "config_settings.h"

#define CONFIG_PATH_MAX 256

struct config_reader {
    const struct config_input *in;
    struct arena *arena;
    struct buf *problems;
    const char *setting; /* path of what is being read from a variable; NULL = it is not */
};

/* One object of the file and the struct it fills. */
struct config_place {
    const char *pattern;        /* "" (the whole file), "instruments[]", "providers.*" ... */
    char path[CONFIG_PATH_MAX]; /* "", "instruments[3]", "providers.yahoo" ... */
    const json_t *object;       /* NULL = not in the file: all defaults */
    void *base;                 /* zeroed, or holding defaults that the rows do not know */
    const char *key_env;        /* variable for the row with CONFIG_KEY_ENV; may be NULL */
    /* Filled: settings with CONFIG_MAY_BE_UNSET whose "$NAME" is not set. */
    struct {
        const char *key, *variable;
    } unset[4];
    size_t unset_len;
};

/* Fills every setting of the place: default, then file, then environment. */
void config_read_place(struct config_reader *r, struct config_place *p);
/* The variable that `key` wanted in vain, or NULL. */
const char *config_place_unset(const struct config_place *p, const char *key);

/* Adds "path: sentence\n"; of a variable "NAME (path): sentence\n". */
void config_problem(struct config_reader *r, const char *path, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Member at a dotted key ("tls.cert"); NULL when it, or an object on the way, is not there. */
const json_t *config_member(const json_t *object, const char *key);

/* "a.key" (or "key" where a is ""), cut to fit; odd bytes of the key become '?'. */
void config_path_join(char out[static CONFIG_PATH_MAX], const char *a, const char *key);

/* Of a "$NAME" that must not be unset. */
#define CONFIG_UNSET                                                                               \
    "environment variable %s is not set: set it (in secrets.env under systemd), or write the "     \
    "value here"

#endif
