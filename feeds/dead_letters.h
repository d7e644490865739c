/* dead_letters.h - the folder of dead letters: bounded, and never waited for.
 *
 * Letters are written by a thread of libuv's pool, one batch at a time; the loop only encodes them.
 * Before a letter is written the oldest dlq_*.json go, so that the folder holds to its limits at
 * any time; no other file is touched. What cannot be written (and what comes too fast) is left out:
 * one line in the log when that begins, nothing else changes. Loop thread only. */
#ifndef PRICEGATE_DEAD_LETTERS_H
#define PRICEGATE_DEAD_LETTERS_H

#include <uv.h>

#include "dead_letter.h"

struct dead_letters_limits {
    size_t files;
    uint64_t bytes;
    unsigned per_s; /* letters */
};
extern const struct dead_letters_limits dead_letters_default; /* 1000 files, 16 MB, 5 per second */

struct dead_letters;

/* dir is borrowed, and made when it is not there (its parent is not). NULL: out of memory. */
struct dead_letters *dead_letters_new(uv_loop_t *loop, const char *dir, uint64_t epoch_ms,
                                      const struct dead_letters_limits *limits) MUST_CHECK;
/* The letter is encoded at once, nothing of it is kept; d->left_out is filled in. NULL as the
 * folder is fine: nothing is written then. */
void dead_letters_put(struct dead_letters *b, const struct dead_letter *d, int64_t mono_ms);
/* Frees when what was put is written, then calls done (may be NULL); at once when nothing is
 * under way. */
void dead_letters_close(struct dead_letters *b, void (*done)(void *ctx), void *ctx);

#endif
