/* endpoint.h - the sockets behind one `listen.host`: one of TCP for each address that it stands
 * for, or a unix socket. Made and closed here; accepting is the listener's. */
#ifndef PRICEGATE_ENDPOINT_H
#define PRICEGATE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "unix_socket.h"

#define ENDPOINT_SOCKETS_MAX 8
#define ENDPOINT_BACKLOG     4096

struct endpoint {
    int fds[ENDPOINT_SOCKETS_MAX];
    size_t len; /* 0 = closed, or never opened */
    int port;   /* as bound, of all of them; 0: a unix socket */
    struct unix_socket file;
};

struct endpoint_options {
    const char *host;         /* listen_host.h */
    int port;                 /* 0 = any free one */
    const char *port_setting; /* its name, for sentences */
    bool share;
    int sndbuf_bytes;
    bool only_try; /* see whether it could be had; nobody who connects meanwhile ends up here */
};

/* Binds and listens (or sees whether that could be done). -1: a sentence that begins with the
 * address, and nothing is open. */
int endpoint_open(struct endpoint *e, const struct endpoint_options *o, struct err *err) MUST_CHECK;
/* Closes what is open, and removes the unix socket's file. */
void endpoint_close(struct endpoint *e);

/* "127.0.0.1:8080, [::1]:8080", "unix:/run/pricegate.sock". */
void endpoint_add_addresses(const struct endpoint *e, struct buf *out);

#endif
