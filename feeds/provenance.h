/* provenance.h - what each source of one instrument said last, and when: why its price comes from
 * where it comes from.
 *
 * Pure. Times are monotonic, so that a clock that is set moves none of them, and are told as wall
 * time. Of this process alone: it knows what it asked since its start. */
#ifndef PRICEGATE_PROVENANCE_H
#define PRICEGATE_PROVENANCE_H

#include <jansson.h>

#include "chain.h"

/* Zeroed at first. */
struct provenance_source {
    int64_t answered_ms;                   /* its answer was last taken; 0 = never */
    int64_t failed_ms;                     /* it was last asked in vain; 0 = never */
    int64_t failed_since_ms, failed_times; /* those in a row that ended (or did not) with that */
    enum failure failure;
    int status;           /* of HTTP, of that failure; 0 = no answer came */
    enum failure skipped; /* why it was not asked in the last walk; FAIL_NONE: it was */
    int64_t skipped_since_ms;
};

struct provenance {
    struct provenance_source *sources; /* one per source of the chain */
    size_t n;
    size_t from;      /* whose answers are taken */
    int64_t since_ms; /* since then; 0 = none was taken yet */
};

/* -1: out of memory. */
int provenance_init(struct provenance *p, size_t sources) MUST_CHECK;
void provenance_fini(struct provenance *p);
/* As many sources as p has. */
void provenance_copy(struct provenance *p, const struct provenance *from);

void provenance_note(struct provenance *p, const struct chain_step *step);

/* {"source", "source_symbol", "since", "sources": [{"provider", "symbol", "answered", "failure",
 * "skipped"}]}, times
 * in ms since the epoch; NULL: out of memory. in: whose sources they are. */
json_t *provenance_describe(const struct provenance *p, const struct instrument *in,
                            int64_t mono_ms, int64_t wall_ms);

#endif
