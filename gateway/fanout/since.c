#include "since.h"

bool since_valid(const json_t *since)
{
    if (!json_is_object(since))
        return false;
    /* jansson iterates without changing anything, but takes no const */
    json_t *o = json_incref((json_t *)(uintptr_t)since);
    const char *name;
    json_t *v;
    bool ok = true;
    json_object_foreach(o, name, v)
    {
        ok = ok && json_is_string(v);
    }
    json_decref(o);
    return ok;
}

static bool has_newest(const struct item *it, const char *version)
{
    uint64_t epoch_ms = 0, counter = 0;
    return it && it->has_seq && version && item_seq_parse(version, &epoch_ms, &counter) &&
           it->epoch_ms == epoch_ms && it->counter <= counter;
}

void since_split(const json_t *since, const struct book *book, struct bits *fresh,
                 struct bits *known)
{
    if (!since)
        return;
    for (int id = bits_next(fresh, 0); id >= 0; id = bits_next(fresh, id + 1)) {
        const char *symbol = book->config->instruments[id].symbol;
        if (has_newest(book->entries[id].item, jsonx_string(since, symbol))) {
            bits_unset(fresh, id);
            bits_set(known, id);
        }
    }
}
