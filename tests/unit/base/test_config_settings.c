/* The table of settings, its order, and that the JSON Schema says the same: every setting is in the
 * schema with the same type, range and default, and every property of the schema is a setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "config_settings.h"
#include "embedded.h"
#include "jsonx.h"

static json_t *load_schema(void)
{
    const struct embedded_file *e = embedded_files;
    json_error_t err;
    while (e->path && strcmp(e->path, "gateway/config/pricegate.schema.json") != 0)
        e++;
    assert_non_null(e->path);
    json_t *schema =
        json_loadb(e->begin, (size_t)(e->end - e->begin), JSON_REJECT_DUPLICATES, &err);
    if (!schema)
        fail_msg("schema: %s (line %d)", err.text, err.line);
    return schema;
}

/* Follows {"$ref": "#/$defs/name"}. */
static json_t *resolve(const json_t *schema, json_t *node)
{
    static const char prefix[] = "#/$defs/";
    const char *ref = jsonx_string(node, "$ref");
    if (!ref)
        return node;
    assert_memory_equal(ref, prefix, sizeof prefix - 1);
    json_t *def = json_object_get(json_object_get(schema, "$defs"), ref + sizeof prefix - 1);
    assert_non_null(def);
    return def;
}

static const struct config_setting *find_setting(const char *path)
{
    for (size_t i = 0; i < config_settings_len; i++)
        if (strcmp(config_settings[i].path, path) == 0 &&
            !(config_settings[i].flags & CONFIG_ENV_ONLY))
            return &config_settings[i];
    return NULL;
}

/* Is `name` the type, or one of the types? */
static bool has_type(const json_t *node, const char *name)
{
    const json_t *type = json_object_get(node, "type");
    if (json_is_string(type))
        return strcmp(json_string_value(type), name) == 0;
    for (size_t i = 0; i < json_array_size(type); i++)
        if (strcmp(json_string_value(json_array_get(type, i)), name) == 0)
            return true;
    return false;
}

static void check_limit(const struct config_setting *s, const json_t *node, const char *key,
                        double expected)
{
    const json_t *v = json_object_get(node, key);
    if (!json_is_number(v) || json_number_value(v) != expected)
        fail_msg("%s: %s is not %.15g in the schema", s->path, key, expected);
}

static void check_number(const struct config_setting *s, const json_t *node)
{
    assert_true(has_type(node, s->type == CONFIG_INT ? "integer" : "number"));
    check_limit(s, node, s->flags & CONFIG_ABOVE_MIN ? "exclusiveMinimum" : "minimum", s->min);
    check_limit(s, node, "maximum", s->max);
}

static void check_text(const struct config_setting *s, const json_t *node)
{
    assert_true(has_type(node, "string"));
    if (s->type == CONFIG_SHA256)
        return;
    if (s->min > 0)
        check_limit(s, node, "minLength", s->min);
    else
        assert_null(json_object_get(node, "minLength"));
    check_limit(s, node, "maxLength", s->max);
    assert_non_null(json_object_get(node, "pattern"));
}

static void check_choice(const struct config_setting *s, const json_t *node)
{
    const json_t *words = json_object_get(node, "enum");
    size_t n = 0;
    for (; s->choices[n].name; n++)
        assert_string_equal(json_string_value(json_array_get(words, n)), s->choices[n].name);
    if (s->flags & CONFIG_NULLABLE) {
        const json_t *last = json_array_get(words, n++);
        assert_true(json_is_null(last));
    }
    assert_int_equal(json_array_size(words), n);
}

static void check_default(const struct config_setting *s, const json_t *property)
{
    const json_t *is = json_object_get(property, "default");
    bool same = !s->dflt && !is;
    if (s->dflt && is) {
        json_t *should = json_loads(s->dflt, JSON_DECODE_ANY, NULL);
        assert_non_null(should);
        same = json_equal(is, should);
        json_decref(should);
    }
    if (!same)
        fail_msg("%s: the schema's default is not %s", s->path, s->dflt ? s->dflt : "none");
}

/* "anyOf": [what the value is, the reference to a variable] -> the first. */
static const json_t *value_schema(const json_t *property)
{
    const json_t *any = json_object_get(property, "anyOf");
    if (!any)
        return property;
    assert_int_equal(json_array_size(any), 2);
    assert_string_equal(jsonx_string(json_array_get(any, 1), "$ref"), "#/$defs/variable");
    return json_array_get(any, 0);
}

