#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"

#define HEAD                                                                                       \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "  \
    "inode\n"

static void test_the_listening_socket_of_a_port_is_found(void **state)
{
    static const char table[] =
        HEAD "   0: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0    "
             "    0 11 1 0000000000000000 20 4 30 10 -1\n"
             "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0    "
             "    0 22 1 0000000000000000 100 0 0 10 0\n"
             "  10: 00000000000000000000000000000000:1F91 "
             "00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000"
             "        0 33 1 0000000000000000 100 0 0 10 0";
    assert_int_equal(machine_listening_inode(table, 8080), 22);
    assert_int_equal(machine_listening_inode(table, 8081), 33);
    assert_int_equal(machine_listening_inode(table, 8082), 0);
    assert_int_equal(machine_listening_inode("", 8080), 0);
    assert_int_equal(machine_listening_inode("nonsense\n\n  1: \n:\n", 8080), 0);
    (void)state;
}

static void test_we_find_ourselves(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    struct machine_holder holder;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    machine_find_holder(ntohs(in.sin_port), &holder);
    assert_false(holder.found); /* bound is not listening */
    assert_int_equal(listen(fd, 1), 0);
    machine_find_holder(ntohs(in.sin_port), &holder);
    assert_true(holder.found);
    assert_int_equal(holder.pid, getpid());
    assert_string_equal(holder.name, "test_machine");
    close(fd);
    (void)state;
}

static void test_this_machine_can_be_looked_at(void **state)
{
    struct machine m;
    machine_look(&m);
    assert_true(m.files >= 128);
    assert_true(m.somaxconn > 0);
    assert_int_equal(m.is_root, geteuid() == 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_listening_socket_of_a_port_is_found),
        cmocka_unit_test(test_we_find_ourselves),
        cmocka_unit_test(test_this_machine_can_be_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
