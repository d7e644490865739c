/* notices.h - what there is to tell people of, and when. Pure: time comes in, messages come out.
 *
 * A matter is one thing that may go wrong (the price of coffee, the link to Redis, a job), by its
 * number. Whoever can see says, every second or so, how each stands: notices_see(). What comes of
 * that is a message now and then, notices_take(), in which every matter occurs once at most:
 *
 *   failure, partial  it has been so for after_ms (shorter spells of being well do not count)
 *   recovery          what was told of has been well for after_ms
 *   success           a job has done all it should
 *
 * A matter that stands as it was told is not told again before repeat_ms. Messages are
 * rate-limited: BURST at once, then one in every_ms; what waits meanwhile is told together, as it
 * stands then. Knows no texts (notice_text.h) and no channels. Loop thread only. */
#ifndef PRICEGATE_NOTICES_H
#define PRICEGATE_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

enum notice_level {
    NOTICE_WELL,
    NOTICE_WORSE,
    NOTICE_BAD
}; /* WORSE: something is missing, BAD: all */
enum notice_kind { NOTICE_FAILURE, NOTICE_PARTIAL, NOTICE_RECOVERY, NOTICE_SUCCESS, NOTICE_KINDS };

const char *notice_kind_name(enum notice_kind k); /* "failure" ... */

struct notices_rules {
    bool tell[NOTICE_KINDS];
    int64_t after_ms;
    int64_t every_ms;  /* 0 = no limit */
    int64_t repeat_ms; /* 0 = never again */
};

/* Both clocks: the wall's for what is said, the other for how long something lasts. */
struct notices_now {
    int64_t wall_ms, mono_ms;
};

struct notices;

struct notices *notices_new(size_t matters) MUST_CHECK; /* NULL: out of memory */
void notices_free(struct notices *n);                   /* NULL is fine */
/* n, just made, goes on where `from` ended: from's matter i is its matter there(ctx, i), -1 = it is
 * gone, and nothing more is told of it. */
void notices_take_over(struct notices *n, const struct notices *from,
                       int (*there)(const void *ctx, size_t i), const void *ctx);

/* Matter i stands like this now. settled: it is not a matter of time, it holds at once (the result
 * of a job). since_ms: wall, when its trouble began, from when on it counts; 0 = now. */
void notices_see(struct notices *n, size_t i, enum notice_level level, bool settled,
                 int64_t since_ms, const struct notices_now *now);
/* It has done well, which is worth a message of its own. */
void notices_succeeded(struct notices *n, size_t i);
/* The wall's clock was set by by_ms. */
void notices_clock_set(struct notices *n, int64_t by_ms);

/* One matter in a message. */
struct notice {
    size_t matter;
    enum notice_kind kind;
    bool again;                 /* it was told before, and lasts */
    int64_t since_ms, ended_ms; /* wall; of a success both 0, of what lasts ended_ms is 0 */
};
#define NOTICES_TOLD_MAX 10 /* in full in one message */
#define NOTICES_MORE_MAX 20 /* by name besides */
struct notices_message {
    struct notice told[NOTICES_TOLD_MAX]; /* the worst first */
    size_t told_len;
    size_t more[NOTICES_MORE_MAX]; /* matters */
    size_t more_len, more_all;     /* how many are named, and how many there are */
    size_t counts[NOTICE_KINDS];   /* all of them */
    size_t passed;                 /* changes that were held back, and were over before this */
};
/* True: there is a message to be sent now; what is in it counts as told. at_once: whatever the rate
 * allows (at the end of the program). *held: how many changes had to be held back since the last
 * call, for the rate's sake. */
bool notices_take(struct notices *n, const struct notices_rules *rules, bool at_once,
                  const struct notices_now *now, struct notices_message *out, uint64_t *held);

#endif
