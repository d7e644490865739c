/* Field sets are shared, and cuts are bytes of the item. */
#include "rig.h"

#include "fields.h"
#include "fragment.h"

static struct fields *get(struct field_sets *sets, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    assert_non_null(list);
    assert_true(fields_valid(list));
    struct fields *x = fields_get(sets, list);
    assert_non_null(x);
    json_decref(list);
    return x;
}

static void test_valid(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"[]",                                      true },
        {"[\"price\",\"anything at all\"]",         true },
        {"[\"12345678901234567890123456789012\"]",  true },
        {"[\"123456789012345678901234567890123\"]", false},
        {"[\"a\\u0000b\"]",                         false},
        {"[1]",                                     false},
        {"[[\"price\"]]",                           false},
        {"{\"price\":true}",                        false},
        {"\"price\"",                               false},
        {"null",                                    false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *j = json_loads(rows[i].text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(j);
        assert_int_equal(fields_valid(j), rows[i].valid);
        json_decref(j);
    }
    json_t *many = json_array();
    for (int i = 0; i < FIELDS_NAMES_MAX; i++)
        json_array_append_new(many, json_sprintf("f%d", i));
    assert_true(fields_valid(many));
    struct field_sets sets = {0};
    struct fields *x = fields_get(&sets, many);
    assert_non_null(x);
    assert_int_equal(x->len, FIELDS_NAMES_MAX + 2);
    fields_unref(x);
    json_array_append_new(many, json_string("one more"));
    assert_false(fields_valid(many));
    json_decref(many);
}

static void test_shared(void **state)
{
    struct field_sets sets = {0};
    (void)state;
    struct fields *a = get(&sets, "[\"ts\",\"price\",\"ts\"]");
    struct fields *b = get(&sets, "[\"price\",\"symbol\",\"ts\"]");
    struct fields *c = get(&sets, "[\"state\",\"price\"]");
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_false(a->state);
    assert_true(c->state);
    uint64_t serial = a->serial;
    fields_unref(a);
    assert_ptr_equal(sets.list->next, b);
    fields_unref(b);
    fields_unref(c);
    assert_null(sets.list);
    a = get(&sets, "[\"price\",\"ts\"]");
    assert_true(a->serial > serial); /* cuts of the old one may still be about */
    fields_unref(a);
}

static struct item *parse(struct rig *r, const char *text)
{
    struct item *it = item_parse(text, strlen(text), INSTRUMENT_QUOTE, "coffee", r->wall_ms, NULL);
    assert_non_null(it);
    return it;
}

static void expect_cut(struct rig *r, const char *fields, const char *item, const char *want)
{
    struct field_sets sets = {0};
    struct fields *x = get(&sets, fields);
    struct book_entry e = {.item = parse(r, item)};
    struct fragment part = fragment_of(&e, x);
    assert_false(part.failed);
    assert_int_equal(part.len, strlen(want));
    assert_memory_equal(part.p, want, part.len);
    assert_ptr_equal(fragment_of(&e, x).p, part.p); /* made once */
    assert_ptr_equal(fragment_of(&e, NULL).p, e.item->bytes);
    fragment_forget(&e);
    item_unref(e.item);
    fields_unref(x);
}

static void test_cut(void **state)
{
    static const char odd[] =
        "{ \"price\" : 150.10 ,\"x\":{\"price\":[1,{}]}, \"symbol\": \"coffee\",\n\t\"odd\" : [1e5 "
        ",\"]\"] ,\"t\\u0073\":1}";
    struct rig r;
    (void)state;
    rig_init(&r);
    expect_cut(&r, "[]", odd, "{\"symbol\": \"coffee\"}");
    expect_cut(&r, "[\"odd\",\"price\"]", odd,
               "{\"price\" : 150.10,\"symbol\": \"coffee\",\"odd\" : [1e5 ,\"]\"]}");
    expect_cut(&r, "[\"ts\",\"absent\"]", odd, "{\"symbol\": \"coffee\",\"t\\u0073\":1}");
    expect_cut(&r, "[\"price\"]", "{\"symbol\":\"coffee\",\"price\":2.9430,\"seq\":\"a:1\"}",
               "{\"symbol\":\"coffee\",\"price\":2.9430,\"seq\":\"a:1\"}");
    assert_int_equal(fragment_of(&r.f->book.entries[COFFEE], NULL).len, 0);
    rig_fini(&r);
}

/* Two clients with the same fields share view and cut, a third has the whole item; the snapshot is
 * cut as well, and a new item is cut anew. */
static void test_delivered(void **state)
{
    struct rig r;
    struct peer a, b, whole;
    (void)state;
    rig_init(&r);
    peer_open(&a, &r);
    peer_open(&b, &r);
    peer_open(&whole, &r);
    rig_quote(&r, COFFEE, "1.50");
    peer_say(
        &a, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"price\",\"state\"]}");
    peer_say(
        &b, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"state\",\"price\"]}");
    peer_say(&whole, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"]}");
    assert_ptr_equal(a.client->seat.view, b.client->seat.view);
    assert_ptr_not_equal(a.client->seat.view, whole.client->seat.view);
    json_decref(peer_until(&a, "subscribed"));
    peer_expect(&a, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"coffee\","
                    "\"price\":1.5,\"seq\":\"1:1\",\"state\":\"live\"}]}");
    peer_forget(&b);
    peer_forget(&whole);
    rig_quote(&r, COFFEE, "2.50");
    rig_tick_ms(&r, 100);
    peer_expect(&a, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"coffee\",\"price\":2.5,"
                    "\"seq\":\"1:2\",\"state\":\"live\"}]}");
    peer_expect(&b, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"coffee\",\"price\":2.5,"
                    "\"seq\":\"1:2\",\"state\":\"live\"}]}");
    json_t *j = peer_until(&whole, "quote");
    assert_int_equal(json_object_size(json_array_get(json_object_get(j, "data"), 0)), 7);
    json_decref(j);
    peer_expect_nothing(&a);
    peer_free(&a);
    peer_free(&b);
    peer_free(&whole);
    assert_null(r.f->field_sets.list);
    rig_fini(&r);
}

/* Who does not see the item's state is told it. */
static void test_state_not_among_them(void **state)
{
    struct rig r;
    struct peer p;
    (void)state;
    rig_init(&r);
    peer_open(&p, &r);
    rig_quote(&r, COFFEE, "1");
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"fields\":[\"price\"]}");
    json_decref(peer_until(&p, "subscribed"));
    peer_expect(&p, "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"coffee\","
                    "\"price\":1,\"seq\":\"1:1\"}]}");
    json_t *j = peer_until(&p, "status");
    json_decref(j);
    rig_pass_ms(&r, 100);
    rig_item(&r, COFFEE, "2", ",\"state\":\"closed\",\"market\":\"closed\"");
    fanout_turn(r.f, r.mono_ns);
    peer_expect(&p, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"coffee\",\"price\":2,"
                    "\"seq\":\"1:2\"}]}");
    j = peer_until(&p, "status");
    assert_non_null(json_object_get(json_array_get(json_object_get(j, "data"), 0), "state"));
    json_decref(j);
    rig_pass_ms(&r, 100);
    rig_item(&r, COFFEE, "3", ",\"state\":\"closed\",\"market\":\"closed\"");
    fanout_turn(r.f, r.mono_ns);
    json_decref(peer_until(&p, "quote"));
    peer_expect_nothing(&p); /* no change of state */
    peer_free(&p);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_delivered),
        cmocka_unit_test(test_state_not_among_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
