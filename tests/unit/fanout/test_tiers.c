/* The same market, later: what a delayed client sees, and when. The clocks are the rig's. */
#include "tiers.h"

#include "rig.h"

enum { DELAY_S = 30 };
static const char *const symbols[] = {"coffee", "tea"};

struct market {
    struct rig r; /* its own fan-out is the live tier's */
    struct tiers *tiers;
    struct config_key key;
};

static void begin(struct market *m)
{
    rig_prepare(&m->r, symbols, ARRAY_LEN(symbols));
    m->key = (struct config_key){.name = "desk", .role = ROLE_VIEWER, .delay_s = DELAY_S};
    m->r.config.auth.keys = &m->key;
    m->r.config.auth.keys_len = 1;
    m->r.config.auth.delay_s.viewer = 5;
    m->tiers = tiers_new(&m->r.config, &m->r.metrics, &m->r.ports);
    assert_non_null(m->tiers);
    tiers_started(m->tiers, m->r.wall_ms);
}

static void end(struct market *m)
{
    tiers_free(m->tiers);
    m->r.f = NULL;
    rig_fini(&m->r);
}

static void pass_ms(struct market *m, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 100) {
        rig_pass_ms(&m->r, ms - t < 100 ? ms - t : 100);
        tiers_tick(m->tiers, m->r.wall_ms, m->r.mono_ns);
        tiers_turn(m->tiers, m->r.wall_ms, m->r.mono_ns);
    }
}

static struct moment now(const struct market *m)
{
    return (struct moment){m->r.wall_ms, m->r.mono_ns};
}

static void quote(struct market *m, int id, const char *price)
{
    struct item *it =
        rig_make(&m->r, id, price, m->r.wall_ms, ",\"state\":\"live\",\"market\":\"open\"");
    assert_int_equal(tiers_item(m->tiers, id, it, true, now(m)), FANOUT_TAKEN);
    item_unref(it);
}

static const char *price_of(struct market *m, int64_t delay_s)
{
    static char text[DECIMAL_TEXT_MAX];
    struct standing st = fanout_standing(tiers_of(m->tiers, delay_s), 0, m->r.wall_ms);
    if (!st.item)
        return "none";
    decimal_format(st.item->price, text);
    return text;
}

static void each_tier_in_its_time(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    assert_ptr_equal(tiers_of(m.tiers, 0), tiers_live(m.tiers));
    assert_ptr_not_equal(tiers_of(m.tiers, 5), tiers_of(m.tiers, 30));
    assert_ptr_equal(tiers_of(m.tiers, 6), tiers_of(m.tiers, 30)); /* never earlier than allowed */
    assert_ptr_equal(tiers_of(m.tiers, 86400), tiers_of(m.tiers, 30));
    quote(&m, 0, "1.10");
    assert_string_equal(price_of(&m, 0), "1.10");
    pass_ms(&m, 4900);
    quote(&m, 0, "1.20");
    assert_string_equal(price_of(&m, 5), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 5), "1.10");
    pass_ms(&m, 4900);
    assert_string_equal(price_of(&m, 5), "1.20");
    pass_ms(&m, 20000);
    assert_string_equal(price_of(&m, 30), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 30), "1.10");
    pass_ms(&m, 4900);
    assert_string_equal(price_of(&m, 30), "1.20");
    end(&m);
}

/* Stale there when it was stale here, that much later; and honest about being late. */
static void states_follow_as_they_did(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    quote(&m, 0, "1.10"); /* stale after 60 s */
    pass_ms(&m, 30000);
    struct standing st = fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms);
    assert_int_equal(st.state, STATE_DELAYED);
    assert_int_equal(st.item->delayed_s, 30);
    pass_ms(&m, 30200);
    assert_int_equal(fanout_standing(tiers_live(m.tiers), 0, m.r.wall_ms).state, STATE_STALE);
    st = fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms);
    assert_int_equal(st.state, STATE_DELAYED);
    pass_ms(&m, 29600);
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state, STATE_DELAYED);
    pass_ms(&m, 400);
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state, STATE_STALE);
    end(&m);
}

