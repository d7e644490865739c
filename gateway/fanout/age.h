/* age.h - how old a connection may become (limits.connection_age_s). Loop thread only. */
#ifndef PRICEGATE_AGE_H
#define PRICEGATE_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* Counts from now, by the configuration of its fan-out. One that was told to go, goes. */
void age_begin(struct client *c, int64_t mono_ns);
/* When age_pass() has something to do next; INT64_MAX: never. */
int64_t age_due_ns(const struct client *c);
/* Does what is due: tells it to go, and later closes it. True: it is closing now. */
bool age_pass(struct client *c, int64_t mono_ns);

#endif
