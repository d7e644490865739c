/* One job asks the feed side for all instruments that have sources; every request that comes while
 * it runs waits for the same job. A waiter is answered when the job is done, or after WAIT_MS with
 * what is known then, which is nothing yet: the job goes on and later callers join it.
 *
 * The feed side calls back exactly once, possibly at once, possibly after the server is gone: so
 * the job is a heap object of its own with a pointer to the server that is cleared by then. */
#include "http_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "handlers.h"
#include "http.h"
#include "server_private.h"

static const uint64_t WAIT_MS = 25000;

struct refresh_waiter {
    struct refresh_waiter *next;
    struct conn *conn;
    int64_t since_ms;
    uv_timer_t timer;
};

struct refresh_job {
    struct server *server; /* NULL: it is gone */
    struct refresh_waiter *waiters;
    size_t asked;
};

static void free_waiter(uv_handle_t *h)
{
    free(h->data);
}

/* --- the answer --- */

struct tally {
    size_t failed, budget;
};

static struct tally count(const struct refresh_result *results, size_t n)
{
    struct tally t = {0};
    for (size_t i = 0; i < n; i++) {
        t.failed += results[i].error != NULL;
        t.budget += results[i].error && strcmp(results[i].error, "budget") == 0;
    }
    return t;
}

/* Running out of budget is no failure of the data: what could be asked was. */
static const char *status_of(struct tally t, size_t n)
{
    if (t.failed == 0)
        return "success";
    return t.failed < n || t.budget > 0 ? "partial" : "failed";
}

static void add_text(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, value);
}

static void add_symbols(struct buf *out, const struct config *c,
                        const struct refresh_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct refresh_result *r = &results[i];
        if (i > 0)
            buf_addc(out, ',');
        buf_adds_json(out, c->instruments[r->id].symbol);
        buf_addf(out, ":{\"status\":\"%s\"", r->error ? "failed" : "success");
        add_text(out, "error", r->error);
        add_text(out, "source", r->source);
        buf_addc(out, '}');
    }
}

static void add_errors(struct buf *out, const struct config *c,
                       const struct refresh_result *results, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        const struct refresh_result *r = &results[i];
        if (!r->error)
            continue;
        buf_adds(out, first ? "{\"symbol\":" : ",{\"symbol\":");
        first = false;
        buf_adds_json(out, c->instruments[r->id].symbol);
        add_text(out, "error", r->error);
        add_text(out, "message", r->message ? r->message : r->error);
        add_text(out, "source", r->source);
        buf_addc(out, '}');
    }
}

static void begin(struct response *r, const char *status, int64_t since_ms)
{
    r->status = 200;
    r->type = "application/json";
    response_header(r, "Cache-Control", "no-store");
    buf_addf(&r->body, "{\"status\":\"%s\",\"duration_seconds\":%.3f,\"operations\":{", status,
             (double)(clock_mono_ms() - since_ms) / 1000);
}

static void answer_done(struct response *r, const struct config *c, int64_t since_ms,
                        const struct refresh_result *results, size_t n)
{
    struct tally t = count(results, n);
    begin(r, status_of(t, n), since_ms);
    buf_addf(&r->body,
             "\"market\":{\"status\":\"%s\",\"requested\":%zu,\"updated\":%zu,"
             "\"failed\":%zu,\"symbols\":{",
             status_of(t, n), n, n - t.failed, t.failed);
    add_symbols(&r->body, c, results, n);
    buf_adds(&r->body, "}}},\"errors\":[");
    add_errors(&r->body, c, results, n);
    buf_adds(&r->body, "]}");
}

static void answer_late(struct response *r, int64_t since_ms, size_t asked)
{
    begin(r, "partial", since_ms);
    buf_addf(&r->body,
             "\"market\":{\"status\":\"running\",\"requested\":%zu}},\"errors\":[{\"symbol\":null,"
             "\"error\":\"timeout\",\"message\":\"the refresh is still under way\"}]}",
             asked);
}

/* --- waiting --- */

static void drop_waiter(struct refresh_waiter *w)
{
    if (w->conn)
        w->conn->waiter = NULL;
    w->conn = NULL;
    uv_close((uv_handle_t *)&w->timer, free_waiter);
}

