#include "client.h"

#include <inttypes.h>
#include <string.h>

#include "age.h"
#include "frame.h"
#include "log.h"
#include "owed.h"
#include "protocol.h"
#include "refresh.h"
#include "state.h"
#include "upkeep.h"

static const int64_t SPREAD_PART = 8; /* the heartbeat's phase differs by up to 1/8 of it */
static const int64_t EXPIRES_MAX_MS = INT64_C(3155760000000); /* 100 years: never */

/* --- life --- */

struct client *client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                          const struct grant *grant, int64_t wall_ms, int64_t mono_ns)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    int64_t heartbeat_ns = f->config->fanout.heartbeat_ms * NS_PER_MS;
    *c = (struct client){
        .f = f,
        .sink = sink,
        .sock = sock,
        .path = CLIENT_SHARED,
        .reason = CLOSE_PEER,
        .next = f->clients,
        .prev = &f->clients,
        .since_ns = mono_ns,
        .last_in_ns = mono_ns,
        .last_out_ns = mono_ns,
        .last_ping_ns = mono_ns,
        .auth_by_ns = mono_ns + f->config->limits.auth_ms * NS_PER_MS,
        .spread_ns = (int64_t)(fanout_random(f) % (uint64_t)(heartbeat_ns / SPREAD_PART + 1)),
    };
    f->mono_ns = mono_ns;
    c->seat.client = c;
    c->timer.owner = c;
    if (f->clients)
        f->clients->prev = &c->next;
    f->clients = c;
    f->clients_len++;
    f->metrics->connections++;
    struct grant own = grant_ref(grant);
    client_grant(c, &own, (struct moment){wall_ms, mono_ns});
    age_begin(c, mono_ns);
    snprintf(c->session, sizeof c->session, "%016" PRIx64, fanout_random(f));
    upkeep_schedule(c, mono_ns);
    return c;
}

struct client *fanout_client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                                 const struct grant *grant, int64_t wall_ms, int64_t mono_ns)
{
    struct client *c = client_new(f, sink, sock, grant, wall_ms, mono_ns);
    if (!c)
        return NULL;
    buf_clear(&f->text);
    protocol_add_welcome(&f->text, f->config, c->session, wall_ms);
    client_send(c, &f->text, mono_ns);
    return c;
}

void fanout_client_compress(struct client *c)
{
    REQUIRE(c->f->compressor && !c->seat.view);
    c->encoding = ENCODING_COMPRESSED_FRAMES;
}

void client_grant(struct client *c, struct grant *grant, struct moment now)
{
    grant_fini(&c->grant);
    c->grant = *grant;
    *grant = (struct grant){0};
    c->expires_ns = INT64_MAX;
    /* Tokens for thousands of years are made by those who want none that ends. */
    int64_t left_ms = c->grant.expires_ms - now.wall_ms;
    if (c->grant.expires_ms > 0 && left_ms < EXPIRES_MAX_MS)
        c->expires_ns = now.mono_ns + left_ms * NS_PER_MS;
}

void client_relink(struct client *c, struct fanout *to)
{
    struct fanout *from = c->f;
    wheel_remove(&from->wheel, &c->timer);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    from->clients_len--;
    c->f = to;
    c->next = to->clients;
    c->prev = &to->clients;
    if (to->clients)
        to->clients->prev = &c->next;
    to->clients = c;
    to->clients_len++;
}

void client_move(struct client *c, struct fanout *to, int64_t mono_ns)
{
    if (c->f == to || c->path == CLIENT_CLOSING)
        return;
    REQUIRE(!c->due_listed);
    pace_drop_all(c);
    client_sit(c, NULL);
    patterns_fini(&c->patterns);
    client_relink(c, to);
    to->mono_ns = mono_ns;
    upkeep_schedule(c, mono_ns);
}

void client_leave(struct client *c)
{
    if (c->path == CLIENT_CLOSING)
        return;
    pace_drop_all(c);
    client_sit(c, NULL);
    patterns_fini(&c->patterns);
    c->path = CLIENT_CLOSING;
    owed_free(c->owed);
    c->owed = NULL;
    wheel_remove(&c->f->wheel, &c->timer);
}

