#include <string.h>

#include "commands.h"
#include "gateway.h"
#include "log.h"
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

/* It is going to run, so what is on stderr is a log from here on. */
static void log_warnings(const struct config *c, const struct buf *warnings)
{
    const char *p = warnings->len > 0 ? warnings->p : "";
    log_setup(c->log.level, c->log.json);
    while (*p) {
        char line[256];
        size_t len = strcspn(p, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, p);
        log_event(LOG_WARN, "config_warning", "why=%s", line);
        p += len + (p[len] == '\n');
    }
}

static struct config *load(struct from *from)
{
    struct buf problems = {0}, warnings = {0};
    struct config *config = settings_read(from->options, from->origin, &problems, &warnings);
    if (config)
        log_warnings(config, &warnings);
    else
        settings_print_lines("warning", &warnings);
    settings_print_lines(from->origin, &problems);
    buf_fini(&problems);
    buf_fini(&warnings);
    return config;
}

int command_run(const struct options *o)
{
    struct from from = {.options = o};
    struct config *config = load(&from);
    if (!config)
        return supervisor_misconfigured();
    const struct gateway_source source = {&from, read_again, from.origin};
    return gateway_run(config, &source);
}
