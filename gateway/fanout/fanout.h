/* fanout.h - the serving half as its callers see it: items in, frames out. No sockets, no loop.
 *
 * One direction: item -> book (latest per symbol) -> view (who wants the same) -> client (what is
 * still owed) -> sink. The shell (gateway/server) brings bytes and time in and provides the sink; a
 * test provides another. Loop thread only. Times: mono_ns from clock_mono_ns() for intervals,
 * wall_ms for the age of prices. */
#ifndef PRICEGATE_FANOUT_H
#define PRICEGATE_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "close_reason.h"
#include "config.h"
#include "grant.h"
#include "item.h"
#include "metrics.h"
#include "port.h"

struct fanout;

/* When something happened, by both clocks. */
struct moment {
    int64_t wall_ms, mono_ns;
};
struct client;

/* How a client's bytes leave. All calls come from the loop thread; none may call back into the
 * fan-out before it returns. */
struct client_sink {
    /* Hands over complete WebSocket frames, header included, or complete events. What the kernel
     * does not take the transport keeps (then busy() is true). -1: the connection is broken; the
     * fan-out then calls close(sock, CLOSE_WRITE) and forgets the client until
     * fanout_client_free(). */
    int (*write)(void *sock, const void *bytes, size_t len);
    bool (*busy)(void *sock);            /* something of earlier writes has not left yet */
    void (*want_writable)(void *sock);   /* call fanout_client_writable() once nothing is left */
    int64_t (*unsent_bytes)(void *sock); /* SIOCOUTQ: in the kernel, not acknowledged; -1 unknown */
    /* Begin to close: send the reason's code if it has one, else drop. The transport answers with
     * fanout_client_free() later, never inside this call. */
    void (*close)(void *sock, enum close_reason reason);
    /* To be written down: it asked for this; refused: why, or NULL when it was not. The function
     * may be NULL. */
    void (*audit)(void *sock, const char *action, const char *what, const char *refused);
};

struct fanout_ports {
    /* Checks a token. 0 and what it grants, or -1 (PROTOCOL: error 402). */
    int (*authenticate)(void *ctx, const char *token, size_t len, int64_t wall_ms,
                        struct grant *out);
    void *authenticate_ctx;
    /* The fan-out for prices that are this much late; NULL: there is only this one (tiers.h). */
    struct fanout *(*tier)(void *ctx, int64_t delay_s);
    void *tier_ctx;
    const struct feed_port *feed; /* for `refresh` */
};

/* config, metrics and ports->feed are borrowed for the life of the fan-out. NULL: out of memory. */
struct fanout *fanout_new(const struct config *config, struct metrics *metrics,
                          const struct fanout_ports *ports) MUST_CHECK;
void fanout_free(struct fanout *f); /* all clients must be freed before; NULL is fine */

/* Its clock is that much behind the wall's, as far as prices and their states go. To be called
 * before anything else. */
void fanout_lag(struct fanout *f, int64_t lag_ms);
/* When this process started: with it begins the `id` of every event, so that one of an earlier
 * process is not taken for ours. To be called before the first event client. */
void fanout_started(struct fanout *f, int64_t wall_ms);

/* --- from the bus --- */
enum fanout_verdict { FANOUT_TAKEN, FANOUT_OLDER, FANOUT_DUPLICATE };

/* A valid item of instrument id. The fan-out takes a reference of its own. */
enum fanout_verdict fanout_item(struct fanout *f, int id, struct item *it, int64_t wall_ms,
                                int64_t mono_ns);
/* A message of the status channel: what the poller knows (reason, source, market). It never
 * overrides what follows from the held price and this process's clock. Invalid ones: -1 + reason.
 */
int fanout_status(struct fanout *f, int id, const char *bytes, size_t len, int64_t wall_ms,
                  int64_t mono_ns, struct err *err) MUST_CHECK;

/* --- time --- */
/* To be called once in every turn of the loop, after all input of the turn was handled: flushes
 * when that is due. Returns the ns after which it wants to be called again, -1: not needed. */
