/* docker/man/pricegate.json.5 names every setting of the table, once, with its type, range and
 * default as they are, and nothing that is no setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "buf.h"
#include "config_settings.h"

static const char ITEM[] = "\n.It Ic ";

static char *load_manual(void)
{
    FILE *f = fopen(SOURCE_DIR "/docker/man/pricegate.json.5", "re");
    static const size_t most = 1048576;
    char *text = calloc(1, most);
    assert_non_null(f);
    assert_non_null(text);
    size_t len = fread(text, 1, most - 1, f);
    assert_true(len > 0 && len < most - 1);
    fclose(f);
    return text;
}

static void add_choices(struct buf *out, const struct config_choice *c)
{
    for (const struct config_choice *at = c; at->name; at++)
        buf_addf(out, "%s%s", at == c ? "" : at[1].name ? ", " : " or ", at->name);
}

static void add_type(struct buf *out, const struct config_setting *s)
{
    switch (s->type) {
    case CONFIG_BOOL:
        buf_adds(out, "true or false");
        break;
    case CONFIG_CHOICE:
        add_choices(out, s->choices);
        break;
    case CONFIG_INT:
        buf_addf(out, "integer, %.0f to %.0f", s->min, s->max);
        break;
    case CONFIG_NUMBER:
        buf_addf(out, "number, %s %.0f to %.0f", s->flags & CONFIG_ABOVE_MIN ? "above" : "from",
                 s->min, s->max);
        break;
    case CONFIG_RANGE:
        buf_adds(out, "[min, max]");
        break;
    case CONFIG_SHA256:
        buf_adds(out, "64 hex digits");
        break;
    case CONFIG_TEXT:
        buf_adds(out, "text");
        break;
    case CONFIG_TEXT_LIST:
        buf_adds(out, "list of texts");
        break;
    }
}

/* The line that the manual must have for a setting. */
static void add_facts(struct buf *out, const struct config_setting *s)
{
    buf_addc(out, '(');
    add_type(out, s);
    if (s->flags & CONFIG_NULLABLE)
        buf_adds(out, ", or null");
    if (s->flags & CONFIG_REQUIRED)
        buf_adds(out, "; required");
    if (s->dflt)
        buf_addf(out, "; default %s", s->dflt);
    if (s->flags & CONFIG_AT_START)
        buf_adds(out, "; read at start only");
    if (s->env)
        buf_addf(out, "; also %s", s->env);
    buf_adds(out, ")\n");
}

/* What is said of a path, up to the next item or the end of the list; NULL = nothing. */
static const char *find_item(const char *manual, const char *path, size_t *len)
{
    struct buf head = {0};
    buf_addf(&head, "%s%s\n", ITEM, path);
    const char *at = strstr(manual, head.p);
    if (at) {
        at += head.len;
        const char *next = strstr(at, ITEM), *end = strstr(at, "\n.El\n");
        *len = (size_t)((next && next < end ? next : end) + 1 - at);
    }
    buf_fini(&head);
    return at;
}

static bool is_setting(const char *path, size_t len)
{
    for (size_t i = 0; i < config_settings_len; i++)
        if (strlen(config_settings[i].path) == len &&
            memcmp(config_settings[i].path, path, len) == 0)
            return !(config_settings[i].flags & CONFIG_ENV_ONLY);
    return false;
}

static void test_every_setting_is_told_as_it_is(void **state)
{
    char *manual = load_manual();
    struct buf missing = {0};
    for (size_t i = 0; i < config_settings_len; i++) {
        const struct config_setting *s = &config_settings[i];
        struct buf facts = {0};
        size_t len = 0;
        if (s->flags & CONFIG_ENV_ONLY) {
            buf_addf(&facts, "\n.It Ev %s\n", s->env);
            if (!strstr(manual, facts.p))
                buf_adds(&missing, facts.p);
        } else {
            const char *item = find_item(manual, s->path, &len);
            add_facts(&facts, s);
            if (!item || len <= facts.len ||
                memcmp(item + len - facts.len, facts.p, facts.len) != 0)
                buf_addf(&missing, ".It Ic %s\n<what it is for>\n%s", s->path, facts.p);
        }
        buf_fini(&facts);
    }
    if (missing.len > 0)
        fail_msg("pricegate.json.5 must say:\n%s", missing.p);
    buf_fini(&missing);
    free(manual);
    (void)state;
}

static void test_nothing_else_is_told(void **state)
{
    char *manual = load_manual();
    size_t items = 0, settings = 0;
    for (const char *at = manual; (at = strstr(at, ITEM)); items++) {
        at += sizeof ITEM - 1;
        size_t len = strcspn(at, "\n");
        if (!is_setting(at, len))
            fail_msg("pricegate.json.5: %.*s is no setting", (int)len, at);
    }
    for (size_t i = 0; i < config_settings_len; i++)
        settings += !(config_settings[i].flags & CONFIG_ENV_ONLY);
    assert_int_equal(items, settings); /* none twice */
    free(manual);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_setting_is_told_as_it_is),
        cmocka_unit_test(test_nothing_else_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
