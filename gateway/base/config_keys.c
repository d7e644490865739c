/* The shape follows from the table of settings alone: a row "listen.tls.cert" makes `listen` and
 * `listen.tls` objects, a row "instruments[].symbol" makes `instruments` a list of objects, a row
 * "providers.*.enabled" makes `providers` an object whose keys are names of providers. The walk
 * keeps two paths: the pattern, which is looked up in the table, and the place, which people read.
 *
 * The recursion is as deep as the table's longest path: an unknown key is not entered. */
#include "config_keys.h"

#include <string.h>

#include "config_names.h"
#include "config_store.h"

static void check_object(struct config_reader *r, const char *pattern, const char *path,
                         json_t *object);

/* The keys that may stand directly under the pattern, each offered once per row below it. */
static void offer_keys(struct config_guess *g, const char *pattern, char words[][CONFIG_PATH_MAX])
{
    size_t len = strlen(pattern);
    for (size_t i = 0; i < config_settings_len; i++) {
        const char *path = config_settings[i].path;
        if ((config_settings[i].flags & CONFIG_ENV_ONLY) || strncmp(path, pattern, len) != 0 ||
            (len > 0 && path[len] != '.'))
            continue;
        const char *key = path + len + (len > 0);
        snprintf(words[i], CONFIG_PATH_MAX, "%.*s", (int)strcspn(key, ".["), key);
        config_guess_offer(g, words[i]);
    }
}

/* A key that is right, but stands in the wrong place: `port` instead of `listen.port`. */
static const char *find_elsewhere(const char *key)
{
    for (size_t i = 0; i < config_settings_len; i++) {
        const char *path = config_settings[i].path, *dot = strrchr(path, '.');
        if (dot && strcmp(dot + 1, key) == 0 && !(config_settings[i].flags & CONFIG_ENV_ONLY))
            return path;
    }
    return NULL;
}

static void tell_unknown(struct config_reader *r, const char *pattern, const char *path,
                         const char *key)
{
    char(*words)[CONFIG_PATH_MAX] = arena_alloc(r->arena, config_settings_len, sizeof *words);
    if (!words)
        return;
    struct config_guess g = {.word = key};
    offer_keys(&g, pattern, words);
    const char *best = config_guess_best(&g), *elsewhere = find_elsewhere(key);
    if (best)
        config_problem(r, path, "unknown key (did you mean \"%s\"?)", best);
    else if (elsewhere)
        config_problem(r, path, "unknown key here (there is %s)", elsewhere);
    else
        config_problem(r, path, "unknown key");
}

const char *config_provider_hint(const struct config_input *in, const char *name,
                                 char out[static CONFIG_HINT_MAX])
{
    struct config_guess g = {.word = name};
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < in->providers_len; i++) {
        config_guess_offer(&g, in->providers[i].name);
        if (len < CONFIG_HINT_MAX)
            len += (size_t)snprintf(out + len, CONFIG_HINT_MAX - len, "%s%s",
                                    i == 0 ? " (there are: " : ", ", in->providers[i].name);
    }
    if (len > 0 && len < CONFIG_HINT_MAX)
        snprintf(out + len, CONFIG_HINT_MAX - len, ")");
    if (config_guess_best(&g))
        snprintf(out, CONFIG_HINT_MAX, " (did you mean \"%s\"?)", config_guess_best(&g));
    return out;
}

static bool is_provider(const struct config_input *in, const char *name)
{
    for (size_t i = 0; i < in->providers_len; i++)
        if (strcmp(in->providers[i].name, name) == 0)
            return true;
    return false;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the longest path of the table, see above. */

/* An object whose keys are names of providers. */
static void check_map(struct config_reader *r, const char *pattern, const char *path, json_t *map)
{
    char child[CONFIG_PATH_MAX], place[CONFIG_PATH_MAX], hint[CONFIG_HINT_MAX];
    const char *key;
    json_t *v;
    config_path_join(child, pattern, "*");
    json_object_foreach(map, key, v)
    {
        config_path_join(place, path, key);
        if (is_provider(r->in, key))
            check_object(r, child, place, v);
        else
            config_problem(r, place, "unknown provider%s", config_provider_hint(r->in, key, hint));
    }
}

static void check_list(struct config_reader *r, const char *pattern, const char *path, json_t *list)
{
    char child[CONFIG_PATH_MAX + 4], place[CONFIG_PATH_MAX + 32], is[CONFIG_DESCRIPTION_MAX];
    if (!json_is_array(list)) {
        config_problem(r, path, "must be a list, not %s", config_describe(list, is));
        return;
    }
    snprintf(child, sizeof child, "%s[]", pattern);
    for (size_t i = 0; i < json_array_size(list); i++) {
        snprintf(place, sizeof place, "%s[%zu]", path, i);
        check_object(r, child, place, json_array_get(list, i));
    }
}

static void check_member(struct config_reader *r, const char *parent, const char *path,
                         const char *key, json_t *v)
{
    char pattern[CONFIG_PATH_MAX];
    config_path_join(pattern, parent, key);
    /* A key that looks like a path ("listen.port") must not be taken for one. */
    switch (strpbrk(key, ".[*") ? CONFIG_UNKNOWN : config_kind_at(pattern)) {
    case CONFIG_UNKNOWN:
        tell_unknown(r, parent, path, key);
        break;
    case CONFIG_LEAF:
        break;
    case CONFIG_OBJECT:
    case CONFIG_MAP:
        check_object(r, pattern, path, v);
        break;
    case CONFIG_OBJECT_LIST:
        check_list(r, pattern, path, v);
        break;
    }
}

/* null in place of an object says "none of it": where none of it has a default. */
static bool may_be_null(const char *pattern)
{
    size_t len = strlen(pattern);
    for (size_t i = 0; i < config_settings_len; i++) {
        const char *path = config_settings[i].path;
        if (strncmp(path, pattern, len) == 0 && path[len] == '.' &&
            (config_settings[i].dflt || strpbrk(path + len, "[*")))
            return false;
    }
    return len > 0 && !strpbrk(pattern, "[*") && config_kind_at(pattern) == CONFIG_OBJECT;
}

static void check_object(struct config_reader *r, const char *pattern, const char *path,
                         json_t *object)
{
    char place[CONFIG_PATH_MAX], is[CONFIG_DESCRIPTION_MAX];
    const char *key;
    json_t *v;
    if (json_is_null(object) && may_be_null(pattern))
        return;
    if (!json_is_object(object)) {
        config_problem(r, *path ? path : "(the whole file)", "must be an object, not %s",
                       config_describe(object, is));
    } else if (config_kind_at(pattern) == CONFIG_MAP) {
        check_map(r, pattern, path, object);
    } else {
        json_object_foreach(object, key, v)
        {
            config_path_join(place, path, key);
            check_member(r, pattern, place, key, v);
        }
    }
}

/* NOLINTEND(misc-no-recursion) */

void config_keys_check(struct config_reader *r, json_t *root)
{
    check_object(r, "", "", root);
}
