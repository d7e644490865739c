/* quality.c - the rules a record passes before it becomes a price of ours.
 *
 * A missing price is an annoyance, a wrong one is a catastrophe; when in doubt the record is held
 * back and the last good price stays. The rules are a table, in the order in which they are asked:
 * each assumes that those above it hold (the jump is computed from a positive price in the right
 * currency).
 *
 * Jumps. Prices do jump, so a jump is doubted, not refused: it is remembered, and believed when
 * somebody else says the same, or the same source twice more. But unit bugs agree with themselves
 * for ever. So the source's own insistence has to lie inside the configured range; and where no
 * range is configured it is believed for a plain jump of less than a factor of 10 only, never for
 * a factor of 100 or an inversion, which no market makes but every mixed-up unit does.
 *
 * An inversion cannot be told from a small move when the price is about 1 (USD/CHF at 0.995 and
 * 1.004), so less than 1 % of change is none.
 *
 * Ratios are computed in floating point: they are plausibility, no output. */
#include <math.h>
#include <string.h>

#include "quality.h"

static const int64_t FUTURE_MS = 5000;    /* clocks differ */
static const double AGREE = 0.01;         /* prices within 1 % say the same */
static const double FACTOR_BELIEVED = 10; /* of a jump that one source alone insists on */
static const int POLLS_NEEDED = 2;        /* beyond the first that said so */

struct check {
    const struct instrument *in;
    struct quality_memory *m;
    int source_index;
    struct record *rec;
    int64_t now_ms;
    struct err *why;
    const char *jump_rule; /* which of the three rules of jumps it was */
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
static bool units_ok(struct check *c)
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
            return true;
    }
    if (units_major(r->currency, major, &places) != 0) {
        err_set(c->why, "unit \"%s\" is not known; prices in it cannot be read", r->currency);
        return false;
    }
    for (size_t i = 0; places > 0 && i < ARRAY_LEN(members); i++) {
        if (members[i]->given && decimal_shift_down(*members[i], places, members[i]) != 0) {
            err_set(c->why, "a price in %s has too many digits", r->currency);
            return false;
        }
    }
    snprintf(r->currency, sizeof r->currency, "%s", major);
    return true;
}

static bool positive_ok(struct check *c)
{
    char text[DECIMAL_TEXT_MAX];
    if (decimal_positive(c->rec->price))
        return true;
    text_of(c->rec->price, text);
    err_set(c->why, "the price is %s, not above 0", text);
    return false;
}

static bool future_ok(struct check *c)
{
    if (c->rec->ts_ms > 0 && c->rec->ts_ms <= c->now_ms + FUTURE_MS)
        return true;
    err_set(c->why, "its time is %lld ms ahead of ours", (long long)(c->rec->ts_ms - c->now_ms));
    return false;
}

static bool currency_ok(struct check *c)
{
    if (!c->in->currency || strcmp(c->in->currency, c->rec->currency) == 0)
        return true;
    err_set(c->why, "a price in %s, configured is %s", c->rec->currency, c->in->currency);
    return false;
}

static bool older_ok(struct check *c)
{
    if (!c->m->held || c->rec->ts_ms >= c->m->held_ts_ms)
        return true;
    err_set(c->why, "%lld ms older than the price we hold",
            (long long)(c->m->held_ts_ms - c->rec->ts_ms));
    return false;
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

static bool range_ok(struct check *c)
{
    char price[DECIMAL_TEXT_MAX], min[DECIMAL_TEXT_MAX], max[DECIMAL_TEXT_MAX];
    if (c->m->held || !has_range(c) || in_range(c))
        return true;
    text_of(c->rec->price, price);
    text_of(c->in->range_min, min);
    text_of(c->in->range_max, max);
    err_set(c->why, "%.40s is outside the range %.40s to %.40s", price, min, max);
    return false;
}

/* The rule of jumps that the price breaks, or NULL. */
static const char *jump_rule(const struct check *c)
{
    double r = ratio(c->rec->price, c->m->held_price);
    double product = decimal_to_double(c->rec->price) * decimal_to_double(c->m->held_price);
    if (about_one(r))
        return fabs(r - 1) * 100 > c->in->max_jump_pct ? "jump" : NULL;
    if (about_one(r / 100) || about_one(r * 100))
        return "factor_100";
    if (about_one(product))
        return "inverse";
    return fabs(r - 1) * 100 > c->in->max_jump_pct ? "jump" : NULL;
}

/* Somebody, or the same one often enough, says what was doubted. Remembers the doubt otherwise. */
static bool jump_agreed(struct check *c)
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
    if (has_range(c))
        return in_range(c);
    /* A unit bug that shows after the price has moved is no exact factor of 100 any more. */
    double r = ratio(c->rec->price, c->m->held_price);
    return strcmp(c->jump_rule, "jump") == 0 && r < FACTOR_BELIEVED && r > 1 / FACTOR_BELIEVED;
}

static bool jump_ok(struct check *c)
{
    char price[DECIMAL_TEXT_MAX], held[DECIMAL_TEXT_MAX];
    if (!c->m->held || !decimal_positive(c->m->held_price))
        return true;
    c->jump_rule = jump_rule(c);
    if (!c->jump_rule) {
        c->m->doubted = (struct decimal){0};
        return true;
    }
    if (jump_agreed(c))
        return true;
    text_of(c->rec->price, price);
    text_of(c->m->held_price, held);
    err_set(c->why, "%.40s against %.40s held (%s): waits until others agree", price, held,
            c->jump_rule);
    return false;
}

static const struct {
    const char *rule; /* NULL: jump_ok() says which */
    enum failure failure;
    bool (*ok)(struct check *c);
} rules[] = {
    {"currency", FAIL_BAD_SCHEMA, units_ok   },
    {"positive", FAIL_BAD_SCHEMA, positive_ok},
    {"future",   FAIL_BAD_SCHEMA, future_ok  },
    {"currency", FAIL_BAD_SCHEMA, currency_ok},
    {"older",    FAIL_OLDER,      older_ok   },
    {"range",    FAIL_BAD_SCHEMA, range_ok   },
    {NULL,       FAIL_BAD_SCHEMA, jump_ok    },
};

/* A bid above the ask is no market: neither can be trusted, the price itself can. */
static void drop_crossed(struct record *r)
{
    if (r->bid.given && r->ask.given && decimal_cmp(r->bid, r->ask) > 0)
        r->bid = r->ask = (struct decimal){0};
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
        if (rules[i].ok(&c))
            continue;
        result.failure = rules[i].failure;
        result.rule = rules[i].rule ? rules[i].rule : c.jump_rule;
        return result;
    }
    drop_crossed(rec);
    return result;
}

void quality_accept(struct quality_memory *m, struct decimal price, int64_t ts_ms)
{
    *m = (struct quality_memory){.held = true, .held_price = price, .held_ts_ms = ts_ms};
}
