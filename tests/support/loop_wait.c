#include "loop_wait.h"

#include <time.h>

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* The tick wakes the loop, so that a condition changed by another process is seen. */
bool loop_wait(uv_loop_t *loop, bool (*condition)(void *ctx), void *ctx, int64_t limit_ms)
{
    int64_t end_ns = now_ns() + limit_ms * 1000000;
    uv_timer_t tick;
    bool met;

    uv_timer_init(loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    while (!(met = condition(ctx)) && now_ns() < end_ns)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return met;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

void loop_run_ms(uv_loop_t *loop, int64_t ms)
{
    loop_wait(loop, never, NULL, ms);
}

static void on_stall_tick(uv_timer_t *timer)
{
    struct loop_stall *s = timer->data;
    int64_t now = now_ns();
    if (now - s->last_ns > s->worst_ns)
        s->worst_ns = now - s->last_ns;
    s->last_ns = now;
}

void loop_stall_start(struct loop_stall *s, uv_loop_t *loop)
{
    *s = (struct loop_stall){.last_ns = now_ns()};
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_stall_tick, 5, 5);
}

int64_t loop_stall_end(struct loop_stall *s)
{
    uv_loop_t *loop = s->timer.loop;
    on_stall_tick(&s->timer);
    uv_close((uv_handle_t *)&s->timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return s->worst_ns / 1000000;
}
