/* One function, move(), changes the state; the others decide.
 *
 * The probe: the admit that finds the waiting time over moves to half_open, and its caller sends
 * the one request. While its answer is out nobody else is admitted. A process may die with the
 * probe in its hands, and half_open is shared: so the probe has a deadline of its own
 * (PROBE_MS, more than any request may take), after which another one may go.
 *
 * Answers to requests that were sent before it opened change nothing: neither does their failure
 * prolong the waiting, nor does their success close what only the probe may close.
 *
 * Clocks: when ours is set, its times move with it (breaker_clock_set()); one that was set while
 * nobody looked, before a restart, must not keep a provider shut for a day. A time to wait for that
 * lies further off than the longest that could have been asked for is no such time. */
#include "breaker.h"

#include <string.h>

#include "jsonx.h"

static const int64_t PROBE_MS = 20000;
static const int64_t COOL_MAX_MS = 90000000; /* until the day's credits come back: 25 h */
static const int64_t SKEW_MS = 60000;        /* a document from further in the future is no word */

static const char *const state_names[] = {
    [BREAKER_CLOSED] = "closed", [BREAKER_HALF_OPEN] = "half_open", [BREAKER_OPEN] = "open"};

const char *breaker_state_name(enum breaker_state s)
{
    return state_names[s];
}

void breaker_init(struct breaker *b, int64_t threshold, int64_t timeout_s)
{
    *b = (struct breaker){.threshold = threshold, .timeout_ms = timeout_s * 1000};
}

static void touch(struct breaker *b, int64_t wall_ms)
{
    b->updated_ms = wall_ms > b->updated_ms ? wall_ms : b->updated_ms + 1;
}

static void move(struct breaker *b, enum breaker_state to, int64_t wall_ms)
{
    switch (to) {
    case BREAKER_CLOSED:
        b->failures = 0;
        b->reason = FAIL_NONE;
        b->retry_at_ms = 0;
        break;
    case BREAKER_HALF_OPEN:
        b->retry_at_ms = wall_ms + PROBE_MS;
        break;
    case BREAKER_OPEN:
        b->retry_at_ms = wall_ms + b->timeout_ms;
        break;
    }
    b->state = to;
    touch(b, wall_ms);
}

static bool ahead(int64_t at_ms, int64_t max_ms, int64_t wall_ms)
{
    return wall_ms < at_ms && at_ms <= wall_ms + max_ms;
}

static bool cooling(const struct breaker *b, int64_t wall_ms)
{
    return ahead(b->cool_until_ms, COOL_MAX_MS, wall_ms);
}

static bool waiting(const struct breaker *b, int64_t wall_ms)
{
    int64_t max_ms = b->state == BREAKER_OPEN ? b->timeout_ms : PROBE_MS;
    return b->state != BREAKER_CLOSED && ahead(b->retry_at_ms, max_ms, wall_ms);
}

enum breaker_state breaker_shown(const struct breaker *b, int64_t wall_ms)
{
    return cooling(b, wall_ms) ? BREAKER_OPEN : b->state;
}

enum failure breaker_reason(const struct breaker *b, int64_t wall_ms)
{
    if (cooling(b, wall_ms))
        return b->cool_reason;
    return b->state == BREAKER_CLOSED ? FAIL_NONE : b->reason;
}

int64_t breaker_retry_at_ms(const struct breaker *b, int64_t wall_ms)
{
    int64_t at = waiting(b, wall_ms) ? b->retry_at_ms : 0;
    return cooling(b, wall_ms) && b->cool_until_ms > at ? b->cool_until_ms : at;
}

bool breaker_admit(struct breaker *b, int64_t wall_ms)
{
    if (cooling(b, wall_ms) || waiting(b, wall_ms))
        return false;
    if (b->state != BREAKER_CLOSED)
        move(b, BREAKER_HALF_OPEN, wall_ms);
    return true;
}

