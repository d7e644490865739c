/* outbox.h - the messages of one channel that have not been delivered yet: in which order, how
 * often and when each is tried. Pure; sends nothing. Loop thread only. */
#ifndef PRICEGATE_OUTBOX_H
#define PRICEGATE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

#define OUTBOX_MAX 8 /* messages; the oldest one goes when there are more */
#define OUTBOX_TRIES                                                                               \
    8 /* of one message: with the pauses between them an hour and twenty minutes                   \
       */

struct outbox {
    struct outbox_message {
        char *subject, *text; /* owned */
        uint64_t number;      /* no other message of this outbox has it */
    } list[OUTBOX_MAX];
    size_t len;
    uint64_t added;  /* ever */
    int tries;       /* of the first one */
    int64_t next_ms; /* monotonic: it is not tried before */
    bool trying;     /* it is on its way: neither thrown out nor given a second time */
    bool hurried;    /* since then */
};

void outbox_fini(struct outbox *o); /* may be used again */

/* Copies both. 0, or how many had to go for it: 1. -1: out of memory. */
int outbox_add(struct outbox *o, const char *subject, const char *text) MUST_CHECK;
/* The one to be tried now, NULL: none. It stays; tell what came of it. */
const struct outbox_message *outbox_try(struct outbox *o, int64_t mono_ms);
void outbox_delivered(struct outbox *o);
/* retry_after_ms: what the other side asks for; 0 = nothing. True: it is given up. */
bool outbox_failed(struct outbox *o, bool for_good, int64_t retry_after_ms, int64_t mono_ms);
/* Whatever waits for its next try is tried now: the last chance, or a new address. How a try that
 * is under way fails says nothing of that: it is tried once more at once. */
void outbox_hurry(struct outbox *o);

#endif
