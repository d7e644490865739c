/* Views without clients: sharing, marks, and who is in which list. */
#include "rig.h"

#include "view.h"

enum { N = 100 };

static struct view *get(struct views *vs, const int *ids, size_t n)
{
    struct bits b;
    assert_int_equal(bits_init(&b, N), 0);
    for (size_t i = 0; i < n; i++)
        bits_set(&b, ids[i]);
    struct view *v = views_get(vs, &b, NULL, ENCODING_FRAMES);
    assert_non_null(v);
    bits_fini(&b);
    return v;
}

static void mark(struct views *vs, int id, int64_t arrival_ns, bool owed)
{
    views_mark_quote(vs, id, &(struct view_news){.arrival_ns = arrival_ns, .owed = owed});
}

static void test_shared(void **state)
{
    static const int one[] = {3, 70}, other[] = {3};
    struct views vs;
    struct seat a = {0}, b = {0};
    (void)state;
    assert_int_equal(views_init(&vs, N, 42), 0);
    struct view *v = get(&vs, one, 2), *w = get(&vs, other, 1);
    assert_ptr_equal(get(&vs, one, 2), v);
    assert_ptr_not_equal(v, w);
    assert_int_equal(vs.used, 2);
    struct seat c = {0};
    assert_int_equal(vs.watchers[3], 0); /* held, but nobody sits there */
    view_sit(&vs, v, &a, false);
    view_sit(&vs, v, &b, true);
    view_sit(&vs, w, &c, false);
    assert_int_equal(vs.watchers[3], 3);
    assert_int_equal(vs.watchers[70], 2);
    assert_int_equal(vs.watchers[9], 0);
    view_leave(&vs, &c);
    view_unref(&vs, v);
    view_unref(&vs, v);
    view_unref(&vs, w);
    assert_int_equal(vs.used, 1);
    assert_ptr_equal(v->ready, &a);
    assert_ptr_equal(v->behind, &b);
    view_move(&a, true);
    assert_null(v->ready);
    view_move(&b, false);
    assert_ptr_equal(v->ready, &b);
    view_leave(&vs, &a);
    view_leave(&vs, &a);
    assert_int_equal(v->seats, 1);
    assert_int_equal(vs.watchers[3], 1);
    assert_int_equal(vs.watchers[70], 1);
    view_leave(&vs, &b);
    assert_int_equal(vs.watchers[3], 0);
    assert_int_equal(vs.watchers[70], 0);
    assert_int_equal(vs.used, 0);
    views_fini(&vs);
}

static void test_marks(void **state)
{
    static const int one[] = {3, 70}, other[] = {3}, third[] = {9};
    struct views vs;
    struct bits quotes, statuses;
    (void)state;
    assert_int_equal(views_init(&vs, N, 42), 0);
    assert_int_equal(bits_init(&quotes, N) | bits_init(&statuses, N), 0);
    struct view *v = get(&vs, one, 2), *w = get(&vs, other, 1), *x = get(&vs, third, 1);
    mark(&vs, 3, 1000, true);
    mark(&vs, 3, 2000, false);
    mark(&vs, 70, 3000, false);
    views_mark_status(&vs, 70);
    mark(&vs, 50, 1, true); /* nobody holds it */
    assert_false(x->dirty);
    struct view_pending p = view_take_pending(&vs, v, &quotes, &statuses);
    assert_int_equal(p.merged, 1);
    assert_int_equal(p.oldest_ns, 1000);
    assert_int_equal(bits_count(&quotes), 2);
    assert_true(bits_test(&statuses, 3) && bits_test(&statuses, 70));
    assert_false(v->dirty);
    assert_ptr_equal(vs.due.first, w);

    mark(&vs, 3, 4000, false);
    p = view_take_pending(&vs, w, &quotes, &statuses);
    assert_int_equal(p.merged, 2);
    assert_true(bits_test(&quotes, 3));
    assert_true(bits_test(&statuses, 3)); /* whether it is void is not the view's to know */
    view_unref(&vs, v);                   /* dirty again: leaves the list by itself */
    assert_null(vs.due.first);
    view_unref(&vs, w);
    view_unref(&vs, x);
    bits_fini(&quotes);
    bits_fini(&statuses);
    views_fini(&vs);
}

