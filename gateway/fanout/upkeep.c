/* No client is looked at because a tick comes, only because its own moment may have come; what
 * happens meanwhile just moves last_in_ns and last_out_ns, and the look finds that nothing is due
 * and puts the client back. So an idle client costs about one look per heartbeat.
 *
 * Ping and heartbeat are two things. The ping goes every interval, whatever else goes out: a client
 * that only listens to a busy market would otherwise send nothing and look dead. The heartbeat
 * message goes when nothing else went out for an interval, with a ping before it in the same write.
 */
#include "upkeep.h"

#include "age.h"
#include "owed.h"
#include "protocol.h"
#include "state.h"

static const int64_t NEVER_NS = INT64_MAX / 4;
static const int64_t SAMPLE_NS = 1000 * NS_PER_MS; /* progress of a client that is behind */

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t interval_ns(const struct client *c)
{
    return c->f->config->fanout.heartbeat_ms * NS_PER_MS + c->spread_ns;
}

/* 2.25 heartbeats: two pings may get lost on the way. Who reads events never says anything; whether
 * such a peer is gone is for the transport to notice, from what we send it. */
static int64_t idle_ns(const struct client *c)
{
    if (c->encoding == ENCODING_EVENTS)
        return NEVER_NS;
    int64_t ns = c->f->config->fanout.heartbeat_ms * NS_PER_MS / 4 * 9;
    int64_t configured_ns = c->f->config->limits.idle_ms * NS_PER_MS;
    return ns > configured_ns ? ns : configured_ns;
}

/* When it last showed life. One that is behind and still takes bytes is alive, though our ping
 * waits in the same socket behind them. */
static int64_t alive_ns(const struct client *c)
{
    if (c->path == CLIENT_BEHIND && c->owed->progress_ns > c->last_in_ns)
        return c->owed->progress_ns;
    return c->last_in_ns;
}

void upkeep_schedule(struct client *c, int64_t mono_ns)
{
    int64_t due = min_ns(c->last_ping_ns + interval_ns(c), alive_ns(c) + idle_ns(c));
    if (c->path == CLIENT_BEHIND)
        due = min_ns(due, mono_ns + SAMPLE_NS);
    else
        due = min_ns(due, c->last_out_ns + interval_ns(c));
    due = min_ns(due, c->expires_ns);
    due = min_ns(due, age_due_ns(c));
    if (c->grant.role == ROLE_NONE)
        due = min_ns(due, c->auth_by_ns);
    wheel_put(&c->f->wheel, &c->timer, mono_ns, due);
}

/* Bytes in the kernel that the peer has not taken; -1, unknown, never counts as progress. */
static void sample_progress(struct client *c, int64_t mono_ns)
{
    int64_t unsent = c->sink->unsent_bytes(c->sock);
    if (unsent < 0)
        return;
    if (unsent == 0 || unsent < c->owed->unsent_bytes)
        c->owed->progress_ns = mono_ns;
    c->owed->unsent_bytes = unsent;
}

static bool is_stuck(const struct client *c, int64_t mono_ns)
{
    int64_t slow_ns = c->f->config->limits.slow_ms * NS_PER_MS;
    return c->path == CLIENT_BEHIND && mono_ns - c->owed->progress_ns >= slow_ns;
}

static bool close_when_over(struct client *c, int64_t mono_ns)
{
    if (c->grant.role == ROLE_NONE && mono_ns >= c->auth_by_ns)
        client_close(c, CLOSE_AUTH);
    else if (mono_ns - alive_ns(c) >= idle_ns(c))
        client_close(c, CLOSE_IDLE);
    else if (is_stuck(c, mono_ns))
        client_close(c, CLOSE_SLOW);
    return c->path == CLIENT_CLOSING;
}

/* message: a heartbeat goes with it, in the same write. */
static void ping(struct client *c, bool message, int64_t wall_ms, int64_t mono_ns)
{
    struct buf *text = &c->f->text;
    c->last_ping_ns = mono_ns;
    if (c->encoding == ENCODING_EVENTS) {
        if (message)
            client_comment(c, mono_ns);
        return;
    }
    if (c->path == CLIENT_BEHIND) {
        c->owed->ping = true; /* in its turn: nothing may be pushed at a full socket */
        return;
    }
    buf_clear(text);
    if (message)
        protocol_add_time(text, TYPE_HEARTBEAT, "", wall_ms);
    client_ping(c, message ? text : NULL, mono_ns);
}

void upkeep_expire(struct client *c, int64_t mono_ns)
{
    struct grant nobody = {.by = GRANT_ENDED};
    int64_t auth_ms = c->f->config->limits.auth_ms;
    char why[80];
    client_grant(c, &nobody, (struct moment){0, mono_ns});
    c->auth_by_ns = mono_ns + auth_ms * NS_PER_MS;
    if (c->encoding == ENCODING_EVENTS) {
        client_close(c, CLOSE_AUTH);
        return;
    }
    buf_clear(&c->f->text);
    snprintf(why, sizeof why, "the token has expired: send another one within %g s",
             (double)auth_ms / 1000);
    protocol_add_error(&c->f->text, "", ERROR_AUTH_REQUIRED, why);
    client_send(c, &c->f->text, mono_ns);
}

static void look(struct client *c, int64_t wall_ms, int64_t mono_ns)
{
    if (c->path == CLIENT_BEHIND)
        sample_progress(c, mono_ns);
    if (mono_ns >= c->expires_ns)
        upkeep_expire(c, mono_ns);
    if (close_when_over(c, mono_ns) || age_pass(c, mono_ns))
        return;
    bool quiet = c->path == CLIENT_SHARED && mono_ns - c->last_out_ns >= interval_ns(c);
    if (quiet || mono_ns - c->last_ping_ns >= interval_ns(c))
        ping(c, quiet, wall_ms, mono_ns);
    if (c->path != CLIENT_CLOSING)
        upkeep_schedule(c, mono_ns);
}

void upkeep_run(struct fanout *f, int64_t wall_ms, int64_t mono_ns)
{
    for (;;) {
        struct wheel_entry *e = wheel_next(&f->wheel, mono_ns);
        if (!e)
            return;
        look(e->owner, wall_ms, mono_ns);
    }
}
