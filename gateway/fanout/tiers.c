/* An item that was taken by the live tier waits in the line of each other tier until `delay`
 * after it was heard. One that was read back from Redis after a restart has waited already: there
 * `recv` counts. (Of one that is heard it does not: another program may say what it likes there.)
 * It then goes into that tier's fan-out, rewritten once for all: `delayed_s` grows by the delay,
 * and what was `live` is `delayed`. A tier's book is told a clock that is as much behind, so that
 * nothing there is stale that was not stale then.
 *
 * The watchers of an instrument are those of all tiers: the delayed ones want it polled, too. */
#include "tiers.h"

#include <stdlib.h>

#include "carry.h"
#include "client.h"
#include "delay_line.h"
#include "log.h"
#include "state.h"
#include "subscribe.h"
#include "upkeep.h"

static const size_t LINE_BYTES_MAX = (size_t)64 * 1024 * 1024;

struct tier {
    int64_t delay_s;
    struct fanout *fanout;
    struct delay_line *line; /* NULL in tier 0 */
};

struct tiers {
    const struct config *config;
    size_t *watchers;
    int64_t *known_ns; /* mono, by instrument: since when the live tier's item counts as known */
    size_t len;
    struct tier tiers[CONFIG_DELAYS_MAX + 1]; /* by their delay */
};

static struct fanout *port_tier(void *ctx, int64_t delay_s)
{
    return tiers_of(ctx, delay_s);
}

static int add_tier(struct tiers *t, int64_t delay_s, struct metrics *metrics,
                    const struct fanout_ports *ports)
{
    struct tier *tier = &t->tiers[t->len++];
    tier->delay_s = delay_s;
    tier->fanout = fanout_new(t->config, metrics, ports);
    if (!tier->fanout)
        return -1;
    fanout_lag(tier->fanout, delay_s * 1000);
    if (delay_s > 0)
        tier->line = delay_line_new(t->config->instruments_len, LINE_BYTES_MAX);
    return delay_s > 0 && !tier->line ? -1 : 0;
}

struct tiers *tiers_new(const struct config *config, struct metrics *metrics,
                        const struct fanout_ports *ports)
{
    struct tiers *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    int64_t delays[CONFIG_DELAYS_MAX];
    size_t n = config_delays(config, delays);
    struct fanout_ports all = *ports;
    all.tier = port_tier;
    all.tier_ctx = t;
    t->config = config;
    t->watchers = calloc(config->instruments_len + 1, sizeof *t->watchers);
    t->known_ns = calloc(config->instruments_len + 1, sizeof *t->known_ns);
    int rc = t->watchers && t->known_ns ? add_tier(t, 0, metrics, &all) : -1;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_tier(t, delays[i], metrics, &all);
    if (rc == 0)
        return t;
    tiers_free(t);
    return NULL;
}

void tiers_free(struct tiers *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->len; i++) {
        fanout_free(t->tiers[i].fanout);
        delay_line_free(t->tiers[i].line);
    }
    free(t->watchers);
    free(t->known_ns);
    free(t);
}

struct fanout *tiers_live(const struct tiers *t)
{
    return t->tiers[0].fanout;
}

struct fanout *tiers_of(const struct tiers *t, int64_t delay_s)
{
    size_t i = 0;
    while (i + 1 < t->len && t->tiers[i].delay_s < delay_s)
        i++;
    return t->tiers[i].fanout;
}

static void lost(const struct tiers *t, int id)
{
    log_event(LOG_ERROR, "out_of_memory", "what=%s symbol=%s",
              "a price of a delayed tier was left out", t->config->instruments[id].symbol);
}

/* What the live tier holds, to be told in this one in its time. */
static void put_late(const struct tiers *t, const struct tier *tier, int id, struct delayed d)
{
    d.due_ns = t->known_ns[id] + tier->delay_s * 1000 * NS_PER_MS;
    if (delay_line_carry(tier->line, id, &d) != 0)
        lost(t, id);
}

enum fanout_verdict tiers_item(struct tiers *t, int id, struct item *it, bool heard,
                               struct moment now)
{
    enum fanout_verdict verdict = fanout_item(t->tiers[0].fanout, id, it, now.wall_ms, now.mono_ns);
    int64_t waited_ms = heard ? 0 : now.wall_ms - it->recv_ms;
    if (verdict != FANOUT_TAKEN)
        return verdict;
    t->known_ns[id] = now.mono_ns - waited_ms * NS_PER_MS;
    for (size_t i = 1; i < t->len; i++)
        put_late(t, &t->tiers[i], id, (struct delayed){.item = it});
    return verdict;
}

