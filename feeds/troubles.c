#include "troubles.h"

#include "desk.h"

struct trouble_chain feeds_trouble_chain(const struct feeds *f, int id, int64_t mono_ms,
                                         int64_t wall_ms)
{
    const struct feed *d = &f->feeds[id];
    bool failing = d->failing_ms > 0;
    return (struct trouble_chain){
        .failing = failing,
        .for_ms = d->failed_ms - d->failing_ms,
        .since_ms = failing ? wall_ms - (mono_ms - d->failing_ms) : 0,
        .failure = d->last.failure,
        .provider = d->last.provider,
        .detail = d->last.detail,
    };
}

struct trouble_provider feeds_trouble_provider(const struct feeds *f, size_t provider,
                                               int64_t wall_ms)
{
    const struct upstream *u = &f->upstreams[provider];
    return upstream_trouble(u, wall_ms);
}

struct trouble_job feeds_trouble_job(const struct feeds *f, enum job job)
{
    return jobs_last(f, job);
}
