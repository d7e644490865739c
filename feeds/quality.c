/* quality.c - the rules a record passes before it becomes a price of ours.
 *
 * A missing price is an annoyance, a wrong one is a catastrophe; when in doubt the record is held
 * back and the last good price stays. The rules are a table, in the order in which they are asked:
 * each assumes that those above it hold (the jump is computed from a positive price in the right
 * currency).
 *
 * Jumps. Prices do jump, so a jump is doubted, not refused: it is remembered, and believed when
 * somebody else says the same, or the same source twice more. But unit bugs agree with themselves
 * for ever. So the source's own insistence has to lie inside the configured range (and, where it is
 * a factor of 100 or an inversion, to come before the held price has proved itself in a few polls:
 * a range often holds its own inverse, as 0.5 to 2.5 does for EUR/USD); and where no
 * range is configured it is believed for a plain jump of less than a factor of 10 only, never for
 * a factor of 100 or an inversion, which no market makes but every mixed-up unit does.
 *
 * A benchmark is shown when there is no price at all, and is no reference: a figure that is a year
 * old would hold back today's first real price. Only its time is kept; that price is then judged as
 * the first one is, by the range.
 *
 * Severity. What makes the price itself doubtful rejects the record; what only contradicts it is
 * dropped: a crossed market, and the day's figures where the price lies outside of them. Those are
 * often a moment older than the price, rounded to fewer digits, or of another session than a price
 * before or after the hours, so a little is allowed, and before and after the hours everything.
 *
 * No rules are: "unique (symbol, time)", as an equal time with another price is a correction and
 * with the same price a confirmation, both wanted (PROTOCOL 3; publish.c says nothing twice); and
 * freshness, as an old price of a closed market is right, and of an open one better than none: age
 * is a state (live, delayed, stale) and no fault of the record. Time is monotonic: "older".
 *
 * An inversion cannot be told from a small move when the price is about 1 (USD/CHF at 0.995 and
 * 1.004), so less than 1 % of change is none.
 *
 * Observations have rules of their own: it may be colder than yesterday by any factor, and a
 * balance may be negative, so neither "positive" nor "jump" is asked. What remains is that there is
 * a figure (or a text) and that it is not older. Unit and range are configured once, so they can
 * be about one figure only: where a record has several (the weather), neither is asked.
 *
 * Ratios are computed in floating point: they are plausibility, no output. */
#include <math.h>
#include <string.h>

#include "item.h"
#include "quality.h"

static const double AGREE = 0.01;         /* prices within 1 % say the same */
static const double FACTOR_BELIEVED = 10; /* of a jump that one source alone insists on */
static const int POLLS_NEEDED = 2;        /* beyond the first that said so */
static const int CONFIRMED_POLLS = 3;     /* that the held price must have to be sure of its unit */
static const double SAME_UNIT = 2;        /* a factor that no mixed-up unit is below */
static const double DAY_SLACK = 0.001;    /* a price beyond the day's figures: rounding, lag */

enum outcome { PASSED, FAILED, NOT_ASKED /* there is nothing it could look at */ };

struct check {
    const struct instrument *in;
    struct quality_memory *m;
    int source_index;
    struct record *rec;
    int64_t now_ms;
    struct err *why;
};

/* a / b, both positive. */
static double ratio(struct decimal a, struct decimal b)
{
    return decimal_to_double(a) / decimal_to_double(b);
}

static bool about_one(double x)
{
    return fabs(x - 1) <= AGREE;
}

static void text_of(struct decimal d, char out[static DECIMAL_TEXT_MAX])
{
    if (d.given)
        decimal_format(d, out);
    else
        snprintf(out, DECIMAL_TEXT_MAX, "nothing");
}

/* Minor to major unit, exactly, all members or none. */
static enum outcome currency_known(struct check *c)
{
    struct record *r = c->rec;
    struct decimal *const members[] = {&r->price, &r->bid, &r->ask,       &r->open,
                                       &r->high,  &r->low, &r->prev_close};
    char major[8];
    int places;
    if (!r->currency[0]) {
        if (c->in->currency && strlen(c->in->currency) < sizeof r->currency)
            snprintf(r->currency, sizeof r->currency, "%s", c->in->currency);
        if (!r->currency[0])
            return NOT_ASKED;
    }
    if (units_major(r->currency, major, &places) != 0) {
        err_set(c->why, "unit \"%s\" is not known; prices in it cannot be read", r->currency);
        return FAILED;
    }
    for (size_t i = 0; places > 0 && i < ARRAY_LEN(members); i++) {
        if (members[i]->given && decimal_shift_down(*members[i], places, members[i]) != 0) {
            err_set(c->why, "a price in %s has too many digits", r->currency);
            return FAILED;
        }
    }
    snprintf(r->currency, sizeof r->currency, "%s", major);
    return PASSED;
}

