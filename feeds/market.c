/* The provider's word wins: it knows of the holiday that no list has. But a word is about the
 * moment it was said. When the calendar changes afterwards, and the provider is asked again and
 * does not answer, the old word is outdated and the calendar's counts: or a provider that died on
 * Friday evening would have the market closed for ever.
 *
 * Closing needs no price. Opening does: the price that readers hold is as old as the slow polls of
 * a closed market, and with the market open it would be called stale for the moment until the next
 * one is here. So the poll that the opening causes comes first. */
#include "market.h"

void market_clock_turn(struct market_clock *c, int64_t wall_ms)
{
    if (c->until_ms > 0 && wall_ms >= c->since_ms && wall_ms < c->until_ms)
        return;
    enum quote_market market = calendar_at(c->calendar, wall_ms);
    bool went_on = c->until_ms > 0 && wall_ms >= c->until_ms;
    if (market != c->now || wall_ms < c->since_ms || c->until_ms == 0)
        c->since_ms = went_on ? c->until_ms : wall_ms;
    c->now = market;
    c->until_ms = calendar_next_change_ms(c->calendar, wall_ms);
}

enum quote_market market_word(const struct market *m, enum quote_market said)
{
    return said == MARKET_UNKNOWN && m->clock ? m->clock->now : said;
}

void market_take(struct market *m, enum quote_market said, int64_t wall_ms)
{
    m->said = said;
    m->said_ms = wall_ms;
}

void market_failed(struct market *m, int64_t wall_ms)
{
    m->failed_ms = wall_ms;
}

void market_clock_set(struct market *m, int64_t by_ms)
{
    if (m->said_ms > 0)
        m->said_ms += by_ms;
    if (m->failed_ms > 0)
        m->failed_ms += by_ms;
}

bool market_opens(struct market *m)
{
    enum quote_market before = m->seen;
    if (!m->clock)
        return false;
    m->seen = m->clock->now;
    return before == MARKET_CLOSED && m->seen != MARKET_CLOSED;
}

enum quote_market market_now(const struct market *m, enum quote_market shown, int64_t wall_ms)
{
    if (!m->clock)
        return m->said;
    int64_t since_ms = m->clock->since_ms;
    bool answered = m->said_ms >= since_ms, asked = answered || m->failed_ms >= since_ms;
    if (m->said != MARKET_UNKNOWN && (answered || !asked))
        return m->said;
    bool waits = !asked && wall_ms - since_ms < MARKET_OPENING_MS;
    if (shown == MARKET_CLOSED && m->clock->now != MARKET_CLOSED && waits)
        return MARKET_CLOSED;
    return m->clock->now;
}
