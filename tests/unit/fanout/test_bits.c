/* Sets against the naive array, on both sides of every word's border. */
#include "rig.h"

#include "bits.h"

enum { N = 200 };

static void test_members(void **state)
{
    static const int ids[] = {0, 1, 63, 64, 65, 127, 128, 199};
    struct bits b;
    (void)state;
    assert_int_equal(bits_init(&b, N), 0);
    assert_false(bits_any(&b));
    assert_int_equal(bits_next(&b, 0), -1);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        bits_set(&b, ids[i]);
    assert_int_equal(bits_count(&b), ARRAY_LEN(ids));
    size_t n = 0;
    for (int id = bits_next(&b, 0); id >= 0; id = bits_next(&b, id + 1))
        assert_int_equal(id, ids[n++]);
    assert_int_equal(n, ARRAY_LEN(ids));
    bits_unset(&b, 64);
    assert_false(bits_test(&b, 64));
    assert_true(bits_test(&b, 65));
    assert_int_equal(bits_next(&b, 64), 65);
    bits_clear(&b);
    assert_false(bits_any(&b));
    bits_fini(&b);
    bits_fini(&b);
}

static void test_empty_universe(void **state)
{
    struct bits b;
    (void)state;
    assert_int_equal(bits_init(&b, 0), 0);
    assert_int_equal(bits_next(&b, 0), -1);
    assert_int_equal(bits_count(&b), 0);
    bits_fini(&b);
}

static void fill(struct bits *b, unsigned step)
{
    for (unsigned i = 0; i < N; i += step)
        bits_set(b, (int)i);
}

static void test_combined(void **state)
{
    struct bits two, three, x;
    (void)state;
    assert_int_equal(bits_init(&two, N) | bits_init(&three, N) | bits_init(&x, N), 0);
    fill(&two, 2);
    fill(&three, 3);
    assert_int_equal(bits_count_both(&two, &three), 34);
    bits_copy(&x, &two);
    assert_true(bits_equal(&x, &two));
    assert_int_equal(bits_hash(&x, 7), bits_hash(&two, 7));
    assert_int_not_equal(bits_hash(&x, 7), bits_hash(&two, 8));
    assert_int_not_equal(bits_hash(&three, 7), bits_hash(&two, 7));
    bits_or(&x, &three);
    for (int i = 0; i < N; i++)
        assert_int_equal(bits_test(&x, i), i % 2 == 0 || i % 3 == 0);
    bits_and_not(&x, &two);
    for (int i = 0; i < N; i++)
        assert_int_equal(bits_test(&x, i), i % 2 != 0 && i % 3 == 0);
    assert_false(bits_equal(&x, &two));
    bits_copy(&x, &two);
    bits_and(&x, &three);
    for (int i = 0; i < N; i++)
        assert_int_equal(bits_test(&x, i), i % 6 == 0);
    bits_fini(&two);
    bits_fini(&three);
    bits_fini(&x);
}

static void test_words_within(void **state)
{
    uint64_t words[2 * BITS_WORDS(N) + 1] = {0};
    struct bits a, b;
    (void)state;
    uint64_t *end = bits_init_in(&b, bits_init_in(&a, words, N), N);
    assert_ptr_equal(end, words + 2 * BITS_WORDS(N));
    for (int i = 0; i < N; i++)
        bits_set(&a, i);
    assert_false(bits_any(&b));
    bits_copy(&b, &a);
    bits_clear(&a);
    assert_int_equal(bits_count(&b), N);
    assert_int_equal(*end, 0);
}

static void test_growing(void **state)
{
    struct bits b = {0};
    (void)state;
    assert_false(bits_any(&b));
    assert_int_equal(bits_next(&b, 0), -1);
    for (int i = 0; i < 10000; i += 7) {
        assert_int_equal(bits_reserve(&b, (size_t)i + 1), 0);
        assert_false(bits_test(&b, i));
        bits_set(&b, i);
    }
    assert_int_equal(bits_reserve(&b, 1), 0); /* never smaller */
    int expected = 0;
    for (int i = bits_next(&b, 0); i >= 0; i = bits_next(&b, i + 1), expected += 7)
        assert_int_equal(i, expected);
    assert_int_equal(expected, 10003);
    bits_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),  cmocka_unit_test(test_empty_universe),
        cmocka_unit_test(test_combined), cmocka_unit_test(test_words_within),
        cmocka_unit_test(test_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
