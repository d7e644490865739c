/* server_private.h - the one struct behind server.h, for the files of this folder only. */
#ifndef PRICEGATE_SERVER_PRIVATE_H
#define PRICEGATE_SERVER_PRIVATE_H

#include <libwebsockets.h>
#include <uv.h>

#include "audit.h"
#include "backlog.h"
#include "capacity.h"
#include "conn.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "proxy.h"
#include "server.h"
#include "slack.h"
#include "tls.h"

enum server_phase {
    SERVER_STARTING, /* listening, but not ready */
    SERVER_READY,
    SERVER_DRAINING,
    SERVER_CLOSING,
};

struct decompressor;
struct refresh_task;

struct server {
    uv_loop_t *loop;
    const struct config *config;
    const struct auth *auth;
    struct tiers *tiers;
    const struct feed_port *feed;
    struct metrics *metrics;
    const struct process_port *process;
    enum server_phase phase;
    char *url;

    struct lws_context *lws;
    struct lws_vhost *vhost, *plain_vhost; /* plain_vhost: for listen.metrics_port, or NULL */
    SSL_CTX *tls_context;                  /* the library's, of vhost; NULL: no TLS */
    struct tls_identity *identity;         /* that is served */
    unsigned wsi_created;                  /* counts, to know whether an adoption got that far */
    struct decompressor *decompressor;     /* NULL unless configured */
    struct loop loop_hooks;
    struct listener listener, plain_listener;

    struct capacity capacity;
    struct slack slack;
    struct proxies proxies;
    struct audit_budget refused[2]; /* of strangers, of those with a role */
    struct log_limit foreign_limit;
    struct conn *conns[CONN_STATES];
    size_t conns_len[CONN_STATES];
    struct backlog backlog;
    struct conn *look_next; /* of the streams, for unheard_tick(); NULL: the first */
    size_t choked;          /* connections in HTTP_CHOKED */
    size_t event_streams;   /* of them, those in HTTP_EVENTS */
    unsigned turns;         /* of the loop, since the last tick */
    int64_t event_look_ms;  /* mono; when sse_tick() last looked at them */
    size_t closing_streams; /* streams that have a deadline */
    struct refresh_task *refreshes[JOBS_LEN]; /* under way; NULL = none */

    struct {
        uv_timer_t timer;
        int64_t deadline_ms;
        void (*done)(void *ctx);
        void *ctx;
    } drain;
    struct {
        uv_timer_t timer;
        unsigned handles; /* closing */
        bool last;        /* no more will follow */
        void (*done)(void *ctx);
        void *ctx;
    } close;
};

#endif
