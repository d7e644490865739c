/* The handshake in all its forms, as it is on the wire: what upgrades, and what is refused. */
#include "ws_peer.h"

static int start(void **state)
{
    return start_group(state, HEARTBEAT_CONFIG);
}

struct handshake {
    const char *path, *lines;
    int status;
};

static void handshakes_are_checked(void **state)
{
    static const struct handshake cases[] = {
        {"/ws",             USUAL,                                                                               101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: pricegate.v1\r\n",                                    101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: other, pricegate.v1\r\n",                             101},
        {"/ws",             USUAL "Sec-WebSocket-Protocol: other\r\n",                                           400},
        {"/ws?a=b",         USUAL,                                                                               101},
        {"/ws/",            USUAL,                                                                               404},
        {"/other",          USUAL,                                                                               404},
        {"/healthz",        USUAL,                                                                               404},
        {"/ws",             USUAL "Content-Length: 5\r\n",                                                       400},
        {"/ws",             USUAL "Transfer-Encoding: chunked\r\n",                                              400},
        {"/ws",
         "Host: localhost\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n" KEY
         "Sec-WebSocket-Version: 13\r\n",                                                                        101},
        {"/ws",             "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n",
         400                                                                                                        },
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: close\r\n" KEY
         "Sec-WebSocket-Version: 13\r\n",                                                                        400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n",                                                                        400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",                                            400},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY
         "Sec-WebSocket-Version: 99\r\n",                                                                        426},
        {"/ws",             "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY,              426},
        {"/ws",
         "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY
         "Sec-WebSocket-Version: 13, 8\r\n",                                                                     426},
 /* h2c: served as a plain request, never upgraded */
        {"/healthz",
         "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",                                                         200},
        {"/ws",
         "Host: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",                                                         426},
        {"/ws",             "Host: localhost\r\nUpgrade: foo\r\nConnection: Upgrade\r\n",                        403},
 /* tokens */
        {"/ws",             USUAL "Authorization: Bearer wrong\r\n",                                             401},
        {"/ws?token=wrong", USUAL,                                                                               401},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = try_upgrade(port_of(state), cases[i].path, cases[i].lines);
        if (status != cases[i].status)
            fail_msg("%d, not %d: %s %s", status, cases[i].status, cases[i].path, cases[i].lines);
    }
}

static void origins_fail_closed(void **state)
{
    static const struct {
        const char *origin;
        int status;
    } cases[] = {
        {"Origin: http://localhost:%d\r\n",                        101},
        {"Origin: HTTP://LOCALHOST:%d\r\n",                        101},
        {"Origin: http://localhost\r\n",                           403},
        {"Origin: https://localhost\r\n",                          403},
        {"Origin: http://evil.example\r\n",                        403},
        {"Origin: null\r\n",                                       403},
        {"Origin:\r\n",                                            403},
        {"Origin: \r\n",                                           403},
        {"Origin: http://localhost:%d/\r\n",                       403},
        {"Origin: http://localhost:%d\r\nOrigin: http://evil\r\n", 403},
        {"Origin: http://evil\r\nOrigin: http://localhost:%d\r\n", 403},
        {"Sec-WebSocket-Origin: http://evil\r\n",                  403},
    };
    int port = port_of(state);
    char host[64], text[64], lines[2048];
    snprintf(host, sizeof host, "Host: localhost:%d\r\n", port);
    snprintf(text, sizeof text, "%d", port);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char origin[256];
        const char *at = strstr(cases[i].origin, "%d");
        snprintf(origin, sizeof origin, "%.*s%s%s",
                 at ? (int)(at - cases[i].origin) : (int)strlen(cases[i].origin), cases[i].origin,
                 at ? text : "", at ? at + 2 : "");
        snprintf(lines, sizeof lines, "%s%s%s", host, strchr(USUAL, '\n') + 1, origin);
        int status = try_upgrade(port, "/ws", lines);
        if (status != cases[i].status)
            fail_msg("%d for %s", status, origin);
    }
    /* longer than any buffer a check might use */
    static const size_t lengths[] = {300, 2000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char origin[2100];
        memset(origin, 'a', sizeof origin);
        origin[lengths[i]] = '\0';
        snprintf(lines, sizeof lines, USUAL "Origin: http://%.*s\r\n", 1700, origin);
        assert_int_equal(try_upgrade(port, "/ws", lines), 403);
    }
}

