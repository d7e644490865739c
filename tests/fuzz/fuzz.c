/* Mutation. Nearly every flipped byte of a JSON text makes it no JSON, which all parsers refuse in
 * the same way; so every other mutation is one of values: a node of the text is replaced by what
 * strangers send (null, a text for a number, zero, a number too large, another node of the same
 * text), taken out, or doubled. The other half is libFuzzer's own, on bytes, mostly those
 * behind the head that some targets have. */
#include "fuzz.h"

#include <jansson.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* jansson's hash tables have a seed of their own: the same for each run. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    json_object_seed(1);
    return 0;
}

void fuzz_check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "CHECK: %s does not hold at %s:%d\n", what, file, line);
    abort();
}

char *fuzz_bytes(const void *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    REQUIRE(copy);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    REQUIRE(copy);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

bool fuzz_is_json(const char *text, size_t len)
{
    json_t *v = json_loadb(
        text, len,
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(v);
    return v != NULL;
}

bool fuzz_is_printable(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return len < max;
}

bool fuzz_is_utf8(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    json_t *v = len < max ? json_string(text) : NULL;
    json_decref(v);
    return v != NULL;
}

bool fuzz_is_sentence(const struct err *err)
{
    return memchr(err->text, '\0', sizeof err->text) && err->text[0] && !strchr(err->text, '\n');
}

bool fuzz_same(struct decimal a, struct decimal b)
{
    return a.given == b.given && (!a.given || (a.coef == b.coef && a.scale == b.scale));
}

/* ---- mutation ---- */

static unsigned next(unsigned *rng)
{
    *rng = *rng * 1664525u + 1013904223u;
    return *rng >> 8;
}

/* A node by where it hangs: `parent` at `key` (objects) or `index` (arrays). */
struct place {
    json_t *parent, *node;
    const char *key;
    size_t index;
};

/* The n-th node below `parent` in the order of the text; counts *n down. */
static bool find_place(json_t *parent, size_t *n, struct place *out)
{
    const char *key;
    json_t *v;
    size_t i;
    json_object_foreach(parent, key, v)
    {
        if ((*n)-- == 0) {
            *out = (struct place){.parent = parent, .node = v, .key = key};
            return true;
        }
        if (find_place(v, n, out))
            return true;
    }
    json_array_foreach(parent, i, v)
    {
        if ((*n)-- == 0) {
            *out = (struct place){.parent = parent, .node = v, .index = i};
            return true;
        }
        if (find_place(v, n, out))
            return true;
    }
    return false;
}

static size_t count_places(json_t *root)
{
    size_t most = SIZE_MAX, left = most;
    struct place ignored;
    find_place(root, &left, &ignored);
    return most - left;
}

/* What strangers have been seen to send where something else belongs. */
static json_t *odd_value(unsigned *rng)
{
    static const char *const texts[] = {"null",
                                        "true",
                                        "0",
                                        "-1",
                                        "1",
                                        "{}",
                                        "[]",
                                        "[{}]",
                                        "1e308",
                                        "0.1",
                                        "1.0499999523162842",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "1741705265",
                                        "1741705265000",
                                        "\"\"",
                                        "\"0\"",
                                        "\".\"",
                                        "\"N/D\"",
                                        "\"N/A\"",
                                        "\"nan\"",
                                        "\"1e400\"",
                                        "\"-3.5\"",
                                        "\"1,234.5\"",
                                        "\"999999999999999999999999999999999999\"",
                                        "\"0.000000000000000000000000000000000001\"",
                                        "\"2025-03-11\"",
                                        "\"2025-03-11 15:01:05\"",
                                        "\"2025-02-30T25:61:61Z\"",
                                        "\"USX\"",
                                        "\"GBp\"",
                                        "\"USD\"",
                                        "\"ok\"",
                                        "\"error\"",
                                        "\"\\u00e9\\ud83d\\ude00\"",
                                        "\"per day\"",
                                        "429",
                                        "401"};
    return json_loads(texts[next(rng) % ARRAY_LEN(texts)], JSON_DECODE_ANY, NULL);
}

static void put(const struct place *p, json_t *value)
{
    if (json_is_object(p->parent))
        json_object_set_new(p->parent, p->key, value);
    else
        json_array_set_new(p->parent, p->index, value);
}

static void take_out(const struct place *p)
{
    if (json_is_object(p->parent))
        json_object_del(p->parent, p->key);
    else
        json_array_remove(p->parent, p->index);
}

static void mutate_node(json_t *root, unsigned *rng)
{
    size_t n = count_places(root);
    struct place p, other;
    if (n == 0)
        return;
    size_t which = next(rng) % n, which_other = next(rng) % n;
    find_place(root, &which, &p);
    find_place(root, &which_other, &other);
    switch (next(rng) % 8) {
    case 0:
        take_out(&p);
        break;
    case 1:
        if (json_is_array(p.parent))
            json_array_insert_new(p.parent, p.index, json_deep_copy(p.node));
        else
            put(&p, json_null());
        break;
    case 2:
    case 3:
        put(&p, json_deep_copy(other.node));
        break;
    default:
        put(&p, odd_value(rng));
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    unsigned rng = seed;
    size_t start = fuzz_json_start(data, size);
    json_t *root = NULL;
    if (next(&rng) % 2)
        root = json_loadb((const char *)data + start, size - start, JSON_ALLOW_NUL, NULL);
    if (!root && start < size && next(&rng) % 8) /* mostly the body */
        return start + LLVMFuzzerMutate(data + start, size - start, max - start);
    if (!root)
        return LLVMFuzzerMutate(data, size, max);
    for (unsigned i = 1 + next(&rng) % 3; i > 0; i--)
        mutate_node(root, &rng);
    size_t len = json_dumpb(root, (char *)data + start, max - start, JSON_COMPACT);
    json_decref(root);
    return len <= max - start ? start + len : LLVMFuzzerMutate(data, size, max);
}
