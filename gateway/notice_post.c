/* A message waits in its channel's outbox as subject and text; bytes are made of it when it is
 * tried, by the configuration of that moment, so that a reload with the right password is all it
 * takes.
 *
 * Neither the webhook's address nor a login is ever in a message or a line of the log: the address
 * is as good as a password.
 *
 * limits.upstream_public does not apply: it guards against what a provider's name may be made to
 * stand for, and a mail server of one's own is private more often than not. */
#include "notice_post.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "fetch.h"
#include "log.h"
#include "mailer.h"
#include "notice_wire.h"
#include "outbox.h"

static const int64_t WEBHOOK_MS = 10000;

struct notice_post {
    uv_loop_t *loop;
    struct metrics *metrics;
    notice_post_heard *heard;
    void *heard_ctx;
    struct mailer *mailer; /* made when they are needed first */
    struct fetch *fetch;
    struct channel {
        struct notice_post *post;
        enum notice_channel which;
        struct outbox outbox;
        bool broken; /* which the log was told */
        struct mailer_job *mail;
        struct fetch_job *hook; /* which of them is on its way; NULL = none */
    } channels[NOTICE_CHANNELS];
    int64_t since_ms; /* wall; part of what makes a mail's number unlike all others */
    int parts_open;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

const char *notice_channel_name(enum notice_channel ch)
{
    return ch == CHANNEL_MAIL ? "mail" : "webhook";
}

bool notice_channel_is_on(enum notice_channel ch, const struct config *config)
{
    return (ch == CHANNEL_MAIL ? config->notifications.mail.url
                               : config->notifications.webhook.url) != NULL;
}

bool notice_post_is_on(const struct config *config)
{
    return notice_channel_is_on(CHANNEL_MAIL, config) ||
           notice_channel_is_on(CHANNEL_WEBHOOK, config);
}

const char *notice_post_name(const struct config *config, char out[static NOTICE_NAME_MAX])
{
    const char *name = config->notifications.name;
    if (name || gethostname(out, NOTICE_NAME_MAX) != 0)
        snprintf(out, NOTICE_NAME_MAX, "%s", name ? name : "somewhere");
    out[NOTICE_NAME_MAX - 1] = '\0';
    return out;
}

struct notice_post *notice_post_new(uv_loop_t *loop, struct metrics *metrics,
                                    notice_post_heard *heard, void *ctx)
{
    struct notice_post *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->metrics = metrics;
    p->since_ms = clock_wall_ms();
    p->heard = heard;
    p->heard_ctx = ctx;
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++) {
        p->channels[ch].post = p;
        p->channels[ch].which = ch;
    }
    return p;
}

static void count(const struct channel *c, const char *result, size_t n)
{
    if (n > 0)
        metrics_add(c->post->metrics, METRIC_NOTIFICATIONS, notice_channel_name(c->which), result,
                    (double)n);
}

/* --- what to do when it does not work --- */

static const char *advice_for_mail(enum failure failure)
{
    switch (failure) {
    case FAIL_AUTH:
        return "correct notifications.mail.user and .password";
    case FAIL_CONNECT:
        return "see whether host and port of notifications.mail.url are right, and a firewall lets "
               "this machine through";
    case FAIL_DNS:
        return "see whether the host of notifications.mail.url is right";
    case FAIL_TIMEOUT:
        return "see whether the port of notifications.mail.url is right (587 for STARTTLS; 465 for "
               "smtps://), and a firewall lets this machine through";
    case FAIL_TLS:
        return "the server must offer TLS and notifications.mail.url name it as its certificate "
               "does; an authority of your own: give its PEM file as SSL_CERT_FILE";
    default:
        return "see the mail server's log: does it take mail from this machine and this sender, to "
               "these recipients?";
    }
}

static const char *advice_for_webhook(enum failure failure)
{
    switch (failure) {
    case FAIL_AUTH:
        return "the address in notifications.webhook.url does not hold any more: make a new one";
    case FAIL_CONNECT:
    case FAIL_TIMEOUT:
        return "see whether this machine can reach the host of notifications.webhook.url";
    case FAIL_DNS:
        return "see whether the host of notifications.webhook.url is right";
    case FAIL_TLS:
        return "notifications.webhook.url must name its host as the certificate does; an authority "
               "of your own: give its PEM file as SSL_CERT_FILE";
    default:
        return "see what the webhook's owner says of it; `pricegate notify` sends a test";
    }
}

