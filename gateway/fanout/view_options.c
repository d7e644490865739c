#include "view_options.h"

#include <string.h>

struct view_options *view_options_new(size_t len)
{
    struct view_options *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->len = len;
    o->fields = calloc(len + 1, sizeof(struct fields *));
    if (o->fields && bits_init(&o->paced, len) == 0)
        return o;
    view_options_free(o);
    return NULL;
}

struct view_options *view_options_copy(const struct view_options *o)
{
    struct view_options *copy = view_options_new(o->len);
    if (!copy)
        return NULL;
    bits_copy(&copy->paced, &o->paced);
    for (size_t i = 0; i < o->len; i++)
        copy->fields[i] = fields_ref(o->fields[i]);
    return copy;
}

void view_options_free(struct view_options *o)
{
    if (!o)
        return;
    if (o->fields)
        for (size_t i = 0; i < o->len; i++)
            fields_unref(o->fields[i]);
    free(o->fields);
    bits_fini(&o->paced);
    free(o);
}

void view_options_set(struct view_options *o, int id, bool paced, struct fields *fields)
{
    fields_ref(fields);
    fields_unref(o->fields[id]);
    o->fields[id] = fields;
    if (paced)
        bits_set(&o->paced, id);
    else
        bits_unset(&o->paced, id);
}

bool view_options_any(const struct view_options *o)
{
    if (bits_any(&o->paced))
        return true;
    for (size_t i = 0; i < o->len; i++)
        if (o->fields[i])
            return true;
    return false;
}

bool view_options_equal(const struct view_options *a, const struct view_options *b)
{
    if (!a || !b)
        return a == b;
    return bits_equal(&a->paced, &b->paced) &&
           memcmp(a->fields, b->fields, a->len * sizeof(struct fields *)) == 0;
}

uint64_t view_options_hash(const struct view_options *o, uint64_t seed)
{
    if (!o)
        return seed;
    uint64_t h = bits_hash(&o->paced, seed);
    for (size_t i = 0; i < o->len; i++)
        if (o->fields[i])
            h = (h ^ (o->fields[i]->serial << 16 ^ i)) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}
