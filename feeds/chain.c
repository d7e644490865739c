/* How a walk moves.
 *
 *   entry:  READY --skip, admit--> ASKED --answer taken--> ENDED
 *             ^  \--no source left--> ENDED     |
 *             |---- next source ----------------+  answer refused or failed
 *
 * advance() takes an entry that is ready, gathers all others that want the same provider, asks the
 * host for each batch of them how many may go, and sends these; the rest note the reason and become
 * ready for their next source. It goes on until no entry is ready. A host may answer inside ask():
 * the answer then only marks the entries, and the loop that is running goes on with them (`busy`).
 *
 * A thousand requests, or a thousand simulated prices, take longer than everybody else should have
 * to wait: a walk that has been sending for TURN_MS pauses between two requests, and goes on in a
 * later turn of the loop.
 *
 * The one retry. When an instrument has no source left and the last one that was really asked
 * failed in the transport, that one is asked once more: within a poll there is nothing better to
 * do. With another source left there is. Longer pauses and more attempts belong to the next poll.
 *
 * A walk that began WALK_MS ago sends nothing more: with a request at 5 s each it then ends before
 * anybody who waits for it (a refresh: 25 s) has given up. */
#include "chain.h"

#include <stdio.h>
#include <string.h>

static const int64_t WALK_MS = 18000;
static const int64_t TURN_MS = 2;

enum entry_state { READY, ASKED, ENDED };

struct entry {
    int id;
    size_t pos; /* the source to try, or being tried */
    enum entry_state state;
    bool retried, accepted;
    bool transport;   /* the last source that was asked failed in the transport */
    size_t asked_pos; /* which one that was */
    struct chain_step *steps;
    size_t steps_len, steps_cap;
};

struct walk {
    const struct chain_host *host;
    struct walk_options options;
    int64_t started_ms;
    size_t under_way;       /* requests */
    size_t ended, accepted; /* entries */
    bool busy;
    int64_t turn_ms; /* when it began to send in this turn of the loop */
    bool paused;
    struct walk *next_paused;
    struct chain_step *steps; /* of all entries */
    struct entry **list;      /* while gathering: room for all entries */
    size_t n;
    struct entry entries[];
};

enum walk_kind walk_kind(const struct walk *w)
{
    return w->options.kind;
}

void *walk_tag(const struct walk *w)
{
    return w->options.tag;
}

int64_t walk_started_ms(const struct walk *w)
{
    return w->started_ms;
}

size_t walk_size(const struct walk *w)
{
    return w->n;
}

size_t walk_accepted(const struct walk *w)
{
    return w->accepted;
}

static void walk_free(struct walk *w)
{
    free(w->steps);
    free(w->list);
    free(w);
}

static const struct instrument *instrument_of(const struct walk *w, const struct entry *e)
{
    return &w->host->config->instruments[e->id];
}

static void note(const struct walk *w, struct entry *e, const struct chain_step *what,
                 const char *detail)
{
    REQUIRE(e->steps_len < e->steps_cap);
    struct chain_step *s = &e->steps[e->steps_len++];
    *s = *what;
    s->pos = e->pos;
    s->at_ms = w->host->now_ms(w->host->ctx);
    snprintf(s->detail, sizeof s->detail, "%s", detail ? detail : "");
}

static void note_skip(const struct walk *w, struct entry *e, enum failure f, const char *detail)
{
    note(w, e, &(struct chain_step){.failure = f}, detail);
}

static void end(struct walk *w, struct entry *e, bool accepted)
{
    e->state = ENDED;
    e->accepted = accepted;
    w->ended++;
    w->accepted += accepted;
    struct chain_end x = {e->id, accepted, e->steps, e->steps_len};
    w->host->ended(w->host->ctx, w, &x);
}

static bool wanted(const struct walk *w, const struct entry *e)
{
    const struct config_source *s = &instrument_of(w, e)->sources[e->pos];
    return w->options.only_provider < 0 || s->provider_id == w->options.only_provider;
}

/* After the retry there is no next source: they all had their turn. */
static void next_source(const struct walk *w, struct entry *e)
{
    e->pos = e->retried ? instrument_of(w, e)->sources_len : e->pos + 1;
}

/* Nothing left to try: the retry, or the end. */
static void out_of_sources(struct walk *w, struct entry *e, bool late)
{
    if (!e->transport || e->retried || late) {
        end(w, e, false);
        return;
    }
    e->retried = true;
    e->pos = e->asked_pos;
}

