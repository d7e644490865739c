#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static const char unix_text[] = "unix:";

static bool is_v4(const struct address *a)
{
    return memcmp(a->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

static bool is_unix(const struct address *a)
{
    static const struct address none = {{0}};
    return address_equal(a, &none);
}

struct address address_of_socket(const struct sockaddr *sa)
{
    struct address a = {0};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        memcpy(a.bytes, v4_prefix, sizeof v4_prefix);
        memcpy(a.bytes + 12, &in.sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        memcpy(a.bytes, &in6.sin6_addr, 16);
    }
    return a;
}

/* Of either family, "::" too. */
static int parse_literal(const char *text, size_t len, struct address *out)
{
    char literal[ADDRESS_TEXT_MAX];
    *out = (struct address){0};
    if (len == 0 || len >= sizeof literal || memchr(text, '\0', len))
        return -1;
    memcpy(literal, text, len);
    literal[len] = '\0';
    if (inet_pton(AF_INET, literal, out->bytes + 12) == 1) {
        memcpy(out->bytes, v4_prefix, sizeof v4_prefix);
        return 0;
    }
    if (inet_pton(AF_INET6, literal, out->bytes) == 1)
        return 0;
    *out = (struct address){0};
    return -1;
}

static bool is_unix_text(const char *text, size_t len)
{
    return len == sizeof unix_text - 1 && memcmp(text, unix_text, len) == 0;
}

int address_parse(const char *text, size_t len, struct address *out)
{
    if (parse_literal(text, len, out) == 0)
        return is_unix(out) ? -1 : 0;
    return is_unix_text(text, len) ? 0 : -1;
}

char *address_format(const struct address *a, char out[static ADDRESS_TEXT_MAX])
{
    if (is_unix(a))
        memcpy(out, unix_text, sizeof unix_text);
    else if (is_v4(a))
        inet_ntop(AF_INET, a->bytes + 12, out, ADDRESS_TEXT_MAX);
    else
        inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT_MAX);
    return out;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_loopback(const struct address *a)
{
    static const struct address one = {{[15] = 1}};
    return is_v4(a) ? a->bytes[12] == 127 : address_equal(a, &one);
}

/* 64:ff9b::/96 are the IPv4 addresses behind a translator (NAT64): the one that stands in it. Any
 * other address is itself. */
static struct address untranslated(const struct address *a)
{
    static const unsigned char prefix[12] = {0, 0x64, 0xFF, 0x9B};
    struct address v4 = *a;
    if (memcmp(a->bytes, prefix, sizeof prefix) == 0)
        memcpy(v4.bytes, v4_prefix, sizeof v4_prefix);
    return v4;
}

struct address address_party(const struct address *a)
{
    struct address party = untranslated(a);
    if (!is_v4(&party))
        memset(party.bytes + 8, 0, 8);
    return party;
}

int cidr_parse(const char *text, struct cidr *out)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (is_unix_text(text, strlen(text))) {
        *out = (struct cidr){.bits = 128};
        return 0;
    }
    if (parse_literal(text, len, &out->address) != 0)
        return -1;
    bool v4 = memchr(text, ':', len) == NULL;
    int widest = v4 ? 32 : 128;
    int bits = widest;
    if (slash) {
        size_t digits = strspn(slash + 1, "0123456789");
        if (digits == 0 || digits > 3 || slash[1 + digits] != '\0')
            return -1;
        bits = (int)strtol(slash + 1, NULL, 10);
        if (bits > widest)
            return -1;
    }
    out->bits = v4 ? 96 + bits : bits;
    return is_unix(&out->address) && out->bits == 128 ? -1 : 0; /* "::" alone is not "unix:" */
}

bool cidr_contains(const struct cidr *c, const struct address *a)
{
    size_t whole = (size_t)c->bits / 8;
    int rest = c->bits % 8;
    if ((is_v4(a) && !is_v4(&c->address)) || (is_unix(a) && c->bits < 128))
        return false;
    if (memcmp(c->address.bytes, a->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    unsigned mask = 0xFFu << (8 - rest);
    return ((c->address.bytes[whole] ^ a->bytes[whole]) & mask & 0xFFu) == 0;
}

bool address_is_public(const struct address *a)
{
    static const char *const others[] = {
        "0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
        "198.18.0.0/15",  "224.0.0.0/3",   "::1/128", /* this machine */
        "fc00::/7",                                   /* unique local */
        "fe80::/10",                                  /* of a link */
        "ff00::/8",                                   /* groups */
        "2002::/16",                                  /* 6to4: any IPv4 address */
        "2001::/32",                                  /* Teredo: likewise */
        "64:ff9b:1::/48",                             /* a network's own NAT64 */
    };
    struct cidr c;
    const struct address v4 = untranslated(a);
    if (is_unix(a))
        return false; /* "::", to which connections are to this machine */
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        REQUIRE(cidr_parse(others[i], &c) == 0);
        if (cidr_contains(&c, &v4))
            return false;
    }
    return true;
}
