#include "notifier.h"

#include <stdlib.h>

#include "clock.h"
#include "gateway_private.h"
#include "notice_describe.h"
#include "notice_post.h"
#include "notice_text.h"
#include "notice_watch.h"

static const uint64_t TURN_MS = 1000;
static const int64_t LAST_MS = 2000; /* that a message on its way may hold up the end */

struct notifier {
    struct gateway *g;
    uv_timer_t timer;
    struct notice_post *post;
    struct notice_watch watch;
    bool looking, closing;
    int64_t last_ms; /* monotonic: not to be waited for longer, once it closes */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct notice_scene scene_of(const struct gateway *g)
{
    return (struct notice_scene){
        .config = g->now.config,
        .feeds = g->now.feeds,
        .tiers = g->now.tiers,
        .bus = g->bus,
        .bus_why = g->bus_why.text,
        .certificate_ends_ms = server_certificate_ends_ms(g->server),
        .now = {clock_wall_ms(), clock_mono_ms()},
    };
}

static struct notices_rules rules_of(const struct config *c)
{
    return (struct notices_rules){
        .tell = {[NOTICE_FAILURE] = c->notifications.failure,
                 [NOTICE_PARTIAL] = c->notifications.partial,
                 [NOTICE_RECOVERY] = c->notifications.recovery,
                 [NOTICE_SUCCESS] = c->notifications.success},
        .after_ms = c->notifications.after_s * 1000,
        .every_ms = c->notifications.every_s * 1000,
        .repeat_ms = c->notifications.repeat_s * 1000,
    };
}

static void send_message(struct notifier *n, const struct notices_message *m,
                         const struct notice_scene *s)
{
    struct notice_telling telling = {&n->watch, s};
    char name[NOTICE_NAME_MAX];
    struct buf subject = {0}, text = {0};
    const struct notice_speaker by = {notice_post_name(s->config, name), s->now.wall_ms,
                                      notice_describe_matter, &telling};
    if (notice_text_write(m, &by, &subject, &text) == 0)
        notice_post_add(n->post, s->config, subject.p, text.p);
    else
        log_event(LOG_ERROR, "out_of_memory", "what=%s", "a notification was left out");
    buf_fini(&subject);
    buf_fini(&text);
}

static void look(struct notifier *n, bool at_once)
{
    const struct notice_scene s = scene_of(n->g);
    const struct notices_rules rules = rules_of(s.config);
    struct notices_message m;
    uint64_t held;
    notice_watch_look(&n->watch, n->g->now.notices, &s);
    bool due = notices_take(n->g->now.notices, &rules, at_once, &s.now, &m, &held);
    n->g->metrics.notifications_held += held;
    if (due)
        send_message(n, &m, &s);
}

static void on_post_closed(void *ctx)
{
    struct notifier *n = ctx;
    void (*closed)(void *ctx) = n->closed;
    void *closed_ctx = n->closed_ctx;
    free(n);
    closed(closed_ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct notifier *n = h->data;
    notice_post_close(n->post, on_post_closed, n);
}

static void close_if_done(struct notifier *n)
{
    uv_handle_t *timer = (uv_handle_t *)&n->timer;
    if (!n->closing || uv_is_closing(timer))
        return;
    if (notice_post_is_idle(n->post) || clock_mono_ms() >= n->last_ms)
        uv_close(timer, on_timer_closed);
}

static void on_turn(uv_timer_t *t)
{
    struct notifier *n = t->data;
    if (n->looking && notice_post_is_on(n->g->now.config))
        look(n, false);
    notice_post_turn(n->post, n->g->now.config);
    close_if_done(n);
}

/* --- life --- */

/* While it closes, nobody should wait for the next turn. */
static void heard(void *ctx, enum notice_channel ch, const char *error, const char *to_do)
{
    struct notifier *n = ctx;
    (void)ch, (void)error, (void)to_do;
    if (n->closing && !uv_is_closing((uv_handle_t *)&n->timer))
        uv_timer_start(&n->timer, on_turn, 0, TURN_MS / 10);
}

struct notifier *notifier_new(struct gateway *g)
{
    struct notifier *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->post = notice_post_new(&g->loop, &g->metrics, heard, n);
    if (!n->post) {
        free(n);
        return NULL;
    }
    n->g = g;
    uv_timer_init(&g->loop, &n->timer);
    n->timer.data = n;
    return n;
}

void notifier_start(struct notifier *n)
{
    n->looking = true;
    uv_timer_start(&n->timer, on_turn, TURN_MS, TURN_MS);
}

void notifier_changed(struct notifier *n, const struct notices *from,
                      const struct instrument_map *map)
{
    notices_take_over(n->g->now.notices, from, notice_watch_there, map);
    notice_post_changed(n->post, n->g->now.config);
}

void notifier_drain(struct notifier *n)
{
    if (n->looking && notice_post_is_on(n->g->now.config))
        look(n, true);
    n->looking = false; /* what stops from now on does so on purpose */
    notice_post_hurry(n->post);
    notice_post_turn(n->post, n->g->now.config);
}

void notifier_close(struct notifier *n, void (*done)(void *ctx), void *ctx)
{
    n->closed = done;
    n->closed_ctx = ctx;
    n->closing = true;
    n->looking = false;
    n->last_ms = clock_mono_ms() + LAST_MS;
    uv_timer_start(&n->timer, on_turn, 0, TURN_MS / 10);
}
