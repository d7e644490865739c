/* rig.h - a fan-out with a configuration of its own, clocks that the test moves, and peers that
 * record every frame. Everything is static: each test program has its own. */
#ifndef PRICEGATE_TEST_RIG_H
#define PRICEGATE_TEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "client.h"
#include "fanout.h"
#include "log.h"
#include "state.h"
#include "symtab.h"

#define RIG_SYMBOLS_MAX 700
#define RIG_WALL_MS     INT64_C(1767225600000)
#define RIG_MONO_NS     INT64_C(5000000000000)
#define MS              INT64_C(1000000)

struct rig {
    struct config config;
    struct instrument instruments[RIG_SYMBOLS_MAX];
    char names[RIG_SYMBOLS_MAX][16];
    struct metrics metrics;
    struct fanout_ports ports;
    struct fanout *f;
    int64_t wall_ms, mono_ns;
    uint64_t counter;
};

static const struct config_source rig_source = {.provider = "sim", .symbol = "X"};

/* Tokens are "admin" and "viewer", "short" (a viewer's, for 60 s), "tea" (a viewer's, for what
 * begins with t) and "ages" (a viewer's, until the year 2603). */
static inline int rig_authenticate(void *ctx, const char *token, size_t len, int64_t wall_ms,
                                   struct grant *out)
{
    static const char *const words[] = {"admin", "viewer", "short", "tea", "ages"};
    static const char *const t[] = {"t*"};
    size_t i = 0;
    (void)ctx;
    while (i < ARRAY_LEN(words) && (strlen(words[i]) != len || memcmp(words[i], token, len) != 0))
        i++;
    if (i == ARRAY_LEN(words))
        return -1;
    *out = (struct grant){.role = i == 0 ? ROLE_ADMIN : ROLE_VIEWER};
    if (i == 2)
        out->expires_ms = wall_ms + 60000;
    if (i == 3 && !(out->symbols = grant_symbols_from(t, 1)))
        return -1;
    if (i == 4)
        out->expires_ms = INT64_C(20000000000000);
    return 0;
}

/* Instruments without sources: nobody is waited for when the clock changes a state. */
static inline void rig_prepare(struct rig *r, const char *const *symbols, size_t n)
{
    memset(r, 0, sizeof *r);
    log_setup(LOG_ERROR, true);
    r->config.symbols = symtab_new(n);
    assert_non_null(r->config.symbols);
    for (size_t i = 0; i < n; i++) {
        snprintf(r->names[i], sizeof r->names[i], "%s", symbols[i]);
        r->instruments[i] = (struct instrument){
            .symbol = r->names[i],
            .poll_ms = 15000,
            .stale_after_ms = 60000,
            .delayed_after_ms = 60000,
            .ttl_s = 120,
        };
        assert_int_equal(symtab_add(r->config.symbols, r->names[i], (int)i), 0);
    }
    r->config.instruments = r->instruments;
    r->config.instruments_len = n;
    r->config.limits.symbols_per_connection = 500;
    r->config.limits.message_bytes = 65536;
    r->config.limits.commands_per_minute = 240;
    r->config.limits.refused_per_minute = 100;
    r->config.limits.auth_ms = 10000;
    r->config.limits.idle_ms = 45000;
    r->config.limits.slow_ms = 30000;
    r->config.limits.acks_bytes = 65536;
    r->config.fanout.flush_ms = 10;
    r->config.fanout.heartbeat_ms = 20000;
    r->ports.authenticate = rig_authenticate;
    r->wall_ms = RIG_WALL_MS;
    r->mono_ns = RIG_MONO_NS;
}

static inline void rig_start(struct rig *r)
{
    r->f = fanout_new(&r->config, &r->metrics, &r->ports);
    assert_non_null(r->f);
}

static inline void rig_init(struct rig *r)
{
    static const char *const symbols[] = {"coffee", "EUR/USD", "EUR/GBP", "AAPL"};
    rig_prepare(r, symbols, ARRAY_LEN(symbols));
    rig_start(r);
}

enum { COFFEE, EURUSD, EURGBP, AAPL }; /* of rig_init() */

static inline void rig_fini(struct rig *r)
{
    fanout_free(r->f);
    symtab_free(r->config.symbols);
    metrics_fini(&r->metrics);
}

static inline void rig_pass_ms(struct rig *r, int64_t ms)
{
    r->wall_ms += ms;
    r->mono_ns += ms * MS;
}

