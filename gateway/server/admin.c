/* admin.c - who is connected, how to get rid of one of them, and another configuration.
 *
 *   GET  /admin/clients                    {"clients":[{"session", ...}]}
 *   POST /admin/clients/SESSION/close      the session of the client's `welcome`
 *   POST /admin/reload                     200 and what is different, or 422 and why nothing is
 *
 * The list is made from the server's own connections and what the fan-out knows of each; it is
 * bounded like the number of connections is. */
#include <inttypes.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "handlers.h"
#include "server_private.h"
#include "stream.h"

static void begin_json(struct exchange *x)
{
    x->response.status = 200;
    x->response.type = "application/json";
    response_header(&x->response, "Cache-Control", "no-store");
}

static void add_client(struct buf *out, const struct conn *c, int64_t mono_ns)
{
    struct client_info i = fanout_client_info(c->client, mono_ns);
    char address[ADDRESS_TEXT_MAX];
    buf_addf(out, "{\"session\":\"%s\",\"kind\":\"%s\",\"address\":\"%s\",\"key\":", i.session,
             i.events ? "events" : "websocket", address_format(&c->client_address, address));
    if (i.subject[0])
        buf_adds_json(out, i.subject);
    else
        buf_adds(out, "null");
    buf_addf(out, ",\"role\":\"%s\",\"symbols\":%zu,\"slow\":%s,\"age_s\":%.1f,\"tls\":%s}",
             role_name(i.role), i.symbols, i.slow ? "true" : "false", (double)i.age_ms / 1000,
             c->tls ? "true" : "false");
}

void serve_clients(struct exchange *x)
{
    struct buf *out = &x->response.body;
    int64_t mono_ns = clock_mono_ns();
    bool first = true;
    audit(x, NULL, "ok");
    begin_json(x);
    buf_adds(out, "{\"clients\":[");
    for (const struct conn *c = x->server->conns[CONN_STREAM]; c; c = c->next) {
        if (!c->client || c->closing)
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        add_client(out, c, mono_ns);
    }
    buf_adds(out, "]}");
}

static struct conn *find_session(const struct server *s, const char *session, size_t len)
{
    for (struct conn *c = s->conns[CONN_STREAM]; c; c = c->next) {
        if (!c->client || c->closing)
            continue;
        const char *its = fanout_client_info(c->client, 0).session;
        if (strlen(its) == len && memcmp(its, session, len) == 0)
            return c;
    }
    return NULL;
}

void serve_close_client(struct exchange *x)
{
    static const char tail[] = "/close";
    const char *param = x->request->param;
    size_t len = strlen(param);
    if (len <= sizeof tail - 1 || strcmp(param + len - (sizeof tail - 1), tail) != 0) {
        response_problem(&x->response, 404,
                         "there is nothing at this path: it is "
                         "/admin/clients/SESSION/close",
                         NULL);
        return;
    }
    char session[64];
    snprintf(session, sizeof session, "%.*s", (int)(len - (sizeof tail - 1)), param);
    struct conn *c = find_session(x->server, session, strlen(session));
    audit(x, session, c ? "ok" : "not_found");
    if (!c) {
        response_problem(&x->response, 404, "there is no client of this session", NULL);
        return;
    }
    stream_close(c, CLOSE_ADMIN);
    begin_json(x);
    buf_adds(&x->response.body, "{\"session\":");
    buf_adds_json(&x->response.body, session);
    buf_adds(&x->response.body, ",\"closed\":true}");
}

void serve_reload(struct exchange *x)
{
    const struct process_port *process = x->server->process;
    bool done = false;
    json_t *said = process ? process->reload(process->ctx, &done) : NULL;
    char *text = said ? json_dumps(said, JSON_COMPACT) : NULL;
    json_t *problems = json_object_get(said, "problems");
    char *list = problems ? json_dumps(problems, JSON_COMPACT) : NULL;
    struct buf extra = {0};
    audit(x, NULL, done ? "ok" : "failed");
    if (done && text) {
        begin_json(x);
        buf_adds(&x->response.body, text);
    } else if (list) {
        buf_addf(&extra, ",\"problems\":%s", list);
        response_problem(&x->response, 422,
                         "nothing has changed: the new configuration cannot be used",
                         extra.failed ? NULL : extra.p);
    } else {
        response_problem(&x->response, 500,
                         done ? "reloaded; but out of memory for the answer" : "out of memory",
                         NULL);
    }
    buf_fini(&extra);
    free(text);
    free(list);
    json_decref(said);
}
