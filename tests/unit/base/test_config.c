/* What a whole configuration becomes: defaults, every key, and no half one. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config_rig.h"
#include "symtab.h"

static void empty_object_has_all_defaults(void **state)
{
    const struct config *c = good(*state, "{}", NULL);
    assert_string_equal(c->listen.host, "127.0.0.1");
    assert_int_equal(c->listen.port, 8080);
    assert_int_equal(c->listen.metrics_port, -1);
    assert_null(c->listen.tls_cert);
    assert_null(c->listen.tls_key);
    assert_null(c->listen.web_root);
    assert_int_equal(c->listen.trusted_proxies_len, 0);
    assert_false(c->listen.share);
    assert_string_equal(c->redis.url, "");
    assert_string_equal(c->redis.prefix, "");
    assert_int_equal(c->auth.anonymous_role, ROLE_VIEWER);
    assert_int_equal(c->auth.keys_len, 0);
    assert_int_equal(c->origins_len, 0);
    assert_int_equal(c->limits.connections, 0);
    assert_int_equal(c->limits.connections_per_ip, 0);
    assert_int_equal(c->limits.accept_per_s, 0);
    assert_int_equal(c->limits.symbols_per_connection, 500);
    assert_int_equal(c->limits.message_bytes, 65536);
    assert_int_equal(c->limits.commands_per_minute, 240);
    assert_int_equal(c->limits.fragments, 16);
    assert_int_equal(c->limits.refused_per_minute, 100);
    assert_int_equal(c->limits.headers_ms, 5000);
    assert_int_equal(c->limits.body_ms, 10000);
    assert_int_equal(c->limits.body_bytes, 65536);
    assert_int_equal(c->limits.auth_ms, 10000);
    assert_int_equal(c->limits.idle_ms, 45000);
    assert_int_equal(c->limits.slow_ms, 30000);
    assert_int_equal(c->limits.acks_bytes, 65536);
    assert_int_equal(c->limits.refresh_ms, 5000);
    assert_int_equal(c->limits.upstream_ms, 5000);
    assert_int_equal(c->limits.upstream_bytes, 262144);
    assert_int_equal(c->limits.upstream_header_bytes, 16384);
    assert_int_equal(c->limits.redis_connect_ms, 2000);
    assert_int_equal(c->limits.redis_ping_ms, 1000);
    assert_int_equal(c->limits.redis_backoff_ms, 4000);
    assert_int_equal(c->limits.redis_in_flight, 1024);
    assert_int_equal(c->fanout.flush_ms, 10);
    assert_int_equal(c->fanout.heartbeat_ms, 20000);
    assert_int_equal(c->fanout.sndbuf_bytes, 131072);
    assert_false(c->fanout.compression);
    assert_int_equal(c->breaker.threshold, 3);
    assert_int_equal(c->breaker.timeout_s, 300);
    assert_int_equal(c->drain_s, 5);
    assert_null(c->quality.dead_letter_dir);
    assert_true(c->feeds_enabled);
    assert_true(c->log.json);
    assert_int_equal(c->log.level, LOG_INFO);
    assert_int_equal(c->instruments_len, 0);
    assert_int_equal(c->providers_len, ARRAY_LEN(rules));
}

static void instrument_defaults(void **state)
{
    const struct config *c = good(*state, "{\"instruments\":[{\"symbol\":\"EUR/USD\"}]}", NULL);
    const struct instrument *in = &c->instruments[0];
    assert_int_equal(c->instruments_len, 1);
    assert_string_equal(in->symbol, "EUR/USD");
    assert_string_equal(in->name, "EUR/USD");
    assert_string_equal(in->category, "prices");
    assert_null(in->unit);
    assert_null(in->currency);
    assert_null(in->exchange);
    assert_false(in->range_min.given);
    assert_false(in->range_max.given);
    assert_int_equal(in->poll_ms, 15000);
    assert_int_equal(in->stale_after_ms, 0);
    assert_int_equal(in->delayed_after_ms, 60000);
    assert_int_equal(in->ttl_s, 120);
    assert_true(in->max_jump_pct == 20.0);
    assert_int_equal(in->sources_len, 0);
}

static const char full[] =
    "{\"listen\":{\"host\":\"::\",\"port\":0,\"tls\":{\"cert\":\"c.pem\",\"key\":\"k.pem\"},"
    "  \"metrics_port\":9100,\"trusted_proxies\":[\"10.0.0.0/8\",\"fd00::/8\"],\"share\":true,"
    "  \"web_root\":\"/srv/web\"},"
    " \"redis\":{\"url\":\"redis://u:p%40ss@[::1]:6380/2\",\"prefix\":\"test:\"},"
    " \"auth\":{\"anonymous_role\":null,\"keys\":[{\"name\":\"ops\",\"role\":\"admin\",\"sha256\":"
    "  \"00ff102030405060708090A0b0c0d0e0f0112233445566778899aabbccddeeff\"}]},"
    " \"origins\":[\"https://app.example:8443\"],"
    " \"limits\":{\"connections\":9,\"connections_per_ip\":2,\"symbols_per_connection\":3,"
    "  \"message_bytes\":1000,\"commands_per_minute\":60,\"accept_per_s\":7},"
    " \"fanout\":{\"flush_ms\":1,\"heartbeat_ms\":100,\"sndbuf_bytes\":4096,\"compression\":false},"
    " \"breaker\":{\"threshold\":1,\"timeout_s\":1},\"drain_s\":0,"
    " \"quality\":{\"dead_letter_dir\":\"/var/lib/pricegate/dlq\"},"
    " \"log\":{\"format\":\"logfmt\",\"level\":\"debug\"},"
    " \"providers\":{\"yahoo\":{\"base_url\":\"http://127.0.0.1:9\",\"credits_per_minute\":30,"
    "  "
    "\"credits_per_day\":5000,\"credits_per_hour\":900,\"credits_per_second\":2,\"account\":\"a\","
    "\"api_key\":\"k\"},\"sim\":{\"enabled\":false}},"
    " \"instruments\":[{\"symbol\":\"coffee\",\"name\":\"Caf\\u00e9\",\"category\":\"coffee_"
    "prices\","
    "  \"unit\":\"USD/lb\",\"currency\":\"USD\",\"range\":[0.5,10],\"exchange\":\"ICE\","
    "  \"poll_ms\":100,\"stale_after_ms\":5000,\"delayed_after_ms\":0,\"ttl_s\":1,"
    "  \"max_jump_pct\":2.5,\"sources\":[{\"provider\":\"twelvedata\",\"symbol\":\"KC1\"},"
    "  {\"provider\":\"yahoo\",\"symbol\":\"KC=F\"}]}]}";

static void every_key_arrives(void **state)
{
    const struct config *c = good(*state, full, NULL);
    assert_string_equal(c->listen.host, "::");
    assert_int_equal(c->listen.port, 0);
    assert_string_equal(c->listen.tls_cert, "c.pem");
    assert_string_equal(c->listen.tls_key, "k.pem");
    assert_int_equal(c->listen.metrics_port, 9100);
    assert_int_equal(c->listen.trusted_proxies_len, 2);
    assert_string_equal(c->listen.trusted_proxies[1], "fd00::/8");
    assert_true(c->listen.share);
    assert_string_equal(c->listen.web_root, "/srv/web");
    assert_string_equal(c->redis.url, "redis://u:p%40ss@[::1]:6380/2");
    assert_string_equal(c->redis.prefix, "test:");
    assert_int_equal(c->auth.anonymous_role, ROLE_NONE);
    assert_int_equal(c->auth.keys_len, 1);
    assert_string_equal(c->auth.keys[0].name, "ops");
    assert_int_equal(c->auth.keys[0].role, ROLE_ADMIN);
    static const unsigned char digest[32] = {0x00, 0xff, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60,
                                             0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0,
                                             0xf0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                             0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    assert_memory_equal(c->auth.keys[0].sha256, digest, sizeof digest);
    assert_int_equal(c->origins_len, 1);
    assert_string_equal(c->origins[0], "https://app.example:8443");
    assert_int_equal(c->limits.connections, 9);
    assert_int_equal(c->limits.connections_per_ip, 2);
    assert_int_equal(c->limits.symbols_per_connection, 3);
    assert_int_equal(c->limits.message_bytes, 1000);
    assert_int_equal(c->limits.commands_per_minute, 60);
    assert_int_equal(c->limits.accept_per_s, 7);
    assert_int_equal(c->fanout.flush_ms, 1);
    assert_int_equal(c->fanout.heartbeat_ms, 100);
    assert_int_equal(c->fanout.sndbuf_bytes, 4096);
    assert_int_equal(c->breaker.threshold, 1);
    assert_int_equal(c->breaker.timeout_s, 1);
    assert_int_equal(c->drain_s, 0);
    assert_string_equal(c->quality.dead_letter_dir, "/var/lib/pricegate/dlq");
    assert_false(c->log.json);
    assert_int_equal(c->log.level, LOG_DEBUG);
}

static void providers_and_instruments_arrive(void **state)
{
    const struct config *c = good(*state, full, NULL);
    const struct config_provider *y = &c->providers[2];
    assert_string_equal(y->name, "yahoo");
    assert_true(y->enabled);
    assert_string_equal(y->base_url, "http://127.0.0.1:9");
    assert_string_equal(y->account, "a");
    assert_string_equal(y->api_key, "k");
    assert_int_equal(y->credits_per_minute, 30);
    assert_int_equal(y->credits_per_second, 2);
    assert_int_equal(y->credits_per_hour, 900);
    assert_int_equal(y->credits_per_day, 5000);
    assert_int_equal(c->providers[1].credits_per_second, 1);
    assert_int_equal(c->providers[1].credits_per_minute, 8);
    assert_int_equal(c->providers[1].credits_per_hour, 400);
    assert_int_equal(c->providers[1].credits_per_day, 800);

    const struct instrument *in = &c->instruments[0];
    char text[DECIMAL_TEXT_MAX];
    assert_string_equal(in->name, "Caf\xC3\xA9");
    assert_string_equal(in->category, "coffee_prices");
    assert_string_equal(in->unit, "USD/lb");
    assert_string_equal(in->currency, "USD");
    assert_string_equal(in->exchange, "ICE");
    decimal_format(in->range_min, text);
    assert_string_equal(text, "0.5");
    decimal_format(in->range_max, text);
    assert_string_equal(text, "10");
    assert_int_equal(in->poll_ms, 100);
    assert_int_equal(in->stale_after_ms, 5000);
    assert_int_equal(in->delayed_after_ms, 0);
    assert_int_equal(in->ttl_s, 1);
    assert_true(in->max_jump_pct == 2.5);
    assert_int_equal(in->sources_len, 2);
    assert_string_equal(in->sources[0].provider, "twelvedata");
    assert_int_equal(in->sources[0].provider_id, 1);
    assert_string_equal(in->sources[1].symbol, "KC=F");
    assert_int_equal(in->sources[1].provider_id, 2);
    assert_int_equal(symtab_find(c->symbols, "coffee", 6), 0);
    assert_int_equal(symtab_find(c->symbols, "tea", 3), -1);
}

static void exchanges_arrive(void **state)
{
    const struct config *c = good(
        *state,
        "{\"exchanges\":[{\"name\":\"NYSE\"},{\"name\":\"HOUSE\",\"timezone\":\"America/Lima\","
        "\"hours\":[\"Mon-Fri 09:30-16:00\",\"$SATURDAY\"],\"pre_hours\":[],"
        "\"post_hours\":[\"Fri 16:00-17:00\"],\"holidays_file\":\"h.txt\"}]}",
        (const char *const[]){"SATURDAY=Sat 09:00-12:00", NULL});
    assert_int_equal(c->exchanges_len, 2);
    const struct config_exchange *built_in = &c->exchanges[0], *house = &c->exchanges[1];
    assert_string_equal(built_in->name, "NYSE");
    assert_null(built_in->timezone);
    assert_null(built_in->hours);
    assert_null(built_in->pre_hours);
    assert_null(built_in->post_hours);
    assert_null(built_in->holidays_file);
    assert_string_equal(house->timezone, "America/Lima");
    assert_int_equal(house->hours_len, 2);
    assert_string_equal(house->hours[0], "Mon-Fri 09:30-16:00");
    assert_string_equal(house->hours[1], "Sat 09:00-12:00");
    assert_non_null(house->pre_hours); /* none at all, which is not: as built in */
    assert_int_equal(house->pre_hours_len, 0);
    assert_int_equal(house->post_hours_len, 1);
    assert_string_equal(house->holidays_file, "h.txt");
}

