/* server.h - everything with sockets: listener, WebSocket, HTTP. The only folder that knows
 * libwebsockets.
 *
 * Listener and accept() are ours (RELIABILITY findings 10-11); accepted sockets are adopted by lws,
 * which does TLS, HTTP parsing and WebSocket framing of what comes in. Loop thread only. */
#ifndef PRICEGATE_SERVER_H
#define PRICEGATE_SERVER_H

#include <uv.h>

#include "auth.h"
#include "config.h"
#include "err.h"
#include "metrics.h"
#include "port.h"
#include "tiers.h"
#include "tls.h"

struct server;

/* Binds, listens, serves. Borrows everything for its life. On failure NULL with a sentence that
 * names host, port or file ("127.0.0.1:8080: address in use"), and nothing is left open.
 * Logs event=listening with url. */
struct server_parts {
    const struct config *config;
    const struct auth *auth;
    struct tiers *tiers;
    const struct feed_port *feed;
    struct metrics *metrics;
    const struct process_port *process; /* NULL: there is nobody to be asked */
};
struct server *server_new(uv_loop_t *loop, const struct server_parts *parts,
                          struct err *err) MUST_CHECK;

/* A reload, in two steps: what may fail (the certificate's files, memory) before anything is
 * changed; then the change, in one turn of the loop. parts->feed and parts->metrics are those that
 * the server has. Address, ports, whether there is TLS, and compression stay: the caller has seen
 * to it that these are the same. Connections stay; the certificate is for the handshakes to come,
 * and whether it really is what is served is tried at once (else the old one stays: event
 * certificate_not_served). */
struct tls_identity;
struct proxies;
struct server_change {
    struct tls_identity *identity; /* NULL: no TLS */
    struct proxies *proxies;
};
int server_prepare_change(const struct server *s, const struct config *c,
                          struct server_change *change, struct err *err) MUST_CHECK;
void server_drop_change(struct server_change *change); /* it is not made after all */
void server_change(struct server *s, const struct server_parts *parts,
                   struct server_change *change); /* uses it up */
/* The serial number of the certificate that is served; NULL: no TLS. */
const char *server_certificate(const struct server *s, char out[static TLS_SERIAL_MAX]);
int64_t server_certificate_ends_ms(const struct server *s); /* wall; 0 without TLS */

/* Where listen.metrics_port is. */
const char *server_metrics_host(const struct config *c);
const char *server_url(const struct server *s); /* "http://127.0.0.1:8080" */

/* The process is ready (bus asked once, feeds started): readyz turns 200. */
void server_ready(struct server *s);

/* Stop accepting, goaway to all, close 1001 paced over at most drain_s; then done(). */
void server_drain(struct server *s, void (*done)(void *ctx), void *ctx);

/* Closes what is left and frees; the loop must run until done() is called. */
void server_close(struct server *s, void (*done)(void *ctx), void *ctx);

#endif
