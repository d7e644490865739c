/* wheel.h - one timer for many clients: who is to be looked at in this tick.
 *
 * A ring of slots, WHEEL_TICK_NS each. An entry sits in the slot of its time and is handed out once
 * that time has come; a time beyond the ring is cut to the ring, so whoever gets an entry back
 * looks again whether it is really due. What happens between (a byte came, a frame went out)
 * touches nothing here: idle cost is one look per client and period. Pure. */
#ifndef PRICEGATE_WHEEL_H
#define PRICEGATE_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_NS INT64_C(100000000)
#define WHEEL_SLOTS   512 /* 51.2 s */

struct wheel_entry {
    struct wheel_entry *next, **prev; /* prev NULL: not in the wheel */
    void *owner;
};

struct wheel {
    int64_t tick; /* the last one that was handed out, at least in part */
    size_t used;  /* entries; an empty wheel jumps to the present instead of turning there */
    struct wheel_entry *slots[WHEEL_SLOTS];
};

/* A zeroed wheel is ready. Moves the entry when it is there already. It comes back in the first
 * tick at or after due_ns, never in the present one. */
void wheel_put(struct wheel *w, struct wheel_entry *e, int64_t now_ns, int64_t due_ns);
void wheel_remove(struct wheel *w, struct wheel_entry *e); /* harmless when it is not there */
/* Takes out one entry whose time has come; NULL: no more. */
struct wheel_entry *wheel_next(struct wheel *w, int64_t now_ns);

#endif
