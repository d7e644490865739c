/* refresh.h - the `refresh` command: ask the polling half, answer when it has answered. */
#ifndef PRICEGATE_REFRESH_H
#define PRICEGATE_REFRESH_H

#include "command.h"

void refresh_run(struct client *c, const struct command *cmd, struct moment now);

/* The client goes away: its answers, when they come, are for nobody. */
void refresh_forget(struct client *c);

#endif
