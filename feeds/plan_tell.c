/* plan_tell.c - a plan in sentences. */
#include <string.h>

#include "plan.h"
#include "provider.h"

struct teller {
    const struct plan *plan;
    void (*line)(void *ctx, enum plan_line kind, const char *sentence);
    void *ctx;
    struct buf text; /* the sentence that is being made */
    bool failed;
};

/* One decimal, and none where it is 0. */
static void one_decimal(double x, char out[static PLAN_SPAN_MAX])
{
    int len = snprintf(out, PLAN_SPAN_MAX, "%.1f", x);
    if (len > 2 && strcmp(out + len - 2, ".0") == 0)
        out[len - 2] = '\0';
}

const char *plan_span(int64_t ms, char out[static PLAN_SPAN_MAX])
{
    static const struct {
        const char *unit;
        int64_t ms, below_ms;
    } units[] = {
        {"ms",   1,        1000     },
        {"s",    1000,     120000   },
        {"min",  60000,    7200000  },
        {"h",    3600000,  172800000},
        {"days", 86400000, INT64_MAX},
    };
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(units) &&
           (ms >= units[i].below_ms || (i < 3 && ms % units[i + 1].ms == 0)))
        i++;
    one_decimal((double)ms / (double)units[i].ms, out);
    size_t len = strlen(out);
    snprintf(out + len, PLAN_SPAN_MAX - len, " %s", units[i].unit);
    return out;
}

const char *plan_spans(int64_t min_ms, int64_t max_ms, char out[static PLAN_SPAN_MAX])
{
    char max[PLAN_SPAN_MAX];
    plan_span(min_ms, out);
    if (strcmp(plan_span(max_ms, max), out) != 0) {
        size_t len = strlen(out);
        snprintf(out + len, PLAN_SPAN_MAX - len, " to %s", max);
    }
    return out;
}

