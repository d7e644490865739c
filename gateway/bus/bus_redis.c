/* bus_redis.c - the bus over Redis: two connections, what is sent over them, and what "up" means.
 *
 *     publish ──► command ──► SET key item EX ttl, PUBLISH stream item     (one write, this order)
 *     Redis   ──► subscriber ──► messages of <symbol>:price:stream and :status of watched symbols
 *
 * The two live and die on their own: a Redis that throws us out as a slow subscriber still takes
 * our SETs. The bus is up when both are ready, every channel is confirmed, and the latest values
 * have been read (bus_redis_sync.c); losing either takes it down. While it is down, what is
 * published reaches the local handler as ever; of each symbol only the last item is remembered, so
 * nothing queues up, however long that lasts.
 *
 * Is Redis alive? The command connection asks PING, the subscriber asks for a channel that it has
 * (bus_redis_listen.c). */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bus_advice.h"
#include "bus_redis_impl.h"
#include "clock.h"

enum {
    FLUSH_MS = 100, /* what bus_close() gives pending commands */
    SECOND_LOOK_MS = 1000,
    REFUSED_LOOK_MS = 2000, /* until reading is tried again that was refused */
    STEADY_MS = 5000,       /* up for so long, it was no flapping */
    FLAPPING_ATTEMPTS = 1,  /* thrown out before that, we come back after 0.2-0.4 s */
    LOG_EVERY_MS = 10000,
};

/* ---- up and down ---- */

static void go_up(struct bus_redis *r)
{
    link_praise(&r->command, FLAPPING_ATTEMPTS);
    link_praise(&r->subscriber, FLAPPING_ATTEMPTS);
    r->up = true;
    r->up_since_ms = clock_mono_ms();
    r->base.stats.reconnects += r->ever_up;
    if (r->metrics)
        r->metrics->bus_reconnects += r->ever_up;
    r->next_look_ms = r->up_since_ms + SECOND_LOOK_MS;
    if (r->down_logged || !r->ever_up)
        log_event(LOG_INFO, "bus_up", "address=%s symbols=%zu", r->url.address,
                  r->base.symbols_len);
    r->ever_up = r->ever_told = true;
    r->down_logged = false;
    bus_hear_link(&r->base, true, NULL);
}

/* The log hears of a loss, or of another reason for it, at most every 10 s; of one that fell into
 * that time when it is over, if Redis is still away then. The owner hears of every change. */
static void log_down(struct bus_redis *r, const char *why, const char *sentence)
{
    unsigned suppressed = 0;

    if (!r->up && r->down_logged && strcmp(sentence, r->why) == 0)
        return;
    if (!log_limit_pass(&r->down_limit, clock_mono_ms(), LOG_EVERY_MS, &suppressed))
        return;
    r->down_logged = true;
    snprintf(r->why, sizeof r->why, "%s", sentence);
    log_event(LOG_WARN, "bus_down", "why=%s advice=%s suppressed=%u", sentence, bus_advice(why),
              suppressed);
}

static void go_down(struct bus_redis *r, const char *why)
{
    char sentence[sizeof r->why];
    bool news = r->up || !r->ever_told;

    snprintf(sentence, sizeof sentence, "Redis at %s: %s", r->url.address, why);
    log_down(r, why, sentence);
    redis_sync_stop(r);
    r->up = false;
    r->ever_told = true;
    r->next_look_ms = 0;
    memset(r->refused, 0, sizeof r->refused);
    if (news)
        bus_hear_link(&r->base, false, sentence);
}

void redis_synced(struct bus_redis *r)
{
    if (!r->up && !r->base.closing)
        go_up(r);
    if (r->refused[ASKED_GET])
        r->next_look_ms = clock_mono_ms() + REFUSED_LOOK_MS;
}

