/* dead_letter.h - a record that failed a rule of quality, as a file for people. Pure.
 *
 * One JSON object per letter: `time`, `error` {failure, rule, applies_to, reason}, `context` (whose
 * price it should have become, who said it, what was held and configured) and `record` (what came,
 * in major units where they are known). It is made of these members only: no URL, no key and no
 * byte of a reply ever gets in. dead_letters.h writes it. */
#ifndef PRICEGATE_DEAD_LETTER_H
#define PRICEGATE_DEAD_LETTER_H

#include "buf.h"
#include "quality.h"

struct dead_letter {
    int64_t wall_ms;
    const struct instrument *in;
    size_t source_index; /* in the chain */
    const struct record *record;
    const struct quality_result *result;
    const struct quality_memory *memory;
    unsigned left_out; /* letters that were not written before this one: there were too many */
};

/* Appends the text with a line's end; look at out->failed. */
void dead_letter_encode(const struct dead_letter *d, struct buf *out);

/* "dlq_20260131T120000.123Z_<epoch in hex>-<number>.json": the order of the names is that of the
 * times, and no two processes that share a folder give the same. Times are those of years 0..9999.
 */
#define DEAD_LETTER_NAME_MAX 80
void dead_letter_name(int64_t wall_ms, uint64_t epoch_ms, uint64_t number,
                      char out[static DEAD_LETTER_NAME_MAX]);
/* Is it dlq_*.json? All others in the folder are none of our business. */
bool dead_letter_is_name(const char *name);

#endif
