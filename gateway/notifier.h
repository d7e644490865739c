/* notifier.h - tells people what they should know: looks at everything once a second
 * (notice_watch.h), lets notices.h decide what is told when, puts it into words and hands it to the
 * channels (notice_post.h). It listens; nothing in the program depends on what it does. */
#ifndef PRICEGATE_NOTIFIER_H
#define PRICEGATE_NOTIFIER_H

#include "attrs.h"
#include "instrument_map.h"
#include "notices.h"

struct gateway;
struct notifier;

/* Borrows g: its loop, metrics and bus, and g->now as it is at each moment. NULL: out of memory. */
struct notifier *notifier_new(struct gateway *g) MUST_CHECK;
/* Prices are served: from now on it looks. */
void notifier_start(struct notifier *n);
/* g->now was just changed by a reload, away from the generation of these notices. */
void notifier_changed(struct notifier *n, const struct notices *from,
                      const struct instrument_map *map);
/* The program is asked to end: says at once what was to be said later. */
void notifier_drain(struct notifier *n);
/* Waits for what is on its way, two seconds at most, closes, then calls done. */
void notifier_close(struct notifier *n, void (*done)(void *ctx), void *ctx);

#endif
