/* A list, put in at its end and taken from its front; of each symbol the last entry that waits is
 * known, for the case that the memory is used up. An entry whose item was replaced stays in its
 * place, empty, and is passed over. */
#include "delay_line.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    int64_t due_ns, set_ms;
    int id;
    struct item *item; /* NULL: a status, or (len 0) replaced */
    size_t len;
    char bytes[];
};

struct delay_line {
    struct entry *first, **end;
    struct entry **last; /* per symbol: the item that waits longest from now; NULL = none */
    struct entry *taken; /* its bytes are lent out */
    size_t bytes, bytes_max;
};

struct delay_line *delay_line_new(size_t symbols, size_t bytes_max)
{
    struct delay_line *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->last = calloc(symbols + 1, sizeof(struct entry *));
    if (!l->last) {
        free(l);
        return NULL;
    }
    l->end = &l->first;
    l->bytes_max = bytes_max;
    return l;
}

static size_t size_of(const struct entry *e)
{
    return sizeof *e + e->len + (e->item ? sizeof *e->item + e->item->len : 0);
}

static void free_entry(struct entry *e)
{
    item_unref(e->item);
    free(e);
}

void delay_line_free(struct delay_line *l)
{
    if (!l)
        return;
    while (l->first) {
        struct entry *e = l->first;
        l->first = e->next;
        free_entry(e);
    }
    free(l->taken);
    free(l->last);
    free(l);
}

/* The memory is used up: the last item of the symbol gives way. */
static void make_room(struct delay_line *l, int id)
{
    struct entry *e = l->last[id];
    if (l->bytes < l->bytes_max || !e)
        return;
    l->bytes -= size_of(e);
    item_unref(e->item);
    e->item = NULL;
    l->bytes += size_of(e);
    l->last[id] = NULL;
}

static struct entry *append(struct delay_line *l, int id, size_t len, int64_t due_ns)
{
    struct entry *e = calloc(1, sizeof *e + len);
    if (!e)
        return NULL;
    e->due_ns = due_ns;
    e->id = id;
    e->len = len;
    *l->end = e;
    l->end = &e->next;
    return e;
}

int delay_line_put(struct delay_line *l, int id, struct item *it, int64_t due_ns)
{
    make_room(l, id);
    struct entry *e = append(l, id, 0, due_ns);
    if (!e)
        return -1;
    e->item = item_ref(it);
    l->bytes += size_of(e);
    l->last[id] = e;
    return 0;
}

int delay_line_put_status(struct delay_line *l, int id, const char *bytes, size_t len,
                          int64_t due_ns)
{
    if (len == 0 || l->bytes >= l->bytes_max)
        return len == 0 ? 0 : -1;
    struct entry *e = append(l, id, len, due_ns);
    if (!e)
        return -1;
    memcpy(e->bytes, bytes, len);
    l->bytes += size_of(e);
    return 0;
}

int delay_line_carry(struct delay_line *l, int id, const struct delayed *d)
{
    struct entry **at = l->end;
    int rc = d->item ? delay_line_put(l, id, d->item, d->due_ns)
                     : delay_line_put_status(l, id, d->bytes, d->len, d->due_ns);
    if (rc == 0 && *at)
        (*at)->set_ms = d->set_ms;
    return rc;
}

static struct entry *pop(struct delay_line *l)
{
    struct entry *e = l->first;
    l->first = e->next;
    if (!l->first)
        l->end = &l->first;
    if (l->last[e->id] == e)
        l->last[e->id] = NULL;
    l->bytes -= size_of(e);
    return e;
}

bool delay_line_take(struct delay_line *l, int64_t mono_ns, struct delayed *out)
{
    free(l->taken);
    l->taken = NULL;
    while (l->first && l->first->due_ns <= mono_ns) {
        struct entry *e = pop(l);
        if (!e->item && e->len == 0) {
            free(e);
            continue;
        }
        *out = (struct delayed){
            .id = e->id,
            .item = e->item,
            .bytes = e->bytes,
            .len = e->len,
            .set_ms = e->set_ms,
            .due_ns = e->due_ns,
        };
        e->item = NULL;
        l->taken = e;
        return true;
    }
    return false;
}

void delay_line_clock_set(struct delay_line *l, int64_t by_ms)
{
    for (struct entry *e = l->first; e; e = e->next)
        e->set_ms += by_ms;
}

int64_t delay_line_next_ns(const struct delay_line *l)
{
    return l->first ? l->first->due_ns : INT64_MAX;
}
