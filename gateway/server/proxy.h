/* proxy.h - whose request it is when a trusted proxy stands in between. Pure. */
#ifndef PRICEGATE_PROXY_H
#define PRICEGATE_PROXY_H

#include "address.h"

struct proxies {
    struct cidr *trusted;
    size_t len;
};

/* Takes the CIDR texts of the configuration. -1: out of memory. Texts that are none, which the
 * configuration does not let through, trust nobody. */
int proxies_init(struct proxies *p, const char *const *texts, size_t len) MUST_CHECK;
void proxies_fini(struct proxies *p);

/* The client's address: the peer's own, or, where the peer is trusted, the last address in
 * X-Forwarded-For (NULL = absent) that is not itself a trusted proxy. What cannot be read ends the
 * walk: the nearest proxy that was understood is then the client. "unix:" is an address here, too:
 * so nginx writes down who came to it over a unix socket. */
struct address proxies_client(const struct proxies *p, const struct address *peer,
                              const char *forwarded_for);

#endif
