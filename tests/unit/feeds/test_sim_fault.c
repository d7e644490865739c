/* Sources that fail on schedule: named, timed, and never a wrong price past the rules of quality.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider.h"
#include "quality.h"
#include "sim_fault.h"

/* 2025-03-11 00:00:00 UTC */
static const int64_t MIDNIGHT_MS = 1741651200000;
static const int64_t DAY_MS = 86400 * 1000L;

static struct answer ask(const char *symbol, int64_t now_ms)
{
    struct answer a = {0};
    provider_find("sim")->generate(symbol, now_ms, &a);
    return a;
}

static struct decimal dec(const char *text)
{
    struct decimal d;
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *symbol;
        size_t len;
        enum sim_fault fault;
        bool ok;
    } rows[] = {
        {"coffee",        6, SIM_HEALTHY, true },
        {"coffee!late",   6, SIM_LATE,    true },
        {"coffee!silent", 6, SIM_SILENT,  true },
        {"coffee!wrong",  6, SIM_WRONG,   true },
        {"EUR/USD!wrong", 7, SIM_WRONG,   true },
        {"KC1!",          4, SIM_HEALTHY, true },
        {"KC1!!late",     4, SIM_LATE,    true },
        {"ES!1",          4, SIM_HEALTHY, true },
        {"ES!Late",       7, SIM_HEALTHY, true },
        {"coffee!jump",   0, SIM_HEALTHY, false},
        {"coffee!lat",    0, SIM_HEALTHY, false},
        {"coffee!later",  0, SIM_HEALTHY, false},
        {"a!late!wrongs", 0, SIM_HEALTHY, false},
    };
    const struct provider *sim = provider_find("sim");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len;
        enum sim_fault fault;
        assert_int_equal(sim_fault_of(rows[i].symbol, &len, &fault), rows[i].ok);
        const char *problem = sim->rule.symbol_problem(rows[i].symbol);
        if (!rows[i].ok) {
            assert_non_null(strstr(problem, "!late, !silent and !wrong"));
            assert_int_equal(ask(rows[i].symbol, MIDNIGHT_MS).failure, FAIL_NOT_FOUND);
            continue;
        }
        assert_null(problem);
        assert_int_equal(len, rows[i].len);
        assert_int_equal(fault, rows[i].fault);
    }
    assert_non_null(sim->rule.symbol_problem("a/!late")); /* what remains has to be a symbol */
}

/* A quarter of the time, in one piece, and each symbol in its own quarter. */
static void test_schedule(void **state)
{
    (void)state;
    const uint64_t hashes[] = {0, 1, 29999, 30000, 119999, UINT64_MAX, 0x123456789abcdefULL};
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        int on = 0, began = 0;
        struct sim_trouble before = sim_fault_at(hashes[i], MIDNIGHT_MS - 1000);
        for (int64_t s = 0; s < 1200; s++) {
            int64_t now = MIDNIGHT_MS + s * 1000;
            struct sim_trouble t = sim_fault_at(hashes[i], now);
            on += t.on;
            began += t.on && !before.on;
            if (t.on) {
                assert_true(t.since_ms <= now && t.since_ms > now - SIM_FAULT_LASTS_MS);
                assert_true(sim_fault_at(hashes[i], t.since_ms).on);
                assert_false(sim_fault_at(hashes[i], t.since_ms - 1).on);
            }
            if (t.on && before.on)
                assert_true(t.turn == before.turn && t.since_ms == before.since_ms);
            assert_true(t.turn == before.turn || t.turn == before.turn + 1);
            before = t;
        }
        assert_int_equal(on, 300);
        assert_int_equal(began, 10);
    }
    assert_true(sim_fault_at(0, MIDNIGHT_MS).on);
    assert_false(sim_fault_at(SIM_FAULT_LASTS_MS, MIDNIGHT_MS).on);
}

