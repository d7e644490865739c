#include "grant.h"

#include <string.h>

#include "symbol.h"

struct grant_symbols {
    unsigned refs;
    size_t len;
    char names[][SYMBOL_MAX + 2]; /* symbols, and patterns with their * */
};

struct grant grant_ref(const struct grant *g)
{
    if (g->symbols)
        g->symbols->refs++;
    return *g;
}

void grant_fini(struct grant *g)
{
    if (g->symbols && --g->symbols->refs == 0)
        free(g->symbols);
    *g = (struct grant){0};
}

static struct grant_symbols *make(size_t n)
{
    struct grant_symbols *s = calloc(1, sizeof *s + n * sizeof s->names[0]);
    if (s)
        s->refs = 1;
    return s;
}

/* False: it is neither a symbol nor a pattern. */
static bool add(struct grant_symbols *s, const char *name)
{
    size_t len = name ? strlen(name) : 0;
    if (len == 0 || len >= sizeof s->names[0] ||
        !(symbol_valid(name, len) || symbol_is_pattern(name, len)))
        return false;
    memcpy(s->names[s->len++], name, len + 1);
    return true;
}

struct grant_symbols *grant_symbols_new(const json_t *list, struct err *err)
{
    size_t n = json_array_size(list);
    struct grant_symbols *s = NULL;
    if (!json_is_array(list) || n > GRANT_SYMBOLS_MAX) {
        err_set(err, "symbols must be a list of at most %d symbols and patterns",
                GRANT_SYMBOLS_MAX);
        return NULL;
    }
    if (!(s = make(n))) {
        err_set(err, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (add(s, json_string_value(json_array_get(list, i))))
            continue;
        err_set(err, "symbols[%zu] is neither a symbol nor a pattern such as EUR/*", i);
        free(s);
        return NULL;
    }
    return s;
}

struct grant_symbols *grant_symbols_from(const char *const *list, size_t n)
{
    struct grant_symbols *s = make(n);
    for (size_t i = 0; s && i < n; i++)
        if (!add(s, list[i])) {
            free(s);
            return NULL;
        }
    return s;
}

bool grant_allows(const struct grant *g, const char *symbol)
{
    if (!g->symbols)
        return true;
    for (size_t i = 0; i < g->symbols->len; i++) {
        const char *name = g->symbols->names[i];
        size_t len = strlen(name);
        if (symbol_is_pattern(name, len) ? symbol_matches(name, len, symbol)
                                         : strcmp(name, symbol) == 0)
            return true;
    }
    return false;
}
