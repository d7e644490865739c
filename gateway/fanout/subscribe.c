/* Changing seats without a gap and without a duplicate.
 *
 * A client that wants another set of symbols moves from its view to the view of the new set. Both
 * are flushed before: the old one, so that it gets what was pending for it there; the new one, so
 * that it does not get what its snapshot is going to hold. In between nothing can arrive, because
 * nothing here returns to the loop. The states of new symbols are settled first of all: if the
 * clock has just moved one, the others hear it in that flush and the newcomer in its snapshot's
 * status.
 *
 *   settle ─ flush old and new ─ ack ─ move ─ snapshot and status (the way of a slow client: owed)
 *
 * Everything that may fail for want of memory is done before anything is said. */
#include "subscribe.h"

#include "flush.h"
#include "owed.h"
#include "selection.h"
#include "since.h"
#include "state.h"

/* A change under way. All sets are over the configured instruments. */
struct change {
    struct selection sel;
    struct bits active; /* what the client will have */
    struct bits
        fresh; /* subscribe: of these, what it has not now, or not like this; else what goes */
    struct bits known;   /* subscribe: taken out of fresh, since the client has the newest */
    struct bits waiting; /* had already, with an update that waited for its interval */
    struct view_options *options; /* of `active`; NULL when there are none */
    struct fields *fields;        /* of this command, referenced */
    struct pace *pace;            /* of this command, not begun */
    struct view *view;            /* of `active`, referenced; NULL when that is empty */
};

static void change_fini(struct change *ch)
{
    selection_fini(&ch->sel);
    bits_fini(&ch->active);
    bits_fini(&ch->fresh);
    bits_fini(&ch->known);
    bits_fini(&ch->waiting);
    view_options_free(ch->options);
    fields_unref(ch->fields);
    free(ch->pace);
}

/* Starts with what the client has. */
static int change_init(struct change *ch, const struct client *c)
{
    size_t n = c->f->config->instruments_len;
    const struct view_options *options = client_options(c);
    if (bits_init(&ch->active, n) != 0 || bits_init(&ch->fresh, n) != 0 ||
        bits_init(&ch->known, n) != 0 || bits_init(&ch->waiting, n) != 0)
        return -1;
    if (c->seat.view)
        bits_copy(&ch->active, &c->seat.view->symbols);
    if (options)
        ch->options = view_options_copy(options);
    return options && !ch->options ? -1 : 0;
}

/* False: refused, and the client told so. */
static bool read_symbols(struct client *c, const struct command *cmd, const struct grant *grant,
                         struct change *ch, struct moment now)
{
    struct err err;
    switch (selection_init(&ch->sel, c->f->config, grant, cmd->root, &err)) {
    case SELECTION_OK:
        return true;
    case SELECTION_MALFORMED:
        command_refuse(c, cmd->id, ERROR_BAD_MESSAGE, err.text, now.mono_ns);
        return false;
    case SELECTION_NO_MEMORY:
        break;
    }
    command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
    return false;
}

/* The symbols of `fresh` get these options; none left at all is the same as NULL. -1: no memory. */
static int put_options(struct change *ch, const struct client *c, bool paced, struct fields *fields)
{
    if (!ch->options && (paced || fields)) {
        ch->options = view_options_new(c->f->config->instruments_len);
        if (!ch->options)
            return -1;
    }
    if (!ch->options)
        return 0;
    for (int id = bits_next(&ch->fresh, 0); id >= 0; id = bits_next(&ch->fresh, id + 1))
        if (view_options_set(ch->options, id, paced, fields) != 0)
            return -1;
    if (!view_options_any(ch->options)) {
        view_options_free(ch->options);
        ch->options = NULL;
    }
    return 0;
}

/* Finds the view of the new set and flushes both sides. -1: no memory, nothing has changed. */
static int prepare(struct client *c, struct change *ch, struct moment now)
{
    struct fanout *f = c->f;
    if (bits_any(&ch->active)) {
        ch->view = views_get(&f->views, &ch->active, ch->options, c->encoding);
        if (!ch->view)
            return -1;
    }
    if (ch->view == c->seat.view && !bits_any(&ch->fresh))
        return 0; /* another interval alone leaves it in its view, but with a snapshot to come */
    if (c->seat.view)
        flush_view(f, c->seat.view, now.mono_ns);
    if (ch->view)
        flush_view(f, ch->view, now.mono_ns);
    return 0;
}

static void move(struct client *c, struct change *ch)
{
    if (c->path != CLIENT_CLOSING)
        client_sit(c, ch->view);
    if (ch->view)
        view_unref(&c->f->views, ch->view);
    ch->view = NULL;
}

/* --- subscribe --- */

static bool has_these_options(const struct client *c, int id, const struct command *cmd,
                              const struct fields *fields)
{
    const struct view_options *o = client_options(c);
    return view_options_fields(o, id) == fields &&
           (view_options_paced(o, id) ? pace_interval_ms(c, id) : 0) == cmd->interval_ms;
}

