/* The order at the end of a request matters: first what it shows of the provider is noted (breaker,
 * budget, metrics), then the walk gets its answers, because the walk goes on at once and may
 * want to ask the same provider again. */
#include "ask.h"

#include <string.h>

#include "clock.h"

struct ask {
    struct asker *owner;
    struct ask *prev, *next;
    struct upstream *upstream;
    struct chain_request *request;
    struct fetch_job *job;
    int64_t started_ns, started_wall_ms;
    char *url;               /* what was asked; NULL: the reply is not kept */
    struct answer answers[]; /* one per symbol */
};

static void free_ask(struct ask *k, size_t answers)
{
    answers_fini(k->answers, answers);
    free(k->url);
    free(k);
}

static void unlink_ask(struct ask *k)
{
    if (k->owner->under_way == k)
        k->owner->under_way = k->next;
    if (k->prev)
        k->prev->next = k->next;
    if (k->next)
        k->next->prev = k->prev;
}

static void link_ask(struct ask *k)
{
    struct asker *a = k->owner;
    k->next = a->under_way;
    if (a->under_way)
        a->under_way->prev = k;
    a->under_way = k;
}

static void count(struct asker *a, const struct upstream *u, enum failure result)
{
    metrics_add(a->metrics, METRIC_PROVIDER_REQUESTS, u->row->rule.name, failure_name(result), 1);
}

static void count_answers(struct asker *a, const struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (answers[i].failure == FAIL_NONE)
            a->metrics->records++;
        else
            a->metrics->errors++;
}

/* No answer came: what is known of the provider, then the walk. */
static void fail(const struct ask *k, enum failure f, const char *detail)
{
    struct asker *a = k->owner;
    struct upstream *u = k->upstream;
    struct chain_request *r = k->request;
    struct verdict verdict = {.failure = f, .credits_left = -1};
    int64_t wall_ms = clock_wall_ms();
    count(a, u, f);
    a->news = true;
    a->metrics->errors += r->n;
    upstream_answered(u, &verdict, detail, k->started_wall_ms, wall_ms);
    upstream_sync(u, a->bus, a->metrics, wall_ms);
    /* A certificate does not become valid by asking twice; and who took all of a long time would
     * take it again, beyond what anybody waits for. */
    chain_failed(r, f, detail, f != FAIL_TLS && !(f == FAIL_TIMEOUT && u->row->timeout_ms));
}

static const char *first_detail(const struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (answers[i].failure != FAIL_NONE)
            return answers[i].detail;
    return "";
}

static bool any_good(const struct answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (answers[i].failure == FAIL_NONE)
            return true;
    return false;
}

/* The reply, or the one that a 304 stands for, is parsed; what was understood is kept. */
static void parse(struct ask *k, const struct http_reply *reply, int64_t wall_ms,
                  struct verdict *verdict)
{
    struct upstream *u = k->upstream;
    const struct chain_request *r = k->request;
    struct http_reply kept;
    bool same = k->url && kept_reply_restore(&u->kept, k->url, reply, &kept);
    u->row->parse(same ? &kept : reply, r->symbols, r->n, wall_ms, k->answers, verdict);
    for (size_t i = 0; i < r->n; i++)
        k->answers[i].status = reply->status;
    bool good = any_good(k->answers, r->n);
    if (same && !good)
        kept_reply_fini(&u->kept);
    else if (k->url && !same && good)
        kept_reply_keep(&u->kept, k->url, reply);
}

static void on_fetched(void *ctx, const struct http_reply *reply, enum failure failure,
                       const char *detail)
{
    struct ask *k = ctx;
    struct asker *a = k->owner;
    struct upstream *u = k->upstream;
    struct chain_request *r = k->request;
    struct verdict verdict = {.credits_left = -1};

    unlink_ask(k);
    histogram_observe(&a->metrics->provider_latency,
                      (double)(clock_mono_ns() - k->started_ns) / 1e9);
    if (!reply) {
        fail(k, failure, detail);
        free_ask(k, 0);
        return;
    }
    int64_t wall_ms = clock_wall_ms();
    parse(k, reply, wall_ms, &verdict);
    count(a, u, verdict.failure);
    count_answers(a, k->answers, r->n);
    upstream_answered(u, &verdict, first_detail(k->answers, r->n), k->started_wall_ms, wall_ms);
    upstream_sync(u, a->bus, a->metrics, wall_ms);
    size_t n = r->n; /* the request goes with the answers */
    chain_answered(r, k->answers);
    free_ask(k, n);
}

static void generate(struct asker *a, struct upstream *u, struct ask *k)
{
    struct chain_request *r = k->request;
    int64_t wall_ms = clock_wall_ms();
    for (size_t i = 0; i < r->n; i++)
        u->row->generate(r->symbols[i], wall_ms, &k->answers[i]);
    count(a, u, FAIL_NONE);
    count_answers(a, k->answers, r->n);
    u->last_success_ms = wall_ms;
    size_t n = r->n;
    chain_answered(r, k->answers);
    free_ask(k, n);
}

/* Builds and starts the request; -1 with the reason. */
static int start(struct ask *k, struct err *err)
{
    struct http_request rq = {0};
    struct chain_request *r = k->request;
    const struct provider *row = k->upstream->row;
    struct fetch_limits limits = k->owner->limits;
    if (row->timeout_ms)
        limits.timeout_ms = row->timeout_ms;
    int rc = -1;
    if (row->request(k->upstream->cfg, r->symbols, r->n, &rq, err) == 0) {
        /* Only who knows the URL can make something of a 304. */
        if (row->revalidate && rq.url.p && (k->url = strdup(rq.url.p)))
            kept_reply_ask(&k->upstream->kept, &rq);
        k->job = fetch_start(k->owner->fetch, &rq, &limits, on_fetched, k, err);
        rc = k->job ? 0 : -1;
    }
    http_request_fini(&rq);
    return rc;
}

void ask_send(struct asker *a, struct upstream *u, struct chain_request *r)
{
    struct err err = {"out of memory"};
    struct ask *k = calloc(1, sizeof *k + r->n * sizeof k->answers[0]);
    if (k) {
        k->owner = a;
        k->upstream = u;
        k->request = r;
        k->started_ns = clock_mono_ns();
        k->started_wall_ms = clock_wall_ms();
    }
    if (k && u->row->generate) {
        generate(a, u, k);
        return;
    }
    if (k && start(k, &err) == 0) {
        link_ask(k);
        return;
    }
    if (k)
        free_ask(k, 0);
    upstream_not_sent(u, clock_wall_ms());
    chain_failed(r, FAIL_DISABLED, err.text, false);
}

void ask_drop_all(struct asker *a)
{
    for (struct ask *k = a->under_way, *next; k; k = next) {
        next = k->next;
        unlink_ask(k);
        fetch_cancel(k->job);
        upstream_not_sent(k->upstream, clock_wall_ms());
        chain_drop(k->request);
        free_ask(k, 0);
    }
}
