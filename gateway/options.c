#include "options.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "log.h"

#define AT(member) offsetof(struct options, member)

static const struct row {
    const char *name, *letter; /* letter: the short form, NULL = none */
    const char *value;         /* NULL = a switch; "[N]" = may be left out */
    unsigned bit;
    size_t offset;
    const char *help;
} rows[] = {
    {"--all",         NULL, NULL,        OPT_ALL,         AT(all),         "every source of every instrument, each on its own"},
    {"--config",      NULL, "FILE",      OPT_CONFIG,      AT(config),
     "configuration (else $PRICEGATE_CONFIG, ./pricegate.json, the built-in one)"                                             },
    {"--demo",        NULL, NULL,        OPT_DEMO,        AT(demo),
     "a simulated market instead of the configured instruments; needs no network"                                             },
    {"--json",        NULL, NULL,        OPT_JSON,        AT(json),        "print for a machine"                              },
    {"--log-level",   NULL, "LEVEL",     OPT_LOG_LEVEL,   AT(log_level),   "error, warn, info or debug"                       },
    {"--port",        NULL, "N",         OPT_PORT,        AT(port),        "listen on this port; 0 = any free one"            },
    {"--private-key", NULL, "FILE",      OPT_PRIVATE_KEY, AT(private_key),
     "PEM file, for tokens of RS256 and ES256"                                                                                },
    {"--provider",    NULL, "NAME",      OPT_PROVIDER,    AT(provider),    "ask this provider only"                           },
    {"--providers",   NULL, NULL,        OPT_PROVIDERS,   AT(providers),
     "ask each provider once, too; that spends a credit of each"                                                              },
    {"--role",        NULL, "ROLE",      OPT_ROLE,        AT(role),
     "viewer (unless said otherwise), analyst or admin"                                                                       },
    {"--symbols",     NULL, "LIST",      OPT_SYMBOLS,     AT(symbols),
     "all that may be seen, as coffee,EUR/*; else everything"                                                                 },
    {"--token",       NULL, "TOKEN",     OPT_TOKEN,       AT(token),       "key for a gateway that asks for one"              },
    {"--ttl",         NULL, "SECONDS",   OPT_TTL,         AT(ttl),
     "how long it is valid; an hour unless said otherwise"                                                                    },
    {"--url",         NULL, "URL",       OPT_URL,         AT(url),
     "a running gateway, also unix:/path (else the configured one)"                                                           },
    {"--watch",       "-w", "[SECONDS]", OPT_WATCH,       AT(watch),
     "redraw, every 2 seconds unless said otherwise, until q; also -w"                                                        },
};

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0) ||
            (rows[i].letter && len == 2 && strncmp(rows[i].letter, name, len) == 0))
            return &rows[i];
    return NULL;
}

/* The value from behind '=' or from the next argument; one that may be left out is taken from the
 * next argument only when that is a number. NULL: it is missing. */
static const char *take_value(const struct row *row, const char *eq, char *const *argv, int argc,
                              int *i)
{
    const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (eq)
        return eq + 1;
    if (row->value[0] == '[' && (!next || next[0] < '0' || next[0] > '9'))
        return "";
    *i += next != NULL;
    return next;
}

/* Takes the option at argv[*i], and its value. */
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
    const char *value = take_value(row, eq, argv, argc, i);
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

static bool is_number(const char *text, long least, long most)
{
    char *end;
    long n = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && n >= least && n <= most;
}

/* What status and watch can both ask; curl alone would make something of more. */
static bool is_gateway(const char *url)
{
    static const char *const begins[] = {"http://", "https://", "unix:/"};
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (strncasecmp(url, begins[i], strlen(begins[i])) == 0 && url[strlen(begins[i])])
            return true;
    return false;
}

static int check_values(const struct options *o, struct err *err)
{
    enum log_level level;
    if (o->log_level && log_level_parse(o->log_level, &level) != 0)
        return err_set(err, "--log-level: %s is none of error, warn, info, debug", o->log_level);
    if (o->port && !is_number(o->port, 0, 65535))
        return err_set(err, "--port: %s is not a port (0..65535)", o->port);
    if (o->url && !is_gateway(o->url))
        return err_set(err,
                       "--url: %.100s is not the URL of a gateway (http://host:port, "
                       "https://host:port or unix:/path)",
                       o->url);
    if (o->watch && *o->watch && !is_number(o->watch, 1, 3600))
        return err_set(err, "--watch: %s is not a number of seconds (1..3600)", o->watch);
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
    return check_values(o, err);
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
        printf("  pricegate %-66s %s\n", commands[i].synopsis, commands[i].summary);
    printf("  pricegate --version | --help\n\noptions:\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[40];
        snprintf(name, sizeof name, "%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        printf("  %-18s %s\n", name, rows[i].help);
    }
    printf("\nexit codes: 0 ok, 1 a runtime failure or a failed check, 2 wrong usage\n");
}
