/* origin.h - may a page of this origin use the gateway? Pure.
 *
 * Browsers send Origin with every WebSocket handshake and every cross-site request; it is the only
 * thing that keeps a foreign page from using a visitor's network position. So the rules fail
 * closed: whatever is not understood completely is refused. */
#ifndef PRICEGATE_ORIGIN_H
#define PRICEGATE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* A Host header or the authority of an origin, taken apart. */
struct authority {
    char host[256]; /* lower case, IPv6 without brackets */
    int port;       /* 0 = none given */
};

/* "host", "host:port", "[v6]", "[v6]:port". -1 for anything else. */
int authority_parse(const char *text, size_t len, struct authority *out);

struct origin_rule {
    const char *host; /* the request's Host header, NULL = absent */
    bool tls;         /* the request came over our own TLS */
    const char *const *listed;
    size_t listed_len;
};

/* True when origin is listed, or is the request's own host: same host and port, the default port
 * of the origin's scheme filled in, and https where we speak TLS ourselves (where we don't, a
 * proxy may). "null", several origins in one header, a path or a user: false. origin is not NULL;
 * an absent Origin header is the caller's to allow. */
bool origin_allowed(const char *origin, const struct origin_rule *rule);

/* The same without the own host: CORS is for listed origins only. */
bool origin_listed(const char *origin, const struct origin_rule *rule);

#endif
