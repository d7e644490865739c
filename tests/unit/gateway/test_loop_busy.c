/* A turn's length is what the callbacks took, in whatever place of the turn they were called, and
 * none of the time that the loop waited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "loop_busy.h"

static const double SLEEP_S = 0.02, WAIT_S = 0.2;

struct rig {
    uv_loop_t loop;
    struct loop_busy busy;
    struct histogram h;
    uv_timer_t timer;
    uv_poll_t poll;
    int pipe[2];
    int closed;
};

static void block(void)
{
    const struct timespec t = {.tv_nsec = 20000000};
    nanosleep(&t, NULL);
}

static void count_closed(uv_handle_t *h)
{
    struct rig *r = h->data;
    r->closed++;
}

static void end(struct rig *r)
{
    loop_busy_stop(&r->busy, r, count_closed);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(r->closed, 1);
    assert_int_equal(uv_loop_close(&r->loop), 0);
}

static void begin(struct rig *r)
{
    *r = (struct rig){0};
    uv_loop_init(&r->loop);
    loop_busy_start(&r->busy, &r->loop, &r->h);
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    struct rig *r = p->data;
    (void)status, (void)events;
    block();
    uv_close((uv_handle_t *)&r->poll, NULL);
}

static void write_and_block(uv_timer_t *t)
{
    struct rig *r = t->data;
    assert_int_equal(write(r->pipe[1], "x", 1), 1);
    block();
    uv_close((uv_handle_t *)t, NULL);
}

static void test_callbacks_are_counted_and_waiting_is_not(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    assert_int_equal(pipe(r.pipe), 0);
    uv_timer_init(&r.loop, &r.timer);
    uv_poll_init(&r.loop, &r.poll, r.pipe[0]);
    r.timer.data = r.poll.data = &r;
    uv_poll_start(&r.poll, UV_READABLE, on_readable);
    int64_t began_ns = clock_mono_ns();
    uv_update_time(&r.loop); /* it waits from now on, not from when the loop was made */
    uv_timer_start(&r.timer, write_and_block, (uint64_t)(WAIT_S * 1000), 0);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    double took_s = (double)(clock_mono_ns() - began_ns) / 1e9;
    assert_true(r.h.count >= 1);
    /* The last turn of a loop that runs out is not over: one of the two is counted for sure. */
    assert_true(r.h.sum_s >= SLEEP_S);
    assert_true(r.h.sum_s <= took_s - WAIT_S + 0.002); /* timers go by whole milliseconds */
    close(r.pipe[0]);
    close(r.pipe[1]);
    end(&r);
}

/* It does not keep a loop alive that has nothing else. */
static void test_alone_the_loop_ends(void **state)
{
    struct rig r;
    (void)state;
    begin(&r);
    assert_int_equal(uv_run(&r.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(r.h.count, 0);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_callbacks_are_counted_and_waiting_is_not),
        cmocka_unit_test(test_alone_the_loop_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
