/* provider_try.h - asks each provider once, for one symbol, all at the same time.
 *
 * A real request: it costs what one costs (a credit, as a rule), and ends within the provider's
 * time-out, whatever the other side does. Nothing is published, and no gateway's budget or breaker
 * hears of it. */
#ifndef PRICEGATE_PROVIDER_TRY_H
#define PRICEGATE_PROVIDER_TRY_H

#include <uv.h>

#include "config.h"
#include "err.h"
#include "failure.h"

struct provider_try {
    int provider;       /* index in config.providers */
    const char *symbol; /* of the first source that names it; borrowed */
    enum failure failure;
    char detail[160]; /* on failure: a sentence without secrets */
    int64_t took_ms;
    /* What its answer's Date said, whole seconds. 0: no answer, or none in it */
    int64_t date_ms;
    int64_t asked_ms, answered_ms; /* wall: the clock was read between the two */
};

/* Those that some instrument names, that are enabled and have a network. At most max; returns how
 * many. */
size_t provider_try_list(const struct config *c, struct provider_try *out, size_t max);
/* Turns the loop until each has its answer. -1 with a sentence: none could be asked. */
int provider_try_all(uv_loop_t *loop, const struct config *c, struct provider_try *tries, size_t n,
                     struct err *err) MUST_CHECK;

#endif
