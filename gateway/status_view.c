/* One table per question: what is the data like, which prices are held back, what has run and will
 * run, whom do we ask. "Now" is the gateway's own (the `timestamp` of its status), so that ages are
 * right where our clock is not. A table with nothing in it does not appear. */
#include "status_view.h"

#include <stdio.h>
#include <string.h>

#include "jsonx.h"
#include "provider.h"
#include "show.h"

struct view {
    const struct status_docs *docs;
    const struct table_style *style;
    struct buf *out;
    int64_t now_ms;
};

/* --- small things --- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *s = jsonx_string(object, name);
    return s ? s : "-";
}

/* Whole numbers of any kind. */
static const char *count_of(const json_t *object, const char *name, char out[static 32])
{
    const json_t *n = json_object_get(object, name);
    snprintf(out, 32, json_is_number(n) ? "%.0f" : "-", json_number_value(n));
    return out;
}

/* "12 s": from then to now. */
static const char *since(const struct view *v, const char *rfc3339, char out[static SHOW_AGE_MAX])
{
    int64_t then_ms = rfc3339 ? parse_rfc3339(rfc3339) : 0;
    if (then_ms == 0)
        return "-";
    return show_age(v->now_ms - then_ms, out);
}

/* "in 12 s": from now to then; "now" when it is over. */
static const char *until(const struct view *v, const char *rfc3339,
                         char out[static SHOW_AGE_MAX + 4])
{
    char span[SHOW_AGE_MAX];
    int64_t then_ms = rfc3339 ? parse_rfc3339(rfc3339) : 0;
    if (then_ms == 0)
        return "-";
    if (then_ms <= v->now_ms)
        return "now";
    snprintf(out, SHOW_AGE_MAX + 4, "in %s", show_age(then_ms - v->now_ms, span));
    return out;
}

static const struct word {
    const char *word;
    enum tint tint;
} words[] = {
    {"closed",      TINT_NONE}, /* a breaker, or a market */
    {"degraded",    TINT_WARN},
    {"delayed",     TINT_WARN},
    {"disabled",    TINT_DIM },
    {"failed",      TINT_BAD },
    {"fresh",       TINT_GOOD},
    {"half_open",   TINT_WARN},
    {"healthy",     TINT_GOOD},
    {"live",        TINT_GOOD},
    {"missing",     TINT_BAD },
    {"open",        TINT_BAD }, /* a breaker */
    {"partial",     TINT_WARN},
    {"stale",       TINT_BAD },
    {"success",     TINT_GOOD},
    {"unavailable", TINT_BAD },
    {"unhealthy",   TINT_BAD },
};

static enum tint tint_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].tint;
    return TINT_NONE;
}

static void add_word(struct table *t, const char *word)
{
    table_add(t, tint_of(word), word);
}

/* FRESH, STALE, MISSING. */
static void add_loud(struct table *t, const char *word)
{
    char loud[32];
    size_t i = 0;
    for (; i < sizeof loud - 1 && word[i]; i++)
        loud[i] = (char)(word[i] >= 'a' && word[i] <= 'z' ? word[i] - 'a' + 'A' : word[i]);
    loud[i] = '\0';
    table_add(t, tint_of(word), loud);
}

static void finish(struct view *v, struct table *t)
{
    if (t->len > t->columns)
        buf_addc(v->out, '\n');
    table_render(t, v->style, v->out);
    table_fini(t);
}

/* --- items --- */

/* The item of a symbol: its object, and its text for the digits. */
struct found {
    const json_t *object; /* NULL = none */
    struct jsonx_member text;
};

static struct found look_in(const json_t *root, const char *text, const char *symbol)
{
    struct found f = {0};
    struct jsonx_member members[16];
    const json_t *data = json_object_get(root, "data");
    int n = text ? jsonx_members(text, strlen(text), members, ARRAY_LEN(members)) : 0;
    for (int i = 0; i < n; i++) {
        const char *p = NULL;
        size_t k = 0;
        if (!jsonx_member_is(&members[i], "data"))
            continue;
        while (jsonx_next_element(members[i].value, members[i].value_len, &p, &f.text)) {
            f.object = json_array_get(data, k++);
            if (strcmp(text_of(f.object, "symbol"), symbol) == 0)
                return f;
        }
    }
    return (struct found){0};
}

static struct found item_of(const struct view *v, const char *symbol)
{
    const struct status_docs *d = v->docs;
    struct found f = look_in(d->quotes, d->quotes_text, symbol);
    return f.object ? f : look_in(d->observations, d->observations_text, symbol);
}

