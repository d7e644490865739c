/* libuv calls most callbacks from within its wait, so handles before and behind it cannot tell the
 * two apart; it does count the time that it spends in the kernel when it is asked to. A turn is
 * therefore measured from `prepare` to `prepare`, less the growth of that count: two readings of
 * the clock a turn. */
#include "loop_busy.h"

#include "clock.h"

static void on_prepare(uv_prepare_t *h)
{
    struct loop_busy *b = h->data;
    int64_t now_ns = clock_mono_ns(), idle_ns = (int64_t)uv_metrics_idle_time(h->loop);
    if (b->turn_ns > 0) {
        int64_t busy_ns = now_ns - b->turn_ns - (idle_ns - b->idle_ns);
        histogram_observe(b->out, busy_ns > 0 ? (double)busy_ns / 1e9 : 0);
    }
    b->turn_ns = now_ns;
    b->idle_ns = idle_ns;
}

void loop_busy_start(struct loop_busy *b, uv_loop_t *loop, struct histogram *out)
{
    *b = (struct loop_busy){.out = out};
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_prepare_init(loop, &b->prepare);
    b->prepare.data = b;
    uv_prepare_start(&b->prepare, on_prepare);
    uv_unref((uv_handle_t *)&b->prepare);
}

void loop_busy_stop(struct loop_busy *b, void *data, uv_close_cb closed)
{
    b->prepare.data = data;
    uv_close((uv_handle_t *)&b->prepare, closed);
}
