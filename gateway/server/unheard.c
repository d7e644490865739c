/* What of a connection was read and not told of may also be on its way through the library: the
 * beginning of a frame, of a record of TLS. That is never more than some records, and told of
 * later; so only what goes beyond TOO_MANY_BYTES counts, and of each frame more is put down than it
 * has. Bytes that wait in the kernel are nobody's yet.
 *
 * A question costs two system calls. They go round: with 20,000 clients 67 of them in a tick, less
 * than a tenth of a percent of a core. */
#include "unheard.h"

#include "clock.h"
#include "server_private.h"
#include "socket_bytes.h"
#include "ws.h"

static const int64_t LOOK_MS = 1000;
static const size_t TICKS_PER_ROUND = 300;
static const size_t FRAME_BYTES = 64; /* with its head, and that of a record */
static const int64_t USUAL_BYTES_PER_S = 6400;
static const int64_t TOO_MANY_BYTES = 65536;

void unheard_begin(struct conn *c)
{
    c->unheard = (struct unheard){.taken = socket_bytes_taken(c->fd), .looked_ms = clock_mono_ms()};
}

void unheard_told(struct conn *c, size_t bytes)
{
    c->unheard.told += FRAME_BYTES + bytes;
}

static void look_at(struct conn *c, int64_t mono_ms)
{
    struct unheard *u = &c->unheard;
    int64_t for_ms = mono_ms - u->looked_ms;
    if (!c->wsi || !c->client || c->phase == HTTP_EVENTS || for_ms < LOOK_MS)
        return;
    uint64_t taken = socket_bytes_taken(c->fd);
    if (taken == 0)
        return;
    u->too_many += (int64_t)(taken - u->taken - u->told) - USUAL_BYTES_PER_S * for_ms / 1000;
    u->taken = taken;
    u->told = 0;
    u->looked_ms = mono_ms;
    if (u->too_many < 0)
        u->too_many = 0;
    if (u->too_many <= TOO_MANY_BYTES)
        return;
    u->too_many = 0;
    if (c->closing) {
        conn_reset(c); /* and does not stop */
        return;
    }
    metrics_add(c->server->metrics, METRIC_REJECTED, close_reason_name(CLOSE_COMMAND_RATE), NULL,
                1);
    ws_close(c, CLOSE_COMMAND_RATE);
}

void unheard_tick(struct server *s, int64_t mono_ms)
{
    size_t n = s->conns_len[CONN_STREAM] / TICKS_PER_ROUND + 1;
    for (; n > 0 && s->conns[CONN_STREAM]; n--) {
        struct conn *c = s->look_next ? s->look_next : s->conns[CONN_STREAM];
        s->look_next = c->next;
        look_at(c, mono_ms);
    }
}
