/* Two limits hold for what a client sends. Admitted commands are paid for from a bucket that
 * commands_per_minute fill (a full one allows that many at once). Refused ones, whatever the
 * reason, are remembered by time: when the last (limits.refused_per_minute) of them lies within a
 * minute of the first, the client is closed. Bad messages are answered, because a person with a
 * terminal needs to see what was wrong; only a program sends a hundred of them. */
#include "command.h"

#include "refresh.h"
#include "state.h"
#include "subscribe.h"
#include "upkeep.h"

static const int64_t MINUTE_NS = 60000 * NS_PER_MS;

/* --- refusing --- */

/* Nobody was refused yet. -1: out of memory. */
static int make_ring(struct client *c, int64_t mono_ns)
{
    size_t len = (size_t)c->f->config->limits.refused_per_minute;
    int64_t *ring = calloc(len, sizeof *ring);
    for (size_t i = 0; ring && i < len; i++)
        ring[i] = mono_ns - MINUTE_NS;
    c->refused_ns = ring;
    c->refused_len = len;
    return ring ? 0 : -1;
}

/* Remembers one more; true when it is one too many. */
static bool too_many_refused(struct client *c, int64_t mono_ns)
{
    /* The ring holds the last ones: the slot that follows this one is the oldest of them. */
    c->refused_ns[c->refused_at] = mono_ns;
    c->refused_at = (c->refused_at + 1) % c->refused_len;
    return mono_ns - c->refused_ns[c->refused_at] < MINUTE_NS;
}

void command_refuse(struct client *c, const char *id, enum protocol_error error,
                    const char *message, int64_t mono_ns)
{
    struct buf *text = &c->f->text;
    metrics_add(c->f->metrics, METRIC_REJECTED, protocol_error_name(error), NULL, 1);
    buf_clear(text);
    protocol_add_error(text, id, error, message);
    client_send(c, text, mono_ns);
    if (!c->refused_ns && make_ring(c, mono_ns) != 0)
        client_close(c, CLOSE_MEMORY);
    else if (too_many_refused(c, mono_ns))
        client_close(c, CLOSE_COMMAND_RATE);
}

/* The bucket as one number: the time at which everything admitted so far is paid for. */
static bool admit(struct client *c, int64_t mono_ns)
{
    int64_t per_minute = c->f->config->limits.commands_per_minute;
    int64_t cost_ns = MINUTE_NS / (per_minute > 0 ? per_minute : 1);
    int64_t paid_ns = c->commands_ns > mono_ns ? c->commands_ns : mono_ns;
    if (paid_ns + cost_ns > mono_ns + MINUTE_NS)
        return false;
    c->commands_ns = paid_ns + cost_ns;
    return true;
}

/* --- the small commands --- */

static void do_auth(struct client *c, const struct command *cmd, struct moment now)
{
    struct fanout *f = c->f;
    const json_t *token = json_object_get(cmd->root, "token");
    struct grant grant = {0};
    if (!json_is_string(token)) {
        command_refuse(c, cmd->id, ERROR_BAD_MESSAGE, "token must be a string", now.mono_ns);
        return;
    }
    if (!f->ports.authenticate ||
        f->ports.authenticate(f->ports.authenticate_ctx, json_string_value(token),
                              json_string_length(token), now.wall_ms, &grant) != 0) {
        command_refuse(c, cmd->id, ERROR_AUTH_FAILED, "this token is not valid here", now.mono_ns);
        return;
    }
    enum role role = grant.role;
    client_grant(c, &grant, now);
    upkeep_schedule(c, now.mono_ns);
    if (f->ports.tier && f->ports.tier(f->ports.tier_ctx, c->grant.delay_s) != f) {
        subscribe_none(c, now);
        client_move(c, f->ports.tier(f->ports.tier_ctx, c->grant.delay_s), now.mono_ns);
        f = c->f;
    }
    buf_clear(&f->text);
    protocol_begin(&f->text, TYPE_AUTHENTICATED, cmd->id);
    protocol_add_string(&f->text, "role", role_name(role));
    protocol_end(&f->text);
    client_send(c, &f->text, now.mono_ns);
    if (c->grant.symbols)
        subscribe_confine(c, now);
}

static void send_time(struct client *c, enum protocol_type type, const char *id, struct moment now)
{
    buf_clear(&c->f->text);
    protocol_add_time(&c->f->text, type, id, now.wall_ms);
    client_send(c, &c->f->text, now.mono_ns);
}

static void do_heartbeat(struct client *c, const struct command *cmd, struct moment now)
{
    send_time(c, TYPE_HEARTBEAT, cmd->id, now);
}

static void do_ping(struct client *c, const struct command *cmd, struct moment now)
{
    send_time(c, TYPE_PONG, cmd->id, now);
}

/* --- dispatch --- */

static const struct {
    void (*run)(struct client *c, const struct command *cmd, struct moment now);
    enum role role;    /* at least */
    const char *audit; /* as the audit calls it; NULL: it is not written down */
} rows[] = {
    [ACTION_AUTH] = {do_auth,         ROLE_NONE,    NULL     },
    [ACTION_HEARTBEAT] = {do_heartbeat,    ROLE_NONE,    NULL     },
    [ACTION_LIST] = {subscribe_list,  ROLE_VIEWER,  NULL     },
    [ACTION_PING] = {do_ping,         ROLE_NONE,    NULL     },
    [ACTION_REFRESH] = {refresh_run,     ROLE_ANALYST, "refresh"},
    [ACTION_RESET] = {subscribe_reset, ROLE_VIEWER,  NULL     },
    [ACTION_SUBSCRIBE] = {subscribe_run,   ROLE_VIEWER,  NULL     },
    [ACTION_UNSUBSCRIBE] = {subscribe_undo,  ROLE_VIEWER,  NULL     },
};

static void run(struct client *c, const struct command *cmd, struct moment now)
{
    if (c->grant.role >= rows[cmd->action].role) {
        rows[cmd->action].run(c, cmd, now);
        return;
    }
    bool nobody = c->grant.role == ROLE_NONE;
    enum protocol_error why = nobody ? ERROR_AUTH_REQUIRED : ERROR_FORBIDDEN;
    if (rows[cmd->action].audit)
        client_audit(c, rows[cmd->action].audit, NULL, protocol_error_name(why));
    command_refuse(c, cmd->id, why,
                   nobody ? "send {\"action\":\"auth\",\"token\":...} first"
                          : "your role does not allow this",
                   now.mono_ns);
}

void fanout_client_message(struct client *c, const char *bytes, size_t len, int64_t wall_ms,
                           int64_t mono_ns)
{
    const struct moment now = {wall_ms, mono_ns};
    struct command cmd;
    struct err err;
    if (c->path == CLIENT_CLOSING)
        return;
    c->f->mono_ns = c->last_in_ns = mono_ns;
    int rc = protocol_parse(&cmd, bytes, len, (size_t)c->f->config->limits.message_bytes, &err);
    if (!admit(c, mono_ns))
        command_refuse(c, cmd.id, ERROR_RATE_LIMITED, "too many commands in a minute: slow down",
                       mono_ns);
    else if (rc != 0)
        command_refuse(c, cmd.id, ERROR_BAD_MESSAGE, err.text, mono_ns);
    else
        run(c, &cmd, now);
    command_fini(&cmd);
}