/* --- the end of a try --- */

static void taken(struct channel *c)
{
    log_event(LOG_INFO, "notification_sent", "channel=%s subject=%s", notice_channel_name(c->which),
              c->outbox.list[0].subject);
    outbox_delivered(&c->outbox);
    count(c, "sent", 1);
}

static void delivered(struct channel *c)
{
    c->broken = false;
    taken(c);
    if (c->post->heard)
        c->post->heard(c->post->heard_ctx, c->which, NULL, NULL);
}

/* The log only when it was well before. */
static void complain(struct channel *c, enum failure failure, const char *detail)
{
    const char *to_do =
        c->which == CHANNEL_MAIL ? advice_for_mail(failure) : advice_for_webhook(failure);
    char error[320];
    snprintf(error, sizeof error, "%s: %s", failure_name(failure), detail);
    if (!c->broken)
        log_event(LOG_WARN, "notification_failed", "channel=%s error=%s to_do=%s",
                  notice_channel_name(c->which), error, to_do);
    c->broken = true;
    if (c->post->heard)
        c->post->heard(c->post->heard_ctx, c->which, error, to_do);
}

struct fault {
    enum failure failure;
    const char *detail;
    bool for_good;
    int64_t retry_after_ms;
};

static void failed(struct channel *c, const struct fault *x)
{
    count(c, "failed", 1);
    if (outbox_failed(&c->outbox, x->for_good, x->retry_after_ms, clock_mono_ms()))
        count(c, "dropped", 1);
    complain(c, x->failure, x->detail);
}

static void mail_done(void *ctx, enum mailer_end end, enum failure failure, const char *detail)
{
    struct channel *c = ctx;
    c->mail = NULL;
    if (end == MAILER_SENT && failure == FAIL_NONE) {
        delivered(c);
    } else if (end == MAILER_SENT) {
        taken(c);
        complain(c, failure, detail);
    } else {
        failed(c, &(struct fault){failure, detail, end == MAILER_REFUSED, 0});
    }
}

static void hook_done(void *ctx, const struct http_reply *reply, enum failure failure,
                      const char *detail)
{
    struct channel *c = ctx;
    char text[64];
    c->hook = NULL;
    if (!reply) {
        failed(c, &(struct fault){failure, detail, false, 0});
        return;
    }
    int status = reply->status;
    if (status >= 200 && status < 300) {
        delivered(c);
        return;
    }
    bool gone = status == 401 || status == 403 || status == 404 || status == 410;
    bool later = status == 408 || status == 429 || status >= 500;
    snprintf(text, sizeof text, "the webhook answered %d", status);
    failed(c, &(struct fault){gone ? FAIL_AUTH : FAIL_UPSTREAM_ERROR, text, !later,
                              reply->retry_after_s > 0 ? reply->retry_after_s * 1000 : 0});
}

/* --- a try --- */

static int try_mail(struct channel *c, const struct config *config, const struct outbox_message *m,
                    struct err *err)
{
    struct notice_post *p = c->post;
    const struct mailer_envelope envelope = {
        .url = config->notifications.mail.url,
        .user = config->notifications.mail.user,
        .password = config->notifications.mail.password,
        .from = config->notifications.mail.from,
        .to = config->notifications.mail.to,
        .to_len = config->notifications.mail.to_len,
        .starttls = config->notifications.mail.starttls,
    };
    const struct notice_mail mail = {
        .from = envelope.from,
        .to = envelope.to,
        .to_len = envelope.to_len,
        .subject = m->subject,
        .text = m->text,
        .wall_ms = clock_wall_ms(),
        .series = p->since_ms,
        .number = m->number,
    };
    struct buf bytes = {0};
    if (!p->mailer)
        p->mailer = mailer_new(p->loop, err);
    notice_wire_mail(&mail, &bytes);
    if (p->mailer && !bytes.failed)
        c->mail = mailer_send(p->mailer, &envelope, bytes.p, bytes.len, mail_done, c);
    buf_fini(&bytes);
    return c->mail ? 0 : -1;
}