/* Takes names in their order up to the limit; sel.order keeps those that were taken. */
static void take_symbols(const struct client *c, const struct command *cmd, struct change *ch)
{
    const struct config *config = c->f->config;
    struct selection *s = &ch->sel;
    size_t limit = (size_t)config->limits.symbols_per_connection;
    size_t have = bits_count(&ch->active), kept = 0;
    for (size_t i = 0; i < s->order_len; i++) {
        int id = s->order[i];
        if (!bits_test(&ch->active, id)) {
            if (have >= limit) {
                s->over++;
                protocol_add_rejected(&s->rejected, config->instruments[id].symbol, "symbol_limit",
                                      "this connection has as many symbols as it may have");
                continue;
            }
            bits_set(&ch->active, id);
            bits_set(&ch->fresh, id);
            have++;
        } else if (!has_these_options(c, id, cmd, ch->fields)) {
            bits_set(&ch->fresh, id);
        }
        s->order[kept++] = id;
    }
    s->order_len = kept;
}

static int keep_patterns(struct client *c, const struct command *cmd, struct change *ch)
{
    struct selection *s = &ch->sel;
    size_t i, limit = (size_t)c->f->config->limits.symbols_per_connection;
    const json_t *v;
    json_array_foreach(s->list, i, v)
    {
        const char *name = json_string_value(v);
        if (!symbol_is_pattern(name, json_string_length(v)))
            continue;
        if (c->patterns.len >= limit && !patterns_has(&c->patterns, name)) {
            s->over++;
            protocol_add_rejected(&s->rejected, name, "symbol_limit",
                                  "this connection has as many patterns as it may have");
        } else if (patterns_add(&c->patterns, name, cmd->interval_ms, ch->fields) != 0) {
            return -1;
        }
    }
    return 0;
}

static void add_taken(struct buf *text, const struct client *c, const struct selection *s)
{
    buf_adds(text, ",\"symbols\":[");
    for (size_t i = 0; i < s->order_len; i++) {
        if (i > 0)
            buf_addc(text, ',');
        buf_adds_json(text, c->f->config->instruments[s->order[i]].symbol);
    }
    buf_addc(text, ']');
}

static void count_rejected(struct client *c, const char *reason, size_t n)
{
    if (n > 0)
        metrics_add(c->f->metrics, METRIC_REJECTED, reason, NULL, (double)n);
}

static void send_subscribed(struct client *c, const struct command *cmd, const struct change *ch,
                            struct moment now)
{
    struct buf *text = &c->f->text;
    count_rejected(c, "symbol_limit", ch->sel.over);
    count_rejected(c, "unknown_symbol", ch->sel.unknown);
    buf_clear(text);
    protocol_begin(text, TYPE_SUBSCRIBED, cmd->id);
    add_taken(text, c, &ch->sel);
    protocol_add_array(text, "rejected", &ch->sel.rejected);
    protocol_add_symbols(text, "active", c->f->config, &ch->active);
    protocol_end(text);
    client_send(c, text, now.mono_ns);
}

static void settle(struct fanout *f, const struct bits *ids, int64_t wall_ms)
{
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1))
        if (book_settle(&f->book, id, wall_ms))
            views_mark_status(&f->views, id);
}

/* The snapshot; without one, what waited under the options that the symbols had until now. */
static void send_values(struct client *c, const struct command *cmd, const struct change *ch,
                        int64_t mono_ns)
{
    bool waits = c->path == CLIENT_BEHIND;
    if (!cmd->snapshot && (waits || !bits_any(&ch->waiting)))
        return;
    if (c->path == CLIENT_CLOSING || (!waits && client_fall_behind(c, mono_ns) != 0))
        return;
    if (cmd->snapshot)
        owed_add_snapshot(c, &ch->fresh, &ch->known);
    else
        owed_add_flush(c, &ch->waiting, NULL);
    if (!waits || c->owed->held)
        owed_pump(c, mono_ns);
}

/* All that may fail, short of the view. */
static int make_change(struct client *c, const struct command *cmd, struct change *ch)
{
    if (change_init(ch, c) != 0)
        return -1;
    if (cmd->fields) {
        ch->fields = fields_get(&c->f->field_sets, cmd->fields);
        if (!ch->fields)
            return -1;
    }
    if (keep_patterns(c, cmd, ch) != 0)
        return -1;
    take_symbols(c, cmd, ch);
    if (put_options(ch, c, cmd->interval_ms > 0, ch->fields) != 0)
        return -1;
    if (cmd->interval_ms > 0 && bits_any(&ch->fresh)) {
        ch->pace = pace_new(c->f, &ch->fresh, cmd->interval_ms);
        if (!ch->pace)
            return -1;
    }
    return ch->sel.rejected.failed ? -1 : 0;
}

