/* Event streams on a real server, byte for byte: the head, the limits, who may, and the end. */
#include "server_rig.h"

#define STREAM "/api/v1/stream?symbols="

static const char config[] = "{\"listen\":{\"port\":0},\"limits\":{\"connections\":2},"
                             "\"drain_s\":1," RIG_INSTRUMENTS "}";

/* Reads on until the text has come; what came stays in got. */
static bool read_until(int fd, struct buf *got, const char *text)
{
    char piece[4096];
    while (!got->p || !strstr(got->p, text)) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0)
            return false;
        buf_add(got, piece, (size_t)n);
        buf_addc(got, '\0');
        got->len--;
    }
    return true;
}

static int try_stream(int port, const char *what, const char *more, struct reply *r)
{
    char text[2048];
    int fd = dial(port);
    assert_true(fd >= 0);
    snprintf(text, sizeof text, "GET " STREAM "%s HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n", what,
             port, more);
    send_text(fd, text);
    assert_true(read_reply(fd, false, r));
    return fd;
}

static int status_of(int port, const char *what, const char *more)
{
    struct reply r;
    close(try_stream(port, what, more, &r));
    reply_fini(&r);
    return r.status;
}

static int open_stream(int port, const char *what, const char *more)
{
    struct reply r;
    int fd = try_stream(port, what, more, &r);
    assert_int_equal(r.status, 200);
    reply_fini(&r);
    return fd;
}

static void the_head_says_that_it_goes_on(void **state)
{
    (void)state;
    struct served s = start_server(config);
    struct reply r;
    struct buf got = {0};
    char value[64];
    int fd = try_stream(s.port, "coffee", "", &r);
    assert_int_equal(r.status, 200);
    assert_true(reply_header(&r, "Content-Type", value, sizeof value));
    assert_string_equal(value, "text/event-stream");
    assert_true(reply_header(&r, "Cache-Control", value, sizeof value));
    assert_string_equal(value, "no-store");
    assert_true(reply_header(&r, "Connection", value, sizeof value));
    assert_string_equal(value, "close");
    assert_false(reply_header(&r, "Content-Length", value, sizeof value));
    assert_false(reply_header(&r, "Transfer-Encoding", value, sizeof value));
    assert_true(read_until(fd, &got, "}\n\n"));
    assert_non_null(strstr(got.p, "event: quote\ndata: {\"symbol\":\"coffee\",\"price\":2.9430,"));
    buf_fini(&got);
    reply_fini(&r);
    close(fd);
    stop_server(&s);
}

static void streams_count_as_connections(void **state)
{
    (void)state;
    struct served s = start_server(config);
    struct reply r;
    char value[32];
    int a = open_stream(s.port, "coffee", ""), b = open_stream(s.port, "*", "");
    close(try_stream(s.port, "coffee", "", &r));
    assert_int_equal(r.status, 503);
    assert_true(reply_header(&r, "Retry-After", value, sizeof value));
    reply_fini(&r);
    shutdown(a, SHUT_WR);
    assert_true(read_end(a)); /* the server has noticed: the place is free */
    close(a);
    assert_int_equal(status_of(s.port, "coffee", ""), 200);
    close(b);
    stop_server(&s);
}

static void a_reader_that_talks_is_ended(void **state)
{
    (void)state;
    struct served s = start_server(config);
    int fd = open_stream(s.port, "coffee", "");
    send_text(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_end(fd));
    close(fd);
    assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    stop_server(&s);
}

static void what_comes_with_the_request_is_not_run(void **state)
{
    (void)state;
    struct served s = start_server(config);
    struct buf got = {0};
    int fd = dial(s.port);
    send_text(fd, "GET " STREAM "coffee HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(read_until(fd, &got, "event: quote"));
    assert_null(strstr(got.p + 1, "HTTP/1.1 "));
    buf_fini(&got);
    close(fd);
    stop_server(&s);
}

static void the_role_is_checked(void **state)
{
    (void)state;
    char closed[2048];
    snprintf(closed, sizeof closed,
             "{\"listen\":{\"port\":0},\"drain_s\":0," RIG_INSTRUMENTS
             ",\"auth\":{\"anonymous_role\":null,%s}",
             strstr(RIG_KEYS, "\"keys\""));
    struct served s = start_server(closed);
    assert_int_equal(status_of(s.port, "coffee", ""), 401);
    assert_int_equal(status_of(s.port, "coffee", "Authorization: Bearer wrong\r\n"), 401);
    assert_int_equal(status_of(s.port, "coffee", "Authorization: Bearer viewer-key\r\n"), 200);
    assert_int_equal(status_of(s.port, "coffee&token=viewer-key", ""), 200);
    stop_server(&s);
}

static void bodies_and_upgrades_are_refused(void **state)
{
    (void)state;
    struct served s = start_server(config);
    assert_int_equal(status_of(s.port, "coffee", "Content-Length: 0\r\n"), 400);
    assert_int_equal(status_of(s.port, "coffee", "Content-Length: 2\r\n"), 400);
    assert_int_equal(status_of(s.port, "coffee",
                               "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                               "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
                     400);
    stop_server(&s);
}

static void draining_ends_streams(void **state)
{
    (void)state;
    struct served s = start_server(config);
    int status, a = open_stream(s.port, "coffee", ""), b = open_stream(s.port, "*", "");
    kill(s.pid, SIGTERM);
    assert_true(read_end(a));
    assert_true(read_end(b));
    close(a);
    close(b);
    assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_that_it_goes_on),
        cmocka_unit_test(streams_count_as_connections),
        cmocka_unit_test(a_reader_that_talks_is_ended),
        cmocka_unit_test(what_comes_with_the_request_is_not_run),
        cmocka_unit_test(the_role_is_checked),
        cmocka_unit_test(bodies_and_upgrades_are_refused),
        cmocka_unit_test(draining_ends_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
