/* An item is at most ITEM_BYTES_MAX long, and words are longer than figures: what is said beside
 * the values is cut until it fits, the citations first. Cut texts end in an ellipsis. */
#include "observation.h"

#include <inttypes.h>
#include <string.h>

#include "item.h"

const struct observed *observation_only(const struct observation *o)
{
    return o->values_len == 1 ? &o->values[0] : NULL;
}

/* Room is left for what is added on the way: readers with a delay get a longer `delayed_s`. */
static const size_t BYTES_MAX = ITEM_BYTES_MAX - 40;

static void add_string(struct buf *out, const char *name, const char *s)
{
    if (!s || !*s)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, s);
}

static const char *unit_of(const struct observation *o, const struct observed *v,
                           const struct observation_envelope *e)
{
    return v->unit[0] ? v->unit : v == observation_only(o) ? e->unit : NULL;
}

/* {"temperature_2m":21.4,...}: of the values or of their units. */
static void add_values(struct buf *out, const struct observation *o,
                       const struct observation_envelope *e)
{
    char text[DECIMAL_TEXT_MAX];
    const char *comma = "";
    buf_adds(out, ",\"values\":{");
    for (size_t i = 0; i < o->values_len; i++) {
        decimal_format(o->values[i].value, text);
        buf_addf(out, "%s\"%s\":%s", comma, o->values[i].name, text);
        comma = ",";
    }
    buf_adds(out, "},\"units\":{");
    comma = "";
    for (size_t i = 0; i < o->values_len; i++) {
        const char *unit = unit_of(o, &o->values[i], e);
        if (!unit)
            continue;
        buf_addf(out, "%s\"%s\":", comma, o->values[i].name);
        buf_adds_json(out, unit);
        comma = ",";
    }
    buf_addc(out, '}');
}

/* One that has a single figure says it plainly. */
static void add_value(struct buf *out, const struct observation *o,
                      const struct observation_envelope *e)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(o->values[0].value, text);
    buf_addf(out, ",\"value\":%s", text);
    add_string(out, "unit", unit_of(o, &o->values[0], e));
}

static bool is_single(const struct observation *o)
{
    const struct observed *v = observation_only(o);
    return v && strcmp(v->name, "value") == 0;
}

static void add_words(struct buf *out, const struct observation *o, size_t text_len,
                      size_t citations)
{
    if (o->text[0]) {
        buf_adds(out, ",\"text\":");
        if (text_len == strlen(o->text)) {
            buf_adds_json(out, o->text);
        } else {
            struct buf cut = {0};
            buf_add(&cut, o->text, text_len);
            buf_adds(&cut, "\xe2\x80\xa6");
            buf_add_json(out, cut.failed ? "" : cut.p, cut.failed ? 0 : cut.len);
            buf_fini(&cut);
        }
    }
    for (size_t i = 0; i < citations; i++) {
        buf_adds(out, i ? "," : ",\"citations\":[");
        buf_adds_json(out, o->citations[i]);
    }
    if (citations > 0)
        buf_addc(out, ']');
}

static void encode(const struct observation *o, const struct observation_envelope *e,
                   size_t text_len, size_t citations, struct buf *out)
{
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, e->name);
    add_string(out, "name", e->name);
    buf_adds(out, ",\"kind\":\"observation\"");
    add_string(out, "category", e->category);
    add_string(out, "region", e->region ? e->region : o->region);
    add_string(out, "series", o->series);
    if (is_single(o))
        add_value(out, o, e);
    else
        add_values(out, o, e);
    add_string(out, "period", o->period);
    add_words(out, o, text_len, citations);
    buf_addf(out, ",\"ts\":%" PRId64 ",\"recv\":%" PRId64 ",\"seq\":\"%" PRIx64 ":%" PRIu64 "\"",
             e->ts_ms, e->recv_ms, e->epoch_ms, e->counter);
    add_string(out, "source", e->source);
    add_string(out, "source_symbol", e->source_symbol);
    buf_addf(out, ",\"fallback\":%s", e->fallback ? "true" : "false");
    if (e->delayed_s > 0)
        buf_addf(out, ",\"delayed_s\":%" PRId64, e->delayed_s);
    if (e->stale_after_ms > 0)
        buf_addf(out, ",\"stale_after_ms\":%" PRId64, e->stale_after_ms);
    buf_addf(out, ",\"state\":\"%s\"}", quote_state_name(e->state));
}

/* The next shorter text: an eighth less, not within a character. */
static size_t shorter(const char *text, size_t len)
{
    len -= len / 8 + 1;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return len;
}

void observation_encode(const struct observation *o, const struct observation_envelope *e,
                        struct buf *out)
{
    size_t begin = out->len, text_len = strlen(o->text), citations = o->citations_len;
    for (;;) {
        encode(o, e, text_len, citations, out);
        if (out->failed || out->len - begin <= BYTES_MAX)
            return;
        if (citations == 0 && text_len == 0) {
            out->failed = true;
            return;
        }
        out->len = begin;
        if (citations > 0)
            citations--;
        else
            text_len = shorter(o->text, text_len);
    }
}
