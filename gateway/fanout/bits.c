#include "bits.h"

#include <string.h>

int bits_init(struct bits *b, size_t n)
{
    b->words_len = BITS_WORDS(n);
    b->words = calloc(b->words_len, sizeof *b->words);
    return b->words ? 0 : -1;
}

uint64_t *bits_init_in(struct bits *b, uint64_t *words, size_t n)
{
    *b = (struct bits){.words = words, .words_len = BITS_WORDS(n)};
    return words + b->words_len;
}

int bits_reserve(struct bits *b, size_t n)
{
    size_t len = b->words_len;
    if (BITS_WORDS(n) <= len)
        return 0;
    len += len / 8; /* in steps, not for each word */
    if (len < BITS_WORDS(n))
        len = BITS_WORDS(n);
    uint64_t *words = realloc(b->words, len * sizeof *words);
    if (!words)
        return -1;
    memset(words + b->words_len, 0, (len - b->words_len) * sizeof *words);
    *b = (struct bits){.words = words, .words_len = len};
    return 0;
}

void bits_fini(struct bits *b)
{
    free(b->words);
    *b = (struct bits){0};
}

int bits_next(const struct bits *b, int from)
{
    size_t w = (size_t)from / 64;
    if (w >= b->words_len)
        return -1;
    uint64_t word = b->words[w] & (UINT64_MAX << (from % 64));
    while (word == 0) {
        if (++w == b->words_len)
            return -1;
        word = b->words[w];
    }
    return (int)(w * 64) + __builtin_ctzll(word);
}

bool bits_any(const struct bits *b)
{
    for (size_t w = 0; w < b->words_len; w++)
        if (b->words[w])
            return true;
    return false;
}

size_t bits_count(const struct bits *b)
{
    return bits_count_both(b, b);
}

size_t bits_count_both(const struct bits *a, const struct bits *b)
{
    size_t n = 0;
    for (size_t w = 0; w < a->words_len; w++)
        n += (size_t)__builtin_popcountll(a->words[w] & b->words[w]);
    return n;
}

bool bits_equal(const struct bits *a, const struct bits *b)
{
    return memcmp(a->words, b->words, a->words_len * sizeof *a->words) == 0;
}

uint64_t bits_hash(const struct bits *b, uint64_t seed)
{
    uint64_t h = seed;
    for (size_t w = 0; w < b->words_len; w++) {
        h = (h ^ b->words[w]) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

void bits_clear(struct bits *b)
{
    memset(b->words, 0, b->words_len * sizeof *b->words);
}

void bits_copy(struct bits *to, const struct bits *from)
{
    memcpy(to->words, from->words, from->words_len * sizeof *to->words);
}

void bits_or(struct bits *to, const struct bits *from)
{
    for (size_t w = 0; w < to->words_len; w++)
        to->words[w] |= from->words[w];
}

void bits_and(struct bits *to, const struct bits *from)
{
    for (size_t w = 0; w < to->words_len; w++)
        to->words[w] &= from->words[w];
}

void bits_and_not(struct bits *to, const struct bits *from)
{
    for (size_t w = 0; w < to->words_len; w++)
        to->words[w] &= ~from->words[w];
}
