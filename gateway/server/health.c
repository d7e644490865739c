/* health.c - is it alive, is it ready, how fresh is the data, what do the numbers say. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "handlers.h"
#include "server_private.h"

static void begin_json(struct exchange *x)
{
    x->response.status = 200;
    x->response.type = "application/json";
    response_header(&x->response, "Cache-Control", "no-store");
}

void serve_healthz(struct exchange *x)
{
    begin_json(x);
    buf_adds(&x->response.body, "{\"alive\":true}");
}

/* Without Redis or without any provider this process still serves what it has: it says so, and
 * stays ready. A balancer that took every gateway out because Redis is gone would make it worse. */
void serve_readyz(struct exchange *x)
{
    const struct server *s = x->server;
    if (s->phase != SERVER_READY) {
        response_problem(&x->response, 503, s->phase == SERVER_STARTING ? "starting" : "draining",
                         ",\"ready\":false");
        response_header(&x->response, "Retry-After", "1");
        return;
    }
    bool bus = s->feed->bus_whole(s->feed->ctx), providers = s->feed->any_provider(s->feed->ctx);
    begin_json(x);
    buf_addf(&x->response.body, "{\"ready\":true,\"degraded\":[%s%s%s]}", bus ? "" : "\"bus\"",
             !bus && !providers ? "," : "", providers ? "" : "\"providers\"");
}

static void count_timer(uv_handle_t *h, void *count)
{
    *(uint64_t *)count += uv_handle_get_type(h) == UV_TIMER;
}

void serve_metrics(struct exchange *x)
{
    const struct server *s = x->server;
    int64_t wall_ms = clock_wall_ms();
    for (size_t i = 0; i < s->config->instruments_len; i++) {
        const char *symbol = s->config->instruments[i].symbol;
        struct standing st = fanout_standing(tiers_live(s->tiers), (int)i, wall_ms);
        if (st.item)
            metrics_set(s->metrics, METRIC_QUOTE_AGE, symbol, NULL,
                        (double)(wall_ms - st.recv_ms) / 1000);
        metrics_set(s->metrics, METRIC_QUOTE_STATE, symbol, NULL, st.state);
        metrics_set(s->metrics, METRIC_MARKET_STATE, symbol, NULL, st.market);
    }
    s->metrics->connections = s->capacity.streams_open;
    s->metrics->loop_timers = 0;
    uv_walk(s->loop, count_timer, &s->metrics->loop_timers);
    s->metrics->log_lines_lost = log_lines_lost();
    s->metrics->certificate_ends_s = (uint64_t)server_certificate_ends_ms(s) / 1000;
    s->metrics->bus_up = s->feed->bus_up(s->feed->ctx);
    x->response.status = 200;
    x->response.type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_render(s->metrics, &x->response.body);
}

/* --- data-health --- */

enum freshness { FRESH, STALE, MISSING };

static enum freshness freshness_of(const struct standing *st)
{
    if (!st->item)
        return MISSING;
    return st->state == STATE_STALE || st->state == STATE_UNAVAILABLE ? STALE : FRESH;
}

static void add_freshness(struct buf *out, const struct standing *st, int64_t wall_ms)
{
    static const char *const names[] = {"fresh", "stale", "missing"};
    enum freshness f = freshness_of(st);
    if (st->item) {
        char when[CLOCK_RFC3339_MAX];
        int64_t age_ms = wall_ms - st->recv_ms;
        buf_addf(out, "{\"last_updated\":\"%s\",\"age_hours\":%.4f,",
                 clock_rfc3339(st->recv_ms > 0 ? st->recv_ms : 0, when),
                 age_ms > 0 ? (double)age_ms / 3600000 : 0.0);
    } else {
        buf_adds(out, "{\"last_updated\":null,\"age_hours\":null,");
    }
    buf_addf(out, "\"stale\":%s,\"status\":\"%s\",\"state\":\"%s\",\"source\":",
             f == FRESH ? "false" : "true", names[f], quote_state_name(st->state));
    if (st->item && st->item->source[0])
        buf_adds_json(out, st->item->source);
    else
        buf_adds(out, "null");
}

/* When it is polled next; not there where nobody polls it. */
static void add_next_run(struct buf *out, const struct feed_port *feed, int id)
{
    char when[CLOCK_RFC3339_MAX];
    int64_t ms = feed->next_poll ? feed->next_poll(feed->ctx, id) : 0;
    if (ms > 0)
        buf_addf(out, ",\"next_run\":\"%s\"", clock_rfc3339(ms, when));
}

