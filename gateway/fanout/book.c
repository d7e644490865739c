/* The book keeps two states apart.
 *
 *   current   what follows from the held item, the market and the clock, now; never stored
 *   told      what every subscriber knows: from the `state` member of the last item, or from the
 *             last status message
 *
 * A status is owed exactly when the two differ, and telling it makes them equal. So each change is
 * told once, however often the clock is asked, and a quote that announces its state itself costs no
 * status. New subscribers are brought to `told` (book_settle() moves it to the current state
 * first), so that old and new ones hear the same changes afterwards.
 *
 * The status channel brings what a clock cannot know: the reason, the source that failed last, the
 * market. It can't override the age of a price: a poller that calls an old price live is not
 * believed. What it said holds until the next item, which knows better.
 *
 * Our clock may be set (book_clock_set()). Ages are differences: the item's times are read with the
 * same correction from then on, so that not all prices turn stale, or fresh, because of it. Only
 * where it was ahead, and items took their ts from it, time must run back: what lies in the future
 * would never have been taken, and does not keep its place. */
#include "book.h"

#include <string.h>

#include "fragment.h"

static const int64_t STALE_AFTER_MIN_MS = 120000;
static const int64_t STALE_AFTER_POLLS = 3;

int book_init(struct book *b, const struct config *config)
{
    b->config = config;
    b->len = config->instruments_len;
    b->entries = calloc(b->len + 1, sizeof *b->entries);
    if (!b->entries)
        return -1;
    for (size_t i = 0; i < b->len; i++) {
        b->entries[i].told = STATE_UNAVAILABLE;
        b->entries[i].said_market = -1;
    }
    return 0;
}

void book_fini(struct book *b)
{
    if (b->entries)
        for (size_t i = 0; i < b->len; i++) {
            fragment_forget(&b->entries[i]);
            item_unref(b->entries[i].item);
        }
    free(b->entries);
    b->entries = NULL;
}

static enum quote_market market_of(const struct book_entry *e)
{
    if (e->said_market >= 0)
        return (enum quote_market)e->said_market;
    return e->item ? e->item->market : MARKET_UNKNOWN;
}

/* The configured limit wins; then the one the item was published under; then the default. */
static int64_t stale_after_ms(const struct instrument *in, const struct item *it)
{
    if (in->stale_after_ms > 0)
        return in->stale_after_ms;
    if (it->stale_after_ms > 0)
        return it->stale_after_ms;
    int64_t polls_ms = STALE_AFTER_POLLS * in->poll_ms;
    return polls_ms > STALE_AFTER_MIN_MS ? polls_ms : STALE_AFTER_MIN_MS;
}

static struct quote_age age_of(const struct book *b, int id)
{
    const struct book_entry *e = &b->entries[id];
    const struct instrument *in = &b->config->instruments[id];
    if (!e->item)
        return (struct quote_age){.known = false};
    return (struct quote_age){
        .known = true,
        .ts_ms = e->item->ts_ms + e->set_ms,
        .recv_ms = e->item->recv_ms + e->set_ms,
        .delayed_s = e->item->delayed_s,
        .market = market_of(e),
        .stale_after_ms = stale_after_ms(in, e->item),
        .delayed_after_ms = in->delayed_after_ms,
        .ttl_ms = 1000 * in->ttl_s,
    };
}

/* When the state that holds now began, if time alone brought it; else now. */
static int64_t began_ms(const struct quote_age *a, enum quote_state state, int64_t wall_ms)
{
    if (!a->known)
        return wall_ms;
    int64_t stale_ms = a->recv_ms + a->stale_after_ms + 1;
    int64_t at_ms = state == STATE_STALE         ? stale_ms
                    : state == STATE_UNAVAILABLE ? stale_ms + a->ttl_ms
                                                 : wall_ms;
    return at_ms < wall_ms ? at_ms : wall_ms;
}

static void tell(struct book_entry *e, enum quote_state state, int64_t since_ms)
{
    if (e->told != state || e->since_ms == 0)
        e->since_ms = since_ms;
    e->told = state;
}

