/* What a real Redis says when it is asked for everything at once, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "bus_probe.h"
#include "clock.h"
#include "redis_proc.h"

static void look_at(const struct redis_proc *redis, const char *user, bool observations,
                    struct bus_probe *out)
{
    char url[200];
    struct err err = {""};
    uv_loop_t loop;
    const struct bus_options options = {
        .url = url, .prefix = "desk:", .limits = {.connect_ms = 300, .ping_ms = 300}
    };
    snprintf(url, sizeof url, "redis://%s127.0.0.1:%d/0", user, redis->port);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(bus_probe(&loop, &options, observations, out, &err), 0);
    uv_run(&loop, UV_RUN_DEFAULT); /* nothing but its sockets can be left */
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void look(const struct redis_proc *redis, const char *user, struct bus_probe *out)
{
    look_at(redis, user, false, out);
}

static void command(const struct redis_proc *redis, const char *text)
{
    redisContext *c = redis_proc_client(redis);
    assert_non_null(c);
    redisReply *reply = redisCommand(c, text);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", text, reply->str);
    freeReplyObject(reply);
    redisFree(c);
}

static int set_up(void **state)
{
    static struct redis_proc redis;
    signal(SIGPIPE, SIG_IGN);
    redis_proc_init(&redis, true, NULL);
    redis_proc_start(&redis);
    *state = &redis;
    return 0;
}

static int tear_down(void **state)
{
    redis_proc_fini(*state);
    return 0;
}

static void test_all_that_a_redis_tells(void **state)
{
    struct bus_probe p;
    look(*state, "", &p);
    assert_true(p.reached && p.answered && p.is_local);
    assert_string_equal(p.why, "");
    for (int i = 0; i < BUS_RIGHTS_LEN; i++)
        assert_string_equal(p.errors[i], "");
    assert_true(strtol(p.version, NULL, 10) >= 6);
    assert_string_equal(p.role, "master");
    assert_string_equal(p.policy, "noeviction");
    assert_true(p.maxclients > 0 && p.clients >= 2 && p.used_bytes > 0);
    assert_int_equal(p.maxmemory_bytes, 0);
    assert_int_equal(p.pubsub_hard_bytes, 33554432);
    assert_int_equal(p.pubsub_soft_bytes, 8388608);
    assert_int_equal(p.pubsub_soft_s, 60);
    assert_true(p.has_clock);
    assert_in_range(p.ahead_ms + 2000, 0, 4000);
    assert_true(p.unsure_ms >= 1);
}

/* The rights of README's ACL line, behind a prefix: all that is needed, and nothing is told. */
static void test_a_user_with_just_the_rights(void **state)
{
    struct bus_probe p;
    command(*state, "ACL SETUSER desk on >pw resetkeys ~desk:*:price:latest ~desk:pricegate:* "
                    "resetchannels &desk:*:price:* -@all +get +set +publish +subscribe +ping");
    look(*state, "desk:pw@", &p);
    assert_true(p.reached && p.answered);
    for (int i = 0; i < BUS_RIGHTS_LEN; i++)
        assert_string_equal(p.errors[i], "");
    assert_non_null(strstr(p.info_error, "NOPERM"));
    assert_non_null(strstr(p.config_error, "NOPERM"));
    assert_non_null(strstr(p.time_error, "NOPERM"));
    assert_true(!p.version[0] && p.maxclients == -1 && p.pubsub_hard_bytes == -1 && !p.has_clock);
}

static void test_each_missing_right_is_found(void **state)
{
    struct bus_probe p;
    command(*state, "ACL SETUSER poor on >pw resetkeys ~desk:*:price:latest resetchannels &x "
                    "-@all +get +publish +subscribe +ping");
    look(*state, "poor:pw@", &p);
    assert_true(p.reached && p.answered);
    for (int i = 0; i < BUS_RIGHTS_LEN; i++)
        assert_int_equal(strstr(p.errors[i], "NOPERM") != NULL,
                         i != BUS_RIGHT_GET &&
                             (i < BUS_RIGHT_GET_OBSERVATION || i > BUS_RIGHT_PUBLISH_OBSERVATION));
}

