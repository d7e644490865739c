#include "patterns.h"

#include <string.h>

void patterns_fini(struct patterns *p)
{
    free(p->list);
    *p = (struct patterns){0};
}

bool patterns_has(const struct patterns *p, const char *pattern)
{
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->list[i], pattern) == 0)
            return true;
    return false;
}

int patterns_add(struct patterns *p, const char *pattern)
{
    REQUIRE(symbol_is_pattern(pattern, strlen(pattern)));
    if (patterns_has(p, pattern))
        return 0;
    void *list = realloc(p->list, (p->len + 1) * sizeof *p->list);
    if (!list)
        return -1;
    p->list = list;
    snprintf(p->list[p->len++], sizeof *p->list, "%s", pattern);
    return 0;
}

void patterns_remove(struct patterns *p, const char *pattern)
{
    size_t kept = 0, len = strlen(pattern);
    for (size_t i = 0; i < p->len; i++)
        if (!symbol_matches(pattern, len, p->list[i]))
            memmove(p->list[kept++], p->list[i], sizeof *p->list);
    p->len = kept;
}

bool patterns_match(const struct patterns *p, const char *symbol)
{
    for (size_t i = 0; i < p->len; i++)
        if (symbol_matches(p->list[i], strlen(p->list[i]), symbol))
            return true;
    return false;
}
