/* The fan-out without memory: a market with clients of every kind goes through a script of all that
 * can happen. Whoever is not served says so (an error, or a close for memory); everybody else
 * knows in the end what an undisturbed run tells. */
#include "../fanout/rig.h"

#include "delay_line.h"
#include "scarce.h"
#include "sweep.h"
#include "tiers.h"

static const char *const symbols[] = {"coffee", "EUR/USD", "EUR/GBP", "AAPL"};
enum { CLIENTS = 4, SYMBOLS = ARRAY_LEN(symbols) };

/* What a client knows, by all it was told. */
struct reader {
    struct market *m;
    struct client *client;
    char prices[SYMBOLS][16], states[SYMBOLS][16];
    char acks[512];
    int64_t room;
    bool wants, closed, events;
};

struct market {
    struct rig r;
    struct config_key key;
    struct tiers *tiers;
    struct reader readers[CLIENTS];
    bool lost; /* somebody was told that there is no memory */
};

/* --- what comes out; read with memory, whatever the program has --- */

static void take_object(struct reader *r, const json_t *o)
{
    const char *symbol = json_string_value(json_object_get(o, "symbol"));
    const char *state = json_string_value(json_object_get(o, "state"));
    const json_t *price = json_object_get(o, "price");
    for (size_t i = 0; i < SYMBOLS; i++) {
        if (!symbol || strcmp(symbol, symbols[i]) != 0)
            continue;
        if (state)
            snprintf(r->states[i], sizeof r->states[i], "%s", state);
        if (price)
            snprintf(r->prices[i], sizeof r->prices[i], "%g", json_number_value(price));
    }
}

static void take_message(struct reader *r, const json_t *j)
{
    const char *type = json_string_value(json_object_get(j, "type"));
    const json_t *data = json_object_get(j, "data"), *o;
    size_t i;
    json_array_foreach(data, i, o)
    {
        take_object(r, o);
    }
    const char *message = json_string_value(json_object_get(j, "message"));
    if (message) /* a token that cannot be read is not valid */
        r->m->lost |= strstr(message, "memory") || strstr(message, "not valid here");
    if (!data && strcmp(type, "flow") != 0) {
        size_t len = strlen(r->acks);
        snprintf(r->acks + len, sizeof r->acks - len, "%s ", type);
    }
}

static void take_text(struct reader *r, const char *text, size_t len)
{
    json_error_t why;
    json_t *j = json_loadb(text, len, 0, &why);
    if (!j)
        fail_msg("not JSON: %.*s", (int)len, text);
    if (json_object_get(j, "type"))
        take_message(r, j);
    else
        take_object(r, j);
    json_decref(j);
}

static void take_compressed(struct reader *r, const void *message, size_t len)
{
    struct decompressor *d = decompressor_new();
    struct buf text = {0};
    assert_int_equal(decompressor_message(d, NULL, message, len, 65536, &text), DECOMPRESS_OK);
    take_text(r, text.p, text.len);
    buf_fini(&text);
    decompressor_free(d);
}

static void take_events(struct reader *r, const char *p, const char *end)
{
    static const char begin[] = "\ndata: ";
    while (p < end && (p = memmem(p, (size_t)(end - p), begin, sizeof begin - 1))) {
        p += sizeof begin - 1;
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        take_text(r, p, (size_t)(stop - p));
        p = stop;
    }
}

static void take_frames(struct reader *r, const unsigned char *p, const unsigned char *end)
{
    while (p < end) {
        size_t head = p[1] < 126 ? 2 : 4, len = p[1];
        assert_true(p[1] < 127);
        if (head == 4)
            len = (size_t)p[2] << 8 | p[3];
        if (p[0] == 0x81)
            take_text(r, (const char *)p + head, len);
        else if (p[0] == 0xC1)
            take_compressed(r, p + head, len);
        p += head + len;
    }
    assert_ptr_equal(p, end);
}

static int reader_write(void *sock, const void *bytes, size_t len)
{
    struct reader *r = sock;
    const unsigned char *p = bytes;
    assert_false(r->closed);
    r->room -= (int64_t)len;
    scarce_pause();
    if (r->events)
        take_events(r, bytes, (const char *)bytes + len);
    else
        take_frames(r, p, p + len);
    scarce_resume();
    return 0;
}

static bool reader_busy(void *sock)
{
    return ((struct reader *)sock)->room <= 0;
}

static void reader_want(void *sock)
{
    ((struct reader *)sock)->wants = true;
}

static int64_t reader_unsent(void *sock)
{
    (void)sock;
    return 0;
}

static void reader_close(void *sock, enum close_reason reason)
{
    struct reader *r = sock;
    assert_false(r->closed);
    assert_int_equal(reason, CLOSE_MEMORY);
    r->closed = r->m->lost = true;
}

static const struct client_sink sink = {
    .write = reader_write,
    .busy = reader_busy,
    .want_writable = reader_want,
    .unsent_bytes = reader_unsent,
    .close = reader_close,
};

