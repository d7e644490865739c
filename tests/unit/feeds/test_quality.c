/* The rules a record passes, each alone and in the order they are asked; then jumps over time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quality.h"

static const int64_t NOW_MS = 1741705265000;

/* "" = not given. */
static struct decimal dec(const char *text)
{
    struct decimal d = {0};
    if (text && text[0])
        assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static void assert_text(struct decimal d, const char *want)
{
    char text[DECIMAL_TEXT_MAX] = "";
    if (d.given)
        decimal_format(d, text);
    assert_string_equal(text, want);
}

static struct record record(const char *price, const char *currency)
{
    struct record r = {.price = dec(price), .ts_ms = NOW_MS - 1000};
    snprintf(r.currency, sizeof r.currency, "%s", currency);
    return r;
}

static void hold(struct quality_memory *m, const char *price, int64_t ts_ms)
{
    quality_accept(m, dec(price), ts_ms);
}

/* ---- one record ---- */

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        const char *configured; /* currency, NULL = none */
        const char *min, *max;  /* range, NULL = none */
        const char *held;       /* price, NULL = none; its time is NOW_MS - 2000 */
        const char *price, *currency;
        int64_t ts_ms;     /* relative to NOW_MS */
        const char *rule;  /* NULL: accepted */
        const char *after; /* price and currency afterwards */
    } rows[] = {
  /* units and currency */
        {"USD", NULL,  NULL, NULL,     "2.943",                                  "USD",  0,            NULL,             "2.943 USD" },
        {"USD", NULL,  NULL, NULL,     "294.30",                                 "USX",  0,            NULL,             "2.9430 USD"},
        {"GBP", NULL,  NULL, NULL,     "305.3",                                  "GBp",  0,            NULL,             "3.053 GBP" },
        {"GBP", NULL,  NULL, NULL,     "7",                                      "GBX",  0,            NULL,             "0.07 GBP"  },
        {"ZAR", NULL,  NULL, NULL,     "12345",                                  "ZAc",  0,            NULL,             "123.45 ZAR"},
        {"ILS", NULL,  NULL, NULL,     "0.5",                                    "ILA",  0,            NULL,             "0.005 ILS" },
        {NULL,  NULL,  NULL, NULL,     "305.3",                                  "GBp",  0,            NULL,             "3.053 GBP" },
        {"USD", NULL,  NULL, NULL,     "2",                                      "",     0,            NULL,             "2 USD"     },
        {NULL,  NULL,  NULL, NULL,     "2",                                      "",     0,            NULL,             "2 "        },
        {"USD", NULL,  NULL, NULL,     "3.05",                                   "GBP",  0,            "currency",       "3.05 GBP"  },
        {"USD", NULL,  NULL, NULL,     "305",                                    "GBp",  0,            "currency",       "3.05 GBP"  },
        {"USD", NULL,  NULL, NULL,     "2",                                      "XXc",  0,            "currency_known", "2 XXc"     },
        {NULL,  NULL,  NULL, NULL,     "2",                                      "usd",  0,            "currency_known", "2 usd"     },
        {NULL,  NULL,  NULL, NULL,     "2",                                      "USDT", 0,            "currency_known", "2 USDT"    },
        {"GBP", NULL,  NULL, NULL,     "0.000000000000000000000000000000000001", "GBp",  0,
         "currency_known",                                                                                               NULL        },

 /* positive */
        {"USD", NULL,  NULL, NULL,     "0",                                      "USD",  0,            "positive",       NULL        },
        {"USD", NULL,  NULL, NULL,     "-0.01",                                  "USD",  0,            "positive",       NULL        },
        {"USD", NULL,  NULL, NULL,     "",                                       "USD",  0,            "finite",         NULL        },
        {"USD", NULL,  NULL, "2",      "0.000",                                  "USD",  0,            "positive",       NULL        },
        {"USD", NULL,  NULL, NULL,     "0.00000001",                             "USD",  0,            NULL,             NULL        },

 /* time */
        {"USD", NULL,  NULL, NULL,     "2",                                      "USD",  5000,         NULL,             NULL        },
        {"USD", NULL,  NULL, NULL,     "2",                                      "USD",  5001,         "future",         NULL        },
        {"USD", NULL,  NULL, NULL,     "2",                                      "USD",  -NOW_MS,      "future",         NULL        },
        {"USD", NULL,  NULL, NULL,     "2",                                      "USD",  -90000000000, NULL,             NULL        },
        {"USD", NULL,  NULL, "2",      "2",                                      "USD",  -2000,        NULL,             NULL        },
        {"USD", NULL,  NULL, "2",      "2",                                      "USD",  -2001,        "older",          NULL        },
        {"USD", NULL,  NULL, "2",      "900",                                    "USD",  -2001,        "older",          NULL        },

 /* range, where there is nothing to compare with */
        {"USD", "0.5", "10", NULL,     "2",                                      "USD",  0,            NULL,             NULL        },
        {"USD", "0.5", "10", NULL,     "0.50",                                   "USD",  0,            NULL,             NULL        },
        {"USD", "0.5", "10", NULL,     "10.0",                                   "USD",  0,            NULL,             NULL        },
        {"USD", "0.5", "10", NULL,     "10.01",                                  "USD",  0,            "range",          NULL        },
        {"USD", "0.5", "10", NULL,     "294.3",                                  "USD",  0,            "range",          NULL        },
        {"USD", "0.5", "10", NULL,     "294.3",                                  "",     0,            "range",          NULL        },
        {"USD", "0.5", "10", NULL,     "294.3",                                  "USX",  0,            NULL,             NULL        },
        {"USD", "0.5", "10", NULL,     "0.02943",                                "USD",  0,            "range",          NULL        },
        {"USD", "0.5", "10", "9.9",    "10.5",                                   "USD",  0,            NULL,             NULL        },
        {"USD", NULL,  NULL, NULL,     "294.3",                                  "USD",  0,            NULL,             NULL        },

 /* jumps */
        {"USD", NULL,  NULL, "100",    "120",                                    "USD",  0,            NULL,             NULL        },
        {"USD", NULL,  NULL, "100",    "120.01",                                 "USD",  0,            "jump",           NULL        },
        {"USD", NULL,  NULL, "100",    "80",                                     "USD",  0,            NULL,             NULL        },
        {"USD", NULL,  NULL, "100",    "79.99",                                  "USD",  0,            "jump",           NULL        },
        {"USD", NULL,  NULL, "2.943",  "294.3",                                  "USD",  0,            "factor_100",     NULL        },
        {"USD", NULL,  NULL, "2.943",  "297",                                    "USD",  0,            "factor_100",     NULL        },
        {"USD", NULL,  NULL, "294.3",  "2.95",                                   "USD",  0,            "factor_100",     NULL        },
        {"USD", NULL,  NULL, "2.943",  "305",                                    "USD",  0,            "jump",           NULL        },
        {"JPY", NULL,  NULL, "150.32", "0.00665",                                "JPY",  0,            "inverse",        NULL        },
        {"USD", NULL,  NULL, "1.0845", "0.922",                                  "USD",  0,            "inverse",        NULL        },
        {"CHF", NULL,  NULL, "0.995",  "1.004",                                  "CHF",  0,            NULL,             NULL        },
        {"CHF", NULL,  NULL, "0.98",   "1.0204",                                 "CHF",  0,            "inverse",        NULL        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct instrument in = {.symbol = "x",
                                      .currency = rows[i].configured,
                                      .range_min = dec(rows[i].min),
                                      .range_max = dec(rows[i].max),
                                      .max_jump_pct = 20};
        struct quality_memory m = {0};
        struct record r = record(rows[i].price, rows[i].currency);
        char after[DECIMAL_TEXT_MAX + 16] = "";
        if (rows[i].held)
            hold(&m, rows[i].held, NOW_MS - 2000);
        r.ts_ms = NOW_MS + rows[i].ts_ms;
        struct quality_result q = quality_check(&in, &m, 0, &r, NOW_MS);
        const char *rule = q.rule ? q.rule : "accepted";
        if (strcmp(rule, rows[i].rule ? rows[i].rule : "accepted") != 0)
            fail_msg("row %zu, %s %s: %s, not %s", i, rows[i].price, rows[i].currency, rule,
                     rows[i].rule ? rows[i].rule : "accepted");
        assert_int_equal(q.failure, !rows[i].rule                        ? FAIL_NONE
                                    : strcmp(rows[i].rule, "older") == 0 ? FAIL_OLDER
                                                                         : FAIL_BAD_SCHEMA);
        assert_int_equal(q.why.text[0] != '\0', rows[i].rule != NULL);
        if (!rows[i].after)
            continue;
        decimal_format(r.price, after);
        snprintf(after + strlen(after), 16, " %s", r.currency);
        assert_string_equal(after, rows[i].after);
    }
}

