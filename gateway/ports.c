#include "ports.h"

#include "gateway_private.h"
#include "reload.h"

static void port_refresh(void *ctx, const int *ids, size_t n, refresh_done *done, void *done_ctx)
{
    struct gateway *g = ctx;
    feeds_refresh(g->now.feeds, ids, n, done, done_ctx);
}

static void port_run_job(void *ctx, enum job job, refresh_done *done, void *done_ctx)
{
    struct gateway *g = ctx;
    feeds_run_job(g->now.feeds, job, done, done_ctx);
}

static json_t *port_jobs(void *ctx)
{
    struct gateway *g = ctx;
    return feeds_jobs(g->now.feeds);
}

static int64_t port_next_poll(void *ctx, int id)
{
    struct gateway *g = ctx;
    return feeds_next_poll_ms(g->now.feeds, id);
}

static json_t *port_sources(void *ctx)
{
    struct gateway *g = ctx;
    return feeds_sources(g->now.feeds);
}

static json_t *port_suspect(void *ctx, int id)
{
    struct gateway *g = ctx;
    return feeds_suspect(g->now.feeds, id);
}

static json_t *port_provenance(void *ctx, int id)
{
    struct gateway *g = ctx;
    return feeds_provenance(g->now.feeds, id);
}

static int port_reset(void *ctx, const char *provider)
{
    struct gateway *g = ctx;
    return feeds_reset(g->now.feeds, provider);
}

static bool port_any_provider(void *ctx)
{
    struct gateway *g = ctx;
    return feeds_any_provider(g->now.feeds);
}

static bool port_bus_up(void *ctx)
{
    struct gateway *g = ctx;
    return bus_is_up(g->bus);
}

static bool port_bus_whole(void *ctx)
{
    struct gateway *g = ctx;
    return bus_is_whole(g->bus);
}

static json_t *port_reload(void *ctx, bool *done)
{
    return reload_run(ctx, done);
}

void ports_wire(struct gateway *g)
{
    g->feed_port = (struct feed_port){
        .ctx = g,
        .refresh = port_refresh,
        .run_job = port_run_job,
        .jobs = port_jobs,
        .next_poll = port_next_poll,
        .sources = port_sources,
        .suspect = port_suspect,
        .provenance = port_provenance,
        .reset = port_reset,
        .any_provider = port_any_provider,
        .bus_up = port_bus_up,
        .bus_whole = port_bus_whole,
    };
    g->process_port = (struct process_port){.ctx = g, .reload = port_reload};
}
