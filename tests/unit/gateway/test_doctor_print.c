#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "doctor_print.h"

static void fill(struct findings *f)
{
    f->check = "redis.link";
    findings_add(f, FINDING_OK, "Redis at %s answers", "desk");
    f->check = "redis.rights";
    findings_add(f, FINDING_PROBLEM, "SET is refused: \"NO\"\x1b[2J");
    findings_advise(f, "give the user %s", "rights");
    f->check = "machine.clock";
    findings_add(f, FINDING_WARNING, "one two three four five six seven eight nine ten");
    findings_advise(f, "first");
    findings_advise(f, "then another: the last one counts");
}

static void print(const struct findings *f, size_t width, bool colour, const char *expected)
{
    const struct table_style style = {.width = width, .colour = colour};
    struct buf text = {0};
    doctor_print_text(f, &style, &text);
    assert_string_equal(text.p, expected);
    buf_fini(&text);
}

static void test_groups_with_the_way_out_below(void **state)
{
    struct findings f = {0};
    fill(&f);
    print(&f, 0, false,
          "redis\n"
          "  ok       Redis at desk answers\n"
          "  problem  SET is refused: \"NO\"?[2J\n"
          "           -> give the user rights\n"
          "machine\n"
          "  warning  one two three four five six seven eight nine ten\n"
          "           -> then another: the last one counts\n"
          "\n"
          "1 problem, 1 warning, 1 ok\n");
    findings_fini(&f);
    (void)state;
}

static void test_long_lines_are_wrapped_between_words(void **state)
{
    struct findings f = {0};
    f.check = "machine.clock";
    findings_add(&f, FINDING_UNKNOWN,
                 "one two three four five sixth seven eight nine ten eleven 12");
    findings_add(&f, FINDING_OK, "a-word-that-is-longer-than-the-whole-line-is stays whole");
    print(&f, 40, true,
          "\x1b[1mmachine\x1b[0m\n"
          "  \x1b[2munknown\x1b[0m  one two three four five sixth\n" /* 40 */
          "           seven eight nine ten eleven\n"                 /* 41 with what follows */
          "           12\n"
          "  \x1b[32mok\x1b[0m       a-word-that-is-longer-than-the-whole-line-is\n"
          "           stays whole\n"
          "\n"
          "\x1b[2m1 unknown, 1 ok\x1b[0m\n");
    findings_fini(&f);
    (void)state;
}

static void test_json_for_machines(void **state)
{
    struct findings f = {0};
    struct buf text = {0};
    fill(&f);
    doctor_print_json(&f, "my \"desk\".json", &text);
    json_t *root = json_loads(text.p, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const char *version, *config, *doctor_state, *check, *one, *message, *advice;
    int ok, unknown, warning, problem;
    json_t *findings;
    assert_int_equal(json_unpack_ex(root, NULL, JSON_STRICT,
                                    "{s:s,s:s,s:s,s:{s:i,s:i,s:i,s:i!},s:o!}", "version", &version,
                                    "config", &config, "state", &doctor_state, "counts", "ok", &ok,
                                    "unknown", &unknown, "warning", &warning, "problem", &problem,
                                    "findings", &findings),
                     0);
    assert_string_equal(version, PRICEGATE_VERSION);
    assert_string_equal(config, "my \"desk\".json");
    assert_string_equal(doctor_state, "problem");
    assert_true(ok == 1 && unknown == 0 && warning == 1 && problem == 1);
    assert_int_equal(json_array_size(findings), 3);
    assert_int_equal(json_unpack(json_array_get(findings, 1), "{s:s,s:s,s:s,s:s!}", "check", &check,
                                 "state", &one, "message", &message, "advice", &advice),
                     0);
    assert_string_equal(check, "redis.rights");
    assert_string_equal(one, "problem");
    assert_string_equal(message, "SET is refused: \"NO\"\x1b[2J");
    assert_string_equal(advice, "give the user rights");
    assert_true(json_is_null(json_object_get(json_array_get(findings, 0), "advice")));
    json_decref(root);
    buf_fini(&text);
    findings_fini(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_with_the_way_out_below),
        cmocka_unit_test(test_long_lines_are_wrapped_between_words),
        cmocka_unit_test(test_json_for_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
