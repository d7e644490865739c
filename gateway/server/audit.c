/* Requests that are refused cost whoever sends them nothing, so their lines are limited: 100 at
 * once, 10 a second after that, and the next line says how many are missing. Those of people who
 * are known are counted apart from all others: nobody without a key can hide what a key was tried
 * for.
 */
#include "audit.h"

#include "clock.h"
#include "log.h"
#include "server_private.h"

static const int64_t REFUSED_COST_MS = 100;
static const int64_t REFUSED_BURST_MS = 10000;

struct act {
    const char *action, *what, *result;
    const char *who; /* "" = not known */
    enum role role;
    const struct address *address;
};

static void write_down(const struct act *a, unsigned suppressed)
{
    char address[ADDRESS_TEXT_MAX];
    log_event(LOG_AUDIT, "audit",
              "action=%s what=%s result=%s who=%s role=%s address=%s suppressed=%u", a->action,
              a->what, a->result, a->who[0] ? a->who : NULL, role_name(a->role),
              address_format(a->address, address), suppressed);
}

static void write_down_refused(struct server *s, const struct act *a)
{
    int64_t now_ms = clock_mono_ms();
    struct audit_budget *b = &s->refused[a->role > ROLE_NONE];
    if (b->paid_ms < now_ms)
        b->paid_ms = now_ms;
    if (b->paid_ms + REFUSED_COST_MS > now_ms + REFUSED_BURST_MS) {
        b->suppressed++;
        return;
    }
    b->paid_ms += REFUSED_COST_MS;
    write_down(a, b->suppressed);
    b->suppressed = 0;
}

static struct act act_of(const struct exchange *x, const char *action, const char *what,
                         const char *result)
{
    const struct grant *g = &x->conn->grant;
    return (struct act){action, what, result, g->subject, g->role, &x->request->client};
}

void audit(const struct exchange *x, const char *what, const char *result)
{
    struct act a = act_of(x, x->conn->route->action, what, result);
    write_down(&a, 0);
}

void audit_refused(const struct exchange *x, const struct route *route, const char *result)
{
    struct act a = act_of(x, route->action, x->request->path, result);
    if (route->action)
        write_down_refused(x->server, &a);
}

void audit_client(struct conn *c, const char *action, const char *what, const char *refused)
{
    struct client_info i = fanout_client_info(c->client, 0);
    struct act a = {action,    what,   refused ? refused : "started",
                    i.subject, i.role, &c->client_address};
    if (refused)
        write_down_refused(c->server, &a);
    else
        write_down(&a, 0);
}
