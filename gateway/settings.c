#include "settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "embedded.h"
#include "jsonx.h"
#include "listen_host.h"
#include "provider.h"

static const size_t FILE_BYTES_MAX = (size_t)4 * 1024 * 1024;

static int read_file(const char *path, struct buf *out, struct err *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(err, "%s: %s", strerror(errno), err_file_advice(errno));
    int rc = 0, failure = 0;
    for (;;) {
        char *to = buf_reserve(out, 65536);
        size_t n = to ? fread(to, 1, 65536, f) : 0;
        failure = errno;
        if (n == 0)
            break;
        out->len += n;
        to[n] = '\0';
        if (out->len > FILE_BYTES_MAX)
            break;
    }
    if (ferror(f))
        rc = err_set(err, "%s: %s", strerror(failure), err_file_advice(failure));
    else if (out->len > FILE_BYTES_MAX)
        rc = err_set(err, "larger than %zu bytes", FILE_BYTES_MAX);
    else if (out->failed)
        rc = err_set(err, "out of memory");
    fclose(f);
    return rc;
}

static void read_embedded(const char *path, struct buf *out)
{
    for (const struct embedded_file *f = embedded_files; f->path; f++)
        if (strcmp(f->path, path) == 0)
            buf_add(out, f->begin, (size_t)(f->end - f->begin));
    REQUIRE(out->len > 0);
}

static int read_chosen(const struct options *o, char origin[static SETTINGS_ORIGIN_MAX],
                       struct buf *out, struct err *err)
{
    const char *env = getenv("PRICEGATE_CONFIG");
    const char *path = o->config                             ? o->config
                       : env && *env                         ? env
                       : access("pricegate.json", F_OK) == 0 ? "pricegate.json"
                                                             : NULL;
    snprintf(origin, SETTINGS_ORIGIN_MAX, "%s", path ? path : "built-in default");
    if (path)
        return read_file(path, out, err);
    read_embedded("gateway/config/default.json", out);
    return 0;
}

/* --demo: the demo's instruments and providers in place of the configured ones; everything else
 * (address, Redis, keys) stays as configured. Text that is not JSON is left for config_load(). */
static void put_demo(struct buf *text)
{
    struct buf demo_text = {0};
    read_embedded("gateway/config/demo.json", &demo_text);
    json_t *root = jsonx_parse(text->p, text->len, FILE_BYTES_MAX, NULL);
    json_t *demo = jsonx_parse(demo_text.p, demo_text.len, FILE_BYTES_MAX, NULL);
    REQUIRE(demo);
    if (json_is_object(root)) {
        json_object_del(root, "providers");
        json_object_update(root, demo);
        char *merged = json_dumps(root, JSON_COMPACT);
        buf_clear(text);
        if (merged)
            buf_adds(text, merged);
        free(merged);
    }
    json_decref(root);
    json_decref(demo);
    buf_fini(&demo_text);
}

/* The environment with what the command line says in front: the first of a name counts. */
static const char **make_environ(const struct options *o, struct buf *strings)
{
    size_t n = 0;
    while (environ[n])
        n++;
    const char **list = calloc(n + 3, sizeof *list);
    if (!list)
        return NULL;
    size_t port_at = strings->len;
    if (o->port)
        buf_addf(strings, "PRICEGATE_LISTEN_PORT=%s%c", o->port, '\0');
    size_t level_at = strings->len;
    if (o->log_level)
        buf_addf(strings, "PRICEGATE_LOG_LEVEL=%s%c", o->log_level, '\0');
    size_t k = 0;
    if (o->port)
        list[k++] = strings->p + port_at;
    if (o->log_level)
        list[k++] = strings->p + level_at;
    for (size_t i = 0; i < n; i++) {
        bool overruled = (o->port && strncmp(environ[i], "PRICEGATE_LISTEN_PORT=", 22) == 0) ||
                         (o->log_level && strncmp(environ[i], "PRICEGATE_LOG_LEVEL=", 20) == 0);
        if (!overruled)
            list[k++] = environ[i];
    }
    return list;
}

void settings_print_lines(const char *origin, const struct buf *text)
{
    const char *p = text->p;
    while (p && *p) {
        size_t len = strcspn(p, "\n");
        fprintf(stderr, "pricegate: %s: %.*s\n", origin, (int)len, p);
        p += len + (p[len] == '\n');
    }
}

struct config *settings_read(const struct options *o, char origin[static SETTINGS_ORIGIN_MAX],
                             struct buf *problems, struct buf *warnings)
{
    struct buf text = {0}, strings = {0};
    struct config_provider_rule rules[64];
    const char **env = NULL;
    struct config *config = NULL;
    struct err err;

    if (read_chosen(o, origin, &text, &err) != 0) {
        buf_addf(problems, "%s\n", err.text);
        goto out;
    }
    if (o->demo) {
        put_demo(&text);
        size_t len = strlen(origin);
        snprintf(origin + len, SETTINGS_ORIGIN_MAX - len, " with --demo");
    }
    REQUIRE(providers_len <= ARRAY_LEN(rules));
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    env = make_environ(o, &strings);
    if (!env || text.failed || strings.failed) {
        buf_adds(problems, "out of memory\n");
        goto out;
    }
    const struct config_input in = {
        .text = text.p ? text.p : "",
        .len = text.len,
        .environ_list = env,
        .providers = rules,
        .providers_len = providers_len,
    };
    config = config_load(&in, problems, warnings);
    if (!config && problems->len == 0)
        buf_adds(problems, "out of memory\n");
out:
    free(env);
    buf_fini(&text);
    buf_fini(&strings);
    return config;
}

struct config *settings_load(const struct options *o, char origin[static SETTINGS_ORIGIN_MAX])
{
    struct buf problems = {0}, warnings = {0};
    struct config *config = settings_read(o, origin, &problems, &warnings);
    settings_print_lines("warning", &warnings);
    settings_print_lines(origin, &problems);
    buf_fini(&problems);
    buf_fini(&warnings);
    return config;
}

char *settings_url(const struct config *c)
{
    struct buf b = {0};
    bool any = listen_host_is_any(c->listen.host);
    listen_host_add_url(&b, any ? "127.0.0.1" : c->listen.host, c->listen.tls_cert != NULL,
                        c->listen.port);
    return buf_take(&b, NULL);
}

const char *settings_size(const struct config *c, char out[static SETTINGS_SIZE_MAX])
{
    size_t n = c->instruments_len - c->quotes_len;
    int len = snprintf(out, SETTINGS_SIZE_MAX, "%zu instrument%s", c->quotes_len,
                       c->quotes_len == 1 ? "" : "s");
    if (n > 0)
        snprintf(out + len, SETTINGS_SIZE_MAX - (size_t)len, " and %zu observation%s", n,
                 n == 1 ? "" : "s");
    return out;
}
