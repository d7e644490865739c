/* Clients and prices that go over to a fan-out of another configuration: nothing lost, nothing
 * twice, and each told what concerns it. */
#include "carry.h"

#include "owed.h"
#include "rig.h"
#include "upkeep.h"

/* coffee is 0 here and 2 there; tea goes, milk comes. */
static const char *const old_symbols[] = {"coffee", "tea", "cocoa"};
static const char *const new_symbols[] = {"milk", "cocoa", "coffee"};
enum { OLD_COFFEE, OLD_TEA, OLD_COCOA };
enum { NEW_MILK, NEW_COCOA, NEW_COFFEE };

struct move {
    struct rig a, b;
    struct instrument_map map;
};

static void begin(struct move *m)
{
    rig_prepare(&m->a, old_symbols, ARRAY_LEN(old_symbols));
    rig_prepare(&m->b, new_symbols, ARRAY_LEN(new_symbols));
    rig_start(&m->a);
    rig_start(&m->b);
    assert_int_equal(instrument_map_init(&m->map, &m->a.config, &m->b.config), 0);
}

static void end(struct move *m)
{
    instrument_map_fini(&m->map);
    rig_fini(&m->a);
    rig_fini(&m->b);
}

/* All that tiers.c does for one tier. */
static void carry(struct move *m)
{
    const struct moment now = {m->a.wall_ms, m->a.mono_ns};
    m->b.wall_ms = m->a.wall_ms;
    m->b.mono_ns = m->a.mono_ns;
    m->b.counter = m->a.counter;
    carry_flush(m->a.f, now.mono_ns);
    carry_market(m->b.f, m->a.f, &m->map, now.wall_ms);
    while (m->a.f->clients)
        carry_client(m->a.f->clients, m->b.f, &m->map, now);
}

/* A peer that says so later is asked by the other rig's clock. */
static void follow(struct peer *p, struct rig *to)
{
    p->rig = to;
    assert_ptr_equal(p->client->f, to->f);
}

static void subscribe(struct peer *p, const char *text)
{
    peer_say(p, text);
    peer_forget(p);
}

static const char *price_in(json_t *frame, size_t i)
{
    static char text[32];
    const json_t *q = json_array_get(json_object_get(frame, "data"), i);
    snprintf(text, sizeof text, "%s %g", json_string_value(json_object_get(q, "symbol")),
             json_number_value(json_object_get(q, "price")));
    return text;
}

/* The next message is a quote of exactly that. */
static void expect_quote(struct peer *p, const char *symbol_and_price, bool snapshot)
{
    json_t *j = peer_next(p);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "quote");
    assert_int_equal(json_array_size(json_object_get(j, "data")), 1);
    assert_string_equal(price_in(j, 0), symbol_and_price);
    assert_int_equal(json_is_true(json_object_get(j, "snapshot")), snapshot);
    json_decref(j);
}

static void prices_and_their_states_go_along(void **state)
{
    struct move m;
    (void)state;
    begin(&m);
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    rig_quote(&m.a, OLD_TEA, "3.5");
    rig_tick_ms(&m.a, 61000); /* stale by now, and told */
    rig_status(&m.a, OLD_COFFEE,
               "{\"symbol\":\"coffee\",\"state\":\"stale\",\"reason\":\"timeout\"}");
    const struct standing before = fanout_standing(m.a.f, OLD_COFFEE, m.a.wall_ms);
    const int64_t since_ms = before.since_ms;
    const uint64_t revision = m.a.f->book.entries[OLD_COFFEE].revision;
    carry(&m);
    const struct standing st = fanout_standing(m.b.f, NEW_COFFEE, m.b.wall_ms);
    assert_non_null(st.item);
    assert_int_equal(st.state, STATE_STALE);
    assert_string_equal(st.reason, "timeout");
    assert_int_equal(st.since_ms, since_ms);
    assert_int_equal(m.b.f->book.entries[NEW_COFFEE].revision, revision);
    assert_int_equal(m.b.f->book.revision, m.a.f->book.revision);
    assert_null(fanout_standing(m.b.f, NEW_MILK, m.b.wall_ms).item);
    assert_null(fanout_standing(m.b.f, NEW_COCOA, m.b.wall_ms).item);
    rig_tick_ms(&m.b, 500); /* nothing is told a second time */
    assert_false(bits_any(&m.b.f->statuses));
    end(&m);
}

