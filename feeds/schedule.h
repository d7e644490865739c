/* schedule.h - when each instrument is polled next. Pure; monotonic ms come in.
 *
 * The interval of an instrument is the larger of its poll_ms and what the credits of its first
 * usable provider allow, shared by all instruments that lean on that provider: one that nobody
 * watches has a quarter of a share. It is longer while its market is closed, or when nobody has
 * watched it for five minutes. Instruments that are due at nearly the same time are taken together,
 * so that they fit into one request. */
#ifndef PRICEGATE_SCHEDULE_H
#define PRICEGATE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

/* What the schedule must know of a provider at the moment. */
struct schedule_provider {
    bool usable;   /* enabled, neither open nor cooling, credits left */
    bool together; /* one credit, and one request, for all instruments that are due */
    int64_t per_second, per_minute, per_hour; /* credits; 0 = no limit */
    int64_t day_left;                         /* credits for polls until the reset; -1 = no limit */
    int64_t day_ends_in_ms;                   /* until that reset */
    int64_t available;       /* credits that a poll may take at once; -1 = no limit */
    int64_t available_in_ms; /* when that is 0: until it may be more */
};

struct schedule;

/* NULL: out of memory. Instruments are numbered 0..instruments-1, providers 0..providers-1. */
struct schedule *schedule_new(size_t instruments, size_t providers, uint32_t seed);
void schedule_free(struct schedule *s); /* NULL is fine */

/* What the schedule must know of an instrument. */
struct schedule_instrument {
    const int *chain; /* provider numbers; borrowed */
    size_t chain_len; /* 0 = never due */
    int64_t poll_ms;  /* the fastest interval */
    int64_t ttl_ms;
    int64_t stale_after_ms; /* configured; 0 = it follows the interval */
};
/* Makes instrument i known. One that is never added is never due. */
void schedule_add(struct schedule *s, int i, const struct schedule_instrument *in);
/* Due at once, or within its jitter, where it would be later: its market opens. */
void schedule_hasten(struct schedule *s, int i, int64_t mono_ms);
void schedule_closed(struct schedule *s, int i, bool market_closed);
/* These sources of its chain (a bit for each of the first 64) do not know i: it leans on another.
 */
void schedule_leave_alone(struct schedule *s, int i, uint64_t sources);
/* So many watch i now; to be said every second or so. Until it is said for the first time an
 * instrument counts as watched. Returns whether somebody has come to one that nobody watched. */
bool schedule_watched(struct schedule *s, int i, size_t watchers, int64_t mono_ms);

/* Computes all intervals anew from what is known of the providers. To be called before the three
 * functions below whenever that may have changed. */
void schedule_plan(struct schedule *s, const struct schedule_provider *providers);

/* Writes the instruments to be polled now to ids (room for all) and notes them as polled. */
size_t schedule_take(struct schedule *s, int64_t mono_ms, int *ids);
/* When the next one is due; INT64_MAX when there is none. Never earlier than mono_ms. One that was
 * due and waits for credits counts by when they come; where that is not known it is not counted:
 * take again within a second or so. */
int64_t schedule_next_ms(const struct schedule *s, int64_t mono_ms);
/* From mono_ms to the next poll of i; at least 1. */
int64_t schedule_until_ms(const struct schedule *s, int i, int64_t mono_ms);

/* Somebody else (this program before its restart) asked for it at mono_ms, in the past: the first
 * poll is due an interval later. Nothing for one that was polled already. */
void schedule_seen(struct schedule *s, int i, int64_t mono_ms);
/* Instrument i, just added, goes on as number k of `from` did: who watches it, when it was polled,
 * and what readers were told of the next poll. */
void schedule_go_on(struct schedule *s, int i, const struct schedule *from, int k);
/* The answer to its last poll was lost: the next one comes 10 s after that, if not earlier. */
void schedule_again(struct schedule *s, int i);
/* The stretched interval without the slowing of a closed market: what stale_after_ms is made of. */
int64_t schedule_interval_ms(const struct schedule *s, int i);
/* The same, and readers are told of it: the next poll comes no later than that, even if the
 * interval becomes longer meanwhile. */
int64_t schedule_promise_ms(struct schedule *s, int i);
/* The provider that i leans on, by the last plan; -1 when none of its chain is usable. */
int schedule_leans_on(const struct schedule *s, int i);

#endif
