#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "config_names.h"

static void distances(void **state)
{
    char longer[CONFIG_NAME_MAX + 2];
    (void)state;
    assert_int_equal(config_names_distance("", ""), 0);
    assert_int_equal(config_names_distance("", "abc"), 3);
    assert_int_equal(config_names_distance("port", "port"), 0);
    assert_int_equal(config_names_distance("port", "PORT"), 0);
    assert_int_equal(config_names_distance("prot", "port"), 1); /* neighbours swapped */
    assert_int_equal(config_names_distance("yaho", "yahoo"), 1);
    assert_int_equal(config_names_distance("kitten", "sitting"), 3);
    assert_int_equal(config_names_distance("sitting", "kitten"), 3);
    assert_int_equal(config_names_distance("ca", "abc"), 3);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(config_names_distance(longer, "x"), CONFIG_NAME_MAX + 1);
    longer[CONFIG_NAME_MAX] = '\0';
    assert_int_equal(config_names_distance(longer, "x"), CONFIG_NAME_MAX - 1);
}

static const char *guess(const char *word)
{
    static const char *const known[] = {"host", "port", "tls", "metrics_port"};
    struct config_guess g = {.word = word};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        config_guess_offer(&g, known[i]);
    return config_guess_best(&g);
}

static void guesses(void **state)
{
    struct config_guess nothing = {.word = "port"};
    (void)state;
    assert_string_equal(guess("prot"), "port");
    assert_string_equal(guess("Ports"), "port");
    assert_string_equal(guess("metric_port"), "metrics_port");
    assert_string_equal(guess("tsl"), "tls");
    assert_null(guess("colour"));
    assert_null(guess("ab"));
    assert_null(guess(""));
    assert_null(config_guess_best(&nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
