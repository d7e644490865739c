/* States by table, with injected time; which changes are news; the status channel. */
#include "rig.h"

#include "book.h"

/* stale after 60 s, unavailable 120 s later, delayed when recv - ts > 60 s */
static void test_states(void **state)
{
    static const struct {
        const char *more;
        int64_t ts_lag_ms, age_ms;
        enum quote_state state;
    } rows[] = {
        {"",                           0,     0,         STATE_LIVE       },
        {"",                           60000, 0,         STATE_LIVE       },
        {"",                           60001, 0,         STATE_DELAYED    },
        {",\"delayed_s\":900",         0,     0,         STATE_DELAYED    },
        {"",                           0,     60000,     STATE_LIVE       },
        {"",                           0,     60001,     STATE_STALE      },
        {",\"delayed_s\":900",         0,     60001,     STATE_STALE      },
        {"",                           0,     180000,    STATE_STALE      },
        {"",                           0,     180001,    STATE_UNAVAILABLE},
        {",\"market\":\"closed\"",     0,     0,         STATE_CLOSED     },
        {",\"market\":\"closed\"",     0,     999999999, STATE_CLOSED     },
        {",\"market\":\"pre\"",        0,     0,         STATE_LIVE       },
        {",\"market\":\"post\"",       0,     60001,     STATE_STALE      },
 /* the configured limit wins over the item's */
        {",\"stale_after_ms\":1000",   0,     60000,     STATE_LIVE       },
        {",\"stale_after_ms\":999999", 0,     60001,     STATE_STALE      },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        rig_init(&r);
        struct item *it = rig_make(&r, COFFEE, "2.5", r.wall_ms - rows[i].ts_lag_ms, rows[i].more);
        assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_TAKEN);
        struct standing s = fanout_standing(r.f, COFFEE, r.wall_ms + rows[i].age_ms);
        if (s.state != rows[i].state)
            fail_msg("row %zu: %s", i, quote_state_name(s.state));
        assert_ptr_equal(s.item, it);
        item_unref(it);
        rig_fini(&r);
    }
}

static void test_stale_after_defaults(void **state)
{
    static const struct {
        int64_t configured_ms, poll_ms;
        const char *more;
        int64_t limit_ms;
    } rows[] = {
        {0,    15000, "",                           120000},
        {0,    60000, "",                           180000},
        {0,    60000, ",\"stale_after_ms\":400000", 400000},
        {0,    15000, ",\"stale_after_ms\":5000",   5000  },
        {7000, 15000, ",\"stale_after_ms\":5000",   7000  },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        rig_init(&r);
        r.instruments[COFFEE].stale_after_ms = rows[i].configured_ms;
        r.instruments[COFFEE].poll_ms = rows[i].poll_ms;
        assert_int_equal(rig_item(&r, COFFEE, "1", rows[i].more), FANOUT_TAKEN);
        assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms + rows[i].limit_ms).state,
                         STATE_LIVE);
        assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms + rows[i].limit_ms + 1).state,
                         STATE_STALE);
        rig_fini(&r);
    }
}

static void test_verdicts(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    struct item *now = rig_make(&r, COFFEE, "2", r.wall_ms, "");
    struct item *equal = rig_make(&r, COFFEE, "3", r.wall_ms, "");
    struct item *older = rig_make(&r, COFFEE, "4", r.wall_ms - 1, "");
    struct item *newer = rig_make(&r, COFFEE, "5", r.wall_ms + 1, "");
    assert_int_equal(fanout_item(r.f, COFFEE, now, r.wall_ms, 0), FANOUT_TAKEN);
    assert_int_equal(fanout_item(r.f, COFFEE, now, r.wall_ms, 0), FANOUT_DUPLICATE);
    assert_int_equal(fanout_item(r.f, COFFEE, older, r.wall_ms, 0), FANOUT_OLDER);
    assert_int_equal(fanout_item(r.f, COFFEE, equal, r.wall_ms, 0), FANOUT_TAKEN);
    assert_int_equal(fanout_item(r.f, COFFEE, newer, r.wall_ms, 0), FANOUT_TAKEN);
    assert_int_equal(fanout_item(r.f, COFFEE, equal, r.wall_ms, 0), FANOUT_OLDER);
    assert_ptr_equal(fanout_standing(r.f, COFFEE, r.wall_ms).item, newer);
    item_unref(now);
    item_unref(equal);
    item_unref(older);
    item_unref(newer);
    rig_fini(&r);
}

