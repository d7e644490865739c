/* options.h - the command line as a value. Pure: argv in, options or one sentence out. */
#ifndef PRICEGATE_OPTIONS_H
#define PRICEGATE_OPTIONS_H

#include <stdbool.h>

#include "err.h"

struct options;

struct command {
    const char *name;
    const char *synopsis; /* what follows "pricegate" in the usage text */
    const char *summary;
    unsigned takes;                      /* OPT_* bits */
    int args_min, args_max;              /* positional arguments; args_max -1 = any number */
    int (*run)(const struct options *o); /* returns the exit code */
};

enum {
    OPT_CONFIG = 1 << 0,
    OPT_PORT = 1 << 1,
    OPT_LOG_LEVEL = 1 << 2,
    OPT_DEMO = 1 << 3,
    OPT_PROVIDER = 1 << 4,
    OPT_URL = 1 << 5,
    OPT_TOKEN = 1 << 6,
    OPT_JSON = 1 << 7,
    OPT_ALL = 1 << 8,
    OPT_WATCH = 1 << 9,
    OPT_ROLE = 1 << 10,
    OPT_SYMBOLS = 1 << 11,
    OPT_TTL = 1 << 12,
    OPT_PRIVATE_KEY = 1 << 13,
    OPT_PROVIDERS = 1 << 14,
};

struct options {
    const struct command *command;
    bool help, version;
    bool demo, json, providers, all; /* all: in place of the positional arguments */
    const char *config, *port, *log_level, *provider, *url, *token; /* NULL = not given */
    const char *role, *symbols, *ttl, *private_key;                 /* likewise */
    const char *watch; /* seconds as given, "" = without a number; NULL = not given */
    char *const *args;
    int args_len;
};

/* The command defaults to the first row. -1 with a sentence for wrong usage. args points into argv,
 * which is permuted: positional arguments are moved to its end. */
int options_parse(int argc, char **argv, const struct command *commands, int commands_len,
                  struct options *out, struct err *err) MUST_CHECK;

/* The whole --help text, printed from the tables. */
void options_print_usage(const struct command *commands, int commands_len);

#endif
