#include "jsonx.h"

#include <string.h>

#include "buf.h"
#include "json_guard.h"
#include "utf8.h"

/* Skips a string that begins at *p (on the quote); leaves *p behind its closing quote. */
static bool skip_string(const char **p, const char *end)
{
    const char *s = *p + 1;
    while (s < end && *s != '"')
        s += *s == '\\' ? 2 : 1;
    if (s >= end)
        return false;
    *p = s + 1;
    return true;
}

/* The nesting depth, strings aside; cheaper than a parse and done before it. */
static int depth_of(const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    int depth = 0, deepest = 0;
    while (p < end) {
        if (*p == '"') {
            if (!skip_string(&p, end))
                break;
            continue;
        }
        if (*p == '{' || *p == '[') {
            if (++depth > deepest)
                deepest = depth;
        } else if (*p == '}' || *p == ']') {
            depth--;
        }
        p++;
    }
    return deepest;
}

/* What jansson stumbled over is quoted in its sentence, line breaks and all. */
static void make_one_line(char *sentence)
{
    for (char *p = sentence; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

void jsonx_drop_quotation(struct err *err)
{
    char *quoted = err ? strstr(err->text, " near '") : NULL, *place = NULL;
    for (char *p = quoted; p && (p = strstr(p, " (line ")); p++)
        place = p;
    if (place)
        memmove(quoted, place, strlen(place) + 1);
    else if (quoted)
        *quoted = '\0';
}

static json_t *parse(const char *text, size_t len, size_t max_bytes, size_t flags, struct err *err)
{
    if (len > max_bytes) {
        err_set(err, "%zu bytes, at most %zu are taken", len, max_bytes);
        return NULL;
    }
    if (depth_of(text, len) > JSONX_DEPTH_MAX) {
        err_set(err, "nested deeper than %d", JSONX_DEPTH_MAX);
        return NULL;
    }
    json_error_t why;
    json_t *root =
        json_guard_load(text, len, flags | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!root && strcmp(why.text, JSON_NO_MEMORY) == 0) {
        err_set(err, "%s", JSON_NO_MEMORY);
    } else if (!root) {
        make_one_line(why.text);
        err_set(err, "not JSON: %s (line %d, column %d)", why.text, why.line, why.column);
    }
    return root;
}

json_t *jsonx_parse(const char *text, size_t len, size_t max_bytes, struct err *err)
{
    return parse(text, len, max_bytes, 0, err);
}

json_t *jsonx_parse_loose(const char *text, size_t len, size_t max_bytes, struct err *err)
{
    return parse(text, len, max_bytes, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, err);
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* Leaves *p behind the value it stands on. */
static bool skip_value(const char **p, const char *end)
{
    int depth = 0;
    while (*p < end) {
        char c = **p;
        if (c == '"') {
            if (!skip_string(p, end))
                return false;
            if (depth == 0)
                return true;
            continue;
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return true; /* a number or literal before the object's own end */
            if (--depth == 0) {
                (*p)++;
                return true;
            }
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            return true;
        }
        (*p)++;
    }
    return false;
}

/* Reads `"name" : value` at *p into *m. */
static bool read_member(const char **p, const char *end, struct jsonx_member *m)
{
    if (*p >= end || **p != '"')
        return false;
    m->name = *p + 1;
    if (!skip_string(p, end))
        return false;
    m->name_len = (size_t)(*p - 1 - m->name);
    *p = skip_space(*p, end);
    if (*p >= end || **p != ':')
        return false;
    *p = skip_space(*p + 1, end);
    m->value = *p;
    if (!skip_value(p, end))
        return false;
    m->value_len = (size_t)(*p - m->value);
    return true;
}

int jsonx_members(const char *text, size_t len, struct jsonx_member *out, int max)
{
    const char *end = text + len, *p = skip_space(text, end);
    int n = 0;
    if (p >= end || *p++ != '{')
        return -1;
    p = skip_space(p, end);
    while (p < end && *p != '}') {
        if (n == max || !read_member(&p, end, &out[n]))
            return -1;
        n++;
        p = skip_space(p, end);
        if (p < end && *p == ',')
            p = skip_space(p + 1, end);
    }
    return p < end ? n : -1;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c + 0x20 : c);
    return at && c != '\0' ? (int)(at - digits) : -1;
}

/* The character at *p, behind which *p is left; -1 for an escape that stands for no ASCII
 * character (the names that we look for have none). */
static int next_character(const char **p, const char *end)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *s = *p;
    int c = 0;
    if (*s != '\\' || end - s < 2) {
        *p = s + 1;
        return (unsigned char)*s;
    }
    const char *letter = s[1] == 'u' ? NULL : strchr(letters, s[1]);
    if (letter) {
        *p = s + 2;
        return meant[letter - letters];
    }
    if (s[1] != 'u' || end - s < 6)
        return -1;
    for (int i = 2; i < 6; i++)
        c = c * 16 + hex_digit(s[i]);
    *p = s + 6;
    return c > 0 && c < 0x80 ? c : -1;
}

bool jsonx_member_is(const struct jsonx_member *m, const char *name)
{
    const char *p = m->name, *end = p + m->name_len;
    for (; p < end && *name; name++)
        if (next_character(&p, end) != (unsigned char)*name)
            return false;
    return p == end && *name == '\0';
}

static void give_up(json_t **document)
{
    json_decref(*document);
    *document = NULL;
}

void jsonx_set(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new(*object, name, value) != 0)
        give_up(object);
}

void jsonx_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) != 0)
        give_up(list);
}

json_t *jsonx_text(const char *text, size_t len)
{
    struct buf clean = {0};
    json_t *made = NULL;
    for (size_t i = 0, n; i<len; i += n> 0 ? n : 1) {
        n = utf8_len(text + i, len - i);
        if (n > 0)
            buf_add(&clean, text + i, n);
        else
            buf_adds(&clean, "\xEF\xBF\xBD");
    }
    if (!clean.failed)
        made = json_stringn(clean.p ? clean.p : "", clean.len);
    buf_fini(&clean);
    return made;
}

const char *jsonx_string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool jsonx_next_element(const char *text, size_t len, const char **pos, struct jsonx_member *out)
{
    const char *end = text + len, *p = *pos;
    if (!p) {
        p = skip_space(text, end);
        if (p >= end || *p++ != '[')
            return false;
    }
    p = skip_space(p, end);
    if (p < end && *p == ',')
        p = skip_space(p + 1, end);
    if (p >= end || *p == ']')
        return false;
    *out = (struct jsonx_member){.value = p};
    if (!skip_value(&p, end))
        return false;
    out->value_len = (size_t)(p - out->value);
    *pos = p;
    return true;
}
