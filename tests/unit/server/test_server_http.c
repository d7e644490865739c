/* The server over real sockets: requests in all their forms, and the roles of the whole table. */
#include "server_rig.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "routes.h"

#define OPEN_CONFIG                                                                                \
    "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS ",\"origins\":[\"https://app.example.com\"]}"

static int start(void **state)
{
    static struct served s; /* not on the heap: the child would lose it, and call that a leak */
    s = start_server(OPEN_CONFIG);
    *state = &s;
    return 0;
}

static int stop(void **state)
{
    struct served *s = *state;
    stop_server(s);
    return 0;
}

static int port_of(void **state)
{
    const struct served *s = *state;
    return s->port;
}

static const char *text_at(const json_t *j, const char *name)
{
    const char *text = json_string_value(json_object_get(j, name));
    return text ? text : "";
}

/* --- what is answered --- */

static void quotes_are_the_items(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", "");
    json_t *j = reply_json(&r);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "\"price\":2.9430")); /* digits as they came */
    assert_string_equal(text_at(j, "state"), "live");
    json_decref(j);
    reply_fini(&r);

    r = ask(port_of(state), "GET", "/api/v1/quotes", "");
    j = reply_json(&r);
    json_t *data = json_object_get(j, "data");
    assert_int_equal(json_array_size(data), 4);
    assert_string_equal(text_at(json_array_get(data, 1), "symbol"), "EUR/USD");
    assert_true(json_is_null(json_object_get(json_array_get(data, 2), "price")));
    assert_string_equal(text_at(json_array_get(data, 2), "state"), "unavailable");
    json_decref(j);
    reply_fini(&r);
}

static void symbols_survive_the_path(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/api/v1/quotes/EUR/USD",               200},
        {"/api/v1/quotes/EUR%2FUSD",             200},
        {"/api/v1/quotes/EUR%2fUSD",             200},
        {"/api/v1/quotes/A^B=C",                 503},
        {"/api/v1/quotes/A%5EB%3DC",             503},
        {"/api/v1/quotes/tea",                   503},
        {"/api/v1/quotes/nope",                  404},
        {"/api/v1/quotes/COFFEE",                404},
        {"/api/v1/quotes/coffee/",               404},
        {"/api/v1/quotes/coffee%26x",            404},
        {"/api/v1/quotes?symbols=EUR%2FUSD,tea", 200},
        {"/api/v1/quotes?symbols=coffee,no,nix", 404},
        {"/api/v1/quotes?symbols=",              400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (ask_status(port_of(state), "GET", cases[i].path, "") != cases[i].status)
            fail_msg("%s", cases[i].path);
}

static void refusals_are_problems(void **state)
{
    char value[256];
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes?symbols=coffee,no,nix", "");
    json_t *j = reply_json(&r);
    assert_true(reply_header(&r, "Content-Type", value, sizeof value));
    assert_string_equal(value, "application/problem+json");
    assert_int_equal(json_integer_value(json_object_get(j, "status")), 404);
    assert_non_null(strstr(text_at(j, "detail"), "no, nix"));
    assert_null(strstr(text_at(j, "detail"), "coffee"));
    json_decref(j);
    reply_fini(&r);

    r = ask(port_of(state), "GET", "/api/v1/quotes/tea", "");
    j = reply_json(&r);
    assert_string_equal(text_at(j, "state"), "unavailable");
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    json_decref(j);
    reply_fini(&r);
}

static void listed_quotes_come_once_each(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes?symbols=tea,coffee,tea", "");
    json_t *j = reply_json(&r);
    json_t *data = json_object_get(j, "data");
    assert_int_equal(json_array_size(data), 2);
    assert_string_equal(text_at(json_array_get(data, 0), "symbol"), "tea");
    json_decref(j);
    reply_fini(&r);
}

static void instruments_are_described(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/api/v1/instruments", "");
    json_t *j = reply_json(&r);
    json_t *first = json_array_get(json_object_get(j, "data"), 0);
    assert_string_equal(text_at(first, "symbol"), "coffee");
    assert_string_equal(text_at(first, "category"), "coffee_prices");
    assert_string_equal(text_at(first, "unit"), "USD/lb");
    json_t *source = json_array_get(json_object_get(first, "sources"), 0);
    assert_string_equal(text_at(source, "provider"), "sim");
    json_decref(j);
    reply_fini(&r);
}

static void an_unchanged_answer_is_304(void **state)
{
    char etag[64], more[128];
    struct reply r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", "");
    assert_true(reply_header(&r, "ETag", etag, sizeof etag));
    reply_fini(&r);
    snprintf(more, sizeof more, "If-None-Match: %s\r\n", etag);
    r = ask(port_of(state), "GET", "/api/v1/quotes/coffee", more);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.len, 0);
    reply_fini(&r);
    assert_int_equal(ask_status(port_of(state), "GET", "/api/v1/quotes/EUR/USD", more), 200);
}

