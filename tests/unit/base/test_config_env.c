/* Values from the environment: variables that win over the file, and "$NAME" in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "config_rig.h"

static void key_of_a_provider(void **state)
{
    static const char text[] = "{\"providers\":{\"twelvedata\":{\"api_key\":\"$MY_KEY\"}}}";
    static const char *const mine[] = {"MY_KEY=one", NULL};
    static const char *const usual[] = {"MY_KEY=one", "TWELVE_DATA_API_KEY=two", NULL};
    static const char *const own[] = {"MY_KEY=one", "TWELVE_DATA_API_KEY=two",
                                      "PRICEGATE_PROVIDERS_TWELVEDATA_API_KEY=three", NULL};
    static const char *const empty[] = {"TWELVE_DATA_API_KEY=", NULL};
    assert_string_equal(good(*state, text, mine)->providers[1].api_key, "one");
    assert_string_equal(good(*state, text, usual)->providers[1].api_key, "two");
    assert_string_equal(good(*state, text, own)->providers[1].api_key, "three");
    const struct config_provider *p = &good(*state, "{}", empty)->providers[1];
    assert_null(p->api_key);
    assert_string_equal(p->why_disabled, "no api_key: TWELVE_DATA_API_KEY is not set");
}

static void dollar_strings(void **state)
{
    static const char *const env[] = {"HOST=10.0.0.1", "PORT=81", "SHARE=yes",
                                      "O=https://a.b", "EMPTY=",  NULL};
    const struct config *c =
        good(*state,
             "{\"listen\":{\"host\":\"$HOST\",\"port\":\"$PORT\",\"share\":\"$SHARE\"},"
             "\"redis\":{\"url\":\"$EMPTY\",\"prefix\":\"$$p\"},\"origins\":[\"$O\"]}",
             env);
    assert_string_equal(c->listen.host, "10.0.0.1");
    assert_int_equal(c->listen.port, 81);
    assert_true(c->listen.share);
    assert_string_equal(c->redis.url, "");
    assert_string_equal(c->redis.prefix, "$p");
    assert_string_equal(c->origins[0], "https://a.b");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$NO\"},\"origins\":[\"$NO\"]}", env),
                        "listen.host: environment variable NO is not set: set it (in "
                        "secrets.env under systemd), or write the value here\n"
                        "origins[0]: environment variable NO is not set: set it (in "
                        "secrets.env under systemd), or write the value here\n");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$EMPTY\",\"port\":\"$HOST\"}}", env),
                        "listen.host: environment variable EMPTY is not set: set it (in "
                        "secrets.env under systemd), or write the value here\n"
                        "listen.port: must be a whole number 0..65535, not \"10.0.0.1\"\n");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$\"}}", env),
                        "listen.host: must name an environment variable behind the $; a text that "
                        "begins with $ is written with $$\n");
}

static void environment_wins(void **state)
{
    static const char *const env[] = {"PRICEGATE_LISTEN_PORT=1234",
                                      "PRICEGATE_FANOUT_FLUSH_MS=50",
                                      "PRICEGATE_LISTEN_TLS_CERT=c",
                                      "PRICEGATE_LISTEN_TLS_KEY=k",
                                      "PRICEGATE_LISTEN_SHARE=on",
                                      "PRICEGATE_PROVIDERS_YAHOO_BASE_URL=http://h:1",
                                      "PRICEGATE_AUTH_ANONYMOUS_ROLE=null",
                                      "PRICEGATE_LOG_FORMAT=logfmt",
                                      "REDIS_URL=unix:///run/r?db=3",
                                      "REALTIME_PRICE_FEED_ENABLED=false",
                                      "DATA_PIPELINE_CIRCUIT_BREAKER_THRESHOLD=9",
                                      "DATA_PIPELINE_CIRCUIT_BREAKER_TIMEOUT_S=8",
                                      "PRICEGATE_LISTEN_HOST=",
                                      "PRICEGATE_CONFIG=x.json",
                                      "PERPLEXITY_API_KEY=p",
                                      "MARKET_REFRESH_TIMES=06:00, 18:30",
                                      "AUTO_ENRICH_TIME=03:15",
                                      "DATA_PIPELINE_MAX_RETRIES=4",
                                      NULL};
    struct fixture *f = *state;
    const struct config *c = good(f, "{\"listen\":{\"port\":1,\"host\":\"h\"}}", env);
    assert_int_equal(c->listen.port, 1234);
    assert_string_equal(c->listen.host, "h");
    assert_int_equal(c->fanout.flush_ms, 50);
    assert_string_equal(c->listen.tls_cert, "c");
    assert_string_equal(c->listen.tls_key, "k");
    assert_true(c->listen.share);
    assert_string_equal(c->providers[2].base_url, "http://h:1");
    assert_int_equal(c->auth.anonymous_role, ROLE_NONE);
    assert_false(c->log.json);
    assert_string_equal(c->redis.url, "unix:///run/r?db=3");
    assert_false(c->feeds_enabled);
    assert_int_equal(c->breaker.threshold, 9);
    assert_int_equal(c->breaker.timeout_s, 8);
    assert_int_equal(c->jobs.max_retries, 4);
    assert_int_equal(c->jobs.market.times_len, 2);
    assert_string_equal(c->jobs.market.times[0], "06:00");
    assert_string_equal(c->jobs.market.times[1], "18:30");
    assert_int_equal(c->jobs.enrich.times_len, 1);
    assert_string_equal(c->jobs.enrich.times[0], "03:15");
    assert_int_equal(c->jobs.intelligence.times_len, 0);
    assert_string_equal(text_of(&f->warnings), "");
}

static void own_names_win_over_common_ones(void **state)
{
    static const char *const env[] = {"PRICEGATE_REDIS_URL=", "REDIS_URL=redis://a", NULL};
    static const char *const off[] = {"REDIS_URL=", NULL};
    static const char text[] = "{\"redis\":{\"url\":\"redis://b\"}}";
    assert_string_equal(good(*state, text, env)->redis.url, "");
    assert_string_equal(good(*state, text, off)->redis.url, "");
    assert_string_equal(good(*state, text, NULL)->redis.url, "redis://b");
}

static void bad_variables_are_named(void **state)
{
    static const char *const env[] = {"PRICEGATE_LISTEN_PORT=99999",
                                      "REDIS_URL=http://u:secret@h",
                                      "REALTIME_PRICE_FEED_ENABLED=perhaps",
                                      "PRICEGATE_LISTEN_METRICS_PORT=12x",
                                      "MARKET_REFRESH_TIMES=06:00,,24:00 ",
                                      "INTELLIGENCE_REFRESH_TIMES=\xFF",
                                      "PRICEGATE_AUTH_JWT_SECRET=s",
                                      "PRICEGATE_AUTH_JWT_ALG=RS256",
                                      NULL};
    const char *problems = bad(*state, "{\"drain_s\":-1}", env);
    assert_string_equal(
        problems,
        "drain_s: must be 0..300, not -1\n"
        "REALTIME_PRICE_FEED_ENABLED: must be true or false, not \"perhaps\"\n"
        "INTELLIGENCE_REFRESH_TIMES (jobs.intelligence.times): is not UTF-8\n"
        "MARKET_REFRESH_TIMES[1] (jobs.market.times): must not be empty\n"
        "MARKET_REFRESH_TIMES[2] (jobs.market.times): must be a time of day, 00:00 to 23:59, as "
        "06:30, not \"24:00\"\n"
        "PRICEGATE_LISTEN_METRICS_PORT (listen.metrics_port): must be a whole number 0..65535, not "
        "\"12x\"\n"
        "PRICEGATE_LISTEN_PORT (listen.port): must be 0..65535, not 99999\n"
        "REDIS_URL (redis.url): must be \"\" (the embedded bus), "
        "redis://[user:pass@]host[:port][/db], the "
        "same with rediss:// (TLS), or unix:///path[?db=N]\n"
        "auth.jwt.public_key_file: is required for RS256 and ES256\n"
        "auth.jwt.secret: is for HS256 only\n");
    assert_null(strstr(problems, "secret@"));
}

static void unknown_variables_are_warned_about(void **state)
{
    static const char *const env[] = {"PRICEGATE_LISTEN_PROT=1",
                                      "PRICEGATE_XYZZY=2",
                                      "PRICEGATE_ORIGINS=https://a.b",
                                      "PRICEGATER=3",
                                      "PRICEGATE_PROVIDERS_YAHO_ENABLED=false",
                                      NULL};
    struct fixture *f = *state;
    good(f, "{}", env);
    assert_string_equal(
        text_of(&f->warnings),
        "PRICEGATE_LISTEN_PROT: not a setting, ignored (did you mean PRICEGATE_LISTEN_PORT?)\n"
        "PRICEGATE_XYZZY: not a setting, ignored\n"
        "PRICEGATE_ORIGINS: not a setting, ignored\n"
        "PRICEGATE_PROVIDERS_YAHO_ENABLED: not a setting, ignored (did you mean "
        "PRICEGATE_PROVIDERS_YAHOO_ENABLED?)\n");
}

static void variables_must_be_utf8(void **state)
{
    static const char *const env[] = {"BAD=\xFF", NULL};
    assert_string_equal(bad(*state,
                            "{\"origins\":[\"https://a.b\",\"$BAD\"],\"listen\":{"
                            "\"web_root\":\"$BAD\"}}",
                            env),
                        "listen.web_root: is not UTF-8\norigins[1]: is not UTF-8\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(key_of_a_provider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dollar_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(environment_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(own_names_win_over_common_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_variables_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_variables_are_warned_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(variables_must_be_utf8, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
