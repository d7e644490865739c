#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchanges.h"
#include "log.h"

static const int64_t HOUR_MS = 3600000;
static const int64_t FRIDAY = 1795132800000; /* 2026-11-20 00:00 UTC */

/* --- a configuration --- */

enum { MAX = 40 };

struct made {
    struct config config;
    struct config_exchange exchanges[MAX];
    struct instrument instruments[MAX];
    struct exchanges *x;
    struct buf problems;
};

static void name_exchange(struct made *m, const char *exchange)
{
    m->instruments[m->config.instruments_len++].exchange = exchange;
}

static void build(struct made *m)
{
    m->config.exchanges = m->exchanges;
    m->config.instruments = m->instruments;
    m->x = exchanges_new(&m->config, &m->problems);
    assert_true(!m->x == (m->problems.len > 0));
}

static void done(struct made *m)
{
    exchanges_free(m->x);
    buf_fini(&m->problems);
}

static enum quote_market at(const struct made *m, const char *name, int64_t wall_ms)
{
    const struct market_clock *clock = exchanges_clock(m->x, name);
    assert_non_null(clock);
    return calendar_at(clock->calendar, wall_ms);
}

/* A file of its own for one test. */
static const char *write_list(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/pricegate-holidays-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

/* --- the table --- */

static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < exchange_rows_len; i++) {
        const struct exchange_row *row = &exchange_rows[i];
        const char *const *const lists[] = {row->hours, row->pre_hours, row->post_hours};
        struct err err = {""};
        struct hours h;
        if (i > 0 && strcmp(exchange_rows[i - 1].name, row->name) >= 0)
            fail_msg("%s is not in order", row->name);
        assert_in_range(strlen(row->name), 1, 24);
        struct zone *z = zone_load(row->timezone, &err);
        if (!z)
            fail_msg("%s: %s", row->name, err.text);
        zone_free(z);
        assert_non_null(row->hours[0]);
        for (size_t k = 0; k < ARRAY_LEN(lists); k++)
            for (size_t n = 0; n < EXCHANGE_HOURS_MAX && lists[k][n]; n++)
                if (hours_parse(lists[k][n], &h))
                    fail_msg("%s: %s", row->name, lists[k][n]);
    }
}

/* Every exchange on Wednesday, Saturday, and one moment that tells it from the others. */
static void what_is_built_in(void **state)
{
    (void)state;
    const struct {
        const char *name;
        int64_t utc_hour, saturday_hour; /* of FRIDAY and the day after */
        enum quote_market friday, saturday;
    } rows[] = {
        {"NYSE",         15, 15, MARKET_OPEN,   MARKET_CLOSED},
        {"NYSE",         12, 12, MARKET_PRE,    MARKET_CLOSED},
        {"NASDAQ",       22, 22, MARKET_POST,   MARKET_CLOSED},
        {"NASDAQ",       2,  2,  MARKET_CLOSED, MARKET_CLOSED},
        {"LSE",          16, 16, MARKET_OPEN,   MARKET_CLOSED},
        {"LSE",          17, 9,  MARKET_CLOSED, MARKET_CLOSED},
        {"XETRA",        8,  8,  MARKET_OPEN,   MARKET_CLOSED},
        {"TSE",          1,  1,  MARKET_OPEN,   MARKET_CLOSED},
        {"TSE",          3,  3,  MARKET_CLOSED, MARKET_CLOSED}, /* noon in Tokyo */
        {"HKEX",         6,  6,  MARKET_OPEN,   MARKET_CLOSED},
        {"ASX",          0,  0,  MARKET_OPEN,   MARKET_CLOSED},
        {"NYMEX",        21, 1,  MARKET_OPEN,   MARKET_CLOSED},
        {"NYMEX",        22, 23, MARKET_CLOSED, MARKET_CLOSED}, /* 17:00: the week is over */
        {"NYMEX",        23, 23, MARKET_CLOSED, MARKET_CLOSED},
        {"CME",          3,  3,  MARKET_OPEN,   MARKET_CLOSED},
        {"CBOT-GRAINS",  2,  2,  MARKET_OPEN,   MARKET_CLOSED},
        {"CBOT-GRAINS",  14, 14, MARKET_CLOSED, MARKET_CLOSED}, /* the pause of the morning */
        {"CBOT-GRAINS",  15, 15, MARKET_OPEN,   MARKET_CLOSED},
        {"ICEUS-COFFEE", 10, 10, MARKET_OPEN,   MARKET_CLOSED},
        {"ICEUS-COFFEE", 19, 19, MARKET_CLOSED, MARKET_CLOSED},
        {"ICEUS-COTTON", 3,  3,  MARKET_OPEN,   MARKET_CLOSED},
        {"ICEEU-BRENT",  22, 22, MARKET_OPEN,   MARKET_CLOSED},
        {"ICEEU-BRENT",  0,  0,  MARKET_CLOSED, MARKET_CLOSED},
        {"FX",           21, 21, MARKET_OPEN,   MARKET_CLOSED},
        {"FX",           22, 22, MARKET_CLOSED, MARKET_CLOSED},
        {"CRYPTO",       22, 22, MARKET_OPEN,   MARKET_OPEN  },
    };
    struct made m = {0};
    for (size_t i = 0; i < exchange_rows_len; i++)
        name_exchange(&m, exchange_rows[i].name);
    build(&m);
    assert_non_null(m.x);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t friday = FRIDAY + rows[i].utc_hour * HOUR_MS;
        int64_t saturday = FRIDAY + (24 + rows[i].saturday_hour) * HOUR_MS;
        if (at(&m, rows[i].name, friday) != rows[i].friday)
            fail_msg("%s, row %zu, Friday: %s", rows[i].name, i,
                     quote_market_name(at(&m, rows[i].name, friday)));
        if (at(&m, rows[i].name, saturday) != rows[i].saturday)
            fail_msg("%s, row %zu, Saturday", rows[i].name, i);
    }
    /* Brent: on Sunday it begins an hour before midnight, on other days an hour after. */
    int64_t sunday = FRIDAY + 48 * HOUR_MS;
    assert_int_equal(at(&m, "ICEEU-BRENT", sunday + 23 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "ICEEU-BRENT", sunday + 24 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "ICEEU-BRENT", sunday + 47 * HOUR_MS), MARKET_CLOSED);
    assert_int_equal(at(&m, "ICEEU-BRENT", sunday + 49 * HOUR_MS), MARKET_OPEN);
    done(&m);
}