static void test_wrong_prices(void **state)
{
    (void)state;
    static const struct {
        const char *price, *wrong[4];
    } rows[] = {
        {"2.9430",  {"294.3000", "0.339789", "0.029430", "-2.9430"}     },
        {"150.320", {"15032.000", "0.00665247", "1.50320", "-150.320"}  },
        {"94250.0", {"9425000.0", "0.0000106101", "942.500", "-94250.0"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int64_t turn = 0; turn < 8; turn++) {
            char text[DECIMAL_TEXT_MAX];
            decimal_format(sim_fault_wrong(dec(rows[i].price), turn), text);
            assert_string_equal(text, rows[i].wrong[turn % 4]);
        }
}

static bool same(const struct record *a, const struct record *b)
{
    return decimal_cmp(a->price, b->price) == 0 && a->ts_ms == b->ts_ms;
}

/* Ten minutes of each: a quarter of the answers are what the fault says, the others are sound. */
static void test_what_a_source_says(void **state)
{
    (void)state;
    int late = 0, silent = 0, wrong = 0;
    struct record frozen = {0};
    for (int64_t now = MIDNIGHT_MS; now < MIDNIGHT_MS + 600000; now += 1000) {
        struct record sound = ask("coffee", now).record;
        struct answer a = ask("coffee!late", now), b = ask("coffee!silent", now),
                      c = ask("coffee!wrong", now);
        assert_int_equal(a.failure, FAIL_NONE);
        if (!same(&a.record, &sound)) {
            assert_true(a.record.ts_ms < sound.ts_ms);
            assert_true(a.record.ts_ms > now - SIM_FAULT_LASTS_MS - 1000);
            if (late++ > 0 && a.record.ts_ms < frozen.ts_ms + SIM_FAULT_LASTS_MS)
                assert_true(same(&a.record, &frozen));
            frozen = a.record;
        }
        if (b.failure != FAIL_NONE) {
            assert_int_equal(b.failure, FAIL_TIMEOUT);
            assert_non_null(strstr(b.detail, "says nothing"));
            silent++;
        } else {
            assert_true(same(&b.record, &sound));
        }
        assert_int_equal(c.failure, FAIL_NONE);
        assert_int_equal(c.record.ts_ms, sound.ts_ms);
        wrong += !same(&c.record, &sound);
    }
    assert_in_range(late, 140, 150); /* the first second or so is not late yet */
    assert_int_equal(silent, 150);
    assert_int_equal(wrong, 150);
}

/* --- a day through the rules --- */

static const struct row {
    const char *symbol, *currency, *min, *max; /* as the demo has them */
} rows[] = {
    {"coffee",  "USD", "0.5",  "10"   },
    {"cocoa",   "USD", "800",  "40000"},
    {"sugar",   "USD", "0.02", "2"    },
    {"AAPL",    "USD", "20",   "2000" },
    {"USD/JPY", "JPY", "50",   "400"  },
    {"crude",   "USD", "5",    "300"  },
};

static struct instrument instrument_of(const struct row *r)
{
    return (struct instrument){
        .symbol = r->symbol,
        .currency = r->currency,
        .range_min = dec(r->min),
        .range_max = dec(r->max),
        .max_jump_pct = 20,
    };
}

/* Polls once: the price that would be published is the sound one. Returns whether there was one. */
static bool poll_wrong(const struct row *r, struct quality_memory *m, int64_t now_ms)
{
    char symbol[40];
    snprintf(symbol, sizeof symbol, "%s!wrong", r->symbol);
    struct instrument in = instrument_of(r);
    struct record rec = ask(symbol, now_ms).record, sound = ask(r->symbol, now_ms).record;
    struct quality_result q = quality_check(&in, m, 0, &rec, now_ms);
    assert_int_equal(q.failure == FAIL_NONE, same(&rec, &sound));
    if (q.failure != FAIL_NONE)
        return false;
    quality_accept(m, rec.price, rec.ts_ms);
    return true;
}

static void test_no_wrong_price_in_a_day(void **state)
{
    (void)state;
    const int64_t step_ms = 6000;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct quality_memory m = {0};
        int64_t taken = 0, polls = 0;
        for (int64_t now = MIDNIGHT_MS; now < MIDNIGHT_MS + DAY_MS; now += step_ms, polls++)
            taken += poll_wrong(&rows[i], &m, now);
        assert_int_equal(taken, polls * 3 / 4);
    }
}

/* Begun at any moment, in the middle of the trouble, too: nothing is held yet but the range. */
static void test_no_wrong_price_at_the_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int64_t start = MIDNIGHT_MS; start < MIDNIGHT_MS + 600000; start += 7000) {
            struct quality_memory m = {0};
            for (int64_t now = start; now < start + SIM_FAULT_LASTS_MS + 5000; now += 1000)
                (void)poll_wrong(&rows[i], &m, now);
            assert_true(m.held);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_wrong_prices),
        cmocka_unit_test(test_what_a_source_says),
        cmocka_unit_test(test_no_wrong_price_in_a_day),
        cmocka_unit_test(test_no_wrong_price_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
