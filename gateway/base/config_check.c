#include "config_check.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hours.h"
#include "listen_host.h"
#include "symbol.h"
#include "zone.h"

#define SOCKET_PATH_MAX 107 /* sockaddr_un holds 108 with the NUL */

#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define HEX      DIGITS "abcdefABCDEF"
#define HOSTNAME DIGITS LOWER "._-"

/* All of s is 1..max decimal digits and at most limit. */
static bool number_ok(const char *s, size_t max, long limit)
{
    size_t n = strspn(s, DIGITS);
    return n > 0 && n <= max && s[n] == '\0' && strtol(s, NULL, 10) <= limit;
}

/* Skips "name", "1.2.3.4" or "[v6]"; NULL when no host is there. */
static const char *skip_host(const char *s, const char *letters)
{
    if (*s == '[') {
        size_t n = strspn(s + 1, HEX ":.");
        return n > 0 && s[n + 1] == ']' ? s + n + 2 : NULL;
    }
    size_t n = strspn(s, letters);
    return n > 0 ? s + n : NULL;
}

/* Skips ":port" where there is one; NULL when it is not 1..65535. */
static const char *skip_port(const char *s)
{
    if (*s != ':')
        return s;
    size_t n = strspn(++s, DIGITS);
    long port = strtol(s, NULL, 10);
    return n > 0 && n <= 5 && *s != '0' && port <= 65535 ? s + n : NULL;
}

/* "" or one number behind it: the end of a URL. */
static bool database_ok(const char *s, const char *mark)
{
    size_t n = strlen(mark);
    return *s == '\0' || (strncmp(s, mark, n) == 0 && number_ok(s + n, 6, 999999));
}

const char *config_check_origin(const char *s)
{
    static const char must[] = "must be scheme://host or scheme://host:port in lower case, "
                               "without path or final slash, as browsers send it";
    size_t scheme = strspn(s, LOWER DIGITS "+.-");
    if (scheme == 0 || !strchr(LOWER, s[0]) || strncmp(s + scheme, "://", 3) != 0)
        return must;
    const char *p = skip_host(s + scheme + 3, HOSTNAME);
    p = p ? skip_port(p) : NULL;
    return p && *p == '\0' ? NULL : must;
}

const char *config_check_base_url(const char *s)
{
    static const char must[] = "must be http://host[:port] or https://host[:port]: it replaces "
                               "scheme, host and port, the path is the provider's";
    const char *host = strncmp(s, "http://", 7) == 0    ? s + 7
                       : strncmp(s, "https://", 8) == 0 ? s + 8
                                                        : NULL;
    const char *p = host ? skip_host(host, HOSTNAME UPPER) : NULL;
    p = p ? skip_port(p) : NULL;
    return p && (*p == '\0' || strcmp(p, "/") == 0) ? NULL : must;
}

const char *config_check_mail_url(const char *s)
{
    static const char must[] =
        "must be smtp://host[:port] or smtps://host[:port], without a login: "
        "that is mail.user and mail.password";
    const char *host = strncmp(s, "smtp://", 7) == 0    ? s + 7
                       : strncmp(s, "smtps://", 8) == 0 ? s + 8
                                                        : NULL;
    const char *p = host ? skip_host(host, HOSTNAME UPPER) : NULL;
    p = p ? skip_port(p) : NULL;
    return p && *p == '\0' ? NULL : must;
}

/* What servers agree on; quotes and comments, which the standard knows, nobody has. */
const char *config_check_mailbox(const char *s)
{
    static const char must[] = "must be an address as ops@example.com, without a name or brackets";
    size_t n = strspn(s, HOSTNAME UPPER "!#$%&'*+/=?^`{|}~");
    const char *end = n > 0 && n <= 64 && s[n] == '@' ? skip_host(s + n + 1, HOSTNAME UPPER) : NULL;
    return end && *end == '\0' ? NULL : must;
}

const char *config_check_webhook_url(const char *s)
{
    static const char must[] =
        "must be the whole address, as https://hooks.example.com/services/..., "
        "without a login, blanks or #";
    const char *host = strncmp(s, "http://", 7) == 0    ? s + 7
                       : strncmp(s, "https://", 8) == 0 ? s + 8
                                                        : NULL;
    const char *p = host ? skip_host(host, HOSTNAME UPPER) : NULL;
    p = p ? skip_port(p) : NULL;
    if (!p || (*p && !strchr("/?", *p)))
        return must;
    for (; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p > 0x7E || strchr("#<>\"\\", *p))
            return must;
    return NULL;
}

