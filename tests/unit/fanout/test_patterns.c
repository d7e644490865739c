#include "rig.h"

#include <time.h>

#include "patterns.h"

/* text: one, or several with a space between. */
static void take_out(struct patterns *p, const char *text)
{
    struct prefixes these;
    assert_int_equal(prefixes_init(&these, strlen(text)), 0);
    while (*text) {
        size_t len = strcspn(text, " ");
        prefixes_add(&these, text, len, 0);
        text += len + strspn(text + len, " ");
    }
    prefixes_sort(&these);
    patterns_remove(p, &these);
    prefixes_fini(&these);
}

static void test_patterns(void **state)
{
    struct patterns p = {0};
    (void)state;
    assert_null(patterns_find(&p, "coffee"));
    assert_int_equal(patterns_add(&p, "EUR/*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "EUR/*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "EUR/U*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "A*", 0, NULL), 0);
    assert_int_equal(p.len, 3);
    assert_non_null(patterns_find(&p, "EUR/GBP"));
    assert_non_null(patterns_find(&p, "AAPL"));
    assert_null(patterns_find(&p, "EURO"));
    assert_null(patterns_find(&p, "coffee"));

    take_out(&p, "EUR/U*"); /* the wider one stays */
    assert_true(patterns_has(&p, "EUR/*"));
    assert_false(patterns_has(&p, "EUR/U*"));
    assert_int_equal(patterns_add(&p, "EUR/U*", 0, NULL), 0);
    take_out(&p, "E*"); /* covers both */
    assert_int_equal(p.len, 1);
    assert_non_null(patterns_find(&p, "AAPL"));
    assert_int_equal(patterns_add(&p, "*", 0, NULL), 0);
    assert_non_null(patterns_find(&p, "anything"));
    take_out(&p, "A*");
    assert_non_null(patterns_find(&p, "AAPL"));
    take_out(&p, "*");
    assert_int_equal(p.len, 0);
    assert_int_equal(patterns_add(&p, "EUR/*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "A*", 0, NULL), 0);
    assert_int_equal(patterns_add(&p, "AB*", 0, NULL), 0);
    take_out(&p, "AB* EUR/* X*");
    assert_int_equal(p.len, 1);
    assert_true(patterns_has(&p, "A*"));
    patterns_fini(&p);
    patterns_fini(&p);
}

/* What it should be, in the plainest way: a list in the order in which they were added last. */
struct plain {
    char text[64][8];
    int len;
};

static void plain_remove(struct plain *m, const char *text, bool all)
{
    int kept = 0;
    for (int i = 0; i < m->len; i++)
        if (all ? strncmp(m->text[i], text, strlen(text) - 1) != 0 : strcmp(m->text[i], text) != 0)
            memmove(m->text[kept++], m->text[i], sizeof m->text[0]);
    m->len = kept;
}

static bool plain_has(const struct plain *m, const char *text)
{
    bool has = false;
    for (int i = 0; i < m->len; i++)
        has = has || strcmp(m->text[i], text) == 0;
    return has;
}

static const char *plain_find(const struct plain *m, const char *symbol)
{
    for (int i = m->len; i-- > 0;)
        if (strncmp(m->text[i], symbol, strlen(m->text[i]) - 1) == 0)
            return m->text[i];
    return NULL;
}

/* Out of three characters, one of which comes before the star: many begin with others. */
static void make_text(char out[static 8], uint32_t *seed, const char *end)
{
    size_t len = (*seed = *seed * 1664525 + 1013904223) >> 30;
    for (size_t i = 0; i < len; i++)
        out[i] = "aB!"[((*seed = *seed * 1664525 + 1013904223) >> 16) % (i > 0 ? 3 : 2)];
    snprintf(out + len, 8 - len, "%s", end);
}

static void test_any_order(void **state)
{
    struct patterns p = {0};
    struct plain m = {.len = 0};
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[8], symbol[8];
        make_text(text, &seed, "*");
        if (round % 5 < 3) {
            assert_int_equal(patterns_add(&p, text, round, NULL), 0);
            plain_remove(&m, text, false);
            snprintf(m.text[m.len++], sizeof m.text[0], "%s", text);
        } else if (strlen(text) > 2 || round % 50 == 3) {
            take_out(&p, text);
            plain_remove(&m, text, true);
        }
        make_text(symbol, &seed, "a");
        const struct pattern *found = patterns_find(&p, symbol);
        const char *expected = plain_find(&m, symbol);
        assert_int_equal(p.len, m.len);
        assert_int_equal(patterns_has(&p, text), plain_has(&m, text));
        assert_int_equal(found != NULL, expected != NULL);
        if (found)
            assert_string_equal(found->text, expected);
    }
    patterns_fini(&p);
}

/* The CPU time of as many questions as there are patterns. */
static double time_of_questions(int n)
{
    struct patterns p = {0};
    char text[16];
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "x-%05d*", i);
        assert_int_equal(patterns_add(&p, text, 0, NULL), 0);
    }
    clock_t began = clock();
    for (int i = 0; i < 16000; i++) {
        snprintf(text, sizeof text, "x-%05d*", i % n);
        assert_true(patterns_has(&p, text));
    }
    patterns_fini(&p);
    return (double)(clock() - began);
}

/* With 64 times as many a question may take somewhat longer, not 64 times. */
static void test_many(void **state)
{
    (void)state;
    assert_true(time_of_questions(16000) < 16 * time_of_questions(250) + CLOCKS_PER_SEC / 50);
}

/* The one that came last counts; and one that comes again has its new options. */
static void test_options(void **state)
{
    struct patterns p = {0};
    struct field_sets here = {0}, there = {0};
    json_t *list = json_pack("[s]", "price");
    (void)state;
    struct fields *price = fields_get(&here, list);
    assert_int_equal(patterns_add(&p, "E*", 0, price), 0);
    assert_int_equal(patterns_add(&p, "*", 1000, NULL), 0);
    assert_int_equal(patterns_find(&p, "EUR")->interval_ms, 1000);
    assert_int_equal(patterns_add(&p, "E*", 500, price), 0);
    assert_int_equal(p.len, 2);
    assert_int_equal(patterns_find(&p, "EUR")->interval_ms, 500);
    assert_ptr_equal(patterns_find(&p, "EUR")->fields, price);
    assert_int_equal(patterns_find(&p, "tea")->interval_ms, 1000);
    fields_unref(price);
    assert_int_equal(patterns_carry(&p, &there), 0);
    assert_null(here.list);
    assert_ptr_equal(patterns_find(&p, "EUR")->fields, there.list);
    assert_int_equal(patterns_add(&p, "E*", 0, NULL), 0);
    assert_null(there.list);
    patterns_fini(&p);
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns),
                                       cmocka_unit_test(test_any_order),
                                       cmocka_unit_test(test_many), cmocka_unit_test(test_options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
