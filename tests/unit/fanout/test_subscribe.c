/* No gap, no duplicate: what is in the snapshot, what comes after it, what never comes again. */
#include "rig.h"

static const char *price_of(const json_t *frame, size_t i)
{
    static char text[32];
    const json_t *item = json_array_get(json_object_get(frame, "data"), i);
    snprintf(text, sizeof text, "%s=%g", json_string_value(json_object_get(item, "symbol")),
             json_number_value(json_object_get(item, "price")));
    return text;
}

/* The next frame is a quote frame with exactly these, as "symbol=price symbol=price". */
static void expect_quotes(struct peer *p, bool snapshot, const char *want)
{
    char got[200] = "";
    json_t *j = peer_next(p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "quote");
    assert_int_equal(json_is_true(json_object_get(j, "snapshot")), snapshot);
    for (size_t i = 0; i < json_array_size(json_object_get(j, "data")); i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "", price_of(j, i));
    assert_string_equal(got, want);
    json_decref(j);
}

static void subscribe(struct peer *p, const char *symbols)
{
    char text[200];
    snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"symbols\":%s}", symbols);
    peer_say(p, text);
}

/* Updates that wait for their flush when somebody joins the view: the old members get them as an
 * update, the new one in its snapshot, nobody twice. */
static void test_join_while_pending(void **state)
{
    struct rig r;
    struct peer old, new;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    peer_open(&old, &r);
    subscribe(&old, "[\"coffee\"]");
    peer_forget(&old);
    fanout_turn(r.f, r.mono_ns);
    rig_pass_ms(&r, 20);
    rig_quote(&r, COFFEE, "2");
    assert_int_equal(fanout_turn(r.f, r.mono_ns), -1);
    expect_quotes(&old, false, "coffee=2");
    rig_pass_ms(&r, 1);
    rig_quote(&r, COFFEE, "3");
    assert_int_equal(fanout_turn(r.f, r.mono_ns), 9 * MS);
    peer_expect_nothing(&old);

    peer_open(&new, &r);
    subscribe(&new, "[\"coffee\"]");
    expect_quotes(&old, false, "coffee=3");
    json_decref(peer_until(&new, "subscribed"));
    expect_quotes(&new, true, "coffee=3");
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    peer_expect_nothing(&old);
    peer_expect_nothing(&new);
    rig_quote(&r, COFFEE, "4");
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    expect_quotes(&old, false, "coffee=4");
    expect_quotes(&new, false, "coffee=4");
    peer_free(&old);
    peer_free(&new);
    rig_fini(&r);
}

/* Whoever changes its own set gets what was pending before the ack, and only the new in the
 * snapshot. */