static void disabled_providers_say_why(void **state)
{
    const struct config *c = good(*state, "{\"providers\":{\"sim\":{\"enabled\":false}}}", NULL);
    assert_false(c->providers[0].enabled);
    assert_string_equal(c->providers[0].why_disabled, "switched off in the configuration");
    assert_false(c->providers[1].enabled);
    assert_string_equal(c->providers[1].why_disabled, "no api_key: TWELVE_DATA_API_KEY is not set");
    assert_true(c->providers[2].enabled);
    assert_null(c->providers[2].why_disabled);

    c = good(*state,
             "{\"providers\":{\"twelvedata\":{\"api_key\":\"$MY_KEY\"},"
             "\"yahoo\":{\"base_url\":\"$MY_PROXY\"}}}",
             NULL);
    assert_string_equal(c->providers[1].why_disabled, "no api_key: MY_KEY is not set");
    assert_false(c->providers[2].enabled);
    assert_string_equal(c->providers[2].why_disabled, "no base_url: MY_PROXY is not set");
}

static void broken_json_gives_line_and_column(void **state)
{
    const char *problems = bad(*state, "{\n  \"listen\": {\"port\" 1}\n}", NULL);
    assert_non_null(strstr(problems, "line 2, column"));
    assert_non_null(strstr(bad(*state, "", NULL), "line 1"));
    assert_non_null(strstr(bad(*state, "{\"drain_s\":1,\"drain_s\":2}", NULL), "duplicate"));
    assert_string_equal(bad(*state, "[]", NULL),
                        "(the whole file): must be an object, not a list\n");
}