static enum outcome is_finite(struct check *c)
{
    if (c->rec->price.given) /* no other can be made: decimals know neither NaN nor infinity */
        return PASSED;
    err_set(c->why, "the price is no number");
    return FAILED;
}

static enum outcome positive(struct check *c)
{
    char text[DECIMAL_TEXT_MAX];
    if (decimal_positive(c->rec->price))
        return PASSED;
    text_of(c->rec->price, text);
    err_set(c->why, "the price is %s, not above 0", text);
    return FAILED;
}

static enum outcome future(struct check *c)
{
    if (c->rec->ts_ms > 0 && c->rec->ts_ms <= c->now_ms + ITEM_AHEAD_MAX_MS)
        return PASSED;
    err_set(c->why, "its time is %lld ms ahead of ours", (long long)(c->rec->ts_ms - c->now_ms));
    return FAILED;
}

static enum outcome currency(struct check *c)
{
    if (!c->in->currency)
        return NOT_ASKED;
    if (strcmp(c->in->currency, c->rec->currency) == 0)
        return PASSED;
    err_set(c->why, "a price in %s, configured is %s", c->rec->currency, c->in->currency);
    return FAILED;
}

static enum outcome older(struct check *c)
{
    if (!c->m->held)
        return NOT_ASKED;
    if (c->rec->ts_ms >= c->m->held_ts_ms)
        return PASSED;
    err_set(c->why, "%lld ms older than what we hold",
            (long long)(c->m->held_ts_ms - c->rec->ts_ms));
    return FAILED;
}

static bool in_range(const struct check *c)
{
    return decimal_cmp(c->rec->price, c->in->range_min) >= 0 &&
           decimal_cmp(c->rec->price, c->in->range_max) <= 0;
}

static bool has_range(const struct check *c)
{
    return c->in->range_min.given && c->in->range_max.given;
}

static enum outcome range(struct check *c)
{
    char price[DECIMAL_TEXT_MAX], min[DECIMAL_TEXT_MAX], max[DECIMAL_TEXT_MAX];
    if (c->m->held_price.given || !has_range(c)) /* what is held says more than a range */
        return NOT_ASKED;
    if (in_range(c))
        return PASSED;
    text_of(c->rec->price, price);
    text_of(c->in->range_min, min);
    text_of(c->in->range_max, max);
    err_set(c->why, "%.40s is outside the range %.40s to %.40s", price, min, max);
    return FAILED;
}

enum jump { NO_JUMP, JUMP, JUMP_FACTOR_100, JUMP_INVERSE };

/* What kind of jump it is from the held price. */
static enum jump jump_kind(const struct check *c)
{
    double r = ratio(c->rec->price, c->m->held_price);
    double product = decimal_to_double(c->rec->price) * decimal_to_double(c->m->held_price);
    enum jump plain = fabs(r - 1) * 100 > c->in->max_jump_pct ? JUMP : NO_JUMP;
    if (about_one(r))
        return plain;
    if (about_one(r / 100) || about_one(r * 100))
        return JUMP_FACTOR_100;
    return about_one(product) ? JUMP_INVERSE : plain;
}

/* Somebody, or the same one often enough, says what was doubted. Remembers the doubt otherwise. */
static bool jump_agreed(struct check *c, enum jump kind)
{
    struct quality_memory *m = c->m;
    bool agrees = m->doubted.given && about_one(ratio(c->rec->price, m->doubted));
    if (agrees && m->doubted_source != c->source_index)
        return true;
    m->doubted_polls = agrees ? m->doubted_polls + 1 : 0;
    m->doubted = c->rec->price;
    m->doubted_source = c->source_index;
    if (m->doubted_polls < POLLS_NEEDED)
        return false;
    if (kind != JUMP && m->confirmed >= CONFIRMED_POLLS)
        return false;
    if (has_range(c))
        return in_range(c);
    /* A unit bug that shows after the price has moved is no exact factor of 100 any more. */
    double r = ratio(c->rec->price, c->m->held_price);
    return kind == JUMP && r < FACTOR_BELIEVED && r > 1 / FACTOR_BELIEVED;
}

