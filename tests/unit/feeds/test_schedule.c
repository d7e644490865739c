#include "schedule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TWELVE, YAHOO, PROVIDERS };

static const int chain[] = {TWELVE, YAHOO};
static const int only_yahoo[] = {YAHOO};
static const struct schedule_provider FREE = {.usable = true, .day_left = -1, .available = -1};
static const struct schedule_provider DOWN = {.usable = false, .day_left = -1, .available = -1};

static void add(struct schedule *s, int i, int64_t poll_ms)
{
    schedule_add(s, i,
                 &(struct schedule_instrument){
                     .chain = chain, .chain_len = 2, .poll_ms = poll_ms, .ttl_ms = 120000});
}

static struct schedule *make(int n, int64_t poll_ms)
{
    struct schedule *s = schedule_new((size_t)n, PROVIDERS, 7);
    assert_non_null(s);
    for (int i = 0; i < n; i++)
        add(s, i, poll_ms);
    return s;
}

static void plan(struct schedule *s, struct schedule_provider twelve,
                 struct schedule_provider yahoo)
{
    const struct schedule_provider p[PROVIDERS] = {twelve, yahoo};
    schedule_plan(s, p);
}

static void test_first_poll_at_once(void **state)
{
    struct schedule *s = make(5, 15000);
    int ids[5];
    (void)state;
    plan(s, FREE, FREE);
    assert_true(schedule_next_ms(s, 1000) == 1000);
    assert_int_equal(schedule_take(s, 1000, ids), 5);
    assert_int_equal(schedule_take(s, 1001, ids), 0);
    assert_in_range(schedule_next_ms(s, 1001), 16000, 16000 + 300);
    assert_in_range(schedule_until_ms(s, 3, 1000), 15000, 15300);
    assert_int_equal(schedule_take(s, 15999, ids), 0);
    assert_int_equal(schedule_take(s, 16300, ids), 5);
    schedule_free(s);
}

static void test_never_added(void **state)
{
    struct schedule *s = schedule_new(2, PROVIDERS, 1);
    int ids[2];
    (void)state;
    plan(s, FREE, FREE);
    assert_int_equal(schedule_take(s, 5, ids), 0);
    assert_true(schedule_next_ms(s, 5) == INT64_MAX);
    schedule_free(s);
}

/* One reply for all: the day's credits are requests, whatever they are for. */
static void test_a_table_is_asked_for_once(void **state)
{
    struct schedule_provider p = {.usable = true,
                                  .together = true,
                                  .day_left = 48,
                                  .day_ends_in_ms = 86400000,
                                  .available = 1};
    struct schedule *s = make(10, 15000);
    int ids[10];
    (void)state;
    plan(s, p, FREE);
    for (int i = 0; i < 10; i++)
        assert_in_range(schedule_interval_ms(s, i), 1800000, 1800001); /* rounded up */
    for (int64_t now = 1000, polls = 0; polls < 20; polls++) {
        assert_int_equal(schedule_take(s, now, ids), 10);
        now = schedule_next_ms(s, now);
    }
    schedule_free(s);
}

struct stretch_case {
    const char *what;
    int n;
    int64_t poll_ms, per_minute, day_left, day_ends_in_ms, want_ms;
};