static void data_health_says_what_is_missing(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/data-health/status", "");
    json_t *j = reply_json(&r);
    json_t *coffee = json_object_get(json_object_get(j, "categories"), "coffee_prices");
    assert_string_equal(text_at(j, "overall_status"), "degraded");
    assert_true(strlen(text_at(j, "timestamp")) > 18);
    assert_string_equal(text_at(json_object_get(coffee, "coffee"), "status"), "fresh");
    assert_true(json_is_false(json_object_get(json_object_get(coffee, "coffee"), "stale")));
    json_t *tea = json_object_get(coffee, "tea");
    assert_string_equal(text_at(tea, "status"), "missing");
    assert_true(json_is_true(json_object_get(tea, "stale")));
    assert_true(json_is_null(json_object_get(tea, "last_updated")));
    assert_true(json_is_null(json_object_get(tea, "age_hours")));
    json_decref(j);
    reply_fini(&r);
}

static void losing_the_bus_leaves_it_ready(void **state)
{
    const struct served *s = *state;
    const char *const expected[] = {"{\"ready\":true,\"degraded\":[]}",
                                    "{\"ready\":true,\"degraded\":[\"bus\"]}",
                                    "{\"ready\":true,\"degraded\":[]}"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct reply r = {0};
        for (int tries = 0; tries < 200; tries++) { /* a signal takes a turn of the loop */
            reply_fini(&r);
            r = ask(s->port, "GET", "/readyz", "");
            if (strcmp(r.body.p, expected[i]) == 0)
                break;
        }
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body.p, expected[i]);
        reply_fini(&r);
        if (i < 2)
            kill(s->pid, SIGUSR1);
    }
}

static void head_is_get_without_a_body(void **state)
{
    static const char *const paths[] = {"/", "/healthz", "/metrics", "/api/v1/quotes",
                                        "/data-health/status"};
    char value[64];
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct reply r = ask(port_of(state), "HEAD", paths[i], "");
        assert_int_equal(r.status, 200);
        assert_true(reply_header(&r, "Content-Length", value, sizeof value));
        assert_true(strtoul(value, NULL, 10) > 0);
        reply_fini(&r);
    }
    assert_int_equal(ask_status(port_of(state), "HEAD", "/nope", ""), 404);
}

static void methods_are_answered_by_the_table(void **state)
{
    static const struct {
        const char *method, *path, *allow;
        int status;
    } cases[] = {
        {"POST",    "/healthz",                       "GET, HEAD", 405},
        {"PUT",     "/api/v1/quotes",                 "GET, HEAD", 405},
        {"PATCH",   "/api/v1/quotes/coffee",          "GET, HEAD", 405},
        {"DELETE",  "/",                              "GET, HEAD", 405},
        {"OPTIONS", "/healthz",                       "GET, HEAD", 405},
        {"GET",     "/data-health/refresh-all",       "POST",      405},
        {"HEAD",    "/data-health/reset-circuit/sim", "POST",      405},
        {"HEAD",    "/ws",                            "GET",       405},
        {"GET",     "/ws",                            NULL,        426},
        {"POST",    "/nope",                          NULL,        404},
        {"GET",     "/api/v1/stream",                 NULL,        400},
        {"HEAD",    "/api/v1/stream",                 "GET",       405},
        {"GET",     "/docs",                          NULL,        404},
        {"TRACE",   "/",                              NULL,        403}, /* the parser's own */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char allow[64];
        struct reply r = ask(port_of(state), cases[i].method, cases[i].path, "");
        if (r.status != cases[i].status)
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, r.status);
        assert_int_equal(reply_header(&r, "Allow", allow, sizeof allow), cases[i].allow != NULL);
        assert_string_equal(allow, cases[i].allow ? cases[i].allow : "");
        reply_fini(&r);
    }
}

/* --- how requests may look --- */

