/* audit.h - who did what to this gateway: one line in the log for each request of an action that
 * the route table names, with its outcome, done or refused. Never a token; a person or a program is
 * known by the name of its key, or the `sub` of its token. */
#ifndef PRICEGATE_AUDIT_H
#define PRICEGATE_AUDIT_H

#include <stdint.h>

#include "routes.h"

/* event=audit, written whatever log.level is. The action is the route's; what: the provider, the
 * session..., NULL = nothing in particular; result: "ok", "not_found" ... */
void audit(const struct exchange *x, const char *what, const char *result);

/* For the refused ones: up to paid_ms (mono) their lines are used up. */
struct audit_budget {
    int64_t paid_ms;
    unsigned suppressed; /* since the last line */
};

/* The same of a request that was refused before its handler ran; result is why, what its
 * path. Limited, as audit.c says. Nothing where the route has no action. */
void audit_refused(const struct exchange *x, const struct route *route, const char *result);

/* Of what a WebSocket's client asked for by a message; refused: why, or NULL when it was not. */
void audit_client(struct conn *c, const char *action, const char *what, const char *refused);

#endif
