/* bus_redis_impl.h - the redis bus's own struct, shared by its files. */
#ifndef PRICEGATE_BUS_REDIS_IMPL_H
#define PRICEGATE_BUS_REDIS_IMPL_H

#include "buf.h"
#include "bus_echo.h"
#include "bus_impl.h"
#include "bus_link.h"
#include "bus_shared.h"
#include "bus_tls.h"
#include "log.h"

struct redis_symbol {
    char *latest, *stream, *status; /* key and channels, prefix included */
    struct buf own;                 /* what this process published last */
    int64_t own_expires_ms;         /* monotonic */
    bool unsent;                    /* `own` found no room among the commands in flight */
    bool sent_since_get;            /* a SET left after the GET whose answer is awaited */
    bool subscribed;                /* SUBSCRIBE was sent on the connection that there is */
};

/* Comparing Redis with what this process knows, symbol by symbol. */
struct redis_sync {
    bool running;
    bool deliver;         /* hand what Redis has to the owner; false: only write back */
    bool refused;         /* some GET of this round */
    size_t next, pending; /* next symbol to ask for; answers awaited */
    size_t stale;         /* answers to a round that was given up, still to come */
};

/* What Redis may refuse while the connection is fine. */
enum redis_asked { ASKED_SET, ASKED_PUBLISH, ASKED_SHARED, ASKED_GET, ASKED_KINDS };

struct bus_redis {
    struct bus base;
    struct bus_url url;
    struct bus_tls *tls; /* NULL: none */
    char *prefix;
    struct link command, subscriber;
    struct bus_limits limits;
    struct metrics *metrics;
    uv_timer_t timer; /* bus_close(): the last moment for pending commands */
    unsigned handles; /* not yet closed */
    bool flushed;     /* closing, and done with waiting */
    struct redis_symbol *symbols;
    size_t asked, confirmed; /* channels, since the subscriber's connection is there */
    bool other_symbols;      /* are watched since the last round */
    bool up, ever_up, ever_told;
    bool down_logged;    /* the last word in the log is that it is down */
    int64_t up_since_ms; /* monotonic */
    struct redis_sync sync;
    int64_t next_look_ms; /* monotonic; 0 = none due */
    /* Of each kind what was refused last (a symbol; of the others any pointer); NULL = nothing.
     * Only compared: the symbol may be gone. */
    const void *refused[ASKED_KINDS];
    bool any_unsent;
    struct bus_echo echo;
    struct bus_shared shared; /* written by this process */
    char why[400];            /* told last */
    struct log_limit down_limit, refused_limit, full_limit;
};

bool redis_has_room(const struct bus_redis *r, size_t commands);
/* SET..EX and PUBLISH of `own`. False: no connection, or too many commands in flight. */
bool redis_send_own(struct bus_redis *r, struct redis_symbol *s, int64_t now_ms);
/* One of the two. */
bool redis_send_set(struct bus_redis *r, struct redis_symbol *s, int64_t now_ms);
bool redis_send_publish(struct bus_redis *r, struct redis_symbol *s);
/* Sends a shared value under the full key; only_new: leave alone what Redis has. */
bool redis_send_shared(struct bus_redis *r, const struct bus_shared_value *v, bool only_new,
                       int64_t now_ms);
/* For commands whose answer only matters when it is an error; arg is the command's name. */
void redis_on_answer(void *ctx, void *arg, const redisReply *reply);
void redis_publish(struct bus *b, size_t symbol, const char *bytes, size_t len, int64_t ttl_s);
void redis_publish_status(struct bus *b, size_t symbol, const char *bytes, size_t len);
void redis_shared_write(struct bus *b, const char *key, const char *bytes, size_t len,
                        int64_t ttl_s);
void redis_shared_read(struct bus *b, const char *key);
/* While closing: goes on when no answer is awaited any more. */
void redis_close_when_answered(struct bus_redis *r);

/* An answer that is an error: drops the connection, or counts and logs it, at most every 10 s. */
bool redis_is_refused(struct bus_redis *r, const char *command, const redisReply *reply);
/* The same, and remembers that (or that no longer) `what` is refused. */
void redis_note_answer(struct bus_redis *r, enum redis_asked kind, const void *what,
                       const redisReply *reply);
/* Once a second: tries again one of each kind that was refused. */
void redis_retry_refused(struct bus_redis *r);
bool redis_is_whole(const struct bus *b);

/* The names of its key and channels, NULL where memory ran out (then -1); the caller frees them. */
int redis_make_names(const struct bus_redis *r, const struct bus_symbol *symbol,
                     struct redis_symbol *s) MUST_CHECK;
/* Asks for the channels of all symbols that are not subscribed. */
void redis_subscribe_missing(struct bus_redis *r);
void redis_forget_subscriptions(struct bus_redis *r); /* the connection is another one */
/* Asks for what it has, for the sake of an answer. There is at least one symbol. */
void redis_subscribe_again(struct bus_redis *r);
/* Both connections are there and all is confirmed: reads what Redis has. */
void redis_sync_when_ready(struct bus_redis *r);

/* Begins a round; redis_synced() is called when it is through, unless it is stopped. */
void redis_sync_start(struct bus_redis *r, bool deliver);
void redis_sync_stop(struct bus_redis *r);
void redis_synced(struct bus_redis *r);
/* Writes back shared values, those that are unsent over what others wrote. */
void redis_write_back_shared(struct bus_redis *r);
/* Sends what found no room, as far as there is some now. */
void redis_send_unsent(struct bus_redis *r);

#endif
