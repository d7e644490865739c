/* Counters and their Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "metrics.h"

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct metrics));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    metrics_fini(*state);
    free(*state);
    return 0;
}

/* Is this whole line in the text? */
static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *p = text; (p = strstr(p, line)); p++)
        if ((p == text || p[-1] == '\n') && p[len] == '\n')
            return true;
    return false;
}

static void rows_are_found_or_made(void **state)
{
    struct metrics *m = *state;
    assert_true(metrics_get(m, METRIC_PROVIDER_REQUESTS, "yahoo", "ok") == 0);
    metrics_add(m, METRIC_PROVIDER_REQUESTS, "yahoo", "ok", 1);
    metrics_add(m, METRIC_PROVIDER_REQUESTS, "yahoo", "ok", 2);
    metrics_add(m, METRIC_PROVIDER_REQUESTS, "yahoo", "timeout", 1);
    metrics_set(m, METRIC_CREDITS_LEFT, "yahoo", NULL, 7);
    metrics_set(m, METRIC_CREDITS_LEFT, "yahoo", NULL, 5);
    assert_true(metrics_get(m, METRIC_PROVIDER_REQUESTS, "yahoo", "ok") == 3);
    assert_true(metrics_get(m, METRIC_PROVIDER_REQUESTS, "yahoo", "timeout") == 1);
    assert_true(metrics_get(m, METRIC_CREDITS_LEFT, "yahoo", NULL) == 5);
    assert_int_equal(m->families[METRIC_PROVIDER_REQUESTS].len, 2);
}

static void rows_are_bounded(void **state)
{
    struct metrics *m = *state;
    char label[32];
    for (int i = 0; i < 4100; i++) {
        snprintf(label, sizeof label, "s%d", i);
        metrics_add(m, METRIC_QUOTES_RECEIVED, label, NULL, 1);
    }
    assert_int_equal(m->families[METRIC_QUOTES_RECEIVED].len, 4096);
    assert_true(metrics_get(m, METRIC_QUOTES_RECEIVED, "s4095", NULL) == 1);
    assert_true(metrics_get(m, METRIC_QUOTES_RECEIVED, "s4096", NULL) == 0);
    metrics_add(m, METRIC_QUOTES_RECEIVED, "s0", NULL, 1); /* the old ones go on */
    assert_true(metrics_get(m, METRIC_QUOTES_RECEIVED, "s0", NULL) == 2);
}

static void text_exposition(void **state)
{
    struct metrics *m = *state;
    struct buf b = {0};
    m->deliveries = 12345678901;
    m->bus_up = 1;
    metrics_add(m, METRIC_PROVIDER_REQUESTS, "yahoo", "ok", 2);
    metrics_set(m, METRIC_QUOTE_AGE, "a\"b\\c\nd", NULL, 1.5);
    metrics_render(m, &b);
    assert_true(has_line(b.p, "# TYPE pricegate_deliveries_total counter"));
    assert_true(has_line(b.p, "pricegate_deliveries_total 12345678901"));
    assert_true(has_line(b.p, "# TYPE pricegate_bus_up gauge"));
    assert_true(has_line(b.p, "pricegate_bus_up 1"));
    assert_true(
        has_line(b.p, "pricegate_provider_requests_total{provider=\"yahoo\",result=\"ok\"} 2"));
    assert_true(has_line(b.p, "pricegate_quote_age_seconds{symbol=\"a\\\"b\\\\c\\nd\"} 1.5"));
    assert_true(has_line(b.p, "# TYPE pricegate_conflated_total counter"));
    assert_true(has_line(b.p, "# TYPE pricegate_arrival_to_write_seconds histogram"));
    buf_fini(&b);
}

static void all_names_are_there_once(void **state)
{
    static const char *const names[] = {
        "pricegate_connections",
        "pricegate_subscriptions",
        "pricegate_quotes_received_total",
        "pricegate_deliveries_total",
        "pricegate_frames_total",
        "pricegate_conflated_total",
        "pricegate_disconnects_total",
        "pricegate_rejected_total",
        "pricegate_provider_requests_total",
        "pricegate_provider_latency_seconds",
        "pricegate_provider_credits_left",
        "pricegate_breaker_state",
        "pricegate_arrival_to_write_seconds",
        "pricegate_quote_age_seconds",
        "pricegate_bus_up",
        "pricegate_bus_invalid_total",
        "pricegate_loop_timers",
        "pricegate_certificate_expires_timestamp_seconds",
        "pricegate_provider_window_credits_left",
        "pricegate_provider_window_credits_limit",
        "pricegate_provider_in_use",
        "pricegate_quote_state",
        "pricegate_market_state",
        "pricegate_job_runs_total",
        "pricegate_job_duration_seconds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "pricegate_build_info",
        "pipeline_ingestion_records_total",
        "pipeline_ingestion_errors_total",
        "pipeline_ingestion_duration_seconds",
        "pipeline_data_quality_checks_total",
    };
    struct buf b = {0};
    metrics_render(*state, &b);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char type[128];
        snprintf(type, sizeof type, "# TYPE %s ", names[i]);
        const char *first = strstr(b.p, type);
        if (!first || strstr(first + 1, type))
            fail_msg("not there once: %s", names[i]);
    }
    buf_fini(&b);
}

