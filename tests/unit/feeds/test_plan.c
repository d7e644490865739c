/* What a configuration costs, against numbers worked out by hand: 86,400 s a day, a tenth of a
 * day's credits kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan.h"
#include "provider.h"
#include "upstream.h"

enum { SAID_MAX = 16 };

struct world {
    struct config *config;
    struct plan *plan;
    char notes[SAID_MAX][256], gives[SAID_MAX][256];
    int notes_len, gives_len;
};

static void hear(void *ctx, enum plan_line kind, const char *sentence)
{
    struct world *w = ctx;
    int *n = kind == PLAN_GIVES ? &w->gives_len : &w->notes_len;
    assert_true(*n < SAID_MAX);
    snprintf(kind == PLAN_GIVES ? w->gives[*n] : w->notes[*n], sizeof w->notes[0], "%s", sentence);
    ++*n;
}

/* The configuration is written with ' for ". */
static struct world make(const char *text)
{
    struct world w = {0};
    struct config_provider_rule rules[32];
    struct buf problems = {0}, warnings = {0};
    static const char *const env[] = {NULL};
    char *json = strdup(text);
    assert_true(providers_len <= ARRAY_LEN(rules));
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    const struct config_input in = {.text = json,
                                    .len = strlen(json),
                                    .environ_list = env,
                                    .providers = rules,
                                    .providers_len = providers_len};
    w.config = config_load(&in, &problems, &warnings);
    if (!w.config)
        fail_msg("not valid: %s", problems.p);
    w.plan = plan_new(w.config);
    assert_non_null(w.plan);
    assert_int_equal(plan_tell(w.plan, hear, &w), 0);
    buf_fini(&problems);
    buf_fini(&warnings);
    free(json);
    return w;
}

static void done(struct world *w)
{
    plan_free(w->plan);
    config_free(w->config);
}

static const struct plan_provider *provider_of(const struct world *w, const char *name)
{
    for (size_t i = 0; i < providers_len; i++)
        if (strcmp(providers[i]->rule.name, name) == 0)
            return &w->plan->providers[i];
    fail_msg("no provider %s", name);
    return NULL;
}

static void assert_near(double x, double wanted)
{
    if (x < wanted - 0.001 * wanted || x > wanted + 0.001 * wanted)
        fail_msg("%f, not %f", x, wanted);
}

static void assert_leans(const struct world *w, int i, const char *provider, int64_t interval_ms)
{
    const struct plan_instrument *in = &w->plan->instruments[i];
    assert_true(in->provider >= 0);
    assert_string_equal(providers[in->provider]->rule.name, provider);
    assert_int_equal(in->interval_ms, interval_ms);
}

#define KEY "{'providers':{'twelvedata':{'api_key':'k'}},'instruments':["
#define TWO(s, poll)                                                                               \
    "{'symbol':'" s "','poll_ms':" poll ",'sources':[{'provider':'twelvedata','symbol':'" s        \
    "'},{'provider':'yahoo','symbol':'" s "'}]}"
#define ONE(p, s, poll)                                                                            \
    "{'symbol':'" s "','poll_ms':" poll ",'sources':[{'provider':'" p "','symbol':'" s "'}]}"
#define END     "]}"
#define MINUTE  "{'providers':{'yahoo':{'credits_per_minute':30}},'instruments':["
#define FAST(s) ONE("yahoo", s, "15000") ","

/* 3 x 86,400 / 15 = 17,280. 720 of 800 for three: one each in 360 s, all in one request. */
static void test_the_day(void **state)
{
    (void)state;
    struct world w = make(KEY TWO("A", "15000") "," TWO("B", "15000") "," TWO("C", "15000") END);
    const struct plan_provider *p = provider_of(&w, "twelvedata");
    assert_null(p->off);
    assert_int_equal(p->instruments, 3);
    assert_int_equal(p->stretched, 3);
    assert_near(p->wanted.credits_per_day, 17280);
    assert_near(p->wanted.requests_per_day, 5760);
    assert_near(p->planned.credits_per_day, 720);
    assert_near(p->planned.requests_per_day, 240);
    assert_int_equal(p->limits[BUDGET_MINUTE], 8);
    assert_int_equal(p->limits[BUDGET_DAY], 800);
    assert_int_equal(p->reserve, 80);
    assert_int_equal(p->poll_max_ms, 15000);
    assert_int_equal(p->interval_min_ms, 360000);
    assert_leans(&w, 2, "twelvedata", 360000);
    assert_true(provider_of(&w, "yahoo")->in_use);
    assert_int_equal(provider_of(&w, "yahoo")->instruments, 0);
    assert_int_equal(w.notes_len, 0);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0],
                        "twelvedata: 3 instruments at 15 s would need 17,280 credits a day, it has "
                        "800 (80 kept for refreshes): asked every 6 min each");
    done(&w);
}

