/* load_conn.h - the crowd of clients of bench_load, and what one of them does: connect, upgrade,
 * subscribe, count.
 *
 * An item is recognised by the member that bench_publish adds, "pub_ns":<ns>,"n":<number>; nothing
 * else of the JSON is looked at, or the reader would be what is slow. Items of a snapshot are old
 * by nature and counted apart. */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inflate.h"
#include "latency.h"

struct load_options {
    int port, pid, clients, symbols, wanted, slow, storm, opening_max, seed;
    double warm_s, seconds, churn; /* churn: percent of the clients per second */
    const char *path, *host;
    bool tls, deflate, ready_open, no_subscribe;
};

enum load_state { LOAD_CLOSED, LOAD_CONNECTING, LOAD_HANDSHAKING, LOAD_UPGRADING, LOAD_OPEN };

struct load_conn {
    enum load_state state;
    bool slow;   /* never reads once it has subscribed */
    bool leaver; /* of the storm: not among those whose latency counts */
    bool ready;  /* subscribed and, where one is awaited, the snapshot is here */
    int fd;
    SSL *ssl;
    unsigned char *rest; /* an incomplete frame */
    size_t rest_len;
    uint64_t items, first_n, last_n; /* since the count began or it (re)connected */
};

struct load_tally {
    uint64_t items, frames, bytes, snapshot_items; /* bytes: on the wire, less TLS */
    uint64_t compressed;                           /* of the frames */
    struct latency latency;
};

#define LOAD_BUFFER_BYTES (1 << 20)

struct load {
    struct load_options o;
    int epoll;
    SSL_CTX *tls;
    struct inflater *inflater; /* NULL: compression is not offered */
    struct load_conn *conns;
    int opening, ready;
    uint64_t lost;            /* closed by the server after the upgrade */
    uint64_t refused;         /* not upgraded at all */
    uint64_t missing;         /* numbers that a client skipped, of connections that have ended */
    struct load_tally *tally; /* NULL while nothing is counted */
    unsigned char *buffer;
    char request[1024];
    size_t request_len;
};

void load_conn_open(struct load *l, struct load_conn *c);
void load_conn_close(struct load *l, struct load_conn *c);
void load_conn_event(struct load *l, struct load_conn *c, uint32_t events);
/* Numbers between the first and the last one seen that did not come. */
uint64_t load_conn_missing(const struct load_conn *c);

#endif