static void test_stretch(void **state)
{
    static const struct stretch_case cases[] = {
        {"no limit",                      10, 15000,  0, -1,  86400000, 15000  },
        {"minute: 10 symbols, 8 credits", 10, 15000,  8, -1,  86400000, 75000  },
        {"minute is no limit for one",    1,  15000,  8, -1,  86400000, 15000  },
        {"day: 720 for 1 symbol",         1,  15000,  8, 720, 86400000, 120000 },
        {"day: 720 for 10 symbols",       10, 15000,  8, 720, 86400000, 1200000},
        {"late in the day",               10, 15000,  8, 72,  864000,   120000 },
        {"plenty left: the minute binds", 10, 15000,  8, 700, 600000,   75000  },
        {"slower anyway",                 2,  300000, 8, 720, 86400000, 300000 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct stretch_case *c = &cases[i];
        struct schedule *s = make(c->n, c->poll_ms);
        struct schedule_provider p = {.usable = true,
                                      .per_minute = c->per_minute,
                                      .day_left = c->day_left,
                                      .day_ends_in_ms = c->day_ends_in_ms,
                                      .available = -1};
        plan(s, p, FREE);
        if (schedule_interval_ms(s, 0) != c->want_ms)
            print_error("%s\n", c->what);
        assert_int_equal(schedule_interval_ms(s, 0), c->want_ms);
        schedule_free(s);
    }
}

/* One slow symbol leaves its share to the others. */
static void test_stretch_mixed(void **state)
{
    struct schedule *s = make(3, 10000);
    struct schedule_provider p = {.usable = true, .per_minute = 6, .day_left = -1, .available = -1};
    (void)state;
    add(s, 2, 60000); /* one a minute: 5 are left for two */
    plan(s, p, FREE);
    assert_int_equal(schedule_interval_ms(s, 2), 60000);
    assert_int_equal(schedule_interval_ms(s, 0), 24000);
    assert_int_equal(schedule_interval_ms(s, 1), 24000);
    schedule_free(s);
}

/* Whoever leans on another provider does not count. */
static void test_first_usable_provider(void **state)
{
    struct schedule *s = make(4, 15000);
    struct schedule_provider few = {
        .usable = true, .per_minute = 1, .day_left = -1, .available = -1};
    (void)state;
    schedule_add(s, 3,
                 &(struct schedule_instrument){
                     .chain = only_yahoo, .chain_len = 1, .poll_ms = 15000, .ttl_ms = 120000});
    plan(s, few, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 180000);
    assert_int_equal(schedule_interval_ms(s, 3), 15000);
    int ids[4];
    assert_int_equal(schedule_take(s, 0, ids), 4);
    plan(s, DOWN, FREE); /* the free one behind it is polled at full speed, at once */
    assert_int_equal(schedule_interval_ms(s, 0), 15000);
    assert_in_range(schedule_until_ms(s, 0, 0), 1, 15000 + 15000 / 50);
    plan(s, DOWN, DOWN); /* nobody: keep trying at the own pace */
    assert_int_equal(schedule_interval_ms(s, 0), 15000);
    schedule_free(s);
}

/* Due nearly together = taken together, without a faster pace in the long run. */
static void test_batches(void **state)
{
    struct schedule *s = schedule_new(2, PROVIDERS, 3);
    int ids[2], polls[2] = {0, 0};
    (void)state;
    add(s, 0, 10000);
    plan(s, FREE, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 1);
    add(s, 1, 10000);
    plan(s, FREE, FREE);
    assert_int_equal(schedule_take(s, 800, ids), 1); /* 0.8 s behind the other */
    bool together = false;
    for (int64_t t = 800; t < 1000000; t += 50) {
        size_t n = schedule_take(s, t, ids);
        for (size_t i = 0; i < n; i++)
            polls[ids[i]]++;
        together |= n == 2;
    }
    assert_true(together);
    assert_in_range(polls[0], 96, 100);
    assert_in_range(polls[1], 96, 100);
    schedule_free(s);
}

/* Ten symbols, eight credits a minute: nobody is left out for ever, and no more are taken than
 * the provider has, but for the first poll of all. */
static void test_waits_for_credits(void **state)
{
    struct schedule *s = make(10, 15000);
    struct schedule_provider p = {.usable = true, .per_minute = 8, .day_left = -1, .available = 8};
    int ids[10], polls[10] = {0};
    int64_t used[60] = {0};
    (void)state;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 10);
    for (int64_t t = 1000; t < 3600000; t += 1000) {
        int64_t spent = 0;
        used[t / 1000 % 60] = 0;
        for (int k = 0; k < 60; k++)
            spent += used[k];
        p.available = 8 - spent;
        plan(s, p, FREE);
        size_t n = schedule_take(s, t, ids);
        assert_true((int64_t)n <= p.available);
        used[t / 1000 % 60] = (int64_t)n;
        for (size_t i = 0; i < n; i++)
            polls[ids[i]]++;
        assert_true(schedule_next_ms(s, t) >= t);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(polls[i], 40, 48); /* 3600 / 75 = 48 at most */
    schedule_free(s);
}

/* One that has waited a whole interval goes without credits: its next source may have it. */
static void test_overdue_goes(void **state)
{
    struct schedule *s = make(1, 10000);
    struct schedule_provider p = {.usable = true, .per_minute = 60, .day_left = -1, .available = 0};
    int ids[1];
    (void)state;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 1);
    assert_int_equal(schedule_take(s, 12000, ids), 0);
    assert_true(schedule_next_ms(s, 12000) == INT64_MAX); /* no busy loop meanwhile */
    assert_int_equal(schedule_take(s, 20300, ids), 1);
    schedule_free(s);
}