/* The hourly one takes 24 of the 720; 86,400 s / 696 for the other, rounded up. */
static void test_a_slow_one_pays_less(void **state)
{
    (void)state;
    struct world w = make(KEY TWO("A", "15000") "," TWO("B", "3600000") END);
    assert_leans(&w, 0, "twelvedata", 124138);
    assert_leans(&w, 1, "twelvedata", 3600000);
    assert_near(provider_of(&w, "twelvedata")->planned.credits_per_day, 720);
    assert_near(provider_of(&w, "twelvedata")->planned.requests_per_day, 720);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0],
                        "twelvedata: 2 instruments at 15 s to 1 h would need 5,784 credits a day, "
                        "it has 800 (80 kept for refreshes): 1 of them asked every 2.1 min");
    done(&w);
}

/* One symbol a request: 10 each 15 s are 40 a minute; 30 a minute are one each 20 s. */
static void test_the_minute(void **state)
{
    (void)state;
    struct world w = make(MINUTE FAST("A") FAST("B") FAST("C") FAST("D") FAST("E") FAST("F")
                              FAST("G") FAST("H") FAST("I") ONE("yahoo", "J", "15000") END);
    const struct plan_provider *p = provider_of(&w, "yahoo");
    assert_near(p->wanted.requests_per_day, 40 * 1440);
    assert_near(p->planned.requests_per_day, 30 * 1440);
    assert_near(p->planned.credits_per_day, 30 * 1440);
    assert_int_equal(p->reserve, 0);
    assert_leans(&w, 9, "yahoo", 20000);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "yahoo: 10 instruments at 15 s would need 40 credits a minute, "
                                    "it has 30: asked every 20 s each");
    done(&w);
}

/* 10 each 15 s are 2,400 an hour; 1,200 an hour are one each 30 s. */
static void test_the_hour(void **state)
{
    (void)state;
    struct world w =
        make("{'providers':{'yahoo':{'credits_per_hour':1200,'credits_per_minute':300}},'"
             "instruments':[" FAST("A") FAST("B") FAST("C") FAST("D") FAST("E") FAST("F") FAST("G")
                 FAST("H") FAST("I") ONE("yahoo", "J", "15000") END);
    const struct plan_provider *p = provider_of(&w, "yahoo");
    assert_int_equal(p->limits[BUDGET_HOUR], 1200);
    assert_near(p->planned.credits_per_day, 1200 * 24);
    assert_leans(&w, 9, "yahoo", 30000);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "yahoo: 10 instruments at 15 s would need 2,400 credits an "
                                    "hour, it has 1,200: asked every 30 s each");
    done(&w);
}

/* 10 each 500 ms are 20 a second; 4 a second are one each 2.5 s. */
static void test_the_second(void **state)
{
    (void)state;
    struct world w = make(
        "{'providers':{'yahoo':{'credits_per_second':4}},'instruments':[" ONE("yahoo", "A", "500") "," ONE("yahoo", "B", "500") "," ONE(
            "yahoo", "C",
            "500") "," ONE("yahoo", "D",
                           "500") "," ONE("yahoo", "E",
                                          "500") "," ONE("yahoo", "F",
                                                         "500") "," ONE("yahoo", "G",
                                                                        "500") "," ONE("yahoo", "H",
                                                                                       "500") "," ONE("yahoo",
                                                                                                      "I",
                                                                                                      "500") "," ONE("yahoo",
                                                                                                                     "J",
                                                                                                                     "500")
            END);
    assert_leans(&w, 9, "yahoo", 2500);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "yahoo: 10 instruments at 500 ms would need 20 credits a "
                                    "second, it has 4: asked every 2.5 s each");
    done(&w);
}

/* Twelve in a batch of 120, but 8 credits a minute: 90 s each, and two requests for them. */
static void test_a_batch_is_no_larger_than_the_minute(void **state)
{
    (void)state;
    char text[4096] = "{'providers':{'twelvedata':{'api_key':'k','credits_per_day':0}},"
                      "'instruments':[";
    for (int i = 0; i < 12; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s{'symbol':'S%d','sources':[{'provider':'twelvedata','symbol':'S%d'}]}",
                 i > 0 ? "," : "", i, i);
    strcat(text, END);
    struct world w = make(text);
    const struct plan_provider *p = provider_of(&w, "twelvedata");
    assert_leans(&w, 11, "twelvedata", 90000);
    assert_near(p->planned.credits_per_day, 8 * 1440);
    assert_near(p->planned.requests_per_day, 2 * 960);
    assert_int_equal(p->limits[BUDGET_DAY], 0);
    done(&w);
}

#define ECB "{'providers':{'ecb':{'enabled':true}},'instruments':["

