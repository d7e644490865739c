/* Reading of messages by table; the replies are tested where they are sent (test_command). */
#include "rig.h"

#include "protocol.h"
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
        int rc = protocol_parse(&c, rows[i].text, strlen(rows[i].text), 65536, &err);
        if (rc != rows[i].rc)
            fail_msg("%s: %d (%s)", rows[i].text, rc, err.text);
        assert_string_equal(c.id, rows[i].id);
        if (rc == 0) {
            assert_int_equal(c.action, rows[i].action);
            assert_int_equal(c.snapshot, rows[i].snapshot);
        } else {
            assert_true(err.text[0] != '\0');
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
        cmocka_unit_test(test_message_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