/* Moves the entry on to a source that may be asked. False: it is at its end. */
static bool settle(struct walk *w, struct entry *e, bool late)
{
    while (e->state == READY) {
        if (late || e->pos >= instrument_of(w, e)->sources_len) {
            out_of_sources(w, e, late);
            continue;
        }
        if (!wanted(w, e)) {
            e->pos++;
            continue;
        }
        struct err why = {""};
        enum failure f = w->host->skip(w->host->ctx, w, (struct chain_want){e->id, e->pos}, &why);
        if (f == FAIL_NONE)
            return true;
        note_skip(w, e, f, why.text);
        next_source(w, e);
    }
    return false;
}

/* Of those that are ready the one that is least far in its chain: the others shall wait for it,
 * because it may want what they want. */
static struct entry *next_ready(struct walk *w, bool late)
{
    struct entry *found = NULL;
    for (size_t i = 0; i < w->n; i++) {
        struct entry *e = &w->entries[i];
        if (settle(w, e, late) && (!found || e->pos < found->pos))
            found = e;
    }
    return found;
}

static int provider_of(const struct walk *w, const struct entry *e)
{
    return instrument_of(w, e)->sources[e->pos].provider_id;
}

/* All ready entries that want the provider; the skip checks are done on the way. */
static size_t gather(struct walk *w, int provider)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct entry *e = &w->entries[i];
        if (settle(w, e, false) && provider_of(w, e) == provider)
            w->list[n++] = e;
    }
    return n;
}

static void refuse(struct walk *w, struct entry **list, size_t n, enum failure f, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        note_skip(w, list[i], f, why);
        next_source(w, list[i]);
    }
}

static void send_request(struct walk *w, struct chain_request *r, int provider, struct entry **list,
                         size_t n)
{
    r->walk = w;
    r->provider = provider;
    r->n = n;
    for (size_t i = 0; i < n; i++) {
        r->wants[i] = (struct chain_want){list[i]->id, list[i]->pos};
        r->symbols[i] = instrument_of(w, list[i])->sources[list[i]->pos].symbol;
        list[i]->state = ASKED;
    }
    w->under_way++;
    w->host->ask(w->host->ctx, r);
}

/* Then it may use the credits that are kept for that. */
static bool asked_by_a_person(const struct walk *w)
{
    return w->options.kind == WALK_REFRESH || w->options.kind == WALK_ONCE;
}

/* One batch of those that want the provider; returns how many are dealt with. There is a request
 * before anything is granted: what was granted must be asked. */
static size_t send_batch(struct walk *w, int provider, struct entry **list, size_t n)
{
    struct err why = {"out of memory"};
    enum failure f = FAIL_UPSTREAM_ERROR;
    struct chain_request *r = calloc(1, sizeof *r);
    size_t granted = 0;
    if (r)
        granted = w->host->admit(w->host->ctx, provider, n, asked_by_a_person(w), &f, &why);
    REQUIRE(granted <= n);
    if (granted > 0) {
        send_request(w, r, provider, list, granted);
        return granted;
    }
    free(r);
    refuse(w, list, n, f, why.text);
    return n;
}

static bool is_tired(const struct walk *w)
{
    return w->host->later && w->host->now_ms(w->host->ctx) - w->turn_ms >= TURN_MS;
}

static void pause_walk(struct walk *w)
{
    struct walk **at = w->host->paused;
    while (*at)
        at = &(*at)->next_paused;
    *at = w;
    w->paused = true;
    w->next_paused = NULL;
    w->host->later(w->host->ctx);
}

/* False: enough for this turn. */
static bool dispatch(struct walk *w, int provider)
{
    size_t max = w->host->batch_max(w->host->ctx, provider), n = gather(w, provider), done = 0;
    REQUIRE(max >= 1);
    max = max < PROVIDER_BATCH_MAX ? max : PROVIDER_BATCH_MAX;
    while (done < n) {
        size_t left = n - done;
        done += send_batch(w, provider, w->list + done, left < max ? left : max);
        if (is_tired(w))
            return false;
    }
    return true;
}

static void advance(struct walk *w)
{
    struct entry *e;
    if (w->busy || w->paused)
        return;
    w->busy = true;
    w->turn_ms = w->host->now_ms(w->host->ctx);
    bool late = w->turn_ms - w->started_ms > WALK_MS, go_on = true;
    while (go_on && (e = next_ready(w, late)) != NULL)
        go_on = dispatch(w, provider_of(w, e));
    w->busy = false;
    if (w->ended == w->n) {
        w->host->done(w->host->ctx, w);
        walk_free(w);
    } else if (!go_on) {
        pause_walk(w);
    }
}

