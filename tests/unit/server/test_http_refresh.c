/* The requests that make the feed side do something. */
#include "server_group.h"

#define OPEN_CONFIG "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
}

static void refreshes_are_joined(void **state)
{
    int before = counter(port_of(state), "refreshes");
    int fds[3];
    static const char *const paths[] = {"refresh-all", "refresh-all", "refresh-all"};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        fds[i] = dial(port_of(state));
        snprintf(text, sizeof text, "POST /data-health/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                 paths[i], i == 1 ? "Content-Length: 0\r\n" : "");
        send_text(fds[i], text);
    }
    int gone = dial(port_of(state)); /* asks, and does not wait for the answer */
    send_text(gone, "POST /data-health/refresh-all HTTP/1.1\r\nHost: localhost\r\n\r\n");
    close(gone);
    for (size_t i = 0; i < 3; i++) {
        struct reply r;
        assert_true(read_reply(fds[i], false, &r));
        json_t *j = reply_json(&r);
        json_t *market = json_object_get(json_object_get(j, "operations"), "market");
        json_t *error = json_array_get(json_object_get(j, "errors"), 0);
        assert_int_equal(r.status, 200);
        assert_string_equal(text_at(j, "status"), "partial");
        assert_true(json_is_number(json_object_get(j, "duration_seconds")));
        assert_int_equal(json_integer_value(json_object_get(market, "updated")), 2);
        assert_int_equal(json_integer_value(json_object_get(market, "failed")), 1);
        assert_int_equal(json_integer_value(json_object_get(market, "requested")), 3);
        assert_string_equal(text_at(market, "status"), "partial");
        json_t *intelligence = json_object_get(json_object_get(j, "operations"), "intelligence");
        assert_int_equal(json_integer_value(json_object_get(intelligence, "requested")), 0);
        assert_string_equal(text_at(intelligence, "status"), "success");
        assert_string_equal(text_at(error, "symbol"), "tea");
        assert_string_equal(text_at(error, "error"), "budget");
        assert_true(read_end(fds[i]));
        json_decref(j);
        reply_fini(&r);
        close(fds[i]);
    }
    assert_int_equal(counter(port_of(state), "refreshes"), before + 1);
}

/* Each route runs its own job: one with nothing to ask is done at once. */
static void each_has_its_operations(void **state)
{
    struct reply r = ask(port_of(state), "POST", "/data-health/refresh-intelligence", "");
    json_t *j = reply_json(&r), *operations = json_object_get(j, "operations");
    assert_string_equal(text_at(j, "status"), "success");
    assert_int_equal(json_object_size(operations), 1);
    assert_non_null(json_object_get(operations, "intelligence"));
    assert_int_equal(json_array_size(json_object_get(j, "errors")), 0);
    json_decref(j);
    reply_fini(&r);
}

static void market_has_only_its_own(void **state)
{
    struct reply r = ask(port_of(state), "POST", "/data-health/refresh-market", "");
    json_t *j = reply_json(&r), *operations = json_object_get(j, "operations");
    assert_int_equal(json_object_size(operations), 1);
    assert_non_null(json_object_get(operations, "market"));
    json_decref(j);
    reply_fini(&r);
}

static void jobs_are_told(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/data-health/jobs", "");
    json_t *j = reply_json(&r);
    assert_int_equal(r.status, 200);
    assert_string_equal(text_at(json_array_get(json_object_get(j, "jobs"), 0), "job"), "market");
    json_decref(j);
    reply_fini(&r);
}

static void status_tells_the_next_poll(void **state)
{
    struct reply r = ask(port_of(state), "GET", "/data-health/status", "");
    json_t *j = reply_json(&r);
    json_t *coffees = json_object_get(json_object_get(j, "categories"), "coffee_prices");
    assert_string_equal(text_at(json_object_get(coffees, "coffee"), "next_run"),
                        "2026-01-01T00:00:00.123Z");
    assert_null(json_object_get(json_object_get(coffees, "tea"), "next_run"));
    json_decref(j);
    reply_fini(&r);
}

static void unknown_providers_are_404(void **state)
{
    assert_int_equal(ask_status(port_of(state), "POST", "/data-health/reset-circuit/none", ""),
                     404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refreshes_are_joined),       cmocka_unit_test(each_has_its_operations),
        cmocka_unit_test(market_has_only_its_own),    cmocka_unit_test(jobs_are_told),
        cmocka_unit_test(status_tells_the_next_poll), cmocka_unit_test(unknown_providers_are_404),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
