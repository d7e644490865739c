/* bus_probe.c - all questions leave together when the connection for commands is ready; a second
 * connection subscribes, as the bus's does. The probe is over when both have their answers or one
 * of them is lost: it never connects again. That it ends in time is the links' doing. */
#include "bus_probe.h"

#include <stdlib.h>
#include <string.h>

#include "bus_link.h"
#include "bus_tls.h"
#include "clock.h"

enum question { ASK_INFO, ASK_BUFFERS, ASK_MAXCLIENTS, ASK_TIME, ASK_RIGHTS };

static const char latest[] = BUS_PROBE_SYMBOL ":price:latest";
static const char status[] = BUS_PROBE_SYMBOL ":price:status";
static const char observation_latest[] = BUS_PROBE_SYMBOL ":observation:latest";
static const char observation_status[] = BUS_PROBE_SYMBOL ":observation:status";
static const char shared[] = "pricegate:doctor";
static const char status_is[] = "{\"symbol\":\"" BUS_PROBE_SYMBOL "\",\"state\":\"unavailable\"}";

#define RIGHT(r) ((int)ASK_RIGHTS + (int)(r))

/* Of those about a right, the second word is a name: redis.prefix goes before it. */
static const struct {
    const char *words[5];
    int question;         /* enum question, or RIGHT() */
    bool of_observations; /* asked only where there are some */
} questions[] = {
    {{"INFO"},                                          ASK_INFO,                             false},
    {{"CONFIG", "GET", "client-output-buffer-limit"},   ASK_BUFFERS,                          false},
    {{"CONFIG", "GET", "maxclients"},                   ASK_MAXCLIENTS,                       false},
    {{"TIME"},                                          ASK_TIME,                             false},
    {{"GET", latest},                                   RIGHT(BUS_RIGHT_GET),                 false},
    {{"SET", latest, status_is, "EX", "1"},             RIGHT(BUS_RIGHT_SET),                 false},
    {{"PUBLISH", status, status_is},                    RIGHT(BUS_RIGHT_PUBLISH),             false},
    {{"GET", observation_latest},                       RIGHT(BUS_RIGHT_GET_OBSERVATION),     true },
    {{"SET", observation_latest, status_is, "EX", "1"}, RIGHT(BUS_RIGHT_SET_OBSERVATION),     true },
    {{"PUBLISH", observation_status, status_is},        RIGHT(BUS_RIGHT_PUBLISH_OBSERVATION), true },
    {{"GET", shared},                                   RIGHT(BUS_RIGHT_GET_SHARED),          false},
    {{"SET", shared, "1", "EX", "1"},                   RIGHT(BUS_RIGHT_SET_SHARED),          false},
};

static const char *const right_names[BUS_RIGHTS_LEN] = {
    [BUS_RIGHT_GET] = "GET of *:price:latest",
    [BUS_RIGHT_SET] = "SET of *:price:latest",
    [BUS_RIGHT_PUBLISH] = "PUBLISH to *:price:*",
    [BUS_RIGHT_GET_OBSERVATION] = "GET of *:observation:latest",
    [BUS_RIGHT_SET_OBSERVATION] = "SET of *:observation:latest",
    [BUS_RIGHT_PUBLISH_OBSERVATION] = "PUBLISH to *:observation:*",
    [BUS_RIGHT_GET_SHARED] = "GET of pricegate:*",
    [BUS_RIGHT_SET_SHARED] = "SET of pricegate:*",
    [BUS_RIGHT_SUBSCRIBE] = "SUBSCRIBE to all of them",
};

const char *bus_right_name(enum bus_right r)
{
    return right_names[r];
}

void bus_library(struct library *out)
{
    *out = (struct library){.name = "hiredis"};
    snprintf(out->built, sizeof out->built, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR,
             HIREDIS_PATCH);
}

/* ---- what Redis says of itself ---- */

/* The value behind "name:" at the beginning of a line; false: there is none. */
static bool find_line(const char *info, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    for (const char *p = info; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        if (strncmp(p, name, len) != 0 || p[len] != ':')
            continue;
        p += len + 1;
        snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
        return true;
    }
    return false;
}

static int64_t find_number(const char *info, const char *name)
{
    char text[32];
    return find_line(info, name, text, sizeof text) ? strtoll(text, NULL, 10) : -1;
}

