/* A second generation of everything that belongs to a configuration is built beside the first; when
 * all of it is there, and the certificate too, the first hands over what it knows and goes. So a
 * configuration that is wrong in its last line changes nothing, and no part has to know how to
 * become another one:
 *
 *     read, check ──► certificate, auth, fan-out, feeds, the bus's symbols        (each may fail)
 *     then, in this turn of the loop, nothing of which can fail:
 *       old feeds stop ──► new feeds take over what was published, believed, spent
 *       old fan-outs ──► new ones take over prices and clients, who are told what concerns them
 *       the server's pointers are changed; the new feeds start; the old ones close in later turns
 *
 * Connections, the listener and the link to Redis stay. Seqs begin a new epoch, as after a restart:
 * who comes back with an old `since` gets the value. A refresh that is under way is answered by the
 * old feeds, with the reason. */
#include "reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "config_keep.h"
#include "gateway_private.h"
#include "instrument_map.h"
#include "jsonx.h"
#include "named_files.h"
#include "supervisor.h"
#include "tls.h"

struct retired {
    struct gateway *gateway;
    struct generation generation;
};

/* What is prepared before anything is changed. */
struct change {
    struct retired *goes; /* room for the generation that will go, whichever that is */
    struct generation next;
    struct instrument_map map;
    struct server_change server;
    struct bus_wanted *wanted;
    json_t *needs_restart;
};

void reload_log_disabled(const struct config *c)
{
    for (size_t i = 0; i < c->providers_len; i++)
        if (!c->providers[i].enabled && config_uses(c, i))
            log_event(LOG_WARN, "provider_disabled", "provider=%s why=%s advice=%s",
                      c->providers[i].name, c->providers[i].why_disabled, CONFIG_DISABLED_ADVICE);
}

/* --- the generation that goes --- */

static void retired_closed(void *ctx)
{
    struct retired *r = ctx;
    struct gateway *g = r->gateway;
    generation_free(&r->generation);
    free(r);
    g->retiring--;
    if (g->phase == PHASE_CLOSING)
        gateway_part_closed(g);
}

static void retire(struct gateway *g, struct retired *room, const struct generation *n)
{
    *room = (struct retired){g, *n};
    g->retiring++;
    generation_end(&room->generation, retired_closed, room);
}

/* --- before --- */

static void change_fini(struct change *x)
{
    instrument_map_fini(&x->map);
    server_drop_change(&x->server);
    free(x->wanted);
    json_decref(x->needs_restart);
}

static int watch_instead(struct gateway *g, struct change *x)
{
    const struct config *c = x->next.config;
    x->wanted = calloc(c->instruments_len + 1, sizeof *x->wanted);
    for (size_t i = 0; x->wanted && i < c->instruments_len; i++)
        x->wanted[i] =
            (struct bus_wanted){c->instruments[i].symbol, c->instruments[i].kind, (int)i};
    return x->wanted ? bus_watch_instead(g->bus, x->wanted, c->instruments_len) : -1;
}

/* On failure x->next may have parts, and its configuration: it is to be retired. */
static int prepare(struct gateway *g, struct config *config, struct change *x, struct err *err)
{
    int64_t wall_ms = clock_wall_ms();
    int64_t epoch_ms = wall_ms > g->epoch_ms ? wall_ms : g->epoch_ms + 1;
    x->next.config = config;
    x->needs_restart = config_keep(g->now.config, config);
    if (!x->needs_restart || instrument_map_init(&x->map, g->now.config, config) != 0)
        return err_set(err, "out of memory");
    if (server_prepare_change(g->server, config, &x->server, err) != 0 ||
        generation_begin(&x->next, config, &g->ground, epoch_ms, err) != 0)
        return -1;
    if (watch_instead(g, x) != 0)
        return err_set(err, "out of memory");
    g->epoch_ms = epoch_ms;
    return 0;
}

/* --- the change --- */

/* Credits may have no limit any more, or nobody who asks for them: what has is told anew. */
static void forget_credits(struct gateway *g, const struct config *was)
{
    for (size_t i = 0; i < was->providers_len; i++) {
        metrics_forget(&g->metrics, METRIC_CREDITS_LEFT, was->providers[i].name);
        metrics_forget(&g->metrics, METRIC_WINDOW_LEFT, was->providers[i].name);
        metrics_forget(&g->metrics, METRIC_WINDOW_LIMIT, was->providers[i].name);
    }
}

static void forget_gone(struct gateway *g, const struct instrument_map *map)
{
    static const enum metric_family of_symbols[] = {METRIC_QUOTE_AGE, METRIC_QUOTE_STATE,
                                                    METRIC_MARKET_STATE};
    for (size_t i = 0; i < map->from->instruments_len; i++)
        for (size_t k = 0; k < ARRAY_LEN(of_symbols) && map->there[i] < 0; k++)
            metrics_forget(&g->metrics, of_symbols[k], map->from->instruments[i].symbol);
}