/* Conversion is exact and is for all prices, and for nothing that is none. */
static void test_all_members_are_converted(void **state)
{
    (void)state;
    const struct instrument in = {.symbol = "x", .currency = "USD", .max_jump_pct = 20};
    struct quality_memory m = {0};
    struct record r = record("294.30", "USX");
    r.bid = dec("294.25");
    r.ask = dec("294.35");
    r.open = dec("290");
    r.high = dec("297.123456789");
    r.low = dec("1");
    r.prev_close = dec("291.0");
    r.volume = dec("12345");
    assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
    assert_text(r.price, "2.9430");
    assert_text(r.bid, "2.9425");
    assert_text(r.ask, "2.9435");
    assert_text(r.open, "2.90");
    assert_text(r.high, "2.97123456789");
    assert_text(r.low, "0.01");
    assert_text(r.prev_close, "2.910");
    assert_text(r.volume, "12345");
    assert_string_equal(r.currency, "USD");

    r = record("294.30", "USX"); /* what was not given does not appear */
    assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
    assert_false(r.open.given || r.bid.given || r.prev_close.given);
}

static void test_crossed_book_is_dropped(void **state)
{
    (void)state;
    const struct instrument in = {.symbol = "x", .max_jump_pct = 20};
    struct quality_memory m = {0};
    struct record r = record("2", "USD");
    r.bid = dec("2.1");
    r.ask = dec("2.0");
    assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
    assert_false(r.bid.given || r.ask.given);
    r.bid = dec("2.0");
    r.ask = dec("2.00");
    assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
    assert_true(r.bid.given && r.ask.given);
}

