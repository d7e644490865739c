/* The market as the calendar knows it, through the whole polling half. The calendar's clock is one
 * that the tests turn by hand. */
#include "desk.h"
#include "feeds_world.h"

static struct market_clock hand;

static void turn(enum quote_market now)
{
    hand.now = now;
    hand.since_ms = clock_wall_ms();
}

/* Polls once a minute: what comes before is not the next poll. */
static void start_with(struct world *w, enum quote_market now)
{
    w->instruments[COFFEE].poll_ms = 60000;
    make(w);
    hand = (struct market_clock){.now = now, .until_ms = INT64_MAX};
    w->feeds->feeds[COFFEE].market.clock = &hand;
    feeds_start(w->feeds);
}

static void silent_of_the_market(struct world *w, const char *price)
{
    char body[200];
    snprintf(body, sizeof body,
             "{\"symbol\":\"KC1\",\"currency\":\"USD\",\"close\":\"%s\",\"last_quote_at\":%lld}",
             price, (long long)now_s() - 5);
    http_stub_say(w->stub, 0, "symbol=KC1", 200, body);
}

static void expect_status(struct world *w, const char *part)
{
    const char *last = w->status[w->statuses - 1];
    if (!strstr(last, part))
        fail_msg("%s is not in %s", part, last);
}

static void test_an_item_has_the_calendars_market(void **state)
{
    struct world *w = *state;
    silent_of_the_market(w, "2.950");
    start_with(w, MARKET_CLOSED);
    WAIT(w->items[COFFEE] == 1);
    assert_int_equal(w->last[COFFEE]->market, MARKET_CLOSED);
    assert_int_equal(w->last[COFFEE]->state, STATE_CLOSED);
    run_for(w, 1500); /* a tick and more: nothing to add */
    assert_int_equal(w->statuses, 0);
}

static void test_it_closes_and_opens_between_two_polls(void **state)
{
    struct world *w = *state;
    silent_of_the_market(w, "2.950");
    start_with(w, MARKET_OPEN);
    WAIT(w->items[COFFEE] == 1);
    assert_int_equal(w->last[COFFEE]->market, MARKET_OPEN);
    assert_int_equal(w->last[COFFEE]->state, STATE_LIVE);

    turn(MARKET_CLOSED);
    WAIT(w->statuses == 1);
    expect_status(w, "\"state\":\"closed\"");
    expect_status(w, "\"market\":\"closed\"");
    assert_int_equal(w->items[COFFEE], 1);

    /* The opening is a reason to ask, and the answer says it: no status, no stale moment. */
    w->feeds->feeds[COFFEE].watch.age.recv_ms -= 600000;
    silent_of_the_market(w, "2.951");
    turn(MARKET_PRE);
    WAIT(w->items[COFFEE] == 2);
    assert_int_equal(w->last[COFFEE]->market, MARKET_PRE);
    assert_int_equal(w->last[COFFEE]->state, STATE_LIVE);
    assert_int_equal(w->statuses, 1);
}

static void test_it_opens_and_nobody_answers(void **state)
{
    struct world *w = *state;
    w->instruments[COFFEE].stale_after_ms = 400;
    silent_of_the_market(w, "2.950");
    start_with(w, MARKET_CLOSED);
    WAIT(w->items[COFFEE] == 1);
    run_for(w, 500);
    assert_int_equal(w->statuses, 0); /* a closed price does not grow stale */
    twelve_fails(w, 500, "{\"code\":500,\"message\":\"oops\",\"status\":\"error\"}");
    turn(MARKET_OPEN);
    WAIT(w->statuses == 1);
    expect_status(w, "\"state\":\"stale\"");
    expect_status(w, "\"market\":\"open\"");
    expect_status(w, "\"reason\":\"");
}

static void test_the_providers_word_wins(void **state)
{
    struct world *w = *state;
    twelve_says(w, "2.950", now_s() - 5); /* open */
    start_with(w, MARKET_CLOSED);
    WAIT(w->items[COFFEE] == 1);
    assert_int_equal(w->last[COFFEE]->market, MARKET_OPEN);
    assert_int_equal(w->last[COFFEE]->state, STATE_LIVE);
    /* A change of the calendar does not matter either, until the provider is asked again. */
    turn(MARKET_OPEN);
    run_for(w, 1100);
    turn(MARKET_CLOSED);
    run_for(w, 1100);
    assert_int_equal(w->statuses, 0);
    assert_int_equal(w->items[COFFEE], 1);
}

/* Its word from before the weekend is no word about Monday. */
static void test_a_dead_providers_word_is_outdated(void **state)
{
    struct world *w = *state;
    char body[200];
    snprintf(body, sizeof body,
             "{\"symbol\":\"KC1\",\"currency\":\"USD\",\"close\":\"2.95\",\"last_quote_at\":%lld,"
             "\"is_market_open\":false}",
             (long long)now_s() - 5);
    w->instruments[COFFEE].stale_after_ms = 400;
    http_stub_say(w->stub, 0, "symbol=KC1", 200, body);
    start_with(w, MARKET_CLOSED);
    WAIT(w->items[COFFEE] == 1);
    assert_int_equal(w->last[COFFEE]->state, STATE_CLOSED);
    run_for(w, 1100); /* a tick that sees it closed */
    twelve_fails(w, 500, "{\"code\":500,\"message\":\"oops\",\"status\":\"error\"}");
    turn(MARKET_OPEN);
    WAIT(w->statuses == 1);
    expect_status(w, "\"state\":\"stale\"");
    expect_status(w, "\"market\":\"open\"");
}

/* An exchange that is wrong ends it before anything is opened. */
static void test_a_wrong_exchange_does_not_start(void **state)
{
    struct world *w = *state;
    struct err err;
    const struct config_exchange wrong = {.name = "NYSE", .holidays_file = "/no/such/file"};
    w->config.exchanges = &wrong;
    w->config.exchanges_len = 1;
    assert_null(feeds_new(&w->loop, &w->config, w->bus, &w->metrics, clock_wall_ms(), &err));
    assert_string_equal(err.text,
                        "exchanges[0].holidays_file: /no/such/file: No such file or directory: "
                        "put it there, or correct the path");
    w->config.exchanges_len = 0;
    w->instruments[COFFEE].exchange = "NYSE";
    make(w);
    assert_non_null(w->feeds->feeds[COFFEE].market.clock);
    assert_null(w->feeds->feeds[COCOA].market.clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_item_has_the_calendars_market),
        TEST(test_it_closes_and_opens_between_two_polls),
        TEST(test_it_opens_and_nobody_answers),
        TEST(test_the_providers_word_wins),
        TEST(test_a_dead_providers_word_is_outdated),
        TEST(test_a_wrong_exchange_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
