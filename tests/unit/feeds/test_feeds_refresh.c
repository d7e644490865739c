/* What others ask for: refreshes, a walk through the sources, the end. */
#include "feeds_world.h"

/* Refreshes join what is under way, and are not repeated within 5 s. */
static void test_refresh_joins(void **state)
{
    struct world *w = *state;
    w->instruments[COFFEE].poll_ms = 3600000;
    w->instruments[COFFEE].sources_len = 1;
    twelve_says(w, "2.950", now_s());
    http_stub_rule(w->stub, 0)->how = STUB_DRIP;
    start(w);
    WAIT(http_stub_count(w->stub) == 1);
    int ids[] = {COFFEE, COCOA};
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    run_for(w, 50);
    assert_int_equal(w->refreshed, 0);
    http_stub_rule(w->stub, 0)->how = STUB_ANSWER;
    WAIT(w->refreshed == 2); /* both by the poll */
    assert_int_equal(http_stub_count(w->stub), 1);
    assert_int_equal(w->items[COFFEE], 1);
    feeds_refresh(w->feeds, ids, 2, refreshed, w);
    WAIT(w->refreshed == 3);
    unsigned count = http_stub_count(w->stub);
    assert_string_equal(w->results[0].error, "");
    assert_string_equal(w->results[0].source, "twelvedata");
    assert_string_equal(w->results[1].error, "disabled"); /* cocoa has no source */
    feeds_refresh(w->feeds, ids, 1, refreshed, w);
    WAIT(w->refreshed == 4);
    assert_string_equal(w->results[0].error, "");
    assert_int_equal(http_stub_count(w->stub), count); /* answered from memory */
}

/* What was spent before this start is not known yet. */
static void test_refresh_before_the_start(void **state)
{
    struct world *w = *state;
    const int coffee = COFFEE;
    w->instruments[COFFEE].poll_ms = 3600000;
    twelve_says(w, "2.950", now_s());
    make(w);
    feeds_refresh(w->feeds, &coffee, 1, refreshed, w);
    run_for(w, 100);
    assert_int_equal(http_stub_count(w->stub), 0);
    assert_int_equal(w->refreshed, 0);
    feeds_start(w->feeds);
    WAIT(w->refreshed == 1);
    assert_string_equal(w->results[0].error, "");
    assert_int_equal(http_stub_count(w->stub), 1); /* it, or the first poll that it has joined */
}

static void test_walk(void **state)
{
    struct world *w = *state;
    twelve_fails(w, 200, LIMIT);
    yahoo_says(w, "294.3", now_s());
    make(w); /* not started: nothing is polled */
    const int coffee = COFFEE;
    feeds_walk(w->feeds, &coffee, 1, NULL, walked, w);
    WAIT(w->walk_done);
    assert_true(w->walk_accepted);
    assert_string_equal(w->walk, "twelvedata KC1 rate_limited;yahoo KC=F ok;");
    assert_int_equal(w->items[COFFEE], 1);
    w->walk_done = false;
    feeds_walk(w->feeds, &coffee, 1, "twelvedata", walked, w);
    WAIT(w->walk_done);
    assert_false(w->walk_accepted);
    assert_string_equal(w->walk, "twelvedata KC1 breaker_open;");
    w->walk_done = false;
    feeds_walk(w->feeds, &coffee, 1, "sim", walked, w);
    WAIT(w->walk_done);
    assert_string_equal(w->walk, "");
    assert_int_equal(http_stub_count(w->stub), 2);
}

/* Several at once share a request; each comes to its own end, in the order asked for. */
static void test_walk_of_several(void **state)
{
    struct world *w = *state;
    const int ids[] = {COCOA, SUGAR, COFFEE};
    w->instruments[COCOA].sources_len = 2;
    w->sources[COCOA][1] = source("sim", "cocoa");
    twelve_fails(w, 200, LIMIT);
    yahoo_says(w, "294.3", now_s());
    make(w);
    feeds_walk(w->feeds, ids, 3, NULL, walked, w);
    assert_false(w->walk_done); /* from the loop only */
    WAIT(w->walk_done);
    assert_string_equal(w->walk, "twelvedata CC1 rate_limited;sim cocoa ok;"
                                 "twelvedata KC1 rate_limited;yahoo KC=F ok;");
    assert_false(w->walk_accepted); /* sugar has no source */
    assert_int_equal(http_stub_count(w->stub), 2);
    assert_int_equal(w->items[COFFEE], 1);
    assert_int_equal(w->items[COCOA], 1);
}

/* A stop with a request under way: who waits is answered, nothing else is said. */
static void test_stop_under_way(void **state)
{
    struct world *w = *state;
    twelve_says(w, "2.950", now_s());
    http_stub_rule(w->stub, 0)->how = STUB_HANG;
    start(w);
    WAIT(http_stub_count(w->stub) == 1);
    int id = COFFEE;
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    assert_int_equal(w->refreshed, 0);
    feeds_stop(w->feeds);
    assert_int_equal(w->refreshed, 1);
    assert_string_equal(w->results[0].error, "disabled");
    feeds_refresh(w->feeds, &id, 1, refreshed, w);
    assert_int_equal(w->refreshed, 2);
    run_for(w, 50);
    assert_int_equal(w->items[COFFEE] + w->statuses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refresh_joins),   TEST(test_refresh_before_the_start), TEST(test_walk),
        TEST(test_walk_of_several), TEST(test_stop_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
