#include "provider.h"

static const char *const data_names[] = {
    [DATA_REAL_TIME] = "real_time",
    [DATA_DELAYED] = "delayed",
    [DATA_END_OF_DAY] = "end_of_day",
    [DATA_BENCHMARK] = "benchmark",
};
static const char *const auth_names[] = {
    [AUTH_NONE] = "none",
    [AUTH_HEADER] = "header",
    [AUTH_QUERY] = "query",
};

const char *provider_data_name(enum provider_data d)
{
    return data_names[d];
}

const char *provider_auth_name(enum provider_auth a)
{
    return auth_names[a];
}

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