/* The same publication, or an earlier one of the same owner that took the longer way round: at one
 * ts arrival decides between owners, never between two words of the same. Other programs may number
 * theirs badly, all alike for example: what is newer, or has other bytes, is no copy. */
static bool is_copy(const struct item *it, const struct item *held)
{
    if (!it->has_seq || !held->has_seq || it->ts_ms != held->ts_ms ||
        it->epoch_ms != held->epoch_ms)
        return false;
    if (item_same_seq(it, held))
        return it->len == held->len && memcmp(it->bytes, held->bytes, it->len) == 0;
    return it->counter < held->counter;
}

enum fanout_verdict book_item(struct book *b, int id, struct item *it, int64_t wall_ms, bool *owed)
{
    wall_ms -= b->lag_ms;
    struct book_entry *e = &b->entries[id];
    if (!e->ahead && !item_replaces(it, e->item))
        return FANOUT_OLDER;
    if (e->item && is_copy(it, e->item))
        return FANOUT_DUPLICATE;
    fragment_forget(e);
    item_unref(e->item);
    e->item = item_ref(it);
    /* A sender whose clock is ahead of ours does not make its price any younger than new. */
    e->set_ms = it->recv_ms > wall_ms ? wall_ms - it->recv_ms : 0;
    e->ahead = false;
    e->updates++;
    e->revision = ++b->revision;
    e->said_market = -1;
    e->said_source[0] = e->reason[0] = '\0';

    struct quote_age a = age_of(b, id);
    enum quote_state state = quote_state_at(&a, wall_ms);
    /* An item that says another state must be contradicted, even if that is no change. */
    *owed = it->state != (int)state && (it->state >= 0 || e->told != state);
    tell(e, state, began_ms(&a, state, wall_ms));
    return FANOUT_TAKEN;
}

static bool settle(struct book *b, int id, int64_t wall_ms)
{
    struct book_entry *e = &b->entries[id];
    struct quote_age a = age_of(b, id);
    enum quote_state state = quote_state_at(&a, wall_ms);
    bool owed = state != e->told;
    tell(e, state, began_ms(&a, state, wall_ms));
    return owed;
}

bool book_settle(struct book *b, int id, int64_t wall_ms)
{
    return settle(b, id, wall_ms - b->lag_ms);
}

void book_clock_set(struct book *b, int64_t by_ms, int64_t wall_ms)
{
    for (size_t i = 0; i < b->len; i++) {
        struct book_entry *e = &b->entries[i];
        if (e->since_ms > 0)
            e->since_ms += by_ms;
        e->set_ms += by_ms;
        e->ahead = e->item && e->item->ts_ms > wall_ms - b->lag_ms + ITEM_AHEAD_MAX_MS;
    }
}

bool book_tick(struct book *b, int id, int64_t wall_ms)
{
    wall_ms -= b->lag_ms;
    const struct book_entry *e = &b->entries[id];
    if (b->config->instruments[id].sources_len > 0) {
        struct quote_age a = age_of(b, id);
        if (quote_state_at(&a, wall_ms) != e->told &&
            quote_state_at(&a, wall_ms - BOOK_GRACE_MS) == e->told)
            return false; /* just now, by time alone: the poller may say why */
    }
    return settle(b, id, wall_ms);
}

/* --- the status channel --- */

struct said {
    int state, market; /* market -1 = not said, or unknown */
    int64_t since_ms;  /* 0 = not said */
    const char *reason, *source;
};

/* An optional string member: absent and null are the same. */
static int read_text(const json_t *root, const char *name, const char **out, struct err *err)
{
    const json_t *v = json_object_get(root, name);
    if (v && !json_is_null(v) && !json_is_string(v))
        return err_set(err, "%s is not a string", name);
    *out = json_string_value(v);
    return 0;
}

