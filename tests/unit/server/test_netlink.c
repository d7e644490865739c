/* A socket that hears of the network's changes, on a loop, hears of none afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

/* In as many groups as there are bits. */
static int groups_of(int fd)
{
    unsigned char bits[64] = {0};
    socklen_t size = sizeof bits;
    int n = 0;
    assert_int_equal(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, bits, &size), 0);
    for (size_t i = 0; i < sizeof bits; i++)
        n += __builtin_popcount(bits[i]);
    return n;
}

/* The answer is there at once. */
static void ask_for_routes(int fd)
{
    const struct {
        struct nlmsghdr head;
        struct rtgenmsg what;
    } question = {
        .head = {.nlmsg_len = sizeof question,
                 .nlmsg_type = RTM_GETROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .what = {.rtgen_family = AF_INET},
    };
    assert_int_equal(send(fd, &question, sizeof question, 0), sizeof question);
}

static bool has_news(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static int listen_to(unsigned groups)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
}

static void watch(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    assert_int_equal(uv_poll_init(loop, poll, fd), 0);
    assert_int_equal(uv_poll_start(poll, UV_READABLE, on_poll), 0);
}

static void only_what_the_loop_polls_is_muted(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_poll_t polls[2];
    uv_timer_t timer;
    int pair[2];
    const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR;
    int ours = listen_to(groups), other = listen_to(groups);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(netlink_mute(&loop), 0);
    watch(&loop, &polls[0], pair[0]);
    watch(&loop, &polls[1], ours);
    uv_timer_init(&loop, &timer);
    ask_for_routes(ours);
    ask_for_routes(other);
    assert_true(groups_of(ours) == 3 && has_news(ours));
    assert_int_equal(netlink_mute(&loop), 1);
    assert_true(groups_of(ours) == 0 && !has_news(ours));
    assert_true(groups_of(other) == 3 && has_news(other));
    uv_close((uv_handle_t *)&polls[0], NULL);
    uv_close((uv_handle_t *)&polls[1], NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(pair[0]);
    close(pair[1]);
    close(ours);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_loop_polls_is_muted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