static void test_change_while_pending(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    rig_quote(&r, AAPL, "7");
    peer_open(&p, &r);
    subscribe(&p, "[\"coffee\"]");
    peer_forget(&p);
    rig_quote(&r, COFFEE, "2");
    rig_quote(&r, AAPL, "8");
    subscribe(&p, "[\"AAPL\",\"coffee\"]");
    expect_quotes(&p, false, "coffee=2");
    json_decref(peer_until(&p, "subscribed"));
    expect_quotes(&p, true, "AAPL=8");
    fanout_turn(r.f, r.mono_ns);
    peer_expect_nothing(&p);

    rig_quote(&r, COFFEE, "3");
    rig_quote(&r, AAPL, "9");
    peer_say(&p, "{\"action\":\"unsubscribe\",\"symbols\":[\"coffee\"]}");
    expect_quotes(&p, false, "coffee=3 AAPL=9");
    json_decref(peer_until(&p, "unsubscribed"));
    rig_quote(&r, COFFEE, "4");
    rig_quote(&r, AAPL, "10");
    rig_pass_ms(&r, 10);
    fanout_turn(r.f, r.mono_ns);
    expect_quotes(&p, false, "AAPL=10");
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

static void test_limit(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.config.limits.symbols_per_connection = 2;
    peer_open(&p, &r);
    subscribe(&p, "[\"AAPL\",\"E*\"]");
    peer_expect(&p, "{\"type\":\"subscribed\",\"symbols\":[\"AAPL\",\"EUR/USD\"],\"rejected\":"
                    "[{\"symbol\":\"EUR/GBP\",\"error\":\"symbol_limit\",\"message\":\"...\"}],"
                    "\"active\":[\"EUR/USD\",\"AAPL\"]}");
    peer_forget(&p);
    assert_int_equal(r.metrics.subscriptions, 2);
    subscribe(&p, "[\"coffee\",\"AAPL\"]"); /* what it has is no problem */
    peer_expect(&p, "{\"type\":\"subscribed\",\"symbols\":[\"AAPL\"],\"rejected\":[{\"symbol\":"
                    "\"coffee\",\"error\":\"symbol_limit\",\"message\":\"...\"}],\"active\":["
                    "\"EUR/USD\",\"AAPL\"]}");
    peer_forget(&p);
    peer_say(&p, "{\"action\":\"unsubscribe\",\"symbols\":[\"E*\"]}");
    peer_expect(&p, "{\"type\":\"unsubscribed\",\"symbols\":[\"EUR/USD\"],\"active\":[\"AAPL\"]}");
    assert_int_equal(p.client->patterns.len, 0);
    subscribe(&p, "[\"coffee\"]");
    peer_expect(&p, "{\"type\":\"subscribed\",\"symbols\":[\"coffee\"],\"rejected\":[],\"active\":"
                    "[\"coffee\",\"AAPL\"]}");
    peer_free(&p);
    assert_int_equal(r.metrics.subscriptions, 0);
    rig_fini(&r);
}

/* Patterns are bounded like symbols, also those that match nothing. */
static void test_pattern_limit(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    r.config.limits.symbols_per_connection = 2;
    peer_open(&p, &r);
    subscribe(&p, "[\"X*\",\"Y*\",\"X*\",\"Z*\"]");
    peer_expect(&p, "{\"type\":\"subscribed\",\"symbols\":[],\"rejected\":[{\"symbol\":\"Z*\","
                    "\"error\":\"symbol_limit\",\"message\":\"...\"}],\"active\":[]}");
    assert_int_equal(p.client->patterns.len, 2);
    peer_say(&p, "{\"action\":\"reset\"}");
    assert_int_equal(p.client->patterns.len, 0);
    peer_free(&p);
    rig_fini(&r);
}

static void test_malformed_applies_nothing(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    subscribe(&p, "[\"coffee\",\"EUR/*\",17]");
    json_decref(peer_until(&p, "error"));
    assert_null(p.client->seat.view);
    assert_int_equal(p.client->patterns.len, 0);
    peer_free(&p);
    rig_fini(&r);
}

/* The status behind a snapshot: what the item doesn't say, and what has no item. */
static void test_snapshot_status(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    rig_quote(&r, COFFEE, "1");
    rig_pass_ms(&r, 60001);
    rig_quote(&r, AAPL, "2");
    assert_int_equal(rig_item(&r, EURUSD, "3", ",\"source\":\"yahoo\""), FANOUT_TAKEN);
    rig_status(&r, EURGBP,
               "{\"symbol\":\"EUR/GBP\",\"state\":\"unavailable\",\"reason\":\"dns\","
               "\"source\":\"yahoo\",\"since\":1767225600000}");
    peer_open(&p, &r);
    subscribe(&p, "[\"*\"]");
    json_decref(peer_until(&p, "subscribed"));
    expect_quotes(&p, true, "coffee=1 EUR/USD=3 AAPL=2");
    peer_expect(&p, "{\"type\":\"status\",\"data\":["
                    "{\"symbol\":\"coffee\",\"state\":\"stale\",\"since\":1767225660001,"
                    "\"market\":\"open\"},"
                    "{\"symbol\":\"EUR/USD\",\"state\":\"live\",\"since\":1767225660001,"
                    "\"source\":\"yahoo\",\"market\":\"unknown\"},"
                    "{\"symbol\":\"EUR/GBP\",\"state\":\"unavailable\",\"since\":1767225600000,"
                    "\"reason\":\"dns\",\"source\":\"yahoo\",\"market\":\"unknown\"}]}");
    peer_expect_nothing(&p);
    rig_tick_ms(&r, 1000); /* all told: the clock adds nothing */
    peer_expect_nothing(&p);
    peer_free(&p);
    rig_fini(&r);
}

/* 500 items of 1 KiB: several snapshot frames, none over 64 KiB, in goes of 64 KiB. */
static void test_large_snapshot(void **state)
{
    static struct rig r;
    static char names[500][8];
    const char *symbols[500];
    char more[1100];
    struct peer p;
    size_t items = 0, frames = 0, gos = 0;
    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        symbols[i] = names[i];
    }
    rig_prepare(&r, symbols, 500);
    rig_start(&r);
    snprintf(more, sizeof more, ",\"state\":\"live\",\"pad\":\"%0*d\"", 1000, 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(rig_item(&r, i, "1", more), FANOUT_TAKEN);
    peer_open(&p, &r);
    subscribe(&p, "[\"*\"]");
    json_decref(peer_until(&p, "subscribed"));
    /* an update in the middle of it: the symbol comes once, in the snapshot or after it */
    rig_quote(&r, 499, "2");
    for (;;) {
        json_t *j;
        while ((j = peer_next(&p))) {
            assert_true(json_is_true(json_object_get(j, "snapshot")));
            items += json_array_size(json_object_get(j, "data"));
            frames++;
            json_decref(j);
        }
        if (!p.wants && p.client->path == CLIENT_SHARED)
            break;
        if (!p.wants) { /* only the pending symbol is left: its turn comes with the flush */
            rig_pass_ms(&r, 10);
            fanout_turn(r.f, r.mono_ns);
            assert_int_equal(p.client->path, CLIENT_SHARED);
        }
        peer_drain(&p, PEER_ROOMY);
        gos++;
        assert_true(gos < 20);
    }
    assert_int_equal(items, 500);
    assert_true(frames >= 8 && gos >= 4);
    assert_true(p.largest <= 65536 /* one write */);
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_while_pending),
        cmocka_unit_test(test_change_while_pending),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_pattern_limit),
        cmocka_unit_test(test_malformed_applies_nothing),
        cmocka_unit_test(test_snapshot_status),
        cmocka_unit_test(test_large_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
