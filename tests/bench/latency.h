/* latency.h - a histogram of delays from 1 us to hours, 64 buckets per doubling (1.6 % wide). */
#ifndef LATENCY_H
#define LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS 2048

struct latency {
    uint64_t buckets[LATENCY_BUCKETS], count;
    int64_t max_ns;
};

void latency_add(struct latency *l, int64_t ns); /* negative ones (clock stepped) count as 0 */
/* Upper edge of the bucket in which the quantile (0..1) lies, in ms; 0 when nothing was added. */
double latency_quantile_ms(const struct latency *l, double quantile);

#endif
