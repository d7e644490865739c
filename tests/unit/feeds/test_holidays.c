#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "holidays.h"
#include "seed.h"

/* Behind the line of hours that this fuzzer's inputs begin with. */
static void keep_seed(const char *text)
{
    char seed[4096];
    snprintf(seed, sizeof seed, "\n%s", text);
    seed_keep_text("calendar", seed);
}

static struct holidays *parse(const char *text)
{
    struct err err = {""};
    keep_seed(text);
    struct holidays *h = holidays_parse(text, strlen(text), &err);
    if (!h)
        fail_msg("refused: %s", err.text);
    return h;
}

static void assert_refused(const char *text, const char *begins)
{
    struct err err = {""};
    keep_seed(text);
    struct holidays *h = holidays_parse(text, strlen(text), &err);
    if (h || strncmp(err.text, begins, strlen(begins)) != 0)
        fail_msg("\"%s\": %s", text, h ? "taken" : err.text);
}

static void days_are_found(void **state)
{
    (void)state;
    struct holidays *h = parse("# a list\n"
                               "\n"
                               "2026-12-25          # Christmas\n"
                               "  2026-11-27\t13:00 \r\n"
                               "2026-01-01\n"
                               "2024-02-29 00:01\n"
                               "2026-07-03 23:59");
    assert_int_equal(holidays_len(h), 5);
    assert_int_equal(holidays_last(h), 20261225);
    assert_int_equal(holidays_close_s(h, 2026, 12, 25), 0);
    assert_int_equal(holidays_close_s(h, 2026, 1, 1), 0);
    assert_int_equal(holidays_close_s(h, 2026, 11, 27), 13 * 3600);
    assert_int_equal(holidays_close_s(h, 2024, 2, 29), 60);
    assert_int_equal(holidays_close_s(h, 2026, 7, 3), 86340);
    assert_int_equal(holidays_close_s(h, 2026, 12, 24), 86400);
    assert_int_equal(holidays_close_s(h, 2025, 12, 25), 86400);
    assert_int_equal(holidays_close_s(h, 2023, 12, 25), 86400);
    assert_int_equal(holidays_close_s(h, 2027, 12, 25), 86400);
    holidays_free(h);
}

static void nothing_is_no_holiday(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "# none\n\n   \n\t# at all", "\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct holidays *h = parse(texts[i]);
        assert_int_equal(holidays_len(h), 0);
        assert_int_equal(holidays_last(h), 0);
        assert_int_equal(holidays_close_s(h, 2026, 12, 25), 86400);
        holidays_free(h);
    }
    assert_int_equal(holidays_close_s(NULL, 2026, 12, 25), 86400);
    assert_int_equal(holidays_len(NULL), 0);
    holidays_free(NULL);
}

static void what_is_no_day_is_named_by_its_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "2026-02-29",       "2026-02-30",       "2026-13-01",       "2026-00-01",
        "2026-01-00",       "2026-1-1",         "26-01-01",         "2026/01/01",
        "01.01.2026",       "Christmas",        "2026-12-25T13:00", "2026-12-25 24:00",
        "2026-12-25 13",    "2026-12-25 13:60", "2026-12-25 1:00",  "2026-12-25 13:00 14:00",
        "2026-12-25 00:00", "2026-12-2513:00",  "2026-12-25 x",     "2026-12-25, 2026-12-26",
        "-026-01-01",       "2026-12-25 99:99", "2026-12-25-",      "2026-12-251",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char text[200];
        assert_refused(lines[i], "line 1: must be a date like 2026-12-25, and behind it the time");
        snprintf(text, sizeof text, "# one\n2026-01-01\n\n%s\nnor this", lines[i]);
        assert_refused(text, "line 4: ");
    }
}

static void a_day_is_there_once(void **state)
{
    (void)state;
    assert_refused("2026-12-25\n2026-01-01\n# again\n2026-12-25 13:00\n",
                   "line 4: the same day as in line 1");
}

static void bytes_of_all_kinds(void **state)
{
    (void)state;
    struct err err;
    static const char zeros[] = "2026-12-25\0\n2026-12-26";
    assert_null(holidays_parse(zeros, sizeof zeros - 1, &err));
    assert_non_null(strstr(err.text, "line 1: "));
    static const char binary[] = "\x7F"
                                 "ELF\x02\x01\x00\xFF\n";
    assert_null(holidays_parse(binary, sizeof binary - 1, &err));
    /* A long one. */
    char *text = calloc(1, HOLIDAYS_BYTES_MAX + 1);
    memset(text, '\n', HOLIDAYS_BYTES_MAX + 1);
    struct holidays *h = holidays_parse(text, HOLIDAYS_BYTES_MAX, &err);
    assert_non_null(h);
    holidays_free(h);
    assert_null(holidays_parse(text, HOLIDAYS_BYTES_MAX + 1, &err));
    assert_string_equal(err.text, "is larger than 262144 bytes");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_found),
        cmocka_unit_test(nothing_is_no_holiday),
        cmocka_unit_test(what_is_no_day_is_named_by_its_line),
        cmocka_unit_test(a_day_is_there_once),
        cmocka_unit_test(bytes_of_all_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