/* The day's figures go, the price stays. */
static void test_day_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *price, *open, *high, *low; /* "" = not given */
        enum quote_market market;
        bool kept;
    } rows[] = {
        {"2.94",  "2.90",  "2.97", "2.88", MARKET_OPEN,    true },
        {"2.94",  "2.94",  "2.94", "2.94", MARKET_OPEN,    true },
        {"2.94",  "2.90",  "2.88", "2.97", MARKET_OPEN,    false}, /* upside down */
        {"2.94",  "2.90",  "2.88", "2.97", MARKET_POST,    false},
        {"2.94",  "",      "2.88", "2.97", MARKET_POST,    false},
        {"2.943", "",      "2.94", "2.88", MARKET_OPEN,    false}, /* above, by more than rounding */
        {"2.942", "",      "2.94", "2.88", MARKET_OPEN,    true },
        {"2.878", "",      "2.94", "2.88", MARKET_OPEN,    true },
        {"2.876", "",      "2.94", "2.88", MARKET_OPEN,    false},
        {"2.876", "",      "2.94", "2.88", MARKET_UNKNOWN, false},
        {"2.876", "",      "2.94", "2.88", MARKET_CLOSED,  false},
        {"3.10",  "2.90",  "2.94", "2.88", MARKET_POST,    true }, /* the day is over */
        {"2.10",  "2.90",  "2.94", "2.88", MARKET_PRE,     true },
        {"2.90",  "2.95",  "2.94", "2.88", MARKET_OPEN,    false},
        {"2.90",  "2.87",  "2.94", "2.88", MARKET_OPEN,    false},
        {"2.90",  "2.942", "2.94", "2.88", MARKET_OPEN,    true },
        {"2.94",  "2.90",  "2.93", "",     MARKET_OPEN,    false}, /* one of the two is enough */
        {"2.94",  "2.90",  "",     "2.95", MARKET_OPEN,    false},
        {"2.94",  "9.99",  "",     "",     MARKET_OPEN,    true },
    };
    const struct instrument in = {.symbol = "x", .max_jump_pct = 20};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct quality_memory m = {0};
        struct record r = record(rows[i].price, "USD");
        r.open = dec(rows[i].open);
        r.high = dec(rows[i].high);
        r.low = dec(rows[i].low);
        r.prev_close = dec("2.5");
        r.market = rows[i].market;
        assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
        bool kept = r.open.given || r.high.given || r.low.given;
        if (kept != rows[i].kept)
            fail_msg("row %zu (%s): %s", i, rows[i].price, kept ? "kept" : "dropped");
        assert_text(r.price, rows[i].price);
        assert_text(r.prev_close, "2.5");
    }
}

