/* A delay in microseconds below 128 is its own bucket; above, the top seven bits of it name the
 * bucket, so that every bucket is at most 1/64 of its value wide and finding it is a shift. */
#include "latency.h"

static unsigned bucket_of(uint64_t us)
{
    if (us < 128)
        return (unsigned)us;
    unsigned shift = 64 - 7 - (unsigned)__builtin_clzll(us);
    unsigned bucket = 64 * shift + (unsigned)(us >> shift);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static double upper_edge_us(unsigned bucket)
{
    if (bucket < 128)
        return bucket + 1.0;
    unsigned shift = bucket / 64 - 1;
    return (double)(bucket - 64 * shift + 1) * (double)(UINT64_C(1) << shift);
}

void latency_add(struct latency *l, int64_t ns)
{
    l->buckets[bucket_of(ns > 0 ? (uint64_t)ns / 1000 : 0)]++;
    l->count++;
    if (ns > l->max_ns)
        l->max_ns = ns;
}

double latency_quantile_ms(const struct latency *l, double quantile)
{
    double seen = 0, wanted = quantile * (double)l->count;
    for (unsigned i = 0; i < LATENCY_BUCKETS && l->count > 0; i++) {
        seen += (double)l->buckets[i];
        if (l->buckets[i] > 0 && seen >= wanted)
            return upper_edge_us(i) / 1000;
    }
    return 0;
}