void chain_continue_all(struct walk **paused)
{
    struct walk *w = *paused, *next;
    *paused = NULL; /* they may come back */
    for (; w; w = next) {
        next = w->next_paused;
        w->paused = false;
        advance(w);
    }
}

void chain_drop_paused(struct walk **paused)
{
    while (*paused) {
        struct walk *w = *paused;
        *paused = w->next_paused;
        REQUIRE(w->under_way == 0);
        walk_free(w);
    }
}

/* Every source once, and one retry. */
static size_t steps_max(const struct chain_host *host, int id)
{
    return host->config->instruments[id].sources_len + 1;
}

int chain_start(const struct chain_host *host, const int *ids, size_t n,
                const struct walk_options *options)
{
    size_t steps = 0;
    for (size_t i = 0; i < n; i++)
        steps += steps_max(host, ids[i]);
    struct walk *w = calloc(1, sizeof *w + n * sizeof w->entries[0]);
    struct chain_step *all = calloc(steps + 1, sizeof *all);
    struct entry **list = calloc(n + 1, sizeof(void *));
    if (!w || !all || !list) {
        free(w);
        free(all);
        free(list);
        return -1;
    }
    w->host = host;
    w->options = *options;
    w->started_ms = host->now_ms(host->ctx);
    w->steps = all;
    w->list = list;
    w->n = n;
    for (size_t i = 0; i < n; i++) {
        w->entries[i].id = ids[i];
        w->entries[i].steps = all;
        w->entries[i].steps_cap = steps_max(host, ids[i]);
        all += w->entries[i].steps_cap;
    }
    advance(w);
    return 0;
}

static struct entry *entry_of(struct walk *w, int id)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->entries[i].id == id && w->entries[i].state == ASKED)
            return &w->entries[i];
    return NULL;
}

static void take_answer(struct walk *w, struct entry *e, struct chain_want want,
                        const struct answer *a, bool transport)
{
    struct err why = {""};
    enum failure f = a->failure;
    if (f == FAIL_NONE)
        f = w->host->offer(w->host->ctx, want, &a->record, &why);
    else
        err_set(&why, "%s", a->detail);
    note(w, e, &(struct chain_step){.failure = f, .asked = true, .status = a->status}, why.text);
    if (f == FAIL_NONE) {
        end(w, e, true);
        return;
    }
    e->transport = transport;
    e->asked_pos = e->pos;
    e->state = READY;
    next_source(w, e);
}

static void begin_answers(struct chain_request *r, bool *was_busy)
{
    *was_busy = r->walk->busy;
    r->walk->busy = true;
}

static void end_answers(struct chain_request *r, bool was_busy)
{
    struct walk *w = r->walk;
    w->busy = was_busy;
    w->under_way--;
    free(r);
    advance(w);
}

static void answer_one(struct chain_request *r, size_t i, const struct answer *a, bool transport)
{
    struct entry *e = entry_of(r->walk, r->wants[i].id);
    REQUIRE(e && e->pos == r->wants[i].pos);
    take_answer(r->walk, e, r->wants[i], a, transport);
}

void chain_answered(struct chain_request *r, const struct answer *answers)
{
    bool was_busy;
    begin_answers(r, &was_busy);
    for (size_t i = 0; i < r->n; i++)
        answer_one(r, i, &answers[i], false);
    end_answers(r, was_busy);
}

void chain_failed(struct chain_request *r, enum failure f, const char *detail, bool transport)
{
    struct answer a = {.failure = f};
    bool was_busy;
    snprintf(a.detail, sizeof a.detail, "%s", detail ? detail : "");
    begin_answers(r, &was_busy);
    for (size_t i = 0; i < r->n; i++)
        answer_one(r, i, &a, transport);
    end_answers(r, was_busy);
}

void chain_drop(struct chain_request *r)
{
    struct walk *w = r->walk;
    free(r);
    if (--w->under_way == 0 && !w->paused)
        walk_free(w);
}

/* Left out by decision. */
static bool explains(const struct chain_step *s)
{
    return s->failure != FAIL_DISABLED && s->failure != FAIL_OLDER;
}

const struct chain_step *chain_reason(const struct chain_step *steps, size_t n)
{
    const struct chain_step *asked = NULL, *skipped = NULL;
    for (size_t i = 0; i < n; i++) {
        if (steps[i].failure == FAIL_OLDER && steps[i].asked)
            return &steps[i];
        if (steps[i].asked)
            asked = &steps[i];
        else if (!skipped || explains(&steps[i]))
            skipped = &steps[i];
    }
    return asked ? asked : skipped;
}
