/* bus_impl.h - what both implementations share. For gateway/bus only.
 *
 * bus.c owns the watched symbols, delivers at once to the publisher's own handler and counts;
 * an implementation embeds struct bus as its first member and does the rest. */
#ifndef PRICEGATE_BUS_IMPL_H
#define PRICEGATE_BUS_IMPL_H

#include "bus.h"
#include "symbol.h"
#include "symtab.h"

struct bus_symbol {
    char name[SYMBOL_MAX + 1];
    enum instrument_kind kind;
    int id; /* the owner's number */
};

struct bus_ops {
    const char *kind;
    int (*start)(struct bus *b, struct err *err);
    /* Other symbols: those of `next`, whose table it takes over with bus_take_table(). -1: out of
     * memory, nothing has changed. */
    int (*rewatch)(struct bus *b, struct bus *next);
    void (*close)(struct bus *b); /* ends with bus_finish(), in a later turn */
    bool (*is_up)(const struct bus *b);
    bool (*is_whole)(const struct bus *b);
    void (*publish)(struct bus *b, size_t symbol, const char *bytes, size_t len, int64_t ttl_s);
    void (*publish_status)(struct bus *b, size_t symbol, const char *bytes, size_t len);
    void (*shared_write)(struct bus *b, const char *key, const char *bytes, size_t len,
                         int64_t ttl_s);
    void (*shared_read)(struct bus *b, const char *key);
};

struct bus {
    const struct bus_ops *ops;
    uv_loop_t *loop;
    struct bus_handler handler;
    struct bus_stats stats;
    struct bus_symbol *symbols; /* fixed size, so that names can be borrowed */
    size_t symbols_len, symbols_max;
    struct symtab *by_name; /* symbol -> index in symbols */
    int *by_id;             /* id -> index in symbols, -1 = not watched */
    size_t by_id_len;
    bool started, closing;
    void (*done)(void *ctx); /* of bus_close() */
    void *done_ctx;
};

/* Allocate the implementation; NULL with a sentence. */
struct bus *bus_memory_new(const struct bus_options *options, struct err *err) MUST_CHECK;
struct bus *bus_redis_new(const struct bus_options *options, struct err *err) MUST_CHECK;

/* For implementations: hand something to the owner, unless the bus is closing. */
void bus_hear_item(struct bus *b, size_t symbol, const char *bytes, size_t len);
void bus_hear_latest(struct bus *b, size_t symbol, const char *bytes, size_t len);
void bus_hear_status(struct bus *b, size_t symbol, const char *bytes, size_t len);
void bus_hear_shared(struct bus *b, const char *key, const char *bytes, size_t len);
void bus_hear_link(struct bus *b, bool up, const char *why);

/* The watched symbols of `next` become b's; next has b's old ones then, and is to be freed with
 * them. */
void bus_take_table(struct bus *b, struct bus *next);

/* Frees the common part and the bus itself, and calls done(). */
void bus_finish(struct bus *b);

#endif