static int try_webhook(struct channel *c, const struct config *config,
                       const struct outbox_message *m, struct err *err)
{
    struct notice_post *p = c->post;
    /* What comes with "taken" takes nothing back; a message tried again would come twice. */
    const struct fetch_limits limits = {.timeout_ms = WEBHOOK_MS, .status_only = true};
    struct http_request rq = {.url = {0}};
    if (!p->fetch)
        p->fetch = fetch_new(p->loop, err);
    buf_adds(&rq.url, config->notifications.webhook.url);
    buf_adds(&rq.headers, "Content-Type: application/json\n");
    notice_wire_webhook(m->subject, m->text, &rq.body);
    if (p->fetch && !rq.url.failed && !rq.headers.failed && !rq.body.failed)
        c->hook = fetch_start(p->fetch, &rq, &limits, hook_done, c, err);
    http_request_fini(&rq);
    return c->hook ? 0 : -1;
}

void notice_post_turn(struct notice_post *p, const struct config *config)
{
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++) {
        struct channel *c = &p->channels[ch];
        struct err err = {"out of memory"};
        const struct outbox_message *m =
            notice_channel_is_on(ch, config) ? outbox_try(&c->outbox, clock_mono_ms()) : NULL;
        if (m && (ch == CHANNEL_MAIL ? try_mail : try_webhook)(c, config, m, &err) != 0)
            failed(c, &(struct fault){FAIL_CONNECT, err.text, false, 0});
    }
}

void notice_post_add(struct notice_post *p, const struct config *config, const char *subject,
                     const char *text)
{
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++) {
        struct channel *c = &p->channels[ch];
        if (!notice_channel_is_on(ch, config))
            continue;
        int dropped = outbox_add(&c->outbox, subject, text);
        if (dropped < 0)
            log_event(LOG_ERROR, "out_of_memory", "what=%s", "a notification was left out");
        count(c, "dropped", dropped != 0);
    }
}

void notice_post_hurry(struct notice_post *p)
{
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++)
        outbox_hurry(&p->channels[ch].outbox);
}

/* Without a call of its end. */
static void cancel(struct channel *c)
{
    if (c->mail)
        mailer_cancel(c->mail);
    if (c->hook)
        fetch_cancel(c->hook);
    c->mail = NULL;
    c->hook = NULL;
}

void notice_post_changed(struct notice_post *p, const struct config *config)
{
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++) {
        struct channel *c = &p->channels[ch];
        c->broken = false; /* if it still is, that is news */
        outbox_hurry(&c->outbox);
        if (notice_channel_is_on(ch, config))
            continue;
        cancel(c);
        count(c, "dropped", c->outbox.len);
        outbox_fini(&c->outbox);
    }
}

bool notice_post_is_idle(const struct notice_post *p)
{
    size_t waiting = 0;
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++)
        waiting += p->channels[ch].outbox.len;
    return waiting == 0;
}

/* --- end --- */

static void part_closed(void *ctx)
{
    struct notice_post *p = ctx;
    if (--p->parts_open > 0)
        return;
    void (*closed)(void *ctx) = p->closed;
    void *closed_ctx = p->closed_ctx;
    free(p);
    closed(closed_ctx);
}

void notice_post_close(struct notice_post *p, void (*done)(void *ctx), void *ctx)
{
    p->closed = done;
    p->closed_ctx = ctx;
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++) {
        struct channel *c = &p->channels[ch];
        cancel(c);
        if (c->outbox.len > 0)
            log_event(LOG_WARN, "notifications_dropped", "channel=%s messages=%zu why=%s",
                      notice_channel_name(ch), c->outbox.len,
                      "the program ends, and they could not be delivered");
        count(c, "dropped", c->outbox.len);
        outbox_fini(&c->outbox);
    }
    p->parts_open = 1 + (p->mailer != NULL) + (p->fetch != NULL);
    if (p->mailer)
        mailer_close(p->mailer, part_closed, p);
    if (p->fetch)
        fetch_close(p->fetch, part_closed, p);
    part_closed(p);
}
