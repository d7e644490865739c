/* What happens at the edges: files run out, clients that drip, clients that do not read, more
 * connections per second than allowed. */
#include "ws_peer.h"

#include <sys/ioctl.h>

#define FILES    140
#define CLIENTS  200
#define WAIT_MAX 4000

/* CPU time of a process in ms. */
static long cpu_ms(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    const char *p = strrchr(text, ')');
    assert_non_null(p);
    assert_int_equal(
        sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
    return (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* More clients than files: the rest waits in the backlog without turning the loop, those that are
 * in are served, and when they go the others come in. */
static void accepting_pauses_when_files_run_out(void **state)
{
    (void)state;
    struct served s =
        start_limited("{\"listen\":{\"port\":0},\"drain_s\":0," RIG_INSTRUMENTS "}", FILES);
    int fds[CLIENTS], streams[20];
    for (size_t i = 0; i < ARRAY_LEN(streams); i++)
        streams[i] = open_ws(s.port);
    for (size_t i = 0; i < CLIENTS; i++) {
        fds[i] = dial(s.port);
        assert_true(fds[i] >= 0);
    }
    long before_ms = cpu_ms(s.pid);
    pause_ms(2000);
    assert_true(cpu_ms(s.pid) - before_ms < 700);
    char byte;
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) /* still there */
        assert_true(recv(streams[i], &byte, 1, MSG_DONTWAIT) != 0);
    for (size_t i = 0; i < CLIENTS; i++)
        close(fds[i]);
    assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    for (size_t i = 0; i < ARRAY_LEN(streams); i++)
        close(streams[i]);
    stop_server(&s);
}

static void an_idle_server_sleeps(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}");
    int fd = open_ws(s.port);
    long before_ms = cpu_ms(s.pid);
    pause_ms(2000);
    assert_true(cpu_ms(s.pid) - before_ms < 300);
    close(fd);
    stop_server(&s);
}

/* Headers that come byte by byte do not buy time. */
static void dripped_headers_are_cut_off(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}");
    int64_t begin_ms = clock_mono_ms();
    int fd = dial(s.port);
    send_text(fd, "GET / HTTP/1.1\r\nX-Slow: ");
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN &&
           clock_mono_ms() - begin_ms < 4 * WAIT_MAX) {
        send_text(fd, "a");
        pause_ms(200);
    }
    int64_t took_ms = clock_mono_ms() - begin_ms;
    assert_true(took_ms >= 3000 && took_ms < 4 * WAIT_MAX);
    close(fd);
    stop_server(&s);
}

static void connections_per_second_are_bounded(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0},\"limits\":{\"accept_per_s\":20}," //
                                   RIG_INSTRUMENTS "}");
    int64_t begin_ms = clock_mono_ms();
    for (int i = 0; i < 60; i++)
        assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    int64_t took_ms = clock_mono_ms() - begin_ms; /* 20 at once, 40 at 20 a second */
    assert_true(took_ms >= 1500);
    stop_server(&s);
}

/* Many answers asked for and none read: the connection ends by itself, others are served. */
static void one_that_does_not_read_holds_nobody_up(void **state)
{
    (void)state;
    struct served s = start_server("{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}");
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial(s.port), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 3000; i++)
        if (send(fd, request, sizeof request - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_status(s.port, "GET", "/healthz", ""), 200);
    long before_ms = cpu_ms(s.pid);
    pause_ms(2000);
    assert_true(cpu_ms(s.pid) - before_ms < 700);
    close(fd);
    stop_server(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_pauses_when_files_run_out),
        cmocka_unit_test(an_idle_server_sleeps),
        cmocka_unit_test(dripped_headers_are_cut_off),
        cmocka_unit_test(connections_per_second_are_bounded),
        cmocka_unit_test(one_that_does_not_read_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
