/* server_rig.h - a real server with a real fan-out in a child process, and a plain client.
 *
 * The child has its own loop; the test talks to it with blocking sockets, byte for byte. The feed
 * side is replaced by one whose answers are known. stop_server() ends the child as SIGTERM ends the
 * program, and expects exit code 0: with sanitizers that includes "nothing leaked". Everything is
 * static: each test program has its own. */
#ifndef PRICEGATE_TEST_SERVER_RIG_H
#define PRICEGATE_TEST_SERVER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "clock.h"
#include "config.h"
#include "server.h"
#include "symtab.h"
#include "tiers.h"

#define CLIENT_TIMEOUT_S 15 /* tells a hanging server from a slow machine */

/* Instruments: coffee and EUR/USD have a price, tea never had one; the feed side fails for tea. An
 * observation named rain/minas has a value, others have none. */
#define RIG_INSTRUMENTS                                                                            \
    "\"instruments\":["                                                                            \
    "{\"symbol\":\"coffee\",\"category\":\"coffee_prices\",\"unit\":\"USD/lb\","                   \
    "\"sources\":[{\"provider\":\"sim\",\"symbol\":\"KC\"}]},"                                     \
    "{\"symbol\":\"EUR/USD\",\"category\":\"fx_rates\","                                           \
    "\"sources\":[{\"provider\":\"sim\",\"symbol\":\"EU\"}]},"                                     \
    "{\"symbol\":\"tea\",\"category\":\"coffee_prices\","                                          \
    "\"sources\":[{\"provider\":\"sim\",\"symbol\":\"TE\"}]},"                                     \
    "{\"symbol\":\"A^B=C\",\"category\":\"fx_rates\",\"sources\":[]}]"

/* sha256 of viewer-key, analyst-key, admin-key */
#define RIG_KEYS                                                                                   \
    "\"auth\":{\"keys\":["                                                                         \
    "{\"name\":\"v\",\"role\":\"viewer\",\"sha256\":"                                              \
    "\"9b88f3b3de5ee9f1bb657b76cc43581a9e25e9091bb23c35b2748b7c3509b6e6\"},"                       \
    "{\"name\":\"a\",\"role\":\"analyst\",\"sha256\":"                                             \
    "\"80074cff8a21baffbaa8233e153ab4d5790f4f287da97d2e3363fae6b7613ded\"},"                       \
    "{\"name\":\"o\",\"role\":\"admin\",\"sha256\":"                                               \
    "\"69a5265506c94c77b787a7d7377b7685a0eff82e33920a71e7ee22cd6154953e\"}]}"

struct served {
    pid_t pid;
    int port;
};

/* --- the child --- */

struct child {
    uv_loop_t loop;
    uv_signal_t term, toggle;
    uv_timer_t refresh;
    struct config *config;
    struct metrics metrics;
    struct auth *auth;
    struct tiers *tiers;
    struct server *server;
    struct feed_port port;
    bool bus_up;
    int refreshes, resets;
    int ids[16];
    size_t ids_len;
    refresh_done *done;
    void *done_ctx;
};

static inline void child_refreshed(uv_timer_t *t)
{
    struct child *c = t->data;
    struct refresh_result results[16];
    for (size_t i = 0; i < c->ids_len; i++) {
        bool fails = strcmp(c->config->instruments[c->ids[i]].symbol, "tea") == 0;
        results[i] = (struct refresh_result){c->ids[i], fails ? "budget" : NULL, "sim",
                                             fails ? "no credits are left" : NULL, false};
    }
    c->done(c->done_ctx, results, c->ids_len);
}

static inline void child_refresh(void *ctx, const int *ids, size_t n, refresh_done *done,
                                 void *done_ctx)
{
    struct child *c = ctx;
    c->refreshes++;
    memcpy(c->ids, ids, n * sizeof *ids);
    c->ids_len = n;
    c->done = done;
    c->done_ctx = done_ctx;
    uv_timer_start(&c->refresh, child_refreshed, 1500, 0); /* long enough to be joined */
}

/* All instruments but those without a source; observations it has none. */
static inline void child_run_job(void *ctx, enum job job, refresh_done *done, void *done_ctx)
{
    struct child *c = ctx;
    int ids[16];
    size_t n = 0;
    if (job == JOB_INTELLIGENCE) {
        done(done_ctx, &(struct refresh_result){0}, 0);
        return;
    }
    for (size_t i = 0; i < c->config->instruments_len; i++)
        if (c->config->instruments[i].sources_len > 0)
            ids[n++] = (int)i;
    child_refresh(ctx, ids, n, done, done_ctx);
}

static inline json_t *child_jobs(void *ctx)
{
    (void)ctx;
    return json_pack("{s:[{s:s}]}", "jobs", "job", "market");
}

static inline int64_t child_next_poll(void *ctx, int id)
{
    (void)ctx;
    return id == 0 ? 1767225600123 : 0;
}

static inline json_t *child_sources(void *ctx)
{
    struct child *c = ctx;
    return json_pack("{s:{s:s,s:i,s:i}}", "sim", "state", "closed", "refreshes", c->refreshes,
                     "resets", c->resets);
}

