#include "bus_impl.h"

#include <stdlib.h>
#include <string.h>

static const int ID_MAX = 1 << 20; /* ids index a table */

static int make_table(struct bus *b, size_t symbols_max)
{
    b->symbols_max = symbols_max;
    b->symbols = calloc(symbols_max + 1, sizeof *b->symbols);
    b->by_name = symtab_new(symbols_max + 1);
    return b->symbols && b->by_name ? 0 : -1;
}

static void free_table(struct bus *b)
{
    symtab_free(b->by_name);
    free(b->symbols);
    free(b->by_id);
}

static void free_common(struct bus *b)
{
    free_table(b);
    free(b);
}

static struct bus *make(const struct bus_options *options, struct err *err)
{
    bool memory = !options->url || options->url[0] == '\0';
    return memory ? bus_memory_new(options, err) : bus_redis_new(options, err);
}

int bus_check(const struct bus_options *options, struct err *err)
{
    struct bus *b = make(options, err);
    if (!b)
        return -1;
    bus_close(b, NULL, NULL);
    return 0;
}

struct bus *bus_new(uv_loop_t *loop, const struct bus_options *options,
                    const struct bus_handler *handler, struct err *err)
{
    struct bus *b = make(options, err);
    if (!b)
        return NULL;
    b->loop = loop;
    b->handler = *handler;
    if (make_table(b, options->symbols_max) != 0) {
        err_set(err, "bus: out of memory");
        bus_close(b, NULL, NULL);
        return NULL;
    }
    return b;
}

static int reserve_id(struct bus *b, int id)
{
    if (id < 0 || id >= ID_MAX)
        return -1;
    size_t need = (size_t)id + 1, had = b->by_id_len;
    if (need <= had)
        return 0;
    need = need > 2 * had ? need : 2 * had;
    int *p = realloc(b->by_id, need * sizeof *p);
    if (!p)
        return -1;
    for (size_t i = had; i < need; i++)
        p[i] = -1;
    b->by_id = p;
    b->by_id_len = need;
    return 0;
}

int bus_watch(struct bus *b, const char *symbol, enum instrument_kind kind, int id)
{
    REQUIRE(!b->started);
    if (b->symbols_len >= b->symbols_max || strlen(symbol) > SYMBOL_MAX || reserve_id(b, id) != 0)
        return -1;
    struct bus_symbol *s = &b->symbols[b->symbols_len];
    memcpy(s->name, symbol, strlen(symbol) + 1);
    s->id = id;
    s->kind = kind;
    if (b->by_id[id] >= 0 || symtab_add(b->by_name, s->name, (int)b->symbols_len) != 0)
        return -1;
    b->by_id[id] = (int)b->symbols_len++;
    return 0;
}

int bus_start(struct bus *b, struct err *err)
{
    REQUIRE(!b->started);
    if (b->ops->start(b, err) != 0)
        return -1;
    b->started = true;
    return 0;
}

void bus_take_table(struct bus *b, struct bus *next)
{
    const struct bus mine = *b;
    b->symbols = next->symbols;
    b->symbols_len = next->symbols_len;
    b->symbols_max = next->symbols_max;
    b->by_name = next->by_name;
    b->by_id = next->by_id;
    b->by_id_len = next->by_id_len;
    next->symbols = mine.symbols;
    next->symbols_len = mine.symbols_len;
    next->by_name = mine.by_name;
    next->by_id = mine.by_id;
}

int bus_watch_instead(struct bus *b, const struct bus_wanted *wanted, size_t n)
{
    struct bus next = {0}; /* its table alone */
    REQUIRE(b->started && !b->closing);
    int rc = make_table(&next, n);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = bus_watch(&next, wanted[i].symbol, wanted[i].kind, wanted[i].id);
    if (rc == 0)
        rc = b->ops->rewatch(b, &next);
    free_table(&next);
    return rc;
}

void bus_close(struct bus *b, void (*done)(void *ctx), void *ctx)
{
    REQUIRE(!b->closing);
    b->closing = true;
    b->done = done;
    b->done_ctx = ctx;
    b->ops->close(b);
}

void bus_finish(struct bus *b)
{
    void (*done)(void *ctx) = b->done;
    void *ctx = b->done_ctx;
    free_common(b);
    if (done)
        done(ctx);
}

bool bus_is_up(const struct bus *b)
{
    return b->ops->is_up(b);
}

bool bus_is_whole(const struct bus *b)
{
    return b->ops->is_whole(b);
}

const char *bus_kind(const struct bus *b)
{
    return b->ops->kind;
}

struct bus_stats bus_stats(const struct bus *b)
{
    return b->stats;
}

static size_t index_of(const struct bus *b, int id)
{
    REQUIRE(id >= 0 && (size_t)id < b->by_id_len && b->by_id[id] >= 0);
    return (size_t)b->by_id[id];
}

/* Redis first: the commands are only queued here, and a handler that publishes in turn keeps its
 * place behind this one. */
void bus_publish(struct bus *b, int id, const char *bytes, size_t len, int64_t ttl_s)
{
    size_t symbol = index_of(b, id);
    b->stats.published++;
    if (b->started)
        b->ops->publish(b, symbol, bytes, len, ttl_s);
    bus_hear_item(b, symbol, bytes, len);
}

void bus_publish_status(struct bus *b, int id, const char *bytes, size_t len)
{
    size_t symbol = index_of(b, id);
    if (b->started)
        b->ops->publish_status(b, symbol, bytes, len);
    bus_hear_status(b, symbol, bytes, len);
}

void bus_shared_write(struct bus *b, const char *key, const char *bytes, size_t len, int64_t ttl_s)
{
    b->ops->shared_write(b, key, bytes, len, ttl_s);
}

void bus_shared_read(struct bus *b, const char *key)
{
    b->ops->shared_read(b, key);
}

void bus_hear_item(struct bus *b, size_t symbol, const char *bytes, size_t len)
{
    if (!b->closing && b->handler.item)
        b->handler.item(b->handler.ctx, b->symbols[symbol].id, bytes, len);
}

void bus_hear_latest(struct bus *b, size_t symbol, const char *bytes, size_t len)
{
    if (!b->closing && b->handler.latest)
        b->handler.latest(b->handler.ctx, b->symbols[symbol].id, bytes, len);
    else
        bus_hear_item(b, symbol, bytes, len);
}

void bus_hear_status(struct bus *b, size_t symbol, const char *bytes, size_t len)
{
    if (!b->closing && b->handler.status)
        b->handler.status(b->handler.ctx, b->symbols[symbol].id, bytes, len);
}

void bus_hear_shared(struct bus *b, const char *key, const char *bytes, size_t len)
{
    if (!b->closing && b->handler.shared)
        b->handler.shared(b->handler.ctx, key, bytes, len);
}

void bus_hear_link(struct bus *b, bool up, const char *why)
{
    if (!b->closing && b->handler.link)
        b->handler.link(b->handler.ctx, up, why);
}
