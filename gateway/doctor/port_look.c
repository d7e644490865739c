#include "port_look.h"

#include <string.h>

#include "endpoint.h"
#include "fetch.h"
#include "jsonx.h"

static const int64_t ANSWER_MS = 2000;

struct knock {
    uv_loop_t *loop;
    bool done, is_pricegate;
};

static void on_answer(void *ctx, const struct http_reply *reply, enum failure failure,
                      const char *detail)
{
    struct knock *k = ctx;
    (void)failure, (void)detail;
    json_t *root = reply ? jsonx_parse(reply->body, reply->len, reply->len, NULL) : NULL;
    k->is_pricegate = json_is_boolean(json_object_get(root, "ready")) &&
                      json_is_array(json_object_get(root, "degraded"));
    json_decref(root);
    k->done = true;
    uv_stop(k->loop);
}

static void on_closed(void *ctx)
{
    struct knock *k = ctx;
    k->done = true;
    uv_stop(k->loop);
}

/* Asks whoever is there whether it is ready, as a balancer would. Over TLS only its name tells who
 * it is: a certificate need not be for this address. */
static bool answers_like_pricegate(uv_loop_t *loop, const char *host, int port)
{
    struct knock k = {.loop = loop};
    struct http_request rq = {.unix_path = listen_host_path(host)};
    const struct fetch_limits limits = {.timeout_ms = ANSWER_MS};
    struct fetch *fetch = fetch_new(loop, NULL);
    if (!fetch)
        return false;
    if (rq.unix_path)
        buf_adds(&rq.url, "http://localhost");
    else
        listen_host_add_url(&rq.url, listen_host_is_any(host) ? "127.0.0.1" : host, false, port);
    buf_adds(&rq.url, "/readyz");
    if (fetch_start(fetch, &rq, &limits, on_answer, &k, NULL))
        while (!k.done)
            uv_run(loop, UV_RUN_ONCE);
    http_request_fini(&rq);
    k.done = false;
    fetch_close(fetch, on_closed, &k);
    while (!k.done)
        uv_run(loop, UV_RUN_ONCE);
    return k.is_pricegate;
}

static void write_address(const char *host, int port, struct port_look *out)
{
    static const char scheme[] = "http://";
    struct buf url = {0};
    listen_host_add_url(&url, host, false, port);
    const char *text = url.p ? url.p : host;
    if (strncmp(text, scheme, strlen(scheme)) == 0)
        text += strlen(scheme);
    snprintf(out->at, sizeof out->at, "%s", text);
    buf_fini(&url);
}

void port_look(uv_loop_t *loop, const struct config *c, const char *host, int port,
               const char *setting, struct port_look *out)
{
    bool is_main = strcmp(setting, "listen.port") == 0; /* the only one that is ever shared */
    const struct endpoint_options o = {.host = host,
                                       .port = port,
                                       .port_setting = setting,
                                       .share = is_main && c->listen.share,
                                       .sndbuf_bytes = (int)c->fanout.sndbuf_bytes,
                                       .only_try = true};
    struct endpoint e;
    bool is_file = listen_host_path(host) != NULL;
    *out = (struct port_look){.wanted = port > 0 || (is_file && port >= 0)};
    if (!out->wanted)
        return;
    write_address(host, port, out);
    int rc = endpoint_open(&e, &o, &out->taken);
    endpoint_close(&e);
    if (rc == 0) {
        out->taken.text[0] = '\0';
        return;
    }
    if (!is_file)
        machine_find_holder(port, &out->holder);
    out->is_pricegate = out->holder.found ? strcmp(out->holder.name, "pricegate") == 0
                                          : answers_like_pricegate(loop, host, port);
}