/* ---- the table ---- */

static uint32_t bit(const char *rule)
{
    for (size_t i = 0; i < quality_rules(); i++)
        if (strcmp(quality_rule_at(i).name, rule) == 0)
            return UINT32_C(1) << i;
    fail_msg("no rule %s", rule);
    return 0;
}

static void test_table(void **state)
{
    (void)state;
    assert_true(quality_rules() <= 32);
    for (size_t i = 0; i < quality_rules(); i++) {
        struct quality_rule r = quality_rule_at(i);
        assert_true(r.applies_to[0] != '\0');
        assert_int_equal(bit(r.name), UINT32_C(1) << i); /* names are distinct */
        bool drops = strcmp(r.name, "crossed") == 0 || strcmp(r.name, "ohlc") == 0;
        assert_int_equal(r.severity, drops ? QUALITY_DROP : QUALITY_REJECT);
    }
}

/* A rule that has nothing to look at has neither passed nor failed; those after a rejection, too.
 */
static void test_what_was_asked(void **state)
{
    (void)state;
    const struct instrument in = {.symbol = "x", .currency = "USD", .max_jump_pct = 20};
    struct quality_memory m = {0};
    uint32_t always = bit("currency_known") | bit("finite") | bit("positive") | bit("future");
    struct record r = record("2", "USD");
    struct quality_result q = quality_check(&in, &m, 0, &r, NOW_MS);
    assert_int_equal(q.passed, always | bit("currency"));
    assert_int_equal(q.failed, 0);

    const struct instrument any = {.symbol = "x", .max_jump_pct = 20};
    r = record("2", "USD");
    assert_int_equal(quality_check(&any, &m, 0, &r, NOW_MS).passed, always);

    hold(&m, "2", NOW_MS - 2000);
    r = record("200", "USD");
    q = quality_check(&in, &m, 0, &r, NOW_MS);
    assert_int_equal(q.passed, always | bit("currency") | bit("older"));
    assert_int_equal(q.failed, bit("factor_100"));

    r = record("2", "USD");
    r.bid = dec("2.1");
    r.ask = dec("2.0");
    r.high = dec("1");
    q = quality_check(&in, &m, 0, &r, NOW_MS);
    assert_int_equal(q.failed, bit("crossed") | bit("ohlc"));
    assert_int_equal(q.passed, always | bit("currency") | bit("older") | bit("factor_100") |
                                   bit("inverse") | bit("jump"));
    assert_null(q.rule);

    r = record("-1", "USD");
    q = quality_check(&in, &m, 0, &r, NOW_MS);
    assert_int_equal(q.failed, bit("positive"));
    assert_int_equal(q.passed, bit("currency_known") | bit("finite"));
}

