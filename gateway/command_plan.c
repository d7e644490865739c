/* command_plan.c - what polling will cost, before it does. Asks nobody and opens nothing but the
 * configuration. Exit 1 when the limits do not allow what is configured. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "jsonx.h"
#include "plan.h"
#include "settings.h"

/* What plan_tell() said. */
struct told {
    json_t *notes, *gives; /* arrays of strings */
    bool failed;
};

static void hear(void *ctx, enum plan_line kind, const char *sentence)
{
    struct told *t = ctx;
    if (json_array_append_new(kind == PLAN_GIVES ? t->gives : t->notes, json_string(sentence)) != 0)
        t->failed = true;
}

/* --- for people --- */

/* "8/min 800/day", or "-". */
static const char *limits_text(const struct plan_provider *p, char out[static PLAN_SPAN_MAX])
{
    static const char *const units[] = {"/s", "/min", "/h", "/day"};
    char number[PLAN_SPAN_MAX];
    size_t len = 0;
    snprintf(out, PLAN_SPAN_MAX, "-");
    for (size_t w = 0; w < BUDGET_WINDOWS && len < PLAN_SPAN_MAX; w++)
        if (p->limits[w] > 0)
            len += (size_t)snprintf(out + len, PLAN_SPAN_MAX - len, "%s%s%s", len > 0 ? " " : "",
                                    plan_number((double)p->limits[w], number), units[w]);
    return out;
}

static void print_provider(const char *name, const struct plan_provider *p)
{
    char text[6][PLAN_SPAN_MAX];
    if (p->off) {
        printf("%-15s %s\n", name, p->off);
        return;
    }
    printf("%-15s %7zu %9.2f %9s %9.2f %9s %9s %9s  %-14s %-14s %s\n", name, p->instruments,
           p->planned.requests_per_day / PLAN_DAY_MINUTES,
           plan_number(p->planned.requests_per_day, text[0]),
           p->planned.credits_per_day / PLAN_DAY_MINUTES,
           plan_number(p->planned.credits_per_day / 24, text[5]),
           plan_number(p->planned.credits_per_day, text[1]),
           p->reserve > 0 ? plan_number((double)p->reserve, text[2]) : "-",
           p->instruments > 0 ? plan_spans(p->poll_min_ms, p->poll_max_ms, text[3]) : "-",
           p->instruments > 0 ? plan_spans(p->interval_min_ms, p->interval_max_ms, text[4]) : "-",
           limits_text(p, (char[PLAN_SPAN_MAX]){0}));
}

static void print_instrument(const struct config *c, size_t i, const struct plan_instrument *p)
{
    const struct instrument *in = &c->instruments[i];
    char poll[PLAN_SPAN_MAX], planned[PLAN_SPAN_MAX];
    if (in->sources_len == 0) {
        printf("%-20s fed by other programs\n", in->symbol);
        return;
    }
    printf("%-20s %-15s %-14s %s\n", in->symbol,
           p->provider < 0 ? "-" : c->providers[p->provider].name, plan_span(p->poll_ms, poll),
           p->provider < 0 ? "never" : plan_span(p->interval_ms, planned));
}

static void print_lines(const char *head, const json_t *lines)
{
    size_t i;
    json_t *line;
    if (json_array_size(lines) > 0)
        printf("\n%s\n", head);
    json_array_foreach(lines, i, line) printf("  %s\n", json_string_value(line));
}

static void print_text(const char *origin, const struct plan *p, const struct told *t)
{
    const struct config *c = p->config;
    char size[SETTINGS_SIZE_MAX];
    printf("%s: %s%s\n\n", origin, settings_size(c, size),
           c->feeds_enabled ? "" : "; polling is switched off: this is what it would be");
    printf("%-15s %7s %9s %9s %9s %9s %9s %9s  %-14s %-14s %s\n", "PROVIDER", "SYMBOLS", "REQ/MIN",
           "REQ/DAY", "CRED/MIN", "CRED/HOUR", "CRED/DAY", "KEPT", "POLL", "PLANNED", "LIMITS");
    for (size_t i = 0; i < c->providers_len; i++)
        if (p->providers[i].in_use)
            print_provider(c->providers[i].name, &p->providers[i]);
    printf("\n%-20s %-15s %-14s %s\n", "SYMBOL", "PROVIDER", "POLL", "PLANNED");
    for (size_t i = 0; i < c->instruments_len; i++)
        print_instrument(c, i, &p->instruments[i]);
    print_lines("To know:", t->notes);
    print_lines("Has to give:", t->gives);
    if (json_array_size(t->gives) == 0)
        printf("\nEverything fits.\n");
}

