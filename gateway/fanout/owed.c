/* One pump is one go: ping, lane, snapshots, quotes, statuses, and at the very end the `flow`
 * message, in chunks, until the socket is full, nothing is left, or the go has had its share of the
 * loop.
 *
 * The client sits in its view all the time, and the view may hold marks that were not flushed yet.
 * The book's item is already the newer one, so sending it here and again at the flush would deliver
 * it twice. Hence the rule: of a symbol that is pending in the view nothing is sent here before
 * that flush. A client with nothing else left is `held`: its socket is free, the flush pumps it.
 *
 *   item ─► view.quotes ──flush──► owed.quotes ──pump──► socket
 *                                       ▲ never while the view has that symbol pending */
#include "owed.h"

#include "frame.h"
#include "protocol.h"
#include "state.h"
#include "upkeep.h"

/* Of one go; and of one write, after which the socket is looked at again. */
static const size_t GO_BYTES = 65536;
static const size_t CHUNK_BYTES = 16384;

struct owed *owed_new(size_t symbols_len, int64_t mono_ns)
{
    struct owed *o = calloc(1, sizeof *o + 3 * BITS_WORDS(symbols_len) * sizeof o->words[0]);
    if (!o)
        return NULL;
    uint64_t *words = bits_init_in(&o->quotes, o->words, symbols_len);
    words = bits_init_in(&o->statuses, words, symbols_len);
    bits_init_in(&o->snapshot, words, symbols_len);
    o->since_ns = o->progress_ns = mono_ns;
    o->unsent_bytes = INT64_MAX;
    return o;
}

void owed_free(struct owed *o)
{
    if (!o)
        return;
    buf_fini(&o->lane);
    free(o);
}

/* --- what comes to be owed --- */

void owed_add_control(struct client *c, const char *frame, size_t len, int64_t mono_ns)
{
    struct owed *o = c->owed;
    size_t most = (size_t)c->f->config->limits.acks_bytes;
    if (o->lane.len > 0 && o->lane.len + len > most) {
        client_close(c, CLOSE_SLOW);
        return;
    }
    buf_add(&o->lane, frame, len);
    o->lane_frames++;
    if (o->lane.failed)
        client_close(c, CLOSE_MEMORY);
    else if (o->held)
        owed_pump(c, mono_ns);
}

static void count_merged(struct client *c, const struct bits *newer)
{
    size_t n = bits_count_both(&c->owed->quotes, newer);
    if (n == 0)
        return;
    c->owed->merged += n;
    metrics_add(c->f->metrics, METRIC_CONFLATED, "slow", NULL, (double)n);
}

void owed_add_flush(struct client *c, const struct bits *quotes, const struct bits *statuses)
{
    count_merged(c, quotes);
    bits_or(&c->owed->quotes, quotes);
    if (statuses)
        bits_or(&c->owed->statuses, statuses);
}

void owed_replaced(struct client *c, int id)
{
    if (!bits_test(&c->owed->quotes, id))
        return;
    c->owed->merged++;
    metrics_add(c->f->metrics, METRIC_CONFLATED, "slow", NULL, 1);
}

/* Does this client learn the symbol's state from its item? */
static bool item_tells(const struct client *c, int id)
{
    return view_options_show_state(client_options(c), id) && book_item_says_state(&c->f->book, id);
}

void owed_add_snapshot(struct client *c, const struct bits *ids, const struct bits *known)
{
    struct owed *o = c->owed;
    bits_or(&o->snapshot, ids);
    o->snapshots++;
    bits_and_not(&o->snapshot, known);
    bits_and_not(&o->quotes, known);
    for (int id = bits_next(known, 0); id >= 0; id = bits_next(known, id + 1))
        if (item_tells(c, id))
            bits_unset(&o->statuses, id);
        else
            bits_set(&o->statuses, id);
}

