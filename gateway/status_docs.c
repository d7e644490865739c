#include "status_docs.h"

#include <string.h>

#include "jsonx.h"
#include "listen_host.h"
#include "ws_client.h"

static const size_t ANSWER_BYTES_MAX = (size_t)8 * 1024 * 1024;

/* One GET: filled by answered(). */
struct get {
    uv_loop_t *loop;
    bool done, absent; /* absent: 404, or not now */
    bool unix_socket;
    char *text;
    json_t *root;
    struct err err;
};

static void take_body(struct get *g, const struct http_reply *reply)
{
    /* Loose, as in a symbol's item there may be anything that another program has put there. */
    g->root = jsonx_parse_loose(reply->body, reply->len, ANSWER_BYTES_MAX, &g->err);
    g->text = g->root ? strndup(reply->body, reply->len) : NULL;
    if (g->root && !g->text)
        err_set(&g->err, "out of memory");
}

static const char *way_out(enum failure failure, const char *detail)
{
    if (failure == FAIL_CONNECT)
        return ": " WS_CLIENT_CONNECT_ADVICE;
    if (failure != FAIL_TLS)
        return "";
    return strstr(detail, "wrong version number") ? ": nobody speaks TLS there: http:// in --url"
                                                  : ": " WS_CLIENT_TLS_ADVICE;
}

static void answered(void *ctx, const struct http_reply *reply, enum failure failure,
                     const char *detail)
{
    struct get *g = ctx;
    g->done = true;
    uv_stop(g->loop); /* this may be a timer's doing, and the turn would then wait for sockets */
    if (!reply && g->unix_socket && failure == FAIL_CONNECT)
        err_set(&g->err, "nobody listens there, or it may not be written to");
    else if (!reply)
        err_set(&g->err, "%s: %s%s", failure_name(failure), detail, way_out(failure, detail));
    else if (reply->status == 401 || reply->status == 403)
        err_set(&g->err, "refused with HTTP status %d: a --token of role analyst is needed",
                reply->status);
    else if (reply->status != 200)
        err_set(&g->err, "HTTP status %d", reply->status);
    else
        take_body(g, reply);
    g->absent = reply && (reply->status == 404 || reply->status == 503);
}

static void get(const struct status_asker *a, const char *path, struct get *g)
{
    struct http_request rq = {.unix_path = listen_host_path(a->url)};
    const struct fetch_limits limits = {.body_max = ANSWER_BYTES_MAX};

    *g = (struct get){.loop = a->loop, .unix_socket = rq.unix_path != NULL};
    buf_addf(&rq.url, "%s%s", rq.unix_path ? "http://localhost" : a->url, path);
    buf_addf(&rq.headers, "Accept: application/json\n");
    if (a->token)
        buf_addf(&rq.headers, "Authorization: Bearer %s\n", a->token);
    if (fetch_start(a->fetch, &rq, &limits, answered, g, &g->err))
        while (!g->done)
            uv_run(a->loop, UV_RUN_ONCE);
    http_request_fini(&rq);
}

int status_docs_load(const struct status_asker *a, struct status_docs *out, struct err *err)
{
    *out = (struct status_docs){0};
    const struct {
        const char *path;
        bool needed;
        json_t **root;
        char **text; /* NULL = not wanted */
    } rows[] = {
        {"/data-health/status",  true,  &out->status,       NULL                   },
        {"/data-health/sources", true,  &out->sources,      NULL                   },
        {"/readyz",              false, &out->ready,        NULL                   },
        {"/data-health/jobs",    false, &out->jobs,         NULL                   },
        {"/api/v1/quotes",       true,  &out->quotes,       &out->quotes_text      },
        {"/api/v1/observations", false, &out->observations, &out->observations_text},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct get g;
        get(a, rows[i].path, &g);
        if (g.err.text[0] && (rows[i].needed || !g.absent)) {
            err_set(err, "%s%s: %s", a->url, rows[i].path, g.err.text);
            json_decref(g.root);
            status_docs_fini(out);
            return -1;
        }
        *rows[i].root = g.root;
        if (rows[i].text)
            *rows[i].text = g.text;
        else
            free(g.text);
    }
    return 0;
}

void status_docs_fini(struct status_docs *d)
{
    json_decref(d->status);
    json_decref(d->sources);
    json_decref(d->ready);
    json_decref(d->jobs);
    json_decref(d->quotes);
    json_decref(d->observations);
    free(d->quotes_text);
    free(d->observations_text);
    *d = (struct status_docs){0};
}
