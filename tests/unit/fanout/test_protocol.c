/* Reading of messages by table; the replies are tested where they are sent (test_command). */
#include "rig.h"

#include "protocol.h"
#include "scarce.h"
#include "seed.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int rc;
        enum protocol_action action;
        const char *id; /* as kept */
        bool snapshot;
    } rows[] = {
        {"{\"action\":\"ping\"}",                                        0,  ACTION_PING,      "",           true },
        {"{\"action\":\"list\",\"id\":7}",                               0,  ACTION_LIST,      "7",          true },
        {"{\"action\":\"list\",\"id\":-9223372036854775808}",            0,  ACTION_LIST,
         "-9223372036854775808",                                                                             true },
        {"{\"action\":\"reset\",\"id\":\"a\\\"b\"}",                     0,  ACTION_RESET,     "\"a\\\"b\"", true },
        {"{\"action\":\"auth\",\"id\":\"\"}",                            0,  ACTION_AUTH,      "\"\"",       true },
        {"{\"action\":\"subscribe\",\"snapshot\":false,\"new\":1}",      0,  ACTION_SUBSCRIBE, "",           false},
        {"{\"action\":\"subscribe\",\"snapshot\":0}",                    -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"snapshot\":0}",                         0,  ACTION_PING,      "",           true },
        {"{\"action\":\"fly\",\"id\":3}",                                -1, 0,                "3",          true },
        {"{\"action\":\"a\\r\\nb\",\"id\":3}",                           -1, 0,                "3",          true },
        {"{\"action\":1,\"id\":3}",                                      -1, 0,                "3",          true },
        {"{\"id\":3}",                                                   -1, 0,                "3",          true },
        {"{\"action\":\"ping\",\"id\":null}",                            -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"id\":1.0}",                             -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"id\":[1]}",                             -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"id\":true}",                            -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"action\":\"ping\"}",                    -1, 0,                "",           true },
        {"[\"ping\"]",                                                   -1, 0,                "",           true },
        {"\"ping\"",                                                     -1, 0,                "",           true },
        {"",                                                             -1, 0,                "",           true },
        {"{\"action\":\"ping\"",                                         -1, 0,                "",           true },
        {"{\"action\":\"ping\"} {}",                                     -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", -1, 0,                "",           true },
        {"{\"action\":\"ping\",\"x\":\"\xff\"}",                         -1, 0,                "",           true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command c;
        struct err err = {{0}};
        seed_keep_text("protocol", rows[i].text);
        seed_keep_text("fanout", rows[i].text);
        int rc = protocol_parse(&c, rows[i].text, strlen(rows[i].text), 65536, &err);
        if (rc != rows[i].rc)
            fail_msg("%s: %d (%s)", rows[i].text, rc, err.text);
        assert_string_equal(c.id, rows[i].id);
        if (rc == 0) {
            assert_int_equal(c.action, rows[i].action);
            assert_int_equal(c.snapshot, rows[i].snapshot);
        } else {
            assert_true(err.text[0] != '\0');
            assert_null(strpbrk(err.text, "\r\n")); /* one line, whatever came */
        }
        command_fini(&c);
    }
}

static void test_id_length(void **state)
{
    (void)state;
    for (int len = 63; len <= 66; len++)
        for (int wide = 0; wide < 2; wide++) {
            char text[600];
            struct command c;
            int at = snprintf(text, sizeof text, "{\"action\":\"ping\",\"id\":\"");
            for (int i = 0; i < len; i++)
                at += snprintf(text + at, sizeof text - (size_t)at, "%s", wide ? "\\u0001" : "x");
            snprintf(text + at, sizeof text - (size_t)at, "\"}");
            int rc = protocol_parse(&c, text, strlen(text), 65536, NULL);
            assert_int_equal(rc, len <= 64 ? 0 : -1);
            command_fini(&c);
        }
}

static void test_subscribe_options(void **state)
{
    static const struct {
        const char *members;
        int rc;
        int64_t interval_ms;
    } rows[] = {
        {"",                                                  0,  0      },
        {",\"snapshot\":true",                                0,  0      },
        {",\"interval_ms\":0",                                0,  0      },
        {",\"interval_ms\":3600000",                          0,  3600000},
        {",\"interval_ms\":3600001",                          -1, 0      },
        {",\"interval_ms\":-1",                               -1, 0      },
        {",\"interval_ms\":1.5",                              -1, 0      },
        {",\"interval_ms\":null",                             -1, 0      },
        {",\"fields\":[\"price\"],\"since\":{\"A\":\"1:1\"}", 0,  0      },
        {",\"fields\":\"price\"",                             -1, 0      },
        {",\"since\":[]",                                     -1, 0      },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        struct command c;
        struct err err = {{0}};
        snprintf(text, sizeof text, "{\"action\":\"subscribe\"%s}", rows[i].members);
        seed_keep_text("protocol", text);
        seed_keep_text("fanout", text);
        int rc = protocol_parse(&c, text, strlen(text), 65536, &err);
        if (rc != rows[i].rc)
            fail_msg("%s: %d (%s)", text, rc, err.text);
        if (rc == 0)
            assert_int_equal(c.interval_ms, rows[i].interval_ms);
        command_fini(&c);
    }
}

static void test_id_without_memory(void **state)
{
    static const char text[] = "{\"action\":\"ping\",\"id\":\"a\"}";
    struct command c;
    struct err err;
    (void)state;
    scarce_begin(0, SCARCE_ONCE);
    int rc = protocol_parse(&c, text, sizeof text - 1, 65536, &err);
    assert_true(scarce_end());
    assert_int_equal(rc, -1);
    assert_string_equal(err.text, "out of memory");
    command_fini(&c);
}

static void test_what_is_written(void **state)
{
    const struct instrument instruments[] = {{.symbol = "A"}, {.symbol = "B"}, {.symbol = "C"}};
    const struct config config = {.instruments = instruments, .instruments_len = 3};
    struct buf out = {0}, rejected = {0};
    struct bits ids;
    (void)state;
    assert_int_equal(bits_init(&ids, 3), 0);
    bits_set(&ids, 0);
    bits_set(&ids, 2);
    protocol_add_rejected(&rejected, "X", "unknown_symbol", "no such");
    protocol_add_rejected(&rejected, "Y", "unknown_symbol", "no such");
    protocol_begin(&out, TYPE_SUBSCRIBED, "7");
    protocol_add_symbols(&out, "symbols", &config, &ids);
    protocol_add_array(&out, "rejected", &rejected);
    protocol_end(&out);
    assert_string_equal(
        out.p, "{\"type\":\"subscribed\",\"id\":7,\"symbols\":[\"A\",\"C\"],\"rejected\":["
               "{\"symbol\":\"X\",\"error\":\"unknown_symbol\",\"message\":\"no such\"},"
               "{\"symbol\":\"Y\",\"error\":\"unknown_symbol\",\"message\":\"no such\"}]}");
    buf_clear(&out);
    protocol_add_time(&out, TYPE_PONG, "", 1767225600000);
    assert_non_null(strstr(out.p, "{\"type\":\"pong\","));
    bits_fini(&ids);
    buf_fini(&out);
    buf_fini(&rejected);
}

static void test_message_bytes(void **state)
{
    static const char text[] = "{\"action\":\"ping\"}";
    struct command c;
    (void)state;
    assert_int_equal(protocol_parse(&c, text, sizeof text - 1, sizeof text - 1, NULL), 0);
    command_fini(&c);
    assert_int_equal(protocol_parse(&c, text, sizeof text - 1, sizeof text - 2, NULL), -1);
    command_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_id_length),
        cmocka_unit_test(test_subscribe_options),
        cmocka_unit_test(test_id_without_memory),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_message_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
