/* loop_busy.h - how long each turn of the loop keeps everybody waiting.
 *
 * One thread does everything here, so what blocks it blocks all clients. A turn is what happens
 * between two waits for sockets: the callbacks of what was readable, and the timers. Its length, by
 * the clock on the wall, goes into a histogram (pricegate_loop_busy_seconds); a call that waits for
 * a disk or a lock shows there as well as one that computes, and so does a process that is kept
 * from its core. Loop thread only. */
#ifndef PRICEGATE_LOOP_BUSY_H
#define PRICEGATE_LOOP_BUSY_H

#include <uv.h>

#include "metrics.h"

struct loop_busy {
    uv_prepare_t prepare;
    struct histogram *out;
    int64_t turn_ns, idle_ns; /* as they were when the turn before this one ended */
};

/* Before the loop runs. The handle does not keep the loop alive. */
void loop_busy_start(struct loop_busy *b, uv_loop_t *loop, struct histogram *out);
/* closed is called with the handle; its data is `data`. */
void loop_busy_stop(struct loop_busy *b, void *data, uv_close_cb closed);

#endif
