#include "floor_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"

int floor_listen(int *port, int sndbuf_bytes)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)*port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_fail("socket: %s", strerror(errno));
    bench_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    bench_set_option(fd, SOL_SOCKET, SO_SNDBUF, sndbuf_bytes);
    bench_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        bench_fail("127.0.0.1:%d: %s", *port, strerror(errno));
    *port = ntohs(a.sin_port);
    return fd;
}

SSL_CTX *floor_tls(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        bench_fail("cannot use certificate %s with key %s", cert, key);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    return tls;
}

int floor_subscribe(const char *redis, int symbols)
{
    char *text = bench_alloc((size_t)symbols * 32 + 64);
    int fd = bench_connect_unix(redis),
        n = sprintf(text, "*%d\r\n$9\r\nSUBSCRIBE\r\n", symbols + 1);
    for (int i = 0; i < symbols; i++)
        n += sprintf(text + n, "$18\r\nS%04d:price:stream\r\n", i);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        bench_fail("Redis: %s", strerror(errno));
    free(text);
    return fd;
}