static void test_observations_have_names_of_their_own(void **state)
{
    struct bus_probe p;
    command(*state, "ACL SETUSER prices on >pw resetkeys ~desk:*:price:latest ~desk:pricegate:* "
                    "resetchannels &desk:*:price:* -@all +get +set +publish +subscribe +ping");
    look_at(*state, "prices:pw@", true, &p);
    assert_true(p.reached && p.answered);
    for (int i = 0; i < BUS_RIGHTS_LEN; i++) {
        bool of_observations = i >= BUS_RIGHT_GET_OBSERVATION && i <= BUS_RIGHT_PUBLISH_OBSERVATION;
        assert_int_equal(strstr(p.errors[i], "NOPERM") != NULL,
                         of_observations || i == BUS_RIGHT_SUBSCRIBE);
    }
    look_at(*state, "", true, &p);
    for (int i = 0; i < BUS_RIGHTS_LEN; i++)
        assert_string_equal(p.errors[i], "");
}

static void test_it_leaves_nothing_behind(void **state)
{
    struct bus_probe p;
    look(*state, "", &p);
    redisContext *c = redis_proc_client(*state);
    for (int i = 0; i < 2; i++) {
        redisReply *ttl = redisCommand(
            c, "PTTL %s", i ? "desk:pricegate:doctor" : "desk:" BUS_PROBE_SYMBOL ":price:latest");
        assert_true(ttl->integer <= 1000 && ttl->integer != -1); /* it ends, or has ended */
        freeReplyObject(ttl);
    }
    redisFree(c);
}

static void test_why_it_cannot_be_reached(void **state)
{
    struct redis_proc *redis = *state;
    struct bus_probe p;
    look(redis, "desk:wrong@", &p);
    assert_false(p.reached);
    assert_non_null(strstr(p.why, "WRONGPASS"));

    redis_proc_signal(redis, SIGSTOP);
    int64_t begin_ms = clock_mono_ms();
    look(redis, "", &p);
    assert_true(clock_mono_ms() - begin_ms < 10000);
    redis_proc_signal(redis, SIGCONT);
    assert_false(p.reached);
    assert_non_null(strstr(p.why, "no answer for 0.3 s"));

    redis_proc_kill(redis);
    look(redis, "", &p);
    assert_false(p.reached);
    assert_non_null(strstr(p.why, "Connection refused"));
    redis_proc_start(redis);
}

static void test_a_url_that_is_none(void **state)
{
    struct bus_probe p;
    struct err err = {""};
    const struct bus_options options = {.url = "http://x", .prefix = ""};
    assert_int_equal(bus_probe(NULL, &options, false, &p, &err), -1);
    assert_non_null(strstr(err.text, "redis.url"));
    (void)state;
}

/* --- pure --- */

static void test_what_info_says(void **state)
{
    struct bus_probe p = {.maxclients = -1};
    bus_probe_read_info(&p,
                        "# Server\r\nredis_version:7.2.1\r\n# Clients\r\nconnected_clients:7\r\n"
                        "maxclients:50\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n"
                        "used_memory_rss:1\r\nused_memory:42\r\nrole:slave");
    assert_string_equal(p.version, "7.2.1");
    assert_string_equal(p.role, "slave");
    assert_string_equal(p.policy, "allkeys-lru");
    assert_int_equal(p.clients, 7);
    assert_int_equal(p.maxclients, 50);
    assert_int_equal(p.maxmemory_bytes, 100);
    assert_int_equal(p.used_bytes, 42);
    bus_probe_read_info(&p, "");
    assert_int_equal(p.clients, -1);
    assert_int_equal(p.maxclients, 50); /* CONFIG's word is kept */
    (void)state;
}

static void test_the_buffers_of_subscribers(void **state)
{
    static const char *const broken[] = {"", "normal 0 0 0", "pubsub ", "pubsub x 1 2", "pubsub"};
    struct bus_probe p;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        p = (struct bus_probe){.pubsub_hard_bytes = -1};
        bus_probe_read_buffers(&p, broken[i]);
        assert_int_equal(p.pubsub_hard_bytes, -1);
    }
    bus_probe_read_buffers(&p, "normal 1 2 3 slave 4 5 6 pubsub 7 8 9");
    assert_true(p.pubsub_hard_bytes == 7 && p.pubsub_soft_bytes == 8 && p.pubsub_soft_s == 9);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_a_redis_tells),
        cmocka_unit_test(test_a_user_with_just_the_rights),
        cmocka_unit_test(test_each_missing_right_is_found),
        cmocka_unit_test(test_observations_have_names_of_their_own),
        cmocka_unit_test(test_it_leaves_nothing_behind),
        cmocka_unit_test(test_why_it_cannot_be_reached),
        cmocka_unit_test(test_a_url_that_is_none),
        cmocka_unit_test(test_what_info_says),
        cmocka_unit_test(test_the_buffers_of_subscribers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
