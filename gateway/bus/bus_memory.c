/* bus_memory.c - the bus of a single process that needs nothing installed.
 *
 * bus.c already hands everything published to the process's own handler, and there is nobody else
 * to hear it, so this file is only the table of shared values and the word "up". That word comes
 * from a timer, not from within bus_start(): the owner is still being built then, and learns it
 * the same way as with Redis. */
#include <stdlib.h>
#include <string.h>

#include "bus_impl.h"
#include "bus_shared.h"
#include "clock.h"

struct bus_memory {
    struct bus base;
    uv_timer_t timer;
    struct bus_shared shared;
};

static struct bus_memory *memory_of(struct bus *b)
{
    return (struct bus_memory *)b;
}

static void on_timer(uv_timer_t *timer)
{
    struct bus_memory *m = timer->data;
    bus_hear_link(&m->base, true, NULL);
}

static int start(struct bus *b, struct err *err)
{
    struct bus_memory *m = memory_of(b);
    (void)err;
    uv_timer_init(b->loop, &m->timer);
    m->timer.data = m;
    uv_timer_start(&m->timer, on_timer, 0, 0);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct bus_memory *m = handle->data;
    bus_shared_fini(&m->shared);
    bus_finish(&m->base);
}

static void close_bus(struct bus *b)
{
    struct bus_memory *m = memory_of(b);
    if (b->started) {
        uv_close((uv_handle_t *)&m->timer, on_closed);
        return;
    }
    bus_shared_fini(&m->shared);
    bus_finish(b);
}

static bool is_up(const struct bus *b)
{
    (void)b;
    return true;
}

static int rewatch(struct bus *b, struct bus *next)
{
    bus_take_table(b, next);
    return 0;
}

static void publish(struct bus *b, size_t symbol, const char *bytes, size_t len, int64_t ttl_s)
{
    (void)b, (void)symbol, (void)bytes, (void)len, (void)ttl_s;
}

static void publish_status(struct bus *b, size_t symbol, const char *bytes, size_t len)
{
    (void)b, (void)symbol, (void)bytes, (void)len;
}

static void shared_write(struct bus *b, const char *key, const char *bytes, size_t len,
                         int64_t ttl_s)
{
    int64_t now_ms = clock_mono_ms();
    if (!bus_shared_put(&memory_of(b)->shared, key, bytes, len, now_ms + ttl_s * 1000, now_ms))
        b->stats.dropped++;
}

/* A copy, because the owner may write the same key while it is being told. */
static void shared_read(struct bus *b, const char *key)
{
    const struct bus_shared_value *v = bus_shared_find(&memory_of(b)->shared, key, clock_mono_ms());
    char *copy = v ? malloc(v->len + 1) : NULL;
    size_t len = copy ? v->len : 0;
    if (copy)
        memcpy(copy, v->bytes, len + 1);
    bus_hear_shared(b, key, copy ? copy : "", len);
    free(copy);
}

static const struct bus_ops memory_ops = {
    .kind = "memory",
    .start = start,
    .rewatch = rewatch,
    .close = close_bus,
    .is_up = is_up,
    .is_whole = is_up,
    .publish = publish,
    .publish_status = publish_status,
    .shared_write = shared_write,
    .shared_read = shared_read,
};

struct bus *bus_memory_new(const struct bus_options *options, struct err *err)
{
    (void)options;
    struct bus_memory *m = calloc(1, sizeof *m);
    if (!m) {
        err_set(err, "bus: out of memory");
        return NULL;
    }
    m->base.ops = &memory_ops;
    return &m->base;
}
