/* Why a due time per client, and not views by interval: "at most once per interval, counted from
 * the snapshot" gives each client windows of its own. Clients that share a view share its pending
 * set, but a newcomer's snapshot already holds a part of that set, and its first window ends later
 * than theirs; to be exact the view would have to be split by both, until hardly anybody shares
 * one. So a paced symbol is in the view only for its states, which nobody throttles, and its quotes
 * are found by comparing two numbers per symbol when the client's window ends. What costs a quote
 * nothing when it arrives costs the client one look per window.
 *
 *   quote ─► book_entry.updates + 1                        (nothing is marked)
 *   window ends ─► updates != seen ? ─► owed ─► socket     (the way of a slow client)
 *
 * Going the way of a slow client means: one write per client and flush, whatever else its view had
 * for it; a symbol once in it; the status behind; and for a client that really is slow, the owed
 * set, where the newest value replaces the older one. */
#include "pace.h"

#include "client.h"
#include "owed.h"
#include "state.h"

static const size_t HEAP_CAP_MIN = 16;

/* --- the heap --- */

void pace_heap_fini(struct pace_heap *h)
{
    REQUIRE(h->len == 0);
    free(h->list);
    *h = (struct pace_heap){0};
}

/* Room for `more` paces, so that beginning one can't fail. */
static int heap_reserve(struct pace_heap *h, size_t more)
{
    size_t cap = h->cap ? h->cap : HEAP_CAP_MIN;
    while (cap < h->len + more)
        cap *= 2;
    if (cap == h->cap)
        return 0;
    struct pace **list = realloc(h->list, cap * sizeof(struct pace *));
    if (!list)
        return -1;
    h->list = list;
    h->cap = cap;
    return 0;
}

static void heap_place(struct pace_heap *h, struct pace *p, size_t at)
{
    h->list[at] = p;
    p->at = at;
}