/* Two words of one owner at the same ts: the later one stands, whichever way the earlier one took.
 * Between owners arrival decides, and words without a seq have no order. */
static void test_same_owner_same_ts(void **state)
{
    static const struct {
        const char *first, *second;
        enum fanout_verdict verdict;
    } rows[] = {
        {"19b2f0c6a00:7", "19b2f0c6a00:6", FANOUT_DUPLICATE},
        {"19b2f0c6a00:7", "19b2f0c6a00:0", FANOUT_DUPLICATE},
        {"19b2f0c6a00:7", "19b2f0c6a00:7", FANOUT_TAKEN    }, /* badly numbered: other bytes */
        {"19b2f0c6a00:7", "19b2f0c6a00:8", FANOUT_TAKEN    },
        {"19b2f0c6a00:7", "19b2f0c6aff:6", FANOUT_TAKEN    },
        {"19b2f0c6a00:7", "19b2f0c69ff:6", FANOUT_TAKEN    },
        {"19b2f0c6a00:7", "none",          FANOUT_TAKEN    },
        {"none",          "19b2f0c6a00:6", FANOUT_TAKEN    },
        {"0:7",           "none",          FANOUT_TAKEN    }, /* no seq is not 0:0 */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int later = 0; later < 2; later++) { /* a newer ts counts, whatever its seq */
            struct rig r;
            struct err err;
            const char *const seqs[] = {rows[i].first, rows[i].second};
            enum fanout_verdict want = later ? FANOUT_TAKEN : rows[i].verdict;
            rig_init(&r);
            for (int k = 0; k < 2; k++) {
                char text[200];
                int len = snprintf(text, sizeof text,
                                   "{\"symbol\":\"coffee\",\"price\":%d,\"ts\":%lld,"
                                   "\"seq\":\"%s\"}",
                                   k + 1, (long long)r.wall_ms + (k ? later : 0), seqs[k]);
                struct item *it =
                    item_parse(text, (size_t)len, INSTRUMENT_QUOTE, "coffee", r.wall_ms, &err);
                assert_non_null(it);
                enum fanout_verdict v = fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns);
                if (v != (k ? want : FANOUT_TAKEN))
                    fail_msg("%s then %s, %d ms later: %d", seqs[0], seqs[1], later, (int)v);
                item_unref(it);
            }
            rig_fini(&r);
        }
}

