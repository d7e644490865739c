/* Read, merge, write: another process may have written meanwhile, so the document is read again
 * before each writing. While Redis cannot be reached nothing is written, for the bus would put our
 * few runs in place of all the others when it comes back; then it is read again. What comes back as
 * it was written is not parsed: that is the usual case, and 200 runs take milliseconds. */
#include "job_store.h"

#include <stdlib.h>
#include <string.h>

#include "jsonx.h"

static const char KEY[] = "pricegate:jobs";
static const int64_t TTL_S = 34560000; /* 400 days: an annual job's last run is not forgotten */
static const int64_t READ_WAIT_MS = 5000;

int job_store_init(struct job_store *s, struct bus *bus)
{
    *s = (struct job_store){.bus = bus};
    return job_history_init(&s->history);
}

void job_store_fini(struct job_store *s)
{
    job_history_fini(&s->history);
    free(s->written);
    s->written = NULL;
}

void job_store_read(struct job_store *s, int64_t mono_ms)
{
    s->up = bus_is_up(s->bus);
    s->asked_ms = mono_ms;
    bus_shared_read(s->bus, KEY);
}

void job_store_keep(struct job_store *s, int64_t mono_ms)
{
    bool came_up = !s->up && bus_is_up(s->bus);
    bool asked = s->asked_ms > 0 && mono_ms - s->asked_ms < READ_WAIT_MS;
    s->up = bus_is_up(s->bus);
    if (s->up && !asked && (s->dirty || came_up))
        job_store_read(s, mono_ms);
}

static void write_document(struct job_store *s)
{
    json_t *doc = job_history_save(&s->history);
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    if (text)
        bus_shared_write(s->bus, KEY, text, strlen(text), TTL_S);
    s->dirty = text == NULL; /* without memory: later */
    free(s->written);
    s->written = text;
    s->written_len = text ? strlen(text) : 0;
    json_decref(doc);
}

void job_store_leave(struct job_store *s)
{
    if (s->dirty && s->known && bus_is_up(s->bus))
        write_document(s);
}

bool job_store_shared(struct job_store *s, const char *key, const char *bytes, size_t len,
                      int64_t wall_ms)
{
    if (strcmp(key, KEY) != 0)
        return false;
    bool own = s->written && len == s->written_len && memcmp(bytes, s->written, len) == 0;
    json_t *doc = len > 0 && !own ? jsonx_parse(bytes, len, JOB_HISTORY_BYTES_MAX, NULL) : NULL;
    if (doc)
        job_history_merge(&s->history, doc, wall_ms);
    json_decref(doc);
    s->known = true;
    s->asked_ms = 0;
    if (s->dirty && bus_is_up(s->bus))
        write_document(s);
    return true;
}
