/* The heartbeat of an unchanged price.
 *
 * Readers judge age by the `recv` of the item they have. Publishing each confirmation would make a
 * quiet market as loud as a busy one; publishing none would make it stale. So an unchanged answer
 * goes out once a minute. Where that is too seldom it goes out earlier, always looking one poll
 * ahead ("would the next chance come too late?"):
 *
 *   - before half of stale_after_ms has passed, where that is less than a minute: a price that is
 *     confirmed all the time must never be announced as stale;
 *   - before nine tenths of stale_after_ms in any case, for slow polls;
 *   - before four fifths of the TTL that was set: the key may vanish only when nobody stands behind
 *     it.
 *
 * `stale_after_ms` is put into the item only where readers cannot know it from the configuration:
 * when the stretched interval moved it. "Nothing but recv and seq" is judged on the encoded bytes,
 * so no member can be forgotten here. */
#include "publish.h"

#include <string.h>

#include "quote.h"

static const int64_t UNCHANGED_EVERY_MS = 60000;
static const int64_t STALE_AFTER_MIN_MS = 120000;

void publication_fini(struct publication *p)
{
    buf_fini(&p->essence);
}

static int64_t stale_by_interval(int64_t interval_ms)
{
    return 3 * interval_ms > STALE_AFTER_MIN_MS ? 3 * interval_ms : STALE_AFTER_MIN_MS;
}

int64_t publish_stale_after_ms(const struct instrument *in, int64_t interval_ms)
{
    return in->stale_after_ms > 0 ? in->stale_after_ms : stale_by_interval(interval_ms);
}

int64_t publish_ttl_s(const struct instrument *in, int64_t until_next_ms)
{
    int64_t needed = (3 * until_next_ms + 999) / 1000;
    return needed > in->ttl_s ? needed : in->ttl_s;
}

/* The weather has no trading hours, whatever its source says of a price under the same name; and
 * readers could not tell from the item. */
static enum quote_market market_of(const struct publish_input *x)
{
    return x->in->kind == INSTRUMENT_OBSERVATION ? MARKET_UNKNOWN : x->record->market;
}

static enum quote_state state_now(const struct publish_input *x, int64_t stale_after_ms)
{
    struct quote_age age = {
        .known = true,
        .ts_ms = x->record->ts_ms,
        .recv_ms = x->wall_ms,
        .delayed_s = x->record->delayed_s,
        .market = market_of(x),
        .stale_after_ms = stale_after_ms,
        .delayed_after_ms = x->in->delayed_after_ms,
        .ttl_ms = x->in->ttl_s * 1000,
    };
    return quote_state_at(&age, x->wall_ms);
}

/* What is new in each publication, even of the same figures. */
struct stamp {
    int64_t recv_ms;
    uint64_t epoch_ms, counter;
};

/* The limit of age where readers cannot know it from the configuration; 0 = they can. */
static int64_t moved_stale_after_ms(const struct publish_input *x)
{
    int64_t stale_after_ms = publish_stale_after_ms(x->in, x->interval_ms);
    return stale_after_ms == publish_stale_after_ms(x->in, x->in->poll_ms) ? 0 : stale_after_ms;
}

static void encode_quote(const struct publish_input *x, struct stamp stamp, struct buf *out)
{
    const struct record *r = x->record;
    const struct config_source *source = &x->in->sources[x->source_index];
    const struct quote q = {
        .symbol = x->in->symbol,
        .currency = r->currency[0] ? r->currency : x->in->currency,
        .unit = x->in->unit,
        .price = r->price,
        .bid = r->bid,
        .ask = r->ask,
        .open = r->open,
        .high = r->high,
        .low = r->low,
        .prev_close = r->prev_close,
        .volume = r->volume,
        .ts_ms = r->ts_ms,
        .recv_ms = stamp.recv_ms,
        .epoch_ms = stamp.epoch_ms,
        .counter = stamp.counter,
        .source = source->provider,
        .source_symbol = source->symbol,
        .fallback = x->source_index > 0,
        .derived = r->derived,
        .delayed_s = r->delayed_s,
        .stale_after_ms = moved_stale_after_ms(x),
        .state = state_now(x, publish_stale_after_ms(x->in, x->interval_ms)),
        .market = r->market,
    };
    quote_encode(&q, out);
}

static void encode_observation(const struct publish_input *x, struct stamp stamp, struct buf *out)
{
    const struct config_source *source = &x->in->sources[x->source_index];
    const struct observation_envelope e = {
        .name = x->in->symbol,
        .category = x->in->category,
        .unit = x->in->unit,
        .region = x->in->region,
        .ts_ms = x->record->ts_ms,
        .recv_ms = stamp.recv_ms,
        .epoch_ms = stamp.epoch_ms,
        .counter = stamp.counter,
        .source = source->provider,
        .source_symbol = source->symbol,
        .fallback = x->source_index > 0,
        .delayed_s = x->record->delayed_s,
        .stale_after_ms = moved_stale_after_ms(x),
        .state = state_now(x, publish_stale_after_ms(x->in, x->interval_ms)),
    };
    observation_encode(x->record->observation, &e, out);
}

static void encode(const struct publish_input *x, struct stamp stamp, struct buf *out)
{
    if (x->in->kind == INSTRUMENT_OBSERVATION)
        encode_observation(x, stamp, out);
    else
        encode_quote(x, stamp, out);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The essay's question. */
static bool may_wait(const struct publication *p, const struct publish_input *x)
{
    int64_t elapsed = x->mono_ms - p->published_ms;
    int64_t stale = publish_stale_after_ms(x->in, x->interval_ms);
    int64_t latest = least(stale / 10 * 9, publish_ttl_s(x->in, x->until_next_ms) * 800);
    if (stale / 2 < UNCHANGED_EVERY_MS)
        latest = least(latest, stale / 2);
    return elapsed < UNCHANGED_EVERY_MS && elapsed + x->until_next_ms <= latest;
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && a->len > 0 && memcmp(a->p, b->p, a->len) == 0;
}

enum publish_result publish_record(struct bus *bus, struct publication *p,
                                   const struct publish_input *x)
{
    struct stamp stamp = {0};
    struct buf essence = {0}, item = {0};
    enum publish_result result = PUBLISH_FAILED;

    encode(x, stamp, &essence);
    if (essence.failed)
        goto out;
    p->unchanged = p->counter > 0 && same_bytes(&essence, &p->essence);
    if (p->unchanged && may_wait(p, x)) {
        result = PUBLISH_UNCHANGED;
        goto out;
    }
    stamp = (struct stamp){x->wall_ms, x->epoch_ms, p->counter + 1};
    encode(x, stamp, &item);
    if (item.failed)
        goto out;
    /* All is noted before the bus is told: it tells us, too, before it returns. */
    buf_fini(&p->essence);
    p->essence = essence;
    essence = (struct buf){0};
    p->counter = stamp.counter;
    p->published_ms = x->mono_ms;
    bus_publish(bus, x->id, item.p, item.len, publish_ttl_s(x->in, x->until_next_ms));
    result = PUBLISH_SENT;
out:
    buf_fini(&essence);
    buf_fini(&item);
    return result;
}
