#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"

struct table_cell {
    size_t at; /* in text */
    enum tint tint;
};

static const char *const starts[] = {
    [TINT_NONE] = "",         [TINT_HEAD] = "\x1b[1m",   [TINT_GOOD] = "\x1b[32m",
    [TINT_WARN] = "\x1b[33m", [TINT_BAD] = "\x1b[1;31m", [TINT_DIM] = "\x1b[2m",
};
static const char STOP[] = "\x1b[0m";
static const size_t GAP = 2;

void table_init(struct table *t, const char *const *heads, size_t columns)
{
    REQUIRE(columns <= TABLE_COLUMNS_MAX);
    *t = (struct table){.columns = columns};
    for (size_t i = 0; i < columns; i++)
        table_add(t, TINT_HEAD, heads[i]);
}

void table_fini(struct table *t)
{
    buf_fini(&t->text);
    free(t->cells);
    *t = (struct table){0};
}

void table_add(struct table *t, enum tint tint, const char *text)
{
    if (t->len == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        struct table_cell *cells = realloc(t->cells, cap * sizeof *cells);
        t->failed = t->failed || !cells;
        if (!cells)
            return;
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->len++] = (struct table_cell){t->text.len, tint};
    show_text(&t->text, text ? text : "", text ? strlen(text) : 0);
    buf_add(&t->text, "", 1);
    t->failed = t->failed || t->text.failed;
}

void table_addf(struct table *t, enum tint tint, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    table_add(t, tint, text);
}

/* --- lines --- */

/* Bytes of the first max characters; how many characters these are in *n. */
static size_t bytes_of(const char *s, size_t max, size_t *n)
{
    size_t i = 0;
    for (*n = 0; s[i] && *n < max; ++*n)
        do
            i++;
        while (((unsigned char)s[i] & 0xC0) == 0x80);
    return i;
}

static size_t characters(const char *s)
{
    size_t n;
    (void)bytes_of(s, SIZE_MAX, &n);
    return n;
}

static void add_tinted(struct buf *out, const struct table_style *style, enum tint tint,
                       const char *text, size_t len)
{
    bool coloured = style->colour && tint != TINT_NONE && len > 0;
    buf_adds(out, coloured ? starts[tint] : "");
    buf_add(out, text, len);
    buf_adds(out, coloured ? STOP : "");
}

void table_tinted(struct buf *out, const struct table_style *style, enum tint tint,
                  const char *text)
{
    add_tinted(out, style, tint, text, strlen(text));
}

static size_t room_of(const struct table_style *style)
{
    return style->width > 0 ? style->width : SIZE_MAX;
}

void table_line(struct buf *out, const struct table_style *style, enum tint tint, const char *text)
{
    size_t n;
    struct buf clean = {0};
    show_text(&clean, text, strlen(text));
    const char *s = clean.p ? clean.p : "";
    add_tinted(out, style, tint, s, bytes_of(s, room_of(style), &n));
    buf_addc(out, '\n');
    out->failed = out->failed || clean.failed;
    buf_fini(&clean);
}

static const char *text_of(const struct table *t, size_t cell)
{
    return t->text.p + t->cells[cell].at;
}

static void add_row(const struct table *t, size_t first, const size_t *widths,
                    const struct table_style *style, struct buf *out)
{
    size_t room = room_of(style), owed = 0; /* spaces that are only written before a text */
    for (size_t i = 0; i < t->columns; i++) {
        const char *text = text_of(t, first + i);
        size_t n, len = 0;
        if (*text && owed < room) {
            room -= owed;
            for (; owed > 0; owed--)
                buf_addc(out, ' ');
            len = bytes_of(text, room, &n);
            add_tinted(out, style, t->cells[first + i].tint, text, len);
            room -= n;
        }
        owed += widths[i] + GAP - characters(text);
    }
    buf_addc(out, '\n');
}

void table_render(const struct table *t, const struct table_style *style, struct buf *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (t->failed || t->columns == 0 || t->len <= t->columns)
        return;
    for (size_t i = 0; i < t->len; i++) {
        size_t n = characters(text_of(t, i));
        widths[i % t->columns] = n > widths[i % t->columns] ? n : widths[i % t->columns];
    }
    for (size_t first = 0; first + t->columns <= t->len; first += t->columns)
        add_row(t, first, widths, style, out);
}