/* ---- jumps over time ---- */

/* A story: what comes in turn, and what becomes of it. Accepted prices are held from then on. */
struct step {
    int source;
    const char *price;
    const char *rule;  /* NULL: accepted */
    const char *other; /* another program's price arrives before this step, NULL = none */
};

static void tell(const char *name, const char *min, const char *max, const struct step *steps,
                 size_t n)
{
    const struct instrument in = {.symbol = "x",
                                  .currency = "USD",
                                  .range_min = dec(min),
                                  .range_max = dec(max),
                                  .max_jump_pct = 20};
    struct quality_memory m = {0};
    hold(&m, "100", NOW_MS - 1000000);
    for (size_t i = 0; i < n; i++) {
        struct record r = record(steps[i].price, "USD");
        r.ts_ms = NOW_MS - 900000 + (int64_t)i;
        if (steps[i].other)
            hold(&m, steps[i].other, r.ts_ms - 1);
        struct quality_result q = quality_check(&in, &m, steps[i].source, &r, NOW_MS);
        const char *got = q.rule ? q.rule : "accepted";
        if (strcmp(got, steps[i].rule ? steps[i].rule : "accepted") != 0)
            fail_msg("%s, step %zu (%s): %s", name, i, steps[i].price, got);
        if (q.rule)
            continue;
        quality_accept(&m, r.price, r.ts_ms);
        quality_confirm(&m);
    }
}

#define TELL(name, min, max, ...)                                                                  \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        tell(name, min, max, steps, ARRAY_LEN(steps));                                             \
    } while (0)

#define IN(source, price)                                                                          \
    {                                                                                              \
        source, price, NULL, NULL                                                                  \
    }
#define OUT(source, price, rule)                                                                   \
    {                                                                                              \
        source, price, rule, NULL                                                                  \
    }
#define OTHER(held, source, p, r)                                                                  \
    {                                                                                              \
        source, p, r, held                                                                         \
    }

