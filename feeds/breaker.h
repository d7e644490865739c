/* breaker.h - shall this provider be asked at all? Pure; wall time in ms, because the state is
 * shared over the bus and outlives the process.
 *
 * closed --threshold failures--> open --timeout--> half_open --one probe--> closed or open.
 * Beside it the cool-down: "ask nothing before then" (a 429 that names its window). It shows as
 * open, but it is no verdict about the provider's health and ends by time alone. */
#ifndef PRICEGATE_BREAKER_H
#define PRICEGATE_BREAKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "attrs.h"
#include "failure.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN }; /* as the metric counts */

struct breaker {
    int64_t threshold, timeout_ms;
    enum breaker_state state;
    int64_t failures;      /* in a row */
    int64_t retry_at_ms;   /* open: when a probe may go. half_open: until when it is waited for */
    enum failure reason;   /* of the last failure; FAIL_NONE = none since the last success */
    int64_t cool_until_ms; /* nothing is asked before; 0 = no cool-down */
    enum failure cool_reason;
    int64_t updated_ms; /* of the last change; the newer of two documents holds */
};

void breaker_init(struct breaker *b, int64_t threshold, int64_t timeout_s);

/* What is to be shown: the state, or open while it cools. */
enum breaker_state breaker_shown(const struct breaker *b, int64_t wall_ms);
const char *breaker_state_name(enum breaker_state s); /* "closed" "half_open" "open" */
/* Why it is open (breaker or cool-down), else FAIL_NONE. */
enum failure breaker_reason(const struct breaker *b, int64_t wall_ms);
/* When it will be asked again, 0 when it may be asked now. */
int64_t breaker_retry_at_ms(const struct breaker *b, int64_t wall_ms);

/* May a request go now? Taking the answer "yes" while it is half open takes the one probe: the
 * caller must then send, and report success, failure or abandon. */
bool breaker_admit(struct breaker *b, int64_t wall_ms);
void breaker_success(struct breaker *b, int64_t wall_ms);
void breaker_failure(struct breaker *b, enum failure f, int64_t wall_ms);
/* The request that was admitted did not happen. */
void breaker_abandon(struct breaker *b, int64_t wall_ms);
/* Ask nothing before until_ms. A shorter cool-down never replaces a longer one. */
void breaker_cool(struct breaker *b, enum failure f, int64_t until_ms, int64_t wall_ms);
/* An admin's word: closed, no failures, no cool-down. */
void breaker_reset(struct breaker *b, int64_t wall_ms);

/* The wall's clock was set by by_ms: what has to be waited for is as far away as before. */
void breaker_clock_set(struct breaker *b, int64_t by_ms);

json_t *breaker_save(const struct breaker *b) MUST_CHECK; /* NULL: out of memory */
/* Takes over the document when it is newer. Returns whether it did. */
bool breaker_merge(struct breaker *b, const json_t *doc, int64_t wall_ms);

#endif
