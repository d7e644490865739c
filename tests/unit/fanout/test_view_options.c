/* Options as a part of a view's key. */
#include "rig.h"

#include "view_options.h"

enum { N = 100 };

static struct fields *get(struct field_sets *sets, const char *name)
{
    json_t *list = json_pack("[s]", name);
    struct fields *x = fields_get(sets, list);
    assert_non_null(x);
    json_decref(list);
    return x;
}

static void test_key(void **state)
{
    struct field_sets sets = {0};
    struct fields *price = get(&sets, "price"), *shows = get(&sets, "state");
    struct view_options *a = view_options_new(N), *b = view_options_new(N);
    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_false(view_options_any(a));
    assert_true(view_options_equal(a, b));
    assert_true(view_options_equal(NULL, NULL));
    assert_false(view_options_equal(a, NULL));
    assert_int_equal(view_options_set(a, 70, true, price), 0);
    assert_true(view_options_any(a));
    assert_false(view_options_equal(a, b));
    assert_int_equal(view_options_set(b, 70, false, price), 0);
    assert_false(view_options_equal(a, b));
    assert_int_equal(view_options_set(b, 70, true, shows), 0);
    assert_false(view_options_equal(a, b));
    assert_int_equal(view_options_set(b, 70, true, price), 0);
    assert_true(view_options_equal(a, b));
    assert_true(view_options_hash(a, 1) == view_options_hash(b, 1));
    assert_int_equal(view_options_set(b, 71, false, price), 0);
    assert_true(view_options_hash(a, 1) != view_options_hash(b, 1));

    struct view_options *c = view_options_copy(b);
    assert_non_null(c);
    view_options_free(b);
    assert_true(view_options_paced(c, 70));
    assert_false(view_options_paced(c, 71));
    assert_ptr_equal(view_options_fields(c, 71), price);
    assert_false(view_options_show_state(c, 71));
    assert_true(view_options_show_state(c, 72));
    assert_true(view_options_show_state(NULL, 71));
    assert_int_equal(view_options_set(c, 71, false, shows), 0);
    assert_true(view_options_show_state(c, 71));
    assert_int_equal(view_options_set(c, 70, false, NULL), 0);
    assert_int_equal(view_options_set(c, 71, false, NULL), 0);
    assert_false(view_options_any(c));
    struct view_options *none = view_options_new(N); /* never had fields: the same */
    assert_non_null(none);
    assert_true(view_options_equal(c, none) && view_options_equal(none, c));
    assert_true(view_options_hash(c, 1) == view_options_hash(none, 1));
    assert_false(view_options_equal(a, none) || view_options_equal(none, a));
    view_options_free(none);
    view_options_free(a);
    view_options_free(c);
    view_options_free(NULL);
    fields_unref(price);
    fields_unref(shows);
    assert_null(sets.list);
}

static void test_views(void **state)
{
    struct views vs;
    struct bits symbols;
    struct view_options *o = view_options_new(N);
    (void)state;
    assert_non_null(o);
    assert_int_equal(views_init(&vs, N, 42), 0);
    assert_int_equal(bits_init(&symbols, N), 0);
    bits_set(&symbols, 3);
    bits_set(&symbols, 70);
    assert_int_equal(view_options_set(o, 70, true, NULL), 0);
    struct view *plain = views_get(&vs, &symbols, NULL, ENCODING_FRAMES),
                *v = views_get(&vs, &symbols, o, ENCODING_FRAMES);
    assert_non_null(plain);
    assert_ptr_not_equal(plain, v);
    assert_ptr_equal(views_get(&vs, &symbols, o, ENCODING_FRAMES), v);
    view_unref(&vs, v);

    /* of a paced symbol the view hears only changes of state */
    views_mark_quote(&vs, 70, &(struct view_news){.arrival_ns = 5, .owed = true});
    assert_false(v->dirty);
    assert_true(bits_test(&plain->quotes, 70) && bits_test(&plain->statuses, 70));
    views_mark_quote(&vs, 70, &(struct view_news){.arrival_ns = 5, .moved = true});
    assert_true(v->dirty);
    assert_true(bits_test(&v->statuses, 70));
    assert_false(bits_any(&v->quotes));
    assert_int_equal(v->merged, 0);
    views_mark_quote(&vs, 3, &(struct view_news){.arrival_ns = 5, .moved = true});
    assert_true(bits_test(&v->quotes, 3));
    assert_false(bits_test(&v->statuses, 3));
    view_unref(&vs, v);
    view_unref(&vs, plain);
    bits_fini(&symbols);
    view_options_free(o);
    views_fini(&vs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
