/* finding.h - what the doctor found: a list of sentences, each with its state and the way out. */
#ifndef PRICEGATE_FINDING_H
#define PRICEGATE_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "attrs.h"

/* The worst last. Unknown: it could not be looked at, which is neither good nor bad. */
enum finding_state { FINDING_OK, FINDING_UNKNOWN, FINDING_WARNING, FINDING_PROBLEM };
#define FINDING_STATES 4
const char *finding_state_name(enum finding_state s); /* "ok", "unknown", ... */

struct finding {
    const char *check; /* "redis.rights": its row in the table of checks */
    enum finding_state state;
    char *message, *advice; /* sentences without a newline; advice NULL = there is nothing to do */
};

/* Zeroed at first; findings_fini() frees. */
struct findings {
    struct finding *list;
    size_t len, cap;
    const char *check; /* of those that are added now */
    bool failed;       /* out of memory: some are missing */
};

void findings_fini(struct findings *f);
void findings_add(struct findings *f, enum finding_state state, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The way out of what was added last. */
void findings_advise(struct findings *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

size_t findings_count(const struct findings *f, enum finding_state state);
enum finding_state findings_worst(const struct findings *f);

#endif
