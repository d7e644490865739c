/* table.h - columns of text for a terminal. Pure.
 *
 * A column is as wide as its widest cell; a line that is wider than the terminal is cut. Widths are
 * counted in characters, colours are not counted. Cells are copied and made harmless (show.h). */
#ifndef PRICEGATE_TABLE_H
#define PRICEGATE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* What a cell means; its colour follows from that, where there are colours. */
enum tint { TINT_NONE, TINT_HEAD, TINT_GOOD, TINT_WARN, TINT_BAD, TINT_DIM };

#define TABLE_COLUMNS_MAX 12

struct table {
    size_t columns;
    struct buf text;          /* the cells, each with its NUL */
    struct table_cell *cells; /* the head first */
    size_t len;
    size_t cap;
    bool failed; /* out of memory: it is not complete */
};

/* heads: its columns, at most TABLE_COLUMNS_MAX. table_fini() frees. */
void table_init(struct table *t, const char *const *heads, size_t columns);
void table_fini(struct table *t);

/* The next cell, row after row; NULL is an empty one. A row is begun with its first cell. */
void table_add(struct table *t, enum tint tint, const char *text);
void table_addf(struct table *t, enum tint tint, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* How lines are printed. */
struct table_style {
    size_t width; /* of the terminal in characters; 0 = whatever it takes */
    bool colour;
};

/* Appends the head and the rows, each a line with its '\n'; no trailing spaces. Nothing for a table
 * without rows. */
void table_render(const struct table *t, const struct table_style *style, struct buf *out);
/* Appends the text, which is ours, in the colour. */
void table_tinted(struct buf *out, const struct table_style *style, enum tint tint,
                  const char *text);
/* Appends one line in one colour, cut in the same way. */
void table_line(struct buf *out, const struct table_style *style, enum tint tint, const char *text);

#endif
