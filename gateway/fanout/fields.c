#include "fields.h"

#include <string.h>

bool fields_valid(const json_t *list)
{
    size_t i;
    const json_t *v;
    if (!json_is_array(list) || json_array_size(list) > FIELDS_NAMES_MAX)
        return false;
    json_array_foreach(list, i, v)
    {
        if (!json_is_string(v) || json_string_length(v) > FIELDS_NAME_MAX ||
            strlen(json_string_value(v)) != json_string_length(v))
            return false;
    }
    return true;
}

/* Keeps the names sorted and each once. */
static void add_name(struct fields *x, const char *name)
{
    size_t at = 0;
    while (at < x->len && strcmp(x->names[at], name) < 0)
        at++;
    if (at < x->len && strcmp(x->names[at], name) == 0)
        return;
    memmove(x->names[at + 1], x->names[at], (x->len - at) * sizeof x->names[0]);
    memcpy(x->names[at], name, strlen(name) + 1);
    x->len++;
}

static bool same(const struct fields *a, const struct fields *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (strcmp(a->names[i], b->names[i]) != 0)
            return false;
    return true;
}

/* x, or the one that is there already; x is gone then. */
static struct fields *intern(struct field_sets *sets, struct fields *x)
{
    for (struct fields *known = sets->list; known; known = known->next)
        if (same(known, x)) {
            free(x);
            return fields_ref(known);
        }
    x->refs = 1;
    x->serial = ++sets->serials;
    x->next = sets->list;
    x->prev = &sets->list;
    if (sets->list)
        sets->list->prev = &x->next;
    sets->list = x;
    return x;
}

struct fields *fields_get(struct field_sets *sets, const json_t *list)
{
    size_t i;
    const json_t *v;
    struct fields *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    add_name(x, "symbol");
    add_name(x, "seq");
    json_array_foreach(list, i, v)
    {
        add_name(x, json_string_value(v));
        x->state = x->state || strcmp(json_string_value(v), "state") == 0;
    }
    return intern(sets, x);
}

struct fields *fields_copy(struct field_sets *sets, const struct fields *x)
{
    struct fields *copy = malloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *x;
    return intern(sets, copy);
}

struct fields *fields_ref(struct fields *x)
{
    if (x)
        x->refs++;
    return x;
}

void fields_unref(struct fields *x)
{
    if (!x || --x->refs > 0)
        return;
    *x->prev = x->next;
    if (x->next)
        x->next->prev = x->prev;
    free(x);
}
