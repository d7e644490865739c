/* The cuts of an entry are a short list: as long as there are different field sets on this symbol.
 * They remember their field set by its serial number, which is never used twice, so a set may
 * vanish while a cut made for it is still here. */
#include "fragment.h"

#include <string.h>

struct cut {
    struct cut *next;
    uint64_t serial; /* of the field set */
    size_t len;
    char bytes[];
};

static bool is_wanted(const struct jsonx_member *m, const struct fields *fields)
{
    for (size_t i = 0; i < fields->len; i++)
        if (jsonx_member_is(m, fields->names[i]))
            return true;
    return false;
}

/* The text of a member from its name's first quote on. */
static const char *start_of(const struct jsonx_member *m)
{
    return m->name - 1;
}

static struct cut *cut_new(const struct item *it, const struct fields *fields)
{
    struct cut *cut = malloc(sizeof *cut + it->len + 2); /* no cut is longer than its item */
    if (!cut)
        return NULL;
    char *p = cut->bytes;
    *p++ = '{';
    for (int i = 0; i < it->members_len; i++) {
        const struct jsonx_member *m = &it->members[i];
        if (!is_wanted(m, fields))
            continue;
        size_t len = (size_t)(m->value + m->value_len - start_of(m));
        if (p > cut->bytes + 1)
            *p++ = ',';
        memcpy(p, start_of(m), len);
        p += len;
    }
    *p++ = '}';
    cut->len = (size_t)(p - cut->bytes);
    cut->serial = fields->serial;
    struct cut *fit = realloc(cut, sizeof *cut + cut->len);
    return fit ? fit : cut;
}

struct fragment fragment_of(struct book_entry *e, const struct fields *fields)
{
    if (!e->item)
        return (struct fragment){0};
    if (!fields)
        return (struct fragment){.p = e->item->bytes, .len = e->item->len};
    struct cut *cut = e->cuts;
    while (cut && cut->serial != fields->serial)
        cut = cut->next;
    if (!cut) {
        cut = cut_new(e->item, fields);
        if (!cut)
            return (struct fragment){.failed = true};
        cut->next = e->cuts;
        e->cuts = cut;
    }
    return (struct fragment){.p = cut->bytes, .len = cut->len};
}

void fragment_forget(struct book_entry *e)
{
    while (e->cuts) {
        struct cut *next = e->cuts->next;
        free(e->cuts);
        e->cuts = next;
    }
}