/* A newcomer's states are settled by the tier's clock, too: no price is called stale there because
 * it is stale elsewhere. */
static void a_newcomer_sees_the_states_of_then(void **state)
{
    static struct market m;
    struct peer p;
    (void)state;
    begin(&m);
    quote(&m, 0, "1.10");
    pass_ms(&m, 61000); /* stale in the live tier since a second */
    m.r.f = tiers_of(m.tiers, 30);
    peer_open(&p, &m.r);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    json_decref(peer_until(&p, "subscribed"));
    json_decref(peer_until(&p, "quote"));
    peer_expect_nothing(&p); /* the item says `delayed` itself */
    peer_free(&p);
    end(&m);
}

/* Read back after a restart: it has waited already. */
static void what_is_old_enough_comes_at_once(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    struct item *it = rig_make(&m.r, 0, "1.10", m.r.wall_ms, "");
    rig_pass_ms(&m.r, 20000);
    assert_int_equal(tiers_item(m.tiers, 0, it, false, now(&m)), FANOUT_TAKEN);
    item_unref(it);
    assert_int_equal(tiers_turn(m.tiers, m.r.wall_ms, m.r.mono_ns), 10 * 1000 * MS);
    assert_string_equal(price_of(&m, 5), "1.10");
    assert_string_equal(price_of(&m, 30), "none");
    pass_ms(&m, 10000);
    assert_string_equal(price_of(&m, 30), "1.10");
    end(&m);
}

/* What is heard waits from then on, whatever it says of itself. */
static void an_old_recv_gains_nothing(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    struct item *it = rig_make(&m.r, 0, "1.10", m.r.wall_ms, "");
    rig_pass_ms(&m.r, 20000);
    assert_int_equal(tiers_item(m.tiers, 0, it, true, now(&m)), FANOUT_TAKEN);
    item_unref(it);
    pass_ms(&m, 4900);
    assert_string_equal(price_of(&m, 5), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 5), "1.10");
    pass_ms(&m, 24900);
    assert_string_equal(price_of(&m, 30), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 30), "1.10");
    end(&m);
}

static void a_status_is_late_too(void **state)
{
    static struct market m;
    static const char text[] = "{\"symbol\":\"coffee\",\"state\":\"closed\",\"market\":\"closed\"}";
    struct err err;
    (void)state;
    begin(&m);
    quote(&m, 0, "1.10");
    pass_ms(&m, 1000);
    assert_int_equal(tiers_status(m.tiers, 0, text, strlen(text), m.r.wall_ms, m.r.mono_ns, &err),
                     0);
    pass_ms(&m, 29900);
    assert_int_equal(fanout_standing(tiers_live(m.tiers), 0, m.r.wall_ms).state, STATE_CLOSED);
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state, STATE_DELAYED);
    pass_ms(&m, 100);
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state, STATE_CLOSED);
    end(&m);
}

/* The clock is set while prices wait: there, too, they are as old as they were. */
static void the_clock_is_set_meanwhile(void **state)
{
    static const int64_t steps[] = {86400000, -86400000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        static struct market m;
        begin(&m);
        quote(&m, 0, "1.10");
        pass_ms(&m, 1000);
        m.r.wall_ms += steps[i];
        tiers_clock_set(m.tiers, steps[i], m.r.wall_ms);
        pass_ms(&m, 29000);
        assert_string_equal(price_of(&m, 30), "1.10");
        assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state,
                         STATE_DELAYED);
        pass_ms(&m, 59900);
        assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state,
                         STATE_DELAYED);
        pass_ms(&m, 200);
        assert_int_equal(fanout_standing(tiers_of(m.tiers, 30), 0, m.r.wall_ms).state, STATE_STALE);
        end(&m);
    }
}

/* --- another configuration --- */

static int keep_grant(void *ctx, const struct grant *old, struct grant *out)
{
    *out = grant_ref(old);
    if (ctx) /* whose delay is now that */
        out->delay_s = *(const int64_t *)ctx;
    return 0;
}

