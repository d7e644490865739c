/* address.h - IP addresses as 16 bytes, and ranges of them.
 *
 * IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves both families, and so that a caller
 * who comes by IPv4 to a socket of IPv6 is the same as ever. Who comes over a unix socket has no
 * address; it is written "unix:". Pure. */
#ifndef PRICEGATE_ADDRESS_H
#define PRICEGATE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "attrs.h"

struct address {
    unsigned char bytes[16]; /* network order; all zero = a unix socket's */
};

#define ADDRESS_TEXT_MAX 46

struct address address_of_socket(const struct sockaddr *sa);
/* A literal without brackets, port or zone, or "unix:". -1: it is none; "::", which is nobody's
 * address, included. */
int address_parse(const char *text, size_t len, struct address *out) MUST_CHECK;
/* "127.0.0.1", "2001:db8::1", "unix:" into out. Returns out. */
char *address_format(const struct address *a, char out[static ADDRESS_TEXT_MAX]);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_loopback(const struct address *a); /* 127.0.0.0/8, ::1 */
/* What a limit by address counts as one: an IPv4 address, also one behind NAT64; of IPv6 its /64,
 * of which whoever has one address has them all. */
struct address address_party(const struct address *a);
/* One of the Internet's: nobody's own network, this machine, a link, a group or a translation
 * (IANA's registries of special-purpose addresses). */
bool address_is_public(const struct address *a);

struct cidr {
    struct address address;
    int bits; /* of the 128 */
};

/* "10.0.0.0/8", "fd00::/8", a single address, or "unix:". -1: it is none, or "::". */
int cidr_parse(const char *text, struct cidr *out) MUST_CHECK;
/* Each family for itself: an IPv4 address is in no range of IPv6 ("::/0"), a unix socket's caller
 * in none but "unix:". */
bool cidr_contains(const struct cidr *c, const struct address *a);

#endif
