/* Clients of the fan-out: what they say, what comes from the bus, the time that passes, and sockets
 * that fill up. An input is lines, each begins with what it does:
 *
 *   A..H   the next price of that instrument (a lower-case letter behind it: its state)
 *   !      time passes (a tenth of a second for each byte behind it)
 *   #      the socket of the client takes nothing more     =   it does again
 *   @      the other client speaks from now on             ~   the client goes, another comes
 *   else   the client says this
 *
 * Whatever comes: frames are whole and their texts JSON, no symbol is in a frame twice, nothing
 * comes behind a close, and at the end nobody is subscribed to anything. */
#include <jansson.h>
#include <stdlib.h>

#include "fanout.h"
#include "fuzz.h"
#include "jsonx.h"
#include "log.h"
#include "symtab.h"

static const int64_t START_MS = INT64_C(1767225600000), MS = 1000000;
static const char *const names[] = {"coffee",  "EUR/USD", "EUR/GBP", "AAPL",
                                    "BTC/USD", "tea",     "oil",     "weather/x"};
enum { INSTRUMENTS = 8, CLIENTS = 2, LINES_MAX = 100, TENTHS_MAX = 150, OBSERVATION = 7 };

struct peer {
    struct client *client;
    bool full, closed;
};

struct world {
    struct config config;
    struct instrument instruments[INSTRUMENTS];
    struct metrics metrics;
    struct fanout_ports ports;
    struct fanout *f;
    struct peer peers[CLIENTS];
    int64_t wall_ms, mono_ns;
    unsigned long long counter;
    size_t tenths; /* that have passed */
};

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    const uint8_t *nl = size ? memrchr(data, '\n', size) : NULL;
    return nl ? (size_t)(nl - data) + 1 : 0;
}

/* --- what comes out --- */

static void check_data(const json_t *data)
{
    size_t i, k;
    const json_t *item, *other;
    json_array_foreach(data, i, item)
    {
        const char *symbol = jsonx_string(item, "symbol");
        CHECK(symbol);
        for (k = 0; k < i && (other = json_array_get(data, k)); k++)
            CHECK(strcmp(symbol, jsonx_string(other, "symbol")) != 0);
    }
}

static void check_text(const char *text, size_t len)
{
    json_t *m = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(m && jsonx_string(m, "type"));
    check_data(json_object_get(m, "data"));
    json_decref(m);
}

/* One frame of a server: its length. */
static size_t check_frame(const unsigned char *b, size_t left)
{
    size_t head = 2, len;
    CHECK(left >= 2 && (b[0] == 0x81 || b[0] == 0x89));
    len = b[1];
    CHECK(len <= 127);
    if (len >= 126) {
        size_t bytes = len == 126 ? 2 : 8;
        head += bytes;
        CHECK(left >= head && b[0] == 0x81);
        len = 0;
        for (size_t i = 2; i < head; i++)
            len = len << 8 | b[i];
        CHECK(len >= (bytes == 2 ? 126U : 65536U));
    }
    CHECK(left >= head + len);
    if (b[0] == 0x81)
        check_text((const char *)b + head, len);
    return head + len;
}

static int peer_write(void *sock, const void *bytes, size_t len)
{
    const struct peer *p = sock;
    const unsigned char *b = bytes;
    CHECK(!p->closed);
    for (size_t at = 0; at < len;)
        at += check_frame(b + at, len - at);
    return 0;
}

static bool peer_busy(void *sock)
{
    return ((struct peer *)sock)->full;
}

static void peer_want_writable(void *sock)
{
    CHECK(!((struct peer *)sock)->closed);
}

static int64_t peer_unsent(void *sock)
{
    return ((struct peer *)sock)->full ? 100000 : 0;
}

static void peer_close(void *sock, enum close_reason reason)
{
    struct peer *p = sock;
    CHECK(!p->closed && reason < CLOSE_REASONS_LEN && reason != CLOSE_WRITE);
    p->closed = true;
}

static void peer_audit(void *sock, const char *action, const char *what, const char *refused)
{
    const struct peer *p = sock;
    CHECK(!p->closed && *action && (!what || *what) && (!refused || *refused));
}

static const struct client_sink sink = {.write = peer_write,
                                        .busy = peer_busy,
                                        .want_writable = peer_want_writable,
                                        .unsent_bytes = peer_unsent,
                                        .close = peer_close,
                                        .audit = peer_audit};

/* --- what goes in --- */

static int authenticate(void *ctx, const char *token, size_t len, int64_t wall_ms,
                        struct grant *out)
{
    (void)ctx;
    if (len == 0 || token[0] != 't')
        return -1;
    *out =
        (struct grant){.role = len % 2 ? ROLE_ANALYST : ROLE_VIEWER, .expires_ms = wall_ms + 2000};
    return 0;
}

static void refresh(void *ctx, const int *ids, size_t n, refresh_done done, void *done_ctx)
{
    struct refresh_result results[INSTRUMENTS] = {0};
    (void)ctx;
    CHECK(n <= INSTRUMENTS);
    for (size_t i = 0; i < n; i++) {
        CHECK(ids[i] >= 0 && ids[i] < INSTRUMENTS);
        results[i] = (struct refresh_result){.id = ids[i], .error = ids[i] % 2 ? "timeout" : NULL};
    }
    done(done_ctx, results, n);
}

