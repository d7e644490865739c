#include "quote.h"

#include <inttypes.h>
#include <string.h>

static const char *const state_names[] = {
    [STATE_LIVE] = "live",     [STATE_DELAYED] = "delayed",         [STATE_STALE] = "stale",
    [STATE_CLOSED] = "closed", [STATE_UNAVAILABLE] = "unavailable",
};
static const char *const market_names[] = {
    [MARKET_UNKNOWN] = "unknown", [MARKET_OPEN] = "open", [MARKET_CLOSED] = "closed",
    [MARKET_PRE] = "pre",         [MARKET_POST] = "post",
};

const char *quote_state_name(enum quote_state s)
{
    return state_names[s];
}

const char *quote_market_name(enum quote_market m)
{
    return market_names[m];
}

static int find_name(const char *const *names, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return (int)i;
    return -1;
}

int quote_state_parse(const char *name, size_t len)
{
    return find_name(state_names, ARRAY_LEN(state_names), name, len);
}

int quote_market_parse(const char *name, size_t len)
{
    return find_name(market_names, ARRAY_LEN(market_names), name, len);
}

static void add_name(struct buf *out, const char *name)
{
    buf_adds(out, ",\"");
    buf_adds(out, name);
    buf_adds(out, "\":");
}

static void add_decimal(struct buf *out, const char *name, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];
    if (!d.given)
        return;
    add_name(out, name);
    buf_add(out, text, decimal_format(d, text));
}

static void add_string(struct buf *out, const char *name, const char *s)
{
    if (!s)
        return;
    add_name(out, name);
    buf_adds_json(out, s);
}

static void add_change(struct buf *out, const struct quote *q)
{
    struct decimal change, pct;
    if (decimal_sub(q->price, q->prev_close, &change) != 0)
        return;
    add_decimal(out, "change", change);
    if (decimal_percent(change, q->prev_close, &pct) == 0)
        add_decimal(out, "change_pct", pct);
}

void quote_encode(const struct quote *q, struct buf *out)
{
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, q->symbol);
    add_decimal(out, "price", q->price);
    add_string(out, "currency", q->currency);
    add_string(out, "unit", q->unit);
    add_decimal(out, "bid", q->bid);
    add_decimal(out, "ask", q->ask);
    add_decimal(out, "open", q->open);
    add_decimal(out, "high", q->high);
    add_decimal(out, "low", q->low);
    add_decimal(out, "prev_close", q->prev_close);
    add_change(out, q);
    add_decimal(out, "volume", q->volume);
    buf_addf(out, ",\"ts\":%" PRId64 ",\"recv\":%" PRId64 ",\"seq\":\"%" PRIx64 ":%" PRIu64 "\"",
             q->ts_ms, q->recv_ms, q->epoch_ms, q->counter);
    add_string(out, "source", q->source);
    add_string(out, "source_symbol", q->source_symbol);
    buf_addf(out, ",\"fallback\":%s", q->fallback ? "true" : "false");
    if (q->derived)
        buf_adds(out, ",\"derived\":true");
    if (q->delayed_s > 0)
        buf_addf(out, ",\"delayed_s\":%" PRId64, q->delayed_s);
    if (q->stale_after_ms > 0)
        buf_addf(out, ",\"stale_after_ms\":%" PRId64, q->stale_after_ms);
    buf_addf(out, ",\"state\":\"%s\",\"market\":\"%s\"}", quote_state_name(q->state),
             quote_market_name(q->market));
}

enum quote_state quote_state_at(const struct quote_age *a, int64_t now_ms)
{
    int64_t age_ms = now_ms - a->recv_ms;
    if (!a->known)
        return STATE_UNAVAILABLE;
    if (a->market == MARKET_CLOSED)
        return STATE_CLOSED;
    if (age_ms > a->stale_after_ms + a->ttl_ms)
        return STATE_UNAVAILABLE;
    if (age_ms > a->stale_after_ms)
        return STATE_STALE;
    if (a->delayed_s > 0 || a->recv_ms - a->ts_ms > a->delayed_after_ms)
        return STATE_DELAYED;
    return STATE_LIVE;
}

int64_t quote_next_change_ms(const struct quote_age *a, int64_t now_ms)
{
    if (!a->known || a->market == MARKET_CLOSED)
        return INT64_MAX;
    int64_t stale = a->recv_ms + a->stale_after_ms + 1;
    if (now_ms < stale)
        return stale;
    int64_t gone = stale + a->ttl_ms;
    return now_ms < gone ? gone : INT64_MAX;
}