static int read_said(const json_t *root, const char *symbol, struct said *s, struct err *err)
{
    const char *name = NULL, *state = NULL, *market = NULL;
    if (!json_is_object(root) || read_text(root, "symbol", &name, err) != 0 || !name ||
        strcmp(name, symbol) != 0)
        return err_set(err, "not an object whose symbol is the channel's, %s", symbol);
    if (read_text(root, "state", &state, err) != 0 || read_text(root, "market", &market, err) != 0)
        return -1;
    s->state = state ? quote_state_parse(state, strlen(state)) : -1;
    if (s->state < 0)
        return err_set(err, "state is not one of the five");
    s->market = market ? quote_market_parse(market, strlen(market)) : MARKET_UNKNOWN;
    if (s->market < 0)
        return err_set(err, "market is not one that is known");
    /* A poller that can't reach its source doesn't know the market any more; what the price said
     * of it still counts. `closed` without a market says it all the same. */
    if (s->market == MARKET_UNKNOWN)
        s->market = s->state == STATE_CLOSED ? MARKET_CLOSED : -1;
    const json_t *since = json_object_get(root, "since");
    if (since && !json_is_null(since) && !json_is_number(since))
        return err_set(err, "since is not a time in ms");
    s->since_ms = json_is_integer(since) ? json_integer_value(since) : 0;
    if (read_text(root, "reason", &s->reason, err) != 0)
        return -1;
    return read_text(root, "source", &s->source, err);
}

static bool believe(struct book *b, int id, const struct said *s, int64_t wall_ms)
{
    struct book_entry *e = &b->entries[id];
    char before[sizeof e->reason];
    memcpy(before, e->reason, sizeof before);
    if (s->market >= 0)
        e->said_market = s->market;
    snprintf(e->reason, sizeof e->reason, "%s", s->reason ? s->reason : "");
    if (s->source)
        snprintf(e->said_source, sizeof e->said_source, "%s", s->source);

    bool first = e->since_ms == 0;
    bool owed = settle(b, id, wall_ms);
    bool moved = first || owed;
    if (moved && s->state == (int)e->told && s->since_ms > 0 && s->since_ms <= wall_ms)
        e->since_ms = s->since_ms;
    /* Without any price the reason is all there is to tell: a new one is news by itself. */
    return owed || (!e->item && e->reason[0] && strcmp(e->reason, before) != 0);
}

int book_said(struct book *b, int id, const char *bytes, size_t len, int64_t wall_ms,
              struct err *err)
{
    struct said s = {0};
    json_t *root = jsonx_parse(bytes, len, ITEM_BYTES_MAX, err);
    if (!root)
        return -1;
    int rc = read_said(root, b->config->instruments[id].symbol, &s, err);
    if (rc == 0)
        rc = believe(b, id, &s, wall_ms - b->lag_ms) ? 1 : 0;
    json_decref(root);
    return rc;
}

/* --- what is known --- */

bool book_item_says_state(const struct book *b, int id)
{
    const struct book_entry *e = &b->entries[id];
    return e->item && e->item->state == (int)e->told;
}

struct standing book_standing(const struct book *b, int id, int64_t wall_ms)
{
    wall_ms -= b->lag_ms;
    const struct book_entry *e = &b->entries[id];
    struct quote_age a = age_of(b, id);
    enum quote_state state = quote_state_at(&a, wall_ms);
    bool told = state == e->told && e->since_ms > 0;
    return (struct standing){
        .item = e->item,
        .state = state,
        .market = market_of(e),
        .recv_ms = a.recv_ms,
        .since_ms = told ? e->since_ms : began_ms(&a, state, wall_ms),
        .reason = e->reason[0] ? e->reason : NULL,
    };
}

struct book_status_view book_status_of(const struct book *b, int id)
{
    const struct book_entry *e = &b->entries[id];
    const char *source = e->said_source[0] ? e->said_source : e->item ? e->item->source : "";
    return (struct book_status_view){
        .symbol = b->config->instruments[id].symbol,
        .source = source[0] ? source : NULL,
        .reason = e->reason[0] ? e->reason : NULL,
        .state = e->told,
        .market = market_of(e),
        .since_ms = e->since_ms,
    };
}
