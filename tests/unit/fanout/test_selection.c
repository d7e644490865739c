/* Lists of symbols by table: what they resolve to, what is refused by name, what as a whole. */
#include "rig.h"

#include "selection.h"

static void test_lists(void **state)
{
    static const struct {
        const char *symbols; /* the member's JSON, NULL = absent */
        enum selection_result result;
        const char *order; /* ids in order */
        const char *rejected;
    } rows[] = {
        {"[]",                              SELECTION_OK,        "",     ""                 },
        {"[\"coffee\"]",                    SELECTION_OK,        "0",    ""                 },
        {"[\"AAPL\",\"coffee\",\"AAPL\"]",  SELECTION_OK,        "30",   ""                 },
        {"[\"*\"]",                         SELECTION_OK,        "0123", ""                 },
        {"[\"AAPL\",\"EUR/*\",\"*\"]",      SELECTION_OK,        "3120", ""                 },
        {"[\"XAU/*\"]",                     SELECTION_OK,        "",     ""                 },
        {"[\"coffee\",\"FOO\",\"Coffee\"]", SELECTION_OK,        "0",    "FOO Coffee "      },
        {"[\"\",\"co ffee\",\"coffee \"]",  SELECTION_OK,        "",     " co ffee coffee  "},
        {"[\"co*ee\"]",                     SELECTION_MALFORMED, "",     ""                 },
        {"[\"**\"]",                        SELECTION_MALFORMED, "",     ""                 },
        {"[\"*coffee\"]",                   SELECTION_MALFORMED, "",     ""                 },
        {"[\"c ff*\"]",                     SELECTION_MALFORMED, "",     ""                 },
        {"[\"coffee\",1]",                  SELECTION_MALFORMED, "",     ""                 },
        {"[\"coffee\",null]",               SELECTION_MALFORMED, "",     ""                 },
        {"\"coffee\"",                      SELECTION_MALFORMED, "",     ""                 },
        {"{\"coffee\":1}",                  SELECTION_MALFORMED, "",     ""                 },
        {"null",                            SELECTION_MALFORMED, "",     ""                 },
        {NULL,                              SELECTION_MALFORMED, "",     ""                 },
    };
    struct rig r;
    (void)state;
    rig_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct selection s;
        struct err err = {{0}};
        json_t *root = json_object();
        char order[8] = "", rejected[64] = "";
        size_t k;
        json_t *v;
        if (rows[i].symbols)
            json_object_set_new(root, "symbols",
                                json_loads(rows[i].symbols, JSON_DECODE_ANY, NULL));
        assert_int_equal(selection_init(&s, &r.config, NULL, root, &err), rows[i].result);
        assert_int_equal(err.text[0] != '\0', rows[i].result == SELECTION_MALFORMED);
        for (size_t n = 0; n < s.order_len; n++)
            snprintf(order + n, 2, "%d", s.order[n]);
        assert_string_equal(order, rows[i].order);
        buf_addc(&s.rejected, ']');
        struct buf array = {0};
        buf_addc(&array, '[');
        buf_add(&array, s.rejected.p, s.rejected.len);
        json_t *list = json_loads(array.p, 0, NULL);
        json_array_foreach(list, k, v)
        {
            snprintf(rejected + strlen(rejected), sizeof rejected - strlen(rejected), "%s ",
                     json_string_value(json_object_get(v, "symbol")));
            assert_string_equal(json_string_value(json_object_get(v, "error")), "unknown_symbol");
        }
        assert_string_equal(rejected, rows[i].rejected);
        json_decref(list);
        buf_fini(&array);
        selection_fini(&s);
        json_decref(root);
    }
    rig_fini(&r);
}

static void test_too_many_names(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    r.config.limits.symbols_per_connection = 2;
    for (size_t n = 1026; n <= 1027; n++) {
        struct selection s;
        struct err err = {{0}};
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list, json_string("coffee"));
        json_t *root = json_pack("{s:o}", "symbols", list);
        assert_int_equal(selection_init(&s, &r.config, NULL, root, &err),
                         n == 1026 ? SELECTION_OK : SELECTION_MALFORMED);
        selection_fini(&s);
        json_decref(root);
    }
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_too_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
