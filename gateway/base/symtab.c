#include "symtab.h"

#include <stdint.h>
#include <string.h>

struct slot {
    const char *symbol; /* NULL: free */
    size_t len;
    int id;
};

struct symtab {
    struct slot *slots;
    size_t mask, used, max;
};

static size_t hash(const char *s, size_t len)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a: the keys are ours, nobody can aim at collisions */
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

struct symtab *symtab_new(size_t max_entries)
{
    size_t n = 16;
    while (n < max_entries * 2)
        n *= 2;
    struct symtab *t = calloc(1, sizeof *t);
    struct slot *slots = calloc(n, sizeof *slots);
    if (!t || !slots) {
        free(t);
        free(slots);
        return NULL;
    }
    *t = (struct symtab){.slots = slots, .mask = n - 1, .max = max_entries};
    return t;
}

void symtab_free(struct symtab *t)
{
    if (!t)
        return;
    free(t->slots);
    free(t);
}

static struct slot *find_slot(const struct symtab *t, const char *symbol, size_t len)
{
    size_t i = hash(symbol, len) & t->mask;
    while (t->slots[i].symbol &&
           !(t->slots[i].len == len && memcmp(t->slots[i].symbol, symbol, len) == 0))
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

int symtab_add(struct symtab *t, const char *symbol, int id)
{
    size_t len = strlen(symbol);
    struct slot *s = find_slot(t, symbol, len);
    if (s->symbol)
        return -1;
    REQUIRE(t->used < t->max);
    *s = (struct slot){symbol, len, id};
    t->used++;
    return 0;
}

int symtab_find(const struct symtab *t, const char *symbol, size_t len)
{
    const struct slot *s = find_slot(t, symbol, len);
    return s->symbol ? s->id : -1;
}
