/* What only a restart can change stays as it was, and is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config_keep.h"
#include "config_rig.h"
#include "config_settings.h"

static struct config *must_load(const char *text)
{
    struct fixture f = {0};
    struct config *c = load(&f, text, NULL);
    assert_non_null(c);
    buf_fini(&f.problems);
    buf_fini(&f.warnings);
    return c;
}

static const char before[] = "{\"listen\":{\"host\":\"127.0.0.1\",\"port\":8080},\"drain_s\":3}";
static const char after[] =
    "{\"listen\":{\"host\":\"::1\",\"port\":8081,\"metrics_host\":\"::1\",\"metrics_port\":1,"
    "\"share\":true,"
    "\"tls\":{\"cert\":\"c\",\"key\":\"k\"}},\"drain_s\":4,"
    "\"redis\":{\"url\":\"rediss://a\",\"prefix\":\"p:\","
    "\"tls\":{\"ca\":\"a\",\"cert\":\"c\",\"key\":\"k\"}},"
    "\"fanout\":{\"compression\":true,\"sndbuf_bytes\":5000},"
    "\"limits\":{\"headers_ms\":100,\"body_ms\":100,\"redis_connect_ms\":100,\"redis_ping_ms\":100,"
    "\"redis_backoff_ms\":100,\"redis_in_flight\":16,\"upstream_public\":true}}";

static void every_such_setting_is_kept_and_named(void **state)
{
    (void)state;
    struct config *a = must_load(before), *b = must_load(after);
    json_t *differed = config_keep(a, b);
    assert_non_null(differed);
    size_t marked = 1; /* listen.tls is no row */
    for (size_t i = 0; i < config_settings_len; i++)
        marked += (config_settings[i].flags & CONFIG_AT_START) != 0;
    assert_int_equal(json_array_size(differed), marked);
    json_decref(differed);
    assert_string_equal(b->listen.host, "127.0.0.1");
    assert_int_equal(b->listen.port, 8080);
    assert_int_equal(b->listen.metrics_port, -1);
    assert_null(b->listen.tls_cert);
    assert_null(b->listen.tls_key);
    assert_string_equal(b->redis.url, "");
    assert_false(b->fanout.compression);
    assert_int_equal(b->limits.headers_ms, 5000);
    assert_int_equal(b->drain_s, 4); /* this one is not at start */
    config_free(a);                  /* b has copies */
    assert_string_equal(b->listen.host, "127.0.0.1");

    struct config *c = must_load(after);
    differed = config_keep(c, b);
    assert_int_equal(json_array_size(differed), marked); /* and back */
    json_decref(differed);
    assert_string_equal(b->listen.tls_cert, "c");
    assert_string_equal(b->redis.url, "rediss://a");
    differed = config_keep(c, b);
    assert_int_equal(json_array_size(differed), 0);
    json_decref(differed);
    config_free(b);
    config_free(c);
}

/* The paths of a certificate may change, as long as there is one. */
static void another_certificate_is_no_such_setting(void **state)
{
    (void)state;
    struct config *a = must_load("{\"listen\":{\"tls\":{\"cert\":\"a\",\"key\":\"a\"}}}");
    struct config *b = must_load("{\"listen\":{\"tls\":{\"cert\":\"b\",\"key\":\"b\"}}}");
    json_t *differed = config_keep(a, b);
    assert_int_equal(json_array_size(differed), 0);
    assert_string_equal(b->listen.tls_cert, "b");
    json_decref(differed);
    config_free(a);
    config_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_such_setting_is_kept_and_named),
        cmocka_unit_test(another_certificate_is_no_such_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
