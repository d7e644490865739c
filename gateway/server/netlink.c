/* libwebsockets 4.2 and later hear from the kernel of addresses and routes, keep a table of them,
 * and close every connection to which that table has no way. The table is wrong: a route that is
 * taken away takes narrower ones of the same interface with it (4.3.5: 10.99.0.0/16 comes and goes,
 * and the clients of 198.18.0.0/30 are thrown out when any address changes next). There is no
 * switch for it.
 *
 * We don't need it: a connection without a way ends when nothing is acknowledged any more. So the
 * library's socket is exchanged for one that has asked for nothing: it is never told to look. */
#include "netlink.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

static int get_int(int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

static void look_at(uv_handle_t *h, void *ctx)
{
    int *found = ctx;
    uv_os_fd_t fd;
    if (uv_handle_get_type(h) != UV_POLL || uv_fileno(h, &fd) != 0 ||
        get_int(fd, SO_DOMAIN) != AF_NETLINK || get_int(fd, SO_PROTOCOL) != NETLINK_ROUTE)
        return;
    int deaf = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (deaf < 0 || dup3(deaf, fd, O_CLOEXEC) < 0)
        --*found;
    if (deaf >= 0)
        close(deaf);
    ++*found;
}

int netlink_mute(uv_loop_t *loop)
{
    int found = 0;
    uv_walk(loop, look_at, &found);
    return found;
}
