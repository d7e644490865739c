#include "bus_shared.h"

#include <stdlib.h>
#include <string.h>

static void free_value(struct bus_shared_value *v)
{
    free(v->bytes);
    free(v);
}

/* Takes out what has expired, and `key` when it is not NULL. */
static void sweep(struct bus_shared *s, const char *key, int64_t now_ms)
{
    struct bus_shared_value **link = &s->first;
    while (*link) {
        struct bus_shared_value *v = *link;
        if (v->expires_ms > now_ms && !(key && strcmp(v->key, key) == 0)) {
            link = &v->next;
            continue;
        }
        *link = v->next;
        s->len--;
        free_value(v);
    }
}

void bus_shared_fini(struct bus_shared *s)
{
    sweep(s, NULL, INT64_MAX);
}

struct bus_shared_value *bus_shared_put(struct bus_shared *s, const char *key, const char *bytes,
                                        size_t len, int64_t expires_ms, int64_t now_ms)
{
    sweep(s, key, now_ms);
    if (s->len >= BUS_SHARED_MAX)
        return NULL;
    size_t key_bytes = strlen(key) + 1;
    struct bus_shared_value *v = malloc(sizeof *v + key_bytes);
    char *copy = malloc(len + 1);
    if (!v || !copy) {
        free(v);
        free(copy);
        return NULL;
    }
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    *v = (struct bus_shared_value){
        .next = s->first, .expires_ms = expires_ms, .bytes = copy, .len = len};
    memcpy(v->key, key, key_bytes);
    s->first = v;
    s->len++;
    return v;
}

const struct bus_shared_value *bus_shared_find(struct bus_shared *s, const char *key,
                                               int64_t now_ms)
{
    sweep(s, NULL, now_ms);
    struct bus_shared_value *v = s->first;
    while (v && strcmp(v->key, key) != 0)
        v = v->next;
    return v;
}
