/* Those whose own interval is longer than their weight x s pay less than their share, which makes s
 * smaller for the others; so s is found by setting these slow ones aside and dividing again, until
 * none is added. One that is set aside stays there, as s only shrinks: at most n rounds, in
 * practice two or three.
 *
 * A weight of 4 is a quarter of a share: where all have the same weight it changes nothing, since s
 * is a quarter then. */
#include "stretch.h"

static int64_t ceiling(double x)
{
    return (int64_t)x + (x > (double)(int64_t)x);
}

/* The s when those that are slow at `at` pay what they cost, and the others share the rest; 0:
 * there are no others. */
static double share(const struct stretch *all, size_t n, double credits_per_ms, double at)
{
    double shares = 0, slow_ones = 0;
    for (size_t i = 0; i < n; i++) {
        if (at > 0 && (double)all[i].own_ms >= (double)all[i].weight * at)
            slow_ones += 1.0 / (double)all[i].own_ms;
        else
            shares += 1.0 / (double)all[i].weight;
    }
    return shares > 0 && credits_per_ms > slow_ones ? shares / (credits_per_ms - slow_ones) : 0;
}

int64_t stretch_ms(const struct stretch *all, size_t n, double credits_per_ms)
{
    double found = share(all, n, credits_per_ms, 0);
    for (size_t round = 0; round < n && found > 0; round++) {
        double next = share(all, n, credits_per_ms, found);
        if (next >= found)
            break;
        found = next;
    }
    return ceiling(found);
}
