/* loop_wait.h - turn a libuv loop until something has happened.
 *
 * Deadlines are generous: they only tell a hanging program from a slow machine. */
#ifndef TEST_LOOP_WAIT_H
#define TEST_LOOP_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define LOOP_WAIT_MS 20000

/* Runs the loop until condition(ctx); false when that took more than limit_ms. */
bool loop_wait(uv_loop_t *loop, bool (*condition)(void *ctx), void *ctx, int64_t limit_ms);
/* Runs the loop for about ms. */
void loop_run_ms(uv_loop_t *loop, int64_t ms);

/* How long the loop ever stood still: a timer that should fire every 5 ms. */
struct loop_stall {
    uv_timer_t timer;
    int64_t last_ns, worst_ns;
};
void loop_stall_start(struct loop_stall *s, uv_loop_t *loop);
int64_t loop_stall_end(struct loop_stall *s); /* worst gap in ms; closes the timer */

#endif
