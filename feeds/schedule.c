/* Stretching. A provider gives r credits per ms: the least of what is left of its day divided by
 * the time to its reset, and of its limits for the second, the minute and the hour. Instruments
 * that lean on it cost sum(1/interval); stretch.c finds the smallest s such that intervals of
 * max(own, weight x s) cost at most r. Whoever watches counts: an instrument that nobody watches
 * has the weight 4, so where credits are scarce it is asked a quarter as often as the others. Where
 * they are not, or all are unwatched, that changes nothing.
 *
 * A provider whose every reply holds all there is costs one credit for all of them: 1/r is their
 * interval, and since they begin together and have the same interval they stay together. One that
 * wants to be slower is asked for by itself; that costs a credit more than was planned, which the
 * next plan sees.
 *
 * Which provider an instrument leans on is decided anew in every plan: the first of its chain that
 * can be asked now, and does not say that it knows no such symbol. When the provider with few
 * credits is down, the free one behind it is polled at full speed; when it is back, the pace is its
 * own again. `due` is therefore never stored: it is the last poll plus the present interval. Only
 * when the interval grows is the next poll still due by the one that was promised: readers hold a
 * price with a stale_after_ms made of it, and must not see it turn stale because we have decided to
 * be slower. The poll brings them the new one. A promise is good for one poll, so growing costs a
 * credit for each instrument, once.
 *
 * Taking. What is due within a tenth of its interval goes along with what is due now; the next
 * interval is counted from when it would have been due, so the average pace stays. Where the
 * provider has fewer credits for the moment than instruments are due, the most watched go first,
 * then the longest due, and the others wait for the next credits instead of falling through to
 * their second source. Only one that has such a source, and was never polled or is overdue by a
 * whole interval, goes in any case.
 *
 * Jitter: up to 1/50 of the interval on top, the same for all that are taken together (they shall
 * stay together), so that many gateways do not ask in step.
 *
 * A closed market is polled 4 times slower, but not slower than 3/10 of the item's TTL: three
 * intervals must fit into the TTL as it is configured, and when the market opens again it may not
 * take longer than that to be seen. A closed price does not go stale, so that is no concern.
 *
 * So is an instrument that nobody has watched for five minutes. We see only who is connected to
 * this gateway: programs that subscribe to Redis, read the keys there or ask by REST are invisible.
 * For these the same bound holds: no key vanishes and no price turns stale, for the 3/10 are of the
 * TTL and of a configured stale_after_ms, whichever is less; what they notice is a price that is
 * some seconds older. The first watcher ends it: the interval is the short one again, and if that
 * is over the poll is due at once. */
#include "schedule.h"

#include <string.h>

#include "stretch.h"

struct slot {
    struct schedule_instrument in;
    uint64_t left_alone; /* sources; bits */
    bool closed, polled;
    size_t watchers;
    int64_t unwatched_ms; /* since when nobody watches; -1 = somebody does, or it is not known */
    bool idle;            /* ... and that is long ago */
    bool deferred;        /* due, but waits for credits */
    int64_t deferred_ms;  /* until when; INT64_MAX = not known */
    int leans_on;         /* provider number, -1 = none is usable */
    int64_t interval_ms;  /* stretched */
    int64_t promised_ms;  /* what readers were told since the last poll, 0 = nothing */
    int64_t last_ms;      /* when it was polled, or would have been due */
    uint32_t jitter;      /* in 1/1024 of the most that is added to an interval */
};

struct schedule {
    struct slot *slots;
    struct schedule_provider *providers;
    int64_t *pace_ms; /* per provider: the s of the essay; 0 = no limit */
    int *order;
    int64_t *available; /* per provider, while taking */
    struct stretch *stretches;
    size_t slots_len, providers_len;
    uint32_t random;
};

static const int64_t SLOW_FACTOR = 4; /* closed, or idle */
static const int64_t UNWATCHED_WEIGHT = 4;
static const int64_t IDLE_AFTER_MS = 300000;
static const int64_t AGAIN_MS = 10000;

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
    s->stretches = calloc(instruments + 1, sizeof *s->stretches);
    s->slots_len = instruments;
    s->providers_len = providers;
    s->random = seed ? seed : 1;
    if (!s->slots || !s->order || !s->providers || !s->pace_ms || !s->available || !s->stretches) {
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
    free(s->stretches);
    free(s);
}

