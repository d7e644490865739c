/* config_settings.h - every setting of the configuration file, once.
 *
 * Reading, defaults, ranges, environment names, "did you mean" and the test that compares the JSON
 * Schema with the program all follow from this table. A new setting is a member of struct config, a
 * row here and a property in gateway/config/pricegate.schema.json. */
#ifndef PRICEGATE_CONFIG_SETTINGS_H
#define PRICEGATE_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum config_type {
    CONFIG_BOOL,
    CONFIG_CHOICE,    /* one word out of a list */
    CONFIG_INT,       /* stored with the width of its member */
    CONFIG_NUMBER,    /* double */
    CONFIG_RANGE,     /* [min, max], two decimals with 0 < min < max */
    CONFIG_SHA256,    /* 64 hex digits, stored as 32 bytes */
    CONFIG_TEXT,      /* no control characters; min..max is its length in characters */
    CONFIG_TEXT_LIST, /* const char *const * and its length */
};

enum config_flags {
    CONFIG_ABOVE_MIN = 1 << 0,    /* the value must be > min, not >= */
    CONFIG_ENV_ONLY = 1 << 1,     /* not in the file: `env` is its only source */
    CONFIG_KEY_ENV = 1 << 2,      /* also from the variable that the provider's rule names */
    CONFIG_MAY_BE_UNSET = 1 << 3, /* "$NAME" of an unset variable counts as not configured */
    CONFIG_NULLABLE = 1 << 4,     /* null is allowed: as if it were not there */
    CONFIG_REQUIRED = 1 << 5,
    CONFIG_SECRET = 1 << 6,   /* problems never repeat the value */
    CONFIG_AT_START = 1 << 7, /* a running program cannot change it: config_keep.h */
};

struct config_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct config_setting {
    const char *path; /* "listen.port", "instruments[].symbol", "providers.*.api_key" */
    enum config_type type;
    unsigned flags;
    size_t offset, size;  /* of the member; size 0: the value is checked and dropped */
    size_t second_offset; /* RANGE: of the maximum; TEXT_LIST: of the length */
    const char *dflt;     /* as JSON; NULL = none, the member then keeps `none` */
    double min, max;
    const char *(*problem)(const char *text); /* TEXT and TEXT_LIST; may be NULL (config_check.h) */
    const struct config_choice *choices;
    const char *env; /* a name in the environment beside PRICEGATE_ + path, or NULL */
    int none;        /* what an INT or CHOICE is when it is null or not there */
};

extern const struct config_setting config_settings[];
extern const size_t config_settings_len;

/* A row belongs to the object whose pattern stands before its last "[]." or "*.": "" (the whole
 * file), "instruments[]", "providers.*" ... Returns the rest of the path ("tls.cert" in
 * "listen.tls.cert"), or NULL when the row belongs to another object. */
const char *config_setting_key(const struct config_setting *s, const char *pattern);

/* What stands at a pattern. */
enum config_kind { CONFIG_UNKNOWN, CONFIG_LEAF, CONFIG_OBJECT, CONFIG_OBJECT_LIST, CONFIG_MAP };
enum config_kind config_kind_at(const char *pattern);

#endif
