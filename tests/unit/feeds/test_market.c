#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "market.h"

static const int64_t T = 1767268800000; /* 2026-01-01 12:00 UTC, a Thursday */
static const int64_t MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000;

static struct calendar *make(const char *hours, enum quote_market market)
{
    struct calendar_span span = {.market = market};
    assert_null(hours_parse(hours, &span.hours));
    struct calendar *c = calendar_new(NULL, NULL, &span, 1);
    assert_non_null(c);
    return c;
}

static void the_clock_turns(void **state)
{
    (void)state;
    struct calendar *c = make("Mon-Fri 13:00-15:00", MARKET_OPEN);
    struct market_clock clock = {.calendar = c};
    market_clock_turn(&clock, T);
    assert_int_equal(clock.now, MARKET_CLOSED);
    assert_true(clock.since_ms == T && clock.until_ms == T + HOUR_MS);
    market_clock_turn(&clock, T + HOUR_MS - 1);
    assert_int_equal(clock.now, MARKET_CLOSED);
    assert_true(clock.since_ms == T);
    market_clock_turn(&clock, T + HOUR_MS + 400); /* a tick late: since the change itself */
    assert_int_equal(clock.now, MARKET_OPEN);
    assert_true(clock.since_ms == T + HOUR_MS && clock.until_ms == T + 3 * HOUR_MS);
    /* The wall clock is put back behind the change. */
    market_clock_turn(&clock, T + 30 * MINUTE_MS);
    assert_int_equal(clock.now, MARKET_CLOSED);
    assert_true(clock.since_ms == T + 30 * MINUTE_MS && clock.until_ms == T + HOUR_MS);
    /* And far forward. */
    market_clock_turn(&clock, T + DAY_MS + 2 * HOUR_MS);
    assert_int_equal(clock.now, MARKET_OPEN);
    assert_true(clock.until_ms == T + DAY_MS + 3 * HOUR_MS);
    calendar_free(c);
}

/* Spans that follow each other: nothing has changed. */
static void the_clock_knows_no_change_where_none_is(void **state)
{
    (void)state;
    struct calendar *c = make("Mon-Sun 13:00-13:00", MARKET_OPEN);
    struct market_clock clock = {.calendar = c};
    market_clock_turn(&clock, T);
    market_clock_turn(&clock, T + 30 * HOUR_MS);
    assert_int_equal(clock.now, MARKET_OPEN);
    assert_true(clock.since_ms == T);
    calendar_free(c);
}

static void without_a_calendar_the_provider_is_all(void **state)
{
    (void)state;
    struct market m = {0};
    assert_int_equal(market_word(&m, MARKET_UNKNOWN), MARKET_UNKNOWN);
    assert_int_equal(market_word(&m, MARKET_PRE), MARKET_PRE);
    assert_int_equal(market_now(&m, MARKET_OPEN, T), MARKET_UNKNOWN);
    market_take(&m, MARKET_CLOSED, T);
    market_failed(&m, T + DAY_MS);
    assert_int_equal(market_now(&m, MARKET_CLOSED, T + 2 * DAY_MS), MARKET_CLOSED);
    assert_false(market_opens(&m));
}

