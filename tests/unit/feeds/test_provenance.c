/* What is remembered of the sources of one instrument, and how it is told. */
#include "provenance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct config_source sources[] = {
    {"twelvedata", 1, "KC1" },
    {"yahoo",      2, "KC=F"}
};
static const struct instrument coffee = {.symbol = "coffee", .sources = sources, .sources_len = 2};

/* Monotonic time 0 is this moment. */
static const int64_t WALL_MS = 1767225600000;

static void step(struct provenance *p, size_t pos, enum failure f, int status, int64_t at_ms)
{
    const struct chain_step s = {
        .pos = pos, .failure = f, .asked = true, .status = status, .at_ms = at_ms};
    provenance_note(p, &s);
}

static void pass_over(struct provenance *p, size_t pos, enum failure f, int64_t at_ms)
{
    const struct chain_step s = {.pos = pos, .failure = f, .at_ms = at_ms};
    provenance_note(p, &s);
}

static void expect(const struct provenance *p, const char *wanted)
{
    json_t *j = provenance_describe(p, &coffee, 1000000, WALL_MS + 1000000);
    json_t *w = json_loads(wanted, 0, NULL);
    assert_non_null(j);
    assert_non_null(w);
    char *text = json_dumps(j, JSON_COMPACT);
    if (!json_equal(j, w))
        fail_msg("told: %s", text);
    free(text);
    json_decref(w);
    json_decref(j);
}

static void test_nothing_yet(void **state)
{
    struct provenance p;
    (void)state;
    assert_int_equal(provenance_init(&p, 2), 0);
    expect(&p, "{\"source\":null,\"source_symbol\":null,\"since\":null,\"sources\":["
               "{\"provider\":\"twelvedata\",\"symbol\":\"KC1\",\"answered\":null,"
               "\"failure\":null,\"skipped\":null},"
               "{\"provider\":\"yahoo\",\"symbol\":\"KC=F\",\"answered\":null,"
               "\"failure\":null,\"skipped\":null}]}");
    provenance_fini(&p);
}

/* The first fails twice, is left alone then; the other answers since. */
static void test_a_fallback(void **state)
{
    struct provenance p;
    (void)state;
    assert_int_equal(provenance_init(&p, 2), 0);
    step(&p, 0, FAIL_NONE, 200, 1000);
    step(&p, 0, FAIL_TIMEOUT, 0, 2000);
    step(&p, 1, FAIL_NONE, 200, 2100);
    step(&p, 0, FAIL_RATE_LIMITED, 429, 3000);
    step(&p, 1, FAIL_NONE, 200, 3100);
    pass_over(&p, 0, FAIL_BREAKER_OPEN, 4000);
    step(&p, 1, FAIL_NONE, 200, 4100);
    pass_over(&p, 0, FAIL_BREAKER_OPEN, 5000);
    step(&p, 1, FAIL_NONE, 200, 5100);
    static const char *const told =
        "{\"source\":\"yahoo\",\"source_symbol\":\"KC=F\",\"since\":1767225602100,\"sources\":["
        "{\"provider\":\"twelvedata\",\"symbol\":\"KC1\",\"answered\":1767225601000,"
        "\"failure\":{\"error\":\"rate_limited\",\"status\":429,\"at\":1767225603000,"
        "\"since\":1767225602000,\"times\":2},"
        "\"skipped\":{\"error\":\"breaker_open\",\"since\":1767225604000}},"
        "{\"provider\":\"yahoo\",\"symbol\":\"KC=F\",\"answered\":1767225605100,"
        "\"failure\":null,\"skipped\":null}]}";
    expect(&p, told);

    struct provenance copy;
    assert_int_equal(provenance_init(&copy, 2), 0);
    provenance_copy(&copy, &p);
    provenance_fini(&p);
    expect(&copy, told);
    provenance_fini(&copy);
}

/* A failure stays as history when it is over; the next one begins a row of its own. */
static void test_it_comes_back(void **state)
{
    struct provenance p;
    (void)state;
    assert_int_equal(provenance_init(&p, 2), 0);
    step(&p, 0, FAIL_DNS, 0, 1000);
    step(&p, 1, FAIL_NONE, 200, 1100);
    pass_over(&p, 0, FAIL_BUDGET, 2000);
    step(&p, 0, FAIL_NONE, 200, 3000);
    expect(
        &p,
        "{\"source\":\"twelvedata\",\"source_symbol\":\"KC1\",\"since\":1767225603000,\"sources\":["
        "{\"provider\":\"twelvedata\",\"symbol\":\"KC1\",\"answered\":1767225603000,"
        "\"failure\":{\"error\":\"dns\",\"status\":null,\"at\":1767225601000,"
        "\"since\":1767225601000,\"times\":1},\"skipped\":null},"
        "{\"provider\":\"yahoo\",\"symbol\":\"KC=F\",\"answered\":1767225601100,"
        "\"failure\":null,\"skipped\":null}]}");
    step(&p, 0, FAIL_UPSTREAM_ERROR, 500, 4000);
    pass_over(&p, 1, FAIL_DISABLED, 4000);
    pass_over(&p, 1, FAIL_BUDGET, 5000);
    expect(
        &p,
        "{\"source\":\"twelvedata\",\"source_symbol\":\"KC1\",\"since\":1767225603000,\"sources\":["
        "{\"provider\":\"twelvedata\",\"symbol\":\"KC1\",\"answered\":1767225603000,"
        "\"failure\":{\"error\":\"upstream_error\",\"status\":500,\"at\":1767225604000,"
        "\"since\":1767225604000,\"times\":1},\"skipped\":null},"
        "{\"provider\":\"yahoo\",\"symbol\":\"KC=F\",\"answered\":1767225601100,"
        "\"failure\":null,\"skipped\":{\"error\":\"budget\",\"since\":1767225605000}}]}");
    provenance_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_a_fallback),
        cmocka_unit_test(test_it_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
