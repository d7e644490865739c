/* client.h - one connection: where it sits, who it is, and the only ways its bytes go out.
 *
 * The life of a client:
 *
 *   SHARED ──socket full──► BEHIND ──drained──► SHARED          (owed.h)
 *      └───────────┴── client_close() or the shell ──► CLOSING ──► freed by the shell
 *
 * Loop thread only. client_close() may happen inside most calls here; the struct itself stays until
 * fanout_client_free(). */
#ifndef PRICEGATE_CLIENT_H
#define PRICEGATE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "fanout.h"
#include "patterns.h"
#include "view.h"
#include "wheel.h"

struct owed;
struct pace;
struct refresh_ticket;

enum client_path {
    CLIENT_SHARED,  /* in its view's ready list: gets the shared bytes */
    CLIENT_BEHIND,  /* in its view's behind list: `owed` says what it must still get */
    CLIENT_CLOSING, /* in no view; nothing is written any more */
};

struct client {
    struct fanout *f;
    const struct client_sink *sink;
    void *sock;
    struct client *next, **prev; /* in fanout.clients */
    enum client_path path;
    enum encoding encoding;
    struct grant grant;
    int64_t expires_ns;       /* of the grant; INT64_MAX = never */
    enum close_reason reason; /* CLOSE_PEER until somebody names another */
    struct seat seat;
    struct wheel_entry timer;
    struct owed *owed;       /* while BEHIND, else NULL */
    struct pace *paces;      /* symbols wanted at most once per interval */
    struct client *due_next; /* in fanout.due_clients, when due_listed */
    bool due_listed;
    struct refresh_ticket *tickets; /* refreshes that were not answered yet */
    struct patterns patterns;

    int64_t since_ns; /* when it came */
    int64_t last_in_ns, last_out_ns, last_ping_ns;
    int64_t auth_by_ns;        /* role NONE: closed when still so then */
    int64_t spread_ns;         /* added to the heartbeat's interval, so that phases differ */
    int64_t leave_ns, told_ns; /* age.c; told_ns 0 = not yet */
    int64_t commands_ns;       /* when the last admitted command will be paid for */
    int64_t *refused_ns;       /* ring of the last refused commands; NULL before the first */
    size_t refused_len, refused_at;
    char session[20];
};

/* Made and known, but nothing is said to it yet. NULL: out of memory. */
struct client *client_new(struct fanout *f, const struct client_sink *sink, void *sock,
                          const struct grant *grant, int64_t wall_ms, int64_t mono_ns) MUST_CHECK;
/* What it may do from now on; takes the grant over. */
void client_grant(struct client *c, struct grant *grant, struct moment now);

/* Goes over to another fan-out's list and clock; whatever it had here it must have left
 * (client_sit() and pace_drop_all(), or carry.c). Not yet upkeep_schedule()d there. */
void client_relink(struct client *c, struct fanout *to);

/* Leaves its seat and goes over to another fan-out of the same configuration. */
void client_move(struct client *c, struct fanout *to, int64_t mono_ns);

/* The reason counts when it is the first. Leaves the view, drops what is owed, begins to close. */
void client_close(struct client *c, enum close_reason reason);
/* The same without a word to the sink: somebody else has begun to close. */
void client_leave(struct client *c);

/* Ready frames to the socket, whatever the path; counts frames. -1: it is closing now. */
int client_write(struct client *c, const void *bytes, size_t len, size_t frames,
                 int64_t mono_ns) MUST_CHECK;
bool client_busy(const struct client *c);

/* One control message (JSON text): at once, or in the lane when the client is behind. text is
 * usually f->text; when that has failed for want of memory the client is closed. Those of events
 * have no control messages: nothing is sent. */
void client_send(struct client *c, const struct buf *text, int64_t mono_ns);

/* To be written down by the shell: c asked for this. refused: why, or NULL when it was not. */
void client_audit(struct client *c, const char *action, const char *what, const char *refused);

/* A protocol ping and, in the same write behind it, a message (NULL: none). Only for SHARED
 * clients; one whose socket turns out to be full gets the ping in its turn, and no message: its
 * socket is anything but idle. */
void client_ping(struct client *c, const struct buf *text, int64_t mono_ns);

/* Tells it to go, and to come back after reconnect_ms: `goaway`, or the `retry` of events (which
 * one that is behind does without). Closing is the caller's. */
void client_goaway(struct client *c, const char *reason, int64_t reconnect_ms, int64_t mono_ns);

/* The comment that shows a client of events that we are there; the same rules. */
void client_comment(struct client *c, int64_t mono_ns);

/* Moves between SHARED and BEHIND. Without memory to fall behind the client is closed: -1. */
int client_fall_behind(struct client *c, int64_t mono_ns) MUST_CHECK;
void client_catch_up(struct client *c);
/* BEHIND with something left: ask for the sink's word, and watch for progress. */
void client_wait(struct client *c, int64_t mono_ns);

/* How many symbols it is subscribed to; and a seat in another view (NULL = none), metric included.
 */
size_t client_symbols(const struct client *c);
const struct view_options *client_options(const struct client *c); /* NULL: none */
void client_sit(struct client *c, struct view *v);

#endif
