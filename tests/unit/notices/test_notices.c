/* What is told when: time is made up, matters come and go. */
#include "notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { S = 1000, WALL = 1000000 };

struct world {
    struct notices *n;
    struct notices_rules rules;
    struct notices_now now;
    struct notices_message m;
    uint64_t held;
};

static const struct notices_rules usual = {
    .tell = {true, true, true, true},
    .after_ms = 60 * S,
    .every_ms = 300 * S,
};

static struct world begin(size_t matters, const struct notices_rules *rules)
{
    struct world w = {
        .n = notices_new(matters), .rules = *rules, .now = {WALL, 5000}
    };
    assert_non_null(w.n);
    return w;
}

static bool take(struct world *w)
{
    uint64_t held;
    bool due = notices_take(w->n, &w->rules, false, &w->now, &w->m, &held);
    w->held += held;
    return due;
}

static void pass(struct world *w, int64_t ms)
{
    w->now.wall_ms += ms;
    w->now.mono_ms += ms;
}

static void see(struct world *w, size_t i, enum notice_level level)
{
    notices_see(w->n, i, level, false, 0, &w->now);
}

/* Matter 0 stands so for a while, looked at each second; how many messages come of it. */
static int stay(struct world *w, enum notice_level level, int seconds)
{
    int messages = 0;
    for (int i = 0; i < seconds; i++) {
        see(w, 0, level);
        messages += take(w);
        pass(w, S);
    }
    return messages;
}

static void is_one(const struct world *w, enum notice_kind kind, int64_t since_ms, int64_t ended_ms)
{
    assert_int_equal(w->m.told_len, 1);
    assert_int_equal(w->m.more_all, 0);
    assert_int_equal(w->m.counts[kind], 1);
    assert_int_equal(w->m.told[0].kind, kind);
    assert_int_equal(w->m.told[0].matter, 0);
    assert_int_equal(w->m.told[0].since_ms, since_ms);
    assert_int_equal(w->m.told[0].ended_ms, ended_ms);
    assert_false(w->m.told[0].again);
}

static void test_trouble_that_lasts_is_told_once_and_its_end(void **state)
{
    (void)state;
    struct world w = begin(2, &usual);
    assert_int_equal(stay(&w, NOTICE_BAD, 60), 0);
    assert_int_equal(stay(&w, NOTICE_BAD, 3), 1); /* and two seconds to gather */
    is_one(&w, NOTICE_FAILURE, WALL, 0);
    assert_int_equal(stay(&w, NOTICE_BAD, 3000), 0);
    int64_t end_ms = w.now.wall_ms;
    assert_int_equal(stay(&w, NOTICE_WELL, 60), 0);
    assert_int_equal(stay(&w, NOTICE_WELL, 3), 1);
    is_one(&w, NOTICE_RECOVERY, WALL, end_ms);
    assert_int_equal(stay(&w, NOTICE_WELL, 3000), 0);
    assert_int_equal(w.held, 0);
    notices_free(w.n);
}

static void test_what_is_over_soon_is_not_told(void **state)
{
    (void)state;
    struct world w = begin(1, &usual);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(stay(&w, NOTICE_BAD, 59), 0);
        assert_int_equal(stay(&w, NOTICE_WELL, 61), 0);
    }
    notices_free(w.n);
}

/* Bad and well by turns, each too short to be told: the whole is trouble, told once. */
static void test_what_flaps_is_told_once(void **state)
{
    (void)state;
    struct world w = begin(1, &usual);
    int messages = 0;
    for (int i = 0; i < 100; i++) {
        messages += stay(&w, NOTICE_BAD, 30);
        messages += stay(&w, NOTICE_WELL, 30);
    }
    assert_int_equal(messages, 1);
    is_one(&w, NOTICE_FAILURE, WALL, 0);
    messages += stay(&w, NOTICE_WELL, 70);
    assert_int_equal(messages, 2);
    assert_int_equal(w.m.told[0].kind, NOTICE_RECOVERY);
    notices_free(w.n);
}

