#include "selection.h"

#include <string.h>

#include "protocol.h"
#include "symbol.h"
#include "symtab.h"

/* A list may name the whole limit and then some; beyond that the reply about refused names would
 * only be a way to make us write much for little. */
static const size_t LIST_EXTRA = 1024;

static int check_list(const json_t *list, size_t max, struct err *err)
{
    size_t i;
    const json_t *v;
    if (!json_is_array(list))
        return err_set(err, "symbols must be an array of strings");
    if (json_array_size(list) > max)
        return err_set(err, "symbols: at most %zu in one message", max);
    json_array_foreach(list, i, v)
    {
        const char *s = json_string_value(v);
        if (!s)
            return err_set(err, "symbols[%zu] is not a string", i);
        if (strchr(s, '*') && !symbol_is_pattern(s, strlen(s)))
            return err_set(err,
                           "symbols[%zu]: a pattern is the beginning of a symbol and one * at "
                           "its end",
                           i);
    }
    return 0;
}

static void take(struct selection *s, int id)
{
    if (bits_test(&s->ids, id))
        return;
    bits_set(&s->ids, id);
    s->order[s->order_len++] = id;
}

static bool allows(const struct grant *grant, const struct config *config, size_t id)
{
    return !grant || grant_allows(grant, config->instruments[id].symbol);
}

/* Adds the patterns of the list, by their places in it. */
static void add_patterns(struct prefixes *p, const json_t *list)
{
    size_t i;
    const json_t *v;
    json_array_foreach(list, i, v)
    {
        if (symbol_is_pattern(json_string_value(v), json_string_length(v)))
            prefixes_add(p, json_string_value(v), json_string_length(v), (int)i);
    }
}

/* -1: out of memory. */
static int match_patterns(struct selection *s, const struct config *config,
                          const struct grant *grant)
{
    size_t names = json_array_size(s->list);
    if (prefixes_init(&s->patterns, names) != 0)
        return -1;
    add_patterns(&s->patterns, s->list);
    prefixes_sort(&s->patterns);
    s->matched = calloc(names + 1, sizeof *s->matched);
    s->next = calloc(config->instruments_len + 1, sizeof *s->next);
    bool ok = s->matched && s->next;
    for (size_t i = 0; ok && i < names; i++)
        s->matched[i] = -1;
    for (size_t i = config->instruments_len; ok && s->patterns.len > 0 && i-- > 0;) {
        int n = prefixes_match(&s->patterns, config->instruments[i].symbol);
        if (n < 0 || !allows(grant, config, i))
            continue;
        s->next[i] = s->matched[n];
        s->matched[n] = (int)i;
    }
    return ok ? 0 : -1;
}

static void resolve(struct selection *s, const struct config *config, const struct grant *grant,
                    size_t place)
{
    const json_t *v = json_array_get(s->list, place);
    const char *name = json_string_value(v);
    size_t len = json_string_length(v);
    if (symbol_is_pattern(name, len)) {
        for (int id = s->matched[place]; id >= 0; id = s->next[id])
            take(s, id);
        return;
    }
    int id = symtab_find(config->symbols, name, len);
    if (id >= 0 && allows(grant, config, (size_t)id))
        take(s, id);
    else if (id >= 0)
        protocol_add_rejected(&s->rejected, name, "forbidden", "your token does not allow this");
    else {
        s->unknown++;
        protocol_add_rejected(&s->rejected, name, "unknown_symbol",
                              "no instrument of this name is configured here");
    }
}

enum selection_result selection_init(struct selection *s, const struct config *config,
                                     const struct grant *grant, const json_t *root, struct err *err)
{
    *s = (struct selection){.list = json_object_get(root, "symbols")};
    if (check_list(s->list, (size_t)config->limits.symbols_per_connection + LIST_EXTRA, err) != 0)
        return SELECTION_MALFORMED;
    s->order = calloc(config->instruments_len + 1, sizeof *s->order);
    if (!s->order || bits_init(&s->ids, config->instruments_len) != 0 ||
        match_patterns(s, config, grant) != 0)
        return SELECTION_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(s->list); i++)
        resolve(s, config, grant, i);
    return s->rejected.failed ? SELECTION_NO_MEMORY : SELECTION_OK;
}

void selection_fini(struct selection *s)
{
    prefixes_fini(&s->patterns);
    bits_fini(&s->ids);
    free(s->order);
    free(s->matched);
    free(s->next);
    buf_fini(&s->rejected);
    *s = (struct selection){0};
}
