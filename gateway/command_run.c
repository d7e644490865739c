#include "commands.h"
#include "gateway.h"
#include "settings.h"
#include "supervisor.h"

struct from {
    const struct options *options;
    char origin[SETTINGS_ORIGIN_MAX];
};

static struct config *read_again(const void *ctx, struct buf *problems, struct buf *warnings)
{
    const struct from *from = ctx;
    char origin[SETTINGS_ORIGIN_MAX];
    return settings_read(from->options, origin, problems, warnings);
}

int command_run(const struct options *o)
{
    struct from from = {.options = o};
    struct config *config = settings_load(o, from.origin);
    if (!config)
        return supervisor_misconfigured();
    const struct gateway_source source = {&from, read_again, from.origin};
    return gateway_run(config, &source);
}