void owed_keep_only(struct client *c, const struct bits *ids)
{
    struct bits *sets[] = {&c->owed->quotes, &c->owed->statuses, &c->owed->snapshot};
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        if (ids)
            bits_and(sets[i], ids);
        else
            bits_clear(sets[i]);
}

/* --- getting it out --- */

static bool anything_owed(const struct owed *o)
{
    return bits_any(&o->quotes) || bits_any(&o->statuses) || bits_any(&o->snapshot);
}

struct tally {
    size_t frames, items;
};

/* What of `set` may go now: nothing that is pending in the view. */
static void sendable(const struct client *c, const struct bits *set, struct bits *out)
{
    const struct view *v = c->seat.view;
    bits_copy(out, set);
    if (!v)
        return;
    bits_and_not(out, &v->quotes);
    bits_and_not(out, &v->statuses);
}

/* Items of `sent` have just been composed: does a status of theirs follow? One that an item says
 * itself is void; an item that says another state must be contradicted (one that waited for its
 * interval may be older than the last status); and a snapshot tells what its item does not say. */
static void settle_statuses(struct client *c, const struct bits *sent, bool snapshot)
{
    for (int id = bits_next(sent, 0); id >= 0; id = bits_next(sent, id + 1)) {
        const struct item *it = c->f->book.entries[id].item;
        bool contradicts = it && it->state >= 0 && view_options_show_state(client_options(c), id);
        if (item_tells(c, id))
            bits_unset(&c->owed->statuses, id);
        else if (snapshot || contradicts)
            bits_set(&c->owed->statuses, id);
    }
}

static bool add_snapshot(struct client *c, struct tally *t)
{
    struct fanout *f = c->f;
    struct owed *o = c->owed;
    struct bits *sent = &f->quotes, *rest = &f->rest;

    sendable(c, &o->snapshot, sent);
    bool empty_owed = o->snapshots > 0 && !bits_any(&o->snapshot);
    if (!bits_any(sent) && !empty_owed)
        return false;
    bits_copy(rest, sent);
    t->items += frame_add_quotes(&f->frames, &f->book, client_options(c), rest, FRAME_SNAPSHOT,
                                 fanout_compressor(f, c->encoding));
    t->frames++;
    bits_and_not(sent, rest);
    pace_sent(c, sent);
    bits_and_not(&o->snapshot, sent);
    bits_and_not(&o->quotes, sent);
    if (o->snapshots > 0)
        o->snapshots--;
    settle_statuses(c, sent, true);
    return true;
}

static bool add_quotes(struct client *c, struct tally *t)
{
    struct fanout *f = c->f;
    struct owed *o = c->owed;
    struct bits *sent = &f->quotes, *rest = &f->rest;
    sendable(c, &o->quotes, sent);
    if (!bits_any(sent))
        return false;
    bits_copy(rest, sent);
    t->items += frame_add_quotes(&f->frames, &f->book, client_options(c), rest, FRAME_CATCH_UP,
                                 fanout_compressor(f, c->encoding));
    t->frames++;
    bits_and_not(sent, rest);
    pace_sent(c, sent);
    bits_and_not(&o->quotes, sent);
    settle_statuses(c, sent, false);
    return true;
}

static bool add_statuses(struct client *c, struct tally *t)
{
    struct fanout *f = c->f;
    struct owed *o = c->owed;
    struct bits *sent = &f->statuses, *rest = &f->rest_statuses;
    sendable(c, &o->statuses, sent);
    if (!bits_any(sent))
        return false;
    bits_copy(rest, sent);
    frame_add_statuses(&f->frames, &f->book, rest, fanout_compressor(f, c->encoding));
    t->frames++;
    bits_and_not(sent, rest);
    bits_and_not(&o->statuses, sent);
    return true;
}

/* Events have no snapshot of another kind: what is owed goes in the order of its revisions,
 * whatever it is owed for, and statuses only when no item is owed or about to be (event.h says
 * why). */
