/* Sorted, a prefix stands before all that it is a prefix of, and these follow it without a gap. So
 * what matches a symbol is the greatest that is not behind it, or one of those that this one
 * extends; each knows the nearest of them, and they are no more than a symbol has characters. */
#include "prefixes.h"

#include <stdlib.h>
#include <string.h>

struct prefix {
    const char *text;
    size_t len;
    int number; /* the lowest of those that it extends, too */
    int parent; /* the longest that it extends; -1: none */
};

int prefixes_init(struct prefixes *p, size_t max)
{
    *p = (struct prefixes){.list = calloc(max + 1, sizeof *p->list)};
    return p->list ? 0 : -1;
}

void prefixes_fini(struct prefixes *p)
{
    free(p->list);
    *p = (struct prefixes){0};
}

void prefixes_add(struct prefixes *p, const char *pattern, size_t len, int number)
{
    p->list[p->len++] = (struct prefix){pattern, len - 1, number, -1};
}

static int compare(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    if (order != 0)
        return order;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static bool extends(const struct prefix *x, const struct prefix *shorter)
{
    return x->len >= shorter->len && memcmp(x->text, shorter->text, shorter->len) == 0;
}

void prefixes_sort(struct prefixes *p)
{
    size_t n = 0;
    qsort(p->list, p->len, sizeof *p->list, compare);
    for (size_t i = 0; i < p->len; i++) {
        struct prefix x = p->list[i];
        int parent = (int)n - 1;
        while (parent >= 0 && !extends(&x, &p->list[parent]))
            parent = p->list[parent].parent;
        if (parent >= 0 && p->list[parent].len == x.len)
            continue; /* said before */
        if (parent >= 0 && p->list[parent].number < x.number)
            x.number = p->list[parent].number;
        x.parent = parent;
        p->list[n++] = x;
    }
    p->len = n;
}

int prefixes_match(const struct prefixes *p, const char *symbol)
{
    const struct prefix x = {.text = symbol, .len = strlen(symbol), .number = 0};
    size_t low = 0, high = p->len; /* of the first that is behind the symbol */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct prefix *y = &p->list[middle];
        if (extends(&x, y) || compare(y, &x) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    int i = (int)low - 1;
    while (i >= 0 && !extends(&x, &p->list[i]))
        i = p->list[i].parent;
    return i >= 0 ? p->list[i].number : -1;
}
