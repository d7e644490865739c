#include "instrument_map.h"

#include <stdlib.h>
#include <string.h>

#include "symtab.h"

int instrument_map_init(struct instrument_map *m, const struct config *from,
                        const struct config *to)
{
    *m = (struct instrument_map){.from = from, .to = to};
    m->there = calloc(from->instruments_len + 1, sizeof *m->there);
    m->joined = calloc(to->instruments_len + 1, sizeof *m->joined);
    if (!m->there || !m->joined) {
        instrument_map_fini(m);
        return -1;
    }
    for (size_t i = 0; i < to->instruments_len; i++)
        m->joined[i] = true;
    for (size_t i = 0; i < from->instruments_len; i++) {
        const struct instrument *in = &from->instruments[i];
        int id = symtab_find(to->symbols, in->symbol, strlen(in->symbol));
        if (id >= 0 && to->instruments[id].kind != in->kind)
            id = -1;
        m->there[i] = id;
        if (id >= 0)
            m->joined[id] = false;
    }
    return 0;
}

void instrument_map_fini(struct instrument_map *m)
{
    free(m->there);
    free(m->joined);
    *m = (struct instrument_map){0};
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_limit(struct decimal a, struct decimal b)
{
    return a.given == b.given && (!a.given || decimal_cmp(a, b) == 0);
}

bool instrument_map_same_sources(const struct instrument_map *m, size_t i)
{
    const struct instrument *a = &m->from->instruments[i], *b = &m->to->instruments[m->there[i]];
    if (a->sources_len != b->sources_len)
        return false;
    for (size_t k = 0; k < a->sources_len; k++)
        if (a->sources[k].provider_id != b->sources[k].provider_id ||
            strcmp(a->sources[k].symbol, b->sources[k].symbol) != 0)
            return false;
    return true;
}

bool instrument_map_changed(const struct instrument_map *m, size_t i)
{
    const struct instrument *a = &m->from->instruments[i], *b = &m->to->instruments[m->there[i]];
    const char *const texts[][2] = {
        {a->name,     b->name    },
        {a->category, b->category},
        {a->unit,     b->unit    },
        {a->currency, b->currency},
        {a->exchange, b->exchange},
        {a->region,   b->region  },
    };
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        if (!same_text(texts[k][0], texts[k][1]))
            return true;
    return !same_limit(a->range_min, b->range_min) || !same_limit(a->range_max, b->range_max) ||
           a->poll_ms != b->poll_ms || a->delayed_after_ms != b->delayed_after_ms ||
           a->ttl_s != b->ttl_s || a->stale_after_ms != b->stale_after_ms ||
           a->max_jump_pct < b->max_jump_pct || a->max_jump_pct > b->max_jump_pct ||
           !instrument_map_same_sources(m, i);
}
