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

static enum quote_state state_now(const struct publish_input *x, int64_t stale_after_ms)
{
    struct quote_age age = {
        .known = true,
        .ts_ms = x->record->ts_ms,
        .recv_ms = x->wall_ms,
        .delayed_s = x->record->delayed_s,
        .market = x->record->market,
        .stale_after_ms = stale_after_ms,
        .delayed_after_ms = x->in->delayed_after_ms,
        .ttl_ms = x->in->ttl_s * 1000,
    };
    return quote_state_at(&age, x->wall_ms);
}

static struct quote make_quote(const struct publish_input *x)
{
    const struct record *r = x->record;
    const struct config_source *source = &x->in->sources[x->source_index];
    int64_t stale_after_ms = publish_stale_after_ms(x->in, x->interval_ms);
    bool moved = stale_after_ms != publish_stale_after_ms(x->in, x->in->poll_ms);
    return (struct quote){
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
        .source = source->provider,
        .source_symbol = source->symbol,
        .fallback = x->source_index > 0,
        .derived = r->derived,
        .delayed_s = r->delayed_s,
        .stale_after_ms = moved ? stale_after_ms : 0,
        .state = state_now(x, stale_after_ms),
        .market = r->market,
    };
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
    struct quote q = make_quote(x);
    struct buf essence = {0}, item = {0};
    enum publish_result result = PUBLISH_FAILED;

    quote_encode(&q, &essence);
    if (essence.failed)
        goto out;
    if (p->counter > 0 && same_bytes(&essence, &p->essence) && may_wait(p, x)) {
        result = PUBLISH_UNCHANGED;
        goto out;
    }
    q.recv_ms = x->wall_ms;
    q.epoch_ms = x->epoch_ms;
    q.counter = p->counter + 1;
    quote_encode(&q, &item);
    if (item.failed)
        goto out;
    /* All is noted before the bus is told: it tells us, too, before it returns. */
    buf_fini(&p->essence);
    p->essence = essence;
    essence = (struct buf){0};
    p->counter = q.counter;
    p->published_ms = x->mono_ms;
    bus_publish(bus, x->id, item.p, item.len, publish_ttl_s(x->in, x->until_next_ms));
    result = PUBLISH_SENT;
out:
    buf_fini(&essence);
    buf_fini(&item);
    return result;
}
