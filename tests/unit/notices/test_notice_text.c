/* The words of a message; what a matter has to say is made up. */
#include "notice_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "utf8.h"

static const int64_t NOW_MS = 1767225600000; /* 2026-01-01 00:00:00 */
enum { MINUTE = 60000 };

static void usual(void *ctx, const struct notice *x, struct notice_facts *f)
{
    (void)ctx;
    snprintf(f->name, sizeof f->name, "m%zu", x->matter);
    snprintf(f->what, sizeof f->what, "matter %zu", x->matter);
    if (x->kind == NOTICE_RECOVERY)
        return;
    snprintf(f->why, sizeof f->why, "nobody knows");
    snprintf(f->last_good, sizeof f->last_good, "3 apples");
    snprintf(f->to_do, sizeof f->to_do, "wait");
}

static void expect_message(const struct notices_message *m, notice_describe *describe,
                           const char *subject, const char *text)
{
    struct buf s = {0}, t = {0};
    const struct notice_speaker by = {"desk", NOW_MS, describe, NULL};
    assert_int_equal(notice_text_write(m, &by, &s, &t), 0);
    assert_string_equal(s.p, subject);
    assert_string_equal(t.p, text);
    buf_fini(&s);
    buf_fini(&t);
}

static void test_one(void **state)
{
    (void)state;
    const struct notices_message m = {
        .told = {{.matter = 4, .kind = NOTICE_FAILURE, .since_ms = NOW_MS - 7 * MINUTE}},
        .told_len = 1,
        .counts = {[NOTICE_FAILURE] = 1},
    };
    expect_message(&m, usual, "[pricegate desk] failure: matter 4",
                   "failure: matter 4\n"
                   "  since: 2025-12-31 23:53:00 UTC (7 min)\n"
                   "  why: nobody knows\n"
                   "  last good: 3 apples\n"
                   "  to do: wait\n"
                   "\n"
                   "pricegate desk, 2026-01-01 00:00:00 UTC\n");
}

static void test_again(void **state)
{
    (void)state;
    const struct notices_message m = {
        .told = {{.matter = 4,
                  .kind = NOTICE_PARTIAL,
                  .again = true,
                  .since_ms = NOW_MS - 26 * 60 * MINUTE}},
        .told_len = 1,
        .counts = {[NOTICE_PARTIAL] = 1},
    };
    expect_message(&m, usual, "[pricegate desk] still partial: matter 4",
                   "still partial: matter 4\n"
                   "  since: 2025-12-30 22:00:00 UTC (1 day 2 h)\n"
                   "  why: nobody knows\n"
                   "  last good: 3 apples\n"
                   "  to do: wait\n"
                   "\n"
                   "pricegate desk, 2026-01-01 00:00:00 UTC\n");
}

static void test_several(void **state)
{
    (void)state;
    const struct notices_message m = {
        .told = {{.matter = 1, .kind = NOTICE_FAILURE, .since_ms = NOW_MS - 90 * MINUTE},
                 {.matter = 2,
                  .kind = NOTICE_RECOVERY,
                  .since_ms = NOW_MS - 5000,
                  .ended_ms = NOW_MS - 2000},
                 {.matter = 3, .kind = NOTICE_SUCCESS}                                      },
        .told_len = 3,
        .more = {                                                                      5,                                                                      6},
        .more_len = 2,
        .more_all = 12,
        .counts = { 1,                                                                     0,                                                                     1, 13},
        .passed = 7,
    };
    expect_message(&m, usual,
                   "[pricegate desk] 1 failure, 1 recovery, 13 successes: m1, m2, m3, ...",
                   "failure: matter 1\n"
                   "  since: 2025-12-31 22:30:00 UTC (1 h 30 min)\n"
                   "  why: nobody knows\n"
                   "  last good: 3 apples\n"
                   "  to do: wait\n"
                   "\n"
                   "recovery: matter 2\n"
                   "  since: 2025-12-31 23:59:55 UTC, until 2025-12-31 23:59:58 UTC (3 s)\n"
                   "\n"
                   "success: matter 3\n"
                   "  why: nobody knows\n"
                   "  last good: 3 apples\n"
                   "  to do: wait\n"
                   "\n"
                   "and 12 more: m5, m6, ...\n"
                   "7 more changes were over before they could be told.\n"
                   "\n"
                   "pricegate desk, 2026-01-01 00:00:00 UTC\n");
}

static void hostile(void *ctx, const struct notice *x, struct notice_facts *f)
{
    (void)ctx, (void)x;
    snprintf(f->name, sizeof f->name, "a\r\nBcc: b@c");
    snprintf(f->what, sizeof f->what,
             "a\r\nBcc: b@c\r\n\r\n.\r\n\x7F\x01"
             "\xC3\xA9 \xE2\x80");
    snprintf(f->why, sizeof f->why, "\n.\nQUIT\t\xFF");
}

static void test_a_line_stays_a_line(void **state)
{
    (void)state;
    const struct notices_message m = {
        .told = {{.kind = NOTICE_SUCCESS}},
        .told_len = 1,
        .more_len = 1,
        .more_all = 1,
        .passed = 1,
        .counts = {[NOTICE_SUCCESS] = 2},
    };
    struct buf s = {0}, t = {0};
    const struct notice_speaker by = {"de\nsk", NOW_MS, hostile, NULL};
    assert_int_equal(notice_text_write(&m, &by, &s, &t), 0);
    assert_string_equal(s.p, "[pricegate de sk] success: a  Bcc: b@c    .    \xC3\xA9 ??");
    assert_string_equal(t.p, "success: a  Bcc: b@c    .    \xC3\xA9 ??\n"
                             "  why:  . QUIT ?\n"
                             "\n"
                             "and 1 more: a  Bcc: b@c\n"
                             "1 more change was over before it could be told.\n"
                             "\n"
                             "pricegate de sk, 2026-01-01 00:00:00 UTC\n");
    assert_true(utf8_valid(t.p, t.len));
    buf_fini(&s);
    buf_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_a_line_stays_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