static void test_closed_market(void **state)
{
    struct schedule *s = make(3, 15000);
    (void)state;
    add(s, 1, 2000);
    add(s, 2, 90000);
    plan(s, FREE, FREE);
    int ids[3];
    schedule_take(s, 0, ids);
    for (int i = 0; i < 3; i++)
        schedule_closed(s, i, true);
    assert_in_range(schedule_until_ms(s, 0, 0), 36000, 36300); /* 3/10 of the TTL */
    assert_in_range(schedule_until_ms(s, 1, 0), 8000, 8100);   /* 4 times */
    assert_in_range(schedule_until_ms(s, 2, 0), 90000, 91800); /* slow enough */
    assert_int_equal(schedule_interval_ms(s, 0), 15000);
    schedule_closed(s, 0, false);
    assert_in_range(schedule_until_ms(s, 0, 0), 15000, 15300);
    schedule_free(s);
}

/* The second and the hour hold like the minute. */
static void test_every_window(void **state)
{
    static const struct {
        struct schedule_provider p;
        int64_t want_ms;
    } cases[] = {
        {{.usable = true, .per_second = 5, .day_left = -1},                   2000 },
        {{.usable = true, .per_hour = 600, .day_left = -1},                   60000},
        {{.usable = true, .per_second = 5, .per_minute = 60, .day_left = -1}, 10000},
        {{.usable = true, .per_minute = 60, .per_hour = 600, .day_left = -1}, 60000},
        {{.usable = true,
          .per_minute = 60,
          .per_hour = 600,
          .day_left = 720,
          .day_ends_in_ms = 86400000},
         1200000                                                                   },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schedule *s = make(10, 100);
        plan(s, cases[i].p, FREE);
        assert_int_equal(schedule_interval_ms(s, 3), cases[i].want_ms);
        schedule_free(s);
    }
}

/* 2 credits a minute for four: those that are watched get four times what the others get, and all
 * together no more than there is. Nobody is slower where there is plenty. */
static void test_watched_ones_get_more(void **state)
{
    struct schedule *s = make(4, 15000);
    struct schedule_provider few = {
        .usable = true, .per_minute = 2, .day_left = -1, .available = -1};
    (void)state;
    plan(s, few, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 120000);
    for (int i = 0; i < 4; i++)
        schedule_watched(s, i, 0, 1000);
    plan(s, few, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 120000); /* nobody watches: as before */
    schedule_watched(s, 0, 1, 2000);
    schedule_watched(s, 1, 5000, 2000); /* more watchers are no more reason */
    plan(s, few, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 75000);
    assert_int_equal(schedule_interval_ms(s, 1), 75000);
    assert_int_equal(schedule_interval_ms(s, 2), 300000);
    assert_int_equal(schedule_interval_ms(s, 3), 300000);
    plan(s, FREE, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 15000); /* never faster than its poll_ms */
    assert_int_equal(schedule_interval_ms(s, 3), 15000);
    schedule_free(s);
}

/* One reply for all: nothing is gained by asking seldom for one of them. */
static void test_a_table_does_not_ask_who_watches(void **state)
{
    struct schedule_provider p = {.usable = true,
                                  .together = true,
                                  .day_left = 48,
                                  .day_ends_in_ms = 86400000,
                                  .available = 1};
    struct schedule *s = make(2, 15000);
    (void)state;
    schedule_watched(s, 0, 1, 0);
    schedule_watched(s, 1, 0, 0);
    plan(s, p, FREE);
    assert_in_range(schedule_interval_ms(s, 0), 1800000, 1800001);
    assert_in_range(schedule_interval_ms(s, 1), 1800000, 1800001);
    schedule_free(s);
}