/* Time passes in ticks of 100 ms, with a turn after each, as in the real loop. */
static inline void rig_tick_ms(struct rig *r, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 100) {
        rig_pass_ms(r, 100);
        fanout_tick(r->f, r->wall_ms, r->mono_ns);
        fanout_turn(r->f, r->mono_ns);
    }
}

/* --- items --- */

/* An item with the members given in `more` after symbol, price (of an observation: value), ts, recv
 * and seq. */
static inline struct item *rig_make(struct rig *r, int id, const char *price, int64_t ts_ms,
                                    const char *more)
{
    char text[ITEM_BYTES_MAX];
    struct err err = {{0}};
    enum instrument_kind kind = r->instruments[id].kind;
    int len =
        snprintf(text, sizeof text,
                 "{\"symbol\":\"%s\",\"%s\":%s,\"ts\":%lld,\"recv\":%lld,"
                 "\"seq\":\"1:%llu\"%s}",
                 r->names[id], kind == INSTRUMENT_QUOTE ? "price" : "value", price,
                 (long long)ts_ms, (long long)r->wall_ms, (unsigned long long)++r->counter, more);
    assert_in_range(len, 1, sizeof text - 1);
    struct item *it = item_parse(text, (size_t)len, kind, r->names[id], r->wall_ms, &err);
    if (!it)
        fail_msg("%s", err.text);
    return it;
}

static inline enum fanout_verdict rig_item(struct rig *r, int id, const char *price,
                                           const char *more)
{
    struct item *it = rig_make(r, id, price, r->wall_ms, more);
    enum fanout_verdict v = fanout_item(r->f, id, it, r->wall_ms, r->mono_ns);
    item_unref(it);
    return v;
}

/* A live price, as the poller would send it. */
static inline void rig_quote(struct rig *r, int id, const char *price)
{
    assert_int_equal(rig_item(r, id, price, ",\"state\":\"live\",\"market\":\"open\""),
                     FANOUT_TAKEN);
}

static inline void rig_status(struct rig *r, int id, const char *text)
{
    struct err err = {{0}};
    if (fanout_status(r->f, id, text, strlen(text), r->wall_ms, r->mono_ns, &err) != 0)
        fail_msg("%s", err.text);
}

/* --- peers --- */

struct peer {
    struct rig *rig;
    struct client *client;
    json_t *frames; /* array of what came and was not looked at yet */
    int64_t room;   /* bytes that the socket still takes; <= 0: busy */
    bool broken;    /* the next write fails */
    bool wants;     /* asked for writable */
    bool closed;    /* the fan-out closed it */
    enum close_reason reason;
    int pings, writes;
    size_t largest; /* bytes of the largest payload */
    int64_t unsent;
};

#define PEER_ROOMY INT64_C(1000000000)

static inline void peer_take_frame(struct peer *p, const unsigned char **at, size_t *left)
{
    const unsigned char *b = *at;
    size_t head = 2, len;
    assert_true(*left >= 2);
    if (b[0] == 0x89) {
        assert_in_range(b[1], 1, 125); /* an empty one would bring a pong that nobody hears of */
        assert_true(*left >= head + b[1]);
        p->pings++;
        *at += head + b[1];
        *left -= head + b[1];
        return;
    }
    assert_int_equal(b[0], 0x81);
    len = b[1];
    if (len == 126) {
        head = 4;
        assert_true(*left >= head);
        len = (size_t)b[2] << 8 | b[3];
        assert_true(len >= 126);
    } else if (len == 127) {
        head = 10;
        assert_true(*left >= head);
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | b[i];
        assert_true(len > 0xFFFF);
    }
    assert_true(*left >= head + len);
    json_error_t why;
    json_t *j = json_loadb((const char *)b + head, len, JSON_REJECT_DUPLICATES, &why);
    if (!j)
        fail_msg("not JSON: %s: %.*s", why.text, (int)len, (const char *)b + head);
    json_array_append_new(p->frames, j);
    if (len > p->largest)
        p->largest = len;
    *at += head + len;
    *left -= head + len;
}

static inline int peer_write(void *sock, const void *bytes, size_t len)
{
    struct peer *p = sock;
    const unsigned char *at = bytes;
    assert_false(p->closed);
    p->writes++;
    if (p->broken)
        return -1;
    p->room -= (int64_t)len;
    while (len > 0)
        peer_take_frame(p, &at, &len);
    return 0;
}

static inline bool peer_busy(void *sock)
{
    return ((struct peer *)sock)->room <= 0;
}

