/* Names of jobs, and how a run may end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "job.h"

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"enrich", "full", "intelligence", "market"};
    for (int i = 0; i < JOBS_LEN; i++) {
        assert_string_equal(job_name((enum job)i), names[i]);
        assert_int_equal(job_of_name(names[i]), i);
    }
    assert_int_equal(job_of_name("markets"), JOBS_LEN);
    assert_int_equal(job_of_name(""), JOBS_LEN);
}

static void test_status(void **state)
{
    (void)state;
    static const struct {
        size_t requested, failed, budget;
        const char *status;
    } rows[] = {
        {0, 0, 0, "success"},
        {3, 0, 0, "success"},
        {3, 1, 0, "partial"},
        {3, 3, 0, "failed" },
        {3, 3, 1, "partial"},
        {1, 1, 1, "partial"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(
            job_status_name(job_status(rows[i].requested, rows[i].failed, rows[i].budget)),
            rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