static void histograms_are_cumulative(void **state)
{
    struct metrics *m = *state;
    struct buf b = {0};
    histogram_observe(&m->arrival_to_write, 0.0001); /* a bound belongs to its bucket */
    histogram_observe(&m->arrival_to_write, 0.003);
    histogram_observe(&m->arrival_to_write, 31);
    metrics_render(m, &b);
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_bucket{le=\"0.0001\"} 1"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_bucket{le=\"0.0025\"} 1"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_bucket{le=\"0.005\"} 2"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_bucket{le=\"30\"} 2"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_bucket{le=\"+Inf\"} 3"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_count 3"));
    assert_true(has_line(b.p, "pricegate_arrival_to_write_seconds_sum 31.0031"));
    buf_fini(&b);
}

static double value_of(const char *text, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *p = strstr(text, line);
    assert_non_null(p);
    return strtod(p + strlen(line), NULL);
}

static void the_process_looks_at_itself(void **state)
{
    struct buf before = {0}, after = {0};
    metrics_render(*state, &before);
    FILE *f = tmpfile();
    assert_non_null(f);
    metrics_render(*state, &after);
    assert_true(value_of(after.p, "process_open_fds") ==
                value_of(before.p, "process_open_fds") + 1);
    assert_true(value_of(after.p, "process_resident_memory_bytes") > 100000);
    assert_true(value_of(after.p, "process_cpu_seconds_total") >=
                value_of(before.p, "process_cpu_seconds_total"));
    assert_true(value_of(after.p, "process_max_fds") > value_of(after.p, "process_open_fds"));
    fclose(f);
    buf_fini(&before);
    buf_fini(&after);
}

/* In whatever order rows are set, each label has one row, and it is its own. */
static void rows_are_found_in_any_order(void **state)
{
    static const char *const labels[] = {"a", "b", "c", "d"};
    static const int order[] = {0, 1, 2, 3, 0, 1, 2, 3, 3, 2, 1, 0, 2, 2, 0, 3};
    struct metrics m;
    (void)state;
    metrics_init(&m);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        metrics_set(&m, METRIC_QUOTE_AGE, labels[order[i]], NULL, 10 * order[i]);
    for (int i = 0; i < 4; i++) {
        metrics_add(&m, METRIC_QUOTE_AGE, labels[i], NULL, 1);
        assert_true(metrics_get(&m, METRIC_QUOTE_AGE, labels[i], NULL) == 10 * i + 1);
    }
    assert_int_equal(m.families[METRIC_QUOTE_AGE].len, 4);
    metrics_fini(&m);
}

static void a_row_is_forgotten(void **state)
{
    (void)state;
    struct metrics m;
    struct buf b = {0};
    metrics_init(&m);
    for (int i = 0; i < 3; i++)
        metrics_set(&m, METRIC_QUOTE_AGE, (const char *[]){"a", "b", "c"}[i], NULL, i + 1);
    metrics_forget(&m, METRIC_QUOTE_AGE, "a");
    metrics_forget(&m, METRIC_QUOTE_AGE, "a");
    metrics_render(&m, &b);
    assert_null(strstr(b.p, "symbol=\"a\""));
    assert_non_null(strstr(b.p, "symbol=\"b\"} 2"));
    assert_non_null(strstr(b.p, "symbol=\"c\"} 3"));
    metrics_set(&m, METRIC_QUOTE_AGE, "c", NULL, 4);
    assert_int_equal(m.families[METRIC_QUOTE_AGE].len, 2);
    for (int i = 0; i < 3; i++) /* all rows that begin with it go */
        metrics_set(&m, METRIC_WINDOW_LEFT, i == 1 ? "b" : "a", i == 2 ? "day" : "hour", i);
    metrics_forget(&m, METRIC_WINDOW_LEFT, "a");
    assert_int_equal(m.families[METRIC_WINDOW_LEFT].len, 1);
    assert_true(metrics_get(&m, METRIC_WINDOW_LEFT, "b", "hour") == 1);
    buf_fini(&b);
    metrics_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_found_or_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_exposition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_names_are_there_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(histograms_are_cumulative, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_process_looks_at_itself, set_up, tear_down),
        cmocka_unit_test(rows_are_found_in_any_order),
        cmocka_unit_test(a_row_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