void redis_sync_when_ready(struct bus_redis *r)
{
    if (!link_is_ready(&r->command) || !link_is_ready(&r->subscriber) || r->confirmed < r->asked ||
        r->sync.running || r->base.closing)
        return;
    if (r->up && !r->other_symbols)
        return;
    r->other_symbols = false;
    redis_sync_start(r, true);
}

/* ---- what the links tell ---- */

static void on_ready(void *ctx, struct link *l)
{
    struct bus_redis *r = ctx;
    if (l == &r->subscriber) {
        redis_forget_subscriptions(r);
        bus_echo_clear(&r->echo);
        redis_subscribe_missing(r);
    }
    link_hurry(l == &r->subscriber ? &r->command : &r->subscriber);
    redis_sync_when_ready(r);
}

/* Once a second. Full praise comes late: a Redis that throws us out at once, every time, should not
 * meet us ten times a second. */
static void look_after(struct bus_redis *r)
{
    int64_t now_ms = clock_mono_ms();
    redis_send_unsent(r);
    if (!r->up)
        return;
    if (now_ms - r->up_since_ms >= STEADY_MS) {
        link_praise(&r->command, 0);
        link_praise(&r->subscriber, 0);
    }
    redis_retry_refused(r);
    if (!r->sync.running && r->next_look_ms && now_ms >= r->next_look_ms) {
        r->next_look_ms = 0;
        redis_sync_start(r, r->refused[ASKED_GET] != NULL);
    }
}

static void on_probe(void *ctx, struct link *l)
{
    static char name[] = "PING";
    struct bus_redis *r = ctx;
    const char *ping[] = {name};
    size_t len[] = {strlen(name)};

    if (l == &r->subscriber) {
        if (r->base.symbols_len > 0)
            redis_subscribe_again(r);
        else
            link_heard(l); /* nothing is listened for, so it may be as it is */
        return;
    }
    if (link_send(l, redis_on_answer, name, 1, ping, len) != 0)
        link_fail(l, "PING cannot be sent");
    look_after(r);
}

static void on_lost(void *ctx, struct link *l, const char *why)
{
    struct bus_redis *r = ctx;
    if (l == &r->subscriber)
        redis_forget_subscriptions(r);
    if (r->base.closing)
        redis_close_when_answered(r);
    else
        go_down(r, why);
}

/* ---- birth and death ---- */

static void free_symbols(struct redis_symbol *list, size_t n)
{
    for (size_t i = 0; list && i < n; i++) {
        struct redis_symbol *s = &list[i];
        free(s->latest);
        free(s->stream);
        free(s->status);
        buf_fini(&s->own);
    }
    free(list);
}

static void free_all(struct bus_redis *r)
{
    free_symbols(r->symbols, r->base.symbols_len);
    free(r->prefix);
    bus_shared_fini(&r->shared);
    bus_tls_free(r->tls);
    explicit_bzero(&r->url, sizeof r->url); /* a password may be in it */
    bus_finish(&r->base);
}

/* For the symbols of b's table. NULL: out of memory. */
static struct redis_symbol *make_symbols(const struct bus_redis *r, const struct bus *b)
{
    size_t n = b->symbols_len;
    struct redis_symbol *list = calloc(n + 1, sizeof *list);
    for (size_t i = 0; list && i < n; i++) {
        struct redis_symbol *s = &list[i];
        const struct bus_symbol *symbol = &b->symbols[i];
        if (redis_make_names(r, symbol, s) != 0) {
            free_symbols(list, n);
            return NULL;
        }
    }
    return list;
}