/* --- configured --- */

static void other_names_have_no_calendar(void **state)
{
    (void)state;
    struct made m = {0};
    name_exchange(&m, "ICE Futures U.S.");
    name_exchange(&m, NULL);
    name_exchange(&m, "NYSE");
    name_exchange(&m, "NYSE");
    build(&m);
    assert_null(exchanges_clock(m.x, "ICE Futures U.S."));
    assert_null(exchanges_clock(m.x, NULL));
    assert_null(exchanges_clock(m.x, "nyse"));
    assert_null(exchanges_clock(m.x, "LSE")); /* nobody names it */
    assert_non_null(exchanges_clock(m.x, "NYSE"));
    done(&m);
}

static void an_exchange_of_its_own(void **state)
{
    (void)state;
    static const char *const hours[] = {"Mon-Fri 09:00-10:00", "Sat 09:00-10:00"};
    static const char *const pre[] = {"Fri 08:00-09:00"};
    struct made m = {0};
    m.exchanges[0] = (struct config_exchange){.name = "HOUSE",
                                              .timezone = "America/Lima",
                                              .hours = hours,
                                              .hours_len = 2,
                                              .pre_hours = pre,
                                              .pre_hours_len = 1};
    m.config.exchanges_len = 1;
    build(&m);
    assert_int_equal(at(&m, "HOUSE", FRIDAY + 13 * HOUR_MS), MARKET_PRE);
    assert_int_equal(at(&m, "HOUSE", FRIDAY + 14 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "HOUSE", FRIDAY + 15 * HOUR_MS), MARKET_CLOSED);
    assert_int_equal(at(&m, "HOUSE", FRIDAY + 38 * HOUR_MS), MARKET_OPEN);
    done(&m);
}

/* Each key changes only what it gives. */
static void a_built_in_one_is_changed(void **state)
{
    (void)state;
    static const char *const hours[] = {"Mon-Fri 12:00-13:00"}, *const none[] = {NULL};
    struct made m = {0};
    const char *list = write_list("2026-11-20 # closed\n");
    m.exchanges[0] = (struct config_exchange){.name = "NYSE", .holidays_file = list};
    m.exchanges[1] = (struct config_exchange){.name = "NASDAQ", .hours = hours, .hours_len = 1};
    m.exchanges[2] = (struct config_exchange){.name = "ARCA", .timezone = "UTC"};
    m.exchanges[3] = (struct config_exchange){.name = "AMEX", .pre_hours = none};
    m.exchanges[4] = (struct config_exchange){.name = "CRYPTO", .hours = none};
    m.config.exchanges_len = 5;
    name_exchange(&m, "NYSE"); /* the changed one */
    build(&m);
    unlink(list);
    assert_int_equal(at(&m, "NYSE", FRIDAY + 15 * HOUR_MS), MARKET_CLOSED);
    assert_int_equal(at(&m, "NYSE", FRIDAY - 9 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "NASDAQ", FRIDAY + 17 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "NASDAQ", FRIDAY + 19 * HOUR_MS), MARKET_CLOSED);
    assert_int_equal(at(&m, "NASDAQ", FRIDAY + 12 * HOUR_MS), MARKET_PRE); /* as it was */
    assert_int_equal(at(&m, "ARCA", FRIDAY + 10 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "AMEX", FRIDAY + 12 * HOUR_MS), MARKET_CLOSED);
    assert_int_equal(at(&m, "AMEX", FRIDAY + 15 * HOUR_MS), MARKET_OPEN);
    assert_int_equal(at(&m, "CRYPTO", FRIDAY + 15 * HOUR_MS), MARKET_CLOSED); /* never open */
    done(&m);
}