/* Five minutes without anybody: as slow as a closed market; the first one who looks ends that. */
static void test_nobody_watches(void **state)
{
    static const struct {
        int64_t poll_ms, ttl_ms, stale_after_ms, idle_ms;
    } cases[] = {
        {2000,  120000,  0,      8000 }, /* 4 times */
        {15000, 120000,  0,      36000}, /* 3/10 of the TTL */
        {90000, 120000,  0,      90000}, /* slow enough */
        {15000, 1200000, 0,      60000},
        {15000, 1200000, 100000, 30000}, /* 3/10 of when it would turn stale */
        {15000, 120000,  600000, 36000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct schedule *s = schedule_new(1, PROVIDERS, 7);
        const int64_t poll_ms = cases[i].poll_ms, idle_ms = cases[i].idle_ms;
        int ids[1];
        schedule_add(s, 0,
                     &(struct schedule_instrument){.chain = chain,
                                                   .chain_len = 2,
                                                   .poll_ms = poll_ms,
                                                   .ttl_ms = cases[i].ttl_ms,
                                                   .stale_after_ms = cases[i].stale_after_ms});
        assert_false(schedule_watched(s, 0, 0, 1000));
        assert_false(schedule_watched(s, 0, 0, 300999));
        plan(s, FREE, FREE);
        assert_int_equal(schedule_interval_ms(s, 0), poll_ms);
        schedule_watched(s, 0, 0, 301000);
        plan(s, FREE, FREE);
        assert_int_equal(schedule_interval_ms(s, 0), idle_ms);
        assert_int_equal(schedule_take(s, 301000, ids), 1);
        assert_in_range(schedule_until_ms(s, 0, 301000), idle_ms, idle_ms + idle_ms / 50);
        if (idle_ms > poll_ms * 3 / 2) {
            assert_int_equal(schedule_take(s, 301000 + poll_ms * 5 / 4, ids), 0);
            assert_true(schedule_watched(s, 0, 1, 301000 + poll_ms * 5 / 4));
            assert_false(schedule_watched(s, 0, 2, 301000 + poll_ms * 5 / 4));
            plan(s, FREE, FREE);
            assert_int_equal(schedule_take(s, 301000 + poll_ms * 5 / 4, ids), 1);
            assert_in_range(schedule_until_ms(s, 0, 301000 + poll_ms * 5 / 4), poll_ms,
                            poll_ms + poll_ms / 50);
        }
        schedule_free(s);
    }
}

/* A source that does not know the symbol sets no pace for it. */
static void test_left_alone(void **state)
{
    struct schedule *s = make(2, 15000);
    struct schedule_provider few = {
        .usable = true, .per_minute = 1, .day_left = -1, .available = -1};
    (void)state;
    schedule_leave_alone(s, 1, 1);
    plan(s, few, FREE);
    assert_int_equal(schedule_leans_on(s, 0), TWELVE);
    assert_int_equal(schedule_interval_ms(s, 0), 60000); /* and takes no share of the other's */
    assert_int_equal(schedule_leans_on(s, 1), YAHOO);
    assert_int_equal(schedule_interval_ms(s, 1), 15000);
    schedule_leave_alone(s, 1, 3);
    plan(s, few, FREE);
    assert_int_equal(schedule_leans_on(s, 1), -1);
    schedule_leave_alone(s, 1, 0);
    plan(s, few, FREE);
    assert_int_equal(schedule_leans_on(s, 1), TWELVE);
    schedule_free(s);
}

/* What readers were told of the interval holds for the next poll, even if it grows meanwhile. */
static void test_a_promise_is_kept_once(void **state)
{
    struct schedule *s = make(1, 10000);
    struct schedule_provider few = {
        .usable = true, .per_minute = 1, .day_left = -1, .available = -1};
    int ids[1];
    (void)state;
    plan(s, FREE, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 1);
    assert_int_equal(schedule_promise_ms(s, 0), 10000);
    plan(s, few, FREE);
    assert_int_equal(schedule_interval_ms(s, 0), 60000);
    assert_in_range(schedule_until_ms(s, 0, 0), 10000, 10200);
    assert_int_equal(schedule_take(s, 10200, ids), 1);
    assert_in_range(schedule_until_ms(s, 0, 10200), 60000, 61200); /* nobody was told anything */
    assert_int_equal(schedule_promise_ms(s, 0), 60000);
    plan(s, FREE, FREE); /* shorter again: at once */
    assert_in_range(schedule_until_ms(s, 0, 10200), 10000, 10200);
    schedule_free(s);
}

/* Two credits for the moment: for the two with the most watchers, though others wait longer. */
static void test_the_most_watched_first(void **state)
{
    struct schedule *s = make(5, 10000);
    struct schedule_provider p = {.usable = true, .day_left = -1, .available = -1};
    static const size_t watchers[] = {0, 3, 1, 40, 0};
    int ids[5];
    (void)state;
    for (int i = 0; i < 5; i++)
        schedule_watched(s, i, watchers[i], 0);
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 5);
    p.available = 2;
    p.available_in_ms = 0;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 10200, ids), 2);
    assert_int_equal(ids[0], 3);
    assert_int_equal(ids[1], 1);
    p.available = 0;
    p.available_in_ms = 700;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 10300, ids), 0);
    assert_true(schedule_next_ms(s, 10300) == 11000); /* when the credits come */
    p.available = 3;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 11000, ids), 3);
    assert_int_equal(ids[0], 2);
    schedule_free(s);
}

