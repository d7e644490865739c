/* What is believed, and what not.
 *
 *   text      thoughts (<think>...</think>) and a fence around it (```json) are taken off; what is
 *             left must be the object alone
 *   figures   only numbers, only inside the bounds of what can be, and only together with the crop
 *             year that they are for and a day not in the future nor two years back: a figure of
 *             no year is none. An implausible one is left out, the others stay
 *   together  production, area and yield follow from each other. Where all three are there and do
 *             not fit, one of them is wrong, and nobody knows which: all three go
 *   words     marks of citations ([1]) are taken out, then as words.h has it
 *
 * A report without any figure may still have an outlook; one with neither is no data. */
#include "report.h"

#include <string.h>

#include "jsonx.h"
#include "words.h"

enum { OUTLOOK_MAX = 1000 }; /* bytes; the day they are of has room behind them */

static const int64_t DAY_MS = 86400000;
static const int64_t OLD_DAYS = 730;
static const double FIT = 1.5; /* so far may what follows from the others be off */

enum { PRODUCTION, AREA, YIELD, PROGRESS, CHANGE, FIGURES };

/* Bounds of production are those of the topic. */
static const struct {
    const char *name, *unit;
    double min, max;
} figures[FIGURES] = {
    [PRODUCTION] = {"production_t",          "t",     0,   0      },
    [AREA] = {"area_ha",               "ha",    100, 4000000},
    [YIELD] = {"yield_kg_ha",           "kg/ha", 50,  6000   },
    [PROGRESS] = {"harvest_progress_pct",  "%",     0,   100    },
    [CHANGE] = {"production_change_pct", "%",     -90, 200    },
};