static void strange_requests_are_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n",                                                    400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",                              400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",                                       400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: -1\r\n\r\n",                                       400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",                   400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: 18446744073709551616\r\n\r\n",                     400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: 5x\r\n\r\nhello",                                  400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",                      400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",                                                        400},
        {"POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: 65537\r\n\r\n",                                    413},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reply r, second;
        int fd = dial(port_of(state));
        send_text(fd, cases[i].text);
        if (!read_reply(fd, false, &r) || r.status != cases[i].status)
            fail_msg("status %d for %s", r.status, cases[i].text);
        if (read_reply(fd, false, &second))
            fail_msg("a second answer to %s", cases[i].text);
        close(fd);
        reply_fini(&r);
        reply_fini(&second);
    }
}

static void a_post_without_a_length_is_answered_and_closed(void **state)
{
    struct reply r;
    int fd = dial(port_of(state));
    send_text(fd, "POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.p, "{\"provider\":\"sim\",\"state\":\"closed\"}");
    assert_true(read_end(fd));
    close(fd);
    reply_fini(&r);
}

static void a_post_with_a_body_is_answered_behind_it(void **state)
{
    struct reply r;
    char quick;
    int fd = dial(port_of(state));
    send_text(fd, "POST /data-health/reset-circuit/sim HTTP/1.1\r\nHost: localhost\r\n"
                  "Content-Length: 4\r\n\r\n{");
    assert_int_equal(ask_status(port_of(state), "GET", "/healthz", ""), 200);
    assert_int_equal(recv(fd, &quick, 1, MSG_DONTWAIT), -1);
    send_text(fd, "  }");
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 200);
    assert_true(read_end(fd));
    close(fd);
    reply_fini(&r);
}

static int counter(int port, const char *name)
{
    struct reply r = ask(port, "GET", "/data-health/sources", "");
    json_t *j = reply_json(&r);
    json_t *sim = json_object_get(json_object_get(j, "sources"), "sim");
    int n = (int)json_integer_value(json_object_get(sim, name));
    json_decref(j);
    reply_fini(&r);
    return n;
}

static void a_pipelined_post_runs_once(void **state)
{
    static const char *const behind[] = {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                         "POST /data-health/reset-circuit/sim HTTP/1.1\r\n"
                                         "Host: localhost\r\nContent-Length: 0\r\n\r\n"};
    static const struct {
        const char *length, *body;
    } forms[] = {
        {"0", ""  },
        {"2", "{}"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct reply r, second;
        char text[512];
        int before = counter(port_of(state), "resets");
        int fd = dial(port_of(state));
        int n = snprintf(text, sizeof text,
                         "POST /data-health/reset-circuit/sim HTTP/1.1\r\n"
                         "Host: localhost\r\nContent-Length: %s\r\n\r\n%s",
                         forms[i / 2].length, forms[i / 2].body);
        snprintf(text + n, sizeof text - (size_t)n, "%s", behind[i % 2]);
        send_text(fd, text);
        assert_true(read_reply(fd, false, &r));
        assert_int_equal(r.status, 200);
        assert_false(read_reply(fd, false, &second));
        close(fd);
        reply_fini(&r);
        reply_fini(&second);
        assert_int_equal(counter(port_of(state), "resets"), before + 1);
    }
}

static void pipelined_gets_are_all_answered(void **state)
{
    int fd = dial(port_of(state));
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET /api/v1/quotes HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n");
    static const int expected[] = {200, 200, 404};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        struct reply r;
        assert_true(read_reply(fd, false, &r));
        assert_int_equal(r.status, expected[i]);
        reply_fini(&r);
    }
    close(fd);
}

/* More answers than a socket holds: what is sent ahead of a full socket may be dropped, but each
 * answer that begins also ends. */
static void answers_end_whole_for_one_that_reads_late(void **state)
{
    static const char request[] = "GET /api/v1/quotes HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial(port_of(state)), small = 4096, whole = 0;
    struct reply r;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 3000; i++)
        send_bytes(fd, request, sizeof request - 1);
    while (read_reply(fd, false, &r)) {
        assert_int_equal(r.status, 200);
        assert_int_equal(r.body.p[r.body.len - 1], '}');
        reply_fini(&r);
        whole++;
    }
    assert_true(whole > 10);
    assert_int_equal(r.head[0], '\0'); /* no half answer at the end */
    reply_fini(&r);
    close(fd);
}

static void a_request_in_single_bytes_is_understood(void **state)
{
    static const char text[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct reply r;
    int fd = dial(port_of(state)), on = 1;
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    for (size_t i = 0; i < sizeof text - 1; i++)
        send_bytes(fd, text + i, 1);
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 200);
    close(fd);
    reply_fini(&r);
}

