/* delay_line.h - what was heard, held back for a fixed time. Pure; loop thread only.
 *
 * Items and status messages come out in the order they went in, each when its time has come and
 * never before. Bounded: beyond so many bytes an item takes the place of the last one of its symbol
 * that still waits, so what a reader then misses is a value that was replaced, and never sees one
 * early. */
#ifndef PRICEGATE_DELAY_LINE_H
#define PRICEGATE_DELAY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "item.h"

struct delay_line;

/* For instruments 0..symbols-1, at most about bytes_max of memory. NULL: out of memory. */
struct delay_line *delay_line_new(size_t symbols, size_t bytes_max) MUST_CHECK;
void delay_line_free(struct delay_line *l); /* NULL is fine */

/* What is due before something that was put in earlier (a clock was set back) waits for that. The
 * line takes a reference of the item, or a copy of the bytes. -1: out of memory, it is lost. */
int delay_line_put(struct delay_line *l, int id, struct item *it, int64_t due_ns) MUST_CHECK;
int delay_line_put_status(struct delay_line *l, int id, const char *bytes, size_t len,
                          int64_t due_ns) MUST_CHECK;

/* What comes out: an item (the reference is the caller's), or a status (it is NULL; bytes are valid
 * until the next call of any function here). */
struct delayed {
    int id;
    struct item *item;
    const char *bytes;
    size_t len;
    int64_t set_ms; /* by how much the clock was set while it waited */
    int64_t due_ns;
};
/* What was taken out of another line goes on waiting in this one, under another number. -1: it is
 * lost. */
int delay_line_carry(struct delay_line *l, int id, const struct delayed *d) MUST_CHECK;
bool delay_line_take(struct delay_line *l, int64_t mono_ns, struct delayed *out);
/* The wall's clock was set; by_ms adds up in what waits. */
void delay_line_clock_set(struct delay_line *l, int64_t by_ms);
/* When the next one is due; INT64_MAX: nothing waits. */
int64_t delay_line_next_ns(const struct delay_line *l);

#endif
