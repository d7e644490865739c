#include "config_env.h"

#include <ctype.h>
#include <string.h>

#include "config_names.h"
#include "config_settings.h"

static const char PREFIX[] = "PRICEGATE_";

const char *config_env_get(const struct config_input *in, const char *name)
{
    size_t len = strlen(name);
    for (const char *const *e = in->environ_list; e && *e; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return *e + len + 1;
    return NULL;
}

bool config_env_name(const char *path, char out[static CONFIG_VARIABLE_MAX])
{
    size_t n = sizeof PREFIX - 1;
    if (strpbrk(path, "[$") || n + strlen(path) >= CONFIG_VARIABLE_MAX)
        return false;
    memcpy(out, PREFIX, n);
    for (; *path; path++)
        out[n++] = isalnum((unsigned char)*path) ? (char)toupper((unsigned char)*path) : '_';
    out[n] = '\0';
    return true;
}

bool config_env_is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* The search for the setting that a variable names. */
struct lookup {
    const char *variable;
    bool known;
    size_t distance;
    char meant[CONFIG_VARIABLE_MAX]; /* the nearest name so far */
};

static void offer(struct lookup *l, const char *path)
{
    char name[CONFIG_VARIABLE_MAX];
    if (l->known || !config_env_name(path, name))
        return;
    size_t len = strlen(name);
    l->known = strcmp(l->variable, name) == 0;
    size_t distance = config_names_distance(l->variable, name);
    if (!*l->meant || distance < l->distance) {
        l->distance = distance;
        memcpy(l->meant, name, len + 1);
    }
}

static void look_up(struct lookup *l, const struct config_input *in)
{
    for (size_t i = 0; i < config_settings_len && !l->known; i++) {
        const struct config_setting *s = &config_settings[i];
        const char *key = config_setting_key(s, "providers.*");
        if (s->type == CONFIG_TEXT_LIST || (s->flags & CONFIG_ENV_ONLY))
            continue;
        if (!key) {
            offer(l, s->path);
            continue;
        }
        for (size_t p = 0; p < in->providers_len; p++) {
            char path[CONFIG_VARIABLE_MAX];
            snprintf(path, sizeof path, "providers.%s.%s", in->providers[p].name, key);
            offer(l, path);
        }
    }
}

void config_env_check(const struct config_input *in, struct buf *warnings)
{
    for (const char *const *e = in->environ_list; e && *e; e++) {
        char name[CONFIG_VARIABLE_MAX];
        size_t len = strcspn(*e, "=");
        if (strncmp(*e, PREFIX, sizeof PREFIX - 1) != 0 || len >= sizeof name)
            continue;
        memcpy(name, *e, len);
        name[len] = '\0';
        struct lookup l = {.variable = name, .known = strcmp(name, "PRICEGATE_CONFIG") == 0};
        look_up(&l, in);
        if (!l.known) {
            bool near = l.distance <= 2 + (len - sizeof PREFIX + 1) / 4;
            buf_addf(warnings, "%s: not a setting, ignored", name);
            if (near)
                buf_addf(warnings, " (did you mean %s?)", l.meant);
            buf_addc(warnings, '\n');
        }
    }
}
