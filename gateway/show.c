#include "show.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "item.h"
#include "jsonx.h"

static const size_t WORDS_MAX = 120;

const char *show_age(int64_t ms, char out[static SHOW_AGE_MAX])
{
    ms = ms < 0 ? 0 : ms;
    if (ms < 1000)
        snprintf(out, SHOW_AGE_MAX, "%d ms", (int)ms);
    else if (ms < 120000)
        snprintf(out, SHOW_AGE_MAX, "%d s", (int)(ms / 1000));
    else if (ms < 7200000)
        snprintf(out, SHOW_AGE_MAX, "%d min", (int)(ms / 60000));
    else if (ms < 172800000)
        snprintf(out, SHOW_AGE_MAX, "%.1f h", (double)ms / 3600000);
    else
        snprintf(out, SHOW_AGE_MAX, "%lld days", (long long)(ms / 86400000));
    return out;
}

/* Bytes of the character at s, 0 when it is none. */
static size_t character(const unsigned char *s, size_t len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (n == 0 || n > len || s[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

void show_text(struct buf *out, const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;
    while (p < end) {
        size_t n = character(p, (size_t)(end - p));
        bool control = n == 1 ? *p < 0x20 || *p == 0x7F : n == 2 && p[0] == 0xC2 && p[1] < 0xA0;
        if (control)
            buf_addc(out, '?');
        else if (n > 0)
            buf_add(out, p, n);
        p += n > 0 ? n : 1;
    }
}

/* --- an item --- */

/* Its text for the digits, its tree for the strings. */
struct parts {
    struct jsonx_member members[ITEM_MEMBERS_MAX];
    int n;
    json_t *tree;
};

static void parts_open(struct parts *p, const char *text, size_t len)
{
    p->tree = jsonx_parse_loose(text, len, ITEM_BYTES_MAX, NULL);
    p->n = p->tree ? jsonx_members(text, len, p->members, ITEM_MEMBERS_MAX) : -1;
}

static const struct jsonx_member *find(const struct parts *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (jsonx_member_is(&p->members[i], name))
            return &p->members[i];
    return NULL;
}

static void add_unit(struct buf *out, const char *unit)
{
    if (!unit || !*unit)
        return;
    buf_addc(out, ' ');
    show_text(out, unit, strlen(unit));
}

/* {"temperature":21.4,...} with the units of the same names. */
static void add_values(struct buf *out, const struct jsonx_member *values, const json_t *units)
{
    struct jsonx_member rows[64];
    int n = jsonx_members(values->value, values->value_len, rows, ARRAY_LEN(rows));
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(rows[i].name_len < 63 ? rows[i].name_len : 63),
                 rows[i].name);
        buf_adds(out, i ? ", " : "");
        show_text(out, name, strlen(name));
        buf_addc(out, ' ');
        show_text(out, rows[i].value, rows[i].value_len);
        add_unit(out, jsonx_string(units, name));
    }
}

/* One line of the words. */
static void add_words(struct buf *out, const char *words)
{
    size_t len = strcspn(words, "\n");
    bool all = len <= WORDS_MAX && !words[len];
    show_text(out, words, len < WORDS_MAX ? len : WORDS_MAX);
    buf_adds(out, all ? "" : "...");
}

void show_value(struct buf *out, const char *item, size_t len)
{
    struct parts p;
    size_t before = out->len;
    parts_open(&p, item, len);
    const struct jsonx_member *one = find(&p, "price"), *several = find(&p, "values");
    const char *unit = jsonx_string(p.tree, "unit"), *text = jsonx_string(p.tree, "text");
    if (!one)
        one = find(&p, "value");
    if (one && json_is_number(json_object_get(p.tree, find(&p, "price") ? "price" : "value"))) {
        show_text(out, one->value, one->value_len);
        add_unit(out, unit ? unit : jsonx_string(p.tree, "currency"));
    } else if (several) {
        add_values(out, several, json_object_get(p.tree, "units"));
    }
    if (out->len == before && text)
        add_words(out, text);
    if (out->len == before)
        buf_addc(out, '-');
    json_decref(p.tree);
}

int64_t show_ts_ms(const char *item, size_t len)
{
    json_t *tree = jsonx_parse_loose(item, len, ITEM_BYTES_MAX, NULL);
    int64_t ts_ms = (int64_t)json_number_value(json_object_get(tree, "ts"));
    json_decref(tree);
    return ts_ms;
}
