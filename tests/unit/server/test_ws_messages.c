/* Messages at their limits, frames that are none, and the close codes on the wire. */
#include "ws_peer.h"

static int start(void **state)
{
    return start_group(state, HEARTBEAT_CONFIG);
}

static void a_subscriber_gets_ack_and_snapshot(void **state)
{
    int fd = open_ws(port_of(state));
    assert_true(hear(fd, "\"type\":\"welcome\""));
    say(fd, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"id\":1}");
    assert_true(hear(fd, "\"type\":\"subscribed\",\"id\":1"));
    assert_true(hear(fd, "\"price\":2.9430"));
    close(fd);
}

static void a_message_right_behind_the_handshake_counts(void **state)
{
    char text[1024];
    unsigned char frame[64] = {0x81, 0x80 | 17, 0, 0, 0, 0};
    struct reply r;
    int fd = dial(port_of(state));
    int n = snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\n%s\r\n", USUAL);
    memcpy(frame + 6, "{\"action\":\"ping\"}", 17);
    memcpy(text + n, frame, 23);
    send_bytes(fd, text, (size_t)n + 23);
    assert_true(read_reply(fd, false, &r));
    assert_int_equal(r.status, 101);
    assert_true(hear(fd, "\"type\":\"pong\""));
    close(fd);
}

static void messages_are_put_together(void **state)
{
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x01, "{\"action\":", 10);
    send_frame(fd, 0x89, "x", 1); /* a ping in between */
    for (int i = 0; i < 14; i++)
        send_frame(fd, 0x00, " ", 1);
    send_frame(fd, 0x80, "\"ping\",\"id\":7}", 14);
    assert_true(hear(fd, "\"type\":\"pong\",\"id\":7"));
    close(fd);
}

static void a_message_of_64_kib_is_taken(void **state)
{
    char *text = malloc(65537);
    assert_non_null(text);
    memset(text, ' ', 65537);
    memcpy(text, "{\"action\":\"ping\",\"id\":8}", 24);
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x81, text, 65536);
    assert_true(hear(fd, "\"type\":\"pong\",\"id\":8"));
    send_frame(fd, 0x81, text, 65537);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
    free(text);
}

struct end_case {
    unsigned char first;
    const char *bytes;
    size_t len;
    int repeat, code;
};

static void each_fault_has_its_close_code(void **state)
{
    static const struct end_case cases[] = {
        {0x82, "x",          1, 1,   1003}, /* binary */
        {0x81, "\xff\xfe",   2, 1,   1007}, /* not UTF-8 */
        {0x81, "\xc3",       1, 1,   1007}, /* half a character */
        {0x83, "",           0, 1,   1002}, /* unknown opcode */
        {0xC1, "x",          1, 1,   1002}, /* RSV1 without an extension */
        {0x80, "x",          1, 1,   1002}, /* continues nothing */
        {0x09, "x",          1, 1,   1002}, /* a ping in pieces */
        {0x88, "\x03\xe8",   2, 1,   1000}, /* the peer closes */
        {0x88, "\x0f\xa0hi", 4, 1,   4000},
        {0x8A, "x",          1, 500, 4008}, /* pongs that nobody asked for */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = open_ws(port_of(state));
        for (int k = 0; k < cases[i].repeat; k++)
            send_frame(fd, cases[i].first, cases[i].bytes, cases[i].len);
        int code = close_code(fd);
        if (code != cases[i].code)
            fail_msg("case %zu: %d", i, code);
        close(fd);
    }
}

static void too_many_fragments_are_too_big(void **state)
{
    int fd = open_ws(port_of(state));
    send_frame(fd, 0x01, "a", 1);
    for (int i = 0; i < 20; i++)
        send_frame(fd, 0x00, "", 0);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
}

/* Announces 2^40 bytes: refused before they are kept. */
static void a_huge_announcement_is_too_big(void **state)
{
    static const unsigned char frame[] = {0x81, 0x80 | 127, 0, 0, 1, 0, 0,  0,
                                          0,    0,          0, 0, 0, 0, 'a'};
    int fd = open_ws(port_of(state));
    send_bytes(fd, frame, sizeof frame);
    assert_int_equal(close_code(fd), 1009);
    close(fd);
}

static void pings_are_answered(void **state)
{
    struct buf b = {0};
    int op, fd = open_ws(port_of(state));
    send_frame(fd, 0x89, "abc", 3);
    while ((op = read_frame(fd, &b)) >= 0 && op != 10) {
    }
    assert_int_equal(op, 10);
    assert_string_equal(b.p, "abc");
    buf_fini(&b);
    close(fd);
}

static void a_quiet_client_hears_heartbeat_and_ping(void **state)
{
    struct buf b = {0};
    bool heartbeat = false, ping = false;
    int op, fd = open_ws(port_of(state));
    while (!(heartbeat && ping) && (op = read_frame(fd, &b)) >= 0) {
        heartbeat = heartbeat || (op == 1 && strstr(b.p, "\"heartbeat\""));
        ping = ping || op == 9;
        if (op == 9) /* the library does not tell us of an empty pong */
            assert_true(b.len > 0);
    }
    assert_true(heartbeat && ping);
    buf_fini(&b);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscriber_gets_ack_and_snapshot),
        cmocka_unit_test(a_message_right_behind_the_handshake_counts),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(a_message_of_64_kib_is_taken),
        cmocka_unit_test(each_fault_has_its_close_code),
        cmocka_unit_test(too_many_fragments_are_too_big),
        cmocka_unit_test(a_huge_announcement_is_too_big),
        cmocka_unit_test(pings_are_answered),
        cmocka_unit_test(a_quiet_client_hears_heartbeat_and_ping),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
