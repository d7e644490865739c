/* close_reason.h - every way a client's connection ends, in one table.
 *
 * X(id, WebSocket close code (0 = none is sent), name in log and pricegate_disconnects_total) */
#ifndef PRICEGATE_CLOSE_REASON_H
#define PRICEGATE_CLOSE_REASON_H

#define CLOSE_REASONS(X)                                                                           \
    X(CLOSE_PEER, 0, "peer")            /* the client closed or its connection broke */            \
    X(CLOSE_SHUTDOWN, 1001, "shutdown") /* after goaway */                                         \
    X(CLOSE_AGE, 1001, "age")           /* after goaway, too: limits.connection_age_s */           \
    X(CLOSE_PROTOCOL, 1002, "protocol") /* broken WebSocket framing */                             \
    X(CLOSE_BINARY, 1003, "binary")                                                                \
    X(CLOSE_BAD_UTF8, 1007, "bad_utf8")                                                            \
    X(CLOSE_ADMIN, 1008, "admin") /* an administrator's wish */                                    \
    X(CLOSE_TOO_BIG, 1009, "too_big")                                                              \
    X(CLOSE_AUTH, 4001, "auth") /* no valid token in time */                                       \
    X(CLOSE_COMMAND_RATE, 4008, "command_rate")                                                    \
    X(CLOSE_IDLE, 0, "idle")   /* nothing at all came for 45 s */                                  \
    X(CLOSE_SLOW, 0, "slow")   /* a full socket cannot carry a close frame */                      \
    X(CLOSE_WRITE, 0, "write") /* the socket refused a write */                                    \
    X(CLOSE_MEMORY, 0, "memory")

enum close_reason {
#define X(id, code, name) id,
    CLOSE_REASONS(X)
#undef X
        CLOSE_REASONS_LEN
};

int close_reason_code(enum close_reason r);
const char *close_reason_name(enum close_reason r);

#endif
