/* listen_host.h - what `listen.host` may say: an address, a name, or a unix socket. Pure. */
#ifndef PRICEGATE_LISTEN_HOST_H
#define PRICEGATE_LISTEN_HOST_H

#include <stdbool.h>

#include "buf.h"

#define LISTEN_PATH_MAX 107 /* sockaddr_un holds 108 with the NUL */

/* Of "unix:/path", the path; NULL: it is no unix socket. */
const char *listen_host_path(const char *host);
/* NULL when it may be one, else how it should be; whether there is such an address or name, only
 * the start shows. */
const char *listen_host_problem(const char *host);

/* All addresses of this machine: who asks for it asks for one of them. */
bool listen_host_is_any(const char *host);

/* Appends "http://127.0.0.1:8080", "https://[::1]:8443" or "unix:/run/pricegate.sock". */
void listen_host_add_url(struct buf *out, const char *host, bool tls, int port);

#endif
