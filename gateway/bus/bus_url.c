#include "bus_url.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const int PORT_DEFAULT = 6379;
static const int64_t DB_MAX = 1000000;

struct span {
    const char *p;
    size_t len;
};

static struct span span_of(const char *from, const char *to)
{
    return (struct span){from, (size_t)(to - from)};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Copies s into out, %XX resolved. -1: too long, a bad escape, or a NUL. */
static int copy_decoded(struct span s, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '%') {
            bool whole = s.len - i > 2;
            int hi = whole ? hex_value(s.p[i + 1]) : -1;
            int lo = whole ? hex_value(s.p[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return -1;
            c = hi * 16 + lo;
            i += 2;
        }
        if (c == 0 || n + 1 >= size)
            return -1;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return 0;
}

static int copy_plain(struct span s, char *out, size_t size)
{
    if (s.len >= size)
        return -1;
    memcpy(out, s.p, s.len);
    out[s.len] = '\0';
    return 0;
}

/* Only digits, from min to max; -1 otherwise. */
static int parse_number(struct span s, int64_t min, int64_t max)
{
    int64_t n = 0;
    if (s.len == 0 || s.len > 9)
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        n = n * 10 + (s.p[i] - '0');
    }
    return n >= min && n <= max ? (int)n : -1;
}

/* "user:pass" or ":pass". */
static int parse_login(struct span s, struct bus_url *out, struct err *err)
{
    const char *colon = memchr(s.p, ':', s.len);
    if (!colon)
        return err_set(err, "redis.url: before the @ there must be user:password or :password");
    if (copy_decoded(span_of(s.p, colon), out->user, sizeof out->user) != 0)
        return err_set(err, "redis.url: the user is too long or badly percent-encoded");
    if (copy_decoded(span_of(colon + 1, s.p + s.len), out->password, sizeof out->password) != 0)
        return err_set(err, "redis.url: the password is too long or badly percent-encoded");
    if (out->password[0] == '\0')
        return err_set(err, "redis.url: the password is empty");
    return 0;
}

static int parse_tcp(const char *p, struct bus_url *out, struct err *err)
{
    const char *slash = strchr(p, '/');
    const char *end = slash ? slash : p + strlen(p);
    const char *host_end, *bracket = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : NULL;

    if (*p == '[' && !bracket)
        return err_set(err, "redis.url: [ without ] in the host");
    if (bracket) {
        p++;
        host_end = bracket++;
    } else {
        host_end = memchr(p, ':', (size_t)(end - p));
        bracket = host_end = host_end ? host_end : end;
    }
    struct span host = span_of(p, host_end), port = span_of(bracket, end);
    if (host.len == 0 || strcspn(host.p, " \t?#") < host.len ||
        copy_plain(host, out->host, sizeof out->host) != 0)
        return err_set(err, "redis.url: no usable host");
    out->port = PORT_DEFAULT;
    if (port.len > 0) {
        out->port =
            *port.p == ':' ? parse_number((struct span){port.p + 1, port.len - 1}, 1, 65535) : -1;
        if (out->port < 0)
            return err_set(err, "redis.url: the port must be 1..65535");
    }
    if (slash && slash[1] != '\0') {
        out->db = parse_number(span_of(slash + 1, slash + strlen(slash)), 0, DB_MAX);
        if (out->db < 0)
            return err_set(err, "redis.url: after the / there must be a database number");
    }
    bool v6 = strchr(out->host, ':');
    snprintf(out->address, sizeof out->address, v6 ? "[%s]:%d" : "%s:%d", out->host, out->port);
    return 0;
}

static int parse_unix(const char *p, struct bus_url *out, struct err *err)
{
    static const char query[] = "?db=";
    const char *mark = strchr(p, '?');
    const char *end = mark ? mark : p + strlen(p);

    if (*p != '/' || end - p < 2)
        return err_set(err, "redis.url: unix:// needs an absolute path, unix:///run/redis.sock");
    if (copy_plain(span_of(p, end), out->path, sizeof out->path) != 0)
        return err_set(err, "redis.url: the path of a unix socket has at most %zu bytes",
                       sizeof out->path - 1);
    if (mark) {
        bool known = strncmp(mark, query, strlen(query)) == 0;
        const char *number = mark + strlen(query);
        out->db = known ? parse_number(span_of(number, mark + strlen(mark)), 0, DB_MAX) : -1;
        if (out->db < 0)
            return err_set(err, "redis.url: after the path only ?db=NUMBER may come");
    }
    snprintf(out->address, sizeof out->address, "%s", out->path);
    return 0;
}

/* "redis://" and so on; what follows it, NULL when none of them is there. */
static const char *parse_scheme(const char *text, struct bus_url *out)
{
    static const char tcp[] = "redis://", tls[] = "rediss://", local[] = "unix://";
    out->is_unix = strncmp(text, local, strlen(local)) == 0;
    out->is_tls = strncmp(text, tls, strlen(tls)) == 0;
    if (out->is_unix)
        return text + strlen(local);
    if (out->is_tls)
        return text + strlen(tls);
    return strncmp(text, tcp, strlen(tcp)) == 0 ? text + strlen(tcp) : NULL;
}

int bus_url_parse(const char *text, struct bus_url *out, struct err *err)
{
    *out = (struct bus_url){0};
    const char *p = parse_scheme(text, out);
    if (!p)
        return err_set(err, "redis.url: must begin with redis://, rediss:// or unix://");

    /* The login ends at the last @ before the path; a password may hold an @ of its own, but a
     * slash only as %2F. */
    const char *at = memrchr(p, '@', strcspn(p, "/"));
    if (at) {
        if (parse_login(span_of(p, at), out, err) != 0)
            return -1;
        p = at + 1;
    }
    return out->is_unix ? parse_unix(p, out, err) : parse_tcp(p, out, err);
}
