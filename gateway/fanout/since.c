#include "since.h"

bool since_valid(json_t *since)
{
    const char *name;
    json_t *v;
    if (!json_is_object(since))
        return false;
    json_object_foreach(since, name, v)
    {
        if (!json_is_string(v))
            return false;
    }
    return true;
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
