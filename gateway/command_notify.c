/* command_notify.c - one message to each channel of `notifications`, now: does it arrive? Tries
 * each once; the texts are those of the running program's log. */
#include <stdio.h>

#include "clock.h"
#include "commands.h"
#include "notice_post.h"
#include "notice_text.h"
#include "settings.h"

struct trial {
    const struct config *config;
    struct notice_post *post;
    int waiting, failed;
};

static void heard(void *ctx, enum notice_channel ch, const char *error, const char *to_do)
{
    struct trial *t = ctx;
    if (error)
        fprintf(stderr, "pricegate: %s: %s: %s\n", notice_channel_name(ch), error, to_do);
    else if (ch == CHANNEL_MAIL)
        printf("mail: taken by the server, for %zu recipient%s\n",
               t->config->notifications.mail.to_len,
               t->config->notifications.mail.to_len == 1 ? "" : "s");
    else
        printf("webhook: taken\n");
    t->failed += error != NULL;
    t->waiting--;
}

static void closed(void *ctx)
{
    (void)ctx;
}

static int write_message(const struct config *c, struct buf *subject, struct buf *text)
{
    char name[NOTICE_NAME_MAX], at[NOTICE_TIME_MAX];
    notice_post_name(c, name);
    buf_addf(subject, "[pricegate %s] a test", name);
    buf_addf(text,
             "This is what `pricegate notify` sends. If you can read it, you will be told of what\n"
             "goes wrong, too.\n\npricegate %s, %s\n",
             name, notice_time(clock_wall_ms(), at));
    return subject->failed || text->failed ? -1 : 0;
}

static int run(uv_loop_t *loop, const struct config *c, struct metrics *metrics)
{
    struct trial t = {.config = c};
    struct buf subject = {0}, text = {0};
    for (enum notice_channel ch = 0; ch < NOTICE_CHANNELS; ch++)
        t.waiting += notice_channel_is_on(ch, c);
    t.post = notice_post_new(loop, metrics, heard, &t);
    if (t.post && write_message(c, &subject, &text) == 0) {
        notice_post_add(t.post, c, subject.p, text.p);
        notice_post_turn(t.post, c);
    } else {
        fprintf(stderr, "pricegate: out of memory\n");
        t.failed++;
        t.waiting = 0;
    }
    buf_fini(&subject);
    buf_fini(&text);
    while (t.waiting > 0 && uv_run(loop, UV_RUN_ONCE) != 0)
        ;
    if (t.post)
        notice_post_close(t.post, closed, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    return t.failed == 0 && t.waiting == 0 ? 0 : 1;
}

int command_notify(const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct config *c = settings_load(o, origin);
    struct metrics metrics;
    uv_loop_t loop;
    int rc = 1;
    if (!c)
        return 1;
    log_setup(LOG_AUDIT, c->log.json); /* what is to be said is said here */
    metrics_init(&metrics);
    if (!notice_post_is_on(c))
        fprintf(stderr, "pricegate: %s: notifications has neither mail.url nor webhook.url\n",
                origin);
    else if (uv_loop_init(&loop) != 0)
        fprintf(stderr, "pricegate: no event loop\n");
    else {
        rc = run(&loop, c, &metrics);
        uv_loop_close(&loop); /* a name look-up under way keeps it open; the process ends anyway */
    }
    metrics_fini(&metrics);
    config_free(c);
    return rc;
}
