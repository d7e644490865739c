/* Rests are all equally long, so a queue in the order of the flushes is one in the order of their
 * ends, and putting in, taking out and finding the first are a few pointers each, however many
 * views there are. A mark does not move a resting view, it is only counted; the price is that the
 * loop may be woken for the end of the first rest although it is a later one that has something,
 * some needless turns per flush interval at most. Sorting the dirty ones by due time instead would
 * be a walk or a heap for each mark. */
#include "view.h"

#include <string.h>

static const size_t TABLE_LEN_MIN = 64;

int views_init(struct views *vs, size_t symbols_len, uint64_t seed)
{
    *vs = (struct views){.symbols_len = symbols_len, .seed = seed, .table_len = TABLE_LEN_MIN};
    vs->table = calloc(vs->table_len, sizeof(struct view *));
    vs->by_symbol = calloc(symbols_len + 1, sizeof(struct view_link *));
    vs->due.last = &vs->due.first;
    vs->resting.last = &vs->resting.first;
    return vs->table && vs->by_symbol ? 0 : -1;
}

void views_fini(struct views *vs)
{
    REQUIRE(vs->used == 0);
    free(vs->table);
    free(vs->by_symbol);
    *vs = (struct views){0};
}

/* --- the table --- */

/* Doubles the table. Without memory it stays as it is: slower, not wrong. */
static void grow(struct views *vs)
{
    size_t len = 2 * vs->table_len;
    struct view **table = calloc(len, sizeof(struct view *));
    if (!table)
        return;
    for (size_t i = 0; i < vs->table_len; i++)
        for (struct view *v = vs->table[i], *next; v; v = next) {
            next = v->hash_next;
            v->hash_next = table[v->hash & (len - 1)];
            table[v->hash & (len - 1)] = v;
        }
    free(vs->table);
    vs->table = table;
    vs->table_len = len;
}

static void link_symbols(struct views *vs, struct view *v)
{
    size_t n = 0;
    for (int id = bits_next(&v->symbols, 0); id >= 0; id = bits_next(&v->symbols, id + 1)) {
        struct view_link *l = &v->links[n++], **head = &vs->by_symbol[id];
        *l = (struct view_link){.next = *head, .prev = head, .view = v};
        if (*head)
            (*head)->prev = &l->next;
        *head = l;
    }
}

static void unlink_symbols(struct view *v)
{
    size_t n = bits_count(&v->symbols);
    for (size_t i = 0; i < n; i++) {
        *v->links[i].prev = v->links[i].next;
        if (v->links[i].next)
            v->links[i].next->prev = v->links[i].prev;
    }
}

static void free_memory(struct view *v)
{
    bits_fini(&v->symbols);
    bits_fini(&v->quotes);
    bits_fini(&v->statuses);
    view_options_free(v->options);
    free(v->links);
    free(v);
}

static struct view *make(struct views *vs, const struct bits *symbols,
                         const struct view_options *options, enum encoding encoding, uint64_t hash)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->links = calloc(bits_count(symbols) + 1, sizeof *v->links);
    if (options)
        v->options = view_options_copy(options);
    if (!v->links || (options && !v->options) || bits_init(&v->symbols, vs->symbols_len) != 0 ||
        bits_init(&v->quotes, vs->symbols_len) != 0 ||
        bits_init(&v->statuses, vs->symbols_len) != 0) {
        free_memory(v);
        return NULL;
    }
    bits_copy(&v->symbols, symbols);
    v->encoding = encoding;
    v->hash = hash;
    v->oldest_ns = INT64_MAX;
    link_symbols(vs, v);
    if (vs->used >= vs->table_len)
        grow(vs);
    struct view **slot = &vs->table[hash & (vs->table_len - 1)];
    v->hash_next = *slot;
    *slot = v;
    vs->used++;
    return v;
}

struct view *views_get(struct views *vs, const struct bits *symbols,
                       const struct view_options *options, enum encoding encoding)
{
    uint64_t seed = encoding == ENCODING_FRAMES ? vs->seed : ~vs->seed;
    uint64_t hash = view_options_hash(options, bits_hash(symbols, seed));
    struct view *v = vs->table[hash & (vs->table_len - 1)];
    while (v && (v->hash != hash || v->encoding != encoding || !bits_equal(&v->symbols, symbols) ||
                 !view_options_equal(v->options, options)))
        v = v->hash_next;
    if (!v)
        v = make(vs, symbols, options, encoding, hash);
    if (v)
        view_ref(v);
    return v;
}

/* --- the queues --- */

static void enqueue(struct view_queue *q, struct view *v)
{
    v->queue_next = NULL;
    v->queue_prev = q->last;
    *q->last = v;
    q->last = &v->queue_next;
}

static void dequeue(struct view_queue *q, struct view *v)
{
    REQUIRE(v->queue_prev);
    *v->queue_prev = v->queue_next;
    if (v->queue_next)
        v->queue_next->queue_prev = v->queue_prev;
    else
        q->last = v->queue_prev;
    v->queue_next = NULL;
    v->queue_prev = NULL;
}

