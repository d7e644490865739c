/* JSON from strangers: what is refused, and where members stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "jsonx.h"
#include "seed.h"

static bool accepts(const char *text)
{
    struct err err = {{0}};
    seed_keep_text("jsonx", text);
    json_t *v = jsonx_parse(text, strlen(text), 4096, &err);
    assert_true((v == NULL) == (err.text[0] != '\0'));
    json_decref(v);
    return v != NULL;
}

static void strict_parsing(void **state)
{
    static const char *const good[] = {"{}",
                                       "[]",
                                       "1",
                                       "\"a\"",
                                       "null",
                                       " {\"a\":1} ",
                                       "-0.0",
                                       "\"[[[[[[[[[[[[[[[[[[[[[[\"",
                                       "\"\\\"[[[[[[[[[[[[[[[[[[[[\""};
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\":1}x",
                                      "NaN",
                                      "[1,]",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "1e999",
                                      "\"\xFF\"",
                                      "'a'",
                                      "\"\\u0000\"",
                                      "99999999999999999999",
                                      "<html>",
                                      "\"abc",
                                      "{\"a\":{\"b\":1,\"b\":1}}",
                                      "\"\\"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!accepts(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (accepts(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    assert_true(accepts("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"));          /* 16 */
    assert_false(accepts("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"));       /* 17 */
    assert_false(accepts("[[[[[[[[[[[[[[[[{\"a\":1}]]]]]]]]]]]]]]]]")); /* 17, mixed */
    assert_true(accepts("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
    struct err err;
    assert_null(jsonx_parse("[1,2]", 5, 4, &err));
    assert_string_equal(err.text, "5 bytes, at most 4 are taken");
    json_t *v = jsonx_parse("[1,2]", 5, 5, &err);
    assert_non_null(v);
    json_decref(v);
}

static void broken_text_tells_line_and_column(void **state)
{
    struct err err;
    (void)state;
    assert_null(jsonx_parse("{\n\"a\" 1}", 8, 100, &err));
    assert_non_null(strstr(err.text, "line 2, column"));
}

static void a_quotation_can_be_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{\"token\":\"abc",         "not JSON: premature end of input (line 1, column 13)"          },
        {"abc",                      "not JSON: invalid token (line 1, column 3)"                    },
        {"{\"a\":1,\"a\":2}",        "not JSON: duplicate object key (line 1, column 10)"            },
        {"{\"a (line 1\":1 near 'b", "not JSON: '}' expected (line 1, column 19)"                    },
        {"",                         "not JSON: unexpected token near end of file (line 1, column 0)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {""};
        assert_null(jsonx_parse(cases[i].text, strlen(cases[i].text), 100, &err));
        jsonx_drop_quotation(&err);
        assert_string_equal(err.text, cases[i].sentence);
    }
    struct err cut = {"not JSON: invalid token near 'abc"};
    jsonx_drop_quotation(&cut);
    assert_string_equal(cut.text, "not JSON: invalid token");
    jsonx_drop_quotation(NULL);
}

/* What is wrong is said on one line, and does nothing to a terminal. */
static void broken_text_is_quoted_on_one_line(void **state)
{
    static const char *const texts[] = {"\"\\\n0\"", "[\"\x1b[2J", "{\x7f}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err err;
        assert_null(jsonx_parse(texts[i], strlen(texts[i]), 100, &err));
        for (const char *p = err.text; *p; p++)
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

static void is_text(const char *p, size_t len, const char *should)
{
    assert_int_equal(len, strlen(should));
    assert_memory_equal(p, should, len);
}

static void members_keep_their_bytes(void **state)
{
    static const char text[] =
        " {\"price\" : 150.10,\"s\":\"a,\\\"}b\" , \"o\":{\"x\":[1,{\"y\":\"]\"}]},\n\"n\":null,"
        "\"a\":[],\"t\":true} ";
    static const char *const names[] = {"price", "s", "o", "n", "a", "t"};
    static const char *const values[] = {"150.10", "\"a,\\\"}b\"", "{\"x\":[1,{\"y\":\"]\"}]}",
                                         "null",   "[]",           "true"};
    struct jsonx_member m[6];
    (void)state;
    assert_true(accepts(text));
    assert_int_equal(jsonx_members(text, strlen(text), m, 6), 6);
    for (size_t i = 0; i < ARRAY_LEN(m); i++) {
        is_text(m[i].name, m[i].name_len, names[i]);
        is_text(m[i].value, m[i].value_len, values[i]);
    }
    assert_int_equal(jsonx_members(text, strlen(text), m, 5), -1);
    assert_int_equal(jsonx_members("{}", 2, m, 6), 0);
    assert_int_equal(jsonx_members("{ \n}", 4, m, 6), 0);
    assert_int_equal(jsonx_members("[1]", 3, m, 6), -1);
    assert_int_equal(jsonx_members("7", 1, m, 6), -1);
}

static bool is_member(const char *raw, const char *name)
{
    const struct jsonx_member m = {.name = raw, .name_len = strlen(raw)};
    return jsonx_member_is(&m, name);
}

static void names_are_compared_without_escapes(void **state)
{
    (void)state;
    assert_true(is_member("state", "state"));
    assert_true(is_member("st\\u0061te", "state"));
    assert_true(is_member("\\u0073\\u0074\\u0061\\u0074\\u0065", "state"));
    assert_true(is_member("a\\/b\\\"\\u004A", "a/b\"J"));
    assert_false(is_member("stat", "state"));
    assert_false(is_member("states", "state"));
    assert_false(is_member("st\\u0161te", "state"));
    assert_false(is_member("", "state"));
    assert_true(is_member("", ""));
}

static void string_members(void **state)
{
    json_t *v = json_pack("{s:s,s:i}", "a", "x", "n", 1);
    (void)state;
    assert_string_equal(jsonx_string(v, "a"), "x");
    assert_null(jsonx_string(v, "n"));
    assert_null(jsonx_string(v, "missing"));
    json_decref(v);
    assert_null(jsonx_string(NULL, "a"));
}

static void a_text_may_have_any_bytes(void **state)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        {"",                     ""                            },
        {"caf\xc3\xa9",          "caf\xc3\xa9"                 },
        {"caf\xe9",              "caf\xef\xbf\xbd"             },
        {"cut \xe2\x82",         "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff\xf0\x9f\x98\x80", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *made = jsonx_text(rows[i].bytes, strlen(rows[i].bytes));
        assert_string_equal(json_string_value(made), rows[i].text);
        json_decref(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_parsing),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(broken_text_tells_line_and_column),
        cmocka_unit_test(a_quotation_can_be_dropped),
        cmocka_unit_test(broken_text_is_quoted_on_one_line),
        cmocka_unit_test(members_keep_their_bytes),
        cmocka_unit_test(names_are_compared_without_escapes),
        cmocka_unit_test(string_members),
        cmocka_unit_test(a_text_may_have_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
