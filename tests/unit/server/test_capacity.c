#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capacity.h"

static struct address at(unsigned char last)
{
    return (struct address){
        {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = last}
    };
}

static void streams_leave_room_for_the_rest(void **state)
{
    (void)state;
    struct config c = {0};
    struct capacity l;
    capacity_init(&l, &c, 1024);
    assert_int_equal(l.sockets, 1024 - 64);
    assert_int_equal(l.streams, 1024 - 64 - 32);
    c.limits.connections = 100;
    capacity_init(&l, &c, 1024);
    assert_int_equal(l.streams, 100);
    c.limits.connections = 100000;
    capacity_init(&l, &c, 1024);
    assert_int_equal(l.streams, 1024 - 64 - 32);
}

static void streams_are_counted(void **state)
{
    (void)state;
    struct config c = {.limits = {.connections = 2}};
    struct capacity l;
    struct address a = at(1);
    capacity_init(&l, &c, 1024);
    assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
    assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
    assert_int_equal(capacity_take(&l, &a), CAPACITY_FULL);
    capacity_give(&l, &a);
    assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
    assert_int_equal(l.streams_open, 2);
    capacity_fini(&l);
}

static void addresses_are_counted_apart(void **state)
{
    (void)state;
    struct config c = {.limits = {.connections_per_ip = 2}};
    struct capacity l;
    capacity_init(&l, &c, 4096);
    for (unsigned char i = 0; i < 250; i++) {
        struct address a = at(i);
        assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
        assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
        assert_int_equal(capacity_take(&l, &a), CAPACITY_ADDRESS);
    }
    assert_int_equal(l.streams_open, 500);
    struct address a = at(7);
    capacity_give(&l, &a);
    assert_int_equal(capacity_take(&l, &a), CAPACITY_OK);
    for (unsigned char i = 0; i < 250; i++) {
        a = at(i);
        capacity_give(&l, &a);
        capacity_give(&l, &a);
    }
    assert_int_equal(l.streams_open, 0);
    capacity_fini(&l);
}

/* Whoever has one address of a /64 has them all. */
static void a_network_of_ipv6_counts_as_one(void **state)
{
    (void)state;
    struct config c = {.limits = {.connections_per_ip = 2}};
    struct capacity l;
    struct address a[4];
    static const char *const texts[] = {"2001:db8::1", "2001:db8::ffff:1:2:3", "2001:db8::9",
                                        "2001:db8:0:1::1"};
    capacity_init(&l, &c, 4096);
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        assert_int_equal(address_parse(texts[i], strlen(texts[i]), &a[i]), 0);
    assert_int_equal(capacity_take(&l, &a[0]), CAPACITY_OK);
    assert_int_equal(capacity_take(&l, &a[1]), CAPACITY_OK);
    assert_int_equal(capacity_take(&l, &a[2]), CAPACITY_ADDRESS);
    assert_int_equal(capacity_take(&l, &a[3]), CAPACITY_OK);
    capacity_give(&l, &a[0]);
    assert_int_equal(capacity_take(&l, &a[2]), CAPACITY_OK);
    capacity_give(&l, &a[1]);
    capacity_give(&l, &a[2]);
    capacity_give(&l, &a[3]);
    assert_int_equal(l.streams_open, 0);
    capacity_fini(&l);
}

/* In a child: a lowered hard limit cannot be raised again. */
static int raised_in_child(rlim_t soft, rlim_t hard)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit r = {soft, hard};
        struct err err = {""};
        int64_t files = setrlimit(RLIMIT_NOFILE, &r) == 0 ? capacity_raise_files(&err) : -2;
        _exit(files == -1 && strstr(err.text, "128") ? 1 : files == (int64_t)hard ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_limit_of_files_is_raised_or_refused(void **state)
{
    (void)state;
    assert_int_equal(raised_in_child(256, 512), 0);
    assert_int_equal(raised_in_child(64, 128), 0);
    assert_int_equal(raised_in_child(64, 127), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_leave_room_for_the_rest),
        cmocka_unit_test(streams_are_counted),
        cmocka_unit_test(addresses_are_counted_apart),
        cmocka_unit_test(a_network_of_ipv6_counts_as_one),
        cmocka_unit_test(the_limit_of_files_is_raised_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