static void add_item(struct table *t, const struct found *f)
{
    struct buf value = {0};
    if (f->object)
        show_value(&value, f->text.value, f->text.value_len);
    table_add(t, TINT_NONE, value.p ? value.p : "-");
    buf_fini(&value);
    add_word(t, text_of(f->object, "state"));
    if (json_is_true(json_object_get(f->object, "fallback")))
        table_addf(t, TINT_WARN, "%s (fallback)", text_of(f->object, "source"));
    else
        table_add(t, TINT_NONE, text_of(f->object, "source"));
}

static void instruments(struct view *v)
{
    static const char *const heads[] = {"SYMBOL", "STATUS", "AGE",      "VALUE",
                                        "STATE",  "SOURCE", "NEXT RUN", "CATEGORY"};
    const char *category, *symbol;
    json_t *rows, *row;
    struct table t;
    table_init(&t, heads, ARRAY_LEN(heads));
    json_object_foreach(json_object_get(v->docs->status, "categories"), category, rows)
    {
        json_object_foreach(rows, symbol, row)
        {
            char age[SHOW_AGE_MAX], next[SHOW_AGE_MAX + 4];
            struct found f = item_of(v, symbol);
            table_add(&t, TINT_NONE, symbol);
            add_loud(&t, text_of(row, "status"));
            table_add(&t, TINT_NONE, since(v, jsonx_string(row, "last_updated"), age));
            add_item(&t, &f);
            table_add(&t, TINT_NONE, until(v, jsonx_string(row, "next_run"), next));
            table_add(&t, TINT_DIM, category);
        }
    }
    finish(v, &t);
}

static void suspects(struct view *v)
{
    static const char *const heads[] = {"SUSPECT", "VALUE", "SOURCE", "RULE", "FOR", "WHY"};
    const char *category, *symbol;
    json_t *rows, *row;
    struct table t;
    table_init(&t, heads, ARRAY_LEN(heads));
    json_object_foreach(json_object_get(v->docs->status, "categories"), category, rows)
    {
        json_object_foreach(rows, symbol, row)
        {
            const json_t *s = json_object_get(row, "suspect");
            char age[SHOW_AGE_MAX];
            if (!json_is_object(s))
                continue;
            table_add(&t, TINT_NONE, symbol);
            table_add(&t, TINT_BAD, text_of(s, jsonx_string(s, "price") ? "price" : "value"));
            table_add(&t, TINT_NONE, text_of(s, "source"));
            table_add(&t, TINT_NONE, text_of(s, "rule"));
            table_add(&t, TINT_NONE, since(v, jsonx_string(s, "since"), age));
            table_add(&t, TINT_NONE, text_of(s, "why"));
        }
    }
    finish(v, &t);
}

/* --- jobs --- */

/* The newest run of a job; they are listed newest first. */
static const json_t *last_run(const struct view *v, const char *job)
{
    size_t i;
    json_t *run;
    json_array_foreach(json_object_get(v->docs->jobs, "jobs"), i, run)
    {
        if (strcmp(text_of(run, "job"), job) == 0)
            return run;
    }
    return NULL;
}

static bool is_running(const struct view *v, const char *job)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(v->docs->jobs, "running"), i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), job) == 0)
            return true;
    }
    return false;
}

static void add_job(struct view *v, struct table *t, const char *job, const json_t *next)
{
    const json_t *run = last_run(v, job);
    char age[SHOW_AGE_MAX], next_text[SHOW_AGE_MAX + 4], took[SHOW_AGE_MAX], counts[3][32];
    const json_t *took_ms = json_object_get(run, "duration_ms");
    table_add(t, TINT_NONE, job);
    if (is_running(v, job))
        table_add(t, TINT_GOOD, "running");
    else
        table_add(t, TINT_NONE, since(v, jsonx_string(run, "started"), age));
    add_word(t, text_of(run, "status"));
    table_add(t, json_is_true(json_object_get(run, "overran")) ? TINT_WARN : TINT_NONE,
              run ? show_age((int64_t)json_number_value(took_ms), took) : "-");
    table_add(t, TINT_NONE, count_of(run, "updated", counts[0]));
    table_add(t, TINT_NONE, count_of(run, "unchanged", counts[1]));
    table_add(t, TINT_NONE, count_of(run, "failed", counts[2]));
    table_add(t, TINT_NONE, until(v, json_string_value(next), next_text));
}