static void a_client_is_told_what_concerns_it(void **state)
{
    struct move m;
    struct peer all, coffee, none;
    (void)state;
    begin(&m);
    peer_open(&all, &m.a);
    peer_open(&coffee, &m.a);
    peer_open(&none, &m.a);
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    subscribe(&all, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    subscribe(&coffee, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    assert_int_equal(m.a.metrics.subscriptions, 4);
    carry(&m);
    follow(&all, &m.b);
    follow(&coffee, &m.b);
    peer_expect(&all, "{\"type\":\"unsubscribed\",\"symbols\":[\"tea\"],"
                      "\"active\":[\"milk\",\"cocoa\",\"coffee\"]}");
    peer_expect(&all, "{\"type\":\"subscribed\",\"symbols\":[\"milk\"],\"rejected\":[],"
                      "\"active\":[\"milk\",\"cocoa\",\"coffee\"]}");
    peer_expect(&all, "{\"type\":\"quote\",\"data\":[],\"snapshot\":true}");
    json_t *j = peer_until(&all, "status");
    const json_t *milk = json_array_get(json_object_get(j, "data"), 0);
    assert_int_equal(json_integer_value(json_object_get(milk, "since")), m.b.wall_ms);
    json_decref(j);
    peer_expect_nothing(&all);
    peer_expect_nothing(&coffee);
    peer_expect_nothing(&none);
    assert_int_equal(m.a.metrics.subscriptions + m.b.metrics.subscriptions, 4);
    assert_int_equal(m.a.f->views.used, 0);
    assert_int_equal(m.a.f->wheel.used, 0);
    assert_int_equal(fanout_clients(m.a.f), 0);
    assert_int_equal(fanout_clients(m.b.f), 3);

    rig_pass_ms(&m.b, 100);
    rig_quote(&m.b, NEW_COFFEE, "2.6");
    fanout_turn(m.b.f, m.b.mono_ns);
    expect_quote(&coffee, "coffee 2.6", false);
    expect_quote(&all, "coffee 2.6", false);
    peer_say(&none, "{\"action\":\"list\"}");
    peer_free(&all);
    peer_free(&coffee);
    peer_free(&none);
    end(&m);
}

static void what_was_pending_is_flushed_before(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"snapshot\":false}");
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    fanout_turn(m.a.f, m.a.mono_ns); /* the view rests from now on */
    peer_forget(&p);
    rig_pass_ms(&m.a, 1);
    rig_quote(&m.a, OLD_COFFEE, "2.6");
    peer_expect_nothing(&p);
    carry(&m);
    expect_quote(&p, "coffee 2.6", false);
    rig_tick_ms(&m.b, 200);
    peer_expect_nothing(&p);
    peer_free(&p);
    end(&m);
}

static void what_a_slow_client_is_owed_it_is_owed_there(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"tea\",\"cocoa\"]}");
    p.room = 0;
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    rig_quote(&m.a, OLD_TEA, "3.5");
    rig_tick_ms(&m.a, 100);
    rig_quote(&m.a, OLD_COFFEE, "2.6");
    rig_tick_ms(&m.a, 100);
    peer_say(&p, "{\"action\":\"ping\",\"id\":7}");
    peer_expect_nothing(&p);
    assert_int_equal(p.client->path, CLIENT_BEHIND);
    const int64_t fell_ns = p.client->owed->since_ns;
    carry(&m);
    follow(&p, &m.b);
    peer_expect_nothing(&p);
    assert_int_equal(p.client->path, CLIENT_BEHIND);
    assert_int_equal(p.client->owed->since_ns, fell_ns);
    assert_int_equal(m.b.f->views.used, 1);
    rig_quote(&m.b, NEW_COFFEE, "2.7");
    rig_quote(&m.b, NEW_COCOA, "1");
    rig_tick_ms(&m.b, 100);
    peer_drain(&p, PEER_ROOMY);
    json_t *pong = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(pong, "type")), "pong");
    json_decref(pong);
    json_t *gone = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(gone, "type")), "unsubscribed");
    json_decref(gone);
    json_t *quotes = peer_next(&p);
    assert_string_equal(price_in(quotes, 0), "cocoa 1");
    assert_string_equal(price_in(quotes, 1), "coffee 2.7");
    assert_int_equal(json_array_size(json_object_get(quotes, "data")), 2);
    json_decref(quotes);
    json_t *flow = peer_until(&p, "flow");
    assert_int_equal(json_integer_value(json_object_get(flow, "merged")), 2);
    json_decref(flow);
    assert_int_equal(p.client->path, CLIENT_SHARED);
    peer_free(&p);
    end(&m);
}