/* --- what happens --- */

static struct moment now(const struct market *m)
{
    return (struct moment){m->r.wall_ms, m->r.mono_ns};
}

static void open_client(struct market *m, int who, const char *how)
{
    struct reader *r = &m->readers[who];
    struct grant grant = {.role = ROLE_ADMIN, .delay_s = strcmp(how, "late") == 0};
    struct fanout *f = tiers_of(m->tiers, grant.delay_s);
    const int ids[] = {0, 3};
    const struct fanout_wish wish = {.ids = ids, .ids_len = ARRAY_LEN(ids), .grant = &grant};
    *r = (struct reader){.m = m, .room = PEER_ROOMY, .events = strcmp(how, "events") == 0};
    r->client = r->events ? fanout_event_client_new(f, &sink, r, &wish, m->r.wall_ms, m->r.mono_ns)
                          : fanout_client_new(f, &sink, r, &grant, m->r.wall_ms, m->r.mono_ns);
    m->lost |= !r->client;
    if (r->client && strcmp(how, "compressed") == 0)
        fanout_client_compress(r->client);
}

/* Who asked to be told of a free socket is told, as a transport does it. */
static void drain(struct market *m)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct reader *r = &m->readers[i];
        if (!r->wants || r->room <= 0 || !r->client || r->closed)
            continue;
        r->wants = false;
        fanout_client_writable(r->client, m->r.mono_ns);
    }
}

static void pass_ms(struct market *m, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 100) {
        rig_pass_ms(&m->r, 100);
        tiers_tick(m->tiers, m->r.wall_ms, m->r.mono_ns);
        tiers_turn(m->tiers, m->r.wall_ms, m->r.mono_ns);
        drain(m);
    }
}

static void say(struct market *m, int who, const char *text)
{
    struct reader *r = &m->readers[who];
    if (r->client)
        fanout_client_message(r->client, text, strlen(text), m->r.wall_ms, m->r.mono_ns);
}

static void quote(struct market *m, int id, const char *price)
{
    scarce_pause();
    struct item *it = rig_make(&m->r, id, price, m->r.wall_ms, ",\"state\":\"live\"");
    scarce_resume();
    assert_int_equal(tiers_item(m->tiers, id, it, true, now(m)), FANOUT_TAKEN);
    item_unref(it);
}

static void status(struct market *m, int id, const char *text)
{
    struct err err;
    if (tiers_status(m->tiers, id, text, strlen(text), m->r.wall_ms, m->r.mono_ns, &err) == 0)
        return;
    assert_string_equal(err.text, "out of memory");
    m->lost = true;
}

static int keep_grant(void *ctx, const struct grant *old, struct grant *out)
{
    (void)ctx;
    *out = grant_ref(old);
    return 0;
}

/* Another set of tiers takes everything over; where it cannot be made nothing changes. Instrument
 * `other` (-1: none) is another one from then on, of the same name. */
static void reload(struct market *m, int other)
{
    struct instrument_map map;
    struct tiers *next = tiers_new(&m->r.config, &m->r.metrics, &m->r.ports);
    if (!next || instrument_map_init(&map, &m->r.config, &m->r.config) != 0) {
        m->lost |= other >= 0;
        tiers_free(next);
        return;
    }
    if (other >= 0) {
        map.there[other] = -1;
        map.joined[other] = true;
    }
    tiers_take_over(next, m->tiers, &map, keep_grant, NULL, now(m));
    tiers_free(m->tiers);
    m->tiers = next;
    instrument_map_fini(&map);
}

/* After client 1 has brought a token for tea. */
#define FORBIDDEN "1.4"

enum what { OPEN, SAY, QUOTE, STATUS, SOCKET, PASS, RELOAD };