/* p's due time has changed, or it is new at its place. */
static void heap_sift(struct pace_heap *h, struct pace *p)
{
    size_t at = p->at;
    while (at > 0 && h->list[(at - 1) / 2]->due_ns > p->due_ns) {
        heap_place(h, h->list[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < h->len && h->list[child + 1]->due_ns < h->list[child]->due_ns)
            child++;
        if (child >= h->len || h->list[child]->due_ns >= p->due_ns)
            break;
        heap_place(h, h->list[child], at);
        at = child;
    }
    heap_place(h, p, at);
}

static void heap_remove(struct pace_heap *h, struct pace *p)
{
    struct pace *last = h->list[--h->len];
    if (last == p)
        return;
    heap_place(h, last, p->at);
    heap_sift(h, last);
}

/* --- life --- */

struct pace *pace_new(struct fanout *f, const struct bits *ids, int64_t interval_ms)
{
    size_t n = bits_count(ids);
    struct pace *p = calloc(1, sizeof *p + n * sizeof p->marks[0]);
    if (!p || heap_reserve(&f->paces, 1) != 0) {
        free(p);
        return NULL;
    }
    p->interval_ms = interval_ms;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        p->marks[p->len++].id = id;
    return p;
}

void pace_begin(struct pace *p, struct client *c, int64_t mono_ns)
{
    struct fanout *f = c->f;
    p->client = c;
    p->start_ns = mono_ns;
    p->due_ns = p->window_ends_ns = mono_ns + p->interval_ms * NS_PER_MS;
    for (size_t i = 0; i < p->len; i++)
        p->marks[i].seen = f->book.entries[p->marks[i].id].updates;
    p->next = c->paces;
    p->prev = &c->paces;
    if (c->paces)
        c->paces->prev = &p->next;
    c->paces = p;
    REQUIRE(f->paces.len < f->paces.cap);
    heap_place(&f->paces, p, f->paces.len++);
    heap_sift(&f->paces, p);
}

/* How many updates came since the last look; all but the newest are merged into it. */
static uint64_t look(struct fanout *f, struct pace_mark *m)
{
    uint64_t n = f->book.entries[m->id].updates - m->seen;
    m->seen += n;
    if (n > 1)
        metrics_add(f->metrics, METRIC_CONFLATED, "interval", NULL, (double)(n - 1));
    return n;
}

static void end(struct pace *p)
{
    *p->prev = p->next;
    if (p->next)
        p->next->prev = p->prev;
    heap_remove(&p->client->f->paces, p);
    free(p);
}

void pace_drop(struct client *c, const struct bits *ids, struct bits *waiting)
{
    struct pace *next;
    for (struct pace *p = c->paces; p; p = next) {
        size_t kept = 0;
        next = p->next;
        for (size_t i = 0; i < p->len; i++)
            if (!bits_test(ids, p->marks[i].id))
                p->marks[kept++] = p->marks[i];
            else if (look(c->f, &p->marks[i]) > 0)
                bits_set(waiting, p->marks[i].id);
        p->len = kept;
        if (kept == 0)
            end(p);
    }
    if (c->path == CLIENT_BEHIND)
        owed_add_flush(c, waiting, NULL);
}

void pace_drop_all(struct client *c)
{
    struct pace *next;
    for (struct pace *p = c->paces; p; p = next) {
        next = p->next;
        end(p);
    }
}

int pace_carry(struct client *c, struct fanout *to, const int *ids, size_t more)
{
    size_t n = more;
    for (const struct pace *p = c->paces; p; p = p->next)
        n++;
    if (n > 0 && heap_reserve(&to->paces, n) != 0)
        return -1;
    struct pace *next;
    for (struct pace *p = c->paces; p; p = next) {
        size_t kept = 0;
        next = p->next;
        for (size_t i = 0; i < p->len; i++) {
            int id = ids[p->marks[i].id];
            if (id >= 0)
                p->marks[kept++] = (struct pace_mark){id, p->marks[i].seen};
        }
        p->len = kept;
        if (kept == 0) {
            end(p);
            continue;
        }
        heap_remove(&c->f->paces, p);
        heap_place(&to->paces, p, to->paces.len++);
        heap_sift(&to->paces, p);
    }
    return 0;
}

int64_t pace_interval_ms(const struct client *c, int id)
{
    for (const struct pace *p = c->paces; p; p = p->next)
        for (size_t i = 0; i < p->len; i++)
            if (p->marks[i].id == id)
                return p->interval_ms;
    return 0;
}

/* --- what is due --- */

void pace_sent(struct client *c, const struct bits *ids)
{
    for (struct pace *p = c->paces; p; p = p->next)
        for (size_t i = 0; i < p->len; i++)
            if (bits_test(ids, p->marks[i].id) && look(c->f, &p->marks[i]) > 0)
                owed_replaced(c, p->marks[i].id);
}

/* Puts what p has to deliver into `out`, and p to the end of the window that holds mono_ns. */
static bool take_due(struct fanout *f, struct pace *p, struct bits *out, int64_t mono_ns)
{
    const int64_t interval_ns = p->interval_ms * NS_PER_MS;
    const int64_t windows = (mono_ns - p->start_ns) / interval_ns + 1;
    const int64_t soonest_ns = mono_ns + f->config->fanout.flush_ms * NS_PER_MS;
    bool any = false;
    bits_clear(out);
    for (size_t i = 0; i < p->len; i++)
        if (look(f, &p->marks[i]) > 0) {
            bits_set(out, p->marks[i].id);
            any = true;
        }
    p->window_ends_ns = p->start_ns + windows * interval_ns;
    p->due_ns = p->window_ends_ns;
    if (p->due_ns < soonest_ns)
        p->due_ns = soonest_ns; /* no use to look more often than once per flush */
    heap_sift(&f->paces, p);
    return any;
}

/* By windows and not by due times: what a pump sends late belongs to the window in which it is
 * sent, so that window must have been looked at, or it would get another delivery when it is. */
void pace_catch_up(struct client *c, int64_t mono_ns)
{
    struct fanout *f = c->f;
    for (struct pace *p = c->paces; p; p = p->next)
        if (p->window_ends_ns <= mono_ns && take_due(f, p, &f->due, mono_ns))
            owed_add_flush(c, &f->due, NULL);
}

static void owe(struct fanout *f, struct client *c, int64_t mono_ns)
{
    if (c->path == CLIENT_SHARED) {
        bool wait = client_busy(c);
        if (client_fall_behind(c, mono_ns) != 0)
            return;
        c->owed->held = !wait;
        if (wait)
            client_wait(c, mono_ns);
    }
    owed_add_flush(c, &f->due, NULL);
    if (c->owed->held && !c->due_listed) {
        c->due_listed = true;
        c->due_next = f->due_clients;
        f->due_clients = c;
    }
}

int64_t pace_wait_ns(const struct fanout *f, int64_t mono_ns)
{
    if (f->paces.len == 0)
        return -1;
    int64_t due_ns = f->paces.list[0]->due_ns;
    return due_ns > mono_ns ? due_ns - mono_ns : 0;
}

void pace_collect(struct fanout *f, int64_t mono_ns)
{
    while (pace_wait_ns(f, mono_ns) == 0) {
        struct pace *p = f->paces.list[0];
        const struct view *v = p->client->seat.view;
        if (v && v->resting) { /* its client had a write just now: with the view's next, then */
            p->due_ns = v->rests_until_ns;
            heap_sift(&f->paces, p);
        } else if (take_due(f, p, &f->due, mono_ns)) {
            owe(f, p->client, mono_ns);
        }
    }
}

void pace_finish(struct fanout *f, int64_t mono_ns)
{
    while (f->due_clients) {
        struct client *c = f->due_clients;
        f->due_clients = c->due_next;
        c->due_listed = false;
        if (c->path == CLIENT_BEHIND && c->owed->held)
            owed_pump(c, mono_ns);
    }
}
