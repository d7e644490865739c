#include "audit.h"

#include "conn.h"
#include "log.h"
#include "request.h"

void audit(const struct exchange *x, const char *action, const char *what, const char *result)
{
    char address[ADDRESS_TEXT_MAX];
    const struct grant *g = &x->conn->grant;
    log_event(LOG_INFO, "audit", "action=%s what=%s result=%s who=%s role=%s address=%s", action,
              what, result, g->subject[0] ? g->subject : NULL, role_name(g->role),
              address_format(&x->request->client, address));
}
