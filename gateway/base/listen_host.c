#include "listen_host.h"

#include <arpa/inet.h>
#include <string.h>

static const char unix_prefix[] = "unix:";
static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";

const char *listen_host_path(const char *host)
{
    size_t n = sizeof unix_prefix - 1;
    return strncmp(host, unix_prefix, n) == 0 ? host + n : NULL;
}

/* A literal of IPv6 that may stand in brackets and have a zone ("fe80::1%eth0"). */
static bool is_v6(const char *host, struct in6_addr *out)
{
    char address[INET6_ADDRSTRLEN];
    bool brackets = host[0] == '[';
    const char *begin = host + brackets, *end = begin + strcspn(begin, "%]");
    const char *behind = end;
    if (*behind == '%') {
        size_t zone = strspn(++behind, letters);
        if (zone == 0)
            return false;
        behind += zone;
    }
    if (strcmp(behind, brackets ? "]" : "") != 0 || (size_t)(end - begin) >= sizeof address)
        return false;
    memcpy(address, begin, (size_t)(end - begin));
    address[end - begin] = '\0';
    return inet_pton(AF_INET6, address, out) == 1;
}

const char *listen_host_problem(const char *host)
{
    struct in6_addr ignored;
    const char *path = listen_host_path(host);
    if (path) {
        size_t len = strlen(path);
        return path[0] == '/' && path[len - 1] != '/' && len <= LISTEN_PATH_MAX
                   ? NULL
                   : "must be unix: and the whole path of the socket (at most 107 bytes), as "
                     "unix:/run/pricegate/http.sock";
    }
    if (strcmp(host, "*") == 0)
        return "must be an address or a name: for all addresses :: (0.0.0.0: those of IPv4)";
    size_t n = strspn(host, letters);
    if ((n > 0 && host[n] == '\0') || is_v6(host, &ignored))
        return NULL;
    return "must be an address (127.0.0.1, ::1), a name or unix:/path, without a port (that is "
           "listen.port)";
}

bool listen_host_is_any(const char *host)
{
    struct in6_addr a;
    return strcmp(host, "0.0.0.0") == 0 || (is_v6(host, &a) && IN6_IS_ADDR_UNSPECIFIED(&a));
}

void listen_host_add_url(struct buf *out, const char *host, bool tls, int port)
{
    if (listen_host_path(host)) {
        buf_adds(out, host);
        return;
    }
    bool bare_v6 = strchr(host, ':') && host[0] != '[';
    size_t zone = strcspn(host, "%"); /* its mark has to be encoded in a URL */
    buf_addf(out, "%s://%s%.*s", tls ? "https" : "http", bare_v6 ? "[" : "", (int)zone, host);
    if (host[zone])
        buf_addf(out, "%%25%s", host + zone + 1);
    buf_addf(out, "%s:%d", bare_v6 ? "]" : "", port);
}
