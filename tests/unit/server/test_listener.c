/* Ports: the second one, one that is taken, one that is shared. */
#include "server_group.h"

#define OPEN_CONFIG "{\"listen\":{\"port\":0}," RIG_INSTRUMENTS "}"

static int start(void **state)
{
    return start_group(state, OPEN_CONFIG);
}

static void a_start_that_fails_says_why(void **state)
{
    static const struct {
        const char *host, *says;
        bool metrics_port; /* that one is taken, not listen.port */
    } cases[] = {
        {"127.0.0.1",            ": address in use", false},
        {"127.0.0.1",            ": address in use", true },
        {"192.0.2.1",            ": ",               false},
        {"no-such-host.invalid", ": cannot resolve", false},
    };
    int taken = port_of(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char says[128], config[2048];
        struct child c = {0};
        struct err err = {""};
        snprintf(says, sizeof says, "%s:%d%s", cases[i].host, taken, cases[i].says);
        snprintf(config, sizeof config,
                 "{\"listen\":{\"host\":\"%s\",\"port\":%d,\"metrics_port\":%d}," RIG_INSTRUMENTS
                 "}",
                 cases[i].host, cases[i].metrics_port ? 0 : taken,
                 cases[i].metrics_port ? taken : free_port());
        assert_int_equal(child_open(&c, config, &err), -1);
        if (!strstr(err.text, says))
            fail_msg("\"%s\" does not say \"%s\"", err.text, says);
        child_closed(&c);
        child_fini(&c);
    }
}

static void the_plain_port_has_three_routes(void **state)
{
    (void)state;
    char config[2048];
    int port = free_port();
    snprintf(config, sizeof config, "{\"listen\":{\"port\":0,\"metrics_port\":%d}," RIG_KEYS "}",
             port);
    /* the rig needs its instruments */
    snprintf(strrchr(config, '}'), 1024, "," RIG_INSTRUMENTS "}");
    struct served s = start_server(config);
    struct reply r = ask(port, "GET", "/metrics", "");
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "pricegate_quote_age_seconds{symbol=\"coffee\"}"));
    assert_non_null(strstr(r.body.p, "\npricegate_quote_state{symbol=\"coffee\"} 0\n"));
    assert_non_null(strstr(r.body.p, "\npricegate_market_state{symbol=\"coffee\"} 1\n"));
    assert_non_null(strstr(r.body.p, "\npricegate_certificate_expires_timestamp_seconds 0\n"));
    assert_non_null(strstr(r.body.p, "\npricegate_bus_up 1\n"));
    reply_fini(&r);
    assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    assert_int_equal(ask_status(port, "GET", "/readyz", ""), 200);
    assert_int_equal(ask_status(port, "GET", "/api/v1/quotes", ""), 404);
    assert_int_equal(ask_status(port, "GET", "/", ""), 404);
    assert_int_equal(ask_status(port, "GET", "/ws", ""), 404);
    /* behind a proxy the main port does not give them away */
    assert_int_equal(ask_status(s.port, "GET", "/metrics", "X-Forwarded-For: 1.2.3.4\r\n"), 401);
    stop_server(&s);
}

static void two_processes_share_a_port_when_told(void **state)
{
    (void)state;
    char config[2048];
    int port = free_port();
    snprintf(config, sizeof config, "{\"listen\":{\"port\":%d,\"share\":true}," RIG_INSTRUMENTS "}",
             port);
    struct served a = start_server(config), b = start_server(config);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    stop_server(&a);
    assert_int_equal(ask_status(port, "GET", "/healthz", ""), 200);
    stop_server(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_that_fails_says_why),
        cmocka_unit_test(the_plain_port_has_three_routes),
        cmocka_unit_test(two_processes_share_a_port_when_told),
    };
    return cmocka_run_group_tests(tests, start, stop_group);
}
