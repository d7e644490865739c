/* command_status.c - how a running gateway is doing, as two tables in the terminal.
 *
 * Asks the gateway over HTTP like any other caller: /data-health/status and /sources, and the
 * quotes for what stands behind each symbol. Exit 1 when it cannot be reached or refuses. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "commands.h"
#include "fetch.h"
#include "jsonx.h"
#include "log.h"

static const size_t ANSWER_BYTES_MAX = (size_t)8 * 1024 * 1024;

/* One GET: filled by answered(). */
struct get {
    json_t *root;
    struct err err;
};

static void answered(void *ctx, const struct http_reply *reply, enum failure failure,
                     const char *detail)
{
    struct get *g = ctx;
    if (!reply)
        err_set(&g->err, "%s: %s", failure_name(failure), detail);
    else if (reply->status == 401 || reply->status == 403)
        err_set(&g->err, "refused with HTTP status %d: a --token of role analyst is needed",
                reply->status);
    else if (reply->status != 200)
        err_set(&g->err, "HTTP status %d", reply->status);
    else
        g->root = jsonx_parse(reply->body, reply->len, ANSWER_BYTES_MAX, &g->err);
}

/* The JSON behind url + path, or NULL with the reason. Caller json_decref()s. */
static json_t *get_json(uv_loop_t *loop, struct fetch *f, const char *url, const char *path,
                        const char *token, struct err *err)
{
    struct get g = {0};
    struct http_request rq = {0};
    const struct fetch_limits limits = {.body_max = ANSWER_BYTES_MAX};

    buf_addf(&rq.url, "%s%s", url, path);
    buf_addf(&rq.headers, "Accept: application/json\n");
    if (token)
        buf_addf(&rq.headers, "Authorization: Bearer %s\n", token);
    if (fetch_start(f, &rq, &limits, answered, &g, &g.err))
        while (!g.root && !g.err.text[0])
            uv_run(loop, UV_RUN_ONCE);
    http_request_fini(&rq);
    if (!g.root)
        err_set(err, "%s%s: %s", url, path, g.err.text);
    return g.root;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *s = jsonx_string(object, name);
    return s ? s : "-";
}

static void age_of(const json_t *row, char out[static 32])
{
    const json_t *hours = json_object_get(row, "age_hours");
    double s = json_number_value(hours) * 3600;
    if (!json_is_number(hours))
        snprintf(out, 32, "-");
    else if (s < 120)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 7200)
        snprintf(out, 32, "%.0f min", s / 60);
    else
        snprintf(out, 32, "%.1f h", s / 3600);
}

static const json_t *find_quote(const json_t *quotes, const char *symbol)
{
    size_t i;
    json_t *q;
    json_array_foreach(json_object_get(quotes, "data"), i,
                       q) if (strcmp(text_of(q, "symbol"), symbol) == 0) return q;
    return NULL;
}

/* FRESH, STALE, MISSING. */
static const char *shout(const char *s, char out[static 32])
{
    size_t i = 0;
    for (; i < 31 && s[i]; i++)
        out[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 'a' + 'A' : s[i]);
    out[i] = '\0';
    return out;
}

static void print_instruments(const json_t *status, const json_t *quotes)
{
    const char *category, *symbol;
    json_t *rows, *row;
    char status_text[32], age[32];

    printf("overall: %s\n\n%-16s %-20s %-8s %-9s %-12s %s\n", text_of(status, "overall_status"),
           "CATEGORY", "SYMBOL", "STATUS", "AGE", "STATE", "SOURCE");
    json_object_foreach(json_object_get(status, "categories"), category, rows)
    {
        json_object_foreach(rows, symbol, row)
        {
            const json_t *q = find_quote(quotes, symbol);
            age_of(row, age);
            printf("%-16s %-20s %-8s %-9s %-12s %s\n", category, symbol,
                   shout(text_of(row, "status"), status_text), age, text_of(q, "state"),
                   text_of(q, "source"));
        }
    }
}

static void print_sources(const json_t *answer)
{
    const char *name;
    json_t *row;
    printf("\n%-16s %-10s %-9s %-9s %-25s %s\n", "PROVIDER", "BREAKER", "FAILURES", "CREDITS",
           "RETRY AT", "REASON");
    json_object_foreach(json_object_get(answer, "sources"), name, row)
    {
        const json_t *credits = json_object_get(row, "credits_left");
        char left[32] = "-";
        if (json_is_integer(credits))
            snprintf(left, sizeof left, "%lld", (long long)json_integer_value(credits));
        printf("%-16s %-10s %-9lld %-9s %-25s %s\n", name, text_of(row, "state"),
               (long long)json_integer_value(json_object_get(row, "failures")), left,
               text_of(row, "retry_at"), text_of(row, "reason"));
    }
}

int command_status(const struct options *o)
{
    struct err err = {0};
    struct fetch *f = NULL;
    json_t *status = NULL, *sources = NULL, *quotes = NULL;
    uv_loop_t loop;
    int exit_code = 1;

    log_setup(LOG_ERROR, true);
    char *url = command_url(o);
    if (!url || uv_loop_init(&loop) != 0) {
        free(url);
        return 1;
    }
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
    f = fetch_new(&loop, &err);
    if (f && (status = get_json(&loop, f, url, "/data-health/status", o->token, &err)) &&
        (sources = get_json(&loop, f, url, "/data-health/sources", o->token, &err)) &&
        (quotes = get_json(&loop, f, url, "/api/v1/quotes", o->token, &err))) {
        print_instruments(status, quotes);
        print_sources(sources);
        exit_code = 0;
    } else {
        fprintf(stderr, "pricegate: %s\n", err.text);
    }
    json_decref(status);
    json_decref(sources);
    json_decref(quotes);
    if (f)
        fetch_close(f, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(url);
    return exit_code;
}
