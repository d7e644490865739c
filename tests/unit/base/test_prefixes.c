#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "prefixes.h"
#include "symbol.h"

/* Against the plain way, on few letters, so that much is nested, equal or missed. */
static void test_like_the_plain_way(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        char texts[12][8];
        struct prefixes p;
        int n = rand() % 12;
        assert_int_equal(prefixes_init(&p, (size_t)n), 0);
        for (int i = 0; i < n; i++) {
            int len = rand() % 5;
            for (int k = 0; k < len; k++)
                texts[i][k] = (char)("Ab\xc3"[rand() % 3]);
            texts[i][len] = '*';
            texts[i][len + 1] = '\0';
            prefixes_add(&p, texts[i], (size_t)len + 1, i);
        }
        prefixes_sort(&p);
        for (int try = 0; try < 40; try++) {
            char symbol[8] = "";
            int len = rand() % 6, want = -1;
            for (int k = 0; k < len; k++)
                symbol[k] = (char)("Ab\xc3"[rand() % 3]);
            for (int i = n - 1; i >= 0; i--)
                if (symbol_matches(texts[i], strlen(texts[i]), symbol))
                    want = i;
            assert_int_equal(prefixes_match(&p, symbol), want);
        }
        prefixes_fini(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_like_the_plain_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