void client_close(struct client *c, enum close_reason reason)
{
    if (c->path == CLIENT_CLOSING)
        return;
    fanout_client_reason(c, reason);
    client_leave(c);
    c->sink->close(c->sock, reason);
}

void fanout_client_closing(struct client *c)
{
    client_leave(c);
}

void fanout_client_reason(struct client *c, enum close_reason reason)
{
    if (c->reason == CLOSE_PEER)
        c->reason = reason;
}

/* Whom we ended is told of always. Of those who went by themselves ten a second are: a whole fleet
 * of pages may go at once, and that is no news after the first ones. */
static void log_closed(const struct client *c, const char *reason)
{
    static const int64_t LEFT_EVERY_MS = 100;
    unsigned suppressed = 0;
    if (c->reason == CLOSE_PEER && !log_enabled(LOG_DEBUG) &&
        !log_limit_pass(&c->f->left_limit, c->f->mono_ns / NS_PER_MS, LEFT_EVERY_MS, &suppressed))
        return;
    log_event(LOG_INFO, "client_closed", "reason=%s session=%s suppressed=%u", reason, c->session,
              suppressed);
}

void fanout_client_free(struct client *c)
{
    struct fanout *f = c->f;
    if (c->told_ns > 0) /* it goes by itself, because it was told to */
        fanout_client_reason(c, CLOSE_AGE);
    const char *reason = close_reason_name(c->reason);
    REQUIRE(!c->due_listed);
    client_leave(c);
    refresh_forget(c);
    metrics_add(f->metrics, METRIC_DISCONNECTS, reason, NULL, 1);
    log_closed(c, reason);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    f->clients_len--;
    f->metrics->connections--;
    grant_fini(&c->grant);
    free(c->refused_ns);
    free(c);
}

struct client_info fanout_client_info(const struct client *c, int64_t mono_ns)
{
    return (struct client_info){
        .session = c->session,
        .subject = c->grant.subject,
        .role = c->grant.role,
        .symbols = client_symbols(c),
        .events = c->encoding == ENCODING_EVENTS,
        .slow = c->path == CLIENT_BEHIND,
        .age_ms = (mono_ns - c->since_ns) / NS_PER_MS,
    };
}

void fanout_client_alive(struct client *c, int64_t mono_ns)
{
    c->last_in_ns = mono_ns;
}

/* --- where it sits --- */

size_t client_symbols(const struct client *c)
{
    return c->seat.view ? bits_count(&c->seat.view->symbols) : 0;
}

const struct view_options *client_options(const struct client *c)
{
    return c->seat.view ? c->seat.view->options : NULL;
}

void client_sit(struct client *c, struct view *v)
{
    if (v == c->seat.view)
        return;
    c->f->metrics->subscriptions -= client_symbols(c);
    view_leave(&c->f->views, &c->seat);
    if (v)
        view_sit(&c->f->views, v, &c->seat, c->path == CLIENT_BEHIND);
    c->f->metrics->subscriptions += client_symbols(c);
}

/* --- what goes out --- */

bool client_busy(const struct client *c)
{
    return c->sink->busy(c->sock);
}

int client_write(struct client *c, const void *bytes, size_t len, size_t frames, int64_t mono_ns)
{
    if (c->path == CLIENT_CLOSING)
        return -1;
    if (c->sink->write(c->sock, bytes, len) != 0) {
        client_close(c, CLOSE_WRITE);
        return -1;
    }
    c->last_out_ns = mono_ns;
    c->f->metrics->frames += frames;
    return 0;
}

