#include "doctor_print.h"

#include <string.h>

#include "show.h"

static const enum tint tints[FINDING_STATES] = {
    [FINDING_OK] = TINT_GOOD,
    [FINDING_UNKNOWN] = TINT_DIM,
    [FINDING_WARNING] = TINT_WARN,
    [FINDING_PROBLEM] = TINT_BAD,
};
enum { INDENT = 11, WIDTH_MIN = 40 }; /* "  problem  " */

/* --- for people --- */

static size_t characters(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}

/* The text from column INDENT on, its words kept whole. */
static void add_wrapped(struct buf *out, const char *text, size_t width)
{
    size_t column = INDENT;
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, " "), n = characters(p, len);
        if (width > 0 && column > INDENT && column + 1 + n > width) {
            buf_addf(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (p != text) {
            buf_addc(out, ' ');
            column++;
        }
        buf_add(out, p, len);
        column += n;
        p += len;
        p += *p == ' ';
    }
    buf_addc(out, '\n');
}

static void add_clean(struct buf *out, const char *prefix, const char *text, size_t width)
{
    struct buf clean = {0};
    buf_adds(&clean, prefix);
    show_text(&clean, text, strlen(text));
    add_wrapped(out, clean.p ? clean.p : "", width);
    out->failed = out->failed || clean.failed;
    buf_fini(&clean);
}

static void add_finding(const struct finding *f, const struct table_style *style, struct buf *out)
{
    const char *name = finding_state_name(f->state);
    size_t width = style->width >= WIDTH_MIN ? style->width : 0;
    buf_adds(out, "  ");
    table_tinted(out, style, tints[f->state], name);
    buf_addf(out, "%*s", INDENT - 2 - (int)strlen(name), "");
    add_clean(out, "", f->message, width);
    if (!f->advice)
        return;
    buf_addf(out, "%*s", INDENT, "");
    add_clean(out, "-> ", f->advice, width);
}

/* "redis" of "redis.link". */
static bool same_group(const char *a, const char *b)
{
    size_t len = strcspn(a, ".");
    return len == strcspn(b, ".") && memcmp(a, b, len) == 0;
}

static void add_counts(const struct findings *f, const struct table_style *style, struct buf *out)
{
    static const char *const nouns[FINDING_STATES] = {"ok", "unknown", "warning", "problem"};
    struct buf line = {0};
    for (int s = FINDING_STATES; s-- > 0;) {
        size_t n = findings_count(f, (enum finding_state)s);
        if (n > 0)
            buf_addf(&line, "%s%zu %s%s", line.len > 0 ? ", " : "", n, nouns[s],
                     s >= FINDING_WARNING && n > 1 ? "s" : "");
    }
    table_line(out, style, tints[findings_worst(f)], line.p ? line.p : "");
    out->failed = out->failed || line.failed;
    buf_fini(&line);
}

void doctor_print_text(const struct findings *f, const struct table_style *style, struct buf *out)
{
    for (size_t i = 0; i < f->len; i++) {
        const char *check = f->list[i].check;
        if (i == 0 || !same_group(check, f->list[i - 1].check)) {
            char group[32];
            snprintf(group, sizeof group, "%.*s", (int)strcspn(check, "."), check);
            table_line(out, style, TINT_HEAD, group);
        }
        add_finding(&f->list[i], style, out);
    }
    buf_addc(out, '\n');
    add_counts(f, style, out);
}

/* --- for machines --- */

void doctor_print_json(const struct findings *f, const char *config, struct buf *out)
{
    buf_adds(out, "{\n  \"version\": \"" PRICEGATE_VERSION "\",\n  \"config\": ");
    buf_adds_json(out, config);
    buf_addf(out, ",\n  \"state\": \"%s\",\n  \"counts\": {",
             finding_state_name(findings_worst(f)));
    for (int s = 0; s < FINDING_STATES; s++)
        buf_addf(out, "%s\"%s\": %zu", s > 0 ? ", " : "", finding_state_name((enum finding_state)s),
                 findings_count(f, (enum finding_state)s));
    buf_adds(out, "},\n  \"findings\": [");
    for (size_t i = 0; i < f->len; i++) {
        const struct finding *one = &f->list[i];
        buf_addf(out,
                 "%s\n    {\"check\": \"%s\", \"state\": \"%s\", \"message\": ", i > 0 ? "," : "",
                 one->check, finding_state_name(one->state));
        buf_adds_json(out, one->message);
        buf_adds(out, ", \"advice\": ");
        if (one->advice)
            buf_adds_json(out, one->advice);
        else
            buf_adds(out, "null");
        buf_addc(out, '}');
    }
    buf_adds(out, "\n  ]\n}\n");
}