const char *plan_number(double x, char out[static PLAN_SPAN_MAX])
{
    char digits[PLAN_SPAN_MAX];
    size_t len = (size_t)snprintf(digits, sizeof digits / 2, "%.0f", x), at = 0;
    if (len >= sizeof digits / 2)
        len = sizeof digits / 2 - 1;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static void end_sentence(struct teller *t, enum plan_line kind)
{
    t->failed |= t->text.failed;
    if (!t->text.failed && t->text.len > 0)
        t->line(t->ctx, kind, t->text.p);
    buf_clear(&t->text);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static const double PER_DAY[] = {[BUDGET_SECOND] = 86400,
                                 [BUDGET_MINUTE] = PLAN_DAY_MINUTES,
                                 [BUDGET_HOUR] = 24,
                                 [BUDGET_DAY] = 1};

/* Credits that polls may spend a day, as far as this window allows. */
static double allows(const struct plan_provider *p, enum budget_window w)
{
    int64_t kept = w == BUDGET_DAY ? p->reserve : 0;
    return (double)(p->limits[w] - kept) * PER_DAY[w];
}

/* The one that holds it back; the minute where none does. */
static enum budget_window tightest(const struct plan_provider *p)
{
    enum budget_window found = BUDGET_MINUTE;
    for (int w = 0; w < BUDGET_WINDOWS; w++)
        if (p->limits[w] > 0 &&
            (p->limits[found] == 0 || allows(p, (enum budget_window)w) < allows(p, found)))
            found = (enum budget_window)w;
    return found;
}

/* "30 credits a minute", of a day's credits. */
static void add_need(struct buf *b, const struct plan_provider *p, double credits_per_day)
{
    enum budget_window w = tightest(p);
    double credits = credits_per_day / PER_DAY[w];
    char number[PLAN_SPAN_MAX];
    if (w >= BUDGET_HOUR)
        plan_number(credits, number);
    else
        one_decimal(credits, number);
    buf_addf(b, "%s credit%s a%s %s", number, strcmp(number, "1") == 0 ? "" : "s",
             w == BUDGET_HOUR ? "n" : "", budget_window_name(w));
}

static void add_have(struct buf *b, const struct plan_provider *p)
{
    char number[PLAN_SPAN_MAX];
    enum budget_window w = tightest(p);
    buf_addf(b, "it has %s", plan_number((double)p->limits[w], number));
    if (w == BUDGET_DAY)
        buf_addf(b, " (%s kept for refreshes)", plan_number((double)p->reserve, number));
}

static void tell_stretched(struct teller *t, size_t id)
{
    const struct plan_provider *p = &t->plan->providers[id];
    char span[PLAN_SPAN_MAX];
    if (p->stretched == 0)
        return;
    buf_addf(&t->text, "%s: %zu instrument%s at %s would need ", providers[id]->rule.name,
             p->instruments, plural(p->instruments),
             plan_spans(p->poll_min_ms, p->poll_max_ms, span));
    add_need(&t->text, p, p->wanted.credits_per_day);
    buf_adds(&t->text, ", ");
    add_have(&t->text, p);
    plan_spans(p->stretched_min_ms, p->stretched_max_ms, span);
    if (p->stretched < p->instruments)
        buf_addf(&t->text, ": %zu of them asked every %s", p->stretched, span);
    else
        buf_addf(&t->text, ": asked every %s%s", span, p->instruments > 1 ? " each" : "");
    end_sentence(t, PLAN_GIVES);
}

/* A table's pace is made for one request at a time. What does not fit into that one costs more. */
static void tell_over(struct teller *t, size_t id)
{
    const struct plan_provider *p = &t->plan->providers[id];
    enum budget_window w = tightest(p);
    double credits = p->planned.credits_per_day;
    if (p->limits[w] == 0 || credits <= allows(p, w) + 0.5)
        return;
    buf_addf(&t->text, "%s: its instruments do not share one request: they still need ",
             providers[id]->rule.name);
    add_need(&t->text, p, credits);
    buf_adds(&t->text, ", ");
    add_have(&t->text, p);
    if (p->interval_min_ms < p->interval_max_ms)
        buf_adds(&t->text, ": give them the same poll_ms");
    else
        buf_addf(&t->text, ": one is for %zu instruments at most", providers[id]->batch_max);
    end_sentence(t, PLAN_GIVES);
}

/* Of the instruments that have `off` in their chain: how many lean on `other` that stands behind
 * it; other -1: how many lean on one before it. */
static size_t leaning(const struct plan *p, int off, int other)
{
    size_t n = 0;
    for (size_t i = 0; i < p->config->instruments_len; i++) {
        const struct instrument *in = &p->config->instruments[i];
        int provider = p->instruments[i].provider;
        bool passed = false;
        for (size_t k = 0; provider >= 0 && k < in->sources_len; k++) {
            passed |= in->sources[k].provider_id == provider;
            if (in->sources[k].provider_id != off)
                continue;
            n += other < 0 ? passed : !passed && provider == other;
            break;
        }
    }
    return n;
}

/* One that is not enabled is so for want of a key, or by decision; one that is should be asked. */
static void tell_off(struct teller *t, int id)
{
    const struct plan *p = t->plan;
    const char *sep = ": ";
    buf_addf(&t->text, "%s is not polled, %s", providers[id]->rule.name, p->providers[id].off);
    for (size_t other = 0; other < p->config->providers_len; other++) {
        size_t n = leaning(p, id, (int)other);
        if (n == 0)
            continue;
        buf_addf(&t->text, "%s%zu instrument%s fall%s to %s", sep, n, plural(n), n == 1 ? "s" : "",
                 providers[other]->rule.name);
        sep = ", ";
    }
    size_t n = leaning(p, id, -1);
    if (n > 0)
        buf_addf(&t->text, "%s%zu ha%s one fallback less", sep, n, n == 1 ? "s" : "ve");
    end_sentence(t, p->config->providers[id].enabled ? PLAN_GIVES : PLAN_NOTE);
}

int plan_tell(const struct plan *p,
              void (*line)(void *ctx, enum plan_line kind, const char *sentence), void *ctx)
{
    struct teller t = {.plan = p, .line = line, .ctx = ctx};
    const struct config *c = p->config;
    for (size_t i = 0; i < c->providers_len; i++)
        if (p->providers[i].in_use && p->providers[i].off)
            tell_off(&t, (int)i);
    for (size_t i = 0; i < c->providers_len; i++) {
        tell_stretched(&t, i);
        tell_over(&t, i);
    }
    for (size_t i = 0; i < c->instruments_len; i++) {
        if (p->instruments[i].provider >= 0 || c->instruments[i].sources_len == 0)
            continue;
        buf_addf(&t.text, "%s: none of its sources may be asked: never polled",
                 c->instruments[i].symbol);
        end_sentence(&t, PLAN_GIVES);
    }
    buf_fini(&t.text);
    return t.failed ? -1 : 0;
}