/* 48 a day, 5 of them kept: 86,400 s / 43 = 2,009.302.. s, for one as for two. */
static void test_a_table_costs_one_for_all(void **state)
{
    (void)state;
    struct world w =
        make(ECB ONE("ecb", "EUR/USD", "15000") "," ONE("ecb", "EUR/JPY", "15000") END);
    const struct plan_provider *p = provider_of(&w, "ecb");
    assert_near(p->wanted.credits_per_day, 5760);
    assert_near(p->wanted.requests_per_day, 5760);
    assert_near(p->planned.credits_per_day, 43);
    assert_near(p->planned.requests_per_day, 43);
    assert_int_equal(p->reserve, 5);
    assert_leans(&w, 0, "ecb", 2009303);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "ecb: 2 instruments at 15 s would need 5,760 credits a day, it "
                                    "has 48 (5 kept for refreshes): asked every 33.5 min each");
    done(&w);
}

/* The hourly one asks by itself: 24 more than the 43. */
static void test_a_table_with_two_paces(void **state)
{
    (void)state;
    struct world w =
        make(ECB ONE("ecb", "EUR/USD", "15000") "," ONE("ecb", "EUR/JPY", "3600000") END);
    assert_near(provider_of(&w, "ecb")->planned.credits_per_day, 67);
    assert_int_equal(w.gives_len, 2);
    assert_string_equal(w.gives[1],
                        "ecb: its instruments do not share one request: they still need 67 credits "
                        "a day, it has 48 (5 kept for refreshes): give them the same poll_ms");
    done(&w);
}

static void test_a_disabled_provider(void **state)
{
    (void)state;
    struct world w = make("{'instruments':[" TWO("A", "30000") "," TWO(
        "B", "30000") ","
                      "{'symbol':'C','sources':[{'provider':'yahoo','symbol':'C'},"
                      "{'provider':'twelvedata','symbol':'C'}]}" END);
    const struct plan_provider *p = provider_of(&w, "twelvedata");
    assert_non_null(p->off);
    assert_int_equal(p->instruments, 0);
    assert_leans(&w, 0, "yahoo", 30000);
    assert_int_equal(provider_of(&w, "yahoo")->instruments, 3);
    assert_int_equal(w.gives_len, 0);
    assert_int_equal(w.notes_len, 1);
    assert_string_equal(w.notes[0],
                        "twelvedata is not polled, no api_key: TWELVE_DATA_API_KEY is not set: 2 "
                        "instruments fall to yahoo, 1 has one fallback less");
    done(&w);
}

static void test_nobody_left(void **state)
{
    (void)state;
    struct world w =
        make("{'instruments':[" ONE("twelvedata", "A", "15000") ","
                                                                "{'symbol':'B','sources':[]}" END);
    assert_int_equal(w.plan->instruments[0].provider, -1);
    assert_int_equal(w.plan->instruments[0].interval_ms, 0);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "A: none of its sources may be asked: never polled");
    done(&w);
}

/* A tenth, rounded up, of one. */
static void test_a_day_of_one_credit(void **state)
{
    (void)state;
    struct world w = make("{'providers':{'twelvedata':{'api_key':'k','credits_per_day':1}},"
                          "'instruments':[" TWO("A", "15000") END);
    assert_leans(&w, 0, "yahoo", 15000);
    assert_int_equal(w.gives_len, 1);
    assert_string_equal(w.gives[0], "twelvedata is not polled, all of its credits are kept for "
                                    "refreshes: 1 instrument falls to yahoo");
    done(&w);
}

/* Their days begin at other hours; each plan begins with a day that is whole. */
static void test_a_day_begins_at_its_reset(void **state)
{
    (void)state;
    struct world w = make("{'providers':{'stooq':{'enabled':true}},'instruments':[" ONE(
        "stooq", "kc.f", "15000") END);
    /* 144, 15 kept: 86,400 s / 129 = 669.767.. s */
    assert_leans(&w, 0, "stooq", 669768);
    done(&w);
}

/* What really goes out in a day to the provider that all instruments lean on; its day begins at
 * midnight UTC. One walk a second at most, as feeds.c does while something waits for credits. */