/* What is due goes before what is only nearly due, whoever watches. */
static void test_due_before_nearly_due(void **state)
{
    struct schedule *s = make(2, 10000);
    struct schedule_provider p = {.usable = true, .day_left = -1, .available = -1};
    int ids[2];
    (void)state;
    add(s, 1, 10500);
    schedule_watched(s, 1, 9, 0);
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 0, ids), 2);
    p.available = 1;
    plan(s, p, FREE);
    int64_t at = schedule_next_ms(s, 0);
    assert_int_equal(schedule_take(s, at, ids), 1);
    assert_int_equal(ids[0], 0);
    schedule_free(s);
}

/* Never polled and without credits: to its second source at once, if there is one. */
static void test_the_first_poll_without_credits(void **state)
{
    struct schedule *s = make(3, 15000);
    struct schedule_provider p = {
        .usable = true, .per_second = 1, .day_left = -1, .available = 1, .available_in_ms = 0};
    int ids[3];
    (void)state;
    plan(s, p, FREE);
    assert_int_equal(schedule_take(s, 1000, ids), 3);
    schedule_free(s);
    s = make(3, 15000);
    plan(s, p, DOWN); /* nothing behind it: it waits for its turn */
    assert_int_equal(schedule_take(s, 1000, ids), 1);
    p.available = 0;
    p.available_in_ms = 300;
    plan(s, p, DOWN);
    assert_int_equal(schedule_take(s, 1800, ids), 0);
    assert_true(schedule_next_ms(s, 1800) == 2100);
    p.available = 1;
    plan(s, p, DOWN);
    assert_int_equal(schedule_take(s, 2100, ids), 1);
    schedule_free(s);
}

/* It opens: at once, and together; from then on at the pace of an open market. */
static void test_hastened(void **state)
{
    struct schedule *s = make(3, 30000);
    int ids[3];
    (void)state;
    plan(s, FREE, FREE);
    schedule_hasten(s, 0, 500); /* never polled: due in any case */
    assert_int_equal(schedule_take(s, 1000, ids), 3);
    for (int i = 0; i < 3; i++)
        schedule_closed(s, i, true);
    assert_in_range(schedule_until_ms(s, 0, 2000), 34000, 36000);
    schedule_hasten(s, 0, 2000);
    schedule_hasten(s, 1, 2000);
    assert_in_range(schedule_until_ms(s, 0, 2000), 1, 720);
    assert_true(schedule_next_ms(s, 2000) <= 2720);
    assert_int_equal(schedule_take(s, 2720, ids), 2);
    assert_int_equal(ids[0] + ids[1], 1);
    schedule_closed(s, 0, false);
    assert_in_range(schedule_until_ms(s, 0, 2720), 29000, 30600);
    /* What is due sooner than that is not put off. */
    schedule_hasten(s, 0, 32600);
    assert_in_range(schedule_until_ms(s, 0, 32600), 1, 720);
    assert_int_equal(schedule_take(s, 1000000, ids), 3);
    schedule_hasten(s, 0, 2000000); /* overdue already */
    assert_true(schedule_next_ms(s, 2000000) == 2000000);
    schedule_free(s);
}

