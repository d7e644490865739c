#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

static void pieces_are_zeroed_and_apart(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    assert_non_null(a);
    unsigned char *first = arena_alloc(a, 100, 3);
    char *second = arena_strdup(a, "text");
    assert_non_null(arena_alloc(a, 0, 8));
    for (int i = 0; i < 300; i++)
        assert_int_equal(first[i], 0);
    memset(first, 0xFF, 300);
    assert_string_equal(second, "text");
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    assert_false(arena_failed(a));
    arena_free(a); /* the leak checker sees what is left */
    arena_free(NULL);
}

static void what_is_too_large_is_remembered(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    assert_non_null(a);
    assert_null(arena_alloc(a, SIZE_MAX / 2, 3));
    assert_true(arena_failed(a));
    assert_non_null(arena_strdup(a, "still works"));
    assert_true(arena_failed(a));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_and_apart),
        cmocka_unit_test(what_is_too_large_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