static void an_interval_keeps_its_windows(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    subscribe(&p,
              "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"tea\"],\"interval_ms\":1000}");
    rig_tick_ms(&m.a, 300);
    rig_quote(&m.a, OLD_COFFEE, "2.6"); /* waits for the end of the first window */
    rig_tick_ms(&m.a, 100);
    peer_forget(&p);
    carry(&m);
    follow(&p, &m.b);
    json_t *gone = peer_next(&p);
    assert_string_equal(json_string_value(json_object_get(gone, "type")), "unsubscribed");
    json_decref(gone);
    assert_int_equal(m.a.f->paces.len, 0);
    assert_int_equal(m.b.f->paces.len, 1);
    rig_tick_ms(&m.b, 500);
    peer_expect_nothing(&p);
    rig_tick_ms(&m.b, 100);
    expect_quote(&p, "coffee 2.6", false);
    rig_quote(&m.b, NEW_COFFEE, "2.7");
    rig_tick_ms(&m.b, 900);
    peer_expect_nothing(&p);
    rig_tick_ms(&m.b, 100);
    expect_quote(&p, "coffee 2.7", false);
    peer_free(&p);
    end(&m);
}

static void fields_stay_cut(void **state)
{
    struct move m;
    struct peer p, q;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    peer_open(&q, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"price\"]}");
    subscribe(&q, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"price\"]}");
    rig_quote(&m.a, OLD_COFFEE, "2.5");
    rig_tick_ms(&m.a, 100);
    peer_forget(&p);
    peer_forget(&q);
    carry(&m);
    assert_int_equal(m.b.f->views.used, 1); /* equal sets are one set there, too */
    rig_quote(&m.b, NEW_COFFEE, "2.6");
    rig_tick_ms(&m.b, 100);
    peer_expect(&p, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"coffee\",\"price\":2.6,"
                    "\"seq\":\"...\"}]}");
    peer_free(&p);
    peer_free(&q);
    assert_null(m.b.f->field_sets.list);
    assert_null(m.a.f->field_sets.list);
    end(&m);
}