static void join(struct world *w, struct peer *p)
{
    const struct grant grant = {.role = p == w->peers ? ROLE_ADMIN : ROLE_NONE};
    if (p->client)
        fanout_client_free(p->client);
    *p = (struct peer){0};
    p->client = fanout_client_new(w->f, &sink, p, &grant, w->wall_ms, w->mono_ns);
    REQUIRE(p->client);
}

static void publish(struct world *w, int id, const char *more, size_t len)
{
    static const char *const states[] = {"live", "delayed", "closed", "stale"};
    char text[400];
    struct err err;
    int state = len > 0 ? more[0] & 3 : 0;
    int n = snprintf(
        text, sizeof text,
        "{\"symbol\":\"%s\",\"%s\":%llu.50,\"ts\":%lld,\"seq\":\"a0:%llu\",\"state\":\"%s\"}",
        names[id], id == OBSERVATION ? "value" : "price", 1 + w->counter % 1000,
        (long long)w->wall_ms, w->counter + 1, states[state]);
    w->counter++;
    struct item *it =
        item_parse(text, (size_t)n, w->instruments[id].kind, names[id], w->wall_ms, &err);
    REQUIRE(it);
    fanout_item(w->f, id, it, w->wall_ms, w->mono_ns);
    item_unref(it);
}

static void pass(struct world *w, size_t tenths)
{
    for (size_t i = 0; i < tenths && w->tenths < TENTHS_MAX; i++, w->tenths++) {
        w->wall_ms += 100;
        w->mono_ns += 100 * MS;
        fanout_tick(w->f, w->wall_ms, w->mono_ns);
        fanout_turn(w->f, w->mono_ns);
    }
}

static void drain(struct world *w, struct peer *p)
{
    p->full = false;
    if (!p->closed)
        fanout_client_writable(p->client, w->mono_ns);
}

static void take_line(struct world *w, struct peer **now, const char *line, size_t len)
{
    struct peer *p = *now;
    if (len > 0 && line[0] >= 'A' && line[0] <= 'H')
        publish(w, line[0] - 'A', line + 1, len - 1);
    else if (len > 0 && line[0] == '!')
        pass(w, len);
    else if (len > 0 && line[0] == '@')
        *now = p == w->peers ? p + 1 : w->peers;
    else if (len > 0 && line[0] == '#')
        p->full = true;
    else if (len > 0 && line[0] == '=')
        drain(w, p);
    else if (len > 0 && line[0] == '~')
        join(w, p);
    else if (!p->closed)
        fanout_client_message(p->client, line, len, w->wall_ms, w->mono_ns);
    w->mono_ns += MS;
    fanout_turn(w->f, w->mono_ns);
}

/* --- the world --- */

static void begin(struct world *w)
{
    static const struct feed_port feed = {.refresh = refresh};
    *w = (struct world){.wall_ms = START_MS, .mono_ns = INT64_C(5000000000000)};
    log_setup(LOG_ERROR, true);
    w->config.symbols = symtab_new(INSTRUMENTS);
    REQUIRE(w->config.symbols);
    for (int i = 0; i < INSTRUMENTS; i++) {
        w->instruments[i] = (struct instrument){
            .symbol = names[i],
            .poll_ms = 15000,
            .stale_after_ms = 3000,
            .delayed_after_ms = 60000,
            .ttl_s = 3,
            .kind = i == OBSERVATION ? INSTRUMENT_OBSERVATION : INSTRUMENT_QUOTE,
        };
        REQUIRE(symtab_add(w->config.symbols, names[i], i) == 0);
    }
    w->config.instruments = w->instruments;
    w->config.instruments_len = INSTRUMENTS;
    w->config.limits.symbols_per_connection = 5;
    w->config.limits.message_bytes = 65536;
    w->config.limits.commands_per_minute = 100;
    w->config.limits.refused_per_minute = 100;
    w->config.limits.auth_ms = 10000;
    w->config.limits.idle_ms = 45000;
    w->config.limits.slow_ms = 30000;
    w->config.limits.acks_bytes = 65536;
    w->config.fanout.flush_ms = 10;
    w->config.fanout.heartbeat_ms = 1000;
    w->ports = (struct fanout_ports){.authenticate = authenticate, .feed = &feed};
    w->f = fanout_new(&w->config, &w->metrics, &w->ports);
    REQUIRE(w->f);
    for (int i = 0; i < CLIENTS; i++)
        join(w, &w->peers[i]);
}

static void end(struct world *w)
{
    for (int i = 0; i < CLIENTS; i++)
        drain(w, &w->peers[i]);
    w->tenths = 0;
    pass(w, 20);
    for (int i = 0; i < CLIENTS; i++)
        fanout_client_free(w->peers[i].client);
    CHECK(fanout_clients(w->f) == 0);
    CHECK(w->metrics.subscriptions == 0);
    const size_t *watchers = fanout_watchers(w->f);
    for (int i = 0; i < INSTRUMENTS; i++)
        CHECK(watchers[i] == 0);
    fanout_free(w->f);
    symtab_free(w->config.symbols);
    metrics_fini(&w->metrics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;
    begin(&w);
    struct peer *now = w.peers;
    size_t at = 0;
    for (int i = 0; i < LINES_MAX && at < size; i++) {
        const uint8_t *nl = memchr(data + at, '\n', size - at);
        size_t len = nl ? (size_t)(nl - data) - at : size - at;
        char *line = fuzz_bytes(data + at, len);
        take_line(&w, &now, line, len);
        free(line);
        at += len + 1;
    }
    end(&w);
    return 0;
}
