/* Walks that somebody asked for: feeds_refresh() and feeds_walk().
 *
 * A refresh waits for the end of a walk per instrument: of one that is under way already (a poll or
 * another refresh), else of the one it starts. One whose last refresh ended less than 5 s
 * (limits.refresh_ms) ago has its answer already. One that comes before the shared documents are
 * read is held until then. Nothing is called back from inside a walk: what is complete is delivered
 * from the next turn of the loop, so the callbacks may do what they like (start, stop). */
#include "desk.h"

#include <string.h>

#include "clock.h"

struct refresh {
    struct refresh *next;
    refresh_done *done;
    void *ctx;
    size_t n, waiting;
    bool held; /* came before anything may be asked */
    struct slot {
        bool waiting;
        char message[160];
    } * slots;
    struct refresh_result results[];
};

struct once {
    struct once *next;
    walk_done *done;
    void *ctx;
    size_t n, waiting;
    struct walk_end ends[];
};

/* --- refresh --- */

static void set_result(struct refresh *r, size_t i, const struct feed_outcome *o)
{
    struct refresh_result *x = &r->results[i];
    bool accepted = o->failure == FAIL_NONE;
    snprintf(r->slots[i].message, sizeof r->slots[i].message, "%s", o->detail);
    x->error = accepted ? NULL : failure_name(o->failure);
    x->source = o->provider;
    x->message = accepted ? NULL : r->slots[i].message;
}

static void refuse(struct refresh *r, size_t i, const char *why)
{
    struct feed_outcome o = {.failure = FAIL_DISABLED};
    snprintf(o.detail, sizeof o.detail, "%s", why);
    set_result(r, i, &o);
}

static void wait_for(struct refresh *r, size_t i)
{
    r->slots[i].waiting = true;
    r->waiting++;
}

void refresh_ended(struct feeds *f, struct feed *d)
{
    for (struct refresh *r = f->refreshes; r; r = r->next)
        for (size_t i = 0; i < r->n; i++) {
            if (!r->slots[i].waiting || r->results[i].id != d->id)
                continue;
            r->slots[i].waiting = false;
            r->waiting--;
            set_result(r, i, &d->last);
        }
}

static struct refresh *refresh_new(size_t n, refresh_done *done, void *ctx)
{
    struct refresh *r = calloc(1, sizeof *r + n * sizeof r->results[0]);
    struct slot *slots = calloc(n + 1, sizeof *slots);
    if (!r || !slots) {
        free(r);
        free(slots);
        return NULL;
    }
    r->done = done;
    r->ctx = ctx;
    r->n = n;
    r->slots = slots;
    return r;
}

/* Puts instrument i of the refresh where it belongs; true: it needs a walk of its own. */
static bool needs_walk(struct feeds *f, struct refresh *r, size_t i, int64_t mono_ms)
{
    struct feed *d = &f->feeds[r->results[i].id];
    if (f->stopped)
        refuse(r, i, "the poller has stopped");
    else if (!f->config->feeds_enabled)
        refuse(r, i, "polling is switched off");
    else if (d->in->sources_len == 0)
        refuse(r, i, "the instrument has no source; other programs feed it");
    else if (d->walking > 0)
        wait_for(r, i);
    else if (d->refreshed_ms > 0 && mono_ms - d->refreshed_ms < f->config->limits.refresh_ms)
        set_result(r, i, &d->last);
    else {
        wait_for(r, i);
        return true;
    }
    return false;
}

static void start_refresh(struct feeds *f, struct refresh *r)
{
    int64_t mono_ms = clock_mono_ms();
    size_t n = 0;
    int *ids = calloc(r->n + 1, sizeof *ids);
    for (size_t i = 0; i < r->n; i++) {
        if (!needs_walk(f, r, i, mono_ms) || !ids)
            continue;
        ids[n++] = r->results[i].id;
        f->feeds[r->results[i].id].walking++; /* a symbol named twice joins itself */
    }
    const struct walk_options options = {.kind = WALK_REFRESH, .only_provider = -1};
    bool failed = !ids || (n > 0 && chain_start(&f->host, ids, n, &options) != 0);
    for (size_t i = 0; failed && i < r->n; i++) {
        if (!r->slots[i].waiting)
            continue;
        r->slots[i].waiting = false;
        r->waiting--;
        refuse(r, i, "out of memory");
    }
    for (size_t k = 0; failed && k < n; k++)
        f->feeds[ids[k]].walking--;
    free(ids);
}

void refresh_start_held(struct feeds *f)
{
    for (struct refresh *r = f->refreshes; r; r = r->next) {
        if (!r->held)
            continue;
        r->held = false;
        r->waiting = 0;
        for (size_t i = 0; i < r->n; i++)
            r->slots[i].waiting = false;
        start_refresh(f, r);
    }
}

