/* A name may stand for several addresses, as localhost does for one of each family, and each gets a
 * socket: whichever of them a client tries first, it finds us. "::" is one socket for both families
 * (the kernel's own setting does not matter). An address that this machine does not have is left
 * out, if there is another one; one that is taken is an error always, or part of the clients would
 * silently get to somebody else.
 *
 * Options that each connection needs are set on the listening socket once; the kernel copies them
 * to accepted ones, though not those of unix sockets. */
#include "endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attrs.h"

/* Half-open peers: 30 s, and a little more, so that of one that takes nothing (a full socket is
 * nothing acknowledged, too) the fan-out notices first and says "slow". */
static const int USER_TIMEOUT_MS = 32000;
/* Of a port that is free for one address it is not certain that it is for the next. */
static const int PORTS_TRIED = 16;
/* The kernel takes no more while so much waits to be sent. What it holds for a client that does not
 * keep up are old prices, of which nothing can be taken back: 20 KB with this, 190 KB with the send
 * buffer of 128 KiB alone, where "writable" also comes only after 67-129 KB have been read instead
 * of 7. It costs nothing: in the benchmark's workloads "slow" (a tenth of 1,111 clients never
 * reads) and "burst" (115 KB at once to 1,000) the CPU per delivery with it was 0.81-0.92 and
 * 0.48-0.88 of that without it, in two pairs of runs on a noisy machine; "busy" showed nothing
 * but noise. */
static const int NOTSENT_BYTES = 16384;

#define ADDRESS_TEXT_BYTES (NI_MAXHOST + 16)

