#include "config_names.h"

#include <ctype.h>
#include <string.h>

static int fold(char c)
{
    return tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment (Levenshtein plus swapped neighbours), three rows of the table. */
size_t config_names_distance(const char *a, const char *b)
{
    size_t rows[3][CONFIG_NAME_MAX + 1];
    size_t la = strlen(a), lb = strlen(b);
    if (la > CONFIG_NAME_MAX || lb > CONFIG_NAME_MAX)
        return CONFIG_NAME_MAX + 1;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replace = last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
            now[j] = least(replace, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

void config_guess_offer(struct config_guess *g, const char *known)
{
    size_t d = config_names_distance(g->word, known);
    if (!g->best || d < g->distance) {
        g->best = known;
        g->distance = d;
    }
}

const char *config_guess_best(const struct config_guess *g)
{
    size_t len = strlen(g->word);
    if (!g->best || g->distance > 1 + len / 4 || g->distance >= len)
        return NULL;
    return g->best;
}
