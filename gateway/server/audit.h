/* audit.h - who did what to this gateway: one line in the log for each action that changes
 * something, with its outcome. Never a token; a person or a program is known by the name of its
 * key, or the `sub` of its token. */
#ifndef PRICEGATE_AUDIT_H
#define PRICEGATE_AUDIT_H

#include "routes.h"

/* event=audit. action: "reset_circuit"; what: the provider, the session..., NULL = nothing in
 * particular; result: "ok", "not_found" ... */
void audit(const struct exchange *x, const char *action, const char *what, const char *result);

#endif
