/* command_watch.c - subscribe to a running gateway and print one line per quote or observation.
 *
 * A lost connection is tried again with back-off, as a dashboard does; one that never came about
 * ends the command. Numbers are printed digit for digit as they came. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "jsonx.h"
#include "settings.h"
#include "show.h"
#include "symbol.h"
#include "ws_client.h"

static const size_t MESSAGE_BYTES_MAX = (size_t)16 * 1024 * 1024;
static const unsigned BACKOFF_MAX_S = 30;

struct watch {
    unsigned backoff_s;
    bool refused; /* the gateway knows none of the symbols */
};

/* Prints the member's text as it came, strings without their quotes, and what belongs behind it;
 * "-" when absent. */
static void print_member(const struct jsonx_member *m, int n, const char *name, const char *before,
                         const char *behind)
{
    struct buf text = {0};
    for (int i = 0; i < n && text.len == 0; i++) {
        size_t quote = m[i].value[0] == '"';
        if (jsonx_member_is(&m[i], name))
            show_text(&text, m[i].value + quote, m[i].value_len - 2 * quote);
    }
    if (text.len > 0)
        printf("%s%.*s%s", before, (int)text.len, text.p, behind);
    else
        printf("%s-", before);
    buf_fini(&text);
}

static void print_observed(const char *item, size_t len)
{
    struct buf text = {0};
    show_value(&text, item, len);
    printf("  %.*s", (int)text.len, text.p ? text.p : "");
    buf_fini(&text);
}

static void print_element(const char *type, const char *text, size_t len)
{
    struct jsonx_member m[128];
    char now[CLOCK_RFC3339_MAX];
    int n = jsonx_members(text, len, m, ARRAY_LEN(m));
    if (n < 0)
        return;
    printf("%s", clock_rfc3339(clock_wall_ms(), now));
    print_member(m, n, "symbol", "  ", "");
    if (strcmp(type, "quote") == 0) {
        print_member(m, n, "price", "  ", "");
        print_member(m, n, "currency", " ", "");
        print_member(m, n, "change_pct", "  ", "%");
        print_member(m, n, "source", "  ", "");
    } else if (strcmp(type, "observation") == 0) {
        print_observed(text, len);
        print_member(m, n, "source", "  ", "");
    } else {
        print_member(m, n, "reason", "  ", "");
    }
    print_member(m, n, "state", "  ", "");
    printf("\n");
}

static void print_data(const char *type, const char *bytes, size_t len)
{
    struct jsonx_member members[16];
    int n = jsonx_members(bytes, len, members, ARRAY_LEN(members));
    for (int i = 0; i < n; i++) {
        if (members[i].name_len != 4 || memcmp(members[i].name, "data", 4) != 0)
            continue;
        const char *p = NULL;
        struct jsonx_member element;
        while (jsonx_next_element(members[i].value, members[i].value_len, &p, &element))
            print_element(type, element.value, element.value_len);
    }
    fflush(stdout);
}

static int on_subscribed(struct watch *w, const json_t *message)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(message, "rejected"), i, r)
        fprintf(stderr, "pricegate: %s: %s\n", jsonx_string(r, "symbol"), jsonx_string(r, "error"));
    w->refused = json_array_size(json_object_get(message, "symbols")) == 0 &&
                 json_array_size(json_object_get(message, "rejected")) > 0;
    return w->refused ? 1 : 0;
}

static int on_message(void *ctx, const char *bytes, size_t len)
{
    struct watch *w = ctx;
    json_t *message = jsonx_parse(bytes, len, MESSAGE_BYTES_MAX, NULL);
    const char *type = message ? jsonx_string(message, "type") : NULL;
    int stop = 0;
    w->backoff_s = 1;
    if (!type) {
        fprintf(stderr, "pricegate: a message that cannot be read was ignored\n");
    } else if (strcmp(type, "subscribed") == 0) {
        stop = on_subscribed(w, message);
    } else if (strcmp(type, "quote") == 0 || strcmp(type, "observation") == 0 ||
               strcmp(type, "status") == 0) {
        print_data(type, bytes, len);
    } else if (strcmp(type, "error") == 0) {
        fprintf(stderr, "pricegate: %s\n", jsonx_string(message, "message"));
        stop = 1;
        w->refused = true;
    }
    json_decref(message);
    return stop;
}

static char *make_hello(const struct options *o)
{
    struct buf b = {0};
    buf_adds(&b, "{\"action\":\"subscribe\",\"symbols\":[");
    for (int i = 0; i < o->args_len; i++) {
        buf_adds(&b, i ? "," : "");
        buf_adds_json(&b, o->args[i]);
    }
    buf_adds(&b, "]}");
    return buf_take(&b, NULL);
}

/* The URL given, else the configured gateway's. Caller frees. */
char *command_url(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    if (o->url)
        return strdup(o->url);
    struct config *c = settings_load(o, origin);
    char *url = c ? settings_url(c) : NULL;
    config_free(c);
    return url;
}

int command_watch(const struct options *o)
{
    struct watch w = {.backoff_s = 1};
    const struct ws_client_handler handler = {&w, on_message};
    bool was_up = false;
    int exit_code = 1;
    char *hello = make_hello(o), *url = command_url(o);

    while (hello && url) {
        struct err err = {0};
        enum ws_client_end end = ws_client_run(url, o->token, hello, &handler, &err);
        if (end == WS_CLIENT_STOPPED) {
            exit_code = w.refused ? 1 : 0;
            break;
        }
        if (end == WS_CLIENT_REFUSED && !was_up) {
            fprintf(stderr, "pricegate: %s: %s\n", url, err.text);
            break;
        }
        was_up = true;
        fprintf(stderr, "pricegate: %s: %s; trying again in %u s\n", url, err.text, w.backoff_s);
        sleep(w.backoff_s);
        w.backoff_s = w.backoff_s * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S : w.backoff_s * 2;
    }
    free(hello);
    free(url);
    return exit_code;
}