void breaker_success(struct breaker *b, int64_t wall_ms)
{
    if (b->state == BREAKER_OPEN || (b->state == BREAKER_CLOSED && b->failures == 0))
        return;
    move(b, BREAKER_CLOSED, wall_ms);
}

void breaker_failure(struct breaker *b, enum failure f, int64_t wall_ms)
{
    if (!failure_counts(f) || b->state == BREAKER_OPEN)
        return;
    b->failures++;
    b->reason = f;
    touch(b, wall_ms);
    if (b->state == BREAKER_HALF_OPEN || b->failures >= b->threshold)
        move(b, BREAKER_OPEN, wall_ms);
}

void breaker_abandon(struct breaker *b, int64_t wall_ms)
{
    if (b->state != BREAKER_HALF_OPEN)
        return;
    b->retry_at_ms = wall_ms;
    touch(b, wall_ms);
}

void breaker_cool(struct breaker *b, enum failure f, int64_t until_ms, int64_t wall_ms)
{
    if (until_ms > wall_ms + COOL_MAX_MS)
        until_ms = wall_ms + COOL_MAX_MS;
    if (until_ms <= wall_ms || (cooling(b, wall_ms) && b->cool_until_ms >= until_ms))
        return;
    b->cool_until_ms = until_ms;
    b->cool_reason = f;
    touch(b, wall_ms);
}

void breaker_reset(struct breaker *b, int64_t wall_ms)
{
    b->cool_until_ms = 0;
    b->cool_reason = FAIL_NONE;
    move(b, BREAKER_CLOSED, wall_ms);
}

/* What somebody wrote on the bus may lie at the end of time. */
static void move_time(int64_t *at_ms, int64_t by_ms)
{
    if (*at_ms > 0 && *at_ms < INT64_MAX / 2)
        *at_ms += by_ms;
}

void breaker_clock_set(struct breaker *b, int64_t by_ms)
{
    move_time(&b->retry_at_ms, by_ms);
    move_time(&b->cool_until_ms, by_ms);
    move_time(&b->updated_ms, by_ms);
}

json_t *breaker_save(const struct breaker *b)
{
    return json_pack("{s:s,s:I,s:I,s:s,s:I,s:s,s:I}", "state", state_names[b->state], "failures",
                     (json_int_t)b->failures, "retry_at", (json_int_t)b->retry_at_ms, "reason",
                     failure_name(b->reason), "cool_until", (json_int_t)b->cool_until_ms,
                     "cool_reason", failure_name(b->cool_reason), "updated",
                     (json_int_t)b->updated_ms);
}

static bool read_failure(const json_t *doc, const char *member, enum failure *out)
{
    const char *name = jsonx_string(doc, member);
    for (int i = 0; name && i < FAILURES_LEN; i++)
        if (strcmp(name, failure_name((enum failure)i)) == 0) {
            *out = (enum failure)i;
            return true;
        }
    return false;
}

static bool read_count(const json_t *doc, const char *member, int64_t *out)
{
    const json_t *v = json_object_get(doc, member);
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= 0;
}

bool breaker_merge(struct breaker *b, const json_t *doc, int64_t wall_ms)
{
    struct breaker next = *b;
    const char *state = jsonx_string(doc, "state");
    int found = -1;
    for (int i = 0; state && i < (int)ARRAY_LEN(state_names); i++)
        if (strcmp(state, state_names[i]) == 0)
            found = i;
    if (found < 0 || !read_count(doc, "failures", &next.failures) ||
        !read_count(doc, "retry_at", &next.retry_at_ms) ||
        !read_count(doc, "cool_until", &next.cool_until_ms) ||
        !read_count(doc, "updated", &next.updated_ms) ||
        !read_failure(doc, "reason", &next.reason) ||
        !read_failure(doc, "cool_reason", &next.cool_reason))
        return false;
    if (next.updated_ms <= b->updated_ms || next.updated_ms > wall_ms + SKEW_MS)
        return false;
    next.state = (enum breaker_state)found;
    *b = next;
    return true;
}