void schedule_add(struct schedule *s, int i, const struct schedule_instrument *in)
{
    struct slot *t = &s->slots[i];
    *t = (struct slot){.in = *in, .unwatched_ms = -1, .leans_on = -1, .interval_ms = in->poll_ms};
    if (t->in.poll_ms <= 0)
        t->in.poll_ms = 1;
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

void schedule_go_on(struct schedule *s, int i, const struct schedule *from, int k)
{
    struct slot *t = &s->slots[i];
    const struct schedule_instrument in = t->in;
    int64_t interval_ms = t->interval_ms;
    *t = from->slots[k];
    t->in = in;
    t->interval_ms = interval_ms;
    t->left_alone = 0;
    t->leans_on = -1;
    t->deferred = false;
}

void schedule_again(struct schedule *s, int i)
{
    struct slot *t = &s->slots[i];
    if (t->promised_ms == 0 || t->promised_ms > AGAIN_MS)
        t->promised_ms = AGAIN_MS;
}

void schedule_leave_alone(struct schedule *s, int i, uint64_t sources)
{
    s->slots[i].left_alone = sources;
}

bool schedule_watched(struct schedule *s, int i, size_t watchers, int64_t mono_ms)
{
    struct slot *t = &s->slots[i];
    bool first = watchers > 0 && t->unwatched_ms >= 0;
    t->watchers = watchers;
    if (watchers > 0)
        t->unwatched_ms = -1;
    else if (t->unwatched_ms < 0)
        t->unwatched_ms = mono_ms;
    t->idle = watchers == 0 && mono_ms - t->unwatched_ms >= IDLE_AFTER_MS;
    return first;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t slower(int64_t ms, int64_t patience_ms)
{
    return most(ms, least(ms * SLOW_FACTOR, patience_ms * 3 / 10));
}

/* Its interval if credits were no concern. */
static int64_t own_ms(const struct slot *t)
{
    bool may_turn_stale = t->in.stale_after_ms > 0 && t->in.stale_after_ms < t->in.ttl_ms;
    if (!t->idle)
        return t->in.poll_ms;
    return slower(t->in.poll_ms, may_turn_stale ? t->in.stale_after_ms : t->in.ttl_ms);
}

static int64_t slowed(const struct slot *t)
{
    return t->closed ? slower(t->interval_ms, t->in.ttl_ms) : t->interval_ms;
}

static int64_t weight(const struct slot *t)
{
    return t->unwatched_ms < 0 ? 1 : UNWATCHED_WEIGHT;
}

/* The first provider of its chain that may be asked, beside `other`; -1: there is none. */
static int first_usable(const struct schedule *s, const struct slot *t, int other)
{
    for (size_t k = 0; k < t->in.chain_len; k++)
        if (s->providers[t->in.chain[k]].usable && t->in.chain[k] != other &&
            (k >= 64 || !(t->left_alone >> k & 1)))
            return t->in.chain[k];
    return -1;
}

/* Credits per ms; 0 = no limit. */
static double rate(const struct schedule_provider *p)
{
    int64_t day_ms = p->day_ends_in_ms > 0 ? p->day_ends_in_ms : 1;
    const struct {
        int64_t credits, ms;
    } windows[] = {
        {p->per_second,                     1000   },
        {p->per_minute,                     60000  },
        {p->per_hour,                       3600000},
        {p->day_left < 0 ? 0 : p->day_left, day_ms },
    };
    double r = 0;
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        double x = (double)windows[i].credits / (double)windows[i].ms;
        if (x > 0 && (r <= 0 || x < r))
            r = x;
    }
    return r;
}

/* The s of the essay; 0 = there is no need. */
static int64_t pace(const struct schedule *s, int provider)
{
    double r = rate(&s->providers[provider]);
    size_t n = 0;
    if (r <= 0)
        return 0;
    if (s->providers[provider].together)
        return stretch_ms(&(struct stretch){.own_ms = 1, .weight = 1}, 1, r);
    for (size_t i = 0; i < s->slots_len; i++)
        if (s->slots[i].leans_on == provider)
            s->stretches[n++] = (struct stretch){own_ms(&s->slots[i]), weight(&s->slots[i])};
    return stretch_ms(s->stretches, n, r);
}

/* What its provider's credits allow it; 0 = anything. */
static int64_t stretched(const struct schedule *s, const struct slot *t)
{
    if (t->leans_on < 0)
        return 0;
    return s->pace_ms[t->leans_on] * (s->providers[t->leans_on].together ? 1 : weight(t));
}

void schedule_plan(struct schedule *s, const struct schedule_provider *providers)
{
    memcpy(s->providers, providers, s->providers_len * sizeof *providers);
    for (size_t i = 0; i < s->slots_len; i++)
        s->slots[i].leans_on = first_usable(s, &s->slots[i], -1);
    for (size_t p = 0; p < s->providers_len; p++)
        s->pace_ms[p] = pace(s, (int)p);
    for (size_t i = 0; i < s->slots_len; i++) {
        struct slot *t = &s->slots[i];
        t->interval_ms = most(own_ms(t), stretched(s, t));
    }
}

static int64_t interval_ms(const struct slot *t)
{
    return t->promised_ms > 0 ? least(slowed(t), t->promised_ms) : slowed(t);
}

static int64_t jitter_ms(const struct slot *t)
{
    return interval_ms(t) / 50 * t->jitter / 1024;
}

static int64_t due_ms(const struct slot *t)
{
    return t->polled ? t->last_ms + interval_ms(t) + jitter_ms(t) : INT64_MIN;
}

void schedule_hasten(struct schedule *s, int i, int64_t mono_ms)
{
    struct slot *t = &s->slots[i];
    int64_t late_ms = t->polled ? due_ms(t) - (mono_ms + jitter_ms(t)) : 0;
    if (late_ms > 0)
        t->last_ms -= late_ms;
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

/* Does a go before b? */
static bool goes_before(const struct slot *a, const struct slot *b, int64_t mono_ms)
{
    bool a_due = due_ms(a) <= mono_ms, b_due = due_ms(b) <= mono_ms;
    if (a_due != b_due)
        return a_due;
    if (a->watchers != b->watchers)
        return a->watchers > b->watchers;
    return due_ms(a) < due_ms(b);
}

/* The slots that may go now, in the order in which they get credits. */
static size_t collect(struct schedule *s, int64_t mono_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < s->slots_len; i++) {
        const struct slot *t = &s->slots[i];
        if (t->in.chain_len == 0 || due_ms(t) > mono_ms + slowed(t) / 10)
            continue;
        size_t at = n++;
        while (at > 0 && goes_before(t, &s->slots[s->order[at - 1]], mono_ms)) {
            s->order[at] = s->order[at - 1];
            at--;
        }
        s->order[at] = (int)i;
    }
    return n;
}

static bool must_go(const struct schedule *s, const struct slot *t, int64_t mono_ms)
{
    return (!t->polled || due_ms(t) + slowed(t) <= mono_ms) && first_usable(s, t, t->leans_on) >= 0;
}

static void defer(const struct schedule *s, struct slot *t, int64_t mono_ms)
{
    int64_t in_ms = s->providers[t->leans_on].available_in_ms;
    t->deferred = true;
    t->deferred_ms = in_ms > 0 ? mono_ms + in_ms : INT64_MAX;
}

static void note_polled(struct slot *t, int64_t mono_ms, uint32_t random)
{
    int64_t due = due_ms(t);
    t->last_ms = t->polled && due > mono_ms ? due : mono_ms;
    t->polled = true;
    t->deferred = false;
    t->promised_ms = 0;
    t->jitter = random % 1024;
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
        if (!has_credit(s, t) && !must_go(s, t, mono_ms)) {
            defer(s, t, mono_ms);
            continue;
        }
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
        if (t->in.chain_len > 0)
            next = least(next, t->deferred ? t->deferred_ms : due_ms(t));
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

int64_t schedule_promise_ms(struct schedule *s, int i)
{
    s->slots[i].promised_ms = slowed(&s->slots[i]);
    return s->slots[i].interval_ms;
}

int schedule_leans_on(const struct schedule *s, int i)
{
    return s->slots[i].leans_on;
}
