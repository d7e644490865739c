/* A table of rates, and the pairs that follow from it. */
#include "reply_case.h"

#include "rates.h"

static struct decimal of(const char *text)
{
    struct decimal d;
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

static struct rates euro(void)
{
    struct rates r = {.base = "EUR", .ts_ms = 1719403800000};
    assert_int_equal(rates_add(&r, "USD", of("1.0689")), 0);
    assert_int_equal(rates_add(&r, "JPY", of("171.35")), 0);
    assert_int_equal(rates_add(&r, "GBP", of("0.84453")), 0);
    assert_int_equal(rates_add(&r, "IDR", of("17535.53")), 0);
    return r;
}

static void test_pairs(void **state)
{
    static const struct {
        const char *symbol, *price; /* NULL: not in the table */
        bool derived;
    } rows[] = {
        {"EUR/USD", "1.0689",         false},
        {"EUR/GBP", "0.84453",        false},
        {"USD/EUR", "0.935541",       true }, /* inverse: one digit more than it comes from */
        {"IDR/EUR", "0.000057027076", true },
        {"GBP/USD", "1.26567",        true }, /* through the euro */
        {"USD/JPY", "160.305",        true },
        {"USD/IDR", "16405.211",      true },
        {"EUR/BGN", NULL,             false},
        {"RUB/USD", NULL,             false},
        {"EURUSD",  NULL,             false},
        {"EUR/EUR", NULL,             false},
    };
    const struct rates r = euro();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct answer a;
        char text[DECIMAL_TEXT_MAX];
        rates_answer(&r, &rows[i].symbol, 1, &a);
        if (!rows[i].price) {
            assert_int_equal(a.failure, FAIL_NOT_FOUND);
            continue;
        }
        assert_int_equal(a.failure, FAIL_NONE);
        decimal_format(a.record.price, text);
        assert_string_equal(text, rows[i].price);
        assert_int_equal(a.record.derived, rows[i].derived);
        assert_string_equal(a.record.currency, rows[i].symbol + 4);
        assert_int_equal(a.record.ts_ms, 1719403800000);
        assert_int_equal(a.record.market, MARKET_UNKNOWN);
    }
}

/* Rates so far apart that their quotient has more digits than a price can. */
static void test_no_quotient(void **state)
{
    struct rates r = {.base = "EUR", .ts_ms = 1719403800000};
    const char *symbol = "ZWD/VEF";
    struct answer a;
    (void)state;
    assert_int_equal(rates_add(&r, "ZWD", of("0.000000000000000001")), 0);
    assert_int_equal(rates_add(&r, "VEF", of("1e30")), 0);
    rates_answer(&r, &symbol, 1, &a);
    assert_int_equal(a.failure, FAIL_BAD_SCHEMA);
    reply_check_detail(&a);
}

static void test_what_is_not_taken(void **state)
{
    struct rates r = euro();
    (void)state;
    assert_int_equal(rates_add(&r, "USD", of("1.07")), -1);
    assert_int_equal(rates_add(&r, "usd", of("1.07")), -1);
    assert_int_equal(rates_add(&r, "USDX", of("1.07")), -1);
    assert_int_equal(rates_add(&r, "CHF", of("0")), -1);
    assert_int_equal(rates_add(&r, "CHF", of("-1")), -1);
    assert_int_equal(rates_add(&r, "EUR", of("1")), 0); /* the base's own */
    assert_int_equal(rates_add(&r, "CHFr", of("1")), -1);
    assert_int_equal(r.len, 4);
    for (int i = 0; r.len < RATES_MAX; i++) {
        char code[4] = {(char)('A' + i / 26 % 26), (char)('A' + i % 26), 'Q', 0};
        assert_int_equal(rates_add(&r, code, of("2")), 0);
    }
    assert_int_equal(rates_add(&r, "CHF", of("1")), -1);
}

static void test_symbols(void **state)
{
    (void)state;
    assert_null(rates_symbol_problem("EUR/USD"));
    assert_non_null(rates_symbol_problem("EURUSD"));
    assert_non_null(rates_symbol_problem("EUR/USDT"));
    assert_non_null(rates_symbol_problem("eur/usd"));
    assert_non_null(rates_symbol_problem("EUR/EUR"));
    assert_non_null(rates_symbol_problem("EUR-USD"));
    assert_non_null(rates_symbol_problem("EUR/usd"));
    assert_non_null(rates_symbol_problem(""));
}

static void test_fixing(void **state)
{
    (void)state;
    assert_int_equal(rates_fixing_ms("2024-06-26"), 1719403800000); /* 12:10 UTC */
    assert_int_equal(rates_fixing_ms("2024-06-31"), 0);
    assert_int_equal(rates_fixing_ms("2024-06-26 01:02:03"), 0);
    assert_int_equal(rates_fixing_ms(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_no_quotient),
        cmocka_unit_test(test_what_is_not_taken),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_fixing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