static const struct {
    enum what what;
    int who; /* or which symbol; or how long, in ms */
    const char *text;
} script[] = {
    {QUOTE,  0,   "1.5"                                                                         },
    {QUOTE,  1,   "1.1"                                                                         },
    {QUOTE,  2,   "0.8"                                                                         },
    {QUOTE,  3,   "200"                                                                         },
    {PASS,   200, ""                                                                            },
    {OPEN,   0,   "plain"                                                                       },
    {OPEN,   1,   "compressed"                                                                  },
    {OPEN,   2,   "late"                                                                        },
    {OPEN,   3,   "events"                                                                      },
    {SAY,    0,   "{\"action\":\"auth\",\"token\":\"admin\",\"id\":\"a\"}"                      },
    {SAY,    0,   "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"nope\",\"EUR/*\"]}"      },
    {SAY,    0,   "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"],\"fields\":[\"price\"]}"    },
    {SAY,    1,
     "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"interval_ms\":300,\"fields\":[\"price\"]}"},
    {SAY,    2,   "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":7,\"since\":{}}"   },
    {QUOTE,  0,   "1.6"                                                                         },
    {QUOTE,  1,   "1.2"                                                                         },
    {PASS,   200, ""                                                                            },
    {SOCKET, 0,   "full"                                                                        },
    {SOCKET, 3,   "full"                                                                        },
    {QUOTE,  0,   "1.7"                                                                         },
    {QUOTE,  3,   "201"                                                                         },
    {STATUS, 2,   "{\"symbol\":\"EUR/GBP\",\"state\":\"closed\",\"market\":\"closed\"}"         },
    {SAY,    0,   "{\"action\":\"list\"}"                                                       },
    {SAY,    0,   "{\"action\":\"ping\",\"id\":\"p\"}"                                          },
    {RELOAD, 3,   ""                                                                            },
    {PASS,   400, ""                                                                            },
    {QUOTE,  3,   "202"                                                                         },
    {SOCKET, 0,   "free"                                                                        },
    {SOCKET, 3,   "free"                                                                        },
    {SAY,    0,   "{\"action\":\"unsubscribe\",\"symbols\":[\"EUR/USD\"]}"                      },
    {SAY,    0,   "{\"action\":\"refresh\",\"symbols\":[\"coffee\"]}"                           },
    {SAY,    1,   "{\"action\":\"subscribe\",\"symbols\":[\"AAPL\"],\"fields\":[\"state\"]}"    },
    {QUOTE,  0,   "1.8"                                                                         },
    {PASS,   300, ""                                                                            },
    {RELOAD, -1,  ""                                                                            },
    {SAY,    0,   "{\"action\":\"nonsense\"}"                                                   },
    {SAY,    1,   "{\"action\":\"reset\"}"                                                      },
    {SAY,    1,   "{\"action\":\"subscribe\",\"symbols\":[\"EUR/USD\"],\"snapshot\":false}"     },
    {QUOTE,  1,   "1.3"                                                                         },
    {SAY,    1,   "{\"action\":\"auth\",\"token\":\"tea\"}"                                     },
    {QUOTE,  1,   FORBIDDEN                                                                     },
};

static void happen(struct market *m, size_t i)
{
    int who = script[i].who;
    const char *text = script[i].text;
    switch (script[i].what) {
    case OPEN:
        open_client(m, who, text);
        break;
    case SAY:
        say(m, who, text);
        break;
    case QUOTE:
        quote(m, who, text);
        break;
    case STATUS:
        status(m, who, text);
        break;
    case SOCKET:
        m->readers[who].room = strcmp(text, "full") == 0 ? 0 : PEER_ROOMY;
        drain(m);
        break;
    case PASS:
        pass_ms(m, who);
        break;
    case RELOAD:
        reload(m, who);
        break;
    }
    tiers_turn(m->tiers, m->r.wall_ms, m->r.mono_ns);
}

/* --- the sweep --- */

static void *market_make(void)
{
    static struct market m;
    memset(&m, 0, sizeof m);
    rig_prepare(&m.r, symbols, SYMBOLS);
    m.key = (struct config_key){.name = "late", .role = ROLE_VIEWER, .delay_s = 1};
    m.r.config.auth.keys = &m.key;
    m.r.config.auth.keys_len = 1;
    m.r.config.fanout.compression = true;
    return &m;
}

static void market_close(struct market *m)
{
    for (int i = 0; i < CLIENTS; i++)
        if (m->readers[i].client)
            fanout_client_free(m->readers[i].client);
    memset(m->readers, 0, sizeof m->readers);
    tiers_free(m->tiers);
    m->tiers = NULL;
}

/* All of it, then some time with memory, in which whoever was not told of it catches up. (The last
 * price of coffee comes with memory: a delayed tier may leave one out, and says so in the log.) */
static bool market_work(void *o)
{
    struct market *m = o;
    market_close(m);
    m->lost = false;
    m->tiers = tiers_new(&m->r.config, &m->r.metrics, &m->r.ports);
    if (!m->tiers)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(script); i++)
        happen(m, i);
    scarce_pause();
    quote(m, 0, "1.9");
    pass_ms(m, 3000);
    const struct reader *tea = &m->readers[1];
    if (strstr(tea->acks, "authenticated"))
        assert_string_not_equal(tea->prices[1], FORBIDDEN);
    scarce_resume();
    return !m->lost;
}

static void market_tell(void *o, struct buf *told)
{
    const struct market *m = o;
    for (int i = 0; i < CLIENTS; i++) {
        buf_addf(told, "%d: %s|", i, m->readers[i].acks);
        for (size_t s = 0; s < SYMBOLS; s++)
            buf_addf(told, " %s=%s/%s", symbols[s], m->readers[i].prices[s],
                     m->readers[i].states[s]);
        buf_addc(told, '\n');
    }
}

static void market_drop(void *o)
{
    struct market *m = o;
    market_close(m);
    rig_fini(&m->r);
}

static void clients_of_every_kind(void **state)
{
    const struct sweep s = {"a market", market_make, market_work, market_tell, market_drop};
    (void)state;
    sweep_run(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
