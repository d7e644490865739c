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

static void write_down(const struct exchange *x, const char *action, const char *what,
                       const char *result, unsigned suppressed)
{
    char address[ADDRESS_TEXT_MAX];
    const struct grant *g = &x->conn->grant;
    log_event(LOG_AUDIT, "audit",
              "action=%s what=%s result=%s who=%s role=%s address=%s suppressed=%u", action, what,
              result, g->subject[0] ? g->subject : NULL, role_name(g->role),
              address_format(&x->request->client, address), suppressed);
}

void audit(const struct exchange *x, const char *what, const char *result)
{
    write_down(x, x->conn->route->action, what, result, 0);
}

void audit_refused(const struct exchange *x, const struct route *route, const char *result)
{
    int64_t now_ms = clock_mono_ms();
    struct audit_budget *b = &x->server->refused[x->conn->grant.role > ROLE_NONE];
    if (!route->action)
        return;
    if (b->paid_ms < now_ms)
        b->paid_ms = now_ms;
    if (b->paid_ms + REFUSED_COST_MS > now_ms + REFUSED_BURST_MS) {
        b->suppressed++;
        return;
    }
    b->paid_ms += REFUSED_COST_MS;
    write_down(x, route->action, x->request->path, result, b->suppressed);
    b->suppressed = 0;
}
