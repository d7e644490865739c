/* JSON: where the members of an object and the elements of an array stand agrees with what the
 * parser made of them. */
#include "fuzz.h"
#include "jsonx.h"

enum { MEMBERS_MAX = 512 };

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

static void check_value(const struct jsonx_member *m, const char *text, size_t len)
{
    CHECK(m->value >= text && m->value_len > 0 && m->value + m->value_len <= text + len);
    CHECK(fuzz_is_json(m->value, m->value_len));
}

static void check_object(const json_t *root, const char *text, size_t len)
{
    struct jsonx_member members[MEMBERS_MAX];
    int n = jsonx_members(text, len, members, MEMBERS_MAX);
    CHECK(n >= 0 ? (size_t)n == json_object_size(root) : json_object_size(root) > MEMBERS_MAX);
    for (int i = 0; i < n; i++) {
        check_value(&members[i], text, len);
        for (int k = 0; k < i; k++)
            CHECK(members[k].value + members[k].value_len <= members[i].name);
    }
}

static void check_array(const json_t *root, const char *text, size_t len)
{
    struct jsonx_member m;
    const char *pos = NULL;
    size_t n = 0;
    for (; jsonx_next_element(text, len, &pos, &m); n++)
        check_value(&m, text, len);
    CHECK(n == json_array_size(root));
}

static void check(json_t *root, const struct err *err, const char *text, size_t len)
{
    if (!root)
        CHECK(fuzz_is_sentence(err));
    else if (json_is_object(root))
        check_object(root, text, len);
    else if (json_is_array(root))
        check_array(root, text, len);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {""}, loose_err = {""};
    char *text = fuzz_bytes(data, size);
    json_t *root = jsonx_parse(text, size, 16384, &err);
    json_t *loose = jsonx_parse_loose(text, size, 16384, &loose_err);
    CHECK(!root || loose); /* what the strict one takes, the loose one does */
    check(root, &err, text, size);
    check(loose, &loose_err, text, size);
    free(text);
    return 0;
}