/* What was asked for before a restart is due an interval later; where that is over, now. */
static void test_seen_before(void **state)
{
    struct schedule *s = make(4, 60000);
    int ids[4];
    (void)state;
    plan(s, FREE, FREE);
    schedule_seen(s, 1, 100000 - 20000);
    schedule_seen(s, 2, 100000 - 60001);
    schedule_seen(s, 3, -900000); /* before this machine's clock began */
    assert_in_range(schedule_until_ms(s, 1, 100000), 40000, 40000);
    assert_int_equal(schedule_take(s, 100000, ids), 3);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(ids[i], 1);
    schedule_seen(s, 0, 0); /* polled already: it changes nothing */
    assert_int_equal(schedule_take(s, 133999, ids), 0);
    assert_int_equal(schedule_take(s, 140000, ids), 1);
    assert_int_equal(ids[0], 1);
    assert_int_equal(schedule_take(s, 159000, ids), 0);
    assert_int_equal(schedule_take(s, 162000, ids), 3);
    schedule_free(s);
}

/* The interval is the stretched one, whenever it was stretched. */
static void test_seen_before_stretch(void **state)
{
    struct schedule *s = make(1, 60000);
    int ids[1];
    const struct schedule_provider poor = {
        .usable = true, .day_left = 10, .day_ends_in_ms = 86400000, .available = -1};
    (void)state;
    schedule_seen(s, 0, 0);
    plan(s, poor, DOWN);
    assert_int_equal(schedule_interval_ms(s, 0), 8640000);
    assert_int_equal(schedule_take(s, 8000000, ids), 0);
    assert_int_equal(schedule_take(s, 8640000, ids), 1);
    schedule_free(s);
}

/* By another configuration: idle and closed as it was, so due when it would have been. */
static void test_go_on(void **state)
{
    struct schedule *s = make(2, 15000), *next = make(2, 15000);
    int ids[2];
    (void)state;
    plan(s, FREE, FREE);
    schedule_watched(s, 1, 0, 0);
    assert_int_equal(schedule_take(s, 400000, ids), 2);
    schedule_watched(s, 1, 0, 400000); /* idle by now */
    plan(s, FREE, FREE);
    schedule_closed(s, 0, true);
    int64_t closed_ms = schedule_until_ms(s, 0, 410000), idle_ms = schedule_until_ms(s, 1, 410000);
    assert_true(closed_ms > 20000 && idle_ms > 20000);
    schedule_go_on(next, 1, s, 0);
    schedule_go_on(next, 0, s, 1);
    plan(next, FREE, FREE);
    assert_true(schedule_until_ms(next, 1, 410000) == closed_ms);
    assert_true(schedule_until_ms(next, 0, 410000) == idle_ms);
    assert_int_equal(schedule_take(next, 425000, ids), 0);
    assert_true(schedule_watched(next, 0, 1, 425000)); /* its first watcher */
    plan(next, FREE, FREE);
    assert_int_equal(schedule_take(next, 425000, ids), 1);
    assert_int_equal(ids[0], 0);
    schedule_free(s);
    schedule_free(next);
}

/* Soon, but not at once: reloads that come one after the other must not ask each time. */
static void test_again(void **state)
{
    struct schedule *s = make(2, 3600000);
    int ids[2];
    (void)state;
    plan(s, FREE, FREE);
    assert_int_equal(schedule_take(s, 1000, ids), 2);
    schedule_again(s, 1);
    assert_int_equal(schedule_take(s, 10900, ids), 0);
    assert_int_equal(schedule_take(s, 11200, ids), 1);
    assert_int_equal(ids[0], 1);
    assert_true(schedule_until_ms(s, 1, 11200) > 3500000);
    schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_poll_at_once),
        cmocka_unit_test(test_never_added),
        cmocka_unit_test(test_a_table_is_asked_for_once),
        cmocka_unit_test(test_stretch),
        cmocka_unit_test(test_stretch_mixed),
        cmocka_unit_test(test_first_usable_provider),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_waits_for_credits),
        cmocka_unit_test(test_overdue_goes),
        cmocka_unit_test(test_closed_market),
        cmocka_unit_test(test_every_window),
        cmocka_unit_test(test_watched_ones_get_more),
        cmocka_unit_test(test_a_table_does_not_ask_who_watches),
        cmocka_unit_test(test_nobody_watches),
        cmocka_unit_test(test_a_promise_is_kept_once),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_the_most_watched_first),
        cmocka_unit_test(test_due_before_nearly_due),
        cmocka_unit_test(test_the_first_poll_without_credits),
        cmocka_unit_test(test_hastened),
        cmocka_unit_test(test_seen_before),
        cmocka_unit_test(test_seen_before_stretch),
        cmocka_unit_test(test_go_on),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
