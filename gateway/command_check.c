#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "named_files.h"
#include "settings.h"

struct told {
    const char *origin;
    bool failed;
};

static void tell(void *ctx, enum named_files_kind kind, const char *setting, const char *sentence,
                 const char *advice)
{
    struct told *t = ctx;
    (void)setting;
    if (kind == NAMED_NOTE) {
        printf("%s%s%s\n", sentence, advice ? ": " : "", advice ? advice : "");
        return;
    }
    t->failed = true;
    fprintf(stderr, "pricegate: %s: %s%s%s\n", t->origin, sentence, advice ? ": " : "",
            advice ? advice : "");
}

static void print_disabled(const struct config *c)
{
    if (!c->feeds_enabled)
        printf("REALTIME_PRICE_FEED_ENABLED is off: nobody is asked for anything\n");
    for (size_t i = 0; i < c->providers_len; i++)
        if (!c->providers[i].enabled && config_uses(c, i))
            printf("provider %s is disabled: %s: %s\n", c->providers[i].name,
                   c->providers[i].why_disabled, CONFIG_DISABLED_ADVICE);
    for (size_t i = 0; i < c->instruments_len; i++)
        if (!config_has_source(c, i))
            printf("nobody can be asked for %s: all its sources are disabled\n",
                   c->instruments[i].symbol);
}

int command_check(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    if (!c)
        return 1;
    struct told told = {.origin = origin};
    named_files_check(c, clock_wall_ms(), tell, &told);
    if (!told.failed) {
        char size[SETTINGS_SIZE_MAX];
        printf("%s: ok, %s\n", origin, settings_size(c, size));
        print_disabled(c);
    }
    config_free(c);
    return told.failed ? 1 : 0;
}