static void jobs(struct view *v)
{
    static const char *const heads[] = {"JOB",     "LAST RUN",  "RESULT", "TOOK",
                                        "UPDATED", "UNCHANGED", "FAILED", "NEXT RUN"};
    const char *job;
    json_t *next;
    struct table t;
    table_init(&t, heads, ARRAY_LEN(heads));
    json_object_foreach(json_object_get(v->docs->jobs, "next"), job, next)
    {
        if (json_is_string(next) || last_run(v, job) || is_running(v, job))
            add_job(v, &t, job, next);
    }
    finish(v, &t);
}

/* --- providers --- */

static void add_reliability(struct table *t, const json_t *row)
{
    const json_t *share = json_object_get(row, "reliability");
    double percent = json_number_value(share) * 100;
    if (!json_is_number(share))
        table_add(t, TINT_NONE, "-");
    else
        table_addf(t, percent < 90 ? TINT_WARN : TINT_NONE, "%.1f %%", percent);
}

/* Of one that is asked, its own words; they say more than "rate_limited". */
static const char *trouble_of(const json_t *row, bool off)
{
    const char *reason = jsonx_string(row, "reason"), *error = jsonx_string(row, "last_error");
    if (!off && error && reason)
        return error;
    return reason ? reason : "";
}

static void add_provider(struct view *v, struct table *t, const char *name, const json_t *row)
{
    char failures[32], credits[32], age[SHOW_AGE_MAX], retry[SHOW_AGE_MAX + 4];
    const char *state = text_of(row, "state");
    bool off = strcmp(state, "disabled") == 0;
    table_add(t, off ? TINT_DIM : TINT_NONE, name);
    if (json_is_true(json_object_get(row, "suspended")))
        table_add(t, TINT_BAD, "suspended");
    else
        add_word(t, state);
    table_add(t, TINT_NONE, count_of(row, "failures", failures));
    table_add(t, TINT_NONE, count_of(row, "credits_left", credits));
    add_reliability(t, row);
    table_add(t, TINT_NONE, since(v, jsonx_string(row, "last_success"), age));
    table_add(t, TINT_NONE, until(v, jsonx_string(row, "retry_at"), retry));
    table_add(t, off ? TINT_DIM : TINT_NONE, trouble_of(row, off));
}

/* Those of some instrument's chain, as they are asked first, then those that are off; the others in
 * a line of their own. */
static void providers_table(struct view *v)
{
    static const char *const heads[] = {"PROVIDER",    "BREAKER",      "FAILURES", "CREDITS",
                                        "RELIABILITY", "LAST SUCCESS", "RETRY",    "TROUBLE"};
    const char *name;
    json_t *row;
    struct buf others = {0};
    struct table t;
    table_init(&t, heads, ARRAY_LEN(heads));
    for (int off = 0; off < 2; off++)
        json_object_foreach(json_object_get(v->docs->sources, "sources"), name, row)
        {
            if ((strcmp(text_of(row, "state"), "disabled") == 0) != off)
                continue;
            if (json_is_false(json_object_get(row, "in_use")))
                buf_addf(&others, "%s%s", others.len > 0 ? ", " : "In no chain: ", name);
            else
                add_provider(v, &t, name, row);
        }
    finish(v, &t);
    if (others.len > 0 && !others.failed)
        table_line(v->out, v->style, TINT_DIM, others.p);
    buf_fini(&others);
}

static void headline(struct view *v, const char *url)
{
    struct buf line = {0};
    const char *overall = text_of(v->docs->status, "overall_status");
    buf_addf(&line, "%s at %s: %s", url, text_of(v->docs->status, "timestamp"), overall);
    table_line(v->out, v->style, tint_of(overall), line.failed ? "" : line.p);
    buf_fini(&line);
}

/* Prices go on without Redis, so nothing else here would show it. */
static void bus_line(struct view *v)
{
    size_t i;
    json_t *part;
    json_array_foreach(json_object_get(v->docs->ready, "degraded"), i, part)
    {
        if (json_is_string(part) && strcmp(json_string_value(part), "bus") == 0)
            table_line(v->out, v->style, TINT_BAD,
                       "Redis cannot be used; the log says why (bus_down, bus_refused)");
    }
}

void status_view(const struct status_docs *d, const char *url, const struct table_style *style,
                 struct buf *out)
{
    const char *now = jsonx_string(d->status, "timestamp");
    struct view v = {.docs = d, .style = style, .out = out};
    v.now_ms = now ? parse_rfc3339(now) : 0;
    headline(&v, url);
    bus_line(&v);
    instruments(&v);
    suspects(&v);
    jobs(&v);
    providers_table(&v);
}
