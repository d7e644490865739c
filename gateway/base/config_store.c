#include "config_store.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "config_env.h"
#include "utf8.h"

const char *config_describe(const json_t *v, char out[static CONFIG_DESCRIPTION_MAX])
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list", [JSON_STRING] = "",
        [JSON_INTEGER] = "",         [JSON_REAL] = "",        [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    if (json_is_integer(v)) {
        snprintf(out, CONFIG_DESCRIPTION_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    } else if (json_is_real(v)) {
        snprintf(out, CONFIG_DESCRIPTION_MAX, "%g", json_real_value(v));
    } else if (json_is_string(v) && json_string_length(v) <= 40) {
        snprintf(out, CONFIG_DESCRIPTION_MAX, "\"%s\"", json_string_value(v));
        for (char *p = out; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7F)
                *p = '?';
    } else if (json_is_string(v)) {
        snprintf(out, CONFIG_DESCRIPTION_MAX, "a string of %zu bytes", json_string_length(v));
    } else {
        return names[json_typeof(v)];
    }
    return out;
}

/* "must be X, not Y"; Y is left out where it may be a secret. */
static void refuse(struct config_reader *r, const struct config_setting *s, const char *where,
                   const json_t *v, const char *must)
{
    char is[CONFIG_DESCRIPTION_MAX];
    bool tell = !(s->flags & CONFIG_SECRET) || !json_is_string(v);
    config_problem(r, where, "%s%s%s", must, tell ? ", not " : "",
                   tell ? config_describe(v, is) : "");
}

static void store_int(const struct config_setting *s, void *base, int64_t n)
{
    char *to = (char *)base + s->offset;
    const int narrow = (int)n;
    const bool flag = n != 0;
    if (s->size == sizeof n)
        memcpy(to, &n, sizeof n);
    else if (s->size == sizeof narrow)
        memcpy(to, &narrow, sizeof narrow);
    else if (s->size == sizeof flag)
        memcpy(to, &flag, sizeof flag);
    else
        REQUIRE(s->size == 0);
}

static void store_bool(struct config_reader *r, const struct config_setting *s, const char *where,
                       const json_t *v, void *base)
{
    if (!json_is_boolean(v))
        refuse(r, s, where, v, "must be true or false");
    else
        store_int(s, base, json_is_true(v));
}

static void store_choice(struct config_reader *r, const struct config_setting *s, const char *where,
                         const json_t *v, void *base)
{
    struct buf must = {0};
    buf_adds(&must, "must be one of");
    for (const struct config_choice *c = s->choices; c->name; c++) {
        if (json_is_string(v) && strcmp(json_string_value(v), c->name) == 0) {
            store_int(s, base, c->value);
            goto out;
        }
        buf_addf(&must, " %s", c->name);
    }
    if (s->flags & CONFIG_NULLABLE)
        buf_adds(&must, " or null");
    if (must.failed)
        r->problems->failed = true;
    else
        refuse(r, s, where, v, must.p);
out:
    buf_fini(&must);
}

/* A JSON number without fraction that a double holds exactly: 8080, 8080.0, 8e3. */
static bool is_whole(const json_t *v)
{
    double x = json_number_value(v);
    return json_is_number(v) && floor(x) == x && fabs(x) <= 9007199254740992.0;
}

static void store_number(struct config_reader *r, const struct config_setting *s, const char *where,
                         const json_t *v, void *base)
{
    char must[96];
    double x = json_number_value(v);
    bool open = s->flags & CONFIG_ABOVE_MIN, whole = s->type == CONFIG_INT;
    if (open)
        snprintf(must, sizeof must, "must be a number > %.15g and at most %.15g", s->min, s->max);
    else
        snprintf(must, sizeof must, "must be %s%.15g..%.15g",
                 json_is_number(v) && is_whole(v) ? "" : "a whole number ", s->min, s->max);
    if (!json_is_number(v) || (whole && !is_whole(v)) || x < s->min || x > s->max ||
        (open && x <= s->min))
        refuse(r, s, where, v, must);
    else if (whole)
        store_int(s, base, (int64_t)x);
    else
        memcpy((char *)base + s->offset, &x, sizeof x);
}

static bool read_decimal(const json_t *v, struct decimal *out)
{
    if (json_is_integer(v)) {
        *out = decimal_from_int(json_integer_value(v));
        return true;
    }
    return json_is_real(v) && decimal_from_double(json_real_value(v), out) == 0;
}

static void store_range(struct config_reader *r, const struct config_setting *s, const char *where,
                        const json_t *v, void *base)
{
    struct decimal min, max;
    bool of_prices = s->flags & CONFIG_ABOVE_MIN;
    if (!json_is_array(v) || json_array_size(v) != 2 || !read_decimal(json_array_get(v, 0), &min) ||
        !read_decimal(json_array_get(v, 1), &max) || (of_prices && !decimal_positive(min)) ||
        decimal_cmp(min, max) >= 0) {
        config_problem(r, where, "must be [min, max], two numbers with %smin < max",
                       of_prices ? "0 < " : "");
        return;
    }
    memcpy((char *)base + s->offset, &min, sizeof min);
    memcpy((char *)base + s->second_offset, &max, sizeof max);
}

static void store_sha256(struct config_reader *r, const struct config_setting *s, const char *where,
                         const json_t *v, void *base)
{
    const char *hex = json_string_value(v);
    const char *must = hex ? s->problem(hex) : "must be 64 hex digits";
    if (must) {
        refuse(r, s, where, v, must);
        return;
    }
    unsigned char *to = (unsigned char *)base + s->offset;
    for (size_t i = 0; i < s->size; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        to[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
}

const char *config_why_no_text(const char *text)
{
    return utf8_valid(text, strlen(text)) ? "out of memory" : "is not UTF-8";
}

static size_t count_characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return true;
    return false;
}

/* The text copied, or NULL after a problem was told (or memory ran out: arena_failed()). */
static const char *read_text(struct config_reader *r, const struct config_setting *s,
                             const char *where, const json_t *v)
{
    const char *text = json_string_value(v);
    if (!text) {
        refuse(r, s, where, v, "must be a string");
        return NULL;
    }
    size_t n = count_characters(text);
    const char *must = s->problem ? s->problem(text) : NULL;
    if (n == 0 && s->min > 0)
        config_problem(r, where, "must not be empty");
    else if ((double)n > s->max && !must)
        config_problem(r, where, "must be at most %.0f characters long, not %zu", s->max, n);
    else if (has_control(text))
        config_problem(r, where, "must not hold control characters");
    else if (must)
        refuse(r, s, where, v, must);
    else
        return arena_strdup(r->arena, text);
    return NULL;
}

const char *config_resolve(struct config_reader *r, const struct config_setting *s,
                           const char *where, const char *text, const char **unset)
{
    *unset = NULL;
    if (text[0] != '$' || text[1] == '$')
        return text[0] == '$' ? text + 1 : text;
    if (!config_env_is_name(text + 1)) {
        config_problem(r, where,
                       "must name an environment variable behind the $; a text that begins with $ "
                       "is written with $$");
        return NULL;
    }
    const char *value = config_env_get(r->in, text + 1);
    if (value && (*value || (s->type == CONFIG_TEXT && s->min < 1)))
        return value;
    *unset = text + 1;
    return NULL;
}

static void store_list(struct config_reader *r, const struct config_setting *s, const char *where,
                       const json_t *v, void *base)
{
    if (!json_is_array(v)) {
        refuse(r, s, where, v, "must be a list of strings");
        return;
    }
    size_t n = json_array_size(v);
    const char **list = arena_alloc(r->arena, n, sizeof *list);
    for (size_t i = 0; list && i < n; i++) {
        char path[CONFIG_PATH_MAX + 32];
        const json_t *item = json_array_get(v, i);
        const char *unset = NULL, *text = json_string_value(item);
        snprintf(path, sizeof path, "%s[%zu]", where, i);
        text = text ? config_resolve(r, s, path, text, &unset) : NULL;
        json_t *value = text ? json_string(text) : NULL;
        if (value || !json_is_string(item))
            list[i] = read_text(r, s, path, value ? value : item);
        else if (unset)
            config_problem(r, path, CONFIG_UNSET, unset);
        else if (text)
            config_problem(r, path, "%s", config_why_no_text(text));
        json_decref(value);
    }
    memcpy((char *)base + s->offset, &list, sizeof list);
    memcpy((char *)base + s->second_offset, &n, sizeof n);
}

static void store_text(struct config_reader *r, const struct config_setting *s, const char *where,
                       const json_t *v, void *base)
{
    const char *text = read_text(r, s, where, v);
    if (text && s->size > 0)
        memcpy((char *)base + s->offset, &text, sizeof text);
}

static void store_null(const struct config_setting *s, void *base)
{
    if (s->type == CONFIG_INT || s->type == CONFIG_CHOICE)
        store_int(s, base, s->none);
    else if (s->size > 0)
        memset((char *)base + s->offset, 0, s->size);
}

void config_store(struct config_reader *r, const struct config_setting *s, const char *where,
                  const json_t *v, void *base)
{
    static void (*const stores[])(struct config_reader *, const struct config_setting *,
                                  const char *, const json_t *, void *) = {
        [CONFIG_BOOL] = store_bool,   [CONFIG_CHOICE] = store_choice,
        [CONFIG_INT] = store_number,  [CONFIG_NUMBER] = store_number,
        [CONFIG_RANGE] = store_range, [CONFIG_SHA256] = store_sha256,
        [CONFIG_TEXT] = store_text,   [CONFIG_TEXT_LIST] = store_list,
    };
    if (json_is_null(v) && (s->flags & CONFIG_NULLABLE))
        store_null(s, base);
    else
        stores[s->type](r, s, where, v, base);
}
