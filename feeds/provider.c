#include "provider.h"

void answers_fini(struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(answers[i].record.observation);
        answers[i].record.observation = NULL;
    }
}

struct observation *answer_observe(struct answer *a)
{
    free(a->record.observation);
    a->record.observation = calloc(1, sizeof *a->record.observation);
    if (!a->record.observation)
        parse_fail(a, FAIL_UPSTREAM_ERROR, "out of memory");
    return a->record.observation;
}

void http_request_fini(struct http_request *r)
{
    buf_fini(&r->url);
    buf_fini(&r->headers);
    buf_fini(&r->body);
}
