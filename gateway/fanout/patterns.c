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

/* Its place, or the one where it belongs. */
static size_t place_of(const struct patterns *p, const char *text)
{
    size_t low = 0, high = p->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(p->list[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct patterns *p, size_t i, const char *text)
{
    return i < p->len && strcmp(p->list[i].text, text) == 0;
}

bool patterns_has(const struct patterns *p, const char *text)
{
    return is_at(p, place_of(p, text), text);
}

/* Room at this place for one that is not there yet. -1: out of memory. */
static int put_in(struct patterns *p, size_t i, const char *text)
{
    struct pattern *list = realloc(p->list, (p->len + 1) * sizeof *list);
    if (!list)
        return -1;
    p->list = list;
    memmove(&list[i + 1], &list[i], (p->len++ - i) * sizeof *list);
    list[i] = (struct pattern){.fields = NULL};
    snprintf(list[i].text, sizeof list[i].text, "%s", text);
    return 0;
}

int patterns_add(struct patterns *p, const char *text, int64_t interval_ms, struct fields *fields)
{
    REQUIRE(symbol_is_pattern(text, strlen(text)));
    size_t i = place_of(p, text);
    if (!is_at(p, i, text) && put_in(p, i, text) != 0)
        return -1;
    fields_ref(fields);
    fields_unref(p->list[i].fields);
    p->list[i].fields = fields;
    p->list[i].interval_ms = interval_ms;
    p->list[i].turn = ++p->turns;
    return 0;
}

void patterns_remove(struct patterns *p, const struct prefixes *these)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->len; i++)
        if (prefixes_match(these, p->list[i].text) < 0)
            p->list[kept++] = p->list[i];
        else
            fields_unref(p->list[i].fields);
    p->len = kept;
}

const struct pattern *patterns_find(const struct patterns *p, const char *symbol)
{
    const struct pattern *last = NULL;
    for (size_t i = 0; i < p->len; i++) {
        const struct pattern *x = &p->list[i];
        if ((!last || x->turn > last->turn) && symbol_matches(x->text, strlen(x->text), symbol))
            last = x;
    }
    return last;
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