void client_send(struct client *c, const struct buf *text, int64_t mono_ns)
{
    struct fanout *f = c->f;
    if (c->path == CLIENT_CLOSING || c->encoding == ENCODING_EVENTS)
        return;
    buf_clear(&f->frames);
    frame_add_text(&f->frames, text->p, text->len);
    if (text->failed || f->frames.failed) {
        client_close(c, CLOSE_MEMORY);
        return;
    }
    bool wait = false;
    if (c->path == CLIENT_SHARED && client_busy(c)) {
        if (client_fall_behind(c, mono_ns) != 0)
            return;
        wait = true;
    }
    if (c->path == CLIENT_BEHIND) {
        owed_add_control(c, f->frames.p, f->frames.len, mono_ns);
    } else if (client_write(c, f->frames.p, f->frames.len, 1, mono_ns) == 0 && client_busy(c)) {
        wait = client_fall_behind(c, mono_ns) == 0;
    }
    if (wait && c->path == CLIENT_BEHIND)
        client_wait(c, mono_ns);
}

void client_ping(struct client *c, const struct buf *text, int64_t mono_ns)
{
    struct buf *out = &c->f->frames;
    const int64_t last_out_ns = c->last_out_ns;
    REQUIRE(c->path == CLIENT_SHARED);
    buf_clear(out);
    frame_add_ping(out);
    if (text)
        frame_add_text(out, text->p, text->len);
    if (out->failed || (text && text->failed)) {
        client_close(c, CLOSE_MEMORY);
        return;
    }
    bool wait = client_busy(c);
    if (wait && client_fall_behind(c, mono_ns) == 0) {
        c->owed->ping = true;
    } else if (!wait && client_write(c, out->p, out->len, text ? 1 : 0, mono_ns) == 0) {
        if (!text)
            c->last_out_ns = last_out_ns; /* a ping is no message: the heartbeat is still due */
        wait = client_busy(c) && client_fall_behind(c, mono_ns) == 0;
    }
    if (wait && c->path == CLIENT_BEHIND)
        client_wait(c, mono_ns);
}

/* Between two events. */
static void write_lines(struct client *c, const char *lines, int64_t mono_ns)
{
    REQUIRE(c->path == CLIENT_SHARED);
    bool wait = client_busy(c);
    if (!wait && client_write(c, lines, strlen(lines), 0, mono_ns) == 0)
        wait = client_busy(c);
    if (wait && client_fall_behind(c, mono_ns) == 0)
        client_wait(c, mono_ns);
}

void client_comment(struct client *c, int64_t mono_ns)
{
    write_lines(c, EVENT_COMMENT, mono_ns);
}

void client_goaway(struct client *c, const char *reason, int64_t reconnect_ms, int64_t mono_ns)
{
    struct buf *text = &c->f->text;
    char lines[EVENT_RETRY_MAX];
    if (c->encoding == ENCODING_EVENTS) {
        if (c->path == CLIENT_SHARED)
            write_lines(c, event_retry(reconnect_ms, lines), mono_ns);
        return;
    }
    buf_clear(text);
    protocol_begin(text, TYPE_GOAWAY, "");
    protocol_add_string(text, "reason", reason);
    protocol_add_integer(text, "reconnect_ms", reconnect_ms);
    protocol_end(text);
    client_send(c, text, mono_ns);
}

int client_fall_behind(struct client *c, int64_t mono_ns)
{
    REQUIRE(c->path == CLIENT_SHARED);
    c->owed = owed_new(c->f->config->instruments_len, mono_ns);
    if (!c->owed) {
        client_close(c, CLOSE_MEMORY);
        return -1;
    }
    c->path = CLIENT_BEHIND;
    view_move(&c->seat, true);
    return 0;
}

void client_catch_up(struct client *c)
{
    REQUIRE(c->path == CLIENT_BEHIND);
    owed_free(c->owed);
    c->owed = NULL;
    c->path = CLIENT_SHARED;
    view_move(&c->seat, false);
}

void client_audit(struct client *c, const char *action, const char *what, const char *refused)
{
    if (c->sink->audit)
        c->sink->audit(c->sock, action, what, refused);
}

void client_wait(struct client *c, int64_t mono_ns)
{
    c->sink->want_writable(c->sock);
    upkeep_schedule(c, mono_ns);
}
