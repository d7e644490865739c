/* bus_url.h - what redis.url says, taken apart. Pure.
 *
 *     redis://[user:pass@]host[:port][/db]    host: name, IPv4 or [IPv6]; port 6379, db 0 if unsaid
 *     redis://:pass@host                      a password without a user (requirepass)
 *     rediss://...                            the same over TLS
 *     unix://[user:pass@]/path[?db=N]
 *
 * User and password may be percent-encoded. Neither appears in an error or in `address`. */
#ifndef PRICEGATE_BUS_URL_H
#define PRICEGATE_BUS_URL_H

#include <stdbool.h>

#include "err.h"

struct bus_url {
    bool is_unix, is_tls;
    char host[256]; /* TCP */
    int port;
    char path[108]; /* unix socket: as much as sockaddr_un holds */
    int db;
    char user[128];     /* "" = none */
    char password[512]; /* "" = no AUTH at all */
    char address[280];  /* for people: "host:port" or the path */
};

/* 0, or -1 with a sentence that begins with "redis.url: ". */
int bus_url_parse(const char *text, struct bus_url *out, struct err *err) MUST_CHECK;

#endif