/* The symbols of `fresh` leave the intervals they had for the one they have now. */
static void change_pace(struct client *c, struct change *ch, int64_t mono_ns)
{
    if (c->path == CLIENT_CLOSING)
        return;
    pace_drop(c, &ch->fresh, &ch->waiting);
    if (ch->pace)
        pace_begin(ch->pace, c, mono_ns);
    ch->pace = NULL;
}

void subscribe_run(struct client *c, const struct command *cmd, struct moment now)
{
    struct change ch = {0};
    if (!read_symbols(c, cmd, &c->grant, &ch, now))
        goto out;
    bool ok = make_change(c, cmd, &ch) == 0;
    if (ok)
        settle(c->f, &ch.fresh, now.wall_ms);
    if (!ok || prepare(c, &ch, now) != 0) {
        command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
        goto out;
    }
    send_subscribed(c, cmd, &ch, now);
    move(c, &ch);
    change_pace(c, &ch, now.mono_ns);
    since_split(cmd->since, &c->f->book, &ch.fresh, &ch.known);
    send_values(c, cmd, &ch, now.mono_ns);
out:
    change_fini(&ch);
}

/* --- unsubscribe, reset, list --- */

static void send_unsubscribed(struct client *c, const struct command *cmd, const struct change *ch,
                              struct moment now)
{
    struct buf *text = &c->f->text;
    buf_clear(text);
    protocol_begin(text, TYPE_UNSUBSCRIBED, cmd->id);
    protocol_add_symbols(text, "symbols", c->f->config, &ch->fresh);
    protocol_add_symbols(text, "active", c->f->config, &ch->active);
    protocol_end(text);
    client_send(c, text, now.mono_ns);
}

/* ch->fresh goes. False: no memory, nothing has changed. */
static bool give_up(struct client *c, const struct command *cmd, struct change *ch,
                    struct moment now)
{
    bits_and(&ch->fresh, &ch->active);
    bits_and_not(&ch->active, &ch->fresh);
    if (put_options(ch, c, false, NULL) != 0 || prepare(c, ch, now) != 0)
        return false;
    pace_drop(c, &ch->fresh, &ch->waiting);
    if (c->path == CLIENT_BEHIND)
        owed_keep_only(c, &ch->active);
    send_unsubscribed(c, cmd, ch, now);
    move(c, ch);
    return true;
}

void subscribe_undo(struct client *c, const struct command *cmd, struct moment now)
{
    struct change ch = {0};
    bool ok = false;
    if (!read_symbols(c, cmd, NULL, &ch, now))
        goto out;
    if (change_init(&ch, c) == 0) {
        bits_copy(&ch.fresh, &ch.sel.ids);
        ok = give_up(c, cmd, &ch, now);
    }
    if (ok)
        patterns_remove(&c->patterns, &ch.sel.patterns);
    else
        command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
out:
    change_fini(&ch);
}

void subscribe_reset(struct client *c, const struct command *cmd, struct moment now)
{
    struct change ch = {0};
    bool ok = false;
    if (change_init(&ch, c) == 0) {
        bits_copy(&ch.fresh, &ch.active);
        ok = give_up(c, cmd, &ch, now);
    }
    if (ok)
        patterns_fini(&c->patterns);
    else
        command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
    change_fini(&ch);
}

/* What the client gets without having asked: all that `keep` (NULL = nothing) does not allow goes.
 * Without memory for it the client goes: it must not keep what it may not see. */
static void take_away(struct client *c, const struct grant *keep, struct moment now)
{
    static const struct command nameless = {.id = ""};
    struct change ch = {0};
    bool ok = change_init(&ch, c) == 0;
    if (ok) {
        for (int id = bits_next(&ch.active, 0); id >= 0; id = bits_next(&ch.active, id + 1))
            if (!keep || !grant_allows(keep, c->f->config->instruments[id].symbol))
                bits_set(&ch.fresh, id);
        if (bits_any(&ch.fresh))
            ok = give_up(c, &nameless, &ch, now);
    }
    if (!ok)
        client_close(c, CLOSE_MEMORY);
    change_fini(&ch);
}

void subscribe_confine(struct client *c, struct moment now)
{
    take_away(c, &c->grant, now);
}

void subscribe_none(struct client *c, struct moment now)
{
    take_away(c, NULL, now);
}

void subscribe_list(struct client *c, const struct command *cmd, struct moment now)
{
    struct change ch = {0};
    struct buf *text = &c->f->text;
    if (change_init(&ch, c) == 0) {
        buf_clear(text);
        protocol_begin(text, TYPE_SUBSCRIPTIONS, cmd->id);
        protocol_add_symbols(text, "active", c->f->config, &ch.active);
        protocol_end(text);
        client_send(c, text, now.mono_ns);
    } else {
        command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
    }
    change_fini(&ch);
}