/* NOLINTNEXTLINE(readability-function-size): as fanout_status() */
int tiers_status(struct tiers *t, int id, const char *bytes, size_t len, int64_t wall_ms,
                 int64_t mono_ns, struct err *err)
{
    int rc = fanout_status(t->tiers[0].fanout, id, bytes, len, wall_ms, mono_ns, err);
    for (size_t i = 1; i < t->len && rc == 0; i++) {
        int64_t due_ns = mono_ns + t->tiers[i].delay_s * 1000000000;
        if (delay_line_put_status(t->tiers[i].line, id, bytes, len, due_ns) != 0)
            lost(t, id);
    }
    return rc;
}

static void hand_over(const struct tiers *t, const struct tier *tier, const struct delayed *d,
                      int64_t wall_ms, int64_t mono_ns)
{
    const struct instrument *in = &t->config->instruments[d->id];
    struct err err;
    if (!d->item) { /* was found good when it came */
        (void)!fanout_status(tier->fanout, d->id, d->bytes, d->len, wall_ms, mono_ns, &err);
        return;
    }
    /* Valid it was by the clock of then, but how old it is counts by ours. */
    int64_t then_ms = wall_ms - d->set_ms;
    struct item *late = item_delayed(d->item, in->kind, tier->delay_s, then_ms, &err);
    if (late)
        late->recv_ms += d->set_ms;
    if (late)
        (void)fanout_item(tier->fanout, d->id, late, wall_ms, mono_ns);
    else
        log_event(LOG_WARN, "delayed_item_lost", "symbol=%s why=%s", in->symbol, err.text);
    item_unref(late);
    item_unref(d->item);
}

/* --- another configuration --- */

static void carry_line(const struct tiers *t, const struct tier *to, const struct tier *from,
                       const struct instrument_map *map)
{
    struct delayed d;
    while (delay_line_take(from->line, INT64_MAX, &d)) {
        int id = map->there[d.id];
        if (id >= 0 && delay_line_carry(to->line, id, &d) != 0)
            lost(t, id);
        item_unref(d.item);
    }
}

/* A delay that is new: its market begins with what the live one knows, in its time. */
static void begin_line(const struct tiers *t, const struct tier *to)
{
    const struct book *live = &t->tiers[0].fanout->book;
    for (size_t i = 0; i < live->len; i++) {
        const struct book_entry *e = &live->entries[i];
        if (e->item)
            put_late(t, to, (int)i, (struct delayed){.item = e->item, .set_ms = e->set_ms});
    }
}

/* Each tier counts its events by itself, so an id of one of them says nothing in another. */
static void begin_events(const struct tiers *t, size_t i, int64_t wall_ms)
{
    fanout_started(t->tiers[i].fanout, wall_ms + (int64_t)i);
}

static const struct tier *tier_with(const struct tiers *t, int64_t delay_s)
{
    for (size_t i = 0; i < t->len; i++)
        if (t->tiers[i].delay_s == delay_s)
            return &t->tiers[i];
    return NULL;
}

struct takeover {
    struct tiers *to;
    const struct instrument_map *map;
    tiers_renew *renew;
    void *renew_ctx;
    struct moment now;
};

/* What c may do now; how late it sees what it gets. */
static int64_t renew_grant(const struct takeover *x, struct client *c, int64_t delay_s)
{
    struct grant grant = {0};
    bool holds = x->renew(x->renew_ctx, &c->grant, &grant) == 0;
    if (holds && grant.role != ROLE_NONE) {
        delay_s = grant.delay_s;
        client_grant(c, &grant, x->now);
    } else if (c->grant.role != ROLE_NONE) { /* else its time runs already */
        upkeep_expire(c, x->now.mono_ns);
    }
    return delay_s;
}

static void carry_one(const struct takeover *x, struct client *c, int64_t delay_s)
{
    if (c->path != CLIENT_CLOSING)
        delay_s = renew_grant(x, c, delay_s);
    struct fanout *to = tiers_of(x->to, delay_s);
    if (c->path != CLIENT_CLOSING && to->book.lag_ms != c->f->book.lag_ms) {
        if (c->encoding == ENCODING_EVENTS)
            client_close(c, CLOSE_AUTH); /* it comes back, and sees what it may */
        else
            subscribe_none(c, x->now);
        patterns_fini(&c->patterns);
    }
    carry_client(c, to, x->map, x->now);
    if (c->grant.symbols && c->path != CLIENT_CLOSING)
        subscribe_confine(c, x->now);
}