static void mark_dirty(struct views *vs, struct view *v)
{
    if (v->dirty)
        return;
    v->dirty = true;
    if (v->resting)
        vs->resting_dirty++;
    else
        enqueue(&vs->due, v);
}

static void undirty(struct views *vs, struct view *v)
{
    if (!v->dirty)
        return;
    v->dirty = false;
    if (v->resting)
        vs->resting_dirty--;
    else
        dequeue(&vs->due, v);
}

void view_rest(struct views *vs, struct view *v, int64_t until_ns)
{
    if (v->resting)
        return;
    bool dirty = v->dirty;
    undirty(vs, v);
    v->resting = true;
    v->rests_until_ns = until_ns;
    enqueue(&vs->resting, v);
    if (dirty)
        mark_dirty(vs, v);
}

static void wake(struct views *vs, struct view *v)
{
    bool dirty = v->dirty;
    undirty(vs, v);
    dequeue(&vs->resting, v);
    v->resting = false;
    if (dirty)
        mark_dirty(vs, v);
}

void views_wake(struct views *vs, int64_t mono_ns)
{
    while (vs->resting.first && vs->resting.first->rests_until_ns <= mono_ns)
        wake(vs, vs->resting.first);
}

int64_t views_wait_ns(const struct views *vs, int64_t mono_ns)
{
    if (vs->resting_dirty == 0)
        return -1;
    int64_t until_ns = vs->resting.first->rests_until_ns;
    return until_ns > mono_ns ? until_ns - mono_ns : 0;
}

/* --- its references --- */

void view_ref(struct view *v)
{
    v->refs++;
}

void view_unref(struct views *vs, struct view *v)
{
    if (--v->refs > 0)
        return;
    if (v->resting)
        wake(vs, v);
    undirty(vs, v);
    unlink_symbols(v);
    struct view **slot = &vs->table[v->hash & (vs->table_len - 1)];
    while (*slot != v)
        slot = &(*slot)->hash_next;
    *slot = v->hash_next;
    vs->used--;
    free_memory(v);
}

/* --- seats --- */

static void enlist(struct seat **head, struct seat *seat)
{
    seat->next = *head;
    seat->prev = head;
    if (*head)
        (*head)->prev = &seat->next;
    *head = seat;
}

static void delist(struct seat *seat)
{
    *seat->prev = seat->next;
    if (seat->next)
        seat->next->prev = seat->prev;
    seat->next = NULL;
    seat->prev = NULL;
}

void view_sit(struct view *v, struct seat *seat, bool behind)
{
    REQUIRE(!seat->view);
    seat->view = v;
    enlist(behind ? &v->behind : &v->ready, seat);
    v->seats++;
    view_ref(v);
}

void view_leave(struct views *vs, struct seat *seat)
{
    struct view *v = seat->view;
    if (!v)
        return;
    delist(seat);
    seat->view = NULL;
    v->seats--;
    view_unref(vs, v);
}

void view_move(struct seat *seat, bool behind)
{
    if (!seat->view)
        return;
    delist(seat);
    enlist(behind ? &seat->view->behind : &seat->view->ready, seat);
}

/* --- marks --- */

void views_mark_quote(struct views *vs, int id, const struct view_news *news)
{
    for (struct view_link *l = vs->by_symbol[id]; l; l = l->next) {
        struct view *v = l->view;
        bool tell = news->owed;
        if (v->options) {
            bool paced = view_options_paced(v->options, id);
            if (paced || !view_options_show_state(v->options, id))
                tell = news->moved;
            if (paced && !tell)
                continue;
            if (paced) {
                bits_set(&v->statuses, id);
                mark_dirty(vs, v);
                continue;
            }
        }
        if (bits_test(&v->quotes, id))
            v->merged++;
        bits_set(&v->quotes, id);
        if (news->arrival_ns < v->oldest_ns)
            v->oldest_ns = news->arrival_ns;
        if (tell)
            bits_set(&v->statuses, id);
        mark_dirty(vs, v);
    }
}

void views_mark_status(struct views *vs, int id)
{
    for (struct view_link *l = vs->by_symbol[id]; l; l = l->next) {
        bits_set(&l->view->statuses, id);
        mark_dirty(vs, l->view);
    }
}

struct view_pending view_take_pending(struct views *vs, struct view *v, struct bits *quotes,
                                      struct bits *statuses)
{
    struct view_pending p = {.oldest_ns = v->oldest_ns, .merged = v->merged};
    bits_copy(quotes, &v->quotes);
    bits_copy(statuses, &v->statuses);
    bits_clear(&v->quotes);
    bits_clear(&v->statuses);
    v->oldest_ns = INT64_MAX;
    v->merged = 0;
    undirty(vs, v);
    return p;
}
