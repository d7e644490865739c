/* Stretching. A provider gives r credits per ms: the smaller of what is left of its day divided by
 * the time to its reset, and of its minute limit. Instruments that lean on it cost sum(1/interval).
 * Wanted is the smallest s such that interval = max(own, s) for all of them costs at most r. Those
 * slower than s pay less than their share, which makes s smaller for the others; so s is found by
 * setting the slow ones aside and dividing again, until none is added: at most n rounds, in
 * practice two or three.
 *
 * A provider whose every reply holds all there is costs one credit for all of them: 1/r is their
 * interval, and since they begin together and have the same interval they stay together. One that
 * wants to be slower is asked for by itself; that costs a credit more than was planned, which the
 * next plan sees.
 *
 * Which provider an instrument leans on is decided anew in every plan: the first of its chain that
 * can be asked now. When the provider with few credits is down, the free one behind it is polled at
 * full speed; when it is back, the pace is its own again. `due` is therefore never stored: it is
 * the last poll plus the present interval.
 *
 * Taking. What is due within a tenth of its interval goes along with what is due now; the next
 * interval is counted from when it would have been due, so the average pace stays. Where the
 * provider's minute has fewer credits than instruments are due, the longest due go first and the
 * others wait for the next credits instead of falling through to their second source: only one
 * that was never polled, or is overdue by a whole interval, goes in any case.
 *
 * Jitter: up to 1/50 of the interval on top, the same for all that are taken together (they shall
 * stay together), so that many gateways do not ask in step.
 *
 * A closed market is polled 4 times slower, but not slower than 3/10 of the item's TTL: three
 * intervals must fit into the TTL as it is configured, and when the market opens again it may not
 * take longer than that to be seen. A closed price does not go stale, so that is no concern. */
#include "schedule.h"

#include <string.h>

struct slot {
    const int *chain;
    size_t chain_len; /* 0 = never polled */
    int64_t poll_ms, ttl_ms;
    bool closed, polled;
    bool deferred;       /* due, but waits for credits */
    int leans_on;        /* provider number, -1 = none is usable */
    int64_t interval_ms; /* stretched */
    int64_t last_ms;     /* when it was polled, or would have been due */
    int64_t jitter_ms;
};

struct schedule {
    struct slot *slots;
    struct schedule_provider *providers;
    int64_t *pace_ms; /* per provider: the s of the essay; 0 = no limit */
    int *order;
    int64_t *available; /* per provider, while taking */
    size_t slots_len, providers_len;
    uint32_t random;
};

static const int64_t CLOSED_FACTOR = 4;

struct schedule *schedule_new(size_t instruments, size_t providers, uint32_t seed)
{
    struct schedule *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->slots = calloc(instruments + 1, sizeof *s->slots);
    s->order = calloc(instruments + 1, sizeof *s->order);
    s->providers = calloc(providers + 1, sizeof *s->providers);
    s->pace_ms = calloc(providers + 1, sizeof *s->pace_ms);
    s->available = calloc(providers + 1, sizeof *s->available);
    s->slots_len = instruments;
    s->providers_len = providers;
    s->random = seed ? seed : 1;
    if (!s->slots || !s->order || !s->providers || !s->pace_ms || !s->available) {
        schedule_free(s);
        return NULL;
    }
    return s;
}

void schedule_free(struct schedule *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->order);
    free(s->providers);
    free(s->pace_ms);
    free(s->available);
    free(s);
}

void schedule_add(struct schedule *s, int i, const int *chain, size_t chain_len, int64_t poll_ms,
                  int64_t ttl_ms)
{
    s->slots[i] = (struct slot){
        .chain = chain,
        .chain_len = chain_len,
        .poll_ms = poll_ms > 0 ? poll_ms : 1,
        .ttl_ms = ttl_ms,
        .leans_on = -1,
        .interval_ms = poll_ms,
    };
}

void schedule_closed(struct schedule *s, int i, bool market_closed)
{
    s->slots[i].closed = market_closed;
}

void schedule_seen(struct schedule *s, int i, int64_t mono_ms)
{
    struct slot *t = &s->slots[i];
    if (t->polled)
        return;
    t->polled = true;
    t->last_ms = mono_ms;
}

static int64_t slowed(const struct slot *t)
{
    if (!t->closed)
        return t->interval_ms;
    int64_t slow = t->interval_ms * CLOSED_FACTOR, cap = t->ttl_ms * 3 / 10;
    if (slow > cap)
        slow = cap;
    return slow > t->interval_ms ? slow : t->interval_ms;
}

static int first_usable(const struct schedule *s, const struct slot *t)
{
    for (size_t k = 0; k < t->chain_len; k++)
        if (s->providers[t->chain[k]].usable)
            return t->chain[k];
    return -1;
}

/* Credits per ms; 0 = no limit. */
static double rate(const struct schedule_provider *p)
{
    double minute = (double)p->per_minute / 60000.0;
    if (p->day_left < 0)
        return minute;
    double day = (double)p->day_left / (double)(p->day_ends_in_ms > 0 ? p->day_ends_in_ms : 1);
    return minute > 0 && minute < day ? minute : day;
}