static inline json_t *child_provenance(void *ctx, int id)
{
    (void)ctx;
    return json_pack("{s:s?, s:[]}", "source", id == 0 ? "sim" : NULL, "sources");
}

static inline json_t *child_suspect(void *ctx, int id)
{
    (void)ctx;
    return id == 0 ? json_pack("{s:s}", "rule", "jump") : NULL;
}

static inline int child_reset(void *ctx, const char *provider)
{
    struct child *c = ctx;
    if (strcmp(provider, "sim") != 0)
        return -1;
    c->resets++;
    return 0;
}

static inline bool child_any_provider(void *ctx)
{
    const struct child *c = ctx;
    for (size_t i = 0; i < c->config->instruments_len; i++)
        if (c->config->instruments[i].sources_len > 0)
            return true;
    return false;
}

static inline bool child_bus_up(void *ctx)
{
    struct child *c = ctx;
    return c->bus_up;
}

static inline void child_close_handle(uv_handle_t *h, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static inline void child_closed(void *ctx)
{
    struct child *c = ctx;
    uv_walk(&c->loop, child_close_handle, NULL);
}

static inline void child_drained(void *ctx)
{
    struct child *c = ctx;
    if (uv_is_active((uv_handle_t *)&c->refresh)) { /* the feed side always calls back */
        uv_timer_stop(&c->refresh);
        child_refreshed(&c->refresh);
    }
    server_close(c->server, child_closed, c);
}

static inline void child_told(uv_signal_t *s, int signum)
{
    struct child *c = s->data;
    if (signum == SIGUSR1)
        c->bus_up = !c->bus_up;
    else
        server_drain(c->server, child_drained, c);
}

/* Its price, or its value; nothing where it is not configured. */
static inline void child_price(struct child *c, const char *symbol, const char *price,
                               int64_t age_ms)
{
    char text[256];
    struct err err;
    int64_t wall_ms = clock_wall_ms();
    int id = symtab_find(c->config->symbols, symbol, strlen(symbol));
    if (id < 0)
        return;
    enum instrument_kind kind = c->config->instruments[id].kind;
    snprintf(text, sizeof text,
             "{\"symbol\":\"%s\",\"%s\":%s,\"ts\":%" PRId64 ",\"recv\":%" PRId64
             ",\"seq\":\"1:1\",\"source\":\"sim\",\"state\":\"live\",\"market\":\"open\"}",
             symbol, kind == INSTRUMENT_QUOTE ? "price" : "value", price, wall_ms - age_ms,
             wall_ms - age_ms);
    struct item *it = item_parse(text, strlen(text), kind, symbol, wall_ms, &err);
    if (!it || tiers_item(c->tiers, id, it, true, (struct moment){wall_ms, clock_mono_ns()}) !=
                   FANOUT_TAKEN)
        exit(90);
    item_unref(it);
}

static inline struct config *child_config(const char *text)
{
    static const struct config_provider_rule rules[] = {
        {.name = "sim", .enabled_by_default = true},
    };
    static const char *const no_environment[] = {NULL};
    struct buf problems = {0}, warnings = {0};
    const struct config_input in = {text, strlen(text), no_environment, rules, 1};
    struct config *c = config_load(&in, &problems, &warnings);
    if (!c)
        fprintf(stderr, "%s", problems.p ? problems.p : "no configuration\n");
    buf_fini(&problems);
    buf_fini(&warnings);
    return c;
}

static inline int child_open(struct child *c, const char *text, struct err *err)
{
    c->config = child_config(text);
    if (!c->config)
        return err_set(err, "configuration");
    c->auth = auth_new(c->config, err);
    if (!c->auth)
        return -1;
    const struct fanout_ports ports = {
        .authenticate = auth_check_token, .authenticate_ctx = c->auth, .feed = &c->port};
    metrics_init(&c->metrics);
    c->bus_up = true;
    c->port = (struct feed_port){
        .ctx = c,
        .refresh = child_refresh,
        .run_job = child_run_job,
        .jobs = child_jobs,
        .sources = child_sources,
        .suspect = child_suspect,
        .provenance = child_provenance,
        .next_poll = child_next_poll,
        .reset = child_reset,
        .any_provider = child_any_provider,
        .bus_up = child_bus_up,
        .bus_whole = child_bus_up,
    };
    uv_loop_init(&c->loop);
    uv_timer_init(&c->loop, &c->refresh);
    uv_signal_init(&c->loop, &c->term);
    uv_signal_init(&c->loop, &c->toggle);
    c->term.data = c->toggle.data = c->refresh.data = c;
    uv_signal_start(&c->term, child_told, SIGTERM);
    uv_signal_start(&c->toggle, child_told, SIGUSR1);
    c->tiers = tiers_new(c->config, &c->metrics, &ports);
    if (!c->tiers)
        return err_set(err, "out of memory");
    const struct server_parts parts = {c->config, c->auth, c->tiers, &c->port, &c->metrics, NULL};
    c->server = server_new(&c->loop, &parts, err);
    return c->server ? 0 : -1;
}

static inline void child_fini(struct child *c)
{
    uv_run(&c->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&c->loop);
    tiers_free(c->tiers);
    auth_free(c->auth);
    metrics_fini(&c->metrics);
    config_free(c->config);
    if (rc != 0)
        exit(91);
}

static inline void child_run(const char *text, int out)
{
    static struct child c;
    struct err err = {""};
    signal(SIGPIPE, SIG_IGN);
    log_setup(LOG_ERROR, true);
    if (child_open(&c, text, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(92);
    }
    child_price(&c, "coffee", "2.9430", 0);
    child_price(&c, "EUR/USD", "1.08", 0);
    child_price(&c, "rain/minas", "-4.10", 0);
    server_ready(c.server);
    const char *port = strrchr(server_url(c.server), ':') + 1;
    if (write(out, port, strlen(port)) < 0)
        exit(93);
    close(out);
    child_fini(&c);
    exit(0);
}

/* --- the test's side --- */

static inline struct served start_limited(const char *config, rlim_t files)
{
    struct served s;
    int out[2];
    char port[16];
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0) {
        const struct rlimit r = {files, files};
        close(out[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
        if (files > 0 && setrlimit(RLIMIT_NOFILE, &r) != 0)
            exit(94);
        child_run(config, out[1]);
    }
    close(out[1]);
    ssize_t n = read(out[0], port, sizeof port - 1);
    close(out[0]);
    if (n <= 0)
        fail_msg("the server did not start");
    port[n] = '\0';
    s.port = (int)strtol(port, NULL, 10);
    return s;
}

static inline struct served start_server(const char *config)
{
    return start_limited(config, 0);
}

static inline void stop_server(struct served *s)
{
    int status;
    kill(s->pid, SIGTERM);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the server ended with status 0x%x", status);
}

static inline int dial(int port)
{
    const struct timeval limit = {CLIENT_TIMEOUT_S, 0};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline void send_bytes(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server has closed: what it said before is looked at */
        p += n;
        len -= (size_t)n;
    }
}

static inline void send_text(int fd, const char *text)
{
    send_bytes(fd, text, strlen(text));
}

struct reply {
    int status;
    char head[8192];
    struct buf body;
};

static inline void reply_fini(struct reply *r)
{
    buf_fini(&r->body);
}

/* The value of a header, up to its line's end, into out; false when it is not there. */
static inline bool reply_header(const struct reply *r, const char *name, char *out, size_t room)
{
    char line[64];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *p = strcasestr(r->head, line);
    out[0] = '\0';
    if (!p)
        return false;
    p += strlen(line);
    snprintf(out, room, "%.*s", (int)strcspn(p, "\r\n"), p);
    return true;
}

/* Reads one answer. False: the connection ended before the end of its headers. */
static inline bool read_reply(int fd, bool head, struct reply *r)
{
    char value[64];
    size_t n = 0;
    *r = (struct reply){0};
    while (n < 4 || memcmp(r->head + n - 4, "\r\n\r\n", 4) != 0) {
        if (n == sizeof r->head - 1 || recv(fd, r->head + n, 1, 0) != 1)
            return false;
        n++;
    }
    if (sscanf(r->head, "HTTP/1.%*d %d", &r->status) != 1)
        return false;
    size_t len =
        reply_header(r, "Content-Length", value, sizeof value) ? strtoul(value, NULL, 10) : 0;
    while (!head && r->body.len < len) {
        char piece[4096];
        size_t want = len - r->body.len < sizeof piece ? len - r->body.len : sizeof piece;
        ssize_t got = recv(fd, piece, want, 0);
        if (got <= 0)
            return false;
        buf_add(&r->body, piece, (size_t)got);
    }
    return true;
}

/* True when the server closes, false when it keeps the connection or times out. Skips bytes. */
static inline bool read_end(int fd)
{
    char piece[4096];
    ssize_t n;
    while ((n = recv(fd, piece, sizeof piece, 0)) > 0) {
    }
    return n == 0 || errno == ECONNRESET;
}

/* One request on a connection of its own. method and path as given, more = header lines. */
static inline struct reply ask(int port, const char *method, const char *path, const char *more)
{
    char text[8192];
    struct reply r;
    int fd = dial(port);
    assert_true(fd >= 0);
    snprintf(text, sizeof text,
             "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n%sConnection: close\r\n\r\n", method, path,
             port, more);
    send_text(fd, text);
    if (!read_reply(fd, strcmp(method, "HEAD") == 0, &r))
        fail_msg("%s %s: no answer", method, path);
    close(fd);
    return r;
}

static inline int ask_status(int port, const char *method, const char *path, const char *more)
{
    struct reply r = ask(port, method, path, more);
    reply_fini(&r);
    return r.status;
}

static inline json_t *reply_json(const struct reply *r)
{
    json_t *j = json_loadb(r->body.p ? r->body.p : "", r->body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!j)
        fail_msg("not JSON: %s", r->body.p ? r->body.p : "");
    return j;
}

static inline int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

#endif
