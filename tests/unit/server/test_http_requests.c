/* Requests in all their forms, over a real socket: methods, lengths, pieces, pipelines. */
#include "server_group.h"

#define OPEN_CONFIG "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
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
        {"GET",     "/docs/",                         NULL,        308},
        {"POST",    "/docs",                          "GET, HEAD", 405},
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
    assert_true(whole > 3);            /* as many as the buffers of both ends hold */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_is_get_without_a_body),
        cmocka_unit_test(methods_are_answered_by_the_table),
        cmocka_unit_test(strange_requests_are_refused),
        cmocka_unit_test(a_post_without_a_length_is_answered_and_closed),
        cmocka_unit_test(a_post_with_a_body_is_answered_behind_it),
        cmocka_unit_test(a_pipelined_post_runs_once),
        cmocka_unit_test(pipelined_gets_are_all_answered),
        cmocka_unit_test(answers_end_whole_for_one_that_reads_late),
        cmocka_unit_test(a_request_in_single_bytes_is_understood),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
