/* Connections under load and at their end: floods, full sockets, broken ones, the drain. */
#include "ws_peer.h"

static int start(void **state)
{
    return start_group(state, HEARTBEAT_CONFIG);
}

/* One client floods; another is served as if nothing were. */
static void a_flood_does_not_hold_up_others(void **state)
{
    int flooder = open_ws(port_of(state)), other = open_ws(port_of(state));
    for (int i = 0; i < 2000; i++)
        send_frame(flooder, 0x89, "flood", 5);
    say(other, "{\"action\":\"ping\",\"id\":9}");
    assert_true(hear(other, "\"type\":\"pong\",\"id\":9"));
    close(flooder);
    close(other);
}

/* As many instruments as make one answer larger than what the kernel takes at once. */
static char *wide_config(void)
{
    struct buf b = {0};
    buf_adds(&b, "{\"listen\":{\"port\":0},\"fanout\":{\"sndbuf_bytes\":4096},"
                 "\"drain_s\":0,\"instruments\":["
                 "{\"symbol\":\"coffee\",\"sources\":[]},{\"symbol\":\"EUR/USD\",\"sources\":[]}");
    for (int i = 0; i < 450; i++) {
        char text[96];
        int n = snprintf(text, sizeof text, ",{\"symbol\":\"a-symbol-with-a-long-name-%05d\",%s}",
                         i, "\"sources\":[]");
        buf_add(&b, text, (size_t)n);
    }
    buf_adds(&b, "]}");
    assert_false(b.failed);
    return b.p;
}

/* What the kernel does not take at once follows, in order and nothing twice. */
static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    char *config = wide_config();
    struct served s = start_server(config);
    struct buf b = {0};
    int lists = 0, pongs = 0, small = 4096, fd = dial(s.port);
    free(config);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    send_text(fd, "GET /ws HTTP/1.1\r\n" USUAL "\r\n");
    struct reply r;
    assert_true(read_reply(fd, false, &r));
    reply_fini(&r);
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"id\":1}");
    send_frame(fd, 0x89, "abc", 3); /* the library answers this, in the middle of ours */
    say(fd, "{\"action\":\"list\",\"id\":2}");
    while (lists < 2 || pongs < 1) {
        int op = read_frame(fd, &b);
        assert_true(op == 1 || op == 10);
        if (op == 10) {
            assert_string_equal(b.p, "abc");
            pongs++;
            continue;
        }
        json_t *j = json_loadb(b.p, b.len, 0, NULL);
        assert_non_null(j);
        if (json_object_get(j, "id")) {
            assert_int_equal(json_integer_value(json_object_get(j, "id")), ++lists);
            assert_true(b.len > 14000);
        }
        json_decref(j);
    }
    buf_fini(&b);
    close(fd);
    stop_server(&s);
}

static void a_broken_connection_leaves_nothing(void **state)
{
    const struct linger now = {1, 0};
    for (int i = 0; i < 50; i++) {
        int fd = open_ws(port_of(state));
        say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    assert_int_equal(ask_status(port_of(state), "GET", "/healthz", ""), 200);
}

static void draining_says_goaway_and_closes_with_1001(void **state)
{
    (void)state;
    struct served s = start_server(HEARTBEAT_CONFIG);
    int fds[5];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = open_ws(s.port);
    int mute = dial(s.port); /* never says a word */
    kill(s.pid, SIGTERM);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_true(hear(fds[i], "\"type\":\"goaway\",\"reason\":\"shutdown\""));
        assert_int_equal(close_code(fds[i]), 1001);
    }
    assert_int_equal(dial(s.port), -1); /* no longer accepting */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    int status;
    assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(mute);
}

/* Clients that do not answer the close frame, or do not even read, do not hold up the end. */
static void silent_clients_do_not_hold_up_the_end(void **state)
{
    (void)state;
    struct served s = start_server(HEARTBEAT_CONFIG);
    int fds[3];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = open_ws(s.port);
    int64_t begin_ms = clock_mono_ms();
    stop_server(&s);
    assert_true(clock_mono_ms() - begin_ms < 10000);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_does_not_hold_up_others),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_broken_connection_leaves_nothing),
        cmocka_unit_test(draining_says_goaway_and_closes_with_1001),
        cmocka_unit_test(silent_clients_do_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