/* Which status follows from an item, by the state it says and the one that was told before. */
static void test_item_news(void **state)
{
    static const struct {
        const char *first, *second;
        bool owed;
    } rows[] = {
        {",\"state\":\"live\"", ",\"state\":\"live\"",                    false},
        {",\"state\":\"live\"", ",\"state\":\"delayed\",\"delayed_s\":9", false},
        {",\"state\":\"live\"", ",\"state\":\"stale\"",                   true },
        {"",                    ",\"state\":\"stale\"",                   true },
        {"",                    "",                                       false},
        {"",                    ",\"market\":\"closed\"",                 true },
        {",\"state\":\"odd\"",  ",\"state\":\"odd\"",                     false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        bool owed = false;
        rig_init(&r);
        struct item *a = rig_make(&r, COFFEE, "1", r.wall_ms, rows[i].first);
        struct item *b = rig_make(&r, COFFEE, "2", r.wall_ms, rows[i].second);
        assert_int_equal(book_item(&r.f->book, COFFEE, a, r.wall_ms, &owed), FANOUT_TAKEN);
        owed = false;
        assert_int_equal(book_item(&r.f->book, COFFEE, b, r.wall_ms, &owed), FANOUT_TAKEN);
        assert_int_equal(owed, rows[i].owed);
        item_unref(a);
        item_unref(b);
        rig_fini(&r);
    }
}

static void test_clock_tells_each_change_once(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    const int64_t recv = r.wall_ms;
    rig_quote(&r, COFFEE, "1");
    struct book *b = &r.f->book;
    assert_int_equal(book_tick(b, COFFEE, recv + 60000), false);
    assert_int_equal(book_tick(b, COFFEE, recv + 60777), true);
    assert_int_equal(book_status_of(b, COFFEE).state, STATE_STALE);
    assert_int_equal(book_status_of(b, COFFEE).since_ms, recv + 60001);
    assert_int_equal(book_tick(b, COFFEE, recv + 60778), false);
    assert_int_equal(book_tick(b, COFFEE, recv + 999999), true);
    assert_int_equal(book_status_of(b, COFFEE).state, STATE_UNAVAILABLE);
    assert_int_equal(book_status_of(b, COFFEE).since_ms, recv + 180001);
    assert_int_equal(book_tick(b, COFFEE, recv + 9999999), false);
    rig_fini(&r);
}

/* No price is older or younger because our clock is set; afterwards time goes on. */
static void test_clock_set(void **state)
{
    static const int64_t steps[] = {86400000, -86400000, 4000, -4000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct rig r;
        rig_init(&r);
        rig_quote(&r, COFFEE, "1");
        struct book *b = &r.f->book;
        const int64_t recv = r.wall_ms + steps[i];
        fanout_clock_set(r.f, steps[i], recv + 1000);
        assert_int_equal(book_tick(b, COFFEE, recv + 60000), false);
        assert_int_equal(book_standing(b, COFFEE, recv + 60000).state, STATE_LIVE);
        assert_int_equal(book_standing(b, COFFEE, recv).recv_ms, recv);
        assert_int_equal(book_tick(b, COFFEE, recv + 60001), true);
        assert_int_equal(book_status_of(b, COFFEE).state, STATE_STALE);
        assert_int_equal(book_status_of(b, COFFEE).since_ms, recv + 60001);
        fanout_clock_set(r.f, -steps[i], r.wall_ms + 61000);
        assert_int_equal(book_tick(b, COFFEE, r.wall_ms + 61000), false);
        assert_int_equal(book_status_of(b, COFFEE).since_ms, r.wall_ms + 60001);
        r.wall_ms += 61000;
        rig_quote(&r, COFFEE, "2"); /* its times are of the clock as it is */
        assert_int_equal(book_standing(b, COFFEE, r.wall_ms).recv_ms, r.wall_ms);
        assert_int_equal(book_standing(b, COFFEE, r.wall_ms).state, STATE_LIVE);
        rig_fini(&r);
    }
}

/* What took its ts from a clock that was ahead does not keep all others out. */
static void test_clock_set_back_under_a_ts(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    r.wall_ms -= 5000;
    fanout_clock_set(r.f, -5000, r.wall_ms);
    assert_int_equal(rig_item(&r, COFFEE, "2", ""), FANOUT_OLDER);
    r.wall_ms -= 1000;
    fanout_clock_set(r.f, -1000, r.wall_ms);
    assert_int_equal(rig_item(&r, COFFEE, "3", ""), FANOUT_TAKEN);
    r.wall_ms -= 1000;
    assert_int_equal(rig_item(&r, COFFEE, "4", ""), FANOUT_OLDER);
    rig_fini(&r);
}

/* A sender's clock is ahead of ours: its price is new, no younger, and gets old like others. */
static void test_a_sender_ahead(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    struct item *it = rig_make(&r, COFFEE, "1", r.wall_ms, "");
    it->recv_ms += 7200000;
    assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_TAKEN);
    assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms).recv_ms, r.wall_ms);
    assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms + 60001).state, STATE_STALE);
    item_unref(it);
    rig_fini(&r);
}

/* With sources somebody may know why: the clock waits for him, but not long, and REST not at all.
 */
static void test_grace(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    r.instruments[COFFEE].sources = &rig_source;
    r.instruments[COFFEE].sources_len = 1;
    const int64_t recv = r.wall_ms;
    rig_quote(&r, COFFEE, "1");
    struct book *b = &r.f->book;
    assert_int_equal(book_tick(b, COFFEE, recv + 60001), false);
    assert_int_equal(fanout_standing(r.f, COFFEE, recv + 60001).state, STATE_STALE);
    assert_int_equal(fanout_standing(r.f, COFFEE, recv + 60001).since_ms, recv + 60001);
    assert_int_equal(book_tick(b, COFFEE, recv + 60500), false);
    assert_int_equal(book_tick(b, COFFEE, recv + 60501), true);
    /* the second step the same; here the poller is in time, and nothing is told twice */
    assert_int_equal(book_tick(b, COFFEE, recv + 180100), false);
    r.wall_ms = recv + 180101;
    static const char said[] = "{\"symbol\":\"coffee\",\"state\":\"unavailable\","
                               "\"reason\":\"timeout\",\"source\":\"yahoo\"}";
    int owed = book_said(b, COFFEE, said, sizeof said - 1, r.wall_ms, NULL);
    assert_int_equal(owed, 1);
    assert_string_equal(book_status_of(b, COFFEE).reason, "timeout");
    assert_int_equal(book_tick(b, COFFEE, recv + 190000), false);
    rig_fini(&r);
}

