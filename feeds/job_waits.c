#include "job_waits.h"

#include <stdlib.h>

struct job_wait {
    struct job_wait *next;
    refresh_done *done;
    void *ctx;
};

int job_waits_add(struct job_wait **list, refresh_done *done, void *ctx)
{
    struct job_wait *w = calloc(1, sizeof *w);
    if (!w)
        return -1;
    *w = (struct job_wait){*list, done, ctx};
    *list = w;
    return 0;
}

static struct refresh_result result_of(const struct job_slot *s)
{
    bool accepted = s->failure == FAIL_NONE;
    return (struct refresh_result){
        .id = s->id,
        .error = accepted ? NULL : failure_name(s->failure),
        .source = s->provider,
        .message = accepted ? NULL : s->message,
        .unchanged = s->unchanged,
    };
}

void job_waits_tell(struct job_wait **list, const struct job_run *r)
{
    struct job_wait *rest = *list;
    struct refresh_result *results = r && rest ? calloc(r->n + 1, sizeof *results) : NULL;
    *list = NULL;
    for (size_t i = 0; results && i < r->n; i++)
        results[i] = result_of(&r->slots[i]);
    while (rest) {
        struct job_wait *w = rest;
        rest = w->next;
        w->done(w->ctx, results, results ? r->n : 0);
        free(w);
    }
    free(results);
}

void job_waits_fini(struct job_wait **list)
{
    while (*list) {
        struct job_wait *w = *list;
        *list = w->next;
        free(w);
    }
}
