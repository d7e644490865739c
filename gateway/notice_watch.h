/* notice_watch.h - how everything stands that people may have to be told of: each job, each
 * provider in use, each instrument, the link to Redis, the certificate. Looks, and decides nothing:
 * when it is told is for notices.h. Loop thread only. */
#ifndef PRICEGATE_NOTICE_WATCH_H
#define PRICEGATE_NOTICE_WATCH_H

#include "bus.h"
#include "feeds.h"
#include "instrument_map.h"
#include "job.h"
#include "notices.h"
#include "tiers.h"
#include "troubles.h"

/* What is looked at, borrowed for a call. */
struct notice_scene {
    const struct config *config;
    const struct feeds *feeds;
    const struct tiers *tiers;
    const struct bus *bus;
    const char *bus_why;         /* what was said when the link was lost; "" = nothing yet */
    int64_t certificate_ends_ms; /* wall; 0 without TLS */
    struct notices_now now;
};

/* Zeroed at first. */
struct notice_watch {
    struct notice_watch_job {
        uint64_t runs; /* that were looked at */
        enum notice_level level;
        int64_t good_ms; /* wall; when the last one began that did all it should; 0 = none yet */
    } jobs[JOBS_LEN];
};

/* How many matters there are with this configuration. */
size_t notice_watch_matters(const struct config *config);
/* Tells `n` how each of them stands. */
void notice_watch_look(struct notice_watch *w, struct notices *n, const struct notice_scene *scene);
/* A reload: where a matter of map->from is in map->to; -1: it is gone. ctx: the instrument_map. */
int notice_watch_there(const void *ctx, size_t matter);

/* What a matter is about. */
struct matter_place {
    enum { ABOUT_BUS, ABOUT_CERTIFICATE, ABOUT_JOB, ABOUT_PROVIDER, ABOUT_INSTRUMENT } about;
    size_t number; /* of the job, the provider, the instrument */
};
struct matter_place notice_watch_place(const struct config *c, size_t matter);

#endif