void feeds_refresh(struct feeds *f, const int *ids, size_t n, refresh_done *done, void *ctx)
{
    struct refresh *r = refresh_new(n, done, ctx);
    if (!r) {
        done(ctx, NULL, 0);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        REQUIRE(ids[i] >= 0 && (size_t)ids[i] < f->config->instruments_len);
        r->results[i].id = ids[i];
    }
    r->next = f->refreshes;
    f->refreshes = r;
    r->held = !f->stopped && f->config->feeds_enabled && !feeds_may_ask(f, clock_mono_ms());
    for (size_t i = 0; r->held && i < n; i++)
        wait_for(r, i);
    if (!r->held)
        start_refresh(f, r);
    if (f->stopped)
        refresh_deliver(f); /* no turn of the loop will come for it */
    else
        feeds_wake(f);
}

/* --- one walk --- */

static void once_free(struct once *o)
{
    for (size_t i = 0; i < o->n; i++)
        free(o->ends[i].steps);
    free(o);
}

static struct walk_end *once_find(struct once *o, int id)
{
    size_t i = 0;
    while (i < o->n && o->ends[i].id != id)
        i++;
    REQUIRE(i < o->n);
    return &o->ends[i];
}

void once_ended(struct feeds *f, struct once *o, const struct chain_end *end)
{
    const struct instrument *in = &f->config->instruments[end->id];
    struct walk_end *e = once_find(o, end->id);
    struct walk_step *steps = calloc(end->n + 1, sizeof *steps);
    o->waiting--;
    e->accepted = end->accepted;
    if (!steps)
        return;
    e->steps = steps;
    e->n = end->n;
    for (size_t i = 0; i < end->n; i++) {
        const struct config_source *source = &in->sources[end->steps[i].pos];
        steps[i].provider = source->provider;
        steps[i].source_symbol = source->symbol;
        steps[i].failure = end->steps[i].failure;
        memcpy(steps[i].detail, end->steps[i].detail, sizeof steps[i].detail);
    }
}

static struct once *once_new(const int *ids, size_t n, walk_done *done, void *ctx)
{
    struct once *o = calloc(1, sizeof *o + n * sizeof o->ends[0]);
    if (!o)
        return NULL;
    o->done = done;
    o->ctx = ctx;
    o->n = n;
    o->waiting = n;
    for (size_t i = 0; i < n; i++)
        o->ends[i].id = ids[i];
    return o;
}

static int provider_named(const struct feeds *f, const char *name)
{
    for (size_t i = 0; i < f->config->providers_len; i++)
        if (strcmp(f->config->providers[i].name, name) == 0)
            return (int)i;
    return -1;
}

void feeds_walk(struct feeds *f, const int *ids, size_t n, const char *only_provider,
                walk_done *done, void *ctx)
{
    REQUIRE(!f->stopped);
    struct once *o = once_new(ids, n, done, ctx);
    if (!o) {
        done(ctx, NULL, 0);
        return;
    }
    o->next = f->onces;
    f->onces = o;
    int provider = only_provider ? provider_named(f, only_provider) : -1;
    const struct walk_options options = {.kind = WALK_ONCE, .only_provider = provider, .tag = o};
    for (size_t i = 0; i < n; i++) {
        REQUIRE(ids[i] >= 0 && (size_t)ids[i] < f->config->instruments_len);
        f->feeds[ids[i]].walking++;
    }
    if ((only_provider && provider < 0) || chain_start(&f->host, ids, n, &options) != 0) {
        for (size_t i = 0; i < n; i++)
            f->feeds[ids[i]].walking--;
        o->waiting = 0;
    }
    feeds_wake(f);
}

/* --- delivery --- */

bool refresh_pending(const struct feeds *f)
{
    for (const struct refresh *r = f->refreshes; r; r = r->next)
        if (r->waiting == 0)
            return true;
    for (const struct once *o = f->onces; o; o = o->next)
        if (o->waiting == 0)
            return true;
    return false;
}

static struct refresh *take_refresh(struct feeds *f)
{
    for (struct refresh **at = &f->refreshes; *at; at = &(*at)->next)
        if ((*at)->waiting == 0) {
            struct refresh *r = *at;
            *at = r->next;
            return r;
        }
    return NULL;
}

static struct once *take_once(struct feeds *f)
{
    for (struct once **at = &f->onces; *at; at = &(*at)->next)
        if ((*at)->waiting == 0) {
            struct once *o = *at;
            *at = o->next;
            return o;
        }
    return NULL;
}

void refresh_deliver(struct feeds *f)
{
    struct refresh *r;
    struct once *o;
    while ((r = take_refresh(f)) != NULL) {
        r->done(r->ctx, r->results, r->n);
        free(r->slots);
        free(r);
    }
    while ((o = take_once(f)) != NULL) {
        o->done(o->ctx, o->ends, o->n);
        once_free(o);
    }
}

void refresh_stop(struct feeds *f)
{
    while (f->onces) {
        struct once *o = f->onces;
        f->onces = o->next;
        once_free(o);
    }
    for (struct refresh *r = f->refreshes; r; r = r->next)
        for (size_t i = 0; i < r->n; i++) {
            if (!r->slots[i].waiting)
                continue;
            r->slots[i].waiting = false;
            r->waiting--;
            refuse(r, i, "the poller has stopped");
        }
    refresh_deliver(f);
}