static void check_leaf(const struct config_setting *s, const json_t *property)
{
    const json_t *node = value_schema(property);
    bool list = s->type == CONFIG_TEXT_LIST, range = s->type == CONFIG_RANGE;
    if (!jsonx_string(property, "description"))
        fail_msg("%s: no description in the schema", s->path);
    check_default(s, property);
    /* Every scalar may be a "$NAME"; lists may not. */
    assert_true((node != property) == !(list || range));
    if (s->type != CONFIG_CHOICE)
        assert_true(has_type(node, "null") == !!(s->flags & CONFIG_NULLABLE));
    switch (s->type) {
    case CONFIG_BOOL:
        assert_true(has_type(node, "boolean"));
        break;
    case CONFIG_CHOICE:
        check_choice(s, node);
        break;
    case CONFIG_INT:
    case CONFIG_NUMBER:
        check_number(s, node);
        break;
    case CONFIG_RANGE:
        assert_true(has_type(node, "array"));
        check_limit(s, node, "minItems", 2);
        check_limit(s, node, "maxItems", 2);
        break;
    case CONFIG_SHA256:
    case CONFIG_TEXT:
        check_text(s, node);
        break;
    case CONFIG_TEXT_LIST:
        assert_true(has_type(node, "array"));
        check_text(s, value_schema(json_object_get(node, "items")));
        break;
    }
}

static bool is_required(const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, "required");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), key) == 0)
            return true;
    return false;
}

/* Walks the object at `path`; counts the settings that it found. */
static size_t walk(const json_t *schema, json_t *object, const char *path)
{
    json_t *properties = json_object_get(object, "properties"), *v;
    const char *key;
    size_t found = 0;
    assert_true(has_type(object, "object"));
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    if (!properties) { /* a map: one pattern for all its keys */
        json_t *patterns = json_object_get(object, "patternProperties");
        char child[256];
        assert_int_equal(json_object_size(patterns), 1);
        v = json_object_iter_value(json_object_iter(patterns));
        snprintf(child, sizeof child, "%s.*", path);
        return walk(schema, resolve(schema, v), child);
    }
    json_object_foreach(properties, key, v)
    {
        char child[256];
        snprintf(child, sizeof child, "%s%s%s", path, *path ? "." : "", key);
        const struct config_setting *s = find_setting(child);
        if (s) {
            check_leaf(s, v);
            assert_true(is_required(object, key) == !!(s->flags & CONFIG_REQUIRED));
            found++;
        } else if (config_kind_at(child) == CONFIG_OBJECT_LIST) {
            assert_string_equal(jsonx_string(v, "type"), "array");
            strcat(child, "[]");
            found += walk(schema, resolve(schema, json_object_get(v, "items")), child);
        } else if (config_kind_at(child) != CONFIG_UNKNOWN) {
            found += walk(schema, v, child);
        } else {
            fail_msg("%s is in the schema, but no setting", child);
        }
    }
    return found;
}

static void schema_and_table_agree(void **state)
{
    (void)state;
    json_t *schema = load_schema();
    size_t in_file = 0;
    for (size_t i = 0; i < config_settings_len; i++)
        in_file += !(config_settings[i].flags & CONFIG_ENV_ONLY);
    assert_int_equal(walk(schema, schema, ""), in_file);
    json_decref(schema);
}

static void rows_are_sorted_and_unique(void **state)
{
    (void)state;
    for (size_t i = 1; i < config_settings_len; i++)
        assert_true(strcmp(config_settings[i - 1].path, config_settings[i].path) < 0);
}

static void keys_belong_to_their_object(void **state)
{
    (void)state;
    const struct config_setting *source = find_setting("instruments[].sources[].symbol");
    assert_string_equal(config_setting_key(source, "instruments[].sources[]"), "symbol");
    assert_null(config_setting_key(source, "instruments[]"));
    assert_null(config_setting_key(source, ""));
    assert_string_equal(config_setting_key(find_setting("listen.tls.key"), ""), "listen.tls.key");
    assert_string_equal(config_setting_key(find_setting("providers.*.enabled"), "providers.*"),
                        "enabled");
}

static void kinds_follow_from_the_paths(void **state)
{
    (void)state;
    assert_int_equal(config_kind_at("listen"), CONFIG_OBJECT);
    assert_int_equal(config_kind_at("listen.tls"), CONFIG_OBJECT);
    assert_int_equal(config_kind_at("listen.port"), CONFIG_LEAF);
    assert_int_equal(config_kind_at("listen.por"), CONFIG_UNKNOWN);
    assert_int_equal(config_kind_at("instruments"), CONFIG_OBJECT_LIST);
    assert_int_equal(config_kind_at("instruments[].sources"), CONFIG_OBJECT_LIST);
    assert_int_equal(config_kind_at("providers"), CONFIG_MAP);
    assert_int_equal(config_kind_at("providers.*"), CONFIG_OBJECT);
    assert_int_equal(config_kind_at("feeds_enabled"), CONFIG_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_unique),
        cmocka_unit_test(keys_belong_to_their_object),
        cmocka_unit_test(kinds_follow_from_the_paths),
        cmocka_unit_test(schema_and_table_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