static int64_t ceiling(double x)
{
    return (int64_t)x + (x > (double)(int64_t)x);
}

/* The s of the essay. */
static int64_t pace(const struct schedule *s, int provider)
{
    double r = rate(&s->providers[provider]), found = 0;
    if (s->providers[provider].together && r > 0)
        return ceiling(1 / r);
    for (size_t round = 0; r > 0 && round <= s->slots_len; round++) {
        double slow_ones = 0;
        size_t n = 0;
        for (size_t i = 0; i < s->slots_len; i++) {
            const struct slot *t = &s->slots[i];
            if (t->leans_on != provider)
                continue;
            if (round > 0 && (double)t->poll_ms >= found)
                slow_ones += 1.0 / (double)t->poll_ms;
            else
                n++;
        }
        double next = n > 0 && r > slow_ones ? (double)n / (r - slow_ones) : 0;
        if (round > 0 && next >= found)
            break;
        found = next;
    }
    return ceiling(found);
}

void schedule_plan(struct schedule *s, const struct schedule_provider *providers)
{
    memcpy(s->providers, providers, s->providers_len * sizeof *providers);
    for (size_t i = 0; i < s->slots_len; i++)
        s->slots[i].leans_on = first_usable(s, &s->slots[i]);
    for (size_t p = 0; p < s->providers_len; p++)
        s->pace_ms[p] = pace(s, (int)p);
    for (size_t i = 0; i < s->slots_len; i++) {
        struct slot *t = &s->slots[i];
        int64_t stretched = t->leans_on < 0 ? 0 : s->pace_ms[t->leans_on];
        t->interval_ms = stretched > t->poll_ms ? stretched : t->poll_ms;
    }
}

static int64_t due_ms(const struct slot *t)
{
    return t->polled ? t->last_ms + slowed(t) + t->jitter_ms : INT64_MIN;
}

static uint32_t next_random(struct schedule *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return s->random;
}

/* Room among the credits of its provider? Takes one when there is. */
static bool has_credit(struct schedule *s, const struct slot *t)
{
    if (t->leans_on < 0 || s->available[t->leans_on] < 0)
        return true;
    if (s->available[t->leans_on] == 0)
        return false;
    if (!s->providers[t->leans_on].together)
        s->available[t->leans_on]--;
    return true;
}

/* The slots that may go now, the longest due first. */
static size_t collect(struct schedule *s, int64_t mono_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < s->slots_len; i++) {
        const struct slot *t = &s->slots[i];
        if (t->chain_len == 0 || due_ms(t) > mono_ms + slowed(t) / 10)
            continue;
        size_t at = n++;
        while (at > 0 && due_ms(&s->slots[s->order[at - 1]]) > due_ms(t)) {
            s->order[at] = s->order[at - 1];
            at--;
        }
        s->order[at] = (int)i;
    }
    return n;
}

static void note_polled(struct slot *t, int64_t mono_ms, uint32_t random)
{
    int64_t due = due_ms(t);
    t->last_ms = t->polled && due > mono_ms ? due : mono_ms;
    t->polled = true;
    t->jitter_ms = slowed(t) / 50 * (int64_t)(random % 1024) / 1024;
}

size_t schedule_take(struct schedule *s, int64_t mono_ms, int *ids)
{
    size_t n = collect(s, mono_ms), taken = 0;
    if (n == 0 || due_ms(&s->slots[s->order[0]]) > mono_ms)
        return 0;
    for (size_t p = 0; p < s->providers_len; p++)
        s->available[p] = s->providers[p].available;
    uint32_t random = next_random(s);
    for (size_t k = 0; k < n; k++) {
        struct slot *t = &s->slots[s->order[k]];
        bool must = !t->polled || due_ms(t) + slowed(t) <= mono_ms;
        t->deferred = !has_credit(s, t) && !must;
        if (t->deferred)
            continue;
        note_polled(t, mono_ms, random);
        ids[taken++] = s->order[k];
    }
    return taken;
}

int64_t schedule_next_ms(const struct schedule *s, int64_t mono_ms)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < s->slots_len; i++) {
        const struct slot *t = &s->slots[i];
        if (t->chain_len > 0 && !t->deferred && due_ms(t) < next)
            next = due_ms(t);
    }
    return next > mono_ms ? next : mono_ms;
}

int64_t schedule_until_ms(const struct schedule *s, int i, int64_t mono_ms)
{
    const struct slot *t = &s->slots[i];
    int64_t left = t->polled ? due_ms(t) - mono_ms : slowed(t);
    return left > 0 ? left : 1;
}

int64_t schedule_interval_ms(const struct schedule *s, int i)
{
    return s->slots[i].interval_ms;
}

int schedule_leans_on(const struct schedule *s, int i)
{
    return s->slots[i].leans_on;
}
