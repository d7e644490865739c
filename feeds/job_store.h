/* job_store.h - the history of jobs, kept on the bus under "pricegate:jobs". Loop thread only. */
#ifndef PRICEGATE_JOB_STORE_H
#define PRICEGATE_JOB_STORE_H

#include "bus.h"
#include "job_history.h"

struct job_store {
    struct bus *bus; /* borrowed */
    struct job_history history;
    bool known;       /* the bus has said what it knows */
    bool dirty;       /* set it: there is something to write */
    bool up;          /* the bus, when last looked */
    int64_t asked_ms; /* monotonic: when the document was asked for; 0 = it is there */
    char *written;    /* the document as last written; NULL = not yet */
    size_t written_len;
};

int job_store_init(struct job_store *s, struct bus *bus) MUST_CHECK; /* -1: out of memory */
void job_store_fini(struct job_store *s);

/* Asks for the document; an answer may come before this returns. */
void job_store_read(struct job_store *s, int64_t mono_ms);
/* Writes what there is to write; to be called each second. */
void job_store_keep(struct job_store *s, int64_t mono_ms);
/* Writes now what there is to write: there is no time to read first. */
void job_store_leave(struct job_store *s);
/* From the bus: is it the document? Then it is merged. */
bool job_store_shared(struct job_store *s, const char *key, const char *bytes, size_t len,
                      int64_t wall_ms);

#endif