/* What is known, and what comes of it. */
static void whose_word_counts(void **state)
{
    (void)state;
    enum { NEVER = -1 };
    const int64_t since = T + DAY_MS;
    const struct {
        enum quote_market clock, said;
        int64_t said_s, failed_s; /* behind the calendar's last change */
        enum quote_market shown;
        int64_t now_s;
        enum quote_market counts;
    } rows[] = {
  /* the provider says nothing: the calendar */
        {MARKET_CLOSED, MARKET_UNKNOWN, -60, -3600, MARKET_OPEN,    0,    MARKET_CLOSED},
        {MARKET_OPEN,   MARKET_UNKNOWN, 5,   -3600, MARKET_OPEN,    10,   MARKET_OPEN  },
        {MARKET_POST,   MARKET_UNKNOWN, -60, -3600, MARKET_OPEN,    0,    MARKET_POST  },
        {MARKET_OPEN,   MARKET_UNKNOWN, -60, -3600, MARKET_PRE,     0,    MARKET_OPEN  },
        {MARKET_OPEN,   MARKET_UNKNOWN, -60, -3600, MARKET_UNKNOWN, 0,    MARKET_OPEN  },
 /* but it opens only when somebody was asked, or half a minute later */
        {MARKET_OPEN,   MARKET_UNKNOWN, -60, -3600, MARKET_CLOSED,  0,    MARKET_CLOSED},
        {MARKET_PRE,    MARKET_UNKNOWN, -60, -3600, MARKET_CLOSED,  29,   MARKET_CLOSED},
        {MARKET_OPEN,   MARKET_UNKNOWN, -60, -3600, MARKET_CLOSED,  30,   MARKET_OPEN  },
        {MARKET_OPEN,   MARKET_UNKNOWN, -60, 2,     MARKET_CLOSED,  3,    MARKET_OPEN  },
        {MARKET_OPEN,   MARKET_UNKNOWN, 2,   -3600, MARKET_CLOSED,  3,    MARKET_OPEN  },
 /* the provider's word wins */
        {MARKET_OPEN,   MARKET_CLOSED,  5,   -3600, MARKET_CLOSED,  3000, MARKET_CLOSED},
        {MARKET_CLOSED, MARKET_OPEN,    5,   -3600, MARKET_OPEN,    3000, MARKET_OPEN  },
        {MARKET_CLOSED, MARKET_PRE,     5,   70,    MARKET_PRE,     3000, MARKET_PRE   },
 /* also behind a change, until it is asked again */
        {MARKET_CLOSED, MARKET_OPEN,    -60, -3600, MARKET_OPEN,    3000, MARKET_OPEN  },
        {MARKET_OPEN,   MARKET_CLOSED,  -60, -3600, MARKET_CLOSED,  3000, MARKET_CLOSED},
 /* and does not answer */
        {MARKET_CLOSED, MARKET_OPEN,    -60, 10,    MARKET_OPEN,    11,   MARKET_CLOSED},
        {MARKET_OPEN,   MARKET_CLOSED,  -60, 10,    MARKET_CLOSED,  11,   MARKET_OPEN  },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct market_clock clock = {
            .now = rows[i].clock, .since_ms = since, .until_ms = INT64_MAX};
        struct market m = {.clock = &clock};
        market_take(&m, rows[i].said, since + rows[i].said_s * 1000);
        market_failed(&m, since + rows[i].failed_s * 1000);
        enum quote_market is = market_now(&m, rows[i].shown, since + rows[i].now_s * 1000);
        if (is != rows[i].counts)
            fail_msg("row %zu: %s", i, quote_market_name(is));
        /* A price that comes now. */
        assert_int_equal(market_word(&m, MARKET_UNKNOWN), rows[i].clock);
        assert_int_equal(market_word(&m, MARKET_POST), MARKET_POST);
    }
}

static void an_opening_is_told_once(void **state)
{
    (void)state;
    struct market_clock clock = {.now = MARKET_OPEN, .until_ms = INT64_MAX};
    struct market m = {.clock = &clock};
    static const struct {
        enum quote_market now;
        bool opens;
    } rows[] = {
        {MARKET_OPEN,   false}, /* it was before we came */
        {MARKET_CLOSED, false},
        {MARKET_CLOSED, false},
        {MARKET_PRE,    true },
        {MARKET_OPEN,   false}, /* from pre: not out of the dark */
        {MARKET_POST,   false},
        {MARKET_CLOSED, false},
        {MARKET_OPEN,   true },
        {MARKET_OPEN,   false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        clock.now = rows[i].now;
        assert_true(market_opens(&m) == rows[i].opens);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_turns),
        cmocka_unit_test(the_clock_knows_no_change_where_none_is),
        cmocka_unit_test(without_a_calendar_the_provider_is_all),
        cmocka_unit_test(whose_word_counts),
        cmocka_unit_test(an_opening_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