/* What was sent while there was no limit is not owed when there is one. */
static void test_a_limit_begins_when_it_is_set(void **state)
{
    (void)state;
    struct notices_rules rules = usual;
    rules.after_ms = rules.every_ms = 0;
    struct world w = begin(1, &rules);
    int messages = 0;
    for (int i = 0; i < 100; i++)
        messages += stay(&w, i % 2 ? NOTICE_WELL : NOTICE_BAD, 10);
    assert_int_equal(messages, 100);
    w.rules.every_ms = 3600 * S;
    assert_int_equal(stay(&w, NOTICE_BAD, 10), 1);
    assert_int_equal(stay(&w, NOTICE_WELL, 10), 1);
    notices_free(w.n);
}

/* A whole day of ten minutes bad, ten minutes well. */
static void test_however_slowly_it_flaps_messages_are_few(void **state)
{
    (void)state;
    struct notices_rules rules = usual;
    rules.after_ms = 0;
    struct world w = begin(1, &rules);
    int messages = 0;
    for (int i = 0; i < 24 * 180; i++) {
        messages += stay(&w, NOTICE_BAD, 10);
        messages += stay(&w, NOTICE_WELL, 10);
    }
    assert_in_range(messages, 100, 24 * 12 + 4);
    assert_true(w.held > 1000);
    assert_true(w.m.passed > 0); /* and says that there was more */
    notices_free(w.n);
}

static void test_it_gets_worse_and_better(void **state)
{
    (void)state;
    struct world w = begin(1, &usual);
    assert_int_equal(stay(&w, NOTICE_WORSE, 70), 1);
    is_one(&w, NOTICE_PARTIAL, WALL, 0);
    assert_int_equal(stay(&w, NOTICE_BAD, 5), 1); /* it has lasted long enough */
    is_one(&w, NOTICE_FAILURE, WALL, 0);
    assert_int_equal(stay(&w, NOTICE_WORSE, 5), 1);
    is_one(&w, NOTICE_PARTIAL, WALL, 0);
    notices_free(w.n);
}

static void test_each_kind_can_be_switched_off(void **state)
{
    (void)state;
    for (int off = 0; off < NOTICE_KINDS; off++) {
        struct notices_rules rules = usual;
        rules.tell[off] = false;
        rules.every_ms = 0;
        struct world w = begin(1, &rules);
        size_t counts[NOTICE_KINDS] = {0};
        static const enum notice_level course[] = {NOTICE_WORSE, NOTICE_WELL, NOTICE_BAD,
                                                   NOTICE_WELL};
        for (int i = 0; i < 4 * 130; i++) {
            see(&w, 0, course[i / 130]);
            if (i == 4 * 130 - 10)
                notices_succeeded(w.n, 0);
            bool due = take(&w);
            for (int k = 0; due && k < NOTICE_KINDS; k++)
                counts[k] += w.m.counts[k];
            pass(&w, S);
        }
        for (int k = 0; k < NOTICE_KINDS; k++)
            if (k == off)
                assert_int_equal(counts[k], 0);
            else
                assert_true(counts[k] > 0);
        /* Of what was not told there is no recovery. */
        assert_int_equal(counts[NOTICE_RECOVERY], off == NOTICE_RECOVERY ? 0
                                                  : off == NOTICE_FAILURE || off == NOTICE_PARTIAL
                                                      ? 1
                                                      : 2);
        notices_free(w.n);
    }
}

static void test_failure_that_became_partial_while_that_is_not_told_recovers(void **state)
{
    (void)state;
    struct notices_rules rules = usual;
    rules.tell[NOTICE_PARTIAL] = false;
    struct world w = begin(1, &rules);
    assert_int_equal(stay(&w, NOTICE_BAD, 70), 1);
    assert_int_equal(stay(&w, NOTICE_WORSE, 70), 0);
    assert_int_equal(stay(&w, NOTICE_WELL, 70), 1);
    assert_int_equal(w.m.told[0].kind, NOTICE_RECOVERY);
    notices_free(w.n);
}

static void test_what_is_settled_is_told_at_once(void **state)
{
    (void)state;
    struct world w = begin(1, &usual);
    notices_see(w.n, 0, NOTICE_WORSE, true, WALL - 7 * S, &w.now);
    assert_false(take(&w)); /* perhaps more comes */
    pass(&w, 2 * S);
    assert_true(take(&w));
    is_one(&w, NOTICE_PARTIAL, WALL - 7 * S, 0);
    pass(&w, S);
    notices_see(w.n, 0, NOTICE_WELL, true, 0, &w.now);
    notices_succeeded(w.n, 0);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    is_one(&w, NOTICE_RECOVERY, WALL - 7 * S, WALL + 3 * S); /* and no success besides */
    pass(&w, 10 * S);
    assert_false(take(&w));
    notices_succeeded(w.n, 0);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    is_one(&w, NOTICE_SUCCESS, 0, 0);
    notices_free(w.n);
}