static void no_path_leads_out(void **state)
{
    static const char *const paths[] = {
        "/../CMakeLists.txt", "/..%2fCMakeLists.txt", "/%2e%2e/main.c",  "//etc/passwd",
        "/..\\x.js",          "/.git/config",         "/web/index.html", "/index.html%00.js"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct reply r;
        char text[256];
        int fd = dial(port_of(state));
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
        send_text(fd, text);
        if (read_reply(fd, false, &r) && r.status < 400)
            fail_msg("%s: %d", paths[i], r.status);
        close(fd);
        reply_fini(&r);
    }
}

/* --- origins --- */

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

/* --- refresh --- */

static void refreshes_are_joined(void **state)
{
    int before = counter(port_of(state), "refreshes");
    int fds[3];
    static const char *const paths[] = {"refresh-all", "refresh-market", "refresh-all"};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        fds[i] = dial(port_of(state));
        snprintf(text, sizeof text, "POST /data-health/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                 paths[i], i == 1 ? "Content-Length: 0\r\n" : "");
        send_text(fds[i], text);
    }
    int gone = dial(port_of(state)); /* asks, and does not wait for the answer */
    send_text(gone, "POST /data-health/refresh-all HTTP/1.1\r\nHost: localhost\r\n\r\n");
    close(gone);
    for (size_t i = 0; i < 3; i++) {
        struct reply r;
        assert_true(read_reply(fds[i], false, &r));
        json_t *j = reply_json(&r);
        json_t *market = json_object_get(json_object_get(j, "operations"), "market");
        json_t *error = json_array_get(json_object_get(j, "errors"), 0);
        assert_int_equal(r.status, 200);
        assert_string_equal(text_at(j, "status"), "partial");
        assert_true(json_is_number(json_object_get(j, "duration_seconds")));
        assert_int_equal(json_integer_value(json_object_get(market, "updated")), 2);
        assert_int_equal(json_integer_value(json_object_get(market, "failed")), 1);
        assert_string_equal(text_at(error, "symbol"), "tea");
        assert_string_equal(text_at(error, "error"), "budget");
        assert_true(read_end(fds[i]));
        json_decref(j);
        reply_fini(&r);
        close(fds[i]);
    }
    assert_int_equal(counter(port_of(state), "refreshes"), before + 1);
}

static void intelligence_has_no_operations_yet(void **state)
{
    struct reply r = ask(port_of(state), "POST", "/data-health/refresh-intelligence", "");
    json_t *j = reply_json(&r);
    assert_string_equal(text_at(j, "status"), "success");
    assert_int_equal(json_object_size(json_object_get(j, "operations")), 0);
    assert_int_equal(json_array_size(json_object_get(j, "errors")), 0);
    json_decref(j);
    reply_fini(&r);
}

static void unknown_providers_are_404(void **state)
{
    assert_int_equal(ask_status(port_of(state), "POST", "/data-health/reset-circuit/none", ""),
                     404);
}

/* --- roles --- */

#define KEY_CONFIG "{\"listen\":{\"port\":0}," RIG_KEYS "," RIG_INSTRUMENTS "}"

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

/* --- more of the set-up --- */