static inline void peer_want_writable(void *sock)
{
    struct peer *p = sock;
    assert_false(p->closed);
    p->wants = true;
}

static inline int64_t peer_unsent(void *sock)
{
    return ((struct peer *)sock)->unsent;
}

static inline void peer_close(void *sock, enum close_reason reason)
{
    struct peer *p = sock;
    assert_false(p->closed);
    p->closed = true;
    p->reason = reason;
}

static const struct client_sink peer_sink = {
    .write = peer_write,
    .busy = peer_busy,
    .want_writable = peer_want_writable,
    .unsent_bytes = peer_unsent,
    .close = peer_close,
};

static inline void peer_open_as(struct peer *p, struct rig *r, enum role role)
{
    const struct grant grant = {.role = role};
    *p = (struct peer){.rig = r, .frames = json_array(), .room = PEER_ROOMY};
    p->client = fanout_client_new(r->f, &peer_sink, p, &grant, r->wall_ms, r->mono_ns);
    assert_non_null(p->client);
}

static inline void peer_free(struct peer *p)
{
    if (p->client)
        fanout_client_free(p->client);
    json_decref(p->frames);
    *p = (struct peer){0};
}

static inline json_t *peer_next(struct peer *p) /* new reference, or NULL */
{
    json_t *j = json_incref(json_array_get(p->frames, 0));
    if (j)
        json_array_remove(p->frames, 0);
    return j;
}

static inline size_t peer_waiting(const struct peer *p)
{
    return json_array_size(p->frames);
}

static inline void peer_forget(struct peer *p)
{
    json_array_clear(p->frames);
}

/* With `welcome` taken off. */
static inline void peer_open(struct peer *p, struct rig *r)
{
    peer_open_as(p, r, ROLE_VIEWER);
    assert_int_equal(peer_waiting(p), 1);
    peer_forget(p);
}

static inline void peer_say(struct peer *p, const char *text)
{
    fanout_client_message(p->client, text, strlen(text), p->rig->wall_ms, p->rig->mono_ns);
}

/* The socket takes bytes again and says so. */
static inline void peer_drain(struct peer *p, int64_t room)
{
    p->room = room;
    if (!p->wants)
        return;
    p->wants = false;
    fanout_client_writable(p->client, p->rig->mono_ns);
}

/* The next frame is exactly this JSON; a string "..." in it stands for any string. */
static inline bool rig_same(const json_t *want, const json_t *got)
{
    if (json_is_string(want) && strcmp(json_string_value(want), "...") == 0)
        return json_is_string(got) && json_string_length(got) > 0;
    if (json_is_object(want) && json_is_object(got)) {
        const char *name;
        json_t *v;
        /* jansson iterates without changing anything, but takes no const */
        json_t *w = json_deep_copy(want);
        bool same = json_object_size(want) == json_object_size(got);
        json_object_foreach(w, name, v)
        {
            same = same && rig_same(v, json_object_get(got, name));
        }
        json_decref(w);
        return same;
    }
    if (json_is_array(want) && json_is_array(got)) {
        bool same = json_array_size(want) == json_array_size(got);
        for (size_t i = 0; same && i < json_array_size(want); i++)
            same = rig_same(json_array_get(want, i), json_array_get(got, i));
        return same;
    }
    return want && got && json_equal(want, got);
}

static inline void peer_expect_at(struct peer *p, const char *text, const char *file, int line)
{
    json_error_t why;
    json_t *want = json_loads(text, 0, &why), *got = peer_next(p);
    if (!want)
        fail_msg("%s:%d: the test's own JSON: %s", file, line, why.text);
    if (!got || !rig_same(want, got)) {
        char *dump = got ? json_dumps(got, JSON_COMPACT) : NULL;
        print_error("%s:%d\nwant %s\ngot  %s\n", file, line, text, dump ? dump : "nothing");
        free(dump);
        json_decref(want);
        json_decref(got);
        fail();
    }
    json_decref(want);
    json_decref(got);
}

#define peer_expect(p, text)   peer_expect_at((p), (text), __FILE__, __LINE__)
#define peer_expect_nothing(p) assert_int_equal(peer_waiting(p), 0)

/* Takes frames off until one of this type; fails when there is none. New reference. */
static inline json_t *peer_until(struct peer *p, const char *type)
{
    json_t *j;
    while ((j = peer_next(p))) {
        if (strcmp(json_string_value(json_object_get(j, "type")), type) == 0)
            return j;
        json_decref(j);
    }
    fail_msg("no %s", type);
    return NULL;
}

#endif
