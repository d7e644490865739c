/* What people are told, without memory: a message is whole, or whoever makes it knows that it is
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "notice_text.h"
#include "notice_wire.h"
#include "notices.h"
#include "outbox.h"
#include "scarce.h"
#include "sweep.h"

static const int64_t NOW_MS = 1767225600000;

static bool matters_work(void *o)
{
    struct notices *n = notices_new(100);
    (void)o;
    notices_free(n);
    return n != NULL;
}

/* --- a message --- */

struct message {
    struct buf subject, text, mail, webhook;
};

static void *message_make(void)
{
    return calloc(1, sizeof(struct message));
}

static void describe(void *ctx, const struct notice *x, struct notice_facts *f)
{
    (void)ctx, (void)x;
    snprintf(f->name, sizeof f->name, "caf\xC3\xA9");
    snprintf(f->what, sizeof f->what, "no source of caf\xC3\xA9 answers");
    snprintf(f->why, sizeof f->why, "yahoo: timeout");
}

static bool message_work(void *o)
{
    static const char *const to[] = {"ops@example.com"};
    struct message *m = o;
    const struct notices_message what = {.told = {{.kind = NOTICE_FAILURE}},
                                         .told_len = 1,
                                         .more_len = 1,
                                         .more_all = 2,
                                         .passed = 3};
    buf_fini(&m->subject);
    buf_fini(&m->text);
    buf_fini(&m->mail);
    buf_fini(&m->webhook);
    const struct notice_speaker by = {"desk", NOW_MS, describe, NULL};
    if (notice_text_write(&what, &by, &m->subject, &m->text) != 0)
        return false;
    const struct notice_mail mail = {.from = "a@b",
                                     .to = to,
                                     .to_len = 1,
                                     .subject = m->subject.p,
                                     .text = m->text.p,
                                     .wall_ms = NOW_MS};
    notice_wire_mail(&mail, &m->mail);
    notice_wire_webhook(m->subject.p, m->text.p, &m->webhook);
    return !m->mail.failed && !m->webhook.failed;
}

static void message_tell(void *o, struct buf *told)
{
    const struct message *m = o;
    buf_add(told, m->mail.p, m->mail.len);
    buf_add(told, m->webhook.p, m->webhook.len);
}

static void message_drop(void *o)
{
    struct message *m = o;
    buf_fini(&m->subject);
    buf_fini(&m->text);
    buf_fini(&m->mail);
    buf_fini(&m->webhook);
    free(m);
}

/* --- an outbox --- */

static void *outbox_make(void)
{
    struct outbox *o = calloc(1, sizeof *o);
    for (int i = 0; i < OUTBOX_MAX; i++)
        assert_int_equal(outbox_add(o, "old", "text"), 0);
    return o;
}

static bool outbox_work(void *o)
{
    return outbox_add(o, "new", "text") >= 0;
}

/* Without memory for the new one, none of the old ones goes. */
static void outbox_tell(void *o, struct buf *told)
{
    const struct outbox *box = o;
    for (size_t i = 0; i < box->len; i++)
        buf_addf(told, "%s/%s ", box->list[i].subject, box->list[i].text);
}

static void outbox_drop(void *o)
{
    outbox_fini(o);
    free(o);
}

static const struct sweep all[] = {
    {"matters",   NULL,         matters_work, NULL,         NULL        },
    {"a message", message_make, message_work, message_tell, message_drop},
    {"an outbox", outbox_make,  outbox_work,  outbox_tell,  outbox_drop },
};

static void messages_and_their_outbox(void **state)
{
    (void)state;
    sweep_run_all(all, sizeof all / sizeof all[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_their_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
