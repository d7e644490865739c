/* feeds.h - the polling half as its owner sees it.
 *
 * schedule -> budget, breaker -> fetch -> parse -> quality -> publish -> bus. Loop thread only;
 * nothing blocks. What it learns of prices beside its own answers it hears from the bus, like
 * everybody: feeds_item(), feeds_shared(). */
#ifndef PRICEGATE_FEEDS_H
#define PRICEGATE_FEEDS_H

#include <jansson.h>
#include <uv.h>

#include "bus.h"
#include "config.h"
#include "err.h"
#include "failure.h"
#include "instrument_map.h"
#include "item.h"
#include "metrics.h"
#include "port.h"

struct feeds;

/* Borrows config, bus and metrics for its life. start_wall_ms is the epoch of every seq. */
struct feeds *feeds_new(uv_loop_t *loop, const struct config *config, struct bus *bus,
                        struct metrics *metrics, int64_t start_wall_ms, struct err *err) MUST_CHECK;

/* A reload: f, just made with another configuration, goes on where `from`, stopped, ended: what was
 * published, believed and doubted, spent and refused, and which jobs have run. An instrument whose
 * sources are the same is polled when it would have been; where it was just being asked for, whose
 * answer is lost, some seconds later. Before feeds_start(). map: from its configuration to f's. */
void feeds_take_over(struct feeds *f, struct feeds *from, const struct instrument_map *map);

/* Begins to poll; call it once the bus has read its latest values, or can't be reached. */
void feeds_start(struct feeds *f);
/* Stops polling; requests under way are dropped without a word. Waiting refreshes are answered. */
void feeds_stop(struct feeds *f);
/* After feeds_stop(); frees when the loop has closed its handles, then calls done (may be NULL). */
void feeds_close(struct feeds *f, void (*done)(void *ctx), void *ctx);

/* How many clients watch each instrument now, by number; to be told every second or so. */
void feeds_watched(struct feeds *f, const size_t *watchers);

/* The wall's clock was set by by_ms, to wall_ms (clock.h): ages, waiting times and what was spent
 * stay what they are. */
void feeds_clock_set(struct feeds *f, int64_t by_ms, int64_t wall_ms);

/* From the bus. */
void feeds_item(struct feeds *f, int id, const struct item *it);
void feeds_shared(struct feeds *f, const char *key, const char *bytes, size_t len);

/* The port's functions (port.h). */
void feeds_refresh(struct feeds *f, const int *ids, size_t n, refresh_done *done, void *ctx);
void feeds_run_job(struct feeds *f, enum job job, refresh_done *done, void *ctx);
json_t *feeds_jobs(struct feeds *f);
int64_t feeds_next_poll_ms(const struct feeds *f, int id);
json_t *feeds_sources(struct feeds *f);
json_t *feeds_suspect(struct feeds *f, int id);
json_t *feeds_provenance(const struct feeds *f, int id);
int feeds_reset(struct feeds *f, const char *provider);
bool feeds_any_provider(struct feeds *f);

/* `pricegate fetch`: one walk through the chains of some instruments, with a word for each source
 * that was tried or skipped (failure FAIL_NONE: it answered). only_provider NULL = the whole chain.
 * An accepted item is published on the bus like any other, before done is called: once, from the
 * loop, when all have come to their end. Ends are in the order of ids; NULL: out of memory. */
struct walk_step {
    const char *provider, *source_symbol;
    enum failure failure;
    char detail[160];
};
struct walk_end {
    int id;
    bool accepted;
    struct walk_step *steps; /* ours */
    size_t n;
};
typedef void walk_done(void *ctx, const struct walk_end *ends, size_t n);
void feeds_walk(struct feeds *f, const int *ids, size_t n, const char *only_provider,
                walk_done *done, void *ctx);

#endif
