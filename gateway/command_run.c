#include "commands.h"
#include "gateway.h"
#include "settings.h"

int command_run(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *config = settings_load(o, origin);
    if (!config)
        return 1;
    int exit_code = gateway_run(config, origin);
    config_free(config);
    return exit_code;
}
