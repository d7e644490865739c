/* subscribe.h - the commands that change what a client sees: subscribe, unsubscribe, reset, list.
 */
#ifndef PRICEGATE_SUBSCRIBE_H
#define PRICEGATE_SUBSCRIBE_H

#include "command.h"

void subscribe_run(struct client *c, const struct command *cmd, struct moment now);
void subscribe_undo(struct client *c, const struct command *cmd, struct moment now);
void subscribe_reset(struct client *c, const struct command *cmd, struct moment now);
/* Takes away what the client's grant does not allow (any more), and says so. */
void subscribe_confine(struct client *c, struct moment now);
/* Takes everything away, and says so when there was something. */
void subscribe_none(struct client *c, struct moment now);
void subscribe_list(struct client *c, const struct command *cmd, struct moment now);

#endif
