/* The polling half under another configuration: what it knew it still knows, and asks for nothing
 * twice. */
#include "desk.h"
#include "feeds_world.h"
#include "symtab.h"
#include "upstream.h"

struct next {
    struct config config;
    struct config_provider providers[32];
    struct config_source sources[2];
    struct instrument instruments[2];
    struct feeds *feeds;
};

/* The second configuration: sugar gone, coffee behind cocoa. Everything else is the same. */
static void make_next(struct world *w, struct next *n)
{
    struct err err;
    memcpy(n->providers, w->providers, sizeof n->providers);
    memcpy(n->sources, w->sources[COFFEE], sizeof n->sources);
    n->config = w->config;
    n->config.providers = n->providers;
    n->config.instruments = n->instruments;
    n->config.instruments_len = 2;
    n->instruments[0] = w->instruments[COCOA];
    n->instruments[1] = w->instruments[COFFEE];
    n->instruments[1].sources = n->sources;
    n->config.symbols = symtab_new(2);
    assert_int_equal(symtab_add(n->config.symbols, n->instruments[0].symbol, 0), 0);
    assert_int_equal(symtab_add(n->config.symbols, n->instruments[1].symbol, 1), 0);
    n->feeds = feeds_new(&w->loop, &n->config, w->bus, &w->metrics, clock_wall_ms(), &err);
    assert_non_null(n->feeds);
}

/* Instruments are followed by their symbol on this bus, whose numbers stay those of the first. */
static void take_over(struct world *w, struct next *n)
{
    struct instrument_map map;
    assert_int_equal(instrument_map_init(&map, &w->config, &n->config), 0);
    feeds_stop(w->feeds);
    feeds_take_over(n->feeds, w->feeds, &map);
    instrument_map_fini(&map);
}

static void end(struct world *w, struct next *n)
{
    struct feeds *old = w->feeds;
    int closed = 0;
    w->feeds = n->feeds;
    feeds_close(old, count_call, &closed);
    WAIT(closed);
    stop(w);
    symtab_free(n->config.symbols);
}

static void start_slow(struct world *w)
{
    w->instruments[COFFEE].poll_ms = 60000;
    twelve_says(w, "2.950", now_s() - 5);
    start(w);
    WAIT(w->items[COFFEE] == 1);
}

static size_t jobs_listed(struct feeds *f, const char *member)
{
    json_t *all = feeds_jobs(f);
    size_t n = json_array_size(json_object_get(all, member));
    json_decref(all);
    return n;
}

static size_t jobs_done(struct feeds *f)
{
    return jobs_listed(f, "jobs");
}

static size_t jobs_running(struct feeds *f)
{
    return jobs_listed(f, "running");
}

static void test_what_was_known_is_known(void **state)
{
    struct world *w = *state;
    struct next n;
    start_slow(w);
    const struct feed *was = &w->feeds->feeds[COFFEE];
    const int64_t taken = w->feeds->upstreams[number_of("twelvedata")].last_success_ms;
    const uint64_t counter = was->publication.counter;
    assert_true(was->quality.held && taken > 0);
    const struct fetch *fetch = w->feeds->asker.fetch;
    make_next(w, &n);
    take_over(w, &n);
    const struct feed *is = &n.feeds->feeds[1];
    assert_true(is->quality.held);
    assert_int_equal(decimal_cmp(is->quality.held_price, was->quality.held_price), 0);
    assert_int_equal(is->publication.counter, counter);
    assert_ptr_equal(n.feeds->asker.fetch, fetch); /* with its open connections */
    assert_true(is->watch.age.known);
    assert_ptr_equal(is->watch.in, &n.instruments[1]);
    assert_int_equal(is->answering, 0);
    assert_int_equal(n.feeds->upstreams[number_of("twelvedata")].last_success_ms, taken);
    assert_false(n.feeds->feeds[0].watch.age.known);
    /* It was polled a moment ago, so the next poll is about a minute away. */
    feeds_start(n.feeds);
    run_for(w, 300);
    assert_true(feeds_next_poll_ms(n.feeds, 1) - clock_wall_ms() > 30000);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 1);
    end(w, &n);
}

static void test_other_sources_are_asked_at_once(void **state)
{
    struct world *w = *state;
    struct next n;
    start_slow(w);
    make_next(w, &n);
    n.sources[0].symbol = "KC2";
    const unsigned before = http_stub_seen_with(w->stub, "symbol=KC2");
    take_over(w, &n);
    assert_int_equal(n.feeds->feeds[1].answering, -1);
    assert_true(n.feeds->feeds[1].quality.held); /* it is still the price of coffee */
    feeds_start(n.feeds);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC2") > before);
    end(w, &n);
}

