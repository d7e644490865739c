#include "bus_lookup.h"

#include <stdbool.h>
#include <stdlib.h>

struct lookup {
    uv_getaddrinfo_t req;
    lookup_done *done; /* NULL: orphaned */
    void *ctx;
};

static size_t collect(const struct addrinfo *list, char (*out)[INET6_ADDRSTRLEN])
{
    size_t n = 0;
    for (; list && n < LOOKUP_MAX; list = list->ai_next) {
        const void *from = list->ai_addr;
        bool ok = false;
        if (list->ai_family == AF_INET)
            ok = uv_ip4_name(from, out[n], sizeof out[n]) == 0;
        else if (list->ai_family == AF_INET6)
            ok = uv_ip6_name(from, out[n], sizeof out[n]) == 0;
        n += ok;
    }
    return n;
}

static void on_done(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    char addresses[LOOKUP_MAX][INET6_ADDRSTRLEN];
    struct lookup *k = req->data;
    size_t n = status == 0 ? collect(list, addresses) : 0;
    if (k->done)
        k->done(k->ctx, addresses, n, status ? uv_strerror(status) : "the name has no address");
    uv_freeaddrinfo(list);
    free(k);
}

struct lookup *lookup_start(uv_loop_t *loop, const char *host, lookup_done *done, void *ctx)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct lookup *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->req.data = k;
    k->done = done;
    k->ctx = ctx;
    if (uv_getaddrinfo(loop, &k->req, on_done, host, NULL, &hints) == 0)
        return k;
    free(k);
    return NULL;
}

void lookup_orphan(struct lookup *k)
{
    if (!k)
        return;
    k->done = NULL;
    uv_cancel((uv_req_t *)&k->req);
}
