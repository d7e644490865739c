#include "origin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct origin {
    bool https;
    struct authority authority; /* port filled in */
};

static int parse_port(const char *text, size_t len, int *out)
{
    if (len == 0 || len > 5)
        return -1;
    int port = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        port = port * 10 + (text[i] - '0');
    }
    *out = port;
    return port >= 1 && port <= 65535 ? 0 : -1;
}

static bool is_host_char(char c, bool v6)
{
    if (v6)
        return isxdigit((unsigned char)c) || c == ':' || c == '.';
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Copies the host's characters in lower case; returns where they end, NULL for none or too many. */
static const char *parse_host(const char *p, const char *end, bool v6, struct authority *out)
{
    size_t n = 0;
    for (; p < end && is_host_char(*p, v6); p++) {
        if (n == sizeof out->host - 1)
            return NULL;
        out->host[n++] = lower(*p);
    }
    return n > 0 ? p : NULL;
}

int authority_parse(const char *text, size_t len, struct authority *out)
{
    bool v6 = len > 0 && text[0] == '[';
    const char *end = text + len;
    *out = (struct authority){0};
    const char *p = parse_host(text + (v6 ? 1 : 0), end, v6, out);
    if (!p || (v6 && (p == end || *p++ != ']')))
        return -1;
    if (p == end)
        return 0;
    return *p == ':' ? parse_port(p + 1, (size_t)(end - p - 1), &out->port) : -1;
}

static int parse_origin(const char *text, struct origin *out)
{
    static const struct {
        const char *prefix;
        int port;
    } schemes[] = {
        {"http://",  80 },
        {"https://", 443},
    };
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(schemes[i].prefix);
        if (strncasecmp(text, schemes[i].prefix, n) != 0)
            continue;
        out->https = i == 1;
        if (authority_parse(text + n, strlen(text + n), &out->authority) != 0)
            return -1;
        if (out->authority.port == 0)
            out->authority.port = schemes[i].port;
        return 0;
    }
    return -1;
}

static bool is_own_host(const struct origin *o, const struct origin_rule *rule)
{
    struct authority own;
    if (!rule->host || (rule->tls && !o->https))
        return false;
    if (authority_parse(rule->host, strlen(rule->host), &own) != 0)
        return false;
    if (own.port == 0)
        own.port = o->https ? 443 : 80;
    return own.port == o->authority.port && strcmp(own.host, o->authority.host) == 0;
}

static bool is_listed(const struct origin *o, const struct origin_rule *rule)
{
    for (size_t i = 0; i < rule->listed_len; i++) {
        struct origin listed;
        if (parse_origin(rule->listed[i], &listed) == 0 && listed.https == o->https &&
            listed.authority.port == o->authority.port &&
            strcmp(listed.authority.host, o->authority.host) == 0)
            return true;
    }
    return false;
}

bool origin_listed(const char *origin, const struct origin_rule *rule)
{
    struct origin o;
    return parse_origin(origin, &o) == 0 && is_listed(&o, rule);
}

bool origin_allowed(const char *origin, const struct origin_rule *rule)
{
    struct origin o;
    return parse_origin(origin, &o) == 0 && (is_own_host(&o, rule) || is_listed(&o, rule));
}
