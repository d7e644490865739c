#include "view_options.h"

struct view_options *view_options_new(size_t len)
{
    struct view_options *o = calloc(1, sizeof *o + BITS_WORDS(len) * sizeof o->words[0]);
    if (!o)
        return NULL;
    o->len = len;
    bits_init_in(&o->paced, o->words, len);
    return o;
}

struct view_options *view_options_copy(const struct view_options *o)
{
    struct view_options *copy = view_options_new(o->len);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < o->len; i++)
        if (view_options_set(copy, (int)i, view_options_paced(o, (int)i),
                             view_options_fields(o, (int)i)) != 0) {
            view_options_free(copy);
            return NULL;
        }
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
    free(o);
}

int view_options_set(struct view_options *o, int id, bool paced, struct fields *fields)
{
    if (fields && !o->fields)
        o->fields = calloc(o->len, sizeof(struct fields *));
    if (fields && !o->fields)
        return -1;
    if (o->fields) {
        fields_ref(fields);
        fields_unref(o->fields[id]);
        o->fields[id] = fields;
    }
    if (paced)
        bits_set(&o->paced, id);
    else
        bits_unset(&o->paced, id);
    return 0;
}

bool view_options_any(const struct view_options *o)
{
    if (bits_any(&o->paced))
        return true;
    for (size_t i = 0; o->fields && i < o->len; i++)
        if (o->fields[i])
            return true;
    return false;
}

bool view_options_equal(const struct view_options *a, const struct view_options *b)
{
    if (!a || !b)
        return a == b;
    for (size_t i = 0; i < a->len; i++)
        if (view_options_fields(a, (int)i) != view_options_fields(b, (int)i))
            return false;
    return bits_equal(&a->paced, &b->paced);
}

uint64_t view_options_hash(const struct view_options *o, uint64_t seed)
{
    if (!o)
        return seed;
    uint64_t h = bits_hash(&o->paced, seed);
    for (size_t i = 0; o->fields && i < o->len; i++)
        if (o->fields[i])
            h = (h ^ (o->fields[i]->serial << 16 ^ i)) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}
