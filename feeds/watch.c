/* What readers were told last is the state in the item they hold, or the last status. A message is
 * due when the state by the clock is another one.
 *
 * An instrument without any price starts as unavailable for everybody, without a reason. The first
 * walk that fails completely gives it one, and that is worth one message; the second is not.
 *
 * The market: a price that was old before its market closed stays stale. Closed would say that
 * it is the last price there was, and nobody has confirmed that.
 *
 * Copies: what this process publishes comes back over Redis, possibly after the next publication
 * with the same `ts`. An item that is not newer by its own seq is no news. */
#include "watch.h"

#include <inttypes.h>
#include <string.h>

#include "publish.h"

void watch_init(struct watch *w, const struct instrument *in, int64_t wall_ms)
{
    *w = (struct watch){.in = in, .said = STATE_UNAVAILABLE, .started_ms = wall_ms};
}

static bool is_copy(const struct watch *w, const struct item *it)
{
    return w->age.known && w->has_seq && it->has_seq && it->ts_ms == w->ts_ms &&
           it->epoch_ms == w->epoch_ms && it->counter <= w->counter;
}

bool watch_item(struct watch *w, const struct item *it, int64_t wall_ms)
{
    if (is_copy(w, it) || (w->age.known && it->ts_ms < w->ts_ms))
        return false;
    const struct instrument *in = w->in;
    /* A sender whose clock is ahead of ours does not make its price any younger than new. */
    int64_t ahead_ms = it->recv_ms > wall_ms ? it->recv_ms - wall_ms : 0;
    w->ts_ms = it->ts_ms;
    w->age = (struct quote_age){
        .known = true,
        .ts_ms = it->ts_ms - ahead_ms,
        .recv_ms = it->recv_ms - ahead_ms,
        .delayed_s = it->delayed_s,
        .market = it->market,
        .stale_after_ms =
            it->stale_after_ms > 0 ? it->stale_after_ms : publish_stale_after_ms(in, in->poll_ms),
        .delayed_after_ms = in->delayed_after_ms,
        .ttl_ms = in->ttl_s * 1000,
    };
    w->has_seq = it->has_seq;
    w->epoch_ms = it->epoch_ms;
    w->counter = it->counter;
    memcpy(w->source, it->source, sizeof w->source);
    w->said = it->state >= 0 ? (enum quote_state)it->state : quote_state_at(&w->age, wall_ms);
    return true;
}

void watch_market(struct watch *w, enum quote_market market, int64_t wall_ms)
{
    bool closes = market == MARKET_CLOSED && w->age.market != MARKET_CLOSED;
    enum quote_state state = quote_state_at(&w->age, wall_ms);
    if (market == MARKET_UNKNOWN || !w->age.known ||
        (closes && (state == STATE_STALE || state == STATE_UNAVAILABLE)))
        return;
    w->age.market = market;
}

void watch_clock_set(struct watch *w, int64_t by_ms, int64_t wall_ms)
{
    w->started_ms += by_ms;
    w->age.ts_ms += by_ms;
    w->age.recv_ms += by_ms;
    if (w->ts_ms > wall_ms + ITEM_AHEAD_MAX_MS)
        w->ts_ms = 0;
}

void watch_walked(struct watch *w, enum failure reason, const char *provider)
{
    w->reason = reason;
    w->tried = provider;
}

/* When the present state began. Only the two that time brings have a moment of their own. */
static int64_t since_ms(const struct watch *w, enum quote_state state, int64_t wall_ms)
{
    int64_t at = wall_ms;
    if (!w->age.known)
        at = w->started_ms;
    else if (state == STATE_STALE)
        at = w->age.recv_ms + w->age.stale_after_ms + 1;
    else if (state == STATE_UNAVAILABLE)
        at = w->age.recv_ms + w->age.stale_after_ms + w->age.ttl_ms + 1;
    return at < wall_ms ? at : wall_ms;
}

static void encode(const struct watch *w, enum quote_state state, int64_t wall_ms, struct buf *out)
{
    const char *source = w->age.known && w->source[0] ? w->source : w->tried;
    buf_clear(out);
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, w->in->symbol);
    buf_addf(out, ",\"state\":\"%s\",\"since\":%" PRId64, quote_state_name(state),
             since_ms(w, state, wall_ms));
    if (w->reason != FAIL_NONE)
        buf_addf(out, ",\"reason\":\"%s\"", failure_name(w->reason));
    if (source) {
        buf_adds(out, ",\"source\":");
        buf_adds_json(out, source);
    }
    buf_addf(out, ",\"market\":\"%s\"}", quote_market_name(w->age.market));
}

bool watch_due(struct watch *w, int64_t wall_ms, struct buf *out)
{
    enum quote_state state = quote_state_at(&w->age, wall_ms);
    bool missing = !w->age.known && w->reason != FAIL_NONE && !w->told_missing;
    if (state == w->said && !missing)
        return false;
    w->told_missing |= missing;
    w->said = state;
    encode(w, state, wall_ms, out);
    return true;
}

int64_t watch_next_ms(const struct watch *w, int64_t wall_ms)
{
    return quote_next_change_ms(&w->age, wall_ms);
}
