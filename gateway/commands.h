/* commands.h - one function per command of the command line, each in a file of its own
 * (command_<name>.c). All return the exit code and have said on stderr what went wrong. */
#ifndef PRICEGATE_COMMANDS_H
#define PRICEGATE_COMMANDS_H

#include <jansson.h>

#include "options.h"
#include "role.h"

int command_run(const struct options *o);
int command_check(const struct options *o);
int command_doctor(const struct options *o);
int command_fetch(const struct options *o);
int command_key(const struct options *o);
int command_notify(const struct options *o);
int command_plan(const struct options *o);
int command_status(const struct options *o);
int command_token(const struct options *o);
int command_watch(const struct options *o);

/* What key and token have in common: the role of --role, and --symbols as a JSON list (NULL when
 * not given; caller json_decref()s). -1 after the reason was printed. */
int command_limits(const struct options *o, enum role *role, json_t **symbols);

/* The gateway that status and watch talk to: --url, else the configured one. Caller frees; NULL
 * after the reason was printed. */
char *command_url(const struct options *o);

#endif
