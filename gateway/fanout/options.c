#include "options.h"

#include <string.h>

struct options *options_new(size_t len)
{
    struct options *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->len = len;
    o->fields = calloc(len + 1, sizeof(struct fields *));
    if (o->fields && bits_init(&o->paced, len) == 0)
        return o;
    options_free(o);
    return NULL;
}

struct options *options_copy(const struct options *o)
{
    struct options *copy = options_new(o->len);
    if (!copy)
        return NULL;
    bits_copy(&copy->paced, &o->paced);
    for (size_t i = 0; i < o->len; i++)
        copy->fields[i] = fields_ref(o->fields[i]);
    return copy;
}

void options_free(struct options *o)
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

void options_set(struct options *o, int id, bool paced, struct fields *fields)
{
    fields_ref(fields);
    fields_unref(o->fields[id]);
    o->fields[id] = fields;
    if (paced)
        bits_set(&o->paced, id);
    else
        bits_unset(&o->paced, id);
}

bool options_any(const struct options *o)
{
    if (bits_any(&o->paced))
        return true;
    for (size_t i = 0; i < o->len; i++)
        if (o->fields[i])
            return true;
    return false;
}

bool options_equal(const struct options *a, const struct options *b)
{
    if (!a || !b)
        return a == b;
    return bits_equal(&a->paced, &b->paced) &&
           memcmp(a->fields, b->fields, a->len * sizeof(struct fields *)) == 0;
}

uint64_t options_hash(const struct options *o, uint64_t seed)
{
    if (!o)
        return seed;
    uint64_t h = bits_hash(&o->paced, seed);
    for (size_t i = 0; i < o->len; i++)
        if (o->fields[i])
            h = (h ^ (o->fields[i]->serial << 16 ^ i)) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}