int64_t fanout_turn(struct fanout *f, int64_t mono_ns);
/* To be called every 100 ms: states by the clock, heartbeats and pings (phases spread), slow, idle
 * and unauthenticated clients. */
void fanout_tick(struct fanout *f, int64_t wall_ms, int64_t mono_ns);
/* The wall's clock was set by by_ms, to wall_ms (clock.h). */
void fanout_clock_set(struct fanout *f, int64_t by_ms, int64_t wall_ms);

/* --- clients --- */
/* A client whose upgrade is done. sink is borrowed, grant copied; role ROLE_NONE means that an
 * `auth` message must come within 10 s. Writes `welcome` at once. NULL: out of memory. */
struct client *fanout_client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                                 const struct grant *grant, int64_t wall_ms,
                                 int64_t mono_ns) MUST_CHECK;
/* Its data frames are compressed from now on (the handshake agreed upon permessage-deflate). To be
 * called before its first message; the configuration must have fanout.compression. */
void fanout_client_compress(struct client *c);
/* A client of Server-Sent Events, with all it will ever want: these n instruments. It sees them
 * right away, or what of them is newer than the event of this id (NULL: none); one that is not of
 * this process counts as none. Says nothing itself and may be given no messages. The answer's head
 * must have been written before. NULL: out of memory. */
struct fanout_wish {
    const int *ids;
    size_t ids_len;
    const char *last_event_id;
    const struct grant *grant; /* whose they are */
};
struct client *fanout_event_client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                                       const struct fanout_wish *wish, int64_t wall_ms,
                                       int64_t mono_ns) MUST_CHECK;
/* One complete text message. */
void fanout_client_message(struct client *c, const char *bytes, size_t len, int64_t wall_ms,
                           int64_t mono_ns);
/* Anything at all was received (pong, part of a message): it is alive. */
void fanout_client_alive(struct client *c, int64_t mono_ns);
/* Answers to its commands wait for its socket: more commands only make it worse and should not be
 * read before the socket has drained. */
bool fanout_client_choked(const struct client *c);
/* The socket has drained. */
void fanout_client_writable(struct client *c, int64_t mono_ns);
/* A close has begun, ours or the peer's: nothing more may be written. It leaves its views. */
void fanout_client_closing(struct client *c);
/* Why the shell ends this connection (too_big, shutdown, ...), for log and metric; to be called
 * before fanout_client_free(). The first reason given, here or by the fan-out, stays; without one
 * it is CLOSE_PEER. */
void fanout_client_reason(struct client *c, enum close_reason reason);
/* For those who look after the gateway. Strings are borrowed until the client is freed, or gets
 * another grant. */
struct client_info {
    const char *session, *subject; /* subject "" = not known */
    enum role role;
    size_t symbols;
    bool events, slow; /* slow: its socket is full at the moment */
    int64_t age_ms;
};
struct client_info fanout_client_info(const struct client *c, int64_t mono_ns);
/* The connection is gone. Logs event=client_closed, counts it by its reason, frees c. */
void fanout_client_free(struct client *c);

/* goaway (to streams of events: retry) to everybody, reconnect_ms spread over 500..500+spread_ms.
 * Closing is the shell's. */
void fanout_goaway(struct fanout *f, const char *reason, int64_t spread_ms);

/* --- for REST: what is known now --- */
struct standing {
    struct item *item; /* borrowed, NULL = never a price */
    enum quote_state state;
    enum quote_market market;
    int64_t recv_ms;    /* wall; when the item was received, by our clock as it is now */
    int64_t since_ms;   /* wall; when this state began, as far as this process knows */
    const char *reason; /* borrowed until the next call of any fanout function; NULL = none known */
};
struct standing fanout_standing(const struct fanout *f, int id, int64_t wall_ms);

/* How many clients there are; closing ones count until they are freed. */
size_t fanout_clients(const struct fanout *f);
/* How many of them get the prices of each instrument; by number, valid until the next call of any
 * fanout function. Closing ones have left. */
const size_t *fanout_watchers(const struct fanout *f);

#endif