static void test_said(void **state)
{
    struct rig r;
    int owed;
    (void)state;
    rig_init(&r);
    struct book *b = &r.f->book;
    rig_quote(&r, COFFEE, "1");
#define SAY(text) owed = book_said(b, COFFEE, text, strlen(text), r.wall_ms, NULL)
    /* a reason for a price that still stands is remembered, and no news */
    SAY("{\"symbol\":\"coffee\",\"state\":\"live\",\"reason\":\"older\",\"source\":\"yahoo\"}");
    assert_int_equal(owed, 0);
    assert_string_equal(fanout_standing(r.f, COFFEE, r.wall_ms).reason, "older");
    /* nobody talks a fresh price stale */
    SAY("{\"symbol\":\"coffee\",\"state\":\"stale\",\"reason\":\"timeout\"}");
    assert_int_equal(owed, 0);
    assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms).state, STATE_LIVE);
    /* the market is believed; since too, where the states agree */
    SAY("{\"symbol\":\"coffee\",\"state\":\"closed\",\"since\":1767225590000,\"market\":"
        "\"closed\"}");
    assert_int_equal(owed, 1);
    struct standing s = fanout_standing(r.f, COFFEE, r.wall_ms + 99999999);
    assert_int_equal(s.state, STATE_CLOSED);
    assert_int_equal(s.market, MARKET_CLOSED);
    assert_int_equal(s.since_ms, INT64_C(1767225590000));
    assert_null(s.reason);
    SAY("{\"symbol\":\"coffee\",\"state\":\"closed\",\"market\":\"unknown\"}");
    assert_int_equal(owed, 0);
    SAY("{\"symbol\":\"coffee\",\"state\":\"live\",\"market\":\"open\"}");
    assert_int_equal(owed, 1);
    /* the next item ends what was said */
    SAY("{\"symbol\":\"coffee\",\"state\":\"closed\",\"reason\":\"no_data\",\"source\":\"yahoo\"}");
    assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms).state, STATE_CLOSED);
    rig_quote(&r, COFFEE, "2");
    s = fanout_standing(r.f, COFFEE, r.wall_ms);
    assert_int_equal(s.state, STATE_LIVE);
    assert_int_equal(s.market, MARKET_OPEN);
    assert_null(s.reason);
    assert_null(book_status_of(b, COFFEE).source);
#undef SAY
    rig_fini(&r);
}

static void test_said_without_price(void **state)
{
    static const struct {
        const char *reason;
        bool owed;
    } rows[] = {
        {"timeout", true },
        {"timeout", false},
        {"dns",     true },
        {"dns",     false},
        {"timeout", true },
    };
    struct rig r;
    int owed;
    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"reason\":\"%s\"}",
                 rows[i].reason);
        owed = book_said(&r.f->book, COFFEE, text, strlen(text), r.wall_ms, NULL);
        assert_int_equal(owed, rows[i].owed);
        assert_int_equal(fanout_standing(r.f, COFFEE, r.wall_ms).state, STATE_UNAVAILABLE);
    }
    rig_fini(&r);
}

static void test_said_invalid(void **state)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"symbol\":\"AAPL\",\"state\":\"live\"}",
        "{\"symbol\":\"coffee\"}",
        "{\"symbol\":\"coffee\",\"state\":\"fine\"}",
        "{\"symbol\":\"coffee\",\"state\":1}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"state\":\"live\"}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"market\":\"odd\"}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"market\":1}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"since\":\"now\"}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"reason\":7}",
        "{\"symbol\":\"coffee\",\"state\":\"live\",\"source\":[]}",
    };
    struct rig r;
    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {{0}};
        assert_int_equal(fanout_status(r.f, COFFEE, rows[i], strlen(rows[i]), r.wall_ms, 0, &err),
                         -1);
        assert_true(err.text[0] != '\0');
    }
    rig_status(&r, COFFEE,
               "{\"symbol\":\"coffee\",\"state\":\"unavailable\",\"reason\":null,"
               "\"since\":null,\"source\":null,\"market\":null,\"more\":{}}");
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),         cmocka_unit_test(test_stale_after_defaults),
        cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_same_owner_same_ts),
        cmocka_unit_test(test_item_news),      cmocka_unit_test(test_clock_tells_each_change_once),
        cmocka_unit_test(test_clock_set),      cmocka_unit_test(test_clock_set_back_under_a_ts),
        cmocka_unit_test(test_a_sender_ahead), cmocka_unit_test(test_grace),
        cmocka_unit_test(test_said),           cmocka_unit_test(test_said_without_price),
        cmocka_unit_test(test_said_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