static void carry_known(struct tiers *t, const struct tiers *from, const struct instrument_map *map)
{
    for (size_t i = 0; i < from->config->instruments_len; i++)
        if (map->there[i] >= 0)
            t->known_ns[map->there[i]] = from->known_ns[i];
}

/* All of tier i but its clients. */
static void carry_tier(const struct takeover *x, const struct tiers *from, size_t i)
{
    const struct tier *to = &x->to->tiers[i], *old = tier_with(from, to->delay_s);
    if (old)
        carry_market(to->fanout, old->fanout, x->map, x->now.wall_ms);
    else
        begin_events(x->to, i, x->now.wall_ms);
    if (old && to->line)
        carry_line(x->to, to, old, x->map);
    else if (to->line)
        begin_line(x->to, to);
}

/* NOLINTNEXTLINE(readability-function-size): a callback, and when */
void tiers_take_over(struct tiers *t, struct tiers *from, const struct instrument_map *map,
                     tiers_renew *renew, void *renew_ctx, struct moment now)
{
    const struct takeover x = {t, map, renew, renew_ctx, now};
    for (size_t i = 0; i < from->len; i++)
        carry_flush(from->tiers[i].fanout, now.mono_ns);
    carry_known(t, from, map);
    for (size_t i = 0; i < t->len; i++)
        carry_tier(&x, from, i);
    for (size_t i = 0; i < from->len; i++)
        while (from->tiers[i].fanout->clients)
            carry_one(&x, from->tiers[i].fanout->clients, from->tiers[i].delay_s);
}

void tiers_started(struct tiers *t, int64_t wall_ms)
{
    for (size_t i = 0; i < t->len; i++)
        begin_events(t, i, wall_ms);
}

/* The sooner of two waits; -1 is "never". */
static int64_t sooner(int64_t a_ns, int64_t b_ns)
{
    if (a_ns < 0 || b_ns < 0)
        return a_ns < 0 ? b_ns : a_ns;
    return a_ns < b_ns ? a_ns : b_ns;
}

int64_t tiers_turn(struct tiers *t, int64_t wall_ms, int64_t mono_ns)
{
    int64_t wait_ns = -1;
    for (size_t i = 0; i < t->len; i++) {
        const struct tier *tier = &t->tiers[i];
        struct delayed d;
        while (tier->line && delay_line_take(tier->line, mono_ns, &d))
            hand_over(t, tier, &d, wall_ms, mono_ns);
        wait_ns = sooner(wait_ns, fanout_turn(tier->fanout, mono_ns));
        int64_t next_ns = tier->line ? delay_line_next_ns(tier->line) : INT64_MAX;
        if (next_ns != INT64_MAX)
            wait_ns = sooner(wait_ns, next_ns > mono_ns ? next_ns - mono_ns : 0);
    }
    return wait_ns;
}

void tiers_tick(struct tiers *t, int64_t wall_ms, int64_t mono_ns)
{
    for (size_t i = 0; i < t->len; i++)
        fanout_tick(t->tiers[i].fanout, wall_ms, mono_ns);
}

void tiers_clock_set(struct tiers *t, int64_t by_ms, int64_t wall_ms)
{
    for (size_t i = 0; i < t->len; i++) {
        fanout_clock_set(t->tiers[i].fanout, by_ms, wall_ms);
        if (t->tiers[i].line)
            delay_line_clock_set(t->tiers[i].line, by_ms);
    }
}

void tiers_goaway(struct tiers *t, const char *reason, int64_t spread_ms)
{
    for (size_t i = 0; i < t->len; i++)
        fanout_goaway(t->tiers[i].fanout, reason, spread_ms);
}

size_t tiers_clients(const struct tiers *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->len; i++)
        n += fanout_clients(t->tiers[i].fanout);
    return n;
}

const size_t *tiers_watchers(struct tiers *t)
{
    if (t->len == 1)
        return fanout_watchers(t->tiers[0].fanout);
    for (size_t id = 0; id < t->config->instruments_len; id++) {
        t->watchers[id] = 0;
        for (size_t i = 0; i < t->len; i++)
            t->watchers[id] += fanout_watchers(t->tiers[i].fanout)[id];
    }
    return t->watchers;
}