/* The record jumps in this way, and nobody agrees. */
static enum outcome jumps(struct check *c, enum jump way)
{
    char price[DECIMAL_TEXT_MAX], held[DECIMAL_TEXT_MAX];
    if (!c->m->held || !decimal_positive(c->m->held_price))
        return NOT_ASKED;
    enum jump kind = jump_kind(c);
    if (kind == NO_JUMP)
        c->m->doubted = (struct decimal){0};
    if (kind != way || jump_agreed(c, kind))
        return PASSED;
    text_of(c->rec->price, price);
    text_of(c->m->held_price, held);
    err_set(c->why, "%.40s against %.40s held: waits until others agree", price, held);
    return FAILED;
}

static enum outcome factor_100(struct check *c)
{
    return jumps(c, JUMP_FACTOR_100);
}

static enum outcome inverse(struct check *c)
{
    return jumps(c, JUMP_INVERSE);
}

static enum outcome jump(struct check *c)
{
    return jumps(c, JUMP);
}

/* A bid above the ask is no market: neither can be trusted, the price itself can. */
static enum outcome crossed(struct check *c)
{
    struct record *r = c->rec;
    if (!r->bid.given || !r->ask.given)
        return NOT_ASKED;
    if (decimal_cmp(r->bid, r->ask) <= 0)
        return PASSED;
    r->bid = r->ask = (struct decimal){0};
    return FAILED;
}

/* a > b; missing ones are not. slack: a share of b. */
static bool above(struct decimal a, struct decimal b, double slack)
{
    if (!a.given || !b.given || decimal_cmp(a, b) <= 0)
        return false;
    return decimal_to_double(a) > decimal_to_double(b) * (1 + slack);
}

/* The day's high and low hold each other, the opening price and, in the hours, the price. */
static enum outcome ohlc(struct check *c)
{
    struct record *r = c->rec;
    bool in_hours = r->market != MARKET_PRE && r->market != MARKET_POST;
    if (!r->high.given && !r->low.given)
        return NOT_ASKED;
    if (!above(r->low, r->high, 0) && !above(r->open, r->high, DAY_SLACK) &&
        !above(r->low, r->open, DAY_SLACK) &&
        !(in_hours && (above(r->price, r->high, DAY_SLACK) || above(r->low, r->price, DAY_SLACK))))
        return PASSED;
    r->open = r->high = r->low = (struct decimal){0};
    return FAILED;
}

/* --- observations --- */

static enum outcome observed(struct check *c)
{
    const struct observation *o = c->rec->observation;
    if (o && (o->values_len > 0 || o->text[0]))
        return PASSED;
    err_set(c->why, "there is no figure in it");
    return FAILED;
}

static enum outcome unit(struct check *c)
{
    const struct observed *v = observation_only(c->rec->observation);
    if (!v || !v->unit[0] || !c->in->unit)
        return NOT_ASKED;
    if (strcmp(v->unit, c->in->unit) == 0)
        return PASSED;
    err_set(c->why, "a value in %s, configured is %s", v->unit, c->in->unit);
    return FAILED;
}

static enum outcome value_range(struct check *c)
{
    const struct observed *v = observation_only(c->rec->observation);
    char value[DECIMAL_TEXT_MAX], min[DECIMAL_TEXT_MAX], max[DECIMAL_TEXT_MAX];
    if (!v || !has_range(c))
        return NOT_ASKED;
    if (decimal_cmp(v->value, c->in->range_min) >= 0 &&
        decimal_cmp(v->value, c->in->range_max) <= 0)
        return PASSED;
    text_of(v->value, value);
    text_of(c->in->range_min, min);
    text_of(c->in->range_max, max);
    err_set(c->why, "%.40s is outside the range %.40s to %.40s", value, min, max);
    return FAILED;
}

