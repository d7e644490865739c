#include "patterns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void patterns_fini(struct patterns *p)
{
    for (size_t i = 0; i < p->len; i++)
        fields_unref(p->list[i].fields);
    free(p->list);
    *p = (struct patterns){0};
}

/* Its place; p->len: it is not there. */
static size_t place_of(const struct patterns *p, const char *text)
{
    size_t i = 0;
    while (i < p->len && strcmp(p->list[i].text, text) != 0)
        i++;
    return i;
}

bool patterns_has(const struct patterns *p, const char *text)
{
    return place_of(p, text) < p->len;
}

static void take_out(struct patterns *p, size_t i)
{
    fields_unref(p->list[i].fields);
    memmove(&p->list[i], &p->list[i + 1], (p->len - i - 1) * sizeof *p->list);
    p->len--;
}

int patterns_add(struct patterns *p, const char *text, int64_t interval_ms, struct fields *fields)
{
    REQUIRE(symbol_is_pattern(text, strlen(text)));
    fields_ref(fields);
    if (patterns_has(p, text)) {
        take_out(p, place_of(p, text)); /* which leaves its room */
    } else {
        struct pattern *list = realloc(p->list, (p->len + 1) * sizeof *list);
        if (!list) {
            fields_unref(fields);
            return -1;
        }
        p->list = list;
    }
    struct pattern *pattern = &p->list[p->len++];
    *pattern = (struct pattern){.interval_ms = interval_ms, .fields = fields};
    snprintf(pattern->text, sizeof pattern->text, "%s", text);
    return 0;
}

void patterns_remove(struct patterns *p, const char *text)
{
    for (size_t i = p->len; i-- > 0;)
        if (symbol_matches(text, strlen(text), p->list[i].text))
            take_out(p, i);
}

const struct pattern *patterns_find(const struct patterns *p, const char *symbol)
{
    for (size_t i = p->len; i-- > 0;)
        if (symbol_matches(p->list[i].text, strlen(p->list[i].text), symbol))
            return &p->list[i];
    return NULL;
}

int patterns_carry(struct patterns *p, struct field_sets *sets)
{
    struct fields **copies = calloc(p->len + 1, sizeof(struct fields *));
    bool ok = copies;
    for (size_t i = 0; ok && i < p->len; i++)
        if (p->list[i].fields)
            ok = (copies[i] = fields_copy(sets, p->list[i].fields)) != NULL;
    for (size_t i = 0; copies && i < p->len; i++) {
        fields_unref(ok ? p->list[i].fields : copies[i]);
        if (ok)
            p->list[i].fields = copies[i];
    }
    free(copies);
    return ok ? 0 : -1;
}
