/* command_fetch.c - one walk through an instrument's real chain, without a server.
 *
 * `fetch SYMBOL` is that; `fetch --all` (fetch_all.h) tries every source on its own. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fetch_all.h"
#include "lone_feeds.h"
#include "settings.h"
#include "symtab.h"

struct walk {
    struct lone_feeds lone;
    int exit_code;
};

static void print_steps(const struct walk_step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* One line per source: of a source that was asked again, the last word. */
        if (i + 1 < n && strcmp(steps[i].provider, steps[i + 1].provider) == 0 &&
            strcmp(steps[i].source_symbol, steps[i + 1].source_symbol) == 0)
            continue;
        fprintf(stderr, "%s %s: %s%s%s\n", steps[i].provider, steps[i].source_symbol,
                failure_name(steps[i].failure), steps[i].detail[0] ? ": " : "", steps[i].detail);
    }
}

static void walked(void *ctx, const struct walk_end *ends, size_t n)
{
    struct walk *w = ctx;
    for (size_t i = 0; i < n; i++) {
        const char *item = w->lone.items[ends[i].id];
        print_steps(ends[i].steps, ends[i].n);
        if (!ends[i].accepted || !item)
            continue;
        printf("%s\n", item);
        w->exit_code = 0;
    }
    lone_feeds_stop(&w->lone);
}

/* True when the chain has the provider the user asked for; says so otherwise. */
static bool chain_ok(const struct instrument *in, const char *provider)
{
    bool found = !provider;
    for (size_t i = 0; i < in->sources_len && !found; i++)
        found = strcmp(in->sources[i].provider, provider) == 0;
    if (in->sources_len == 0)
        fprintf(stderr, "pricegate: %s has no sources: other programs feed it through Redis\n",
                in->symbol);
    else if (!found)
        fprintf(stderr, "pricegate: %s is not in the chain of %s\n", provider, in->symbol);
    return found && in->sources_len > 0;
}

static int walk(const struct config *c, int id, const char *provider)
{
    struct walk w = {.exit_code = 1};
    struct err err = {0};
    if (lone_feeds_open(&w.lone, c, &err) != 0) {
        fprintf(stderr, "pricegate: %s\n", err.text);
        return 1;
    }
    feeds_walk(w.lone.feeds, &id, 1, provider, walked, &w);
    lone_feeds_run(&w.lone);
    lone_feeds_fini(&w.lone);
    return w.exit_code;
}

static int fetch_one(const struct config *c, const struct options *o, const char *origin)
{
    int id = symtab_find(c->symbols, o->args[0], strlen(o->args[0]));
    if (id >= 0)
        return chain_ok(&c->instruments[id], o->provider) ? walk(c, id, o->provider) : 1;
    fprintf(stderr, "pricegate: %s: no such instrument in %s\n", o->args[0], origin);
    return 1;
}

int command_fetch(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    if (!c)
        return 1;
    log_setup(LOG_ERROR, c->log.json);
    int exit_code = o->all ? fetch_all(c, o->provider) : fetch_one(c, o, origin);
    config_free(c);
    return exit_code;
}