static int no_grant(void *ctx, const struct grant *old, struct grant *out)
{
    (void)ctx, (void)old;
    *out = (struct grant){0};
    return -1;
}

/* The same market by a new set of tiers, with delays of 30 and `also`. */
static struct tiers *reload(struct market *m, int64_t also, tiers_renew *renew, void *ctx)
{
    struct instrument_map map;
    m->r.config.auth.delay_s.viewer = also;
    struct tiers *next = tiers_new(&m->r.config, &m->r.metrics, &m->r.ports);
    assert_non_null(next);
    assert_int_equal(instrument_map_init(&map, &m->r.config, &m->r.config), 0);
    tiers_take_over(next, m->tiers, &map, renew, ctx, now(m));
    instrument_map_fini(&map);
    tiers_free(m->tiers);
    m->tiers = next;
    return next;
}

static void what_waits_goes_on_waiting(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    quote(&m, 0, "1.10");
    pass_ms(&m, 20000);
    quote(&m, 0, "1.20");
    reload(&m, 7, keep_grant, NULL); /* the delay of 5 s is gone, one of 7 is new */
    assert_string_equal(price_of(&m, 0), "1.20");
    assert_string_equal(price_of(&m, 30), "none");
    pass_ms(&m, 6900);
    assert_string_equal(price_of(&m, 7), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 7), "1.20");
    pass_ms(&m, 2900);
    assert_string_equal(price_of(&m, 30), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 30), "1.10");
    pass_ms(&m, 20000);
    assert_string_equal(price_of(&m, 30), "1.20");
    end(&m);
}

/* Where a delay is new, too, what is heard waits from then on, whatever it says of itself. */
static void an_old_recv_gains_nothing_by_a_reload(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    struct item *it = rig_make(&m.r, 0, "1.10", m.r.wall_ms, "");
    rig_pass_ms(&m.r, 20000);
    assert_int_equal(tiers_item(m.tiers, 0, it, true, now(&m)), FANOUT_TAKEN);
    item_unref(it);
    pass_ms(&m, 1000);
    reload(&m, 5, keep_grant, NULL);
    reload(&m, 7, keep_grant, NULL);
    pass_ms(&m, 5900);
    assert_string_equal(price_of(&m, 7), "none");
    pass_ms(&m, 100);
    assert_string_equal(price_of(&m, 7), "1.10");
    end(&m);
}

/* Nor does a clock that was set before. */
static void a_new_delay_knows_that_the_clock_was_set(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    quote(&m, 0, "1.10");
    m.r.wall_ms -= 86400000;
    tiers_clock_set(m.tiers, -86400000, m.r.wall_ms);
    reload(&m, 7, keep_grant, NULL);
    pass_ms(&m, 7000);
    assert_string_equal(price_of(&m, 7), "1.10");
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 7), 0, m.r.wall_ms).state, STATE_DELAYED);
    pass_ms(&m, 60200);
    assert_int_equal(fanout_standing(tiers_of(m.tiers, 7), 0, m.r.wall_ms).state, STATE_STALE);
    end(&m);
}

static void expect_ids_apart(const struct market *m, int64_t a_s, int64_t b_s)
{
    const struct fanout *a = tiers_of(m->tiers, a_s), *b = tiers_of(m->tiers, b_s);
    char id[64];
    uint64_t revision;
    snprintf(id, sizeof id, "%llx:0", (unsigned long long)a->events.start_ms);
    assert_true(event_id_parse(&a->events, &a->book, id, &revision));
    assert_false(event_id_parse(&b->events, &b->book, id, &revision));
}

/* Each counts its events by itself: who comes back into another one has nothing of it yet. */
static void an_event_id_is_of_one_tier(void **state)
{
    static struct market m;
    (void)state;
    begin(&m);
    expect_ids_apart(&m, 0, 5);
    expect_ids_apart(&m, 5, 30);
    const int64_t start_ms = tiers_of(m.tiers, 30)->events.start_ms;
    pass_ms(&m, 1000);
    reload(&m, 7, keep_grant, NULL);
    expect_ids_apart(&m, 0, 7);
    expect_ids_apart(&m, 7, 30);
    assert_int_equal(tiers_of(m.tiers, 30)->events.start_ms, start_ms);
    end(&m);
}

