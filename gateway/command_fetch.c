/* command_fetch.c - one walk through an instrument's real chain, without a server.
 *
 * Runs on an embedded bus of its own: nothing is published to Redis and no running gateway's
 * breaker is moved, so it can be tried at any time; it does cost the provider's credits. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "bus.h"
#include "clock.h"
#include "commands.h"
#include "feeds.h"
#include "settings.h"
#include "symtab.h"

struct walk {
    struct bus *bus;
    struct feeds *feeds;
    char *item; /* what was accepted */
    int exit_code;
};

static void hear_item(void *ctx, int id, const char *bytes, size_t len)
{
    (void)id;
    struct walk *w = ctx;
    free(w->item);
    w->item = strndup(bytes, len);
}

static void hear_nothing(void *ctx, int id, const char *bytes, size_t len)
{
    (void)ctx, (void)id, (void)bytes, (void)len;
}

static void hear_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct walk *w = ctx;
    feeds_shared(w->feeds, key, bytes, len);
}

static void hear_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

static void walked(void *ctx, bool accepted, const struct walk_step *steps, size_t n)
{
    struct walk *w = ctx;
    for (size_t i = 0; i < n; i++) {
        /* One line per source: of a source that was asked again, the last word. */
        if (i + 1 < n && strcmp(steps[i].provider, steps[i + 1].provider) == 0 &&
            strcmp(steps[i].source_symbol, steps[i + 1].source_symbol) == 0)
            continue;
        const char *detail = steps[i].detail && steps[i].detail[0] ? steps[i].detail : NULL;
        fprintf(stderr, "%s %s: %s%s%s\n", steps[i].provider, steps[i].source_symbol,
                failure_name(steps[i].failure), detail ? ": " : "", detail ? detail : "");
    }
    if (accepted && w->item) {
        printf("%s\n", w->item);
        w->exit_code = 0;
    }
    feeds_stop(w->feeds);
    feeds_close(w->feeds, NULL, NULL);
    bus_close(w->bus, NULL, NULL);
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
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = 1};
    const struct bus_handler handler = {&w, hear_item, hear_nothing, hear_shared, hear_link, NULL};
    struct metrics metrics = {0};
    struct err err = {0};
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0)
        return 1;
    w.bus = bus_new(&loop, &options, &handler, &err);
    if (!w.bus || bus_watch(w.bus, c->instruments[id].symbol, c->instruments[id].kind, id) != 0 ||
        bus_start(w.bus, &err) != 0)
        goto out;
    w.feeds = feeds_new(&loop, c, w.bus, &metrics, clock_wall_ms(), &err);
    if (!w.feeds)
        goto out;
    feeds_walk(w.feeds, id, provider, walked, &w);
    uv_run(&loop, UV_RUN_DEFAULT);
out:
    if (!w.feeds) {
        fprintf(stderr, "pricegate: %s\n", err.text[0] ? err.text : "out of memory");
        if (w.bus)
            bus_close(w.bus, NULL, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&loop);
    metrics_fini(&metrics);
    free(w.item);
    return w.exit_code;
}

int command_fetch(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    int exit_code = 1;
    if (!c)
        return 1;
    log_setup(LOG_ERROR, c->log.json);
    int id = symtab_find(c->symbols, o->args[0], strlen(o->args[0]));
    if (id < 0)
        fprintf(stderr, "pricegate: %s: no such instrument in %s\n", o->args[0], origin);
    else if (chain_ok(&c->instruments[id], o->provider))
        exit_code = walk(c, id, o->provider);
    config_free(c);
    return exit_code;
}
