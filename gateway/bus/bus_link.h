/* bus_link.h - one connection to Redis: looked up, connected, logged in, watched, reconnected.
 *
 * Knows nothing of what is sent over it. Loop thread only; nothing blocks. The owner hears of the
 * connection through struct link_events, always from a timer of the loop or from a reply, and may
 * call anything here from there. After link_close() it hears nothing. */
#ifndef PRICEGATE_BUS_LINK_H
#define PRICEGATE_BUS_LINK_H

#include <hiredis/async.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "attrs.h"
#include "bus.h"
#include "bus_lookup.h"
#include "bus_tls.h"
#include "bus_url.h"

#define LINK_ARGS_MAX 160 /* words in one command */

enum link_state {
    LINK_IDLE,       /* not started yet, or closed */
    LINK_WAITING,    /* the timer is the back-off */
    LINK_RESOLVING,  /* lookup is set */
    LINK_CONNECTING, /* ac is set; the timer is the deadline for connecting and logging in */
    LINK_READY,      /* ac is set; the timer asks every second whether Redis lives */
    LINK_FAILED,     /* the timer fires at once and cleans up; ac may be set */
};

struct link;

struct link_events {
    void *ctx;
    void (*ready)(void *ctx, struct link *l); /* logged in: commands are taken from now on */
    void (*probe)(void *ctx, struct link *l); /* send anything that Redis answers */
    void (*lost)(void *ctx, struct link *l, const char *why); /* also: could not connect */
};

/* reply is NULL when the connection went before the answer came. Called exactly once. */
typedef void link_reply(void *ctx, void *arg, const redisReply *reply);

struct link {
    uv_loop_t *loop;
    const struct bus_url *url; /* borrowed */
    struct bus_tls *tls;       /* borrowed; NULL: a plain connection */
    struct link_events events;
    bool select_db;
    struct bus_limits limits; /* none 0 */

    enum link_state state;
    redisAsyncContext *ac;
    uv_timer_t timer;
    int64_t timer_due_ms;
    struct lookup *lookup;
    char addresses[LOOKUP_MAX][INET6_ADDRSTRLEN];
    size_t addresses_len, addresses_next;
    bool connected;   /* this attempt got through to a server */
    bool asked;       /* a probe is under way */
    bool heard;       /* something came in since the probe */
    size_t in_flight; /* commands not yet answered */
    unsigned attempts;
    uint32_t random;
    char why[256]; /* of the failure, in LINK_FAILED */
    void (*closed)(void *ctx);
};

/* The same, each 0 replaced by its default. */
struct bus_limits link_limits(const struct bus_limits *l);

/* events is copied, url and tls are borrowed. A subscriber needs no SELECT: channels ignore the
 * database. */
void link_init(struct link *l, uv_loop_t *loop, const struct bus_url *url, struct bus_tls *tls,
               bool select_db, const struct bus_limits *limits, const struct link_events *events);
void link_start(struct link *l);
/* Ends everything; closed(events.ctx) is called in a later turn. Not from within a reply. */
void link_close(struct link *l, void (*closed)(void *ctx));

bool link_is_ready(const struct link *l);

/* Queues a command; it leaves in this turn of the loop, in order and together with what else was
 * queued. fn gets the answer, or NULL. -1: not ready; fn is not called. */
int link_send(struct link *l, link_reply *fn, void *arg, int argc, const char *const *argv,
              const size_t *lens) MUST_CHECK;

/* Sends SUBSCRIBE. Its answers and all messages go to fn, NULL excepted. */
int link_subscribe(struct link *l, redisCallbackFn *fn, int argc, const char *const *argv,
                   const size_t *lens) MUST_CHECK;

/* Something arrived: Redis lives. For replies that do not pass through link_send(). */
void link_heard(struct link *l);
/* Gives the connection up, for the reason said; `lost` follows from a timer. */
void link_fail(struct link *l, const char *why);
/* The connection proved good: the next back-off is at most that after so many failed attempts. */
void link_praise(struct link *l, unsigned attempts);
/* Try now, if it is only waiting: there is word that Redis is back. */
void link_hurry(struct link *l);

/* The next wait in ms, 100..max_ms, doubled by each attempt, the upper half of it random. Pure. */
int64_t link_backoff_ms(unsigned attempts, int64_t max_ms, uint32_t random);

#endif
