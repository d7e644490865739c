/* The facade: what happened outside is told to the part that it concerns, and time is handed out.
 *
 *   fanout_item ──► book (is it news?) ──► views (mark a bit) ┐
 *   fanout_status ─► book ──────────────► views              ├─► fanout_turn ──► flush ──► sinks
 *   fanout_tick ──► book (by the clock) ─► views              ┘
 *             └───► upkeep (heartbeats, time-outs)
 *
 * Windows of clients that want an interval end in fanout_turn, too, before the flush: what is due
 * goes out with it.
 *
 * When to flush a view: at once when its last flush is flush_ms ago, otherwise when it will be. A
 * lone quote so leaves in the turn of the loop that brought it, and a stream of them costs each
 * client one write per flush_ms. By view and not for all together: where clients have many
 * different sets, there is always somebody else's flush less than flush_ms ago. */
#include "fanout.h"

#include <sys/random.h>

#include "client.h"
#include "flush.h"
#include "state.h"
#include "upkeep.h"

static const int64_t RECONNECT_MIN_MS = 500;

struct fanout *fanout_new(const struct config *config, struct metrics *metrics,
                          const struct fanout_ports *ports)
{
    struct fanout *f = calloc(1, sizeof *f);
    size_t n = config->instruments_len;
    if (!f)
        return NULL;
    f->config = config;
    f->metrics = metrics;
    f->ports = *ports;
    /* Not for secrets, so a boot without entropy may go on with what it has. */
    if (getrandom(&f->random, sizeof f->random, GRND_NONBLOCK) != (ssize_t)sizeof f->random)
        f->random = (uint64_t)(uintptr_t)f;
    if (config->fanout.compression && !(f->compressor = compressor_new()))
        goto fail;
    if (book_init(&f->book, config) == 0 && views_init(&f->views, n, fanout_random(f)) == 0 &&
        bits_init(&f->quotes, n) == 0 && bits_init(&f->statuses, n) == 0 &&
        bits_init(&f->rest, n) == 0 && bits_init(&f->rest_statuses, n) == 0 &&
        bits_init(&f->due, n) == 0 && events_init(&f->events, n) == 0)
        return f;
fail:
    fanout_free(f);
    return NULL;
}

void fanout_free(struct fanout *f)
{
    if (!f)
        return;
    REQUIRE(!f->clients);
    book_fini(&f->book);
    views_fini(&f->views);
    bits_fini(&f->quotes);
    bits_fini(&f->statuses);
    bits_fini(&f->rest);
    bits_fini(&f->rest_statuses);
    bits_fini(&f->due);
    events_fini(&f->events);
    pace_heap_fini(&f->paces);
    compressor_free(f->compressor);
    buf_fini(&f->frames);
    buf_fini(&f->text);
    free(f);
}

/* splitmix64 */
uint64_t fanout_random(struct fanout *f)
{
    uint64_t z = f->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void fanout_lag(struct fanout *f, int64_t lag_ms)
{
    f->book.lag_ms = lag_ms;
}

void fanout_started(struct fanout *f, int64_t wall_ms)
{
    f->events.start_ms = wall_ms;
}

enum fanout_verdict fanout_item(struct fanout *f, int id, struct item *it, int64_t wall_ms,
                                int64_t mono_ns)
{
    const enum quote_state before = f->book.entries[id].told;
    struct view_news news = {.arrival_ns = mono_ns};
    enum fanout_verdict verdict = book_item(&f->book, id, it, wall_ms, &news.owed);
    news.moved = f->book.entries[id].told != before;
    if (verdict == FANOUT_TAKEN)
        views_mark_quote(&f->views, id, &news);
    return verdict;
}

/* NOLINTNEXTLINE(readability-function-size): what happened, and when by both clocks */
int fanout_status(struct fanout *f, int id, const char *bytes, size_t len, int64_t wall_ms,
                  int64_t mono_ns, struct err *err)
{
    (void)mono_ns; /* a status has no age: nothing measures how long it took */
    int owed = book_said(&f->book, id, bytes, len, wall_ms, err);
    if (owed > 0)
        views_mark_status(&f->views, id);
    return owed < 0 ? -1 : 0;
}

/* The sooner of two waits; -1 is "never". */
static int64_t sooner(int64_t a_ns, int64_t b_ns)
{
    if (a_ns < 0 || b_ns < 0)
        return a_ns < 0 ? b_ns : a_ns;
    return a_ns < b_ns ? a_ns : b_ns;
}

int64_t fanout_turn(struct fanout *f, int64_t mono_ns)
{
    f->mono_ns = mono_ns;
    views_wake(&f->views, mono_ns);
    pace_collect(f, mono_ns);
    flush_due(f, mono_ns);
    pace_finish(f, mono_ns);
    return sooner(views_wait_ns(&f->views, mono_ns), pace_wait_ns(f, mono_ns));
}

void fanout_tick(struct fanout *f, int64_t wall_ms, int64_t mono_ns)
{
    for (size_t id = 0; id < f->book.len; id++)
        if (book_tick(&f->book, (int)id, wall_ms))
            views_mark_status(&f->views, (int)id);
    f->mono_ns = mono_ns;
    upkeep_run(f, wall_ms, mono_ns);
}

void fanout_clock_set(struct fanout *f, int64_t by_ms, int64_t wall_ms)
{
    book_clock_set(&f->book, by_ms, wall_ms);
}

void fanout_goaway(struct fanout *f, const char *reason, int64_t spread_ms)
{
    struct client *next;
    for (struct client *c = f->clients; c; c = next) {
        uint64_t spread = fanout_random(f) % (uint64_t)(spread_ms > 0 ? spread_ms + 1 : 1);
        next = c->next;
        client_goaway(c, reason, RECONNECT_MIN_MS + (int64_t)spread, f->mono_ns);
    }
}

struct standing fanout_standing(const struct fanout *f, int id, int64_t wall_ms)
{
    return book_standing(&f->book, id, wall_ms);
}

size_t fanout_clients(const struct fanout *f)
{
    return f->clients_len;
}

const size_t *fanout_watchers(const struct fanout *f)
{
    return f->views.watchers;
}
