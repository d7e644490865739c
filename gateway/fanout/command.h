/* command.h - what clients may ask: one row per action, role and rate checked before any of them.
 */
#ifndef PRICEGATE_COMMAND_H
#define PRICEGATE_COMMAND_H

#include <stdint.h>

#include "client.h"
#include "protocol.h"

/* Answers with `error`, counts it, and closes a client that collects too many. id is JSON text, ""
 * when none was given. */
void command_refuse(struct client *c, const char *id, enum protocol_error error,
                    const char *message, int64_t mono_ns);

#endif