static void the_plain_port_has_three_routes(void **state)
{
    (void)state;
    char config[2048];
    int port = free_port();
    snprintf(config, sizeof config, "{\"listen\":{\"port\":0,\"metrics_port\":%d}," RIG_KEYS "}",
             port);
    /* the rig needs its instruments */
    snprintf(strrchr(config, '}'), 1024, "," RIG_INSTRUMENTS "}");
    struct served s = start_server(config);
    struct reply r = ask(port, "GET", "/metrics", "");
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "pricegate_quote_age_seconds{symbol=\"coffee\"}"));
    assert_non_null(strstr(r.body.p, "\npricegate_bus_up 1\n"));
    reply_fini(&r);
    assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    assert_int_equal(ask_status(port, "GET", "/readyz", ""), 200);
    assert_int_equal(ask_status(port, "GET", "/api/v1/quotes", ""), 404);
    assert_int_equal(ask_status(port, "GET", "/", ""), 404);
    assert_int_equal(ask_status(port, "GET", "/ws", ""), 404);
    /* behind a proxy the main port does not give them away */
    assert_int_equal(ask_status(s.port, "GET", "/metrics", "X-Forwarded-For: 1.2.3.4\r\n"), 401);
    stop_server(&s);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_web_root_is_served_and_not_left(void **state)
{
    (void)state;
    char folder[] = "/tmp/pricegate-web-XXXXXX", config[2048], path[512], value[64];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "index.html", "<!doctype html><title>own</title>");
    write_file(folder, "own.js", "export {};");
    write_file(folder, "own.sh", "exit 1");
    snprintf(path, sizeof path, "%s/out.txt", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/up", folder);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(config, sizeof config,
             "{\"listen\":{\"port\":0,\"web_root\":\"%s\"}," RIG_INSTRUMENTS "}", folder);
    struct served s = start_server(config);
    struct reply r = ask(s.port, "GET", "/", "");
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "own"));
    assert_true(reply_header(&r, "Content-Type", value, sizeof value));
    assert_string_equal(value, "text/html; charset=utf-8");
    assert_true(reply_header(&r, "ETag", value, sizeof value));
    reply_fini(&r);
    assert_int_equal(ask_status(s.port, "GET", "/own.js", ""), 200);
    assert_int_equal(ask_status(s.port, "GET", "/own.sh", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/out.txt", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/up/hostname.txt", ""), 404);
    assert_int_equal(ask_status(s.port, "GET", "/app.js", ""), 404);
    stop_server(&s);
    static const char *const names[] = {"index.html", "own.js", "own.sh", "out.txt", "up"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void a_start_that_fails_says_why(void **state)
{
    static const struct {
        const char *host, *says;
        bool metrics_port; /* that one is taken, not listen.port */
    } cases[] = {
        {"127.0.0.1",            ": address in use", false},
        {"127.0.0.1",            ": address in use", true },
        {"192.0.2.1",            ": ",               false},
        {"no-such-host.invalid", ": cannot resolve", false},
    };
    int taken = port_of(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char says[128], config[2048];
        struct child c = {0};
        struct err err = {""};
        snprintf(says, sizeof says, "%s:%d%s", cases[i].host, taken, cases[i].says);
        snprintf(config, sizeof config,
                 "{\"listen\":{\"host\":\"%s\",\"port\":%d,\"metrics_port\":%d}," RIG_INSTRUMENTS
                 "}",
                 cases[i].host, cases[i].metrics_port ? 0 : taken,
                 cases[i].metrics_port ? taken : free_port());
        assert_int_equal(child_open(&c, config, &err), -1);
        if (!strstr(err.text, says))
            fail_msg("\"%s\" does not say \"%s\"", err.text, says);
        child_closed(&c);
        child_fini(&c);
    }
}

static void two_processes_share_a_port_when_told(void **state)
{
    (void)state;
    char config[2048];
    int port = free_port();
    snprintf(config, sizeof config, "{\"listen\":{\"port\":%d,\"share\":true}," RIG_INSTRUMENTS "}",
             port);
    struct served a = start_server(config), b = start_server(config);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    stop_server(&a);
    assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    stop_server(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_the_items),
        cmocka_unit_test(symbols_survive_the_path),
        cmocka_unit_test(refusals_are_problems),
        cmocka_unit_test(listed_quotes_come_once_each),
        cmocka_unit_test(instruments_are_described),
        cmocka_unit_test(an_unchanged_answer_is_304),
        cmocka_unit_test(data_health_says_what_is_missing),
        cmocka_unit_test(losing_the_bus_leaves_it_ready),
        cmocka_unit_test(head_is_get_without_a_body),
        cmocka_unit_test(methods_are_answered_by_the_table),
        cmocka_unit_test(strange_requests_are_refused),
        cmocka_unit_test(a_post_without_a_length_is_answered_and_closed),
        cmocka_unit_test(a_post_with_a_body_is_answered_behind_it),
        cmocka_unit_test(a_pipelined_post_runs_once),
        cmocka_unit_test(pipelined_gets_are_all_answered),
        cmocka_unit_test(answers_end_whole_for_one_that_reads_late),
        cmocka_unit_test(a_request_in_single_bytes_is_understood),
        cmocka_unit_test(no_path_leads_out),
        cmocka_unit_test(foreign_pages_change_nothing),
        cmocka_unit_test(cors_is_for_listed_origins),
        cmocka_unit_test(refreshes_are_joined),
        cmocka_unit_test(intelligence_has_no_operations_yet),
        cmocka_unit_test(unknown_providers_are_404),
        cmocka_unit_test(who_is_not_local_is_anonymous),
        cmocka_unit_test(a_start_that_fails_says_why),
        cmocka_unit_test(every_route_asks_for_its_role),
        cmocka_unit_test(without_an_anonymous_role_all_need_a_token),
        cmocka_unit_test(the_plain_port_has_three_routes),
        cmocka_unit_test(a_web_root_is_served_and_not_left),
        cmocka_unit_test(two_processes_share_a_port_when_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
