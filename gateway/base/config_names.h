/* config_names.h - "did you mean": the known name that is nearest to what somebody typed. */
#ifndef PRICEGATE_CONFIG_NAMES_H
#define PRICEGATE_CONFIG_NAMES_H

#include <stddef.h>

#define CONFIG_NAME_MAX 96 /* longer words are not compared */

/* Letters to insert, delete, replace or swap with their neighbour to make one word of the other;
 * upper and lower case count as equal. CONFIG_NAME_MAX + 1 for a word that is too long. */
size_t config_names_distance(const char *a, const char *b);

/* A search: set word, offer every known name, ask for the best. */
struct config_guess {
    const char *word, *best; /* best: borrowed from the caller who offered it */
    size_t distance;
};
void config_guess_offer(struct config_guess *g, const char *known);
const char *config_guess_best(const struct config_guess *g); /* NULL: nothing is near enough */

#endif