static void what_joins_is_limited(void **state)
{
    struct move m;
    struct peer full, tea;
    (void)state;
    begin(&m);
    m.b.config.limits.symbols_per_connection = 2;
    peer_open(&full, &m.a);
    subscribe(&full, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\",\"cocoa\",\"*\"]}");
    peer_open(&tea, &m.a);
    subscribe(&tea, "{\"action\":\"auth\",\"token\":\"tea\"}"); /* sees what begins with t */
    subscribe(&tea, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    carry(&m);
    peer_expect(&full, "{\"type\":\"unsubscribed\",\"symbols\":[\"tea\"],"
                       "\"active\":[\"cocoa\",\"coffee\"]}");
    peer_expect_nothing(&full);
    peer_expect(&tea, "{\"type\":\"unsubscribed\",\"symbols\":[\"tea\"],\"active\":[]}");
    peer_expect_nothing(&tea);
    assert_null(tea.client->seat.view);
    peer_free(&full);
    peer_free(&tea);
    end(&m);
}

/* What joins by a pattern has the options that the pattern came with. */
static void what_joins_has_the_options_of_its_pattern(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"interval_ms\":1000,"
                  "\"fields\":[\"price\"]}");
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"cocoa\",\"coffee\"]}");
    carry(&m);
    follow(&p, &m.b);
    assert_int_equal(pace_interval_ms(p.client, NEW_MILK), 1000);
    assert_int_equal(pace_interval_ms(p.client, NEW_COCOA), 0);
    assert_null(m.a.f->field_sets.list);
    peer_forget(&p);
    rig_tick_ms(&m.b, 100);
    rig_quote(&m.b, NEW_MILK, "1");
    rig_tick_ms(&m.b, 400);
    rig_quote(&m.b, NEW_MILK, "2");
    rig_tick_ms(&m.b, 300);
    peer_forget(&p); /* the states, which are not throttled */
    rig_tick_ms(&m.b, 200);
    peer_expect(&p, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"milk\",\"price\":2,"
                    "\"seq\":\"...\"}]}");
    peer_forget(&p);
    rig_quote(&m.b, NEW_COCOA, "3");
    rig_tick_ms(&m.b, 100);
    expect_quote(&p, "cocoa 3", false);
    peer_free(&p);
    assert_int_equal(m.b.f->paces.len, 0);
    assert_null(m.b.f->field_sets.list);
    end(&m);
}

/* It keeps what it had until its time is over; what it may see beside that, nobody says. */
static void nothing_joins_without_a_grant(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"auth\",\"token\":\"tea\"}");
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    upkeep_expire(p.client, m.a.mono_ns);
    peer_forget(&p);
    carry(&m);
    peer_expect(&p, "{\"type\":\"unsubscribed\",\"symbols\":[\"tea\"],\"active\":[]}");
    peer_expect_nothing(&p);
    assert_null(p.client->seat.view);
    peer_free(&p);
    end(&m);
}

static void one_that_closes_goes_over_too(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"],\"interval_ms\":1000}");
    fanout_client_closing(p.client);
    carry(&m);
    follow(&p, &m.b);
    assert_int_equal(fanout_clients(m.b.f), 1);
    peer_expect_nothing(&p);
    rig_tick_ms(&m.b, 60000);
    peer_free(&p);
    assert_int_equal(fanout_clients(m.b.f), 0);
    end(&m);
}

/* A broken socket that is noticed by the messages of the change itself. */
static void a_broken_one_is_closed_there(void **state)
{
    struct move m;
    struct peer p;
    (void)state;
    begin(&m);
    peer_open(&p, &m.a);
    subscribe(&p, "{\"action\":\"subscribe\",\"symbols\":[\"*\"]}");
    p.broken = true;
    carry(&m);
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_WRITE);
    assert_int_equal(m.b.f->views.used, 0);
    peer_free(&p);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_and_their_states_go_along),
        cmocka_unit_test(a_client_is_told_what_concerns_it),
        cmocka_unit_test(what_was_pending_is_flushed_before),
        cmocka_unit_test(what_a_slow_client_is_owed_it_is_owed_there),
        cmocka_unit_test(an_interval_keeps_its_windows),
        cmocka_unit_test(fields_stay_cut),
        cmocka_unit_test(what_joins_is_limited),
        cmocka_unit_test(what_joins_has_the_options_of_its_pattern),
        cmocka_unit_test(nothing_joins_without_a_grant),
        cmocka_unit_test(one_that_closes_goes_over_too),
        cmocka_unit_test(a_broken_one_is_closed_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