static void test_rests(void **state)
{
    static const int one[] = {1}, two[] = {2}, three[] = {3};
    struct views vs;
    struct bits quotes, statuses;
    (void)state;
    assert_int_equal(views_init(&vs, N, 42), 0);
    assert_int_equal(bits_init(&quotes, N) | bits_init(&statuses, N), 0);
    struct view *a = get(&vs, one, 1), *b = get(&vs, two, 1), *c = get(&vs, three, 1);
    assert_int_equal(views_wait_ns(&vs, 0), -1);
    view_rest(&vs, a, 100);
    view_rest(&vs, b, 110);
    assert_int_equal(views_wait_ns(&vs, 0), -1); /* nothing to wait for */
    mark(&vs, 3, 1, false);
    assert_ptr_equal(vs.due.first, c); /* quiet: at once, whoever rests */
    mark(&vs, 2, 1, false);
    assert_null(c->queue_next);                   /* b only gathers */
    assert_int_equal(views_wait_ns(&vs, 40), 60); /* the first rest's end, whose ever it is */
    views_wake(&vs, 100);
    assert_false(a->resting);
    assert_int_equal(views_wait_ns(&vs, 100), 10);
    view_rest(&vs, c, 120); /* dirty all the same */
    assert_null(vs.due.first);
    view_rest(&vs, b, 500); /* goes on as it did */
    views_wake(&vs, 110);
    assert_ptr_equal(vs.due.first, b);
    assert_int_equal(views_wait_ns(&vs, 110), 10);
    view_take_pending(&vs, c, &quotes, &statuses);
    assert_int_equal(views_wait_ns(&vs, 110), -1);
    assert_true(c->resting);
    mark(&vs, 3, 1, false);
    view_unref(&vs, c); /* resting and dirty */
    assert_int_equal(vs.resting_dirty, 0);
    assert_null(vs.resting.first);
    view_unref(&vs, b);
    assert_null(vs.due.first);
    mark(&vs, 1, 1, false);
    assert_ptr_equal(vs.due.first, a);
    view_unref(&vs, a);
    bits_fini(&quotes);
    bits_fini(&statuses);
    views_fini(&vs);
}

/* More views than the table had room for at first: all are still found, and a mark reaches those
 * that hold the symbol, whoever left in between. */
static void test_many(void **state)
{
    enum { VIEWS = 1000 };
    static struct view *all[VIEWS];
    struct views vs;
    (void)state;
    assert_int_equal(views_init(&vs, N, 1), 0);
    for (int i = 0; i < VIEWS; i++) {
        const int ids[] = {i % N, (i / N + i + 1) % N, (i * 7) % N};
        all[i] = get(&vs, ids, 3);
    }
    assert_true(vs.table_len > 64);
    for (int i = 0; i < VIEWS; i++) {
        const int ids[] = {i % N, (i / N + i + 1) % N, (i * 7) % N};
        struct view *v = get(&vs, ids, 3);
        assert_ptr_equal(v, all[i]);
        view_unref(&vs, v);
    }
    for (int i = 0; i < VIEWS; i += 2)
        view_unref(&vs, all[i]);
    mark(&vs, 5, 1, false);
    for (int i = 1; i < VIEWS; i += 2)
        assert_int_equal(bits_test(&all[i]->quotes, 5), bits_test(&all[i]->symbols, 5));
    for (int i = 1; i < VIEWS; i += 2)
        view_unref(&vs, all[i]);
    assert_int_equal(vs.used, 0);
    for (size_t i = 0; i < N; i++)
        assert_false(bits_any(&vs.holders[i]));
    views_fini(&vs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_rests),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