/* In the tier of 30 s; with `welcome` taken off. */
static void open_late(struct market *m, struct peer *p)
{
    static const struct grant late = {.role = ROLE_VIEWER, .delay_s = DELAY_S};
    *p = (struct peer){.rig = &m->r, .frames = json_array(), .room = PEER_ROOMY};
    p->client = fanout_client_new(tiers_of(m->tiers, DELAY_S), &peer_sink, p, &late, m->r.wall_ms,
                                  m->r.mono_ns);
    assert_non_null(p->client);
    peer_say(p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    peer_forget(p);
}

static void a_client_stays_as_late_as_it_may_see(void **state)
{
    static struct market m;
    static int64_t five = 5;
    struct peer p;
    (void)state;
    begin(&m);
    open_late(&m, &p);
    reload(&m, 5, keep_grant, NULL);
    peer_expect_nothing(&p);
    assert_ptr_equal(p.client->f, tiers_of(m.tiers, DELAY_S));
    assert_int_equal(client_symbols(p.client), 1);
    reload(&m, 5, keep_grant, &five); /* other prices from now on: it has to ask for them */
    peer_expect(&p, "{\"type\":\"unsubscribed\",\"symbols\":[\"coffee\"],\"active\":[]}");
    assert_ptr_equal(p.client->f, tiers_of(m.tiers, 5));
    peer_free(&p);
    end(&m);
}

/* Whose key is gone keeps what it got for a while, as late as before, and no earlier. */
static void without_a_grant_it_sees_nothing_earlier(void **state)
{
    static struct market m;
    struct peer p;
    (void)state;
    begin(&m);
    open_late(&m, &p);
    reload(&m, 5, no_grant, NULL);
    json_t *error = peer_until(&p, "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), 401);
    json_decref(error);
    assert_ptr_equal(p.client->f, tiers_of(m.tiers, DELAY_S));
    assert_int_equal(client_symbols(p.client), 1);
    pass_ms(&m, 9900);
    assert_false(p.closed);
    pass_ms(&m, 300);
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_AUTH);
    peer_free(&p);
    end(&m);
}

/* Another reload meanwhile gives it no more time, and nothing says that it is anybody's. */
static void time_runs_on_for_one_without_a_grant(void **state)
{
    static struct market m;
    struct peer p;
    (void)state;
    begin(&m);
    open_late(&m, &p);
    reload(&m, 5, no_grant, NULL);
    assert_int_equal(p.client->grant.by, GRANT_ENDED);
    json_decref(peer_until(&p, "error"));
    pass_ms(&m, 9000);
    reload(&m, 5, no_grant, NULL);
    peer_expect_nothing(&p);
    pass_ms(&m, 1200);
    assert_true(p.closed);
    assert_int_equal(p.reason, CLOSE_AUTH);
    peer_free(&p);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tier_in_its_time),
        cmocka_unit_test(states_follow_as_they_did),
        cmocka_unit_test(a_newcomer_sees_the_states_of_then),
        cmocka_unit_test(what_is_old_enough_comes_at_once),
        cmocka_unit_test(an_old_recv_gains_nothing),
        cmocka_unit_test(a_status_is_late_too),
        cmocka_unit_test(the_clock_is_set_meanwhile),
        cmocka_unit_test(what_waits_goes_on_waiting),
        cmocka_unit_test(a_client_stays_as_late_as_it_may_see),
        cmocka_unit_test(without_a_grant_it_sees_nothing_earlier),
        cmocka_unit_test(an_old_recv_gains_nothing_by_a_reload),
        cmocka_unit_test(a_new_delay_knows_that_the_clock_was_set),
        cmocka_unit_test(an_event_id_is_of_one_tier),
        cmocka_unit_test(time_runs_on_for_one_without_a_grant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
