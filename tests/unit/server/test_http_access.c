/* Who may: origins, and the roles of the whole table of routes. */
#include "server_group.h"

#include "routes.h"

#define OPEN_CONFIG                                                                                \
    "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS ",\"origins\":[\"https://app.example.com\"]}"
#define KEY_CONFIG "{\"listen\":{\"port\":0}," RIG_KEYS "," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
}

static void foreign_pages_change_nothing(void **state)
{
    static const struct {
        const char *origin;
        int status;
    } cases[] = {
        {"",                                    200},
        {"Origin: https://app.example.com\r\n", 200},
        {"Origin: http://evil.example\r\n",     403},
        {"Origin: null\r\n",                    403},
        {"Origin:\r\n",                         403},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (ask_status(port_of(state), "POST", "/data-health/reset-circuit/sim", cases[i].origin) !=
            cases[i].status)
            fail_msg("%s", cases[i].origin);
}

static void cors_is_for_listed_origins(void **state)
{
    char value[128];
    struct reply r =
        ask(port_of(state), "GET", "/api/v1/quotes", "Origin: https://app.example.com\r\n");
    assert_true(reply_header(&r, "Access-Control-Allow-Origin", value, sizeof value));
    assert_string_equal(value, "https://app.example.com");
    reply_fini(&r);
    r = ask(port_of(state), "GET", "/api/v1/quotes", "Origin: http://evil.example\r\n");
    assert_int_equal(r.status, 200);
    assert_false(reply_header(&r, "Access-Control-Allow-Origin", value, sizeof value));
    reply_fini(&r);
    static const char *const bodies[] = {"", "Content-Length: 0\r\n"};
    for (size_t i = 0; i < 2; i++) { /* kept until a late answer, too */
        char more[128];
        snprintf(more, sizeof more, "Origin: https://app.example.com\r\n%s", bodies[i]);
        r = ask(port_of(state), "POST", "/data-health/refresh-market", more);
        assert_int_equal(r.status, 200);
        assert_true(reply_header(&r, "Access-Control-Allow-Origin", value, sizeof value));
        reply_fini(&r);
    }
    r = ask(port_of(state), "OPTIONS", "/data-health/refresh-all",
            "Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n");
    assert_int_equal(r.status, 204);
    assert_true(reply_header(&r, "Access-Control-Allow-Methods", value, sizeof value));
    assert_string_equal(value, "POST");
    reply_fini(&r);
    assert_int_equal(ask_status(port_of(state), "OPTIONS", "/data-health/refresh-all",
                                "Origin: http://evil.example\r\n"
                                "Access-Control-Request-Method: POST\r\n"),
                     405);
}

static const struct caller_case {
    const char *headers, *query;
    enum role role; /* ROLE_NONE: no token */
} callers[] = {
    {"",                                      "",                  ROLE_NONE   },
    {"Authorization: Bearer viewer-key\r\n",  "",                  ROLE_VIEWER },
    {"Authorization: Bearer analyst-key\r\n", "",                  ROLE_ANALYST},
    {"Authorization: Bearer admin-key\r\n",   "",                  ROLE_ADMIN  },
    {"",                                      "?token=viewer-key", ROLE_VIEWER },
    {"",                                      "?token=admin-key",  ROLE_ADMIN  },
};

static int expected_status(const struct route *route, enum role have, bool token)
{
    if (route->role == ROLE_NONE || have >= route->role || route->flags & ROUTE_LOOPBACK)
        return 0; /* whatever the handler says */
    return token ? 403 : 401;
}

/* Every row of the table with every kind of caller. anonymous: the role without a token. */
static void check_matrix(int port, enum role anonymous)
{
    for (size_t i = 0; i < routes_len; i++) {
        const struct route *route = &routes[i];
        if (route->flags & ROUTE_EXISTS_ONLY)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(callers); k++) {
            char path[128], value[128];
            bool token = callers[k].role != ROLE_NONE;
            int want = expected_status(route, token ? callers[k].role : anonymous, token);
            snprintf(path, sizeof path, "%s%s%s", route->path,
                     route->flags & ROUTE_PREFIX ? "coffee" : "", callers[k].query);
            struct reply r =
                ask(port, route->method == METHOD_POST ? "POST" : "GET", path, callers[k].headers);
            if (want ? r.status != want : r.status == 401 || r.status == 403)
                fail_msg("%s with caller %zu: %d", path, k, r.status);
            if (r.status == 401)
                assert_true(reply_header(&r, "WWW-Authenticate", value, sizeof value));
            reply_fini(&r);
        }
    }
}

static void every_route_asks_for_its_role(void **state)
{
    (void)state;
    struct served s = start_server(KEY_CONFIG);
    check_matrix(s.port, ROLE_VIEWER);
    static const char *const bad[] = {"Authorization: Bearer wrong\r\n",
                                      "Authorization: Bearer\r\n",
                                      "Authorization: Basic dmlld2VyLWtleQ==\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ask_status(s.port, "GET", "/api/v1/quotes", bad[i]), 401);
    assert_int_equal(ask_status(s.port, "GET", "/api/v1/quotes?token=", ""), 401);
    assert_int_equal(ask_status(s.port, "GET", "/data-health/status?token=admin-key",
                                "Authorization: Bearer wrong\r\n"),
                     401);
    stop_server(&s);
}

static void without_an_anonymous_role_all_need_a_token(void **state)
{
    (void)state;
    char config[2048];
    const char *keys = strstr(KEY_CONFIG, "\"keys\"");
    snprintf(config, sizeof config, "{\"listen\":{\"port\":0},\"auth\":{\"anonymous_role\":null,%s",
             keys);
    struct served s = start_server(config);
    check_matrix(s.port, ROLE_NONE);
    stop_server(&s);
}

static void who_is_not_local_is_anonymous(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"",                                200},
        {"X-Forwarded-For: 1.2.3.4\r\n",    401},
        {"X-Forwarded-Proto: https\r\n",    401},
        {"Forwarded: for=1.2.3.4\r\n",      401},
        {"Via: 1.1 proxy\r\n",              401},
        {"Origin: http://evil.example\r\n", 401},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (ask_status(port_of(state), "GET", "/data-health/status", cases[i].headers) !=
            cases[i].status)
            fail_msg("%s", cases[i].headers);
        assert_int_equal(ask_status(port_of(state), "GET", "/api/v1/quotes", cases[i].headers),
                         200);
    }
    struct reply r;
    int fd = dial(port_of(state)); /* a name of somebody else's that resolves to us */
    send_text(fd, "GET /data-health/status HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 401);
    close(fd);
    reply_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_pages_change_nothing),
        cmocka_unit_test(cors_is_for_listed_origins),
        cmocka_unit_test(who_is_not_local_is_anonymous),
        cmocka_unit_test(every_route_asks_for_its_role),
        cmocka_unit_test(without_an_anonymous_role_all_need_a_token),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