void bus_probe_read_info(struct bus_probe *p, const char *info)
{
    (void)find_line(info, "redis_version", p->version, sizeof p->version);
    (void)find_line(info, "role", p->role, sizeof p->role);
    (void)find_line(info, "maxmemory_policy", p->policy, sizeof p->policy);
    p->clients = find_number(info, "connected_clients");
    p->maxmemory_bytes = find_number(info, "maxmemory");
    p->used_bytes = find_number(info, "used_memory");
    if (p->maxclients < 0) /* not in every version's INFO; CONFIG may have said it already */
        p->maxclients = find_number(info, "maxclients");
}

/* "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60" */
void bus_probe_read_buffers(struct bus_probe *p, const char *value)
{
    static const char class[] = "pubsub ";
    int64_t *const to[] = {&p->pubsub_hard_bytes, &p->pubsub_soft_bytes, &p->pubsub_soft_s};
    const char *at = strstr(value, class);
    char *end = NULL;
    if (at)
        at += strlen(class);
    for (size_t i = 0; at && i < ARRAY_LEN(to); i++, at = end) {
        int64_t n = strtoll(at, &end, 10);
        if (end == at)
            return;
        *to[i] = n;
    }
}

/* ---- asking ---- */

struct probe;
struct asked {
    struct probe *probe;
    size_t index; /* in questions */
};

struct probe {
    struct bus_probe *out;
    uv_loop_t *loop;
    struct link command, subscriber;
    const char *prefix;
    bool observations;
    struct asked asked[ARRAY_LEN(questions)];
    size_t pending; /* answers awaited, SUBSCRIBE's among them; 1 more until all questions left */
    bool subscribing, done;
    size_t open; /* links */
    int64_t asked_ms, asked_wall_ms;
};

static void finish(struct probe *p)
{
    p->done = true;
    uv_stop(p->loop); /* or this turn would wait for sockets first */
}

static void took_answer(struct probe *p)
{
    if (--p->pending > 0)
        return;
    p->out->answered = true;
    finish(p);
}

/* ["1767225600", "123456"]: seconds and microseconds, some time between question and answer. */
static void read_time(struct probe *p, const redisReply *reply)
{
    int64_t took_ms = clock_mono_ms() - p->asked_ms;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[0]->str ||
        !reply->element[1]->str)
        return;
    int64_t its_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000 +
                     strtoll(reply->element[1]->str, NULL, 10) / 1000;
    p->out->has_clock = true;
    p->out->ahead_ms = its_ms - (p->asked_wall_ms + took_ms / 2);
    p->out->unsure_ms = took_ms / 2 + 1;
}

static const char *config_value(const redisReply *reply)
{
    bool is_pair = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2;
    return is_pair && reply->element[1]->str ? reply->element[1]->str : "";
}

static void take_error(struct bus_probe *out, int question, const char *error)
{
    char *to = question == ASK_INFO    ? out->info_error
               : question == ASK_TIME  ? out->time_error
               : question < ASK_RIGHTS ? out->config_error
                                       : out->errors[question - ASK_RIGHTS];
    snprintf(to, sizeof out->info_error, "%s", error);
}

static void on_answer(void *ctx, void *arg, const redisReply *reply)
{
    const struct asked *asked = arg;
    struct probe *p = asked->probe;
    int question = questions[asked->index].question;
    (void)ctx;
    if (!reply) /* the connection went, and says so itself */
        return;
    if (reply->type == REDIS_REPLY_ERROR)
        take_error(p->out, question, reply->str);
    else if (question == ASK_INFO && reply->str)
        bus_probe_read_info(p->out, reply->str);
    else if (question == ASK_BUFFERS)
        bus_probe_read_buffers(p->out, config_value(reply));
    else if (question == ASK_MAXCLIENTS && *config_value(reply))
        p->out->maxclients = strtoll(config_value(reply), NULL, 10);
    else if (question == ASK_TIME)
        read_time(p, reply);
    took_answer(p);
}

static int send_question(struct probe *p, size_t i)
{
    char name[256];
    const char *words[ARRAY_LEN(questions[0].words)];
    size_t lens[ARRAY_LEN(questions[0].words)];
    int n = 0;
    for (; n < (int)ARRAY_LEN(words) && questions[i].words[n]; n++) {
        words[n] = questions[i].words[n];
        if (n == 1 && questions[i].question >= ASK_RIGHTS) {
            snprintf(name, sizeof name, "%s%s", p->prefix, words[n]);
            words[n] = name;
        }
        lens[n] = strlen(words[n]);
    }
    p->asked[i] = (struct asked){p, i};
    return link_send(&p->command, on_answer, &p->asked[i], n, words, lens);
}