static void test_another_currency_is_another_price(void **state)
{
    struct world *w = *state;
    struct next n;
    start_slow(w);
    make_next(w, &n);
    n.instruments[1].currency = "EUR";
    take_over(w, &n);
    assert_false(n.feeds->feeds[1].quality.held);
    end(w, &n);
}

/* A key that was refused shuts its provider; the one that replaces it is tried at once. */
static void expect_askable_with(struct world *w, const char *api_key, bool askable)
{
    struct next n;
    twelve_fails(w, 401, "{\"code\":401,\"message\":\"apikey\",\"status\":\"error\"}");
    w->instruments[COFFEE].sources_len = 1;
    w->config.breaker.threshold = 1;
    start(w);
    struct upstream *u = &w->feeds->upstreams[number_of("twelvedata")];
    WAIT(!upstream_askable(u, clock_wall_ms()));
    make_next(w, &n);
    n.providers[number_of("twelvedata")].api_key = api_key;
    take_over(w, &n);
    u = &n.feeds->upstreams[number_of("twelvedata")];
    assert_true(upstream_askable(u, clock_wall_ms()) == askable);
    end(w, &n);
}

static void test_the_same_key_stays_refused(void **state)
{
    expect_askable_with(*state, "KEY", false);
}

static void test_another_key_is_tried_at_once(void **state)
{
    expect_askable_with(*state, "ANOTHER", true);
}

/* What was under way at that moment is lost, and may have been the poll of an hour. */
static void test_a_lost_answer_is_asked_for_again(void **state)
{
    struct world *w = *state;
    struct next n;
    w->instruments[COFFEE].poll_ms = 3600000;
    twelve_says(w, "2.950", now_s() - 5);
    http_stub_rule(w->stub, 0)->how = STUB_HANG;
    start(w);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC1") == 1);
    make_next(w, &n);
    take_over(w, &n);
    feeds_start(n.feeds);
    run_for(w, 300);
    assert_int_equal(http_stub_seen_with(w->stub, "symbol=KC1"), 1);
    assert_in_range(feeds_next_poll_ms(n.feeds, 1) - clock_wall_ms(), 1, 10500);
    end(w, &n);
}

/* What a job was cut off at is still to be done, by a job that never ran before as well. */
static void test_a_job_that_was_cut_off_is_still_due(void **state)
{
    struct world *w = *state;
    struct next n;
    w->instruments[COFFEE].poll_ms = 3600000;
    w->config.jobs.market.every = EVERY_HOUR;
    twelve_says(w, "2.950", now_s() - 5);
    http_stub_say(w->stub, 1, "/KC%3DF", 404, "");
    http_stub_rule(w->stub, 0)->how = STUB_HANG;
    start(w);
    WAIT(http_stub_seen_with(w->stub, "symbol=KC1") == 1 && jobs_running(w->feeds) == 1);
    make_next(w, &n);
    take_over(w, &n);
    twelve_fails(w, 404, "{\"code\":404,\"message\":\"symbol\",\"status\":\"error\"}");
    feeds_start(n.feeds);
    WAIT(jobs_done(n.feeds) == 1);
    run_for(w, 1200);
    assert_int_equal(jobs_done(n.feeds), 1);
    end(w, &n);
}

/* Also where the bus cannot say so. */
static void test_jobs_that_ran_have_run(void **state)
{
    struct world *w = *state;
    struct next n;
    w->instruments[COFFEE].poll_ms = 3600000;
    w->config.jobs.market.every = EVERY_HOUR;
    twelve_says(w, "2.950", now_s() - 5);
    start(w);
    WAIT(jobs_done(w->feeds) == 1);
    make_next(w, &n);
    take_over(w, &n);
    assert_int_equal(jobs_done(n.feeds), 1); /* before the bus is asked */
    feeds_start(n.feeds);
    run_for(w, 1200);
    assert_int_equal(jobs_done(n.feeds), 1);
    end(w, &n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_known_is_known),
        TEST(test_other_sources_are_asked_at_once),
        TEST(test_another_currency_is_another_price),
        TEST(test_the_same_key_stays_refused),
        TEST(test_another_key_is_tried_at_once),
        TEST(test_a_lost_answer_is_asked_for_again),
        TEST(test_a_job_that_was_cut_off_is_still_due),
        TEST(test_jobs_that_ran_have_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
