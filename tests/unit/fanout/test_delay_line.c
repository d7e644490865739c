/* In order, never early, bounded. */
#include "delay_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct item *item(int price)
{
    char text[200];
    struct err err = {""};
    int len = snprintf(text, sizeof text, "{\"symbol\":\"coffee\",\"price\":%d,\"ts\":1}", price);
    struct item *it = item_parse(text, (size_t)len, INSTRUMENT_QUOTE, "coffee", 1000, &err);
    assert_non_null(it);
    return it;
}

static void put(struct delay_line *l, int id, int price, int64_t due_ns)
{
    struct item *it = item(price);
    assert_int_equal(delay_line_put(l, id, it, due_ns), 0);
    item_unref(it);
}

/* What comes out at a time: "id:price" or "id:text", with blanks between. */
static const char *taken(struct delay_line *l, int64_t mono_ns)
{
    static char text[512];
    struct delayed d;
    size_t len = 0;
    text[0] = '\0';
    while (delay_line_take(l, mono_ns, &d)) {
        char what[DECIMAL_TEXT_MAX];
        if (d.item)
            decimal_format(d.item->price, what);
        else
            snprintf(what, sizeof what, "%.*s", (int)d.len, d.bytes);
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s%d:%s", len ? " " : "", d.id, what);
        item_unref(d.item);
    }
    return text;
}

static void everything_in_its_time(void **state)
{
    (void)state;
    struct delay_line *l = delay_line_new(3, 1 << 20);
    assert_int_equal(delay_line_next_ns(l), INT64_MAX);
    put(l, 0, 1, 100);
    put(l, 1, 2, 100);
    assert_int_equal(delay_line_put_status(l, 0, "stale", 5, 150), 0);
    put(l, 0, 3, 200);
    put(l, 2, 4, 120); /* the clock was set back: not before what came before it */
    assert_int_equal(delay_line_next_ns(l), 100);
    assert_string_equal(taken(l, 99), "");
    assert_string_equal(taken(l, 100), "0:1 1:2");
    assert_int_equal(delay_line_next_ns(l), 150);
    assert_string_equal(taken(l, 199), "0:stale");
    assert_string_equal(taken(l, 200), "0:3 2:4");
    assert_string_equal(taken(l, INT64_MAX - 1), "");
    assert_int_equal(delay_line_put_status(l, 0, "", 0, 300), 0); /* nothing is nothing */
    assert_string_equal(taken(l, 300), "");
    put(l, 1, 5, 400); /* what is left is freed */
    delay_line_free(l);
    delay_line_free(NULL);
}

static void a_full_line_replaces(void **state)
{
    (void)state;
    struct delay_line *l = delay_line_new(2, 1); /* one item fills it */
    put(l, 0, 1, 100);
    put(l, 0, 2, 200);
    put(l, 1, 7, 210); /* the first of its symbol always finds room */
    put(l, 0, 3, 300);
    assert_int_equal(delay_line_put_status(l, 0, "stale", 5, 310), -1);
    assert_string_equal(taken(l, 200), "");
    assert_string_equal(taken(l, 250), "1:7");
    assert_string_equal(taken(l, 300), "0:3");
    put(l, 0, 4, 400);
    assert_string_equal(taken(l, 400), "0:4");
    delay_line_free(l);
}

static void memory_is_given_back(void **state)
{
    (void)state;
    const size_t max = 40000;
    struct delay_line *l = delay_line_new(1, max);
    char expected[64];
    for (int round = 0; round < 50; round++) { /* a leak in the count would fill it */
        for (int i = 0; i < 20; i++)
            put(l, 0, 100 * round + i + 1, 1000 * (round + 1) + i);
        snprintf(expected, sizeof expected, "0:%d 0:%d", 100 * round + 1, 100 * round + 2);
        assert_string_equal(taken(l, 1000 * (round + 1) + 1), expected);
        assert_int_equal(strlen(taken(l, 1000 * (round + 1) + 999)) > 80, true);
    }
    delay_line_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_its_time),
        cmocka_unit_test(a_full_line_replaces),
        cmocka_unit_test(memory_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