/* A trouble that began before it was seen counts from there; one in the future does not. */
static void test_trouble_counts_from_its_beginning(void **state)
{
    (void)state;
    struct world w = begin(2, &usual);
    notices_see(w.n, 0, NOTICE_BAD, false, WALL - 58 * S, &w.now);
    notices_see(w.n, 1, NOTICE_BAD, false, WALL + 58 * S, &w.now);
    pass(&w, 2 * S);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    is_one(&w, NOTICE_FAILURE, WALL - 58 * S, 0);
    pass(&w, 58 * S);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    assert_int_equal(w.m.told[0].since_ms, WALL);
    notices_free(w.n);
}

static void test_many_are_one_message(void **state)
{
    (void)state;
    struct world w = begin(100, &usual);
    for (size_t i = 0; i < 100; i++)
        notices_see(w.n, i, i == 77 ? NOTICE_BAD : NOTICE_WORSE, true, 0, &w.now);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    assert_int_equal(w.m.told_len, NOTICES_TOLD_MAX);
    assert_int_equal(w.m.told[0].matter, 77); /* the worst first */
    assert_int_equal(w.m.more_len, NOTICES_MORE_MAX);
    assert_int_equal(w.m.more_all, 90);
    assert_int_equal(w.m.counts[NOTICE_FAILURE], 1);
    assert_int_equal(w.m.counts[NOTICE_PARTIAL], 99);
    pass(&w, S);
    assert_false(take(&w)); /* those that were only named were told, too */
    notices_free(w.n);
}

static void test_three_at_once_then_one_in_five_minutes(void **state)
{
    (void)state;
    struct world w = begin(50, &usual);
    int messages = 0;
    int64_t last_ms = 0, least_ms = INT64_MAX;
    for (int second = 0; second < 3600; second++) {
        if (second % 72 == 0) /* something else breaks */
            notices_see(w.n, (size_t)second / 72, NOTICE_BAD, true, 0, &w.now);
        if (take(&w)) {
            messages++;
            if (messages > 4 && w.now.mono_ms - last_ms < least_ms)
                least_ms = w.now.mono_ms - last_ms;
            last_ms = w.now.mono_ms;
        }
        pass(&w, S);
    }
    assert_in_range(messages, 12, 15);
    assert_true(least_ms >= 299 * S);
    assert_true(w.held >= 30);
    assert_true(w.m.told_len > 1); /* what was held back came together */
    notices_free(w.n);
}

static void test_what_passed_while_it_was_held_back_is_counted(void **state)
{
    (void)state;
    struct world w = begin(5, &usual);
    for (size_t i = 0; i < 3; i++) {
        notices_see(w.n, i, NOTICE_BAD, true, 0, &w.now);
        assert_false(take(&w));
        pass(&w, 2 * S);
        assert_true(take(&w));
    }
    for (int i = 0; i < 4; i++) { /* up and down, while nothing may be said */
        notices_see(w.n, 3, NOTICE_BAD, true, 0, &w.now);
        assert_false(take(&w));
        notices_see(w.n, 3, NOTICE_WELL, true, 0, &w.now);
        assert_false(take(&w));
        pass(&w, S);
    }
    assert_int_equal(w.held, 4);
    notices_see(w.n, 4, NOTICE_BAD, true, 0, &w.now);
    assert_false(take(&w));
    pass(&w, 300 * S);
    assert_true(take(&w));
    assert_int_equal(w.m.told_len, 1);
    assert_int_equal(w.m.told[0].matter, 4);
    assert_int_equal(w.m.passed, 4);
    notices_free(w.n);
}

static void test_what_lasts_is_told_again(void **state)
{
    (void)state;
    struct notices_rules rules = usual;
    rules.repeat_ms = 86400 * S;
    struct world w = begin(1, &rules);
    assert_int_equal(stay(&w, NOTICE_BAD, 70), 1);
    assert_int_equal(stay(&w, NOTICE_BAD, 86400 - 10), 0);
    assert_int_equal(stay(&w, NOTICE_BAD, 10), 1);
    assert_true(w.m.told[0].again);
    assert_int_equal(w.m.told[0].since_ms, WALL);
    assert_int_equal(stay(&w, NOTICE_BAD, 86400 - 10), 0);
    notices_free(w.n);
}

