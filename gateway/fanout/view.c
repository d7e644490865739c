/* Who holds a symbol is a row of bits, one for each view, and not a list: with views of a few
 * symbols each that is a bit per view and symbol, where a list takes two or three pointers for each
 * symbol held; and a mark reads along a row instead of jumping from link to link. The rows stay
 * short since the last view takes the number of one that goes.
 *
 * How many watch a symbol is counted where somebody sits down or leaves: that is rare, and asking
 * for it costs nothing, however many views there are.
 *
 * Rests are all equally long, so a queue in the order of the flushes is one in the order of their
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
    vs->holders = calloc(symbols_len + 1, sizeof *vs->holders);
    vs->watchers = calloc(symbols_len + 1, sizeof *vs->watchers);
    vs->due.last = &vs->due.first;
    vs->resting.last = &vs->resting.first;
    return vs->table && vs->holders && vs->watchers ? 0 : -1;
}

void views_fini(struct views *vs)
{
    REQUIRE(vs->used == 0);
    if (vs->holders)
        for (size_t i = 0; i < vs->symbols_len; i++)
            bits_fini(&vs->holders[i]);
    free(vs->table);
    free(vs->all);
    free(vs->holders);
    free(vs->watchers);
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

/* --- their numbers --- */

/* Room for one more view, which holds these symbols. */
static int reserve(struct views *vs, const struct bits *symbols)
{
    if (vs->used >= vs->all_cap) {
        size_t cap = vs->all_cap + vs->all_cap / 8 + 64;
        struct view **all = realloc(vs->all, cap * sizeof(struct view *));
        if (!all)
            return -1;
        vs->all = all;
        vs->all_cap = cap;
    }
    for (int id = bits_next(symbols, 0); id >= 0; id = bits_next(symbols, id + 1))
        if (bits_reserve(&vs->holders[id], vs->used + 1) != 0)
            return -1;
    return 0;
}

static void hold_symbols(struct views *vs, struct view *v, unsigned number)
{
    const struct bits *ids = &v->symbols;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        bits_set(&vs->holders[id], (int)number);
    vs->all[number] = v;
    v->number = number;
}

static void drop_symbols(struct views *vs, const struct view *v)
{
    const struct bits *ids = &v->symbols;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        bits_unset(&vs->holders[id], (int)v->number);
}

static void give_number_back(struct views *vs, struct view *v)
{
    struct view *last = vs->all[--vs->used];
    drop_symbols(vs, v);
    if (last == v)
        return;
    drop_symbols(vs, last);
    hold_symbols(vs, last, v->number);
}

/* --- finding and making --- */

static void free_memory(struct view *v)
{
    view_options_free(v->options);
    free(v);
}

static struct view *make(struct views *vs, const struct bits *symbols,
                         const struct view_options *options, enum encoding encoding, uint64_t hash)
{
    size_t n = vs->symbols_len;
    struct view *v = calloc(1, sizeof *v + 3 * BITS_WORDS(n) * sizeof v->words[0]);
    if (!v)
        return NULL;
    if (options)
        v->options = view_options_copy(options);
    if ((options && !v->options) || reserve(vs, symbols) != 0) {
        free_memory(v);
        return NULL;
    }
    uint64_t *words = bits_init_in(&v->symbols, v->words, n);
    words = bits_init_in(&v->quotes, words, n);
    bits_init_in(&v->statuses, words, n);
    bits_copy(&v->symbols, symbols);
    v->encoding = encoding;
    v->hash = hash;
    v->oldest_ns = INT64_MAX;
    hold_symbols(vs, v, (unsigned)vs->used++);
    if (vs->used > vs->table_len)
        grow(vs);
    struct view **slot = &vs->table[hash & (vs->table_len - 1)];
    v->hash_next = *slot;
    *slot = v;
    return v;
}

struct view *views_get(struct views *vs, const struct bits *symbols,
                       const struct view_options *options, enum encoding encoding)
{
    uint64_t hash = view_options_hash(options, bits_hash(symbols, vs->seed + encoding));
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
    give_number_back(vs, v);
    struct view **slot = &vs->table[v->hash & (vs->table_len - 1)];
    while (*slot != v)
        slot = &(*slot)->hash_next;
    *slot = v->hash_next;
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

static void count_watcher(struct views *vs, const struct view *v, size_t by)
{
    const struct bits *ids = &v->symbols;
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        vs->watchers[id] += by;
}

void view_sit(struct views *vs, struct view *v, struct seat *seat, bool behind)
{
    REQUIRE(!seat->view);
    count_watcher(vs, v, 1);
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
    count_watcher(vs, v, (size_t)-1);
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
    const struct bits *holders = &vs->holders[id];
    for (int i = bits_next(holders, 0); i >= 0; i = bits_next(holders, i + 1)) {
        struct view *v = vs->all[i];
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
    const struct bits *holders = &vs->holders[id];
    for (int i = bits_next(holders, 0); i >= 0; i = bits_next(holders, i + 1)) {
        bits_set(&vs->all[i]->statuses, id);
        mark_dirty(vs, vs->all[i]);
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