static void secrets_are_not_repeated(void **state)
{
    const char *problems = bad(*state,
                               "{\"redis\":{\"url\":\"http://:hunter2@h\"},\"auth\":{\"keys\":["
                               "{\"name\":\"n\",\"role\":\"admin\",\"sha256\":\"hunter2\"}]},"
                               "\"providers\":{\"twelvedata\":{\"api_key\":\"hunter2\\n\"}}}",
                               NULL);
    assert_null(strstr(problems, "hunter2"));
    assert_non_null(strstr(problems, "redis.url: "));
    assert_non_null(strstr(problems, "auth.keys[0].sha256: "));
    assert_non_null(strstr(problems, "providers.twelvedata.api_key: "));
}

static long allocations_left;

static void *failing_malloc(size_t n)
{
    return allocations_left-- > 0 ? malloc(n) : NULL;
}

/* Every allocation of the JSON library fails once: no configuration that lacks something may come
 * out, and nothing may leak. */
static void out_of_memory_is_no_configuration(void **state)
{
    struct fixture *f = *state;
    static const char *const env[] = {"PRICEGATE_DRAIN_S=7", NULL};
    long n = 0;
    json_set_alloc_funcs(failing_malloc, free);
    for (const struct config *c = NULL; !c; n++) {
        allocations_left = n;
        c = load(f, full, env);
        if (c) {
            assert_int_equal(c->drain_s, 7);
            assert_int_equal(c->listen.metrics_port, 9100);
            assert_string_equal(c->origins[0], "https://app.example:8443");
            assert_int_equal(c->instruments[0].sources_len, 2);
            assert_true(allocations_left >= 0);
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(n > 100);
}

static void a_provider_is_used_where_it_is_in_a_chain(void **state)
{
    const struct config *c = good(
        *state,
        "{\"instruments\":[{\"symbol\":\"A\",\"sources\":[]},{\"symbol\":\"B\",\"sources\":"
        "[{\"provider\":\"sim\",\"symbol\":\"B\"},{\"provider\":\"yahoo\",\"symbol\":\"B\"}]}]}",
        NULL);
    assert_true(config_uses(c, 0));
    assert_false(config_uses(c, 1)); /* twelvedata */
    assert_true(config_uses(c, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_object_has_all_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(instrument_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_key_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(providers_and_instruments_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exchanges_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(disabled_providers_say_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_json_gives_line_and_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_not_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_provider_is_used_where_it_is_in_a_chain, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(out_of_memory_is_no_configuration, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
