#include "options.h"

#include <stddef.h>
#include <string.h>

#include "log.h"

static const struct row {
    const char *name, *value, *help; /* value NULL = a switch */
    unsigned bit;
    size_t offset;
} rows[] = {
    {"--all",       NULL,    "every source of every instrument, each on its own",                          OPT_ALL,
     offsetof(struct options,                                                                                                                      all)      },
    {"--config",    "FILE",
     "configuration (else $PRICEGATE_CONFIG, ./pricegate.json, the built-in one)",                         OPT_CONFIG,
     offsetof(struct options,                                                                                                                      config)   },
    {"--demo",      NULL,    "a simulated market instead of the configured instruments; needs no network",
     OPT_DEMO,                                                                                                            offsetof(struct options, demo)     },
    {"--json",      NULL,    "print for a machine",                                                        OPT_JSON,      offsetof(struct options, json)     },
    {"--log-level", "LEVEL", "error, warn, info or debug",                                                 OPT_LOG_LEVEL,
     offsetof(struct options,                                                                                                                      log_level)},
    {"--port",      "N",     "listen on this port; 0 = any free one",                                      OPT_PORT,
     offsetof(struct options,                                                                                                                      port)     },
    {"--provider",  "NAME",  "ask this provider only",                                                     OPT_PROVIDER,
     offsetof(struct options,                                                                                                                      provider) },
    {"--token",     "TOKEN", "key for a gateway that asks for one",                                        OPT_TOKEN,
     offsetof(struct options,                                                                                                                      token)    },
    {"--url",       "URL",   "a running gateway (else the configured address)",                            OPT_URL,
     offsetof(struct options,                                                                                                                      url)      },
};

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* Takes the option at argv[*i], and its value from behind '=' or from the next argument. */
static int take_option(char *const *argv, int argc, int *i, struct options *o, struct err *err)
{
    const char *arg = argv[*i], *eq = strchr(arg, '=');
    const struct row *row = find_row(arg, eq ? (size_t)(eq - arg) : strlen(arg));
    if (!row)
        return err_set(err, "%s: no such option; see pricegate --help", arg);
    if (!(o->command->takes & row->bit))
        return err_set(err, "%s: not an option of `%s`; see pricegate --help", row->name,
                       o->command->name);
    char *field = (char *)o + row->offset;
    if (!row->value) {
        if (eq)
            return err_set(err, "%s takes no value", row->name);
        *(bool *)field = true;
        return 0;
    }
    const char *value = eq ? eq + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value)
        return err_set(err, "%s: %s is missing", row->name, row->value);
    memcpy(field, &value, sizeof value);
    return 0;
}

static const struct command *find_command(const struct command *commands, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int check_port(const char *text, struct err *err)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || n < 0 || n > 65535)
        return err_set(err, "--port: %s is not a port (0..65535)", text);
    return 0;
}

static int check_args(const struct options *o, struct err *err)
{
    const struct command *c = o->command;
    int least = o->all ? 0 : c->args_min, most = o->all ? 0 : c->args_max;
    if (o->args_len < least)
        return err_set(err, "usage: pricegate %s", c->synopsis);
    if (most >= 0 && o->args_len > most)
        return err_set(err, "%s: what is this? usage: pricegate %s", o->args[most], c->synopsis);
    enum log_level level;
    if (o->log_level && log_level_parse(o->log_level, &level) != 0)
        return err_set(err, "--log-level: %s is none of error, warn, info, debug", o->log_level);
    return o->port ? check_port(o->port, err) : 0;
}

int options_parse(int argc, char **argv, const struct command *commands, int commands_len,
                  struct options *out, struct err *err)
{
    struct options o = {.command = &commands[0]};
    bool only_args = false;
    int first = 1, args = 0;

    if (argc > 1 && argv[1][0] != '-') {
        o.command = find_command(commands, commands_len, argv[1]);
        if (!o.command)
            return err_set(err, "%s: no such command; see pricegate --help", argv[1]);
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            o.help = true;
        } else if (!only_args && strcmp(argv[i], "--version") == 0) {
            o.version = true;
        } else if (only_args || argv[i][0] != '-') {
            argv[first + args++] = argv[i];
        } else if (take_option(argv, argc, &i, &o, err) != 0) {
            return -1;
        }
    }
    o.args = argv + first;
    o.args_len = args;
    *out = o;
    return o.help || o.version ? 0 : check_args(&o, err);
}

void options_print_usage(const struct command *commands, int commands_len)
{
    printf("pricegate: one live price for every browser, REST caller and Redis "
           "subscriber\n\nusage:\n");
    for (int i = 0; i < commands_len; i++)
        printf("  pricegate %-58s %s\n", commands[i].synopsis, commands[i].summary);
    printf("  pricegate --version | --help\n\noptions:\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[40];
        snprintf(name, sizeof name, "%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        printf("  %-18s %s\n", name, rows[i].help);
    }
    printf("\nexit codes: 0 ok, 1 a runtime failure or a failed check, 2 wrong usage\n");
}
