/* The parse that is left in the middle. What jansson does by itself then is in json_guard.c. */
#include "json_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "jsonx.h"
#include "scarce.h"

static const char text[] = "{\"a name of more bytes than the buffer has\":"
                           "[1234567890.12345678901234567890,\"a text that is as long\",null]}";

/* The whole value or nothing, whichever allocation fails. */
static void all_or_nothing(void **state)
{
    json_error_t why;
    bool failed = true;
    (void)state;
    json_t *want = json_guard_load(text, sizeof text - 1, 0, &why);
    assert_non_null(want);
    for (int granted = 0; failed; granted++) {
        long before = scarce_live();
        scarce_begin(granted, SCARCE_ONCE);
        json_t *got = json_guard_load(text, sizeof text - 1, 0, &why);
        failed = scarce_end();
        assert_true(got ? json_equal(got, want) : failed);
        if (failed)
            assert_string_equal(why.text, JSON_NO_MEMORY);
        json_decref(got);
        assert_int_equal(scarce_live(), before);
    }
    json_decref(want);
}

/* More blocks than are kept in place, and their list without memory. */
static void many_blocks(void **state)
{
    struct buf list = {0};
    json_error_t why;
    bool failed = true;
    int failures = 0;
    (void)state;
    buf_addc(&list, '[');
    for (int i = 0; i < 2000; i++)
        buf_addf(&list, "%s{\"n\":%d}", i ? "," : "", i);
    buf_addc(&list, ']');
    for (int granted = 0; failed; granted += 97) {
        long before = scarce_live();
        scarce_begin(granted, SCARCE_FOR_GOOD);
        json_t *root = json_guard_load(list.p, list.len, 0, &why);
        failed = scarce_end();
        failures += failed;
        assert_int_equal(json_array_size(root), root ? 2000 : 0);
        json_decref(root);
        assert_int_equal(scarce_live(), before);
    }
    assert_true(failures > 50);
    buf_fini(&list);
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of three, the least. */
static double cost_s(const struct buf *list)
{
    double least = 1e9;
    for (int i = 0; i < 3; i++) {
        json_error_t why;
        double begin = cpu_s();
        json_t *root = json_guard_load(list->p, list->len, 0, &why);
        double cost = cpu_s() - begin;
        json_decref(root);
        least = cost < least ? cost : least;
    }
    return least;
}

/* A value that is given up at its end costs about what one costs that is right: all its blocks are
 * freed from the first one on, when thousands have come behind it. */
static void what_is_broken_late_costs_no_more(void **state)
{
    struct buf list = {0};
    (void)state;
    buf_addc(&list, '[');
    for (int i = 0; i < 60000; i++)
        buf_adds(&list, "1,");
    buf_adds(&list, "1]");
    double right_s = cost_s(&list);
    list.p[list.len - 1] = ',';
    double broken_s = cost_s(&list);
    if (broken_s > 8 * right_s)
        fail_msg("%.4f s for one that is broken, %.4f s for one that is right", broken_s, right_s);
    buf_fini(&list);
}

static void jansson_is_told_what_it_was_told_before(void **state)
{
    json_malloc_t get, get_after;
    json_free_t give, give_after;
    json_error_t why;
    (void)state;
    json_get_alloc_funcs(&get, &give);
    assert_null(json_guard_load("{", 1, 0, &why));
    assert_string_not_equal(why.text, JSON_NO_MEMORY);
    json_get_alloc_funcs(&get_after, &give_after);
    assert_true(get == get_after && give == give_after);
}

static void a_document_is_given_up_as_a_whole(void **state)
{
    json_t *object = json_object(), *list = json_array();
    (void)state;
    jsonx_set(&object, "a", json_true());
    jsonx_append(&list, json_true());
    assert_int_equal(json_object_size(object), 1);
    assert_int_equal(json_array_size(list), 1);
    jsonx_set(&object, "b", NULL);
    jsonx_append(&list, NULL);
    assert_null(object);
    assert_null(list);
    jsonx_set(&object, "c", json_integer(1));
    jsonx_append(&list, json_integer(1));
    assert_null(object);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(many_blocks),
        cmocka_unit_test(what_is_broken_late_costs_no_more),
        cmocka_unit_test(jansson_is_told_what_it_was_told_before),
        cmocka_unit_test(a_document_is_given_up_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
