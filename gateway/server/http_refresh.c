/* Each of the three routes is a job of the feed side (job.h); every request that comes while it
 * runs waits for the same run. A waiter is answered when that is done, or after WAIT_MS with what
 * is known then, which is nothing yet: the run goes on and later callers join it.
 *
 * The feed side calls back exactly once, possibly at once, possibly after the server is gone: so
 * the task is a heap object of its own with a pointer to the server that is cleared by then. */
#include "http_refresh.h"

#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "handlers.h"
#include "http.h"
#include "server_private.h"

static const uint64_t WAIT_MS = 25000;

struct refresh_waiter {
    struct refresh_waiter *next;
    struct refresh_task *task;
    struct conn *conn;
    int64_t since_ms;
    uv_timer_t timer;
};

struct refresh_task {
    struct server *server; /* NULL: it is gone */
    enum job job;
    struct refresh_waiter *waiters;
};

static void free_waiter(uv_handle_t *h)
{
    free(h->data);
}

/* The operations of an answer, in their order. */
static const struct operation {
    const char *name;
    enum instrument_kind kind;
    enum job without; /* the job that has no such operation */
} operations[] = {
    {"market",       INSTRUMENT_QUOTE,       JOB_INTELLIGENCE},
    {"intelligence", INSTRUMENT_OBSERVATION, JOB_MARKET      },
};

/* --- the answer --- */

struct tally {
    size_t requested, unchanged, failed, budget;
};

struct results {
    const struct config *config;
    const struct refresh_result *list;
    size_t n;
};

static bool is_of(const struct results *x, size_t i, const struct operation *op)
{
    return x->config->instruments[x->list[i].id].kind == op->kind;
}

/* Of one operation, or of all (NULL). */
static struct tally count(const struct results *x, const struct operation *op)
{
    struct tally t = {0};
    for (size_t i = 0; i < x->n; i++) {
        if (op && !is_of(x, i, op))
            continue;
        t.requested++;
        t.unchanged += x->list[i].unchanged;
        t.failed += x->list[i].error != NULL;
        t.budget += x->list[i].error && strcmp(x->list[i].error, "budget") == 0;
    }
    return t;
}

static const char *status_of(struct tally t)
{
    return job_status_name(job_status(t.requested, t.failed, t.budget));
}

static void add_text(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, value);
}

static void add_symbols(struct buf *out, const struct results *x, const struct operation *op)
{
    bool first = true;
    for (size_t i = 0; i < x->n; i++) {
        const struct refresh_result *r = &x->list[i];
        if (!is_of(x, i, op))
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        buf_adds_json(out, x->config->instruments[r->id].symbol);
        buf_addf(out, ":{\"status\":\"%s\"",
                 r->error       ? "failed"
                 : r->unchanged ? "unchanged"
                                : "success");
        add_text(out, "error", r->error);
        add_text(out, "source", r->source);
        buf_addc(out, '}');
    }
}

static void add_operation(struct buf *out, const struct results *x, const struct operation *op)
{
    struct tally t = count(x, op);
    buf_addf(out,
             "\"%s\":{\"status\":\"%s\",\"requested\":%zu,\"updated\":%zu,\"unchanged\":%zu,"
             "\"failed\":%zu,\"symbols\":{",
             op->name, status_of(t), t.requested, t.requested - t.unchanged - t.failed, t.unchanged,
             t.failed);
    add_symbols(out, x, op);
    buf_adds(out, "}}");
}

static void add_errors(struct buf *out, const struct results *x)
{
    bool first = true;
    for (size_t i = 0; i < x->n; i++) {
        const struct refresh_result *r = &x->list[i];
        if (!r->error)
            continue;
        buf_adds(out, first ? "{\"symbol\":" : ",{\"symbol\":");
        first = false;
        buf_adds_json(out, x->config->instruments[r->id].symbol);
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

static void answer_done(struct response *r, enum job job, const struct results *x, int64_t since_ms)
{
    bool first = true;
    begin(r, status_of(count(x, NULL)), since_ms);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (job == operations[i].without)
            continue;
        if (!first)
            buf_addc(&r->body, ',');
        first = false;
        add_operation(&r->body, x, &operations[i]);
    }
    buf_adds(&r->body, "},\"errors\":[");
    add_errors(&r->body, x);
    buf_adds(&r->body, "]}");
}

static void answer_late(struct response *r, enum job job, int64_t since_ms)
{
    bool first = true;
    begin(r, "partial", since_ms);
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (job == operations[i].without)
            continue;
        buf_addf(&r->body, "%s\"%s\":{\"status\":\"running\"}", first ? "" : ",",
                 operations[i].name);
        first = false;
    }
    buf_adds(&r->body, "},\"errors\":[{\"symbol\":null,\"error\":\"timeout\","
                       "\"message\":\"the refresh is still under way\"}]}");
}

