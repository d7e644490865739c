/* The topics: a table to be looked up, with bounds that make sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "topics.h"

static void test_find(void **state)
{
    (void)state;
    /* those that the brief of the regions names, and a few of the world */
    static const char *const keys[] = {"amazonas",   "ayacucho", "cajamarca",  "cusco", "huanuco",
                                       "junin",      "pasco",    "piura",      "puno",  "peru",
                                       "san_martin", "brazil",   "news/coffee"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct topic *t = topic_find(keys[i]);
        assert_non_null(t);
        assert_string_equal(t->key, keys[i]);
    }
    assert_null(topic_find(""));
    assert_null(topic_find("Cajamarca"));
    assert_null(topic_find("news"));
}

/* All of Peru holds each of its regions; and no bound is so wide that bags pass for tonnes. */
static void test_bounds(void **state)
{
    (void)state;
    static const char *const regions[] = {"amazonas", "ayacucho",  "cajamarca", "cusco",
                                          "huanuco",  "junin",     "pasco",     "piura",
                                          "puno",     "san_martin"};
    const struct topic *peru = topic_find("peru");
    double sum_t = 0;
    for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
        const struct topic *t = topic_find(regions[i]);
        assert_int_equal(t->kind, TOPIC_PERU);
        assert_true(t->min_t > 0 && t->min_t < t->max_t && t->max_t <= peru->max_t);
        assert_non_null(strstr(t->region, ", Peru"));
        sum_t += t->min_t;
    }
    assert_true(sum_t <= peru->min_t);
    assert_true(peru->max_t < 250000 * 1000.0 / 60); /* a harvest of 250,000 t in bags */
    assert_int_equal(topic_find("news/peru")->kind, TOPIC_NEWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
