#include "config_keep.h"

#include <string.h>

#include "arena.h"
#include "config_settings.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* True when it differed. */
static bool keep_text(const char *const *from, const char **to, struct arena *arena)
{
    if (same_text(*from, *to))
        return false;
    *to = *from ? arena_strdup(arena, *from) : NULL;
    return true;
}

static bool keep_plain(const void *from, void *to, size_t size)
{
    if (memcmp(from, to, size) == 0)
        return false;
    memcpy(to, from, size);
    return true;
}

static bool keep(const struct config_setting *s, const struct config *running, struct config *next)
{
    const char *from = (const char *)running + s->offset;
    char *to = (char *)next + s->offset;
    if (s->type != CONFIG_TEXT)
        return keep_plain(from, to, s->size);
    const char *is, *was;
    memcpy(&is, from, sizeof is);
    memcpy(&was, to, sizeof was);
    bool differs = keep_text(&is, &was, next->arena);
    memcpy(to, &was, sizeof was);
    return differs;
}

json_t *config_keep(const struct config *running, struct config *next)
{
    json_t *differed = json_array();
    int rc = differed ? 0 : -1;
    for (size_t i = 0; i < config_settings_len && rc == 0; i++) {
        const struct config_setting *s = &config_settings[i];
        if (s->flags & CONFIG_AT_START && keep(s, running, next))
            rc = json_array_append_new(differed, json_string(s->path));
    }
    if (rc == 0 && !running->listen.tls_cert != !next->listen.tls_cert) {
        keep_text(&running->listen.tls_cert, &next->listen.tls_cert, next->arena);
        keep_text(&running->listen.tls_key, &next->listen.tls_key, next->arena);
        rc = json_array_append_new(differed, json_string("listen.tls"));
    }
    if (rc == 0 && !arena_failed(next->arena))
        return differed;
    json_decref(differed);
    return NULL;
}