static void test_jumps_and_who_agrees(void **state)
{
    (void)state;
    TELL("a spike is forgotten", NULL, NULL, OUT(0, "150", "jump"), IN(0, "101"),
         OUT(0, "150", "jump"), IN(0, "99"), OUT(0, "150", "jump"));
    TELL("a second source agrees", NULL, NULL, OUT(0, "150", "jump"), IN(1, "151"), IN(0, "150"));
    TELL("a second source agrees even outside the range", "50", "120", OUT(0, "150", "jump"),
         IN(1, "150"));
    TELL("a second source says something else", NULL, NULL, OUT(0, "150", "jump"),
         OUT(1, "160", "jump"), OUT(0, "150", "jump"), OUT(1, "160", "jump"));
    TELL("a second source contradicts", NULL, NULL, OUT(0, "150", "jump"), IN(1, "100"),
         OUT(0, "150", "jump"), IN(1, "100"), OUT(0, "150", "jump"), IN(1, "100"));
    TELL("two more polls, inside the range", "50", "200", OUT(0, "150", "jump"),
         OUT(0, "150.5", "jump"), IN(0, "150"));
    TELL("the agreement may drift", "50", "200", OUT(0, "150", "jump"), OUT(0, "151.4", "jump"),
         IN(0, "152.8"));
    TELL("it has to be two in a row", "50", "200", OUT(0, "150", "jump"), OUT(0, "150", "jump"),
         OUT(0, "160", "jump"), OUT(0, "160", "jump"), IN(0, "160"));
    TELL("outside the range insisting does not help", "50", "120", OUT(0, "150", "jump"),
         OUT(0, "150", "jump"), OUT(0, "150", "jump"), OUT(0, "150", "jump"));
    TELL("without a range a plain jump is believed", NULL, NULL, OUT(0, "150", "jump"),
         OUT(0, "150", "jump"), IN(0, "150"));
    TELL("without a range a unit bug is not", NULL, NULL, OUT(0, "10000", "factor_100"),
         OUT(0, "10000", "factor_100"), OUT(0, "10000", "factor_100"),
         OUT(0, "10000", "factor_100"));
    TELL("nor one that shows after the price has moved", NULL, NULL, OUT(0, "10240", "jump"),
         OUT(0, "10240", "jump"), OUT(0, "10240", "jump"), OUT(0, "10240", "jump"));
    TELL("nor an inversion", NULL, NULL, OUT(0, "0.01", "inverse"), OUT(0, "0.01", "inverse"),
         OUT(0, "0.01", "inverse"), OUT(0, "0.01", "inverse"));
    TELL("inside the range a factor of 100 is", "0.5", "200", OUT(0, "1", "factor_100"),
         OUT(0, "1", "factor_100"), IN(0, "1"));
    TELL("but not against a price that has proved itself", "0.5", "20000", IN(0, "100"),
         IN(0, "101"), IN(0, "100"), OUT(0, "1", "factor_100"), OUT(0, "1", "factor_100"),
         OUT(0, "1", "factor_100"), OUT(0, "1", "factor_100"), OUT(0, "10000", "factor_100"),
         OUT(0, "10000", "factor_100"), OUT(0, "10000", "factor_100"), IN(0, "101"));
    TELL("nor an inversion that the range holds", "0.001", "2000", IN(0, "100"), IN(0, "100"),
         IN(0, "100"), OUT(0, "0.01", "inverse"), OUT(0, "0.01", "inverse"),
         OUT(0, "0.01", "inverse"), OUT(0, "0.01", "inverse"), IN(1, "0.01"));
    TELL("two polls are no proof", "0.5", "200", IN(0, "100"), IN(0, "100"),
         OUT(0, "1", "factor_100"), OUT(0, "1", "factor_100"), IN(0, "1"));
    TELL("proof is of the price, not of one that others brought", "0.5", "200", IN(0, "100"),
         IN(0, "100"), IN(0, "100"), OUT(0, "1", "factor_100"), IN(1, "1"),
         OUT(1, "100", "factor_100"), OUT(1, "100", "factor_100"), IN(1, "100"));
    TELL("a plain jump is believed as ever", "50", "200", IN(0, "100"), IN(0, "100"), IN(0, "100"),
         IN(0, "100"), OUT(0, "150", "jump"), OUT(0, "150", "jump"), IN(0, "150"));
    TELL("a bug is corrected by others", NULL, NULL, OUT(0, "10000", "factor_100"), IN(1, "10000"));
}

/* What is held may be another program's: then that is what we are compared with. */
static void test_other_programs_price(void **state)
{
    (void)state;
    TELL("theirs is the reference", NULL, NULL, IN(0, "100"), OTHER("150", 0, "151", NULL),
         OUT(0, "100", "jump"));
    TELL("theirs ends a doubt", NULL, NULL, OUT(0, "150", "jump"), OUT(0, "150", "jump"),
         OTHER("100", 0, "150", "jump"), OUT(0, "150", "jump"), IN(0, "150"));
    TELL("theirs may be wrong; two sources outvote it", "50", "200",
         OTHER("10000", 0, "100", "factor_100"), IN(1, "100.5"));
}

/* ---- observations ---- */

static struct observation observed(const char *value, const char *unit)
{
    struct observation o = {.values_len = 1};
    snprintf(o.values[0].name, sizeof o.values[0].name, "value");
    snprintf(o.values[0].unit, sizeof o.values[0].unit, "%s", unit);
    o.values[0].value = dec(value);
    return o;
}

