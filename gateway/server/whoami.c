/* whoami.c - what the caller may do: so that a page shows the buttons that work, and says what a
 * token is good for, without trying each door. */
#include <inttypes.h>

#include "handlers.h"
#include "http.h"
#include "server_private.h"

static const char *const grounds[] = {
    [GRANT_BY_NOTHING] = "anonymous",
    [GRANT_BY_BEING_LOCAL] = "local",
    [GRANT_BY_KEY] = "key",
    [GRANT_BY_TOKEN] = "token",
};

void serve_whoami(struct exchange *x)
{
    const struct grant *g = &x->conn->grant;
    struct buf *out = &x->response.body;
    if (!http_identify(x->conn, x->request, &x->response))
        return;
    x->response.status = 200;
    x->response.type = "application/json";
    response_header(&x->response, "Cache-Control", "no-store");
    buf_addf(out, "{\"role\":\"%s\",\"by\":\"%s\",\"name\":", role_name(g->role), grounds[g->by]);
    if (g->subject[0])
        buf_adds_json(out, g->subject);
    else
        buf_adds(out, "null");
    buf_addf(out, ",\"all_symbols\":%s,\"delay_s\":%" PRId64 ",\"expires\":",
             g->symbols ? "false" : "true", g->delay_s);
    if (g->expires_ms > 0)
        buf_addf(out, "%" PRId64 "}", g->expires_ms);
    else
        buf_adds(out, "null}");
}
