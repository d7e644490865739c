#include "routes.h"

#include <string.h>

#include "handlers.h"

/* In the order of the public description. A more exact row stands before the prefix that would
 * also match. */
const struct route routes[] = {
    {"/",                                 METHOD_GET,  ROLE_NONE,    0,                                 serve_index             },
    {"/healthz",                          METHOD_GET,  ROLE_NONE,    ROUTE_PLAIN_PORT,                  serve_healthz           },
    {"/readyz",                           METHOD_GET,  ROLE_NONE,    ROUTE_PLAIN_PORT,                  serve_readyz            },
    {"/metrics",                          METHOD_GET,  ROLE_ANALYST, ROUTE_PLAIN_PORT | ROUTE_LOOPBACK, serve_metrics           },
    {"/ws",                               METHOD_GET,  ROLE_NONE,    ROUTE_NO_HEAD,                     serve_ws_without_upgrade},
    {"/api/v1/instruments",               METHOD_GET,  ROLE_VIEWER,  0,                                 serve_instruments       },
    {"/api/v1/observations",              METHOD_GET,  ROLE_VIEWER,  0,                                 serve_observations      },
    {"/api/v1/observations/",             METHOD_GET,  ROLE_VIEWER,  ROUTE_PREFIX,                      serve_observation       },
    {"/api/v1/quotes",                    METHOD_GET,  ROLE_VIEWER,  0,                                 serve_quotes            },
    {"/api/v1/quotes/",                   METHOD_GET,  ROLE_VIEWER,  ROUTE_PREFIX,                      serve_quote             },
    {"/api/v1/stream",                    METHOD_GET,  ROLE_VIEWER,  ROUTE_NO_HEAD,                     serve_stream            },
    {"/data-health/status",               METHOD_GET,  ROLE_ANALYST, 0,                                 serve_status            },
    {"/data-health/sources",              METHOD_GET,  ROLE_ANALYST, 0,                                 serve_sources           },
    {"/data-health/jobs",                 METHOD_GET,  ROLE_ANALYST, 0,                                 serve_jobs              },
    {"/data-health/refresh-all",          METHOD_POST, ROLE_ANALYST, ROUTE_CHANGES,                     serve_refresh_all       },
    {"/data-health/refresh-market",       METHOD_POST, ROLE_ANALYST, ROUTE_CHANGES,                     serve_refresh_market    },
    {"/data-health/refresh-intelligence", METHOD_POST, ROLE_ANALYST, ROUTE_CHANGES,
     serve_refresh_intelligence                                                                                                 },
    {"/data-health/reset-circuit/",       METHOD_POST, ROLE_ADMIN,   ROUTE_CHANGES | ROUTE_PREFIX,
     serve_reset_circuit                                                                                                        },
    {"/admin/clients",                    METHOD_GET,  ROLE_ADMIN,   0,                                 serve_clients           },
    {"/admin/clients/",                   METHOD_POST, ROLE_ADMIN,   ROUTE_CHANGES | ROUTE_PREFIX,      serve_close_client      },
    {"/",                                 METHOD_GET,  ROLE_NONE,    ROUTE_PREFIX | ROUTE_EXISTS_ONLY,  serve_file              },
};
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
