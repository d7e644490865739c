/* main.c - the command line. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

static const struct command commands[] = {
    {"run",    "[run] [--config FILE] [--port N] [--log-level L] [--demo]",        "start the gateway",
     OPT_CONFIG | OPT_PORT | OPT_LOG_LEVEL | OPT_DEMO,                                                                                                                                                      0, 0,  command_run   },
    {"check",  "check [--config FILE]",                                            "validate the configuration, and the files it names",
     OPT_CONFIG,                                                                                                                                                                                            0, 0,  command_check },
    {"doctor", "doctor [--config FILE] [--providers] [--json]",
     "what is wrong here, and the way out",                                                                                                OPT_CONFIG | OPT_JSON | OPT_PROVIDERS,                           0, 0,
     command_doctor                                                                                                                                                                                                              },
    {"fetch",  "fetch SYMBOL | --all [--provider P] [--config FILE]",              "ask the providers once",
     OPT_ALL | OPT_CONFIG | OPT_PROVIDER,                                                                                                                                                                   1, 1,  command_fetch },
    {"key",    "key NAME [--role ROLE] [--symbols LIST]",
     "make an API key and its line of configuration",                                                                                      OPT_ROLE | OPT_SYMBOLS,                                          1, 1,  command_key   },
    {"notify", "notify [--config FILE]",                                           "send a test message to each channel of notifications",
     OPT_CONFIG,                                                                                                                                                                                            0, 0,  command_notify},
    {"plan",   "plan [--config FILE] [--json]",                                    "what polling costs, and does it fit",
     OPT_CONFIG | OPT_JSON,                                                                                                                                                                                 0, 0,  command_plan  },
    {"status", "status [--watch [SECONDS]] [--config FILE] [--url U] [--token T]",
     "how a running gateway is doing",                                                                                                     OPT_CONFIG | OPT_URL | OPT_TOKEN | OPT_WATCH,                    0, 0,
     command_status                                                                                                                                                                                                              },
    {"token",  "token [NAME] [--role ROLE] [--symbols LIST] [--ttl SECONDS]",
     "sign a token, for development",                                                                                                      OPT_CONFIG | OPT_PRIVATE_KEY | OPT_ROLE | OPT_SYMBOLS | OPT_TTL, 0, 1,  command_token },
    {"watch",  "watch SYMBOL... [--config FILE] [--url U] [--token T]",
     "subscribe; one line per quote",                                                                                                      OPT_CONFIG | OPT_URL | OPT_TOKEN,                                1, -1, command_watch },
};

/* Where one of the three is closed, the next socket would get its number, and our log lines.
 * Nothing can be written to what takes its place here, so that lost lines are counted. */
static int open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct options o;
    struct err err;

    if (open_standard_files() != 0)
        return 1;           /* and nowhere to say why */
    setlocale(LC_ALL, "C"); /* numbers have a point, whatever the environment says */
    if (options_parse(argc, argv, commands, ARRAY_LEN(commands), &o, &err) != 0) {
        fprintf(stderr, "pricegate: %s\n", err.text);
        return 2;
    }
    if (o.help) {
        options_print_usage(commands, ARRAY_LEN(commands));
        return 0;
    }
    if (o.version) {
        printf("pricegate %s\n", PRICEGATE_VERSION);
        return 0;
    }
    return o.command->run(&o);
}
