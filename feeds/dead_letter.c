#include "dead_letter.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"

static void add_name(struct buf *out, const char *name)
{
    if (out->len > 0 && out->p[out->len - 1] != '{')
        buf_addc(out, ',');
    buf_adds_json(out, name);
    buf_addc(out, ':');
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    if (!text || !text[0])
        return;
    add_name(out, name);
    buf_adds_json(out, text);
}

static void add_decimal(struct buf *out, const char *name, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];
    if (!d.given)
        return;
    decimal_format(d, text);
    add_name(out, name);
    buf_adds(out, text);
}

static void add_int(struct buf *out, const char *name, int64_t n)
{
    add_name(out, name);
    buf_addf(out, "%" PRId64, n);
}

static void begin_object(struct buf *out, const char *name)
{
    add_name(out, name);
    buf_addc(out, '{');
}

static void add_error(struct buf *out, const struct quality_result *q)
{
    begin_object(out, "error");
    add_text(out, "failure", failure_name(q->failure));
    add_text(out, "rule", q->rule);
    for (size_t i = 0; q->rule && i < quality_rules(); i++)
        if (strcmp(quality_rule_at(i).name, q->rule) == 0)
            add_text(out, "applies_to", quality_rule_at(i).applies_to);
    add_text(out, "reason", q->why.text);
    buf_addc(out, '}');
}

static void add_context(struct buf *out, const struct dead_letter *d)
{
    const struct instrument *in = d->in;
    begin_object(out, "context");
    add_text(out, "symbol", in->symbol);
    add_text(out, "category", in->category);
    add_text(out, "source", in->sources[d->source_index].provider);
    add_text(out, "source_symbol", in->sources[d->source_index].symbol);
    add_text(out, "currency", in->currency);
    add_text(out, "unit", in->unit);
    add_decimal(out, "range_min", in->range_min);
    add_decimal(out, "range_max", in->range_max);
    if (in->kind == INSTRUMENT_QUOTE) {
        add_name(out, "max_jump_pct");
        buf_addf(out, "%g", in->max_jump_pct);
    }
    if (d->memory->held) {
        add_decimal(out, "held_price", d->memory->held_price);
        add_int(out, "held_ts", d->memory->held_ts_ms);
    }
    if (d->left_out > 0)
        add_int(out, "left_out", d->left_out);
    buf_addc(out, '}');
}

static void add_observation(struct buf *out, const struct observation *o)
{
    begin_object(out, "values");
    for (size_t i = 0; i < o->values_len; i++)
        add_decimal(out, o->values[i].name, o->values[i].value);
    buf_adds(out, "}");
    begin_object(out, "units");
    for (size_t i = 0; i < o->values_len; i++)
        add_text(out, o->values[i].name, o->values[i].unit);
    buf_adds(out, "}");
    add_text(out, "region", o->region);
    add_text(out, "series", o->series);
    add_text(out, "period", o->period);
    add_text(out, "text", o->text);
}

static void add_prices(struct buf *out, const struct record *r)
{
    add_decimal(out, "price", r->price);
    add_decimal(out, "bid", r->bid);
    add_decimal(out, "ask", r->ask);
    add_decimal(out, "open", r->open);
    add_decimal(out, "high", r->high);
    add_decimal(out, "low", r->low);
    add_decimal(out, "prev_close", r->prev_close);
    add_decimal(out, "volume", r->volume);
    add_text(out, "currency", r->currency);
}

/* Of a record that is both, what it was wanted as. */
static void add_record(struct buf *out, enum instrument_kind kind, const struct record *r)
{
    begin_object(out, "record");
    if (kind == INSTRUMENT_QUOTE)
        add_prices(out, r);
    else if (r->observation)
        add_observation(out, r->observation);
    add_int(out, "ts", r->ts_ms);
    if (r->delayed_s > 0)
        add_int(out, "delayed_s", r->delayed_s);
    add_text(out, "market", quote_market_name(r->market));
    if (r->derived) {
        add_name(out, "derived");
        buf_adds(out, "true");
    }
    buf_addc(out, '}');
}

void dead_letter_encode(const struct dead_letter *d, struct buf *out)
{
    char time[CLOCK_RFC3339_MAX];
    buf_addc(out, '{');
    add_text(out, "time", clock_rfc3339(d->wall_ms > 0 ? d->wall_ms : 0, time));
    add_error(out, d->result);
    add_context(out, d);
    add_record(out, d->in->kind, d->record);
    buf_adds(out, "}\n");
}

void dead_letter_name(int64_t wall_ms, uint64_t epoch_ms, uint64_t number,
                      char out[static DEAD_LETTER_NAME_MAX])
{
    char time[CLOCK_RFC3339_MAX], *to = time;
    clock_rfc3339(wall_ms > 0 ? wall_ms : 0, time);
    for (const char *p = time; *p; p++)
        if (*p != '-' && *p != ':')
            *to++ = *p;
    *to = '\0';
    snprintf(out, DEAD_LETTER_NAME_MAX, "dlq_%s_%" PRIx64 "-%" PRIu64 ".json", time, epoch_ms,
             number);
}

bool dead_letter_is_name(const char *name)
{
    static const char begin[] = "dlq_", end[] = ".json";
    size_t len = strlen(name);
    return len >= sizeof begin - 1 + sizeof end - 1 &&
           strncmp(name, begin, sizeof begin - 1) == 0 &&
           strcmp(name + len - (sizeof end - 1), end) == 0;
}