/* "user:password" or ":password" before the @, percent-encoded where need be. */
static bool login_ok(const char *p, const char *at)
{
    const char *colon = memchr(p, ':', (size_t)(at - p));
    if (!colon || colon + 1 == at)
        return false;
    for (; p < at; p++)
        if (*p == '/' || (*p == '%' && strspn(p + 1, HEX) < 2))
            return false;
    return true;
}

const char *config_check_redis_url(const char *s)
{
    static const char must[] = "must be \"\" (the embedded bus), redis://[user:pass@]host[:port]"
                               "[/db], the same with rediss:// (TLS), or unix:///path[?db=N]";
    if (*s == '\0')
        return NULL;
    if (strncmp(s, "unix:///", 8) == 0) {
        const char *mark = strchr(s, '?');
        size_t len = mark ? (size_t)(mark - s) : strlen(s);
        return len > 8 && len <= 7 + SOCKET_PATH_MAX && database_ok(s + len, "?db=") ? NULL : must;
    }
    bool tls = strncmp(s, "rediss://", 9) == 0;
    if (!tls && strncmp(s, "redis://", 8) != 0)
        return must;
    const char *p = s + 8 + tls, *at = strchr(p, '@');
    if (at) {
        if (!login_ok(p, at))
            return must;
        p = at + 1;
    }
    p = skip_host(p, HOSTNAME UPPER);
    p = p ? skip_port(p) : NULL;
    return p && database_ok(p, "/") ? NULL : must;
}

const char *config_check_cidr(const char *s)
{
    static const char must[] = "must be an address and the length of its prefix, as 10.0.0.0/8, "
                               "127.0.0.1/32 or fd00::/8, or unix:";
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *slash = strchr(s, '/');
    if (strcmp(s, "unix:") == 0)
        return NULL;
    if (!slash || (size_t)(slash - s) >= sizeof address)
        return must;
    memcpy(address, s, (size_t)(slash - s));
    address[slash - s] = '\0';
    if (inet_pton(AF_INET, address, bytes) == 1)
        return number_ok(slash + 1, 2, 32) ? NULL : must;
    if (inet_pton(AF_INET6, address, bytes) == 1)
        return number_ok(slash + 1, 3, 128) ? NULL : must;
    return must;
}

const char *config_check_category(const char *s)
{
    size_t n = strspn(s, LOWER DIGITS "_");
    if (*s != '\0' && strchr(LOWER, *s) && s[n] == '\0')
        return NULL;
    return "must be lower-case letters, digits and _, beginning with a letter";
}

const char *config_check_currency(const char *s)
{
    size_t n = strspn(s, LOWER UPPER DIGITS);
    return n >= 2 && n <= 7 && s[n] == '\0' ? NULL : "must be 2 to 7 letters or digits, as USD";
}

const char *config_check_host(const char *s)
{
    return listen_host_problem(s);
}

const char *config_check_hours(const char *s)
{
    struct hours ignored;
    return hours_parse(s, &ignored);
}

const char *config_check_sha256(const char *s)
{
    return strspn(s, HEX) == 64 && s[64] == '\0' ? NULL : "must be 64 hex digits";
}

const char *config_check_pattern(const char *s)
{
    if (symbol_is_pattern(s, strlen(s)))
        return NULL;
    return config_check_symbol(s) ? "must be a symbol, or the beginning of symbols and a * (EUR/*)"
                                  : NULL;
}

const char *config_check_symbol(const char *s)
{
    if (symbol_valid(s, strlen(s)))
        return NULL;
    return "must be 1 to 32 of A-Z a-z 0-9 . _ = ^ ! : / -, beginning with a letter, digit or ^, "
           "without empty, \".\" or \"..\" parts between slashes";
}

const char *config_check_time_of_day(const char *s)
{
    bool shaped =
        strlen(s) == 5 && strspn(s, DIGITS) == 2 && s[2] == ':' && number_ok(s + 3, 2, 59);
    return shaped && strtol(s, NULL, 10) <= 23 ? NULL
                                               : "must be a time of day, 00:00 to 23:59, as 06:30";
}

const char *config_check_timezone(const char *s)
{
    return zone_known(s) ? NULL
                         : "must be a time zone that this machine knows, as UTC or America/Lima "
                           "(they come with the package tzdata)";
}
