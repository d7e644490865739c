/* One setting is read in three steps that each overwrite the one before: the default of its row,
 * the file, the environment. All three end in config_store(), the only place that checks values: a
 * default is JSON text, the environment's text is turned into the JSON value of the setting's type,
 * and a "$NAME" string is replaced by what the variable holds. So a number is refused with the same
 * sentence wherever it stood, and a bad value in the file is reported even where the environment
 * overrules it.
 *
 * A list is read from its own variable only (MARKET_REFRESH_TIMES=06:00,18:30), with commas
 * between.
 *
 * An empty variable counts as one that is not set, because that is what compose files and service
 * managers make of a missing one; only a setting that may be empty (redis.url) takes it. */
#include "config_read.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "config_env.h"
#include "config_store.h"
#include "jsonx.h"

enum { CONFIG_DEFAULT_MAX = 1024 }; /* bytes of one in the table */

void config_problem(struct config_reader *r, const char *path, const char *fmt, ...)
{
    char sentence[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (r->setting)
        buf_addf(r->problems, "%s (%s): %s\n", path, r->setting, sentence);
    else
        buf_addf(r->problems, "%s: %s\n", path, sentence);
}

void config_path_join(char out[static CONFIG_PATH_MAX], const char *a, const char *key)
{
    int n = snprintf(out, CONFIG_PATH_MAX, "%s%s%s", a, *a ? "." : "", key);
    REQUIRE(n >= 0);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
}

const json_t *config_member(const json_t *object, const char *key)
{
    char name[CONFIG_PATH_MAX];
    while (object) {
        size_t len = strcspn(key, ".");
        REQUIRE(len < sizeof name);
        memcpy(name, key, len);
        name[len] = '\0';
        object = json_object_get(object, name); /* NULL for what is no object, too */
        if (key[len] == '\0')
            return object;
        key += len + 1;
    }
    return NULL;
}

/* "a, b" -> ["a","b"], blanks around each left out. NULL: not UTF-8, or out of memory. */
static json_t *list_of_text(const char *text)
{
    json_t *list = json_array();
    for (const char *p = text; list; p++) {
        size_t len = strcspn(p, ","), blank = strspn(p, " ");
        size_t from = blank < len ? blank : len, to = len;
        while (to > from && p[to - 1] == ' ')
            to--;
        if (json_array_append_new(list, json_stringn(p + from, to - from)) != 0) {
            json_decref(list);
            list = NULL;
        }
        p += len;
        if (*p == '\0')
            break;
    }
    return list;
}

/* Text from the environment as the JSON value it stands for; one that does not fit the type stays
 * a string and is refused as such. New reference. */
static json_t *value_of_text(const struct config_setting *s, const char *text)
{
    static const struct config_choice switches[] = {
        {"true",  1},
        {"1",     1},
        {"yes",   1},
        {"on",    1},
        {"false", 0},
        {"0",     0},
        {"no",    0},
        {"off",   0},
        {NULL,    0},
    };
    char *end;
    switch (s->type) {
    case CONFIG_BOOL:
        for (const struct config_choice *c = switches; c->name; c++)
            if (strcasecmp(text, c->name) == 0)
                return json_boolean(c->value);
        break;
    case CONFIG_INT:
    case CONFIG_NUMBER: {
        double x = strtod(text, &end);
        if (end != text && *end == '\0' && strspn(text, "+-0123456789.eE") == strlen(text) &&
            isfinite(x))
            return floor(x) == x && fabs(x) < 1e15 ? json_integer((json_int_t)x) : json_real(x);
        break;
    }
    case CONFIG_CHOICE:
        if ((s->flags & CONFIG_NULLABLE) && strcmp(text, "null") == 0)
            return json_null();
        break;
    case CONFIG_TEXT_LIST:
        return list_of_text(text);
    case CONFIG_RANGE:
    case CONFIG_SHA256:
    case CONFIG_TEXT:
        break;
    }
    return json_string(text);
}

static void store_text_value(struct config_reader *r, const struct config_setting *s,
                             const char *where, const char *text, void *base)
{
    json_t *v = value_of_text(s, text);
    if (v)
        config_store(r, s, where, v, base);
    else
        config_problem(r, where, "%s", config_why_no_text(text));
    json_decref(v);
}

static void read_default(struct config_reader *r, const struct config_setting *s, const char *path,
                         void *base)
{
    if (!s->dflt && !(s->flags & CONFIG_NULLABLE))
        return; /* required, or set by whoever owns the place */
    const char *text = s->dflt ? s->dflt : "null";
    json_t *v = jsonx_parse(text, strlen(text), CONFIG_DEFAULT_MAX, NULL);
    if (v)
        config_store(r, s, path, v, base);
    else
        config_problem(r, path, "out of memory");
    json_decref(v);
}

static void read_file_value(struct config_reader *r, struct config_place *p,
                            const struct config_setting *s, const char *path, const char *key)
{
    const json_t *v = config_member(p->object, key);
    if (!v) {
        if (s->flags & CONFIG_REQUIRED)
            config_problem(r, path, "is required");
        return;
    }
    const char *text = json_string_value(v), *unset;
    if (!text || text[0] != '$' || s->type == CONFIG_TEXT_LIST) {
        config_store(r, s, path, v, p->base);
        return;
    }
    text = config_resolve(r, s, path, text, &unset);
    if (text) {
        store_text_value(r, s, path, text, p->base);
    } else if (unset && !(s->flags & CONFIG_MAY_BE_UNSET)) {
        config_problem(r, path, CONFIG_UNSET, unset);
    } else if (unset) {
        REQUIRE(p->unset_len < ARRAY_LEN(p->unset));
        p->unset[p->unset_len].key = key;
        p->unset[p->unset_len++].variable = arena_strdup(r->arena, unset);
    }
}

static void read_variable(struct config_reader *r, const struct config_place *p,
                          const struct config_setting *s, const char *path, const char *name)
{
    const char *text = name ? config_env_get(r->in, name) : NULL;
    bool may_be_empty = s->type == CONFIG_TEXT && s->min < 1;
    if (!text || (!*text && !may_be_empty))
        return;
    r->setting = s->flags & CONFIG_ENV_ONLY ? NULL : path;
    store_text_value(r, s, name, text, p->base);
    r->setting = NULL;
}

void config_read_place(struct config_reader *r, struct config_place *p)
{
    for (size_t i = 0; i < config_settings_len; i++) {
        const struct config_setting *s = &config_settings[i];
        const char *key = config_setting_key(s, p->pattern);
        char path[CONFIG_PATH_MAX], variable[CONFIG_VARIABLE_MAX];
        if (!key)
            continue;
        config_path_join(path, p->path, key);
        read_default(r, s, path, p->base);
        if (!(s->flags & CONFIG_ENV_ONLY))
            read_file_value(r, p, s, path, key);
        read_variable(r, p, s, path, s->env);
        if (s->type == CONFIG_TEXT_LIST) /* PRICEGATE_ + path is for scalars */
            continue;
        if (s->flags & CONFIG_KEY_ENV)
            read_variable(r, p, s, path, p->key_env);
        if (!(s->flags & CONFIG_ENV_ONLY) && config_env_name(path, variable))
            read_variable(r, p, s, path, variable);
    }
}

const char *config_place_unset(const struct config_place *p, const char *key)
{
    for (size_t i = 0; i < p->unset_len; i++)
        if (strcmp(p->unset[i].key, key) == 0)
            return p->unset[i].variable;
    return NULL;
}