/* A price that failed a rule of quality: shown here and nowhere else. */
static void add_suspect(struct buf *out, const struct feed_port *feed, int id)
{
    json_t *suspect = feed->suspect ? feed->suspect(feed->ctx, id) : NULL;
    char *text = suspect ? json_dumps(suspect, JSON_COMPACT) : NULL;
    if (text)
        buf_addf(out, ",\"suspect\":%s", text);
    free(text);
    json_decref(suspect);
}

/* The instruments of one category that may be seen, as an object. Counts the fresh ones. */
static void add_category(struct exchange *x, const bool *seen, const char *category,
                         int64_t wall_ms, size_t *fresh)
{
    const struct config *c = x->server->config;
    struct buf *out = &x->response.body;
    bool first = true;
    buf_adds_json(out, category);
    buf_adds(out, ":{");
    for (size_t i = 0; i < c->instruments_len; i++) {
        if (!seen[i] || strcmp(c->instruments[i].category, category) != 0)
            continue;
        struct standing st = fanout_standing(tiers_live(x->server->tiers), (int)i, wall_ms);
        if (!first)
            buf_addc(out, ',');
        first = false;
        buf_adds_json(out, c->instruments[i].symbol);
        buf_addc(out, ':');
        add_freshness(out, &st, wall_ms);
        add_next_run(out, x->server->feed, (int)i);
        if (x->conn->grant.delay_s == 0)
            add_suspect(out, x->server->feed, (int)i); /* it is a price of now */
        buf_addc(out, '}');
        *fresh += freshness_of(&st) == FRESH;
    }
    buf_addc(out, '}');
}

static bool is_first_of_category(const struct config *c, const bool *seen, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (seen[k] && strcmp(c->instruments[k].category, c->instruments[i].category) == 0)
            return false;
    return seen[i];
}

/* Who may see some symbols only is told of no others: a suspect price is a price, too. NULL: out of
 * memory; the caller frees. */
static bool *visible(const struct exchange *x, size_t *n)
{
    const struct config *c = x->server->config;
    bool *seen = calloc(c->instruments_len + 1, sizeof *seen);
    *n = 0;
    for (size_t i = 0; seen && i < c->instruments_len; i++) {
        seen[i] = grant_allows(&x->conn->grant, c->instruments[i].symbol);
        *n += seen[i];
    }
    return seen;
}

void serve_status(struct exchange *x)
{
    const struct config *c = x->server->config;
    struct buf *out = &x->response.body;
    int64_t wall_ms = clock_wall_ms();
    char when[CLOCK_RFC3339_MAX];
    size_t fresh = 0, n;
    const char *comma = "";
    bool *seen = visible(x, &n);
    if (!seen) {
        response_problem(&x->response, 500, "out of memory", NULL);
        return;
    }

    begin_json(x);
    buf_adds(out, "{\"categories\":{");
    for (size_t i = 0; i < c->instruments_len; i++) {
        if (!is_first_of_category(c, seen, i))
            continue;
        buf_adds(out, comma);
        comma = ",";
        add_category(x, seen, c->instruments[i].category, wall_ms, &fresh);
    }
    free(seen);
    const char *overall = fresh == n ? "healthy" : fresh == 0 ? "unhealthy" : "degraded";
    buf_addf(out, "},\"timestamp\":\"%s\",\"overall_status\":\"%s\"}", clock_rfc3339(wall_ms, when),
             overall);
}

static void answer_document(struct exchange *x, json_t *whole)
{
    char *text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    json_decref(whole);
    if (!text) {
        response_problem(&x->response, 500, "out of memory", NULL);
        return;
    }
    begin_json(x);
    buf_adds(&x->response.body, text);
    free(text);
}

void serve_sources(struct exchange *x)
{
    json_t *sources = x->server->feed->sources(x->server->feed->ctx);
    answer_document(x, sources ? json_pack("{s:o}", "sources", sources) : NULL);
}

void serve_jobs(struct exchange *x)
{
    answer_document(x, x->server->feed->jobs(x->server->feed->ctx));
}

void serve_reset_circuit(struct exchange *x)
{
    const char *provider = x->request->param;
    if (x->server->feed->reset(x->server->feed->ctx, provider) != 0) {
        audit(x, provider, "not_found");
        response_problem(&x->response, 404, "there is no provider of that name", NULL);
        return;
    }
    audit(x, provider, "ok");
    begin_json(x);
    buf_adds(&x->response.body, "{\"provider\":");
    buf_adds_json(&x->response.body, provider);
    buf_adds(&x->response.body, ",\"state\":\"closed\"}");
}
