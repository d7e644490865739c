/* failure.h - the names of everything that can go wrong between us and a price (PROTOCOL 1).
 *
 * X(id, name, counts): counts = it is the provider's fault and moves the circuit breaker. One
 * unknown symbol is the symbol's fault; an older price is nobody's. */
#ifndef PRICEGATE_FAILURE_H
#define PRICEGATE_FAILURE_H

#include <stdbool.h>

#define FAILURES(X)                                                                                \
    X(FAIL_NONE, "ok", false)                                                                      \
    X(FAIL_NOT_FOUND, "not_found", false)                                                          \
    X(FAIL_AUTH, "auth", true)                                                                     \
    X(FAIL_RATE_LIMITED, "rate_limited", true)                                                     \
    X(FAIL_BLOCKED, "blocked", true)                                                               \
    X(FAIL_NO_DATA, "no_data", false)                                                              \
    X(FAIL_BAD_SCHEMA, "bad_schema", true)                                                         \
    X(FAIL_UPSTREAM_ERROR, "upstream_error", true)                                                 \
    X(FAIL_TIMEOUT, "timeout", true)                                                               \
    X(FAIL_DNS, "dns", true)                                                                       \
    X(FAIL_TLS, "tls", true)                                                                       \
    X(FAIL_CONNECT, "connect", true)                                                               \
    X(FAIL_BUDGET, "budget", false)                                                                \
    X(FAIL_BREAKER_OPEN, "breaker_open", false)                                                    \
    X(FAIL_OLDER, "older", false)                                                                  \
    X(FAIL_DISABLED, "disabled", false)

enum failure {
#define X(id, name, counts) id,
    FAILURES(X)
#undef X
        FAILURES_LEN
};

const char *failure_name(enum failure f);
bool failure_counts(enum failure f);

#endif
