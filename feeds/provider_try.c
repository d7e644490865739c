#include "provider_try.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fetch.h"
#include "provider.h"

struct round {
    uv_loop_t *loop;
    size_t waiting;
    bool closed;
};

struct call {
    struct round *round;
    struct provider_try *to;
};

static const char *first_symbol(const struct config *c, int provider)
{
    for (size_t i = 0; i < c->instruments_len; i++)
        for (size_t k = 0; k < c->instruments[i].sources_len; k++)
            if (c->instruments[i].sources[k].provider_id == provider)
                return c->instruments[i].sources[k].symbol;
    return NULL;
}

size_t provider_try_list(const struct config *c, struct provider_try *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < c->providers_len && n < max; i++) {
        const char *symbol = first_symbol(c, (int)i);
        if (symbol && c->providers[i].enabled && !providers[i]->generate)
            out[n++] = (struct provider_try){.provider = (int)i, .symbol = symbol};
    }
    return n;
}

/* --- one of them --- */

static void fail(struct provider_try *t, enum failure failure, const char *detail)
{
    t->failure = failure;
    snprintf(t->detail, sizeof t->detail, "%s", detail);
}

static void read_reply(struct provider_try *t, const struct http_reply *reply)
{
    struct answer answer = {0};
    struct verdict verdict = {.credits_left = -1};
    t->date_ms = reply->date_ms;
    providers[t->provider]->parse(reply, &t->symbol, 1, t->answered_ms, &answer, &verdict);
    fail(t, answer.failure, answer.detail);
    answers_fini(&answer, 1);
}

static void done(struct round *r)
{
    if (--r->waiting == 0)
        uv_stop(r->loop);
}

static void on_fetched(void *ctx, const struct http_reply *reply, enum failure failure,
                       const char *detail)
{
    struct call *call = ctx;
    struct provider_try *t = call->to;
    t->answered_ms = clock_wall_ms();
    t->took_ms += clock_mono_ms();
    if (reply)
        read_reply(t, reply);
    else
        fail(t, failure, detail);
    done(call->round);
}

static void start(struct fetch *f, const struct config *c, struct call *call)
{
    struct provider_try *t = call->to;
    const struct provider *row = providers[t->provider];
    struct http_request rq = {0};
    struct err err = {"out of memory"};
    const struct fetch_limits limits = {
        .timeout_ms = row->timeout_ms ? row->timeout_ms : c->limits.upstream_ms,
        .body_max = (size_t)c->limits.upstream_bytes,
        .header_max = (size_t)c->limits.upstream_header_bytes,
        .public_only = c->limits.upstream_public,
    };
    t->asked_ms = clock_wall_ms();
    t->took_ms = -clock_mono_ms();
    if (row->request(&c->providers[t->provider], &t->symbol, 1, &rq, &err) != 0 ||
        !fetch_start(f, &rq, &limits, on_fetched, call, &err)) {
        fail(t, FAIL_DISABLED, err.text);
        done(call->round);
    }
    http_request_fini(&rq);
}

/* --- all of them --- */

static void on_closed(void *ctx)
{
    struct round *r = ctx;
    r->closed = true;
    uv_stop(r->loop);
}

int provider_try_all(uv_loop_t *loop, const struct config *c, struct provider_try *tries, size_t n,
                     struct err *err)
{
    struct round r = {.loop = loop, .waiting = n};
    struct call *calls = calloc(n + 1, sizeof *calls);
    if (!calls)
        return err_set(err, "out of memory");
    struct fetch *f = fetch_new(loop, err);
    if (!f) {
        free(calls);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        calls[i] = (struct call){&r, &tries[i]};
        start(f, c, &calls[i]);
    }
    while (r.waiting > 0)
        uv_run(loop, UV_RUN_ONCE);
    fetch_close(f, on_closed, &r);
    while (!r.closed)
        uv_run(loop, UV_RUN_ONCE);
    free(calls);
    return 0;
}
