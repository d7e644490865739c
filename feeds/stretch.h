/* stretch.h - how far intervals must be stretched so that they cost no more than there is. Pure.
 *
 * Each of n has an interval of its own and a weight. Wanted is the smallest s such that
 * interval = max(own, weight x s) for all of them, each asked once an interval at one credit, costs
 * at most so many credits. */
#ifndef PRICEGATE_STRETCH_H
#define PRICEGATE_STRETCH_H

#include <stddef.h>
#include <stdint.h>

struct stretch {
    int64_t own_ms; /* > 0 */
    int64_t weight; /* 1 = a whole share; 4 = a quarter of one */
};

/* The s, in ms, rounded up; 0: nobody needs to be slower. credits_per_ms must be > 0. */
int64_t stretch_ms(const struct stretch *all, size_t n, double credits_per_ms);

#endif