static void test_observations(void **state)
{
    (void)state;
    static const struct {
        const char *value, *unit, *second; /* NULL: a text alone; the second figure or NULL */
        const char *configured, *min, *max;
        int64_t ts_ms; /* relative to NOW_MS; held is NOW_MS - 2000 */
        const char *rule, *passed, *why;
    } rows[] = {
        {"21.4",   "°C", NULL, "°C", "-90", "60", 0,     NULL,          "observed unit value_range future older",
         ""                                                                                                                                    },
        {"-90.0",  "°C", NULL, "°C", "-90", "60", 0,     NULL,          "observed unit value_range future older",
         ""                                                                                                                                    },
        {"60.00",  "",    NULL, "°C", "-90", "60", 0,     NULL,          "observed value_range future older",      ""                         },
        {"-90.01", "°C", NULL, "°C", "-90", "60", 0,     "value_range", "observed unit",
         "-90.01 is outside the range -90 to 60"                                                                                               },
        {"70",     "°C", NULL, NULL,  "-90", "60", 0,     "value_range", "observed",
         "70 is outside the range -90 to 60"                                                                                                   },
        {"70",     "°F", NULL, "°C", "-90", "60", 0,     "unit",        "observed",
         "a value in °F, configured is °C"                                                                                                   },
        {"70",     "°F", NULL, NULL,  NULL,  NULL, 0,     NULL,          "observed future older",                  ""                         },
 /* of two figures the configuration does not say which it is about */
        {"700",    "°F", "3",  "°C", "-90", "60", 0,     NULL,          "observed future older",                  ""                         },
        {NULL,     "",    NULL, "°C", "-90", "60", 0,     NULL,          "observed future older",                  ""                         },
        {"0",      "",    NULL, NULL,  NULL,  NULL, -2000, NULL,          "observed future older",                  ""                         },
        {"0",      "",    NULL, NULL,  NULL,  NULL, -2001, "older",       "observed future",
         "1 ms older than what we hold"                                                                                                        },
        {"0",      "",    NULL, NULL,  NULL,  NULL, 5001,  "future",      "observed",                               "its time is 5001 ms ahead"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct instrument in = {.kind = INSTRUMENT_OBSERVATION,
                                      .symbol = "x",
                                      .unit = rows[i].configured,
                                      .currency = "EUR", /* is about prices only */
                                      .range_min = dec(rows[i].min),
                                      .range_max = dec(rows[i].max)};
        struct quality_memory m = {0};
        hold(&m, "", NOW_MS - 2000);
        struct observation o = observed(rows[i].value, rows[i].unit);
        if (!rows[i].value) {
            o.values_len = 0;
            snprintf(o.text, sizeof o.text, "rain");
        }
        if (rows[i].second) {
            o.values[1] = o.values[0];
            o.values[o.values_len++].value = dec(rows[i].second);
        }
        struct record r = {.price = dec("-1"),
                           .currency = "XXc",
                           .ts_ms = NOW_MS + rows[i].ts_ms,
                           .observation = &o};
        struct quality_result q = quality_check(&in, &m, 0, &r, NOW_MS);
        assert_string_equal(q.rule ? q.rule : "", rows[i].rule ? rows[i].rule : "");
        assert_int_equal(q.failure, !rows[i].rule                        ? FAIL_NONE
                                    : strcmp(rows[i].rule, "older") == 0 ? FAIL_OLDER
                                                                         : FAIL_BAD_SCHEMA);
        assert_int_equal(q.failed, rows[i].rule ? bit(rows[i].rule) : 0);
        uint32_t passed = 0;
        char names[80], *rest = names;
        snprintf(names, sizeof names, "%s", rows[i].passed);
        for (const char *name; (name = strsep(&rest, " "));)
            passed |= bit(name);
        assert_int_equal(q.passed, passed);
        if (strncmp(q.why.text, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("row %zu: %s", i, q.why.text);
    }
}

/* A benchmark is no reference: the first price after it is judged as the first one is. */
static void test_a_benchmark_is_no_reference(void **state)
{
    (void)state;
    static const struct {
        const char *price, *min, *max;
        int64_t ts_ms; /* relative to the benchmark's */
        const char *rule;
    } rows[] = {
        {"2.1",    "0.5", "10", 1,  NULL   }, /* 40 % away */
        {"0.0354", NULL,  NULL, 1,  NULL   }, /* by a factor of 100, and nothing to know it by */
        {"354",    "0.5", "10", 1,  "range"},
        {"0.282",  "0.5", "10", 1,  "range"}, /* 1/x */
        {"3.5",    "0.5", "10", -1, "older"},
    };
    const int64_t benchmark_ms = NOW_MS - 86400000;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct instrument in = {.symbol = "coffee",
                                      .currency = "USD",
                                      .range_min = dec(rows[i].min),
                                      .range_max = dec(rows[i].max),
                                      .max_jump_pct = 20};
        struct quality_memory m = {0};
        quality_accept_benchmark(&m, benchmark_ms);
        struct record r = record(rows[i].price, "USD");
        r.ts_ms = benchmark_ms + rows[i].ts_ms;
        struct quality_result q = quality_check(&in, &m, 0, &r, NOW_MS);
        assert_string_equal(q.rule ? q.rule : "accepted", rows[i].rule ? rows[i].rule : "accepted");
    }
    /* The real one is a reference again. */
    const struct instrument in = {.symbol = "coffee", .currency = "USD", .max_jump_pct = 20};
    struct quality_memory m = {0};
    quality_accept_benchmark(&m, benchmark_ms);
    quality_accept(&m, dec("2.1"), NOW_MS - 5000);
    struct record r = record("3.5", "USD");
    assert_string_equal(quality_check(&in, &m, 0, &r, NOW_MS).rule, "jump");
}

/* Colder by any factor; a price alone, or nothing at all, is no observation. */
static void test_observations_over_time(void **state)
{
    (void)state;
    const struct instrument in = {
        .kind = INSTRUMENT_OBSERVATION, .symbol = "x", .max_jump_pct = 20};
    struct quality_memory m = {0};
    static const char *const values[] = {"1", "100", "-100", "0", "0.0001"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct observation o = observed(values[i], "");
        struct record r = {.ts_ms = NOW_MS, .observation = &o};
        assert_int_equal(quality_check(&in, &m, 0, &r, NOW_MS).failure, FAIL_NONE);
        quality_accept(&m, r.price, r.ts_ms);
    }
    struct observation nothing = {.region = "somewhere", .series = "X"};
    struct record empty = {.ts_ms = NOW_MS, .observation = &nothing};
    struct quality_result q = quality_check(&in, &m, 0, &empty, NOW_MS);
    assert_string_equal(q.rule, "observed");
    assert_int_equal(q.failed, bit("observed"));
    struct record priced = record("2", "USD");
    q = quality_check(&in, &m, 0, &priced, NOW_MS);
    assert_string_equal(q.rule, "observed");
    assert_string_equal(q.why.text, "there is no figure in it");

    /* The other way round it is no price. */
    const struct instrument priced_in = {.symbol = "x", .max_jump_pct = 20};
    struct observation o = observed("5", "");
    struct record r = {.ts_ms = NOW_MS, .observation = &o};
    struct quality_memory none = {0};
    assert_string_equal(quality_check(&priced_in, &none, 0, &r, NOW_MS).rule, "finite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_all_members_are_converted),
        cmocka_unit_test(test_a_benchmark_is_no_reference),
        cmocka_unit_test(test_crossed_book_is_dropped),
        cmocka_unit_test(test_day_that_cannot_be),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_what_was_asked),
        cmocka_unit_test(test_jumps_and_who_agrees),
        cmocka_unit_test(test_other_programs_price),
        cmocka_unit_test(test_observations),
        cmocka_unit_test(test_observations_over_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
