#include "conn.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "server_private.h"
#include "ws_extension.h"

static const int64_t KILL_AGAIN_MS = 5000;

static void link_in(struct conn *c)
{
    struct conn **head = &c->server->conns[c->state];
    c->prev = NULL;
    c->next = *head;
    if (*head)
        (*head)->prev = c;
    *head = c;
    c->server->conns_len[c->state]++;
}

static void link_out(struct conn *c)
{
    if (c->server->look_next == c)
        c->server->look_next = c->next;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->server->conns[c->state] = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->server->conns_len[c->state]--;
}

struct conn *conn_new(struct server *s, int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->server = s;
    c->fd = fd;
    link_in(c);
    slack_grow(&s->slack, s->conns_len[CONN_HTTP] + s->conns_len[CONN_STREAM]);
    return c;
}

void conn_free(struct conn *c)
{
    link_out(c);
    backlog_leave(&c->server->backlog, c);
    buf_fini(&c->message);
    buf_fini(&c->headers);
    ws_extension_free(c->extension);
    grant_fini(&c->grant);
    free(c);
}

void conn_move(struct conn *c, enum conn_state state)
{
    link_out(c);
    c->state = state;
    link_in(c);
}

/* The library's timers are armed on the loop only behind one of its own events;
 * lws_cancel_service() makes one. */
void conn_kill(struct conn *c)
{
    if (!c->wsi)
        return;
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(c->server->lws);
}

void conn_reset(struct conn *c)
{
    const struct linger now = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    conn_kill(c);
}

void conn_deadline(struct conn *c, int64_t after_ms)
{
    c->deadline_ms = after_ms > 0 ? clock_mono_ms() + after_ms : 0;
}

/* What was waited for; NULL where it is no fault of the peer's, or is counted elsewhere. */
static const char *late_reason(const struct conn *c)
{
    if (c->state == CONN_STREAM || c->late)
        return NULL;
    switch (c->phase) {
    case HTTP_IDLE:
        return "headers_timeout";
    case HTTP_BODY:
        return "body_timeout";
    case HTTP_CHOKED:
        return "slow";
    case HTTP_PENDING:
    case HTTP_EVENTS:
    case HTTP_LINGER:
        break;
    }
    return NULL;
}

static void count_late(struct conn *c)
{
    const char *reason = late_reason(c);
    char text[ADDRESS_TEXT_MAX];
    if (!reason)
        return;
    metrics_add(c->server->metrics, METRIC_REJECTED, reason, NULL, 1);
    log_event(LOG_DEBUG, "connection_late", "reason=%s address=%s", reason,
              address_format(&c->peer, text));
}

static void kill_late(struct conn *list, int64_t mono_ms)
{
    for (struct conn *c = list; c; c = c->next)
        if (c->deadline_ms > 0 && mono_ms >= c->deadline_ms) {
            count_late(c);
            c->late = true;
            c->deadline_ms = mono_ms + KILL_AGAIN_MS;
            conn_kill(c);
        }
}

void conn_tick(struct server *s, int64_t mono_ms)
{
    kill_late(s->conns[CONN_HTTP], mono_ms);
    if (s->closing_streams > 0)
        kill_late(s->conns[CONN_STREAM], mono_ms);
}