static void problems_have_path_and_line(void **state)
{
    (void)state;
    static const char *const hours[] = {"Mon-Fri 09:00-10:00"};
    char want[1024];
    struct made m = {0};
    const char *list = write_list("# our days\n2026-12-25\n2026-12-32\n");
    m.exchanges[0] = (struct config_exchange){.name = "HOUSE"};
    m.exchanges[1] = (struct config_exchange){.name = "NYSE", .holidays_file = "/no/such/file"};
    m.exchanges[2] = (struct config_exchange){.name = "LSE", .holidays_file = "/tmp"};
    m.exchanges[3] = (struct config_exchange){.name = "SIX", .holidays_file = list};
    m.exchanges[4] = (struct config_exchange){.name = "A", .timezone = "Europe/Atlantis"};
    m.exchanges[5] = (struct config_exchange){
        .name = "B", .timezone = "Europe/Atlantis", .hours = hours, .hours_len = 1};
    m.config.exchanges_len = 6;
    build(&m);
    unlink(list);
    snprintf(want, sizeof want,
             "exchanges[0].timezone: is required: no exchange of that name is built in\n"
             "exchanges[0].hours: is required: no exchange of that name is built in\n"
             "exchanges[1].holidays_file: /no/such/file: No such file or directory: put it "
             "there, or correct the path\n"
             "exchanges[2].holidays_file: /tmp: Is a directory: name the file in that folder\n"
             "exchanges[3].holidays_file: %s: line 3: must be a date like 2026-12-25, and behind "
             "it the time (13:00) where the day only ends early\n"
             "exchanges[4].hours: is required: no exchange of that name is built in\n"
             "exchanges[5].timezone: there is no time zone \"Europe/Atlantis\" on this machine "
             "(names are like America/Lima; they come with the package tzdata)\n",
             list);
    assert_string_equal(m.problems.p, want);
    done(&m);
}

/* A machine without tzdata starts all the same: the configuration is not at fault. */
static void without_time_zones(void **state)
{
    (void)state;
    struct made m = {0};
    setenv("TZDIR", "/nonexistent", 1);
    name_exchange(&m, "SIX"); /* no zone of the others: GLib remembers what it has read */
    name_exchange(&m, "SIX");
    name_exchange(&m, "CRYPTO");
    log_setup(LOG_WARN, true); /* it says so there */
    build(&m);
    unsetenv("TZDIR");
    assert_non_null(m.x);
    assert_null(exchanges_clock(m.x, "SIX"));
    assert_non_null(exchanges_clock(m.x, "CRYPTO")); /* UTC needs no file */
    done(&m);
}

/* Lists end; somebody has to be told. */
static void lists_run_out(void **state)
{
    (void)state;
    char path[64];
    struct made m = {0};
    size_t at_first = 0, at_last = 0;
    snprintf(path, sizeof path, "%s", write_list("2026-11-20\n2025-01-01\n"));
    m.exchanges[0] = (struct config_exchange){.name = "NYSE"};
    m.exchanges[1] = (struct config_exchange){.name = "LSE", .holidays_file = path};
    m.exchanges[2] = (struct config_exchange){.name = "SIX", .holidays_file = "/dev/null"};
    m.config.exchanges_len = 3;
    build(&m);
    unlink(path);
    assert_null(exchanges_run_out(m.x, FRIDAY + 24 * HOUR_MS - 1, &at_first));
    assert_string_equal(exchanges_run_out(m.x, FRIDAY + 24 * HOUR_MS, &at_last), "LSE");
    assert_null(exchanges_run_out(m.x, FRIDAY + 24 * HOUR_MS, &at_last));
    done(&m);
}

static void all_clocks_turn(void **state)
{
    (void)state;
    struct made m = {0};
    name_exchange(&m, "NYSE");
    name_exchange(&m, "LSE");
    build(&m);
    exchanges_turn(m.x, FRIDAY + 15 * HOUR_MS);
    assert_int_equal(exchanges_clock(m.x, "NYSE")->now, MARKET_OPEN);
    assert_int_equal(exchanges_clock(m.x, "LSE")->now, MARKET_OPEN);
    exchanges_turn(m.x, FRIDAY + 17 * HOUR_MS);
    assert_int_equal(exchanges_clock(m.x, "NYSE")->now, MARKET_OPEN);
    assert_int_equal(exchanges_clock(m.x, "LSE")->now, MARKET_CLOSED);
    exchanges_free(NULL);
    done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_time_zones), /* first, see there */
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(what_is_built_in),
        cmocka_unit_test(other_names_have_no_calendar),
        cmocka_unit_test(an_exchange_of_its_own),
        cmocka_unit_test(a_built_in_one_is_changed),
        cmocka_unit_test(problems_have_path_and_line),
        cmocka_unit_test(lists_run_out),
        cmocka_unit_test(all_clocks_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
