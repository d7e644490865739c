#include "generation.h"

#include "notice_watch.h"

int generation_begin(struct generation *n, struct config *config,
                     const struct generation_ground *ground, int64_t epoch_ms, struct err *err)
{
    *n = (struct generation){.config = config};
    n->auth = auth_new(config, err);
    if (!n->auth)
        return -1;
    const struct fanout_ports ports = {
        .authenticate = auth_check_token, .authenticate_ctx = n->auth, .feed = ground->feed_port};
    n->tiers = tiers_new(config, ground->metrics, &ports);
    if (!n->tiers)
        return err_set(err, "out of memory");
    n->notices = notices_new(notice_watch_matters(config));
    if (!n->notices)
        return err_set(err, "out of memory");
    n->feeds = feeds_new(ground->loop, config, ground->bus, ground->metrics, epoch_ms, err);
    return n->feeds ? 0 : -1;
}

void generation_end(struct generation *n, void (*done)(void *ctx), void *ctx)
{
    if (!n->feeds) {
        done(ctx);
        return;
    }
    feeds_stop(n->feeds);
    feeds_close(n->feeds, done, ctx);
    n->feeds = NULL;
}

void generation_free(struct generation *n)
{
    notices_free(n->notices);
    tiers_free(n->tiers);
    auth_free(n->auth);
    config_free(n->config);
    *n = (struct generation){0};
}