static void lost(struct probe *p, const char *why)
{
    if (p->done)
        return;
    snprintf(p->out->why, sizeof p->out->why, "%s", why);
    finish(p);
}

static void on_push(redisAsyncContext *ac, void *answer, void *privdata)
{
    struct link *l = ac->data;
    struct probe *p = l->events.ctx;
    (void)privdata;
    if (!answer || l->ac != ac || !p->subscribing)
        return;
    link_heard(l);
    p->subscribing = false; /* messages may follow, which nobody asked for */
    took_answer(p);
}

static int subscribe(struct probe *p)
{
    char channels[2][256];
    int n = p->observations ? 3 : 2;
    snprintf(channels[0], sizeof channels[0], "%s%s", p->prefix, status);
    snprintf(channels[1], sizeof channels[1], "%s%s", p->prefix, observation_status);
    const char *words[] = {"SUBSCRIBE", channels[0], channels[1]};
    const size_t lens[] = {strlen(words[0]), strlen(words[1]), strlen(words[2])};
    p->subscribing = true;
    return link_subscribe(&p->subscriber, on_push, n, words, lens);
}

static int ask_all(struct probe *p)
{
    const struct link *l = &p->command;
    int rc = 0;
    p->out->reached = true;
    if (l->addresses_next > 0) {
        const char *address = l->addresses[l->addresses_next - 1];
        p->out->is_local = strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
    }
    p->asked_ms = clock_mono_ms();
    p->asked_wall_ms = clock_wall_ms();
    for (size_t i = 0; i < ARRAY_LEN(questions) && rc == 0; i++) {
        if (questions[i].of_observations && !p->observations)
            continue;
        p->pending++;
        rc = send_question(p, i);
    }
    p->pending--; /* that these had not left yet */
    return rc;
}

static void on_ready(void *ctx, struct link *l)
{
    struct probe *p = ctx;
    if ((l == &p->subscriber ? subscribe(p) : ask_all(p)) != 0)
        lost(p, "out of memory");
}

static void on_probe(void *ctx, struct link *l)
{
    (void)ctx, (void)l; /* a question is under way already: silence is noticed by the next turn */
}

/* An error is all that hiredis keeps of a SUBSCRIBE that is refused, and it ends the connection. */
static void on_lost(void *ctx, struct link *l, const char *why)
{
    struct probe *p = ctx;
    if (l != &p->subscriber || !p->subscribing) {
        lost(p, why);
        return;
    }
    p->subscribing = false;
    snprintf(p->out->errors[BUS_RIGHT_SUBSCRIBE], sizeof p->out->errors[0], "%s", why);
    took_answer(p);
}

static void on_closed(void *ctx)
{
    ((struct probe *)ctx)->open--;
}

int bus_probe(uv_loop_t *loop, const struct bus_options *options, bool observations,
              struct bus_probe *out, struct err *err)
{
    struct bus_url url;
    struct bus_tls *tls;
    *out = (struct bus_probe){.maxclients = -1,
                              .clients = -1,
                              .maxmemory_bytes = -1,
                              .used_bytes = -1,
                              .pubsub_hard_bytes = -1,
                              .pubsub_soft_bytes = -1,
                              .pubsub_soft_s = -1};
    if (bus_url_parse(options->url, &url, err) != 0 || bus_tls_open(&url, options, &tls, err) != 0)
        return -1;
    struct probe p = {.out = out,
                      .loop = loop,
                      .prefix = options->prefix,
                      .open = 2,
                      .observations = observations,
                      .pending = 2};
    const struct link_events events = {&p, on_ready, on_probe, on_lost};
    const struct bus_limits limits = link_limits(&options->limits);
    memcpy(out->address, url.address, sizeof out->address);
    out->is_local = url.is_unix;
    link_init(&p.command, loop, &url, tls, true, &limits, &events);
    link_init(&p.subscriber, loop, &url, tls, false, &limits, &events);
    link_start(&p.command);
    link_start(&p.subscriber);
    while (!p.done)
        uv_run(loop, UV_RUN_ONCE);
    link_close(&p.command, on_closed);
    link_close(&p.subscriber, on_closed);
    while (p.open > 0)
        uv_run(loop, UV_RUN_ONCE);
    bus_tls_free(tls);
    explicit_bzero(&url, sizeof url); /* a password may be in it */
    return 0;
}
