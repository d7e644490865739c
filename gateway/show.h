/* show.h - what a terminal shows of an item: its figures, and ages. Pure.
 *
 * Numbers keep the digits they came with. Whatever is in a string, nothing reaches the terminal
 * that it could take for a command: control characters become question marks. */
#ifndef PRICEGATE_SHOW_H
#define PRICEGATE_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* "350 ms", "12 s", "5 min", "3.5 h", "4 days"; negative ones are 0. Returns out. */
#define SHOW_AGE_MAX 32
const char *show_age(int64_t ms, char out[static SHOW_AGE_MAX]);

/* Appends the text, made harmless. Text that is not UTF-8 loses the bytes that are not. */
void show_text(struct buf *out, const char *s, size_t len);

/* Appends what the item says: "2.943 USD/lb", "150.32 JPY", "4.25 %", "temperature 21.4 C, rain 0
 * mm", the words of an observation without figures, or "-". The item: a JSON object, anything else
 * is "-". */
void show_value(struct buf *out, const char *item, size_t len);
/* The item's ts; 0 when it has none. */
int64_t show_ts_ms(const char *item, size_t len);

#endif