static struct plan_load live_a_day(const struct world *w, const char *name)
{
    const struct config *c = w->config;
    const int id = (int)(provider_of(w, name) - w->plan->providers), chain[] = {id};
    const size_t n = c->instruments_len, batch = providers[id]->batch_max;
    struct schedule *s = schedule_new(n, c->providers_len, 7);
    struct schedule_provider *now = calloc(c->providers_len, sizeof *now);
    int *ids = calloc(n, sizeof *ids);
    struct plan_load load = {0};
    struct upstream u;
    upstream_init(&u, providers[id], &c->providers[id], c, NULL);
    for (size_t i = 0; i < n; i++)
        schedule_add(s, (int)i,
                     &(struct schedule_instrument){.chain = chain,
                                                   .chain_len = 1,
                                                   .poll_ms = c->instruments[i].poll_ms,
                                                   .ttl_ms = 120000});
    for (int64_t ms = 20000 * 86400000LL, end = ms + 86400000; ms < end; ms += 1000) {
        now[id] = upstream_schedule(&u, ms);
        schedule_plan(s, now);
        size_t due = schedule_take(s, ms, ids);
        for (size_t at = 0; at < due; at += batch) {
            enum failure f;
            struct err why;
            size_t want = due - at < batch ? due - at : batch;
            size_t got = upstream_admit(&u, want, false, ms, &f, &why);
            load.requests_per_day += got > 0;
            load.credits_per_day += providers[id]->table && got > 0 ? 1 : (double)got;
        }
    }
    upstream_fini(&u);
    schedule_free(s);
    free(now);
    free(ids);
    return load;
}

/* The plan, and a day of the real thing, slower by its jitter and its whole seconds. The few more
 * are the first polls, which all go at once. */
static void test_a_day_keeps_to_the_plan(void **state)
{
    (void)state;
    static const struct {
        const char *provider, *text;
    } cases[] = {
        {"twelvedata", KEY TWO("A", "15000") "," TWO("B", "15000") "," TWO("C",   "15000") END},
        {"twelvedata",            KEY TWO("A",            "15000") "," TWO("B",          "3600000") END},
        {"ecb",            ECB ONE("ecb",                   "EUR/USD",               "15000") "," ONE("ecb",          "EUR/JPY", "15000") END},
        {"yahoo",   MINUTE FAST("A") FAST("B") FAST("C") ONE("yahoo",  "D",                      "60000") END                            },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w = make(cases[i].text);
        struct plan_load lived = live_a_day(&w, cases[i].provider);
        const struct plan_load *planned = &provider_of(&w, cases[i].provider)->planned;
        assert_true(lived.credits_per_day <= planned->credits_per_day * 1.001 + 4);
        assert_true(lived.credits_per_day >= planned->credits_per_day * 0.9);
        assert_true(lived.requests_per_day <= planned->requests_per_day * 1.001 + 4);
        done(&w);
    }
}

static void test_no_network_no_cost(void **state)
{
    (void)state;
    struct world w =
        make("{'providers':{'sim':{'enabled':true}},'instruments':[" ONE("sim", "AAPL", "500") END);
    assert_leans(&w, 0, "sim", 500);
    assert_true(provider_of(&w, "sim")->planned.requests_per_day < 0.1);
    assert_int_equal(w.gives_len + w.notes_len, 0);
    done(&w);
    w = make("{'instruments':[" END);
    assert_int_equal(w.gives_len + w.notes_len, 0);
    assert_false(provider_of(&w, "yahoo")->in_use);
    done(&w);
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } spans[] = {
        {1,         "1 ms"    },
        {500,       "500 ms"  },
        {15000,     "15 s"    },
        {1500,      "1.5 s"   },
        {60000,     "1 min"   },
        {75000,     "75 s"    },
        {360000,    "6 min"   },
        {2009303,   "33.5 min"},
        {3600000,   "1 h"     },
        {9000000,   "2.5 h"   },
        {86400000,  "24 h"    },
        {216000000, "2.5 days"},
    };
    static const struct {
        double x;
        const char *text;
    } numbers[] = {
        {0,       "0"        },
        {999,     "999"      },
        {1000,    "1,000"    },
        {17279.9, "17,280"   },
        {1234567, "1,234,567"},
    };
    char text[PLAN_SPAN_MAX];
    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        assert_string_equal(plan_span(spans[i].ms, text), spans[i].text);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_string_equal(plan_number(numbers[i].x, text), numbers[i].text);
    assert_string_equal(plan_spans(15000, 15000, text), "15 s");
    assert_string_equal(plan_spans(15000, 360000, text), "15 s to 6 min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_no_network_no_cost),
        cmocka_unit_test(test_the_day),
        cmocka_unit_test(test_a_slow_one_pays_less),
        cmocka_unit_test(test_the_minute),
        cmocka_unit_test(test_the_hour),
        cmocka_unit_test(test_the_second),
        cmocka_unit_test(test_a_batch_is_no_larger_than_the_minute),
        cmocka_unit_test(test_a_table_costs_one_for_all),
        cmocka_unit_test(test_a_table_with_two_paces),
        cmocka_unit_test(test_a_disabled_provider),
        cmocka_unit_test(test_nobody_left),
        cmocka_unit_test(test_a_day_of_one_credit),
        cmocka_unit_test(test_a_day_begins_at_its_reset),
        cmocka_unit_test(test_a_day_keeps_to_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