/* Figures are optional: asked for as required, they would be made up. */
static const char HARVEST_SCHEMA[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"production_t\":{\"type\":\"number\",\"description\":\"green coffee, metric tonnes, in the "
    "crop year\"},"
    "\"area_ha\":{\"type\":\"number\",\"description\":\"harvested area, hectares\"},"
    "\"yield_kg_ha\":{\"type\":\"number\",\"description\":\"kilograms a hectare\"},"
    "\"harvest_progress_pct\":{\"type\":\"number\",\"description\":\"share of the harvest that is "
    "done, 0 to 100\"},"
    "\"production_change_pct\":{\"type\":\"number\",\"description\":\"change of production on the "
    "crop year before, percent\"},"
    "\"period\":{\"type\":\"string\",\"description\":\"the crop year that all figures are for, as "
    "2026 or 2025/26\"},"
    "\"as_of\":{\"type\":\"string\",\"description\":\"the day of the newest source used, as "
    "YYYY-MM-DD\"},"
    "\"outlook\":{\"type\":\"string\",\"description\":\"at most four sentences\"}},"
    "\"required\":[\"period\",\"as_of\",\"outlook\"]}";

static const char NEWS_SCHEMA[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"as_of\":{\"type\":\"string\",\"description\":\"the day of the newest source used, as "
    "YYYY-MM-DD\"},"
    "\"outlook\":{\"type\":\"string\",\"description\":\"at most five sentences\"}},"
    "\"required\":[\"as_of\",\"outlook\"]}";

const char *report_schema(const struct topic *topic)
{
    return topic->kind == TOPIC_NEWS ? NEWS_SCHEMA : HARVEST_SCHEMA;
}

/* ---- the object in the text ---- */

struct span {
    const char *p;
    size_t len;
};

static struct span trim(struct span s)
{
    static const char space[] = " \t\r\n";
    while (s.len > 0 && s.p[0] && strchr(space, s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && s.p[s.len - 1] && strchr(space, s.p[s.len - 1]))
        s.len--;
    return s;
}

static bool begins(struct span s, const char *with)
{
    return s.len >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

/* What stands behind the last of the thoughts; empty when they do not end. */
static struct span without_thoughts(struct span s)
{
    static const char end[] = "</think>";
    const char *behind = NULL;
    if (!begins(s, "<think>"))
        return s;
    for (const char *p = s.p; (p = memmem(p, (size_t)(s.p + s.len - p), end, sizeof end - 1));)
        behind = p += sizeof end - 1;
    if (!behind)
        return (struct span){s.p, 0};
    return trim((struct span){behind, (size_t)(s.p + s.len - behind)});
}

/* ```json, a line end, the object, ``` */
static struct span without_fence(struct span s)
{
    const char *eol = begins(s, "```") ? memchr(s.p, '\n', s.len) : NULL;
    if (!eol)
        return s;
    s = trim((struct span){eol, (size_t)(s.p + s.len - eol)});
    if (s.len >= 3 && memcmp(s.p + s.len - 3, "```", 3) == 0)
        s.len -= 3;
    return trim(s);
}

/* ---- what is in it ---- */

static const char *text_of(const json_t *root, const char *name)
{
    const char *text = jsonx_string(root, name);
    return text ? text : "";
}

/* "2026", "2025/26", "2025-2026": begins with a year about now. */
static bool is_period(const char *text, int64_t now_ms)
{
    size_t digits = strspn(text, "0123456789"), more = 0;
    int64_t year_now = 1970 + now_ms / (DAY_MS * 146097 / 400);
    int64_t year = strtol(text, NULL, 10);
    if (digits != 4 || year < year_now - 3 || year > year_now + 1)
        return false;
    if (text[4] == '\0')
        return true;
    if (text[4] != '/' && text[4] != '-')
        return false;
    more = strspn(text + 5, "0123456789");
    int64_t to = strtol(text + 5, NULL, 10);
    return text[5 + more] == '\0' &&
           ((more == 2 && to == (year + 1) % 100) || (more == 4 && to == year + 1));
}

static bool is_recent(const char *as_of, int64_t now_ms)
{
    int64_t ms = strlen(as_of) == 10 ? parse_utc_text(as_of) : 0;
    return ms > 0 && ms <= now_ms + DAY_MS && ms >= now_ms - OLD_DAYS * DAY_MS;
}

/* The figure i, when there is one that can be. */
static bool read_figure(const json_t *root, size_t i, const struct topic *topic,
                        struct decimal *out)
{
    const json_t *v = json_object_get(root, figures[i].name);
    double x = json_number_value(v);
    double min = i == PRODUCTION ? topic->min_t : figures[i].min;
    double max = i == PRODUCTION ? topic->max_t : figures[i].max;
    return json_is_number(v) && x >= min && x <= max && parse_decimal(v, out);
}

static bool fit(const struct decimal *d)
{
    if (!d[PRODUCTION].given || !d[AREA].given || !d[YIELD].given)
        return true;
    double follows = 1000 * decimal_to_double(d[PRODUCTION]) / decimal_to_double(d[AREA]);
    double ratio = follows / decimal_to_double(d[YIELD]);
    return ratio <= FIT && ratio >= 1 / FIT;
}

static void read_figures(const json_t *root, const struct topic *topic, struct observation *o)
{
    struct decimal d[FIGURES] = {{0}};
    for (size_t i = 0; i < FIGURES; i++)
        if (!read_figure(root, i, topic, &d[i]))
            d[i] = (struct decimal){0};
    if (!fit(d))
        d[PRODUCTION] = d[AREA] = d[YIELD] = (struct decimal){0};
    for (size_t i = 0; i < FIGURES; i++) {
        if (!d[i].given)
            continue;
        struct observed *v = &o->values[o->values_len++];
        snprintf(v->name, sizeof v->name, "%s", figures[i].name);
        snprintf(v->unit, sizeof v->unit, "%s", figures[i].unit);
        v->value = d[i];
    }
}

/* Length of a mark like [1] or [12] at p; 0 = there is none. */
static size_t mark_len(const char *p)
{
    size_t digits = p[0] == '[' ? strspn(p + 1, "0123456789") : 0;
    return digits >= 1 && digits <= 3 && p[1 + digits] == ']' ? digits + 2 : 0;
}

/* -1: out of memory. */
static int add_words(const char *outlook, const char *as_of, struct observation *o)
{
    struct buf plain = {0};
    char words[OUTLOOK_MAX + 1];
    for (const char *p = outlook; *p;) {
        size_t mark = mark_len(p);
        if (mark == 0)
            buf_addc(&plain, *p);
        p += mark ? mark : 1;
    }
    if (plain.failed) {
        buf_fini(&plain);
        return -1;
    }
    (void)words_copy(words, sizeof words, plain.p ? plain.p : "", plain.len);
    buf_fini(&plain);
    if (words[0])
        snprintf(o->text, sizeof o->text, "%s%s%s%s", words, *as_of ? " (as of " : "", as_of,
                 *as_of ? ")" : "");
    return 0;
}

bool report_read(const char *text, size_t len, const struct topic *topic, int64_t now_ms,
                 struct observation *out, struct answer *why)
{
    struct span s = without_fence(without_thoughts(trim((struct span){text, len})));
    json_t *root = begins(s, "{") ? jsonx_parse(s.p, s.len, PARSE_BODY_MAX, NULL) : NULL;
    const char *as_of = text_of(root, "as_of"), *period = text_of(root, "period");
    if (!root) {
        parse_fail(why, FAIL_BAD_SCHEMA, "the report is not the object that was asked for");
        return false;
    }
    if (!is_recent(as_of, now_ms))
        as_of = "";
    if (*as_of && topic->kind != TOPIC_NEWS && is_period(period, now_ms)) {
        read_figures(root, topic, out);
        if (out->values_len > 0)
            snprintf(out->period, sizeof out->period, "%s", period);
    }
    int rc = add_words(text_of(root, "outlook"), as_of, out);
    json_decref(root);
    if (rc != 0)
        parse_fail(why, FAIL_UPSTREAM_ERROR, "out of memory");
    else if (out->values_len == 0 && !out->text[0])
        parse_fail(why, FAIL_NO_DATA, "nothing in the report can be used");
    return why->failure == FAIL_NONE;
}
