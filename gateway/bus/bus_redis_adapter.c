#include "bus_redis_adapter.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "bus_tls.h"

/* hiredis reads 16 KiB at a time. So many times in a row, while there is more: what was published
 * together should be handled together, in one turn of the loop, or a burst of 500 quotes (115 KB)
 * is eight bursts for every client. Bounded, so that a flood leaves the others their turn. */
static const int READS_PER_TURN = 32;

/* hiredis calls the hooks whenever it likes, also twice and also while it frees the context. The
 * poll handle must outlive the context, because libuv needs a turn of the loop to let go of it:
 * `ac` becomes NULL when the context goes, the rest is freed when the handle is closed. */
struct adapter {
    uv_poll_t poll;
    redisAsyncContext *ac; /* NULL: the context is gone */
    int events;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void update(struct adapter *a, int events)
{
    a->events = events;
    if (!a->ac)
        return;
    if (events)
        uv_poll_start(&a->poll, events, on_poll);
    else
        uv_poll_stop(&a->poll);
}

/* libuv has stopped polling and says no more than "error". Reading finds out: not yet connected =
 * SO_ERROR, connected = the error or the end of the stream. Either way hiredis reports and frees
 * the context. Should it find nothing wrong, shutting the socket down makes the next read the end
 * of the stream, so that an error can neither be lost nor turn into a spinning loop. */
static void on_poll_error(struct adapter *a)
{
    int fd = a->ac->c.fd;
    bus_tls_prepare();
    redisAsyncHandleRead(a->ac);
    if (!a->ac)
        return;
    shutdown(fd, SHUT_RDWR);
    update(a, a->events | UV_READABLE);
}

static void read_all(struct adapter *a)
{
    int more = 1;
    for (int i = 0; i < READS_PER_TURN && more > 0; i++) {
        bus_tls_prepare();
        redisAsyncHandleRead(a->ac);
        if (!a->ac || ioctl(a->ac->c.fd, FIONREAD, &more) != 0)
            return;
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct adapter *a = poll->data;
    if (!a->ac)
        return;
    if (status != 0) {
        on_poll_error(a);
        return;
    }
    if (events & UV_READABLE)
        read_all(a);
    if (a->ac && (events & UV_WRITABLE)) {
        bus_tls_prepare();
        redisAsyncHandleWrite(a->ac);
    }
}

static void add_read(void *p)
{
    struct adapter *a = p;
    update(a, a->events | UV_READABLE);
}

static void del_read(void *p)
{
    struct adapter *a = p;
    update(a, a->events & ~UV_READABLE);
}

static void add_write(void *p)
{
    struct adapter *a = p;
    update(a, a->events | UV_WRITABLE);
}

static void del_write(void *p)
{
    struct adapter *a = p;
    update(a, a->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void cleanup(void *p)
{
    struct adapter *a = p;
    if (!a->ac)
        return;
    a->ac = NULL;
    uv_close((uv_handle_t *)&a->poll, on_closed);
}

int bus_redis_attach(redisAsyncContext *ac, uv_loop_t *loop)
{
    struct adapter *a = calloc(1, sizeof *a);
    if (!a)
        return -1;
    if (uv_poll_init(loop, &a->poll, ac->c.fd) != 0) {
        free(a);
        return -1;
    }
    a->poll.data = a;
    a->ac = ac;
    ac->ev.data = a;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    /* hiredis would begin to read after its first write. A server that turns us away ("max number
     * of clients") says so at once and hangs up: read before writing, or all we learn is EPIPE. */
    update(a, UV_READABLE);
    return 0;
}