/* --- waiting --- */

static void drop_waiter(struct refresh_waiter *w)
{
    if (w->conn)
        w->conn->waiter = NULL;
    w->conn = NULL;
    uv_close((uv_handle_t *)&w->timer, free_waiter);
}

static void unlink_waiter(const struct refresh_waiter *w)
{
    struct refresh_waiter **at = &w->task->waiters;
    while (*at && *at != w)
        at = &(*at)->next;
    if (*at)
        *at = w->next;
}

static void give_up(uv_timer_t *t)
{
    struct refresh_waiter *w = t->data;
    struct conn *c = w->conn;
    struct response r = {0};
    answer_late(&r, w->task->job, w->since_ms);
    unlink_waiter(w);
    drop_waiter(w);
    http_finish(c, &r);
    response_fini(&r);
}

static void task_done(void *ctx, const struct refresh_result *results, size_t n)
{
    struct refresh_task *task = ctx;
    struct server *s = task->server;
    if (s)
        s->refreshes[task->job] = NULL;
    while (s && task->waiters) {
        struct refresh_waiter *w = task->waiters;
        struct conn *c = w->conn;
        struct response r = {0};
        task->waiters = w->next;
        if (results)
            answer_done(&r, task->job, &(struct results){s->config, results, n}, w->since_ms);
        else
            response_problem(&r, 500, "out of memory", NULL);
        drop_waiter(w);
        http_finish(c, &r);
        response_fini(&r);
    }
    free(task);
}

static struct refresh_waiter *add_waiter(struct server *s, struct refresh_task *task,
                                         struct conn *c)
{
    struct refresh_waiter *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->task = task;
    w->conn = c;
    w->since_ms = clock_mono_ms();
    w->next = task->waiters;
    task->waiters = w;
    c->waiter = w;
    uv_timer_init(s->loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, give_up, WAIT_MS, 0);
    return w;
}

/* Joins the run under way, or starts one. The waiter is there before the feed side is asked: it may
 * answer before it returns. */
static void serve_job(struct exchange *x, enum job job)
{
    struct server *s = x->server;
    struct refresh_task *fresh = NULL;
    if (!s->refreshes[job]) {
        fresh = calloc(1, sizeof *fresh);
        s->refreshes[job] = fresh;
    }
    if (fresh)
        *fresh = (struct refresh_task){.server = s, .job = job};
    audit(x, job_name(job), fresh ? "started" : "joined");
    if (!s->refreshes[job] || !add_waiter(s, s->refreshes[job], x->conn)) {
        if (fresh)
            s->refreshes[job] = NULL;
        free(fresh);
        response_problem(&x->response, 500, "out of memory", NULL);
        return;
    }
    x->pending = true;
    if (fresh)
        s->feed->run_job(s->feed->ctx, job, task_done, fresh);
}

void serve_refresh_all(struct exchange *x)
{
    serve_job(x, JOB_FULL);
}

void serve_refresh_market(struct exchange *x)
{
    serve_job(x, JOB_MARKET);
}

void serve_refresh_intelligence(struct exchange *x)
{
    serve_job(x, JOB_INTELLIGENCE);
}

void http_refresh_forget(struct conn *c)
{
    struct refresh_waiter *w = c->waiter;
    if (!w)
        return;
    unlink_waiter(w);
    drop_waiter(w);
}

void http_refresh_abandon(struct server *s)
{
    for (int job = 0; job < JOBS_LEN; job++) {
        struct refresh_task *task = s->refreshes[job];
        if (!task)
            continue;
        while (task->waiters) {
            struct refresh_waiter *w = task->waiters;
            task->waiters = w->next;
            drop_waiter(w);
        }
        task->server = NULL;
        s->refreshes[job] = NULL;
    }
}