static void the_subprotocol_is_confirmed_when_asked_for(void **state)
{
    struct reply r;
    char value[64];
    assert_int_equal(
        upgrade(port_of(state), "/ws", USUAL "Sec-WebSocket-Protocol: pricegate.v1\r\n", NULL, &r),
        101);
    assert_true(reply_header(&r, "Sec-WebSocket-Protocol", value, sizeof value));
    assert_string_equal(value, "pricegate.v1");
    assert_true(reply_header(&r, "Sec-WebSocket-Accept", value, sizeof value));
    assert_string_equal(value, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(upgrade(port_of(state), "/ws", USUAL, NULL, &r), 101);
    assert_false(reply_header(&r, "Sec-WebSocket-Protocol", value, sizeof value));
}

/* The library answers an unknown upgrade by itself and goes on, on a connection that is kept, with
 * headers that are gone. */
static void an_unknown_upgrade_on_a_kept_connection_is_survived(void **state)
{
    struct reply r;
    int fd = dial(port_of(state));
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    reply_fini(&r);
    send_text(fd, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: foo\r\n"
                  "Connection: Upgrade\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 403);
    reply_fini(&r);
    close(fd);
    assert_int_equal(ask_status(port_of(state), "GET", "/healthz", ""), 200);
}

static void over_the_limit_is_503(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0},\"limits\":{\"connections\":2},"
                                   "\"drain_s\":0," RIG_INSTRUMENTS "}");
    struct reply r;
    char value[32];
    int a = open_ws(s.port), b = open_ws(s.port);
    assert_int_equal(upgrade(s.port, "/ws", USUAL, NULL, &r), 503);
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    reply_fini(&r);
    assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    close(a);
    int status = 503; /* the place is free when the server has noticed */
    for (int i = 0; i < 1000 && status == 503; i++)
        status = try_upgrade(s.port, "/ws", USUAL);
    assert_int_equal(status, 101);
    close(b);
    stop_server(&s);
}

static void over_the_limit_of_an_address_is_429(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0,\"trusted_proxies\":[\"127.0.0.0/8\"]},"
                                   "\"limits\":{\"connections_per_ip\":1}," RIG_INSTRUMENTS "}");
    struct reply r;
    int a, b;
    assert_int_equal(upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.1\r\n", &a, &r), 101);
    assert_int_equal(try_upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.1\r\n"), 429);
    assert_int_equal(upgrade(s.port, "/ws", USUAL "X-Forwarded-For: 10.0.0.2\r\n", &b, &r), 101);
    close(a);
    close(b);
    stop_server(&s);
}

static void tokens_give_their_role(void **state)
{
    (void)state;
    char config[2048];
    snprintf(config, sizeof config, "{\"listen\":{\"port\":0},\"auth\":{\"anonymous_role\":null,%s",
             strstr("{" RIG_KEYS "," RIG_INSTRUMENTS "}", "\"keys\""));
    struct served s = start_server(config);
    struct reply r;
    int fd;
    assert_int_equal(upgrade(s.port, "/ws", USUAL "Authorization: Bearer viewer-key\r\n", &fd, &r),
                     101);
    say(fd, "{\"action\":\"refresh\",\"symbols\":[\"coffee\"],\"id\":1}");
    assert_true(hear(fd, "\"code\":403"));
    close(fd);
    assert_int_equal(upgrade(s.port, "/ws?token=analyst-key", USUAL, &fd, &r), 101);
    say(fd, "{\"action\":\"refresh\",\"symbols\":[\"coffee\"],\"id\":2}");
    assert_true(hear(fd, "\"type\":\"refreshed\",\"id\":2"));
    close(fd);
    fd = open_ws(s.port); /* none: it has to say one first */
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":3}");
    assert_true(hear(fd, "\"code\":401"));
    say(fd, "{\"action\":\"auth\",\"token\":\"viewer-key\",\"id\":4}");
    assert_true(hear(fd, "\"type\":\"authenticated\",\"id\":4,\"role\":\"viewer\""));
    close(fd);
    stop_server(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_are_checked),
        cmocka_unit_test(origins_fail_closed),
        cmocka_unit_test(the_subprotocol_is_confirmed_when_asked_for),
        cmocka_unit_test(an_unknown_upgrade_on_a_kept_connection_is_survived),
        cmocka_unit_test(over_the_limit_is_503),
        cmocka_unit_test(over_the_limit_of_an_address_is_429),
        cmocka_unit_test(tokens_give_their_role),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
