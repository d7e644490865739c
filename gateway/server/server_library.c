#include "server_library.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <string.h>

#include "loop.h"

/* The version is followed by where it was built from. */
static void copy_version(char out[static LIBRARY_VERSION_MAX], const char *text)
{
    snprintf(out, LIBRARY_VERSION_MAX, "%.*s", (int)strcspn(text, " -"), text);
}

void server_library_websockets(struct library *out)
{
    out->name = "libwebsockets";
    copy_version(out->built, LWS_LIBRARY_VERSION);
    copy_version(out->runs, lws_get_library_version());
}

void server_library_openssl(struct library *out)
{
    out->name = "OpenSSL";
    copy_version(out->built, OPENSSL_VERSION_STR);
    copy_version(out->runs, OpenSSL_version(OPENSSL_VERSION_STRING));
}

static int ignore(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    (void)wsi, (void)reason, (void)user, (void)in, (void)len;
    return 0;
}

/* It closes in two calls, as loop.c says: its handles first, then itself. */
int server_library_try(uv_loop_t *loop)
{
    static const struct lws_protocols protocols[] = {
        {.name = "none", .callback = ignore},
        {.name = NULL             }
    };
    void *loops[] = {loop};
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
    };
    lws_set_log_level(0, NULL);
    struct lws_context *lws = lws_create_context(&info);
    if (!lws)
        return -1;
    lws_context_destroy(lws);
    while (loop_has_handles_of(loop, lws))
        uv_run(loop, UV_RUN_NOWAIT);
    lws_context_destroy(lws);
    return 0;
}
