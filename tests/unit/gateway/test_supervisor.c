/* What the service manager hears, on a real socket of both kinds. */
#include "supervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A listening manager. name[0] '@' = without a file. */
static int manager(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    memcpy(at.sun_path, name, strlen(name));
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    return fd;
}

static void expect(int fd, const char *text)
{
    char got[100] = "";
    assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), strlen(text));
    assert_string_equal(got, text);
}

static void a_manager_hears(void **state)
{
    char file[64], abstract[64];
    (void)state;
    snprintf(file, sizeof file, "/tmp/pricegate-notify-%d", (int)getpid());
    snprintf(abstract, sizeof abstract, "@pricegate-notify-%d", (int)getpid());
    const char *const names[] = {file, abstract};
    for (size_t i = 0; i < 2; i++) {
        int fd = manager(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_true(supervisor_tell("READY=1"));
        expect(fd, "READY=1");
        assert_true(supervisor_tell("RELOADING=1\nSTATUS=x"));
        expect(fd, "RELOADING=1\nSTATUS=x");
        close(fd);
        assert_false(supervisor_tell("READY=1")); /* nobody listens any more */
    }
    unlink(file);
}

static void nobody_is_told(void **state)
{
    static const char *const wrong[] = {"", "/", "@", "relative", "vsock:2:1"};
    char endless[200];
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_false(supervisor_tell("READY=1"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        assert_false(supervisor_tell("READY=1"));
    }
    memset(endless, '/', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    setenv("NOTIFY_SOCKET", endless, 1);
    assert_false(supervisor_tell("READY=1"));
}

static void the_watchdog_s_time(void **state)
{
    char pid[20];
    (void)state;
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(supervisor_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(supervisor_watchdog_ms(), 15000);
    setenv("WATCHDOG_USEC", "1999", 1);
    assert_int_equal(supervisor_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "-5", 1);
    assert_int_equal(supervisor_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "2000", 1);
    assert_int_equal(supervisor_watchdog_ms(), 1);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(supervisor_watchdog_ms(), 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(supervisor_watchdog_ms(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_hears),
        cmocka_unit_test(nobody_is_told),
        cmocka_unit_test(the_watchdog_s_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
