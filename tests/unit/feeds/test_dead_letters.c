/* The folder of dead letters, on a real disk: its bounds, its speed, and what stays untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the first four above it */
#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dead_letters.h"

static const int64_t NOW_MS = 1741705265123;

struct rig {
    uv_loop_t loop;
    char parent[64], dir[80];
    struct dead_letters *box;
    int64_t wall_ms;
    int closed;
};

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static void put(struct rig *s, int64_t mono_ms)
{
    static const struct config_source source = {"yahoo", 0, "KC=F"};
    const struct instrument in = {
        .symbol = "coffee", .category = "prices", .sources = &source, .sources_len = 1};
    const struct record r = {.ts_ms = NOW_MS, .currency = "USD"};
    const struct quality_memory m = {0};
    const struct quality_result q = {.failure = FAIL_BAD_SCHEMA, .rule = "finite", .why = {"no"}};
    const struct dead_letter d = {
        .wall_ms = s->wall_ms++, .in = &in, .record = &r, .result = &q, .memory = &m};
    dead_letters_put(s->box, &d, mono_ms);
}

static void make(struct rig *s, struct dead_letters_limits limits)
{
    s->box = dead_letters_new(&s->loop, s->dir, 1, &limits);
    assert_non_null(s->box);
}

static void finish(struct rig *s)
{
    int before = s->closed;
    dead_letters_close(s->box, count_call, &s->closed);
    s->box = NULL;
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->closed, before + 1);
}

static int setup(void **state)
{
    struct rig *s = calloc(1, sizeof *s);
    strcpy(s->parent, "/tmp/pricegate-dlq-XXXXXX");
    assert_non_null(mkdtemp(s->parent));
    snprintf(s->dir, sizeof s->dir, "%s/dlq", s->parent);
    uv_loop_init(&s->loop);
    s->wall_ms = NOW_MS;
    log_setup(LOG_ERROR, true);
    *state = s;
    return 0;
}

static size_t each(struct rig *s, bool remove_it, uint64_t *bytes, char first[static 256])
{
    DIR *d = opendir(s->dir);
    const struct dirent *e;
    char path[400];
    struct stat st;
    size_t n = 0;
    first[0] = '\0';
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", s->dir, e->d_name);
        if (remove_it)
            unlink(path);
        if (!dead_letter_is_name(e->d_name))
            continue;
        n++;
        if (!remove_it && stat(path, &st) == 0)
            *bytes += (uint64_t)st.st_size;
        if (!first[0] || strcmp(e->d_name, first) < 0)
            snprintf(first, 256, "%s", e->d_name);
    }
    if (d)
        closedir(d);
    return n;
}

/* How many letters there are; the oldest and their bytes too. */
static size_t count(struct rig *s, uint64_t *bytes, char first[static 256])
{
    *bytes = 0;
    return each(s, false, bytes, first);
}

static int teardown(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    assert_int_equal(uv_loop_close(&s->loop), 0);
    each(s, true, &bytes, first);
    rmdir(s->dir);
    unlink(s->dir);
    rmdir(s->parent);
    free(s);
    return 0;
}

static void touch(struct rig *s, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("x\n", f);
    fclose(f);
}

static bool exists(struct rig *s, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    return access(path, F_OK) == 0;
}

static void test_at_most_so_many_files(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    mkdir(s->dir, 0700);
    touch(s, "dlq_10000101T000000.000Z_1-1.json"); /* the oldest of all */
    touch(s, "aaa.json");
    touch(s, "dlq_1.json.bak");
    make(s, (struct dead_letters_limits){5, 1 << 20, 100});
    for (int i = 0; i < 12; i++) {
        put(s, 1000);
        if (i % 3 == 2)
            uv_run(&s->loop, UV_RUN_DEFAULT);
        assert_true(count(s, &bytes, first) <= 5);
    }
    finish(s);
    assert_int_equal(count(s, &bytes, first), 5);
    assert_string_equal(first, "dlq_20250311T150105.130Z_1-8.json"); /* 8..12 of 12 */
    assert_true(exists(s, "aaa.json") && exists(s, "dlq_1.json.bak"));
    assert_true(exists(s, "dlq_20250311T150105.134Z_1-12.json"));
}

static void test_at_most_so_many_bytes(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    make(s, (struct dead_letters_limits){1000, 1000, 100});
    for (int i = 0; i < 12; i++) {
        put(s, 1000);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    finish(s);
    size_t n = count(s, &bytes, first);
    assert_true(n >= 2 && n < 12);
    assert_true(bytes <= 1000);
    assert_true(exists(s, "dlq_20250311T150105.134Z_1-12.json"));
}

static bool says(struct rig *s, const char *name, const char *what)
{
    char path[400], text[4096] = "";
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    return strstr(text, what) != NULL;
}

static void test_so_many_a_second(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    make(s, (struct dead_letters_limits){1000, 1 << 20, 3});
    for (int i = 0; i < 10; i++)
        put(s, 5000 + i);
    put(s, 6000);
    put(s, 6001);
    finish(s);
    assert_int_equal(count(s, &bytes, first), 5);
    assert_true(says(s, "dlq_20250311T150105.133Z_1-4.json", "\"left_out\":7"));
    assert_false(says(s, "dlq_20250311T150105.134Z_1-5.json", "left_out"));
}

/* More than may wait while the disk is busy. */
static void test_a_burst(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    make(s, (struct dead_letters_limits){1000, 1 << 20, 1000});
    for (int i = 0; i < 100; i++)
        put(s, 1000);
    finish(s); /* what waits is written all the same */
    assert_int_equal(count(s, &bytes, first), 1 + 8);
}

static void test_a_folder_that_cannot_be(void **state)
{
    struct rig *s = *state;
    uint64_t bytes;
    char first[256];
    FILE *f = fopen(s->dir, "w"); /* a file is in its place */
    assert_non_null(f);
    fclose(f);
    make(s, (struct dead_letters_limits){1000, 1 << 20, 100});
    for (int i = 0; i < 3; i++) {
        put(s, 1000);
        uv_run(&s->loop, UV_RUN_DEFAULT);
    }
    unlink(s->dir);
    put(s, 1000); /* and then it can */
    finish(s);
    assert_int_equal(count(s, &bytes, first), 1);
}

static void test_nothing_to_do(void **state)
{
    struct rig *s = *state;
    make(s, dead_letters_default);
    finish(s);
    assert_int_equal(access(s->dir, F_OK), -1); /* made with the first letter */
    put(s, 1000);                               /* no folder at all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_at_most_so_many_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_most_so_many_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_so_many_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_burst, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_to_do, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
