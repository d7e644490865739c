#include <jansson.h>
#include <string.h>

#include "capacity.h"
#include "clock.h"
#include "doctor.h"
#include "fetch.h"
#include "gateway.h"
#include "server.h"
#include "server_library.h"

/* --- files --- */

static void take_file(void *ctx, enum named_files_kind kind, const char *setting,
                      const char *sentence, const char *advice)
{
    struct doctor_facts *f = ctx;
    if (f->files_len == DOCTOR_FILES_MAX) /* more of the same kind: a list of exchanges */
        return;
    struct doctor_file file = {kind, strdup(setting), strdup(sentence),
                               advice ? strdup(advice) : NULL};
    if (file.setting && file.sentence) {
        f->files[f->files_len++] = file;
        return;
    }
    f->failed = true;
    free(file.setting);
    free(file.sentence);
    free(file.advice);
}

/* --- all --- */

static void look_at_machine(struct doctor_facts *f)
{
    machine_look(&f->machine);
    if (f->machine.files < 0 || !f->config)
        return;
    struct config all = *f->config;
    struct capacity room;
    all.limits.connections = 0; /* what the files allow */
    capacity_init(&room, &all, f->machine.files);
    f->connections = (int64_t)room.streams;
    capacity_fini(&room);
}

static void look_at_libraries(uv_loop_t *loop, struct doctor_facts *f)
{
    struct library *l = f->libraries;
    server_library_websockets(&l[LIBRARY_WEBSOCKETS]);
    server_library_openssl(&l[LIBRARY_OPENSSL]);
    bus_library(&l[LIBRARY_HIREDIS]);
    fetch_library(&l[LIBRARY_CURL]);
    l[LIBRARY_JANSSON].name = "jansson";
    snprintf(l[LIBRARY_JANSSON].built, LIBRARY_VERSION_MAX, "%s", JANSSON_VERSION);
    snprintf(l[LIBRARY_JANSSON].runs, LIBRARY_VERSION_MAX, "%s", jansson_version_str());
    l[LIBRARY_UV].name = "libuv";
    snprintf(l[LIBRARY_UV].built, LIBRARY_VERSION_MAX, "%d.%d.%d", UV_VERSION_MAJOR,
             UV_VERSION_MINOR, UV_VERSION_PATCH);
    snprintf(l[LIBRARY_UV].runs, LIBRARY_VERSION_MAX, "%s", uv_version_string());
    f->has_event_library = server_library_try(loop) == 0;
}

static void look_at_redis(uv_loop_t *loop, struct doctor_facts *f)
{
    const struct bus_options options = gateway_bus_options(f->config);
    struct err err;
    bool observations = f->config->quotes_len < f->config->instruments_len;
    if (bus_probe(loop, &options, observations, &f->redis, &err) != 0)
        snprintf(f->redis.why, sizeof f->redis.why, "%s", err.text);
}

static void look_by_config(uv_loop_t *loop, struct doctor_facts *f)
{
    const struct config *c = f->config;
    named_files_check(c, f->wall_ms, take_file, f);
    if (c->listen.tls_cert)
        tls_report_make(c->listen.tls_cert, c->listen.tls_key, c->listen.host, &f->tls);
    port_look(loop, c, c->listen.host, c->listen.port, "listen.port", &f->main_port);
    port_look(loop, c, server_metrics_host(c), c->listen.metrics_port, "listen.metrics_port",
              &f->metrics_port);
    if (c->redis.url[0])
        look_at_redis(loop, f);
    f->tries_len = provider_try_list(c, f->tries, DOCTOR_PROVIDERS_MAX);
    f->not_asked.text[0] = '\0';
    if (f->asked_providers && f->tries_len > 0 &&
        provider_try_all(loop, c, f->tries, f->tries_len, &f->not_asked) == 0)
        f->not_asked.text[0] = '\0';
}

void doctor_look(uv_loop_t *loop, struct doctor_facts *f)
{
    f->wall_ms = clock_wall_ms();
    look_at_machine(f);
    look_at_libraries(loop, f);
    if (f->config)
        look_by_config(loop, f);
}

void doctor_facts_fini(struct doctor_facts *f)
{
    for (size_t i = 0; i < f->files_len; i++) {
        free(f->files[i].setting);
        free(f->files[i].sentence);
        free(f->files[i].advice);
    }
    f->files_len = 0;
}