/* "127.0.0.1:8080", "[fe80::1%eth0]:8080" into out. */
static const char *format(const struct sockaddr *sa, socklen_t len,
                          char out[static ADDRESS_TEXT_BYTES])
{
    char host[NI_MAXHOST], port[8];
    if (getnameinfo(sa, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(host, sizeof host, "?");
    bool v6 = sa->sa_family == AF_INET6;
    snprintf(out, ADDRESS_TEXT_BYTES, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    return out;
}

/* --- which addresses --- */

static int resolve(const struct endpoint_options *o, struct addrinfo **out, struct err *err)
{
    char port[8], host[256];
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    size_t len = strlen(o->host);
    snprintf(port, sizeof port, "%d", o->port);
    if (len > 2 && o->host[0] == '[' && o->host[len - 1] == ']')
        snprintf(host, sizeof host, "%.*s", (int)(len - 2), o->host + 1);
    else
        snprintf(host, sizeof host, "%s", o->host);
    int rc = getaddrinfo(host, port, &hints, out);
    if (rc != 0)
        return err_set(err, "%s:%d: cannot resolve: %s: correct listen.host", o->host, o->port,
                       gai_strerror(rc));
    return 0;
}

/* /etc/hosts may say the same twice. */
static bool is_repeated(const struct addrinfo *list, const struct addrinfo *a)
{
    for (const struct addrinfo *b = list; b != a; b = b->ai_next)
        if (b->ai_addrlen == a->ai_addrlen && memcmp(b->ai_addr, a->ai_addr, a->ai_addrlen) == 0)
            return true;
    return false;
}

/* --- one of them --- */

static void set_int(int fd, int level, int name, int value)
{
    /* All of these are improvements, none is a condition. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static int bind_and_listen(int fd, const struct endpoint_options *o, const struct sockaddr *sa,
                           socklen_t len)
{
    int on = 1;
    set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (o->share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        return -1;
    if (sa->sa_family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf_bytes);
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES);
    set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
    if (bind(fd, sa, len) != 0)
        return -1;
    return o->only_try ? 0 : listen(fd, ENDPOINT_BACKLOG);
}

static in_port_t *port_of(struct sockaddr_storage *ss)
{
    return ss->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)ss)->sin6_port
                                     : &((struct sockaddr_in *)ss)->sin_port;
}

/* 0, or why not (errno). */
static int open_one(struct endpoint *e, const struct endpoint_options *o,
                    struct sockaddr_storage *ss, socklen_t len)
{
    int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (bind_and_listen(fd, o, (const struct sockaddr *)ss, len) != 0 ||
        getsockname(fd, (struct sockaddr *)ss, &len) != 0) {
        int failure = errno;
        close(fd);
        return failure;
    }
    e->fds[e->len++] = fd;
    e->port = ntohs(*port_of(ss));
    return 0;
}

static int fail(const struct endpoint_options *o, const struct sockaddr_storage *ss, socklen_t len,
                int failure, struct err *err)
{
    char text[ADDRESS_TEXT_BYTES];
    format((const struct sockaddr *)ss, len, text);
    switch (failure) {
    case EADDRINUSE:
        return err_set(err,
                       "%s: address in use: another process listens there; stop it, or choose "
                       "another %s",
                       text, o->port_setting);
    case EACCES:
        return err_set(err,
                       "%s: %s: for a port below 1024 allow CAP_NET_BIND_SERVICE, or choose "
                       "another %s",
                       text, strerror(failure), o->port_setting);
    case EADDRNOTAVAIL:
        return err_set(err,
                       "%s: this machine does not have this address (`ip address` tells "
                       "which it has)",
                       text);
    case EAFNOSUPPORT:
        return err_set(err,
                       "%s: this machine does not know this kind of address; 0.0.0.0 stands "
                       "for all of IPv4",
                       text);
    default:
        return err_set(err, "%s: %s", text, strerror(failure));
    }
}

/* --- all of them --- */

static bool is_missing(int failure)
{
    return failure == EADDRNOTAVAIL || failure == EAFNOSUPPORT;
}

/* 0; 1: the port that was free for the first is taken for another; -1 with a sentence. */
static int open_all(struct endpoint *e, const struct endpoint_options *o,
                    const struct addrinfo *list, struct err *err)
{
    struct err missing = {""};
    for (const struct addrinfo *a = list; a && e->len < ENDPOINT_SOCKETS_MAX; a = a->ai_next) {
        struct sockaddr_storage ss = {0};
        if (is_repeated(list, a))
            continue;
        memcpy(&ss, a->ai_addr, a->ai_addrlen);
        if (e->len > 0)
            *port_of(&ss) = htons((in_port_t)e->port);
        int failure = open_one(e, o, &ss, a->ai_addrlen);
        if (is_missing(failure)) {
            fail(o, &ss, a->ai_addrlen, failure, &missing);
            continue;
        }
        if (failure == EADDRINUSE && o->port == 0 && e->len > 0)
            return 1;
        if (failure != 0)
            return fail(o, &ss, a->ai_addrlen, failure, err);
    }
    return e->len > 0 ? 0 : err_set(err, "%s", missing.text);
}

static int open_tcp(struct endpoint *e, const struct endpoint_options *o, struct err *err)
{
    struct addrinfo *list = NULL;
    if (resolve(o, &list, err) != 0)
        return -1;
    err_set(err, "%s: no port is free for all of its addresses", o->host);
    int rc = 1;
    for (int i = 0; i < PORTS_TRIED && rc == 1; i++) {
        endpoint_close(e);
        rc = open_all(e, o, list, err);
    }
    freeaddrinfo(list);
    if (rc == 0)
        return 0;
    endpoint_close(e);
    return -1;
}

int endpoint_open(struct endpoint *e, const struct endpoint_options *o, struct err *err)
{
    const char *path = listen_host_path(o->host);
    *e = (struct endpoint){.len = 0};
    if (!path)
        return open_tcp(e, o, err);
    if (o->only_try)
        return unix_socket_try(path, err);
    e->fds[0] = unix_socket_open(&e->file, path, ENDPOINT_BACKLOG, err);
    if (e->fds[0] < 0)
        return -1;
    e->len = 1;
    return 0;
}

void endpoint_close(struct endpoint *e)
{
    unix_socket_remove(&e->file);
    for (size_t i = 0; i < e->len; i++)
        close(e->fds[i]);
    e->len = 0;
}

void endpoint_add_addresses(const struct endpoint *e, struct buf *out)
{
    if (e->file.path[0])
        buf_addf(out, "unix:%s", e->file.path);
    for (size_t i = 0; i < e->len && !e->file.path[0]; i++) {
        char text[ADDRESS_TEXT_BYTES];
        struct sockaddr_storage ss = {0};
        socklen_t len = sizeof ss;
        if (getsockname(e->fds[i], (struct sockaddr *)&ss, &len) != 0)
            continue;
        buf_adds(out, out->len > 0 ? ", " : "");
        buf_adds(out, format((const struct sockaddr *)&ss, len, text));
    }
}
