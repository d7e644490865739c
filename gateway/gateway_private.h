/* gateway_private.h - the one struct of the running program, for gateway.c, ports.c and reload.c.
 */
#ifndef PRICEGATE_GATEWAY_PRIVATE_H
#define PRICEGATE_GATEWAY_PRIVATE_H

#include <uv.h>

#include "bus.h"
#include "gateway.h"
#include "generation.h"
#include "log.h"
#include "loop_busy.h"
#include "metrics.h"
#include "notifier.h"
#include "port.h"
#include "server.h"

enum phase {
    PHASE_STARTING, /* waiting for the bus */
    PHASE_RUNNING,
    PHASE_DRAINING, /* SIGTERM came */
    PHASE_CLOSING,
};

struct gateway {
    struct generation now; /* by the configuration that holds */
    struct generation_ground ground;
    struct gateway_source source;
    uv_loop_t loop;
    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t bus_wait, watchdog, watchers, clock;
    struct loop_busy loop_busy;
    struct metrics metrics;
    struct bus *bus;
    struct server *server;
    struct notifier *notifier;
    struct err bus_why; /* what was last said of a lost link to Redis */
    struct feed_port feed_port;
    struct process_port process_port;
    enum phase phase;
    int64_t epoch_ms;    /* of this generation's seqs */
    bool has_terminal;   /* when it was started */
    bool reload_wanted;  /* asked for while starting */
    size_t retiring;     /* earlier generations whose feeds are still closing */
    int parts_open;      /* bus, feeds, server and those still closing */
    size_t handles_open; /* then our own timer and signals */
    struct log_limit invalid_limit;
};

/* One of parts_open is closed. */
void gateway_part_closed(void *ctx);
struct server_parts gateway_server_parts(struct gateway *g, const struct generation *n);
/* Polling and counting watchers begin, as the configuration says. */
void gateway_start_feeds(struct gateway *g);

#endif
