/* slack.h - when to give memory back to the system. Pure; loop thread only. */
#ifndef PRICEGATE_SLACK_H
#define PRICEGATE_SLACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slack {
    size_t most;          /* connections at a time, since memory was last given back */
    int64_t few_since_ms; /* since when there are so few; 0 = there are not */
};

/* One more connection: so many there are now. A crowd may come and go between two calls of
 * slack_due(). */
void slack_grow(struct slack *s, size_t connections);

/* To be called a few times a second with the connections there are. True: now is the time; it
 * counts as done. */
bool slack_due(struct slack *s, size_t connections, int64_t mono_ms);

#endif
