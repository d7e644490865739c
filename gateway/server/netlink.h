/* netlink.h - the library must not judge who can be reached. */
#ifndef PRICEGATE_NETLINK_H
#define PRICEGATE_NETLINK_H

#include <uv.h>

/* In place of each NETLINK_ROUTE socket that the loop polls, one that never hears anything. How
 * many there were: 1 with libwebsockets 4.3, 0 with 4.1. */
int netlink_mute(uv_loop_t *loop);

#endif
