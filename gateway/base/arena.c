#include "arena.h"

#include <stdint.h>
#include <string.h>

/* One allocation each, chained: a configuration has some hundred pieces and is loaded once, so
 * packing them into blocks would save nothing that anybody could measure, and this way the
 * sanitizers see every border. */
struct piece {
    struct piece *next;
    max_align_t data[];
};

struct arena {
    struct piece *pieces;
    bool failed;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->pieces) {
        struct piece *p = a->pieces;
        a->pieces = p->next;
        free(p);
    }
    free(a);
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    struct piece *p = NULL;
    if (size == 0 || n <= (SIZE_MAX - sizeof *p) / size)
        p = calloc(1, sizeof *p + n * size);
    if (!p) {
        a->failed = true;
        return NULL;
    }
    p->next = a->pieces;
    a->pieces = p;
    return p->data;
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = arena_alloc(a, size, 1);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}