static void unlink_waiter(struct refresh_job *job, const struct refresh_waiter *w)
{
    struct refresh_waiter **at = &job->waiters;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static void give_up(uv_timer_t *t)
{
    struct refresh_waiter *w = t->data;
    struct conn *c = w->conn;
    struct refresh_job *job = c->server->refresh;
    struct response r = {0};
    answer_late(&r, w->since_ms, job->asked);
    unlink_waiter(job, w);
    drop_waiter(w);
    http_finish(c, &r);
    response_fini(&r);
}

static void job_done(void *ctx, const struct refresh_result *results, size_t n)
{
    struct refresh_job *job = ctx;
    struct server *s = job->server;
    if (s)
        s->refresh = NULL;
    while (s && job->waiters) {
        struct refresh_waiter *w = job->waiters;
        struct conn *c = w->conn;
        struct response r = {0};
        job->waiters = w->next;
        answer_done(&r, s->config, w->since_ms, results, n);
        drop_waiter(w);
        http_finish(c, &r);
        response_fini(&r);
    }
    free(job);
}

static int start_job(struct server *s, struct refresh_job *job)
{
    const struct config *c = s->config;
    int *ids = calloc(c->instruments_len + 1, sizeof *ids);
    if (!ids)
        return -1;
    size_t n = 0;
    for (size_t i = 0; i < c->instruments_len; i++)
        if (c->instruments[i].sources_len > 0)
            ids[n++] = (int)i;
    job->asked = n;
    s->feed->refresh(s->feed->ctx, ids, n, job_done, job);
    free(ids);
    return 0;
}

static struct refresh_waiter *add_waiter(struct server *s, struct refresh_job *job, struct conn *c)
{
    struct refresh_waiter *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->conn = c;
    w->since_ms = clock_mono_ms();
    w->next = job->waiters;
    job->waiters = w;
    c->waiter = w;
    uv_timer_init(s->loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, give_up, WAIT_MS, 0);
    return w;
}

static bool anything_to_ask(const struct config *c)
{
    for (size_t i = 0; i < c->instruments_len; i++)
        if (c->instruments[i].sources_len > 0)
            return true;
    return false;
}

/* Joins the job under way, or starts one. The waiter is there before the feed side is asked: it may
 * answer before it returns. */
static int join(struct exchange *x)
{
    struct server *s = x->server;
    struct refresh_job *fresh = NULL;
    if (!s->refresh) {
        fresh = calloc(1, sizeof *fresh);
        if (!fresh)
            return -1;
        fresh->server = s;
        s->refresh = fresh;
    }
    struct refresh_waiter *w = add_waiter(s, s->refresh, x->conn);
    if (w && (!fresh || start_job(s, fresh) == 0)) {
        x->pending = true;
        return 0;
    }
    if (w) {
        unlink_waiter(s->refresh, w);
        drop_waiter(w);
    }
    if (fresh) {
        s->refresh = NULL;
        free(fresh);
    }
    return -1;
}

void serve_refresh_market(struct exchange *x)
{
    if (!anything_to_ask(x->server->config))
        answer_done(&x->response, x->server->config, clock_mono_ms(), NULL, 0);
    else if (join(x) != 0)
        response_problem(&x->response, 500, "out of memory", NULL);
}

void serve_refresh_all(struct exchange *x)
{
    serve_refresh_market(x); /* the second pipeline has no operations yet */
}

void serve_refresh_intelligence(struct exchange *x)
{
    begin(&x->response, "success", clock_mono_ms());
    buf_adds(&x->response.body, "},\"errors\":[]}");
}

void http_refresh_forget(struct conn *c)
{
    struct refresh_waiter *w = c->waiter;
    if (!w)
        return;
    unlink_waiter(c->server->refresh, w);
    drop_waiter(w);
}

void http_refresh_abandon(struct server *s)
{
    struct refresh_job *job = s->refresh;
    if (!job)
        return;
    while (job->waiters) {
        struct refresh_waiter *w = job->waiters;
        job->waiters = w->next;
        drop_waiter(w);
    }
    job->server = NULL;
    s->refresh = NULL;
}
