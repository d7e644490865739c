/* bus_heard.h - a bus with an owner that writes down everything it hears. For the bus tests. */
#ifndef TEST_BUS_HEARD_H
#define TEST_BUS_HEARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.h"
#include "clock.h"
#include "loop_wait.h"

enum heard_kind { HEARD_ITEM, HEARD_STATUS, HEARD_SHARED, HEARD_UP, HEARD_DOWN };

struct heard_event {
    enum heard_kind kind;
    int id;     /* -1 where there is none */
    char *text; /* NUL-terminated copy; of a shared value: the value */
    size_t len;
};

struct heard {
    uv_loop_t loop;
    struct bus *bus;
    struct heard_event *events;
    size_t len, cap;
    bool closed;
    bool inside; /* set by a test around a call that must not call back */
    /* What a test is waiting for, read by heard_enough(). */
    enum heard_kind wanted;
    int wanted_id;
    const char *wanted_text; /* NULL = any */
    size_t wanted_count;
};

static inline void heard_add(struct heard *h, enum heard_kind kind, int id, const char *bytes,
                             size_t len)
{
    assert_false(h->inside);
    if (h->len == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 64;
        h->events = realloc(h->events, h->cap * sizeof *h->events);
        assert_non_null(h->events);
    }
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    h->events[h->len++] = (struct heard_event){kind, id, copy, len};
}

static inline void heard_on_item(void *ctx, int id, const char *bytes, size_t len)
{
    heard_add(ctx, HEARD_ITEM, id, bytes, len);
}

static inline void heard_on_status(void *ctx, int id, const char *bytes, size_t len)
{
    heard_add(ctx, HEARD_STATUS, id, bytes, len);
}

static inline void heard_on_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    assert_non_null(key);
    heard_add(ctx, HEARD_SHARED, -1, bytes, len);
}

static inline void heard_on_link(void *ctx, bool up, const char *why)
{
    assert_true(up == (why == NULL));
    heard_add(ctx, up ? HEARD_UP : HEARD_DOWN, -1, why ? why : "", why ? strlen(why) : 0);
}

static inline const struct bus_handler *heard_handler(struct heard *h, struct bus_handler *to)
{
    *to = (struct bus_handler){h,   heard_on_item, heard_on_status, heard_on_shared, heard_on_link,
                               NULL};
    return to;
}

static inline void heard_open(struct heard *h, const char *url, const char *prefix, size_t symbols)
{
    struct bus_options options = {.url = url, .prefix = prefix, .symbols_max = symbols};
    struct bus_handler handler;
    struct err err = {""};
    *h = (struct heard){0};
    uv_loop_init(&h->loop);
    h->bus = bus_new(&h->loop, &options, heard_handler(h, &handler), &err);
    if (!h->bus)
        fail_msg("bus_new: %s", err.text);
}

static inline void heard_start(struct heard *h)
{
    struct err err = {""};
    h->inside = true;
    if (bus_start(h->bus, &err) != 0)
        fail_msg("bus_start: %s", err.text);
    h->inside = false;
}

static inline void heard_done(void *ctx)
{
    ((struct heard *)ctx)->closed = true;
}

static inline bool heard_is_closed(void *ctx)
{
    return ((struct heard *)ctx)->closed;
}

static inline void heard_forget(struct heard *h)
{
    for (size_t i = 0; i < h->len; i++)
        free(h->events[i].text);
    free(h->events);
    h->events = NULL;
    h->len = h->cap = 0;
}

/* Closes the bus; nothing more may be heard, and the loop must be left empty. */
static inline void heard_close(struct heard *h)
{
    h->inside = true;
    bus_close(h->bus, heard_done, h);
    assert_true(loop_wait(&h->loop, heard_is_closed, h, LOOP_WAIT_MS));
    uv_run(&h->loop, UV_RUN_DEFAULT); /* a lookup may still be under way */
    assert_int_equal(uv_loop_close(&h->loop), 0);
    heard_forget(h);
}

static inline size_t heard_count(const struct heard *h, enum heard_kind kind, int id,
                                 const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < h->len; i++)
        n += h->events[i].kind == kind && (id < 0 || h->events[i].id == id) &&
             (!text || strcmp(h->events[i].text, text) == 0);
    return n;
}

static inline const struct heard_event *heard_last(const struct heard *h, enum heard_kind kind)
{
    const struct heard_event *last = NULL;
    for (size_t i = 0; i < h->len; i++)
        if (h->events[i].kind == kind)
            last = &h->events[i];
    if (!last) {
        fail();
        abort(); /* not reached; the compiler does not know that */
    }
    return last;
}

static inline bool heard_enough(void *ctx)
{
    struct heard *h = ctx;
    return heard_count(h, h->wanted, h->wanted_id, h->wanted_text) >= h->wanted_count;
}

/* Turns the loop until that many such events were heard (since heard_forget()). */
static inline void heard_wait(struct heard *h, enum heard_kind kind, int id, const char *text,
                              size_t count)
{
    h->wanted = kind;
    h->wanted_id = id;
    h->wanted_text = text;
    h->wanted_count = count;
    if (!loop_wait(&h->loop, heard_enough, h, LOOP_WAIT_MS))
        fail_msg("waited in vain for event kind %d id %d \"%s\" x %zu", (int)kind, id,
                 text ? text : "*", count);
}

static inline bool heard_bus_is_up(void *ctx)
{
    return bus_is_up(((struct heard *)ctx)->bus);
}

static inline void heard_wait_up(struct heard *h)
{
    if (!loop_wait(&h->loop, heard_bus_is_up, h, LOOP_WAIT_MS))
        fail_msg("the bus does not come up");
}

/* A valid item; ts lies `age_ms` in the past. */
static inline const char *heard_item(char *out, size_t size, const char *symbol, unsigned counter,
                                     int64_t ts_ms)
{
    snprintf(out, size,
             "{\"symbol\":\"%s\",\"price\":%u.50,\"ts\":%lld,\"recv\":%lld,\"seq\":\"19b:%u\"}",
             symbol, counter + 1, (long long)ts_ms, (long long)ts_ms, counter);
    return out;
}

static inline void heard_publish(struct heard *h, int id, const char *text, int64_t ttl_s)
{
    bus_publish(h->bus, id, text, strlen(text), ttl_s);
}

#endif
