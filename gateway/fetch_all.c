/* Every source on its own. The chain would stop at the first good answer, so the configuration is
 * turned round first: each source becomes an instrument of its own, with the unit, the range and
 * all else of the instrument it was configured for, and itself as its whole chain. Then one walk
 * goes over all of them, as a poll does: what a provider can answer in one request is one request,
 * budgets and breakers hold, and every answer has to pass the rules of quality.
 *
 * Credits. More sources than a provider allows requests a minute cannot be tried in one go. Those
 * that were refused for it are tried again every few seconds, until no more come through: a
 * minute's credits come back, a day's do not.
 *
 * The lines are in the order of the configuration and are printed at the end. */
#include "fetch_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lone_feeds.h"
#include "show.h"

static const uint64_t AGAIN_MS = 3000;
static const int64_t NO_PROGRESS_MS = 65000; /* a minute's credits would be back */

struct source {
    enum failure failure;
    char detail[160];
};

struct round {
    struct config config; /* turned round; borrows from the real one */
    struct instrument *instruments;
    struct source *sources; /* how each of them ended */
    int *ids;               /* those to be asked in the next walk */
    size_t n;
    struct lone_feeds lone;
    uv_timer_t again;
    int64_t progress_ms;
};

/* --- the configuration turned round --- */

static bool is_wanted(const struct config_source *s, const char *only)
{
    return !only || strcmp(s->provider, only) == 0;
}

static int turn_round(struct round *r, const struct config *c, const char *only)
{
    size_t n = 0, max = 0;
    for (size_t i = 0; i < c->instruments_len; i++)
        max += c->instruments[i].sources_len;
    r->instruments = calloc(max + 1, sizeof *r->instruments);
    r->sources = calloc(max + 1, sizeof *r->sources);
    r->ids = calloc(max + 1, sizeof *r->ids);
    if (!r->instruments || !r->sources || !r->ids)
        return -1;
    r->config = *c;
    for (size_t i = 0; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        for (size_t k = 0; k < in->sources_len; k++) {
            if (!is_wanted(&in->sources[k], only))
                continue;
            r->instruments[n] = *in;
            r->instruments[n].sources = &in->sources[k];
            r->instruments[n++].sources_len = 1;
        }
        if (i + 1 == c->quotes_len)
            r->config.quotes_len = n;
    }
    r->config.instruments = r->instruments;
    r->config.instruments_len = n;
    r->config.quotes_len = r->config.quotes_len < n ? r->config.quotes_len : n;
    return 0;
}

/* --- asking --- */

static void walked(void *ctx, const struct walk_end *ends, size_t n);

static void ask(struct round *r)
{
    feeds_walk(r->lone.feeds, r->ids, r->n, NULL, walked, r);
}

static void on_again(uv_timer_t *t)
{
    ask(t->data);
}

static void note(struct source *s, const struct walk_end *end)
{
    const struct walk_step *last = end->n > 0 ? &end->steps[end->n - 1] : NULL;
    s->failure = end->accepted ? FAIL_NONE : last ? last->failure : FAIL_UPSTREAM_ERROR;
    snprintf(s->detail, sizeof s->detail, "%s", last ? last->detail : "out of memory");
}

static void finish(struct round *r)
{
    uv_close((uv_handle_t *)&r->again, NULL);
    lone_feeds_stop(&r->lone);
}

static void walked(void *ctx, const struct walk_end *ends, size_t n)
{
    struct round *r = ctx;
    size_t left = 0;
    int64_t mono_ms = clock_mono_ms();
    for (size_t i = 0; i < n; i++) {
        note(&r->sources[ends[i].id], &ends[i]);
        if (r->sources[ends[i].id].failure == FAIL_BUDGET)
            r->ids[left++] = ends[i].id;
    }
    if (left < r->n)
        r->progress_ms = mono_ms;
    r->n = left;
    if (left == 0 || mono_ms - r->progress_ms > NO_PROGRESS_MS) {
        finish(r);
        return;
    }
    if (r->progress_ms == mono_ms)
        fprintf(stderr, "pricegate: %zu source%s for %s\n", left, left == 1 ? " waits" : "s wait",
                left == 1 ? "its provider's credits" : "their providers' credits");
    uv_timer_start(&r->again, on_again, AGAIN_MS, 0);
}

/* --- telling --- */

static bool is_off(const struct round *r, size_t i)
{
    const struct config_source *s = r->instruments[i].sources;
    return !r->config.providers[s->provider_id].enabled;
}

static void print_source(const struct round *r, size_t i)
{
    const struct instrument *in = &r->instruments[i];
    const struct source *s = &r->sources[i];
    const char *item = r->lone.items[i];
    struct buf says = {0};
    if (s->failure == FAIL_NONE && item) {
        char age[SHOW_AGE_MAX];
        int64_t ts_ms = show_ts_ms(item, strlen(item));
        show_value(&says, item, strlen(item));
        if (ts_ms > 0)
            buf_addf(&says, ", %s old", show_age(clock_wall_ms() - ts_ms, age));
    } else {
        show_text(&says, s->detail, strlen(s->detail));
    }
    printf("%-15s %-20s %-20s %-14s %s\n", in->sources->provider, in->sources->symbol, in->symbol,
           failure_name(s->failure), says.p && !says.failed ? says.p : "");
    buf_fini(&says);
}

static int print_all(const struct round *r)
{
    size_t answered = 0, off = 0, n = r->config.instruments_len;
    printf("%-15s %-20s %-20s %-14s %s\n", "PROVIDER", "ITS SYMBOL", "FOR", "RESULT", "SAYS");
    for (size_t i = 0; i < n; i++) {
        print_source(r, i);
        off += is_off(r, i);
        answered += r->sources[i].failure == FAIL_NONE;
    }
    printf("%zu source%s: %zu answered, %zu failed, %zu disabled\n", n, n == 1 ? "" : "s", answered,
           n - answered - off, off);
    return answered + off == n ? 0 : 1;
}

/* --- */

static int run(struct round *r)
{
    struct err err = {0};
    if (lone_feeds_open(&r->lone, &r->config, &err) != 0) {
        fprintf(stderr, "pricegate: %s\n", err.text);
        return 1;
    }
    r->progress_ms = clock_mono_ms();
    r->n = r->config.instruments_len;
    for (size_t i = 0; i < r->n; i++)
        r->ids[i] = (int)i;
    uv_timer_init(&r->lone.loop, &r->again);
    r->again.data = r;
    ask(r);
    lone_feeds_run(&r->lone);
    int exit_code = print_all(r);
    lone_feeds_fini(&r->lone);
    return exit_code;
}

int fetch_all(const struct config *c, const char *only)
{
    struct round r = {0};
    int exit_code = 1;
    if (turn_round(&r, c, only) != 0)
        fprintf(stderr, "pricegate: out of memory\n");
    else if (r.config.instruments_len == 0)
        fprintf(stderr, "pricegate: %s%s\n", only ? "no instrument has the source " : "no sources",
                only ? only : " are configured");
    else
        exit_code = run(&r);
    free(r.instruments);
    free(r.sources);
    free(r.ids);
    return exit_code;
}
