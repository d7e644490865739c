#include "kept_reply.h"

#include <string.h>

void kept_reply_fini(struct kept_reply *k)
{
    buf_fini(&k->url);
    buf_fini(&k->body);
    k->etag[0] = '\0';
}

static bool holds(const struct kept_reply *k, const char *url)
{
    return k->etag[0] && strcmp(k->url.p, url) == 0;
}

void kept_reply_ask(const struct kept_reply *k, struct http_request *rq)
{
    if (rq->url.p && holds(k, rq->url.p))
        buf_addf(&rq->headers, "If-None-Match: %s\n", k->etag);
}

void kept_reply_keep(struct kept_reply *k, const char *url, const struct http_reply *reply)
{
    if (reply->status != 200)
        return; /* an error says nothing about what we have */
    kept_reply_fini(k);
    if (!reply->etag || !reply->etag[0] || strlen(reply->etag) > KEPT_ETAG_MAX)
        return;
    buf_adds(&k->url, url);
    buf_add(&k->body, reply->body, reply->len);
    if (!k->url.failed && !k->body.failed && k->body.len > 0)
        snprintf(k->etag, sizeof k->etag, "%s", reply->etag);
}

bool kept_reply_restore(const struct kept_reply *k, const char *url, const struct http_reply *reply,
                        struct http_reply *out)
{
    if (reply->status != 304 || !holds(k, url))
        return false;
    *out = *reply;
    out->status = 200;
    out->body = k->body.p;
    out->len = k->body.len;
    return true;
}
