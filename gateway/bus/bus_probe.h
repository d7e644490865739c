/* bus_probe.h - asks a Redis, once, for everything that decides whether a gateway can live with it.
 *
 * Uses the same connections, with the same logins and time-outs, as the bus itself (bus_link.h),
 * and tries each command that the bus needs under names that no instrument can have been given by
 * accident: it writes keys that are gone after a second, and publishes a status of each kind. So it
 * can be run beside a gateway at any time. */
#ifndef PRICEGATE_BUS_PROBE_H
#define PRICEGATE_BUS_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "bus.h"
#include "library.h"

#define BUS_PROBE_SYMBOL "pricegate-doctor"

/* What the bus has to be allowed to do. */
enum bus_right {
    BUS_RIGHT_GET,
    BUS_RIGHT_SET,
    BUS_RIGHT_PUBLISH,
    BUS_RIGHT_GET_OBSERVATION,
    BUS_RIGHT_SET_OBSERVATION,
    BUS_RIGHT_PUBLISH_OBSERVATION,
    BUS_RIGHT_GET_SHARED, /* keys pricegate:* */
    BUS_RIGHT_SET_SHARED,
    BUS_RIGHT_SUBSCRIBE,
    BUS_RIGHTS_LEN
};

struct bus_probe {
    char address[280];
    bool is_local;                    /* on this machine, as far as its address says */
    bool reached;                     /* connected and logged in */
    bool answered;                    /* and everything was answered */
    char why[256];                    /* where it was not: the reason */
    char errors[BUS_RIGHTS_LEN][160]; /* what Redis said instead; "" = it is allowed */
    char info_error[160], config_error[160], time_error[160]; /* why what follows is not known */

    char version[32], role[16]; /* "" = not known */
    char policy[32];            /* maxmemory-policy */
    /* -1 = not known */
    int64_t maxclients, clients, maxmemory_bytes, used_bytes;
    int64_t pubsub_hard_bytes, pubsub_soft_bytes, pubsub_soft_s; /* 0 = no limit */

    bool has_clock;
    int64_t ahead_ms;  /* by how much its clock is ahead of ours ... */
    int64_t unsure_ms; /* ... give or take so much */
};

const char *bus_right_name(enum bus_right r); /* "SET of *:price:latest" */

/* Turns the loop until everything is answered or a time of `options->limits` is over. options->url
 * is not "". observations: their names are tried, too. -1 with a sentence: the URL or a file of TLS
 * is wrong. A lookup of a name may still be under way when this returns (bus_close() says what that
 * means). */
int bus_probe(uv_loop_t *loop, const struct bus_options *options, bool observations,
              struct bus_probe *out, struct err *err) MUST_CHECK;

void bus_library(
    struct library *out); /* hiredis's version, which it says only when it is built with */

/* Pure: what INFO says, and the value of client-output-buffer-limit. */
void bus_probe_read_info(struct bus_probe *p, const char *info);
void bus_probe_read_buffers(struct bus_probe *p, const char *value);

#endif
