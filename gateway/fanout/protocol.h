/* protocol.h - the words of the WebSocket protocol: client messages in, JSON text out.
 *
 * Pure text work: it does not know clients, and decides nothing. A reader appends unknown members
 * freely; only those named here are looked at. Loop thread only. */
#ifndef PRICEGATE_PROTOCOL_H
#define PRICEGATE_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "buf.h"
#include "config.h"
#include "err.h"

#define PROTOCOL_INTERVAL_MAX_MS 3600000
#define PROTOCOL_VERSION         1
#define PROTOCOL_ID_BYTES_MAX    64
#define PROTOCOL_ID_TEXT_MAX     (6 * PROTOCOL_ID_BYTES_MAX + 3) /* escaped, quotes, NUL */

/* X(id, code, name) */
#define PROTOCOL_ERRORS(X)                                                                         \
    X(ERROR_BAD_MESSAGE, 400, "bad_message")                                                       \
    X(ERROR_AUTH_REQUIRED, 401, "auth_required")                                                   \
    X(ERROR_AUTH_FAILED, 402, "auth_failed")                                                       \
    X(ERROR_FORBIDDEN, 403, "forbidden")                                                           \
    X(ERROR_UNKNOWN_SYMBOL, 404, "unknown_symbol")                                                 \
    X(ERROR_RATE_LIMITED, 429, "rate_limited")                                                     \
    X(ERROR_INTERNAL, 500, "internal")

enum protocol_error {
#define X(id, code, name) id,
    PROTOCOL_ERRORS(X)
#undef X
        PROTOCOL_ERRORS_LEN
};
const char *protocol_error_name(enum protocol_error e);

/* X(id, name) */
#define PROTOCOL_ACTIONS(X)                                                                        \
    X(ACTION_AUTH, "auth")                                                                         \
    X(ACTION_HEARTBEAT, "heartbeat")                                                               \
    X(ACTION_LIST, "list")                                                                         \
    X(ACTION_PING, "ping")                                                                         \
    X(ACTION_REFRESH, "refresh")                                                                   \
    X(ACTION_RESET, "reset")                                                                       \
    X(ACTION_SUBSCRIBE, "subscribe")                                                               \
    X(ACTION_UNSUBSCRIBE, "unsubscribe")

enum protocol_action {
#define X(id, name) id,
    PROTOCOL_ACTIONS(X)
#undef X
        PROTOCOL_ACTIONS_LEN
};

/* X(id, name): every message that clients get. */
#define PROTOCOL_TYPES(X)                                                                          \
    X(TYPE_AUTHENTICATED, "authenticated")                                                         \
    X(TYPE_ERROR, "error")                                                                         \
    X(TYPE_FLOW, "flow")                                                                           \
    X(TYPE_GOAWAY, "goaway")                                                                       \
    X(TYPE_HEARTBEAT, "heartbeat")                                                                 \
    X(TYPE_OBSERVATION, "observation")                                                             \
    X(TYPE_PONG, "pong")                                                                           \
    X(TYPE_QUOTE, "quote")                                                                         \
    X(TYPE_REFRESHED, "refreshed")                                                                 \
    X(TYPE_STATUS, "status")                                                                       \
    X(TYPE_SUBSCRIBED, "subscribed")                                                               \
    X(TYPE_SUBSCRIPTIONS, "subscriptions")                                                         \
    X(TYPE_UNSUBSCRIBED, "unsubscribed")                                                           \
    X(TYPE_WELCOME, "welcome")

enum protocol_type {
#define X(id, name) id,
    PROTOCOL_TYPES(X)
#undef X
        PROTOCOL_TYPES_LEN
};
const char *protocol_type_name(enum protocol_type t);

struct command {
    enum protocol_action action;
    char id[PROTOCOL_ID_TEXT_MAX]; /* as JSON text, "" = none given */
    json_t *root;                  /* the message; borrow from it until command_fini() */
    /* subscribe: */
    bool snapshot;          /* default true */
    int64_t interval_ms;    /* 0 = none */
    json_t *fields, *since; /* borrowed from root, valid; NULL = not given */
};

/* Reads one message of at most max_bytes. -1 with a sentence when it is malformed or its action
 * unknown; c->id is then still set if it could be read. command_fini() in every case. */
int protocol_parse(struct command *c, const char *bytes, size_t len, size_t max_bytes,
                   struct err *err) MUST_CHECK;
void command_fini(struct command *c);

/* A message is begun with its type and the client's id ("" = none), gets its members, is ended. */
void protocol_begin(struct buf *out, enum protocol_type type, const char *id);
void protocol_add_string(struct buf *out, const char *name, const char *value);
void protocol_add_integer(struct buf *out, const char *name, int64_t value);
/* An array of the symbols in `ids`, in the order of the configuration. */
void protocol_add_symbols(struct buf *out, const char *name, const struct config *config,
                          const struct bits *ids);
/* An array of `elements`, JSON texts with commas between. */
void protocol_add_array(struct buf *out, const char *name, const struct buf *elements);
void protocol_end(struct buf *out);

/* One element of `rejected`, with the comma before it where one is needed. */
void protocol_add_rejected(struct buf *elements, const char *symbol, const char *error,
                           const char *message);

/* Whole messages. */
void protocol_add_welcome(struct buf *out, const struct config *config, const char *session,
                          int64_t wall_ms);
void protocol_add_error(struct buf *out, const char *id, enum protocol_error error,
                        const char *message);
void protocol_add_time(struct buf *out, enum protocol_type type, const char *id, int64_t wall_ms);

#endif
