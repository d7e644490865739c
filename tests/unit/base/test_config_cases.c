/* Whole files, right and wrong. They lie in config_cases/: NAME.json is the file, NAME.problems the
 * exact lines that must come out (none: it is valid), NAME.env the environment.
 * tests/e2e/schema.test.js holds the same files against the JSON Schema. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "config_rig.h"

#define CASES SOURCE_DIR "/tests/unit/base/config_cases"

/* The whole file as text, or NULL when it is not there. */
static char *read_file(const char *path)
{
    struct buf b = {0};
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *to;
    size_t n;
    while ((to = buf_reserve(&b, 4096)) && (n = fread(to, 1, 4096, f)) > 0)
        b.len += n;
    fclose(f);
    return buf_take(&b, NULL);
}

/* Cuts text into lines, NULL behind the last one. */
static void split_lines(char *text, const char **lines, size_t max)
{
    size_t n = 0;
    for (char *save, *l = text ? strtok_r(text, "\n", &save) : NULL; l && n + 1 < max;
         l = strtok_r(NULL, "\n", &save))
        lines[n++] = l;
    lines[n] = NULL;
}

static int run_case(struct fixture *f, const char *name)
{
    char path[1024];
    const char *env[32];
    snprintf(path, sizeof path, "%s/%s.json", CASES, name);
    char *text = read_file(path);
    snprintf(path, sizeof path, "%s/%s.problems", CASES, name);
    char *expected = read_file(path);
    snprintf(path, sizeof path, "%s/%s.env", CASES, name);
    char *variables = read_file(path);
    split_lines(variables, env, ARRAY_LEN(env));
    load(f, text, env);
    int wrong = strcmp(expected ? expected : "", text_of(&f->problems)) != 0;
    if (wrong)
        print_error("case %s\n--- expected:\n%s--- is:\n%s", name, expected ? expected : "",
                    text_of(&f->problems));
    free(text);
    free(expected);
    free(variables);
    return wrong;
}

static void all_cases(void **state)
{
    int cases = 0, wrong = 0;
    DIR *d = opendir(CASES);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".json") != 0)
            continue;
        *dot = '\0';
        wrong += run_case(*state, e->d_name);
        cases++;
    }
    closedir(d);
    assert_true(cases >= 40);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_cases, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
