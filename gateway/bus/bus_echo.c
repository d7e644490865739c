#include "bus_echo.h"

/* FNV-1a over the symbol's number and the bytes; never 0, which marks an empty place. */
static uint64_t hash(int id, const char *bytes, size_t len)
{
    static const uint64_t basis = 14695981039346656037u, prime = 1099511628211u;
    uint64_t h = (basis ^ (uint64_t)id) * prime;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * prime;
    return h ? h : 1;
}

/* Forgets what came back already at the old end. */
static void trim(struct bus_echo *e)
{
    while (e->len > 0 && e->awaited[e->first] == 0) {
        e->first = (e->first + 1) % BUS_ECHO_MAX;
        e->len--;
    }
}

void bus_echo_clear(struct bus_echo *e)
{
    e->first = e->len = 0;
}

void bus_echo_expect(struct bus_echo *e, int id, const char *bytes, size_t len)
{
    if (e->len == BUS_ECHO_MAX) {
        e->awaited[e->first] = 0;
        trim(e);
    }
    e->awaited[(e->first + e->len) % BUS_ECHO_MAX] = hash(id, bytes, len);
    e->len++;
}

bool bus_echo_take(struct bus_echo *e, int id, const char *bytes, size_t len)
{
    uint64_t h = hash(id, bytes, len);
    for (size_t i = 0; i < e->len; i++) {
        uint64_t *place = &e->awaited[(e->first + i) % BUS_ECHO_MAX];
        if (*place != h)
            continue;
        *place = 0;
        trim(e);
        return true;
    }
    return false;
}
