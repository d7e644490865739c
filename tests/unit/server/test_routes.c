#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "routes.h"
#include "seed.h"

static bool only_app_js(void *ctx, const char *path)
{
    (void)ctx;
    return strcmp(path, "app.js") == 0;
}

static struct route_match find(enum method method, const char *path)
{
    return route_find(method, path, false, only_app_js, NULL);
}

struct route_case {
    enum method method;
    const char *path;
    const char *row;   /* NULL = none */
    const char *param; /* with a row */
    const char *allow; /* "" = 404 */
};

static void each_path_finds_its_row(void **state)
{
    (void)state;
    static const struct route_case cases[] = {
        {METHOD_GET,   "/",                                "/",                           "",          "GET, HEAD"},
        {METHOD_HEAD,  "/healthz",                         "/healthz",                    "",          "GET, HEAD"},
        {METHOD_POST,  "/healthz",                         NULL,                          "",          "GET, HEAD"},
        {METHOD_OTHER, "/healthz",                         NULL,                          "",          "GET, HEAD"},
        {METHOD_GET,   "/healthz/",                        NULL,                          "",          ""         },
        {METHOD_GET,   "/Healthz",                         NULL,                          "",          ""         },
        {METHOD_GET,   "/healthzz",                        NULL,                          "",          ""         },
        {METHOD_GET,   "/api/v1/quotes",                   "/api/v1/quotes",              "",          "GET, HEAD"},
        {METHOD_GET,   "/api/v1/quotes/",                  NULL,                          "",          ""         },
        {METHOD_GET,   "/api/v1/quotes/coffee",            "/api/v1/quotes/",             "coffee",    "GET, HEAD"},
        {METHOD_HEAD,  "/api/v1/quotes/EUR/USD",           "/api/v1/quotes/",             "EUR/USD",   "GET, HEAD"},
        {METHOD_POST,  "/api/v1/quotes/EUR/USD",           NULL,                          "",          "GET, HEAD"},
        {METHOD_GET,   "/api/v1/provenance/EUR/USD",       "/api/v1/provenance/",         "EUR/USD",   "GET, HEAD"},
        {METHOD_GET,   "/api/v1/provenance",               NULL,                          "",          ""         },
        {METHOD_GET,   "/whoami",                          "/whoami",                     "",          "GET, HEAD"},
        {METHOD_GET,   "/api/v1/stream",                   "/api/v1/stream",              "",          "GET"      },
        {METHOD_HEAD,  "/api/v1/stream",                   NULL,                          "",          "GET"      },
        {METHOD_GET,   "/ws",                              "/ws",                         "",          "GET"      },
        {METHOD_HEAD,  "/ws",                              NULL,                          "",          "GET"      },
        {METHOD_GET,   "/data-health/jobs",                "/data-health/jobs",           "",          "GET, HEAD"},
        {METHOD_POST,  "/data-health/refresh-all",         "/data-health/refresh-all",    "",          "POST"     },
        {METHOD_GET,   "/data-health/refresh-all",         NULL,                          "",          "POST"     },
        {METHOD_HEAD,  "/data-health/refresh-all",         NULL,                          "",          "POST"     },
        {METHOD_POST,  "/data-health/reset-circuit/yahoo", "/data-health/reset-circuit/", "yahoo",
         "POST"                                                                                                   },
        {METHOD_POST,  "/data-health/reset-circuit/",      NULL,                          "",          ""         },
        {METHOD_GET,   "/admin/clients",                   "/admin/clients",              "",          "GET, HEAD"},
        {METHOD_POST,  "/admin/clients/abc/close",         "/admin/clients/",             "abc/close", "POST"     },
        {METHOD_POST,  "/admin/reload",                    "/admin/reload",               "",          "POST"     },
        {METHOD_GET,   "/app.js",                          "/",                           "app.js",    "GET, HEAD"},
        {METHOD_POST,  "/app.js",                          NULL,                          "",          "GET, HEAD"},
        {METHOD_GET,   "/other.js",                        NULL,                          "",          ""         },
        {METHOD_POST,  "/other.js",                        NULL,                          "",          ""         },
        {METHOD_GET,   "/openapi.json",                    "/openapi.json",               "",          "GET, HEAD"},
        {METHOD_POST,  "/asyncapi.json",                   NULL,                          "",          "GET, HEAD"},
        {METHOD_GET,   "/docs",                            "/docs",                       "",          "GET, HEAD"},
        {METHOD_GET,   "/docs/",                           "/docs/",                      "",          "GET, HEAD"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct route_case *c = &cases[i];
        char allow[ROUTE_ALLOW_MAX];
        struct route_match m = find(c->method, c->path);
        char seed[300];
        snprintf(seed, sizeof seed, "\n\n\n\n\n\n\n\n\n%s", c->path);
        seed_keep_text("caller", seed);
        if (!!m.route != !!c->row || (c->row && strcmp(m.route->path, c->row) != 0))
            fail_msg("%s: row %s", c->path, m.route ? m.route->path : "none");
        if (c->row)
            assert_string_equal(m.param, c->param);
        assert_string_equal(route_allow(m.allow, allow), c->allow);
    }
}

static void the_plain_port_serves_three_paths(void **state)
{
    (void)state;
    static const char *const served[] = {"/metrics", "/healthz", "/readyz"};
    for (size_t i = 0; i < ARRAY_LEN(served); i++)
        assert_non_null(route_find(METHOD_GET, served[i], true, only_app_js, NULL).route);
    for (size_t i = 0; i < routes_len; i++) {
        struct route_match m =
            route_find(routes[i].method, routes[i].path, true, only_app_js, NULL);
        assert_int_equal(m.route != NULL, (routes[i].flags & ROUTE_PLAIN_PORT) != 0);
    }
    assert_null(route_find(METHOD_GET, "/app.js", true, only_app_js, NULL).route);
}

/* What a later row must not forget. */
static void the_table_keeps_its_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_len; i++) {
        const struct route *r = &routes[i];
        assert_non_null(r->handler);
        assert_true(r->method == METHOD_GET || r->method == METHOD_POST);
        if (r->method == METHOD_POST) {
            assert_true(r->flags & ROUTE_CHANGES);
            assert_true(r->role >= ROLE_ANALYST);
            assert_true(r->flags & ROUTE_WHOLE); /* there is no order for some symbols */
        }
        if (r->flags & ROUTE_CHANGES || r->role >= ROLE_ADMIN) {
            assert_non_null(r->action);
            assert_true(r->flags & ROUTE_WHOLE);
        }
        if (strncmp(r->path, "/api/", 5) == 0)
            assert_true(r->role >= ROLE_VIEWER);
        if (strncmp(r->path, "/data-health/", 13) == 0)
            assert_true(r->role >= ROLE_ANALYST);
        if (strncmp(r->path, "/admin/", 7) == 0)
            assert_int_equal(r->role, ROLE_ADMIN);
    }
}

static void file_paths_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"index.html", "a/b.js", "a-b_c.1.css"};
    static const char *const bad[] = {"",     "/a",       "a/",          "a//b", "..",
                                      "../a", "a/../b",   ".git",        "a/.b", "a\\b",
                                      "a b",  "a\x01.js", "a\xc3\xa4.js"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(files_path_ok(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (files_path_ok(bad[i]))
            fail_msg("%s", bad[i]);
    assert_string_equal(files_type("a.html"), "text/html; charset=utf-8");
    assert_string_equal(files_type("a/b.js"), "text/javascript; charset=utf-8");
    assert_string_equal(files_type("a.svg"), "image/svg+xml");
    assert_null(files_type("a"));
    assert_null(files_type("a.sh"));
    assert_null(files_type("a.js.bak"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_finds_its_row),
        cmocka_unit_test(the_plain_port_serves_three_paths),
        cmocka_unit_test(the_table_keeps_its_rules),
        cmocka_unit_test(file_paths_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