#define OF(kind) (1U << INSTRUMENT_##kind)
static const struct {
    struct quality_rule rule;
    unsigned kinds;
    enum failure failure; /* of a record that is rejected */
    enum outcome (*ask)(struct check *c);
} rules[] = {
    {{"currency_known", "currency", QUALITY_REJECT}, OF(QUOTE),                   FAIL_BAD_SCHEMA, currency_known},
    {{"observed", "values", QUALITY_REJECT},         OF(OBSERVATION),             FAIL_BAD_SCHEMA, observed      },
    {{"unit", "value", QUALITY_REJECT},              OF(OBSERVATION),             FAIL_BAD_SCHEMA, unit          },
    {{"value_range", "value", QUALITY_REJECT},       OF(OBSERVATION),             FAIL_BAD_SCHEMA, value_range   },
    {{"finite", "price", QUALITY_REJECT},            OF(QUOTE),                   FAIL_BAD_SCHEMA, is_finite     },
    {{"positive", "price", QUALITY_REJECT},          OF(QUOTE),                   FAIL_BAD_SCHEMA, positive      },
    {{"future", "ts", QUALITY_REJECT},               OF(QUOTE) | OF(OBSERVATION), FAIL_BAD_SCHEMA, future        },
    {{"currency", "currency", QUALITY_REJECT},       OF(QUOTE),                   FAIL_BAD_SCHEMA, currency      },
    {{"older", "ts", QUALITY_REJECT},                OF(QUOTE) | OF(OBSERVATION), FAIL_OLDER,      older         },
    {{"range", "price", QUALITY_REJECT},             OF(QUOTE),                   FAIL_BAD_SCHEMA, range         },
    {{"factor_100", "price", QUALITY_REJECT},        OF(QUOTE),                   FAIL_BAD_SCHEMA, factor_100    },
    {{"inverse", "price", QUALITY_REJECT},           OF(QUOTE),                   FAIL_BAD_SCHEMA, inverse       },
    {{"jump", "price", QUALITY_REJECT},              OF(QUOTE),                   FAIL_BAD_SCHEMA, jump          },
    {{"crossed", "bid, ask", QUALITY_DROP},          OF(QUOTE),                   FAIL_NONE,       crossed       },
    {{"ohlc", "open, high, low", QUALITY_DROP},      OF(QUOTE),                   FAIL_NONE,       ohlc          },
};

size_t quality_rules(void)
{
    return ARRAY_LEN(rules);
}

struct quality_rule quality_rule_at(size_t number)
{
    return rules[number].rule;
}

struct quality_result quality_check(const struct instrument *in, struct quality_memory *m,
                                    int source_index, struct record *rec, int64_t now_ms)
{
    struct quality_result result = {0};
    struct check c = {.in = in,
                      .m = m,
                      .source_index = source_index,
                      .rec = rec,
                      .now_ms = now_ms,
                      .why = &result.why};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        enum outcome outcome = rules[i].kinds & 1U << in->kind ? rules[i].ask(&c) : NOT_ASKED;
        result.passed |= outcome == PASSED ? UINT32_C(1) << i : 0;
        result.failed |= outcome == FAILED ? UINT32_C(1) << i : 0;
        if (outcome != FAILED || rules[i].rule.severity == QUALITY_DROP)
            continue;
        result.failure = rules[i].failure;
        result.rule = rules[i].rule.name;
        return result;
    }
    return result;
}

void quality_accept(struct quality_memory *m, struct decimal price, int64_t ts_ms)
{
    int confirmed = 0;
    if (decimal_positive(m->held_price) && decimal_positive(price)) {
        double r = ratio(price, m->held_price);
        confirmed = r < SAME_UNIT && r > 1 / SAME_UNIT ? m->confirmed : 0;
    }
    *m = (struct quality_memory){
        .held = true, .held_price = price, .held_ts_ms = ts_ms, .confirmed = confirmed};
}

void quality_clock_set(struct quality_memory *m, int64_t wall_ms)
{
    if (m->held_ts_ms > wall_ms + ITEM_AHEAD_MAX_MS)
        m->held_ts_ms = 0;
}

void quality_confirm(struct quality_memory *m)
{
    if (m->confirmed < CONFIRMED_POLLS)
        m->confirmed++;
}

void quality_accept_benchmark(struct quality_memory *m, int64_t ts_ms)
{
    quality_accept(m, (struct decimal){0}, ts_ms);
}