static void apply(struct gateway *g, struct change *x)
{
    const struct generation old = g->now;
    const struct moment now = {clock_wall_ms(), clock_mono_ns()};
    const struct server_parts parts = gateway_server_parts(g, &x->next);
    feeds_stop(old.feeds);
    feeds_take_over(x->next.feeds, old.feeds, &x->map);
    tiers_take_over(x->next.tiers, old.tiers, &x->map, auth_renew, x->next.auth, now);
    server_change(g->server, &parts, &x->server);
    g->now = x->next;
    notifier_changed(g->notifier, old.notices, &x->map);
    log_setup(g->now.config->log.level, g->now.config->log.json);
    forget_gone(g, &x->map);
    forget_credits(g, x->map.from);
    gateway_start_feeds(g);
    retire(g, x->goes, &old);
}

/* --- what is said --- */

static json_t *list_of(const struct instrument_map *map, const struct config *c,
                       bool (*chosen)(const struct instrument_map *map, size_t i))
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->instruments_len; i++)
        if (chosen(map, i))
            json_array_append_new(list, json_string(c->instruments[i].symbol));
    return list;
}

static bool is_gone(const struct instrument_map *map, size_t i)
{
    return map->there[i] < 0;
}

static bool is_new(const struct instrument_map *map, size_t i)
{
    return map->joined[i];
}

static bool is_changed(const struct instrument_map *map, size_t i)
{
    return map->there[i] >= 0 && instrument_map_changed(map, i);
}

static json_t *lines_of(const struct buf *text)
{
    json_t *list = json_array();
    for (const char *p = text->p; p && *p;) {
        size_t len = strcspn(p, "\n");
        json_array_append_new(list, jsonx_text(p, len));
        p += len + (p[len] == '\n');
    }
    return list;
}

static json_t *origin_of(const struct gateway *g)
{
    return jsonx_text(g->source.origin, strlen(g->source.origin));
}

static json_t *say_done(struct gateway *g, const struct change *x, const struct buf *warnings)
{
    const struct instrument_map *map = &x->map;
    char serial[TLS_SERIAL_MAX];
    json_t *said = json_pack(
        "{s:b, s:o, s:i, s:o, s:o, s:o, s:O, s:o, s:s?}", "reloaded", 1, "config", origin_of(g),
        "instruments", (int)map->to->instruments_len, "added", list_of(map, map->to, is_new),
        "removed", list_of(map, map->from, is_gone), "changed", list_of(map, map->from, is_changed),
        "needs_restart", x->needs_restart, "warnings", lines_of(warnings), "certificate",
        server_certificate(g->server, serial));
    log_event(LOG_INFO, "reloaded",
              "config=%s instruments=%zu added=%zu removed=%zu changed=%zu needs_restart=%zu",
              g->source.origin, map->to->instruments_len,
              json_array_size(json_object_get(said, "added")),
              json_array_size(json_object_get(said, "removed")),
              json_array_size(json_object_get(said, "changed")), json_array_size(x->needs_restart));
    size_t i;
    const json_t *path;
    json_array_foreach(x->needs_restart, i, path)
    {
        log_event(LOG_WARN, "needs_restart", "setting=%s why=%s", json_string_value(path),
                  "it is read at start only: the value of the start still holds");
    }
    reload_log_disabled(map->to);
    named_files_log(map->to, clock_wall_ms());
    return said;
}

static json_t *say_refused(const struct gateway *g, const struct buf *problems)
{
    json_t *list = lines_of(problems);
    size_t i;
    const json_t *line;
    json_array_foreach(list, i, line)
    {
        log_event(LOG_ERROR, "reload_failed", "config=%s why=%s", g->source.origin,
                  json_string_value(line));
    }
    return json_pack("{s:b, s:o, s:o}", "reloaded", 0, "config", origin_of(g), "problems", list);
}

/* --- all of it --- */

static json_t *change_to(struct gateway *g, struct config *config, const struct buf *warnings,
                         struct buf *problems, bool *done)
{
    struct change x = {0};
    struct err err = {{0}};
    json_t *said = NULL;
    x.goes = calloc(1, sizeof *x.goes);
    if (!x.goes) {
        buf_adds(problems, "out of memory\n");
        config_free(config);
        return NULL;
    }
    if (prepare(g, config, &x, &err) == 0) {
        apply(g, &x);
        *done = true;
        said = say_done(g, &x, warnings);
    } else {
        buf_addf(problems, "%s\n", err.text);
        retire(g, x.goes, &x.next);
    }
    change_fini(&x);
    return said;
}

static void tell_manager(const char *what)
{
    char text[96];
    snprintf(text, sizeof text, "%s\nMONOTONIC_USEC=%" PRId64, what, clock_mono_ns() / 1000);
    supervisor_tell(text);
}

json_t *reload_run(struct gateway *g, bool *done)
{
    struct buf problems = {0}, warnings = {0};
    struct config *config = NULL;
    json_t *said = NULL;
    *done = false;
    if (g->phase != PHASE_RUNNING) {
        buf_adds(&problems, g->phase == PHASE_STARTING
                                ? "it is still starting: ask again in a moment"
                                : "it is stopping");
    } else {
        tell_manager("RELOADING=1");
        config = g->source.read(g->source.ctx, &problems, &warnings);
        if (config)
            said = change_to(g, config, &warnings, &problems, done);
        supervisor_tell("READY=1");
    }
    if (!*done)
        said = say_refused(g, &problems);
    buf_fini(&problems);
    buf_fini(&warnings);
    return said;
}

void reload_logged(struct gateway *g)
{
    bool done;
    json_decref(reload_run(g, &done));
}