static void test_at_the_end_nothing_is_kept_back(void **state)
{
    (void)state;
    struct world w = begin(4, &usual);
    for (size_t i = 0; i < 4; i++) {
        notices_see(w.n, i, NOTICE_BAD, i < 3, 0, &w.now);
        assert_int_equal(notices_take(w.n, &w.rules, true, &w.now, &w.m, &w.held), i < 3);
    }
    pass(&w, 10 * S); /* the last one is not decided yet: it may be over in a moment */
    assert_false(notices_take(w.n, &w.rules, true, &w.now, &w.m, &w.held));
    notices_free(w.n);
}

static int swapped(const void *ctx, size_t i)
{
    (void)ctx;
    return i == 0 ? 1 : i == 1 ? 0 : -1;
}

static void test_a_reload_moves_matters_and_forgets_some(void **state)
{
    (void)state;
    struct world w = begin(3, &usual);
    notices_see(w.n, 0, NOTICE_BAD, true, 0, &w.now);
    notices_see(w.n, 2, NOTICE_BAD, true, 0, &w.now);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    struct notices *old = w.n;
    w.n = notices_new(2);
    assert_non_null(w.n);
    notices_take_over(w.n, old, swapped, NULL);
    notices_free(old);
    for (size_t i = 0; i < 2; i++)
        notices_see(w.n, i, i == 1 ? NOTICE_BAD : NOTICE_WELL, true, 0, &w.now);
    pass(&w, 10 * S);
    assert_false(take(&w)); /* told before, under another number */
    notices_see(w.n, 1, NOTICE_WELL, true, 0, &w.now);
    assert_false(take(&w));
    pass(&w, 2 * S);
    assert_true(take(&w));
    assert_int_equal(w.m.told_len, 1); /* of what is gone nobody hears that it is well */
    assert_int_equal(w.m.told[0].matter, 1);
    assert_int_equal(w.m.told[0].kind, NOTICE_RECOVERY);
    notices_free(w.n);
}

static void test_a_clock_that_is_set_moves_what_is_said_and_not_when(void **state)
{
    (void)state;
    struct world w = begin(1, &usual);
    assert_int_equal(stay(&w, NOTICE_BAD, 30), 0);
    w.now.wall_ms += 3600 * S;
    notices_clock_set(w.n, 3600 * S);
    assert_int_equal(stay(&w, NOTICE_BAD, 30), 0);
    assert_int_equal(stay(&w, NOTICE_BAD, 3), 1);
    is_one(&w, NOTICE_FAILURE, WALL + 3600 * S, 0);
    notices_free(w.n);
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(notice_kind_name(NOTICE_FAILURE), "failure");
    assert_string_equal(notice_kind_name(NOTICE_SUCCESS), "success");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trouble_that_lasts_is_told_once_and_its_end),
        cmocka_unit_test(test_what_is_over_soon_is_not_told),
        cmocka_unit_test(test_what_flaps_is_told_once),
        cmocka_unit_test(test_a_limit_begins_when_it_is_set),
        cmocka_unit_test(test_however_slowly_it_flaps_messages_are_few),
        cmocka_unit_test(test_it_gets_worse_and_better),
        cmocka_unit_test(test_each_kind_can_be_switched_off),
        cmocka_unit_test(test_failure_that_became_partial_while_that_is_not_told_recovers),
        cmocka_unit_test(test_what_is_settled_is_told_at_once),
        cmocka_unit_test(test_trouble_counts_from_its_beginning),
        cmocka_unit_test(test_many_are_one_message),
        cmocka_unit_test(test_three_at_once_then_one_in_five_minutes),
        cmocka_unit_test(test_what_passed_while_it_was_held_back_is_counted),
        cmocka_unit_test(test_what_lasts_is_told_again),
        cmocka_unit_test(test_at_the_end_nothing_is_kept_back),
        cmocka_unit_test(test_a_reload_moves_matters_and_forgets_some),
        cmocka_unit_test(test_a_clock_that_is_set_moves_what_is_said_and_not_when),
        cmocka_unit_test(test_kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