static bool add_events(struct client *c, struct tally *t)
{
    struct fanout *f = c->f;
    struct owed *o = c->owed;
    const struct view *v = c->seat.view;
    struct bits *sent = &f->quotes, *rest = &f->rest, *first = &f->statuses;

    bits_copy(first, &o->snapshot);
    bits_or(first, &o->quotes);
    sendable(c, first, sent);
    if (bits_any(sent)) {
        bits_copy(rest, sent);
        size_t n = event_add_quotes(&f->events, &f->frames, &f->book, rest, CHUNK_BYTES);
        t->items += n;
        t->frames += n;
        bits_and_not(sent, rest);
        bits_and_not(&o->quotes, sent);
        bits_copy(first, sent);
        bits_and(first, &o->snapshot);
        bits_and_not(&o->snapshot, sent);
        settle_statuses(c, sent, false);
        settle_statuses(c, first, true);
        return true;
    }
    if (!bits_any(&o->statuses) || bits_any(first) || (v && v->dirty))
        return false;
    t->frames +=
        event_add_statuses(&f->events, &f->frames, &f->book, &o->statuses, FRAME_PAYLOAD_MAX);
    return true;
}

static bool add_frames(struct client *c, struct tally *t)
{
    return add_snapshot(c, t) || add_quotes(c, t) || add_statuses(c, t);
}

static bool add_flow(struct client *c, struct tally *t, int64_t mono_ns)
{
    struct owed *o = c->owed;
    struct buf *text = &c->f->text;
    if (o->merged == 0 || anything_owed(o))
        return false;
    buf_clear(text);
    protocol_begin(text, TYPE_FLOW, "");
    protocol_add_integer(text, "merged", (int64_t)o->merged);
    protocol_add_integer(text, "ms", (mono_ns - o->since_ns) / NS_PER_MS);
    protocol_end(text);
    frame_add_text(&c->f->frames, text->p, text->len);
    if (text->failed)
        c->f->frames.failed = true;
    t->frames++;
    o->merged = 0;
    return true;
}

static struct tally compose(struct client *c, int64_t mono_ns)
{
    struct owed *o = c->owed;
    struct buf *out = &c->f->frames;
    struct tally t = {.frames = o->lane_frames};
    buf_clear(out);
    if (o->ping)
        frame_add_ping(out);
    o->ping = false;
    buf_add(out, o->lane.p, o->lane.len);
    buf_fini(&o->lane);
    o->lane_frames = 0;
    while (out->len < CHUNK_BYTES && !out->failed)
        if (c->encoding == ENCODING_EVENTS ? !add_events(c, &t)
                                           : !add_frames(c, &t) && !add_flow(c, &t, mono_ns))
            break;
    return t;
}

static void finish(struct client *c, int64_t mono_ns)
{
    if (!anything_owed(c->owed)) {
        client_catch_up(c);
        return;
    }
    c->owed->held = true;
    upkeep_schedule(c, mono_ns);
}

void owed_pump(struct client *c, int64_t mono_ns)
{
    struct fanout *f = c->f;
    size_t written = 0;
    REQUIRE(c->path == CLIENT_BEHIND);
    c->owed->held = false;
    pace_catch_up(c, mono_ns);
    while (!client_busy(c) && written < GO_BYTES) {
        struct tally t = compose(c, mono_ns);
        if (f->frames.failed) {
            client_close(c, CLOSE_MEMORY);
            return;
        }
        if (f->frames.len == 0) {
            finish(c, mono_ns);
            return;
        }
        if (client_write(c, f->frames.p, f->frames.len, t.frames, mono_ns) != 0)
            return;
        f->metrics->deliveries += t.items;
        written += f->frames.len;
    }
    client_wait(c, mono_ns);
}

bool fanout_client_choked(const struct client *c)
{
    return c->path == CLIENT_BEHIND && c->owed->lane.len > 0;
}

void fanout_client_writable(struct client *c, int64_t mono_ns)
{
    if (c->path != CLIENT_BEHIND || c->owed->held)
        return;
    c->owed->progress_ns = mono_ns;
    owed_pump(c, mono_ns);
}
