#include "lone_feeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void hear_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct lone_feeds *l = ctx;
    free(l->items[id]);
    l->items[id] = strndup(bytes, len);
}

static void hear_nothing(void *ctx, int id, const char *bytes, size_t len)
{
    (void)ctx, (void)id, (void)bytes, (void)len;
}

static void hear_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct lone_feeds *l = ctx;
    if (l->feeds)
        feeds_shared(l->feeds, key, bytes, len);
}

static void hear_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

/* Names on this bus are numbers: nobody else hears them, and they are all different. */
static int open_bus(struct lone_feeds *l, const struct config *c, struct err *err)
{
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = l->items_len};
    const struct bus_handler handler = {l, hear_item, hear_nothing, hear_shared, hear_link, NULL};
    l->bus = bus_new(&l->loop, &options, &handler, err);
    for (size_t i = 0; l->bus && i < l->items_len; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        if (bus_watch(l->bus, name, c->instruments[i].kind, (int)i) != 0)
            return err_set(err, "out of memory");
    }
    return l->bus ? bus_start(l->bus, err) : -1;
}

int lone_feeds_open(struct lone_feeds *l, const struct config *c, struct err *err)
{
    *l = (struct lone_feeds){.items_len = c->instruments_len};
    if (uv_loop_init(&l->loop) != 0)
        return err_set(err, "no event loop");
    l->items = calloc(c->instruments_len + 1, sizeof *l->items);
    if (!l->items)
        err_set(err, "out of memory");
    else if (open_bus(l, c, err) == 0)
        l->feeds = feeds_new(&l->loop, c, l->bus, &l->metrics, clock_wall_ms(), err);
    if (l->feeds)
        return 0;
    lone_feeds_stop(l);
    lone_feeds_run(l);
    lone_feeds_fini(l);
    return -1;
}

void lone_feeds_run(struct lone_feeds *l)
{
    uv_run(&l->loop, UV_RUN_DEFAULT);
    uv_loop_close(&l->loop); /* a name look-up under way keeps it open; the process ends anyway */
}

void lone_feeds_stop(struct lone_feeds *l)
{
    if (l->feeds) {
        feeds_stop(l->feeds);
        feeds_close(l->feeds, NULL, NULL);
    }
    if (l->bus)
        bus_close(l->bus, NULL, NULL);
}

void lone_feeds_fini(struct lone_feeds *l)
{
    for (size_t i = 0; l->items && i < l->items_len; i++)
        free(l->items[i]);
    free(l->items);
    metrics_fini(&l->metrics);
}
