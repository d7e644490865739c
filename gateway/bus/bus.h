/* bus.h - the only seam between the half that gets prices and the half that serves them.
 *
 * Publish an item, hear every item, remember the latest, share breaker and budget state. Two
 * implementations behind this header: `memory` (one process, nothing to install) and `redis`
 * (PROTOCOL 4). Loop thread only; nothing here blocks, no name is looked up on the loop.
 *
 * What is published is heard at once by the publisher itself, through the same handler as
 * everything else, whether or not Redis can be reached: local polling goes on reaching local
 * clients. The copy that comes back from Redis is heard too; the reader drops it by its seq.
 *
 * Redis: two connections, one for commands and one for SUBSCRIBE. SET..EX and PUBLISH leave in one
 * pipeline, in that order. A PING every second, unanswered for 1 s: the connection is dropped.
 * At most 1,024 commands in flight, further ones are counted and dropped. Reconnect after
 * 0.1-4 s with jitter. (struct bus_limits may say otherwise.) After every (re)connect: subscribe,
 * then read the latest of every watched symbol (heard through `item`), and write back what this
 * process published itself, is still within its TTL, and Redis does not have or has older. Channels
 * of symbols that are no longer watched stay subscribed, and are not listened to, until the
 * connection is renewed: hiredis 0.14 may abort on UNSUBSCRIBE.
 *
 * Logged here: bus_up, bus_down (why, and what to do), bus_refused (an error in an answer),
 * bus_full; each at most every 10 s. The redis bus sets SIGPIPE to be ignored, unless the program
 * has decided about it: hiredis uses write(2). */
#ifndef PRICEGATE_BUS_H
#define PRICEGATE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "err.h"
#include "metrics.h"
#include "symbol.h"

struct bus;

/* What the owner hears. Bytes are borrowed for the call. A handler may publish; it may not close
 * the bus. `id` is the number given to bus_watch(). The bytes come from outside: not yet checked.
 */
struct bus_handler {
    void *ctx;
    void (*item)(void *ctx, int id, const char *bytes, size_t len);
    void (*status)(void *ctx, int id, const char *bytes, size_t len);
    /* The value of a shared key that bus_shared_read() asked for; len 0 = there is none. */
    void (*shared)(void *ctx, const char *key, const char *bytes, size_t len);
    /* The link changed. `why` is a ready sentence when it went down, else NULL. Also called once
     * the first connection is up AND the latest values have been read. */
    void (*link)(void *ctx, bool up, const char *why);
    /* A latest value that was read after a (re)connect. It was not heard: one that does not say its
     * time itself may be of any age. NULL: `item` is called for it. */
    void (*latest)(void *ctx, int id, const char *bytes, size_t len);
};

/* 0 = the default that stands behind it. */
struct bus_limits {
    int64_t connect_ms; /* for connecting and logging in: 2000 */
    int64_t ping_ms;    /* between two PINGs, and for the answer to one: 1000 */
    int64_t backoff_ms; /* the longest wait before it connects again: 4000 */
    int64_t in_flight;  /* commands unanswered: 1024 */
};

struct bus_options {
    const char *url;    /* "" = memory; redis[s]://[user:pass@]host:port/db, unix:///path?db=N */
    const char *prefix; /* before every key and channel */
    const char *tls_ca, *tls_cert, *tls_key; /* PEM files for rediss:// (bus_tls.h); NULL = none */
    size_t symbols_max;                      /* how many bus_watch() calls may come */
    struct bus_limits limits;
    struct metrics *metrics; /* bus_dropped, bus_refused, bus_reconnects; NULL: nowhere */
};

/* Does not connect yet. NULL with a sentence (bad URL, out of memory). The handler is copied. */
struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options,
                    const struct bus_handler *handler, struct err *err) MUST_CHECK;

/* Would bus_new() take this? -1 with its sentence. */
int bus_check(const struct bus_options *options, struct err *err) MUST_CHECK;

/* Makes the bus hear `symbol` as `id` (0..1048575); before bus_start() only. symbol is copied. Its
 * kind decides about the names: "<symbol>:price:..." or "<symbol>:observation:...". -1: symbol or
 * id twice, more than symbols_max, out of memory. */
int bus_watch(struct bus *bus, const char *symbol, enum instrument_kind kind, int id) MUST_CHECK;
int bus_start(struct bus *bus, struct err *err) MUST_CHECK;

/* What a bus is to hear, for bus_watch_instead(). */
struct bus_wanted {
    const char *symbol;
    enum instrument_kind kind;
    int id;
};
/* From now on these instead of all that were watched before; after bus_start(). A symbol that was
 * watched already goes on without a gap, under its new id. Of the others the latest is read as
 * after a reconnect (heard through `latest`), in a later turn. Answers of shared keys are not
 * affected. -1: as for bus_watch(), or out of memory; nothing has changed then. */
int bus_watch_instead(struct bus *bus, const struct bus_wanted *wanted, size_t n) MUST_CHECK;

/* Ends connections (pending commands get up to 100 ms to leave) and frees the bus when its handles
 * are closed, which takes a few turns of the loop: run it until done() is called, which may be
 * NULL. No other handler is called after this returns. A bus that was never started is freed, and
 * done() called, at once. A lookup of Redis's name that is under way at that moment cannot be
 * stopped: it stays a pending request of the loop, touching nothing, until the resolver gives up,
 * so do not wait for the loop to run empty, nor for uv_loop_close() to succeed. */
void bus_close(struct bus *bus, void (*done)(void *ctx), void *ctx);

bool bus_is_up(const struct bus *bus); /* memory: always */
/* Up, and nothing that was sent lately is refused. False for example with a replica, or without the
 * right to SET: items are heard and published then, and what is refused is tried again. */
bool bus_is_whole(const struct bus *bus);
const char *bus_kind(const struct bus *bus); /* "memory" or "redis" */

/* SET <symbol>:price:latest EX ttl_s; PUBLISH <symbol>:price:stream (or :observation:). Bytes are
 * copied. The handler is called before this returns. The id must be watched. */
void bus_publish(struct bus *bus, int id, const char *bytes, size_t len, int64_t ttl_s);
/* PUBLISH <symbol>:price:status. */
void bus_publish_status(struct bus *bus, int id, const char *bytes, size_t len);

/* Shared state: keys "pricegate:breaker:<provider>", "pricegate:budget:<provider>" (the prefix goes
 * before them). Written with EX; reading answers through handler.shared, in a later turn or at
 * once, and always: while Redis cannot say, with what this process wrote itself. */
void bus_shared_write(struct bus *bus, const char *key, const char *bytes, size_t len,
                      int64_t ttl_s);
void bus_shared_read(struct bus *bus, const char *key);

/* Counted since the start. */
struct bus_stats {
    uint64_t published; /* calls of bus_publish() */
    /* Items, statuses, shared values that could not leave when they came: Redis away, or too many
     * commands unanswered. Items and shared values follow later. */
    uint64_t dropped;
    uint64_t refused;    /* commands that Redis answered with an error */
    uint64_t reconnects; /* times it came up again after it had been up */
};
struct bus_stats bus_stats(const struct bus *bus);

#endif