/* --- for machines --- */

static json_t *limit_json(int64_t n)
{
    return n > 0 ? json_integer(n) : json_null();
}

static json_t *rates_json(const struct plan_load *load)
{
    return json_pack("{s:f,s:f,s:f,s:f,s:f}", "requests_per_minute",
                     load->requests_per_day / PLAN_DAY_MINUTES, "requests_per_day",
                     load->requests_per_day, "credits_per_minute",
                     load->credits_per_day / PLAN_DAY_MINUTES, "credits_per_hour",
                     load->credits_per_day / 24, "credits_per_day", load->credits_per_day);
}

static json_t *span_json(int64_t min_ms, int64_t max_ms)
{
    return max_ms == 0 ? json_null() : json_pack("[I,I]", (json_int_t)min_ms, (json_int_t)max_ms);
}

static json_t *limits_json(const struct plan_provider *p)
{
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:I}", "credits_per_second", limit_json(p->limits[BUDGET_SECOND]),
        "credits_per_minute", limit_json(p->limits[BUDGET_MINUTE]), "credits_per_hour",
        limit_json(p->limits[BUDGET_HOUR]), "credits_per_day", limit_json(p->limits[BUDGET_DAY]),
        "kept_for_refreshes", (json_int_t)p->reserve);
}

static json_t *provider_json(const char *name, const struct plan_provider *p)
{
    return json_pack("{s:s,s:b,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o}", "provider", name, "polled",
                     !p->off, "reason", p->off ? json_string(p->off) : json_null(), "instruments",
                     (json_int_t)p->instruments, "stretched", (json_int_t)p->stretched, "asked_for",
                     rates_json(&p->wanted), "planned", rates_json(&p->planned), "limits",
                     limits_json(p), "poll_ms", span_json(p->poll_min_ms, p->poll_max_ms),
                     "interval_ms", span_json(p->interval_min_ms, p->interval_max_ms));
}

static json_t *instrument_json(const struct config *c, size_t i, const struct plan_instrument *p)
{
    bool polled = p->provider >= 0;
    return json_pack("{s:s,s:o,s:I,s:o}", "symbol", c->instruments[i].symbol, "provider",
                     polled ? json_string(c->providers[p->provider].name) : json_null(), "poll_ms",
                     (json_int_t)p->poll_ms, "interval_ms",
                     polled ? json_integer(p->interval_ms) : json_null());
}

static int print_json(const char *origin, const struct plan *p, const struct told *t)
{
    const struct config *c = p->config;
    json_t *from = json_array(), *to = json_array();
    int rc = from && to ? 0 : -1;
    for (size_t i = 0; i < c->providers_len && rc == 0; i++)
        if (p->providers[i].in_use)
            rc = json_array_append_new(from, provider_json(c->providers[i].name, &p->providers[i]));
    for (size_t i = 0; i < c->instruments_len && rc == 0; i++)
        rc = json_array_append_new(to, instrument_json(c, i, &p->instruments[i]));
    json_t *root =
        json_pack("{s:o,s:b,s:b,s:o,s:o,s:O,s:O}", "config", jsonx_text(origin, strlen(origin)),
                  "fits", json_array_size(t->gives) == 0, "polling", c->feeds_enabled, "providers",
                  from, "instruments", to, "notes", t->notes, "has_to_give", t->gives);
    char *text = root && rc == 0 ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    if (text)
        printf("%s\n", text);
    free(text);
    json_decref(root);
    return text ? 0 : -1;
}

int command_plan(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    if (!c)
        return 1;
    struct told t = {.notes = json_array(), .gives = json_array()};
    struct plan *p = plan_new(c);
    int rc = -1;
    if (p && t.notes && t.gives && plan_tell(p, hear, &t) == 0 && !t.failed) {
        rc = 0;
        if (o->json)
            rc = print_json(origin, p, &t);
        else
            print_text(origin, p, &t);
    }
    if (rc != 0)
        fprintf(stderr, "pricegate: out of memory\n");
    bool fits = rc == 0 && json_array_size(t.gives) == 0;
    plan_free(p);
    json_decref(t.notes);
    json_decref(t.gives);
    config_free(c);
    return fits ? 0 : 1;
}
