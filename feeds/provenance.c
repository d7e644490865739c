/* Three things are kept of a source, because each answers a question of its own: when its answer
 * was last taken (may it be trusted?), how it failed when it was last asked in vain (what happened
 * to it?), and why it is not asked at the moment (why is it not tried again?). A skip follows from
 * a failure and must not hide it; an answer ends both, yet the failure stays, as history.
 *
 * A source behind the one that answers is not walked to: it says nothing, and nothing is noted. */
#include "provenance.h"

#include <stdlib.h>
#include <string.h>

#include "jsonx.h"

int provenance_init(struct provenance *p, size_t sources)
{
    *p = (struct provenance){.n = sources};
    p->sources = calloc(sources + 1, sizeof *p->sources);
    return p->sources ? 0 : -1;
}

void provenance_fini(struct provenance *p)
{
    free(p->sources);
    p->sources = NULL;
}

void provenance_copy(struct provenance *p, const struct provenance *from)
{
    memcpy(p->sources, from->sources, p->n * sizeof *p->sources);
    p->from = from->from;
    p->since_ms = from->since_ms;
}

static void note_answer(struct provenance *p, const struct chain_step *step)
{
    struct provenance_source *s = &p->sources[step->pos];
    s->answered_ms = step->at_ms;
    if (p->since_ms != 0 && p->from == step->pos)
        return;
    p->from = step->pos;
    p->since_ms = step->at_ms;
}

static void note_failure(struct provenance_source *s, const struct chain_step *step)
{
    if (s->failed_ms == 0 || s->failed_ms <= s->answered_ms) {
        s->failed_since_ms = step->at_ms;
        s->failed_times = 0;
    }
    s->failed_times++;
    s->failed_ms = step->at_ms;
    s->failure = step->failure;
    s->status = step->status;
}

void provenance_note(struct provenance *p, const struct chain_step *step)
{
    struct provenance_source *s = &p->sources[step->pos];
    if (!step->asked) {
        if (s->skipped != step->failure)
            s->skipped_since_ms = step->at_ms;
        s->skipped = step->failure;
        return;
    }
    s->skipped = FAIL_NONE;
    if (step->failure == FAIL_NONE)
        note_answer(p, step);
    else
        note_failure(s, step);
}

/* --- told --- */

struct now {
    int64_t mono_ms, wall_ms;
};

static json_t *time_or_null(int64_t at_ms, const struct now *now)
{
    return at_ms > 0 ? json_integer(now->wall_ms - (now->mono_ms - at_ms)) : json_null();
}

static json_t *describe_failure(const struct provenance_source *s, const struct now *now)
{
    if (s->failed_ms == 0)
        return json_null();
    return json_pack("{s:s,s:o,s:o,s:o,s:I}", "error", failure_name(s->failure), "status",
                     s->status > 0 ? json_integer(s->status) : json_null(), "at",
                     time_or_null(s->failed_ms, now), "since",
                     time_or_null(s->failed_since_ms, now), "times", (json_int_t)s->failed_times);
}

static json_t *describe_skip(const struct provenance_source *s, const struct now *now)
{
    if (s->skipped == FAIL_NONE)
        return json_null();
    return json_pack("{s:s,s:o}", "error", failure_name(s->skipped), "since",
                     time_or_null(s->skipped_since_ms, now));
}

static json_t *describe_source(const struct provenance_source *s, const struct config_source *of,
                               const struct now *now)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:o}", "provider", of->provider, "symbol", of->symbol,
                     "answered", time_or_null(s->answered_ms, now), "failure",
                     describe_failure(s, now), "skipped", describe_skip(s, now));
}

json_t *provenance_describe(const struct provenance *p, const struct instrument *in,
                            int64_t mono_ms, int64_t wall_ms)
{
    const struct now now = {mono_ms, wall_ms};
    bool taken = p->since_ms > 0;
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        jsonx_append(&list, describe_source(&p->sources[i], &in->sources[i], &now));
    return json_pack("{s:s?,s:s?,s:o,s:o}", "source", taken ? in->sources[p->from].provider : NULL,
                     "source_symbol", taken ? in->sources[p->from].symbol : NULL, "since",
                     time_or_null(p->since_ms, &now), "sources", list);
}
