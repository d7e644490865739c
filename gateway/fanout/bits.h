/* bits.h - a set of instrument numbers 0..n-1, one bit each.
 *
 * Every set of instruments of one fan-out has the same n (the configured ones), so two such sets
 * can always be combined. Plain value; its words are its own, or lie in what it is a part of
 * (bits_init_in()). Loop thread only. */
#ifndef PRICEGATE_BITS_H
#define PRICEGATE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

#define BITS_WORDS(n) ((n) / 64 + 1) /* never zero, so that calloc() has no second meaning */

struct bits {
    uint64_t *words; /* NULL before bits_init() */
    size_t words_len;
};

int bits_init(struct bits *b, size_t n) MUST_CHECK; /* empty set; -1: out of memory */
void bits_fini(struct bits *b);                     /* may be called twice */

/* An empty set in the BITS_WORDS(n) zeroed words at `words`; they go with what they lie in, not by
 * bits_fini(). Returns the word behind them. */
uint64_t *bits_init_in(struct bits *b, uint64_t *words, size_t n);
/* Makes room for members below n; the set stays as it is. A zeroed struct is the set that has room
 * for none. -1: out of memory. Only for sets with words of their own. */
int bits_reserve(struct bits *b, size_t n) MUST_CHECK;

static inline void bits_set(struct bits *b, int i)
{
    b->words[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bits_unset(struct bits *b, int i)
{
    b->words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline bool bits_test(const struct bits *b, int i)
{
    return b->words[i / 64] >> (i % 64) & 1;
}

/* The smallest member >= from, or -1: for (i = bits_next(b, 0); i >= 0; i = bits_next(b, i + 1)) */
int bits_next(const struct bits *b, int from);

bool bits_any(const struct bits *b);
size_t bits_count(const struct bits *b);
size_t bits_count_both(const struct bits *a, const struct bits *b); /* in a and in b */
bool bits_equal(const struct bits *a, const struct bits *b);
uint64_t bits_hash(const struct bits *b, uint64_t seed);

void bits_clear(struct bits *b);
void bits_copy(struct bits *to, const struct bits *from);
void bits_or(struct bits *to, const struct bits *from);
void bits_and(struct bits *to, const struct bits *from);
void bits_and_not(struct bits *to, const struct bits *from);

#endif