/* hiredis writes with write(2): a Redis that has just died would end this process as well. */
static void ignore_sigpipe(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

static int start(struct bus *b, struct err *err)
{
    struct bus_redis *r = (struct bus_redis *)b;
    struct link_events events = {r, on_ready, on_probe, on_lost};
    r->symbols = make_symbols(r, b);
    if (!r->symbols)
        return err_set(err, "bus: out of memory");
    ignore_sigpipe();
    uv_timer_init(b->loop, &r->timer);
    r->timer.data = r;
    link_init(&r->command, b->loop, &r->url, r->tls, true, &r->limits, &events);
    link_init(&r->subscriber, b->loop, &r->url, r->tls, false, &r->limits, &events);
    r->handles = 3;
    link_start(&r->command);
    link_start(&r->subscriber);
    return 0;
}

/* What was known of a symbol that is still watched. */
static void keep_known(const struct bus_redis *r, const struct bus *next, struct redis_symbol *list)
{
    for (size_t i = 0; i < next->symbols_len; i++) {
        const struct bus_symbol *symbol = &next->symbols[i];
        int was = symtab_find(r->base.by_name, symbol->name, strlen(symbol->name));
        if (was < 0 || r->base.symbols[was].kind != symbol->kind)
            continue;
        struct redis_symbol *from = &r->symbols[was], *to = &list[i];
        to->own = from->own;
        from->own = (struct buf){0};
        to->own_expires_ms = from->own_expires_ms;
        to->unsent = from->unsent;
        to->subscribed = from->subscribed;
    }
}

/* Answers of a round that is under way are not looked at any more: they point to the old list. */
static int rewatch(struct bus *b, struct bus *next)
{
    struct bus_redis *r = (struct bus_redis *)b;
    struct redis_symbol *list = make_symbols(r, next);
    if (!list)
        return -1;
    redis_sync_stop(r);
    keep_known(r, next, list);
    free_symbols(r->symbols, b->symbols_len);
    r->symbols = list;
    bus_take_table(b, next);
    r->other_symbols = true;
    if (link_is_ready(&r->subscriber))
        redis_subscribe_missing(r);
    redis_sync_when_ready(r);
    return 0;
}

static void on_handle_closed(void *ctx)
{
    struct bus_redis *r = ctx;
    if (--r->handles == 0)
        free_all(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

static void on_flush_end(uv_timer_t *timer)
{
    struct bus_redis *r = timer->data;
    r->flushed = true;
    link_close(&r->command, on_handle_closed);
    link_close(&r->subscriber, on_handle_closed);
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

void redis_close_when_answered(struct bus_redis *r)
{
    if (!r->flushed && (r->command.in_flight == 0 || !link_is_ready(&r->command)))
        uv_timer_start(&r->timer, on_flush_end, 0, 0);
}

static void close_bus(struct bus *b)
{
    struct bus_redis *r = (struct bus_redis *)b;
    redis_sync_stop(r);
    if (!b->started) {
        free_all(r);
        return;
    }
    uv_update_time(b->loop);
    uv_timer_start(&r->timer, on_flush_end, FLUSH_MS, 0);
    redis_close_when_answered(r);
}

static bool is_up(const struct bus *b)
{
    return ((const struct bus_redis *)b)->up;
}

static const struct bus_ops redis_ops = {
    .kind = "redis",
    .start = start,
    .rewatch = rewatch,
    .close = close_bus,
    .is_up = is_up,
    .is_whole = redis_is_whole,
    .publish = redis_publish,
    .publish_status = redis_publish_status,
    .shared_write = redis_shared_write,
    .shared_read = redis_shared_read,
};

struct bus *bus_redis_new(const struct bus_options *options, struct err *err)
{
    struct bus_url url;
    if (bus_url_parse(options->url, &url, err) != 0)
        return NULL;
    struct bus_redis *r = calloc(1, sizeof *r);
    char *prefix = strdup(options->prefix ? options->prefix : "");
    if (!r || !prefix) {
        free(r);
        free(prefix);
        err_set(err, "bus: out of memory");
        return NULL;
    }
    r->base.ops = &redis_ops;
    r->url = url;
    r->prefix = prefix;
    r->limits = link_limits(&options->limits);
    r->metrics = options->metrics;
    if (bus_tls_open(&r->url, options, &r->tls, err) == 0)
        return &r->base;
    free_all(r);
    return NULL;
}
