#include "routes.h"

#include <string.h>

#include "handlers.h"

/* In the order of the public description. A more exact row stands before the prefix that would
 * also match. */
/* clang-format off */
const struct route routes[] = {
    {"/", METHOD_GET,   ROLE_NONE,    0, serve_index, NULL},
    {"/healthz", METHOD_GET,   ROLE_NONE,
     ROUTE_PLAIN_PORT, serve_healthz, NULL},
    {"/readyz", METHOD_GET,   ROLE_NONE,
     ROUTE_PLAIN_PORT, serve_readyz, NULL},
    {"/metrics", METHOD_GET,   ROLE_ANALYST,
     ROUTE_PLAIN_PORT | ROUTE_LOOPBACK | ROUTE_WHOLE, serve_metrics, NULL},
    {"/whoami", METHOD_GET,   ROLE_NONE,    0, serve_whoami, NULL},
    {"/ws", METHOD_GET,   ROLE_NONE,
     ROUTE_NO_HEAD, serve_ws_without_upgrade, NULL},
    {"/openapi.json", METHOD_GET,   ROLE_NONE,    0, serve_openapi, NULL},
    {"/asyncapi.json", METHOD_GET,   ROLE_NONE,    0, serve_asyncapi, NULL},
    {"/docs", METHOD_GET,   ROLE_NONE,    0, serve_docs, NULL},
    {"/docs/", METHOD_GET,   ROLE_NONE,    0, serve_docs_moved, NULL},
    {"/api/v1/instruments", METHOD_GET,   ROLE_VIEWER,
     0, serve_instruments, NULL},
    {"/api/v1/observations", METHOD_GET,   ROLE_VIEWER,
     0, serve_observations, NULL},
    {"/api/v1/observations/", METHOD_GET,   ROLE_VIEWER,
     ROUTE_PREFIX, serve_observation, NULL},
    {"/api/v1/provenance/", METHOD_GET,   ROLE_VIEWER,
     ROUTE_PREFIX, serve_provenance, NULL},
    {"/api/v1/quotes", METHOD_GET,   ROLE_VIEWER,  0, serve_quotes, NULL},
    {"/api/v1/quotes/", METHOD_GET,   ROLE_VIEWER,
     ROUTE_PREFIX, serve_quote, NULL},
    {"/api/v1/stream", METHOD_GET,   ROLE_VIEWER,
     ROUTE_NO_HEAD, serve_stream, NULL},
    {"/data-health/status", METHOD_GET,   ROLE_ANALYST, 0, serve_status, NULL},
    {"/data-health/sources", METHOD_GET,   ROLE_ANALYST, 0, serve_sources, NULL},
    {"/data-health/jobs", METHOD_GET,   ROLE_ANALYST,
     ROUTE_WHOLE, serve_jobs, NULL},
    {"/data-health/refresh-all", METHOD_POST,  ROLE_ANALYST,
     ROUTE_CHANGES | ROUTE_WHOLE, serve_refresh_all, "refresh"},
    {"/data-health/refresh-market", METHOD_POST,  ROLE_ANALYST,
     ROUTE_CHANGES | ROUTE_WHOLE, serve_refresh_market, "refresh"},
    {"/data-health/refresh-intelligence", METHOD_POST,  ROLE_ANALYST,
     ROUTE_CHANGES | ROUTE_WHOLE, serve_refresh_intelligence, "refresh"},
    {"/data-health/reset-circuit/", METHOD_POST,  ROLE_ADMIN,
     ROUTE_CHANGES | ROUTE_PREFIX | ROUTE_WHOLE, serve_reset_circuit, "reset_circuit"},
    {"/admin/clients", METHOD_GET,   ROLE_ADMIN,
     ROUTE_WHOLE, serve_clients, "list_clients"},
    {"/admin/clients/", METHOD_POST,  ROLE_ADMIN,
     ROUTE_CHANGES | ROUTE_PREFIX | ROUTE_WHOLE, serve_close_client, "close_client"},
    {"/admin/reload", METHOD_POST,  ROLE_ADMIN,
     ROUTE_CHANGES | ROUTE_WHOLE, serve_reload, "reload"},
    {"/", METHOD_GET,   ROLE_NONE,
     ROUTE_PREFIX | ROUTE_EXISTS_ONLY, serve_file, NULL},
};
/* clang-format on */
const size_t routes_len = ARRAY_LEN(routes);

static bool path_matches(const struct route *r, const char *path, const char **param)
{
    size_t n = strlen(r->path);
    *param = path + n;
    if (strncmp(path, r->path, n) != 0)
        return false;
    return r->flags & ROUTE_PREFIX ? path[n] != '\0' : path[n] == '\0';
}

static unsigned methods_of(const struct route *r)
{
    if (r->method == METHOD_GET && !(r->flags & ROUTE_NO_HEAD))
        return METHOD_GET | METHOD_HEAD;
    return r->method;
}

struct route_match route_find(enum method method, const char *path, bool plain_port,
                              bool (*exists)(void *ctx, const char *path), void *ctx)
{
    struct route_match m = {0};
    for (size_t i = 0; i < routes_len; i++) {
        const struct route *r = &routes[i];
        const char *param;
        if (plain_port && !(r->flags & ROUTE_PLAIN_PORT))
            continue;
        if (!path_matches(r, path, &param))
            continue;
        if (r->flags & ROUTE_EXISTS_ONLY && (m.allow || !exists(ctx, param)))
            continue;
        m.allow |= methods_of(r);
        if (!m.route && methods_of(r) & method) {
            m.route = r;
            m.param = param;
        }
    }
    return m;
}

const char *route_allow(unsigned methods, char out[static ROUTE_ALLOW_MAX])
{
    static const struct {
        enum method method;
        const char *name;
    } names[] = {
        {METHOD_GET,  "GET" },
        {METHOD_HEAD, "HEAD"},
        {METHOD_POST, "POST"},
    };
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (methods & names[i].method)
            n += (size_t)snprintf(out + n, ROUTE_ALLOW_MAX - n, "%s%s", n ? ", " : "",
                                  names[i].name);
    return out;
}
