#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "exchanges.h"
#include "settings.h"

/* A file that the configuration names must be readable; the check says so before a start does. */
static int check_readable(const char *path, const char *where, const char *origin)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    fprintf(stderr, "pricegate: %s: %s: %s: %s\n", origin, where, path, strerror(errno));
    return -1;
}

/* The calendars of the exchanges: time zones, and lists of holidays. */
static int check_exchanges(const struct config *c, const char *origin)
{
    struct buf problems = {0};
    struct exchanges *x = exchanges_new(c, &problems);
    settings_print_lines(origin, &problems);
    buf_fini(&problems);
    const char *name;
    for (size_t at = 0; x && (name = exchanges_run_out(x, clock_wall_ms(), &at));)
        printf("exchange %s: its list of holidays has no day that is still to come\n", name);
    exchanges_free(x);
    return x ? 0 : -1;
}

int command_check(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    if (!c)
        return 1;
    int rc = check_readable(c->listen.tls_cert, "listen.tls.cert", origin);
    rc |= check_readable(c->listen.tls_key, "listen.tls.key", origin);
    rc |= check_readable(c->listen.web_root, "listen.web_root", origin);
    rc |= check_exchanges(c, origin);
    if (rc == 0) {
        char size[SETTINGS_SIZE_MAX];
        printf("%s: ok, %s\n", origin, settings_size(c, size));
        for (size_t i = 0; i < c->providers_len; i++)
            if (!c->providers[i].enabled && config_uses(c, i))
                printf("provider %s is disabled: %s\n", c->providers[i].name,
                       c->providers[i].why_disabled);
    }
    config_free(c);
    return rc == 0 ? 0 : 1;
}
